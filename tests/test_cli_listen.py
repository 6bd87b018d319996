"""``mm7zeep listen``: one JSON line per message, parts under names of ours, a webhook before the acknowledgement."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import captures
import pytest
from click.testing import CliRunner

from mm7zeep import exchange
from mm7zeep.cli import admin_api, listen, main
from mm7zeep.cli.listen import Sink, register
from mm7zeep.exchange import Wire
from mm7zeep.messages import (
    DeliverReq,
    DeliveryReportReq,
    Number,
    Part,
    PreviouslySent,
    ReadReplyReq,
    RFC2822Address,
    ShortCode,
    SubmitReq,
)
from mm7zeep.receiver import Receiver
from mm7zeep.samples import saturn_png

START = "from mm7zeep.cli import main; main(prog_name='mm7zeep')"
PICTURE = Part(body=saturn_png(), content_type="image/png", name="../../etc/passwd", content_id="p@ferry.example")
MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)
PHONE, CODE = Number("+4930123456"), ShortCode("111")
CONTENT = (captures.TEXT, PICTURE)
MO = DeliverReq(sender=PHONE, to=(CODE,), subject="Re", time_stamp=MOMENT, linked_id="l-1", parts=CONTENT)
REPORT = DeliveryReportReq(message_id="m-1", recipient=PHONE, sender=CODE, date=MOMENT, mm_status="Retrieved")
READ = ReadReplyReq(message_id="m-1", recipient=PHONE, sender=CODE, time_stamp=MOMENT, mm_status="Read")


class Desk:
    """A receiver whose lines are kept."""

    def __init__(self, **options: Any) -> None:
        self.lines: list[dict[str, Any]] = []
        self.receiver = Receiver()
        register(self.receiver, Sink(print_line=lambda line: self.lines.append(json.loads(line)), **options))

    def take(self, message: Any) -> Wire:
        """Answer one message."""
        packed = exchange.pack(message, transaction_id="t-1")
        return self.receiver.answer(replace(packed, body=packed.read()))


def accepted(answer: Wire) -> bool:
    """Whether an answer says 1000."""
    return answer.status == 200 and b">1000<" in answer.read()


def test_lines() -> None:
    """Each kind of message is one line with its fields, parts without their content."""
    desk = Desk()
    assert all(accepted(desk.take(message)) for message in (MO, REPORT, READ))
    mo, report, read = desk.lines
    assert [line["type"] for line in desk.lines] == ["Deliver", "DeliveryReport", "ReadReply"]
    assert (mo["sender"], mo["to"], mo["subject"], mo["linked_id"]) == ("+4930123456", ["111"], "Re", "l-1")
    assert (mo["transaction_id"], mo["time_stamp"]) == ("t-1", "2026-05-01T12:00:00+00:00")
    assert [part["content_type"] for part in mo["parts"]] == ["application/smil", "text/plain", "image/png"]
    assert mo["parts"][2]["sha256"] == PICTURE.sha256()
    assert "data" not in mo["parts"][2]
    assert (report["message_id"], report["mm_status"], report["parts"]) == ("m-1", "Retrieved", [])
    assert (read["mm_status"], read["recipient"]) == ("Read", "+4930123456")


def test_what_addresses_carry() -> None:
    """Besides its value, an address may carry a coding, an id, and that it is only shown: told where it does."""
    desk = Desk()
    coded = Number("q7Zr==", coding="encrypted", id="a")
    earlier = (PreviouslySent(sequence=1, address=RFC2822Address("x", coding="obfuscated")),)
    assert accepted(desk.take(replace(MO, sender=coded, previously_sent=earlier)))
    assert accepted(desk.take(replace(REPORT, recipient=coded)))
    assert accepted(desk.take(MO))
    plain = {"kind": "Number", "value": "q7Zr==", "display_only": False, "coding": "encrypted", "id": "a"}
    mail = {"kind": "RFC2822Address", "value": "x", "display_only": False, "coding": "obfuscated", "id": None}
    assert [line["addresses"] for line in desk.lines] == [
        [{"field": "sender", **plain}, {"field": "previously_sent", **mail}],
        [{"field": "recipient", **plain}],
        [],
    ]


def test_lines_steer_no_terminal() -> None:
    """Control characters and marks of direction in a subject are escaped, and mean the same."""
    lines: list[str] = []
    receiver = Receiver()
    register(receiver, Sink(print_line=lines.append))
    packed = exchange.pack(replace(MO, subject="a\u009b31m\u202eb"), transaction_id="t-1")
    assert accepted(receiver.answer(replace(packed, body=packed.read())))
    assert "\\u009b31m\\u202e" in lines[0]
    assert json.loads(lines[0])["subject"] == "a\u009b31m\u202eb"


def test_saved_parts_have_names_of_ours(tmp_path: Path) -> None:
    """Nothing of a sender's name becomes a path, and what was saved is what was sent."""
    desk = Desk(save=tmp_path)
    assert accepted(desk.take(MO))
    assert accepted(desk.take(MO))
    saved = [Path(part["file"]) for line in desk.lines for part in line["parts"]]
    assert len(saved) == len(set(saved)) == 6
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(saved)
    assert [path.name for path in saved[:3]] == ["part-001.smil", "part-002.txt", "part-003.png"]
    assert saved[2].read_bytes() == PICTURE.read()
    assert desk.lines[0]["parts"][2]["name"] == "../../etc/passwd"


