"""``mm7zeep send``: what goes out, what is said about it, and how it ends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from far_side import FarSide, Request, Steps, http, proper
from gateway_room import rooms

from mm7zeep import profiles
from mm7zeep.cli import main, send
from mm7zeep.errors import StatusError
from mm7zeep.messages import RSErrorRsp, SubmitReq, SubmitRsp
from mm7zeep.receiver import Call, Endpoint
from mm7zeep.samples import saturn_png

pytest.importorskip("uvicorn")
from mm7zeep.gateway.server.listener import serve_in_thread

PATH = "/mm7"

AUTH = "ferry:a:quiet word"


class Mmsc:
    """An MMSC that serves one application, whose password holds a colon, and keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: dict[str, SubmitReq] = {}
        name, _, password = AUTH.partition(":")
        self.asgi = Endpoint({SubmitReq: self._submit}, error=RSErrorRsp, auth={name: password}).asgi

    def _submit(self, call: Call) -> SubmitRsp:
        assert isinstance(call.message, SubmitReq)
        if call.message.vaspid != "FERRY":
            raise StatusError(4001)
        answer = SubmitRsp(message_id=f"m-{len(self.requests)}")
        self.requests[str(answer.message_id)] = call.message
        return answer


@pytest.fixture(scope="module")
def mmsc() -> Mmsc:
    """An MMSC for all tests here."""
    return Mmsc()


@pytest.fixture(scope="module")
def url(mmsc: Mmsc) -> Iterator[str]:
    """Where it stands."""
    with serve_in_thread(mmsc.asgi) as base:
        yield base + PATH


def run(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["send", *map(str, words)], env=env)