def test_what_cannot_be_saved_is_not_acknowledged(tmp_path: Path) -> None:
    """A message whose parts cannot be written is refused, so that it is sent again, and no line is printed."""
    (tmp_path / "file").write_text("")
    desk = Desk(save=tmp_path / "file")
    answer = desk.take(MO)
    assert (answer.status, b">3000<" in answer.read(), desk.lines) == (500, True, [])


@contextmanager
def nearly_full(octets: int) -> Iterator[None]:
    """No file can be longer, as on a full disk; Python ignores the signal that says so."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Where the last part no longer fits, neither a file nor a folder stays, and nothing is acknowledged."""
    large = replace(MO, parts=(*MO.parts, Part(body=b"x" * 250_000, content_type="image/png", content_id="big")))
    desk = Desk(save=tmp_path)
    with nearly_full(200_000):
        answer = desk.take(large)
    assert (answer.status, desk.lines) == (500, [])
    assert list(tmp_path.rglob("*")) == []
    assert accepted(desk.take(large))
    with nearly_full(200_000), pytest.raises(OSError, match="too large"):
        large.parts[-1].save(tmp_path / "part")
    assert not (tmp_path / "part").exists()


def told(*messages: Any, **options: Any) -> list[str]:
    """What people are shown of these messages."""
    texts: list[str] = []
    receiver = Receiver()
    register(receiver, Sink(print_line=texts.append, as_json=False, **options))
    for message in messages:
        packed = exchange.pack(message, transaction_id="t-1")
        assert accepted(receiver.answer(replace(packed, body=packed.read())))
    return texts


def test_people_see_texts_sizes_and_places(tmp_path: Path) -> None:
    """Who to whom, what the texts say, how large the parts are and where they went."""
    [text] = told(MO, save=tmp_path)
    [folder] = tmp_path.iterdir()
    first, *lines = text.splitlines()
    assert re.fullmatch(r"message \(MO\)  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first)
    presentation = admin_api.size((folder / "part-001.smil").stat().st_size)
    assert lines == [
        "  sender          +4930123456",
        "  to              111",
        "  subject         Re",
        "  linked id       l-1",
        "  transaction id  t-1",
        f"  application/smil  {presentation}  -> {folder / 'part-001.smil'}",
        f"  text/plain      {captures.TEXT.size} B  -> {folder / 'part-002.txt'}",
        *[f"    | {line}" for line in captures.TEXT.text().splitlines()],
        f"  image/png       2 kB  ../../etc/passwd  -> {folder / 'part-003.png'}",
    ]


def test_people_see_reports(hook: Any) -> None:
    """A report and a read reply say of which message, whose copy, and what became of it; the webhook is named."""
    report, read = told(REPORT, READ, forward_to=f"http://127.0.0.1:{hook.server_port}/in?token=quiet")
    for text, kind, state in ((report, "delivery report", "Retrieved"), (read, "read reply", "Read")):
        assert text.startswith(f"{kind}  2")
        assert f"\n  recipient       +4930123456\n  mm status       {state}\n  message id      m-1\n" in text
        assert text.endswith(f"\n  forwarded to    http://127.0.0.1:{hook.server_port}/in?token=***")


def test_people_see_the_beginning_of_long_texts() -> None:
    """Twenty lines of 200 characters; a longer text is not read; nothing steers the terminal."""
    long = Part(body=b"\x1b[2J" + b"x" * 300 + b"\nline" * 30, content_type="text/plain", content_id="a@x")
    huge = Part(body=b"y" * 70_000, content_type="text/plain", content_id="b@x")
    [text] = told(replace(MO, subject="a\u202eb", parts=(long, huge)))
    shown = [line for line in text.splitlines() if line.startswith("    | ")]
    assert shown[0] == "    | \\x1b[2J" + "x" * 193 + "..."
    assert (len(shown), shown[-1]) == (21, "    | ... 11 more lines")
    assert "  subject         a\\u202eb" in text.splitlines()


class Hook(BaseHTTPRequestHandler):
    """A webhook that keeps what it gets and answers as told."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(self.server.code)  # type: ignore[attr-defined]
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Any]:
    """A webhook on loopback; ``got`` is what came, ``code`` what it answers."""
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.got, server.code = [], 200  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_webhook_gets_the_parts(hook: Any) -> None:
    """The webhook gets the line and the content of the parts."""
    desk = Desk(forward_to=f"http://127.0.0.1:{hook.server_port}/in")
    assert accepted(desk.take(MO))
    [got] = hook.got
    assert base64.b64decode(got["parts"][2].pop("data")) == PICTURE.read()
    assert got["subject"] == "Re"
    assert len(desk.lines) == 1


@pytest.mark.parametrize("code", [500, 404, 302])
def test_webhook_that_refuses(hook: Any, code: int) -> None:
    """What the webhook did not take is answered 4006, so that the MMSC sends it again; a redirect is no success."""
    hook.code = code
    desk = Desk(forward_to=f"http://127.0.0.1:{hook.server_port}/in")
    answer = desk.take(REPORT)
    assert b">4006<" in answer.read()
    assert (len(hook.got), desk.lines) == (1, [])


def test_webhook_that_is_not_there() -> None:
    """So is what no webhook answered."""
    desk = Desk(forward_to="http://127.0.0.1:9/in")
    assert b">4006<" in desk.take(REPORT).read()


def refusals(capsys: pytest.CaptureFixture[str], receiver: Receiver, *wires: Wire) -> list[str]:
    """What the command prints on standard error while its receiver answers these."""
    with listen.refusals_told():
        for wire in wires:
            receiver.answer(wire, peer="192.0.2.7")
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


def test_refused_message_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A message that is refused is a line on standard error: from whom, which finding or error, what was answered."""
    packed = exchange.pack(MO, transaction_id="t-1")
    whole = replace(packed, body=packed.read())
    broken = replace(whole, body=packed.read().replace(b"</", b"<!", 1))
    submit = exchange.pack(SubmitReq(vaspid="v", to=(Number("+49301"),), parts=(captures.TEXT,)))
    [unread, unserved, unwanted] = refusals(
        capsys, Desk().receiver, broken, replace(submit, body=submit.read()), replace(whole, method="GET"), whole
    )
    assert re.fullmatch(
        r"mm7zeep listen: refused a request of 192\.0\.2\.7: EnvelopeError: .*xml/well-formed.*; "
        r"answered HTTP 500, StatusCode \d{4}",
        unread,
    )
    said = "refused SubmitReq of 192.0.2.7: EnvelopeError: SubmitReq is not served here"
    assert unserved == f"mm7zeep listen: {said}; answered HTTP 500, StatusCode 4003"
    assert unwanted == "mm7zeep listen: refused a request of 192.0.2.7: MM7 requests are POST; answered HTTP 405"


def test_failed_message_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, hook: Any) -> None:
    """So is one that could not be saved or handed on, with the reason on the same line."""
    packed = exchange.pack(MO, transaction_id="t-1")
    whole = replace(packed, body=packed.read())
    (tmp_path / "file").write_text("")
    [unsaved] = refusals(capsys, Desk(save=tmp_path / "file").receiver, whole)
    assert unsaved.startswith("mm7zeep listen: answering DeliverReq failed: NotADirectoryError: [Errno 20] ")
    assert unsaved.endswith("; from 192.0.2.7; answered HTTP 500, StatusCode 3000")
    hook.code = 500
    lines = refusals(capsys, Desk(forward_to=f"http://127.0.0.1:{hook.server_port}/in").receiver, whole)
    assert lines == [
        "mm7zeep listen: the webhook answered 500",
        "mm7zeep listen: refused DeliverReq of 192.0.2.7: 4006 the message could not be handed on; "
        "answered HTTP 200, StatusCode 4006",
    ]