def test_whole_message(mmsc: Mmsc, url: str, tmp_path: Path) -> None:
    """Every option arrives; the content is the texts and then the files, octet by octet."""
    picture = tmp_path / "saturn.png"
    picture.write_bytes(saturn_png())
    words = ["--auth", AUTH, "--vaspid", "FERRY", "--vasid", "Times", "--to", "+4930123456", "--cc", "a@ferry.example"]
    words += ["--subject", "Ferry", "--text", "at ten", "--text", "or eleven", "--delivery-report", "--expiry", "2d"]
    words += ["--priority", "High", "--service-code", "S1", "--json"]
    done = run(url, picture, *words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    request = mmsc.requests[said["message_id"]]
    assert (said["status_code"], said["status_text"], said["findings"]) == (1000, "Success", [])
    assert [str(one) for one in request.recipients] == ["+4930123456", "a@ferry.example"]
    assert (request.subject, request.priority, request.service_code) == ("Ferry", "High", "S1")
    assert (request.delivery_report, request.read_reply, request.expiry_date) == (True, None, timedelta(days=2))
    kinds = [part.content_type for part in request.parts]
    assert kinds == ["application/smil", "text/plain", "text/plain", "image/png"]
    assert [request.parts[1].text(), request.parts[2].text()] == ["at ten", "or eleven"]
    assert request.parts[3].read() == saturn_png()


def test_texts_in_another_charset(mmsc: Mmsc, url: str, tmp_path: Path) -> None:
    """--charset says what text files are in; without it, or where it is not true, nothing is sent, and it is named."""
    note, picture = tmp_path / "note.txt", tmp_path / "saturn.png"
    note.write_bytes("Größe 5 €".encode("cp1252"))
    picture.write_bytes(saturn_png())
    words = ["--auth", AUTH, "--vaspid", "FERRY", "--to", "1", "--json"]
    done = run(url, note, picture, *words, "--charset", "windows-1252")
    assert done.exit_code == 0, done.output
    request = mmsc.requests[json.loads(done.stdout)["message_id"]]
    assert [(part.charset, part.text()) for part in request.parts[1:2]] == [("windows-1252", "Größe 5 €")]
    count = len(mmsc.requests)
    for wrong in ([], ["--charset", "utf-8"], ["--charset", "us-ascii"], ["--charset", "klingon"]):
        done = run(url, note, *words, *wrong)
        assert done.exit_code == 2
        assert "charset" in done.output
    assert len(mmsc.requests) == count


def test_text_and_environment(url: str) -> None:
    """Without --json people are told; the credentials may come from the environment."""
    done = run(url, "--vaspid", "FERRY", "--to", "1", "--text", "a", env={"MM7ZEEP_SEND_AUTH": AUTH})
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1000 Success\n  message id      ")
    assert "transaction id  " in done.stdout


def test_refusal(url: str) -> None:
    """A status that is not 1xxx ends with 1 and is told."""
    done = run(url, "--auth", AUTH, "--vaspid", "OTHER", "--to", "1", "--text", "a", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["status_code"] == 4001
    refused = run(url, "--auth", AUTH, "--vaspid", "OTHER", "--to", "1")
    assert refused.stderr.startswith("mm7zeep send: 4001 Improper identification\n")
    assert refused.stdout == ""


def test_wrong_password(url: str) -> None:
    """A 401 ends with 1; what was given is never repeated."""
    done = run(url, "--auth", "ferry:wrongword", "--vaspid", "FERRY", "--to", "1", "--json")
    assert (done.exit_code, json.loads(done.stdout)["http_status"]) == (1, 401)
    assert "wrongword" not in done.output


def test_nobody_there() -> None:
    """No connection ends with 3, and nothing can have been accepted."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = run(f"http://127.0.0.1:{port}/mm7", "--to", "1", "--json")
    assert (done.exit_code, json.loads(done.stdout)["maybe_accepted"]) == (3, False)


@contextmanager
def peer(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that treats each connection by ``behave``; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    behave(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mm7"
        listener.shutdown(socket.SHUT_RDWR)


def take_all(connection: socket.socket) -> None:
    """Read a request to its end."""
    came = b""
    while not came.rstrip().endswith(b"--"):
        came += connection.recv(65536)


def test_no_answer() -> None:
    """A connection that ends without an answer ends with 3, and says that the message may have been accepted."""
    with peer(take_all) as url:
        done = run(url, "--to", "1", "--text", "a")
    assert done.exit_code == 3
    assert "sending it again may deliver it twice\n  transaction id  " in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "at least one recipient"),
        (["--to", "1", "--auth", "quietword"], "USER:PASS"),
        (["--to", "1", "--bearer", "k", "--auth", "a:b"], "give one of them"),
        (["--to", "1", "--bearer", "a b"], "bearer token"),
        (["--to", "1", "--digest"], "needs --auth"),
        (["--to", "1", "--header", "quietword"], "NAME:VALUE"),
        (["--to", "1", "--header", "X-A: 1", "--header", "x-a: 2"], "given twice"),
        (["--to", "1", "--header", "Authorization: quietword"], "--bearer"),
        (["--to", "1", "--header", "TE: x"], "TE is not given"),
        (["--to", "1", "--timeout", "0"], "not in the range"),
        (["--to", "1", "--expiry", "soon"], "give a span"),
        (["--to", "1", "--expiry", "2030-01-31T12:00:00"], "needs a zone"),
        (["--to", "1", "--profile", "nobody"], "no profile 'nobody'"),
        (["--to", "1", "--namespace", "REL-9"], "no profile 'REL-9'"),
        (["--to", " "], "address is empty"),
        (["--to", "1", "missing.gif"], "does not exist"),
    ],
)
def test_wrong_usage(words: list[str], reason: str) -> None:
    """What cannot be sent ends with 2 and the reason, and repeats no credential."""
    done = run("http://127.0.0.1:1/mm7", *words)
    assert (done.exit_code, reason in done.stderr) == (2, True), done.output
    assert "quietword" not in done.output


def test_expiry_forms() -> None:
    """A span or a time with its zone."""
    parameter, context = send.command.params[0], send.command.make_context("send", ["http://x", "--to", "1"])
    moment: Any = send._moment
    assert moment(context, parameter, None) is None
    assert moment(context, parameter, "90m") == timedelta(minutes=90)
    assert moment(context, parameter, "1w") == timedelta(weeks=1)
    assert moment(context, parameter, "2030-01-31T12:00:00Z") == datetime(2030, 1, 31, 12, tzinfo=UTC)


def test_namespace_keeps_what_the_carrier_wants() -> None:
    """Another schema with a carrier's profile changes what the schema has, and nothing that the carrier wants."""
    mixed = send._profile("optus", "REL-6-MM7-1-4")
    optus, schema = profiles.OPTUS, profiles.REL_6_MM7_1_4
    assert (mixed.namespace, mixed.mm7_version, mixed.versions) == (schema.namespace, "5.3.0", schema.versions)
    assert (mixed.split, mixed.max_recipients, mixed.prefix) == (optus.split, optus.max_recipients, optus.prefix)
    assert send._profile("sinch", "REL-5-MM7-1-2").mm7_version == "5.3.0"
    assert send._profile(None, "REL-5-MM7-1-3") is profiles.REL_5_MM7_1_3
    assert send._profile(None, None) is profiles.GENERIC_6_8_0
    assert {*send._CARRIER} | {*_of_schema()} | {"name", "mm7_version"} == set(profiles.Profile.__dataclass_fields__)


def _of_schema() -> list[str]:
    """The fields of a profile in which two schemas may differ; all others are the carrier's."""
    return [
        "schema", "versions", "transaction_attributes", "typed_sender_address", "submit_rsp_message_id",
        "deliver_rsp_service_code", "report_date", "distribution", "delivery_condition", "extended", "alias_of",
    ]  # fmt: skip


def test_split_message(url: str) -> None:
    """Where the carrier takes one recipient a request, each is told with its own MessageID."""
    words = ["--auth", AUTH, "--vaspid", "FERRY", "--profile", "optus", "--to", "+4930123456", "--to", "+4930123457"]
    done = run(url, *words, "--text", "a", "--json")
    assert done.exit_code == 0, done.output
    each = json.loads(done.stdout)["recipients"]
    assert [one["to"] for one in each] == ["+4930123456", "+4930123457"]
    assert len({one["message_id"] for one in each}) == 2
    assert "  +4930123457     " in run(url, *words, "--text", "a").stdout


def test_submit_req_is_what_is_sent() -> None:
    """The options of the command are fields of the message, so that none is lost on the way."""
    fields = {"to", "cc", "bcc", "subject", "delivery_report", "read_reply", "expiry_date", "priority", "service_code"}
    assert fields <= set(SubmitReq.__dataclass_fields__)
    options = {parameter.name for parameter in send.command.params}
    assert fields - {"expiry_date"} | {"expiry"} <= options


@pytest.mark.parametrize("words", [(), ("--text", ""), ("FILE",), ("--text", "", "FILE")], ids=" ".join)
def test_empty_message(words: tuple[str, ...], url: str, tmp_path: Path) -> None:
    """A message without content is sent, and both forms of the output say that it had none."""
    (tmp_path / "empty.txt").touch()
    given = [str(tmp_path / "empty.txt") if one == "FILE" else one for one in words]
    common = (url, *given, "--auth", AUTH, "--vaspid", "FERRY", "--to", "+61400")
    plain = run(*common)
    assert plain.exit_code == 0
    assert "noticed         sem/content-empty at /Envelope/Body/SubmitReq/Content" in plain.output
    [found] = json.loads(run(*common, "--json").output)["findings"]
    assert found.startswith("sem/content-empty")


# --- what is shown, and what would be sent ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], None),
        (["--auth", "we:p:w"], "Basic d2U6cDp3"),
        (["--bearer", "KEY-1"], "Bearer KEY-1"),
    ],
)
def test_what_is_shown(words: list[str], shown: str | None) -> None:
    """Name and password, an API key, or nothing; and the header fields that were given."""
    with FarSide(proper) as far:
        done = run(far.url, "--to", "1", "--text", "a", "--header", "X-Carrier: 7", "--header", "X-Other:a:b", *words)
    assert done.exit_code == 0, done.output
    [request] = far.requests
    assert request.header("Authorization") == shown
    assert (request.header("X-Carrier"), request.header("X-Other")) == ("7", "a:b")


def test_bearer_in_the_environment() -> None:
    """A key need not stand in the list of processes."""
    with FarSide(proper) as far:
        assert run(far.url, "--to", "1", "--text", "a", env={"MM7ZEEP_SEND_BEARER": "KEY-2"}).exit_code == 0
    assert far.requests[0].header("Authorization") == "Bearer KEY-2"


def test_digest_is_all_that_is_shown() -> None:
    """With --digest nothing is shown before the challenge, and never the password."""
    challenge = 'Digest realm="mm7", nonce="n", qop="auth", algorithm=SHA-256'

    def answer(request: Request) -> Steps:
        return proper(request) if request.header("Authorization") else [http(401, b"", WWW_Authenticate=challenge)]

    with FarSide(answer, answer) as far:
        done = run(far.url, "--to", "1", "--text", "a", "--auth", "we:word", "--digest")
    assert done.exit_code == 0, done.output
    first, second = (request.header("Authorization") for request in far.requests)
    assert first is None
    assert (second or "").startswith('Digest username="we"')


def test_timeout() -> None:
    """The whole exchange takes no longer than was said."""
    since = time.monotonic()
    with peer(lambda connection: time.sleep(3)) as url:
        done = run(url, "--to", "1", "--text", "a", "--timeout", "0.5")
    assert done.exit_code == 3
    assert time.monotonic() - since < 10