def test_flood_is_told_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    """Who is not let in is named; a thousand of his guesses are one line."""
    receiver = Receiver(auth={"mmsc": "quiet"})
    guess = Wire(headers=(("Authorization", "Basic " + base64.b64encode(b"m\x1b:secret").decode()),), body=b"")
    begun = time.monotonic()
    lines = refusals(capsys, receiver, *[guess] * 200)
    assert 1 <= len(lines) <= 1 + int(time.monotonic() - begun)
    said = r"refused a request of 192.0.2.7 as 'm\x1b': authentication required"
    assert lines[0] == f"mm7zeep listen: {said}; answered HTTP 401"


def test_over_http(tmp_path: Path) -> None:
    """The command itself: it listens, asks for credentials, prints a line, and ends in good order on a signal."""
    pytest.importorskip("uvicorn")
    import requests

    words = [sys.executable, "-u", "-c", START, "listen", "--bind", "127.0.0.1:0", "--save", str(tmp_path / "in")]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*words, "--auth", "mmsc:quiet", "--json"], **pipes) as process:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            found = re.match(r"listening on (http://127\.0\.0\.1:\d+)\n", process.stderr.readline())
            assert found is not None
            packed = exchange.pack(MO)
            body, headers = packed.read(), dict(packed.headers)
            with requests.Session() as session:
                session.trust_env = False
                refused = session.post(found[1], data=body, headers=headers, timeout=10)
                taken = session.post(found[1], data=body, headers=headers, auth=("mmsc", "quiet"), timeout=10)
            assert (refused.status_code, taken.status_code) == (401, 200)
            line = json.loads(process.stdout.readline())
            assert Path(line["parts"][2]["file"]).read_bytes() == PICTURE.read()
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            told = process.stderr.read()
            assert "refused a request of 127.0.0.1: authentication required; answered HTTP 401\n" in told
            assert "quiet" not in told
        finally:
            process.kill()


@pytest.mark.parametrize(
    "words",
    [
        ["--bind", "nowhere"],
        ["--bind", "a:99999"],
        ["--auth", "x"],
        ["--profile", "nobody"],
        ["--forward-to", "nowhere"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    """Wrong options end with 2."""
    pytest.importorskip("uvicorn")
    assert CliRunner().invoke(main, ["listen", *words]).exit_code == 2


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be made ends with 3 and is named, before anything listens."""
    pytest.importorskip("uvicorn")
    tmp_path.joinpath("file").write_bytes(b"")
    folder = tmp_path / "file" / "in"
    done = CliRunner().invoke(main, ["listen", "--bind", "127.0.0.1:0", "--save", str(folder)])
    assert done.exit_code == 3
    assert done.stderr.startswith(f"mm7zeep listen: {folder}: ")


def test_address_that_cannot_be_bound() -> None:
    """An address that is taken ends with 3 and is named."""
    pytest.importorskip("uvicorn")
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        done = CliRunner().invoke(main, ["listen", "--bind", f"127.0.0.1:{server.server_port}"])
    assert done.exit_code == 3
    assert f"127.0.0.1:{server.server_port}: " in done.stderr


def test_missing_extra_is_named() -> None:
    """Without the HTTP server the extra to install is named, and the end is 3."""
    code = f"import sys; sys.modules['uvicorn'] = None; {START}"
    done = subprocess.run(
        [sys.executable, "-c", code, "listen"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3
    assert 'uvicorn is not installed; pip install "mm7zeep[gateway]"' in done.stderr