@pytest.mark.parametrize("to", [["+61400"], ["+61400", "+61401"]], ids=["one", "split"])
def test_dry_run(tmp_path: Path, to: list[str]) -> None:
    """What would go out is written and nothing sent: every request, whole, and without the credentials."""
    picture = tmp_path / "a.png"
    picture.write_bytes(saturn_png())
    recipients = [word for one in to for word in ("--to", one)]
    given = [*recipients, "--text", "hello", picture, "--auth", "we:word", "--header", "X-Api-Key: quiet"]
    done = run("http://127.0.0.1:1/mm7?key=quiet", *given, "--profile", "optus", "--vaspid", "TNN", "--dry-run")
    assert done.exit_code == 0, done.output
    written = tmp_path / "out.http"
    written.write_bytes(done.stdout_bytes)
    for secret in (b"quiet", b"d2U6d29yZA", b"word"):
        assert secret not in done.stdout_bytes
    checked = CliRunner().invoke(main, ["check", str(written), "--format", "json"])
    assert checked.exit_code == 0, checked.output
    found = json.loads(checked.stdout)["files"]
    assert [one["fields"]["recipients"]["to"] for one in found] == [[one] for one in to]
    assert {one["operation"] for one in found} == {"SubmitReq"}
    assert all(len(one["parts"]) >= 2 for one in found)
    assert done.stdout_bytes.count(saturn_png()) == len(to)


def test_what_exceeds_a_limit_is_no_wrong_usage() -> None:
    """It is said to be not sent, without the usage of the command; JSON is printed as of any other outcome."""
    words = ["http://127.0.0.1:1/mm7", "--to", "1", "--subject", "s" * 90, "--profile", "sinch"]
    text, data = run(*words), run(*words, "--json")
    said = "the subject has 90 characters; sinch takes 80. Make it shorter"
    assert (text.exit_code, text.stdout, text.stderr) == (2, "", f"mm7zeep send: not sent: {said}\n")
    told = json.loads(data.stdout)
    assert (data.exit_code, told["error"], told["maybe_accepted"]) == (2, said, False)


def test_dry_run_of_what_cannot_be_sent() -> None:
    """It refuses what would be refused."""
    done = run("http://127.0.0.1:1/mm7", "--to", "1", "--subject", "s" * 90, "--profile", "sinch", "--dry-run")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "90 characters; sinch takes 80" in done.stderr


# --- a TransactionID of one's own -------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["option", "variable"])
def test_transaction_id(given: str) -> None:
    """It goes out as it was given, each time; so a request that got no answer is sent again as the same."""
    words = ["send", "--vaspid", "FERRY", "--to", "+61491570156", "--text", "a", "--text", "b"]
    env = {"MM7ZEEP_SEND_TRANSACTION_ID": "tide 7"} if given == "variable" else {}
    words += ["--transaction-id", "tide 7"] if given == "option" else []
    with FarSide(proper) as far:
        for _ in range(2):
            done = CliRunner(env=env).invoke(main, [*words, far.url])
            assert done.exit_code == 0, done.output
            assert "transaction id  tide 7" in done.stdout
        first, second = far.requests
    assert first.transaction_id == second.transaction_id == "tide 7"


def test_transaction_id_of_a_repeat(tmp_path: Path) -> None:
    """A gateway answers the same command under the same id as the first time, and keeps the message once; another
    message under that id is another one.
    """
    with rooms(tmp_path) as room, serve_in_thread(room().gateway.asgi) as base:
        words = ["send", f"{base}/mm7", "--auth", "tnn:t", "--vaspid", "TNN", "--vasid", "News", "--json"]
        words += ["--to", "+61491570156", "--transaction-id", "tide-7", "--expiry", "2d", "--text", "a", "--text"]
        ids = [json.loads(CliRunner().invoke(main, [*words, last]).stdout)["message_id"] for last in ("b", "b", "c")]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("id", "words", "said"),
    [
        ("", (), "the TransactionID is empty"),
        ("a\nb", (), "holds what is no printable character"),
        (
            "a",
            ("--profile", "optus", "--to", "+61491570157"),
            "a split submit makes a TransactionID for each recipient",
        ),
    ],
)
def test_transaction_id_that_cannot_be_used(id: str, words: tuple[str, ...], said: str) -> None:
    """It is told before anything is sent."""
    with FarSide(proper) as far:
        given = [
            "send",
            far.url,
            "--vaspid",
            "F",
            "--to",
            "+61491570156",
            "--text",
            "a",
            "--transaction-id",
            id,
            *words,
        ]
        done = CliRunner().invoke(main, given)
        assert far.requests == []
    assert done.exit_code == 2
    assert said in done.stderr
