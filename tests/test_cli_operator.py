"""The commands that look into a gateway, or make keys of it, against one that runs in this process."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from click.testing import CliRunner, Result
from gateway_room import CALLED, OTHER, SUBMIT, Room

from mm7zeep.cli import main, messages, opt_outs
from mm7zeep.errors import AuthError, TransportError
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.server.listener import serve_in_thread

ASKING = [("messages",), ("show", "x"), ("callbacks",), ("replay", "1"), ("keys",), ("opt-outs",)]


@dataclass
class Desk:
    """A gateway, and where its admin listener stands."""

    room: Room
    url: str

    def run(self, *words: str) -> Result:
        """Run a command that asks it."""
        return CliRunner().invoke(main, [*words, "--admin", self.url])

    def lines(self, *words: str) -> list[str]:
        """What a command says."""
        done = self.run(*words)
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A gateway with an admin listener."""
    room = Room(tmp_path)
    with serve_in_thread(admin_app(room.gateway)) as url:
        yield Desk(room, url.rstrip("/"))
    room.gateway.close()


def test_messages(desk: Desk) -> None:
    """A line a message, the newest last: when, id, application, from whom to whom, state, size, subject."""
    first = desk.room.submitted()
    desk.room.gateway.simulator.send_mo("tnn", "+61400", "111122", "Re: s")
    lines = desk.lines("messages")
    assert [line.split()[1:] for line in lines] == [
        [first, "tnn", "-", ">", "+61400", "(+1)", "Pending", "5", "B", "s"],
        [lines[1].split()[1], "tnn", "+61400", "<", "111122", "Pending", "0", "B", "Re:", "s"],
    ]
    assert len({line.index("Pending") for line in lines}) == 1
    assert len(desk.lines("messages", "--direction", "mt")) == 1
    assert len(desk.lines("messages", "--to", "+61411", "--state", "pending", "--search", "s")) == 1
    assert desk.lines("messages", "--application", "other") == []
    [said] = desk.lines("messages", "--json", "-n", "1")
    assert json.loads(said)["subject"] == "Re: s"


def test_planned_messages(desk: Desk) -> None:
    """What a handset is yet to send is listed and shown with its time."""
    mo = {"application": "tnn", "from": "+61499", "text": "hi", "at": "2026-03-02T08:00:00Z"}
    assert requests.post(f"{desk.url}/api/v1/deliver", json=mo, timeout=10).status_code == 202
    [line] = desk.lines("messages")
    assert "+61499 < 111122  Planned for 2026-03-02T08:00:00.000Z  2 B" in line
    text = "\n".join(desk.lines("show", "latest"))
    assert re.search("^state +Planned for 2026-03-02T08:00:00.000Z$", text, re.MULTILINE)
    assert "\nrecipients\n  to  111122  Pending  next 2026-03-02T08:00:00.000Z" in text


def test_more_than_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for come, page by page."""
    monkeypatch.setattr(messages, "_PAGE", 3)
    ids = [desk.room.submitted(transaction_id=f"t{n}") for n in range(8)]
    assert [line.split()[1] for line in desk.lines("messages", "-n", "7")] == ids[1:]
    assert [line.split()[1] for line in desk.lines("messages")] == ids


def test_followed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --follow what comes is told once, in its order, until Ctrl-C ends it quietly."""
    desk.room.submitted(transaction_id="t")
    monkeypatch.setattr(messages, "_LOOK", 0.05)
    looks = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            for n in range(3):
                desk.room.submitted(transaction_id=f"t{n}")
        if len(looks) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(messages.time, "sleep", pause)
    done = desk.run("messages", "--follow", "--json")
    told = [json.loads(line)["transaction_id"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert told == ["t", "t0", "t1", "t2"]
    assert (done.exit_code, done.stderr, len(done.stdout.splitlines())) == (0, "", 4)


def test_show(desk: Desk) -> None:
    """All that is known of a message: its head, copies, parts, calls and findings."""
    id = desk.room.submitted(SUBMIT, transaction_id="ours")
    desk.room.gateway.simulator.report(id, "+61400", "Retrieved")
    text = "\n".join(desk.lines("show", id))
    assert desk.lines("show", "latest") == text.splitlines()
    head = dict(line.split(maxsplit=1) for line in text.partition("\n\n")[0].splitlines())
    assert (head["id"], head["direction"], head["subject"]) == (id, "MT, to handsets", "s")
    assert (head["transaction"], head["vaspid"]) == ("ours", "TNN")
    assert "\nrecipients\n  to  +61400  Retrieved  2026-03-01T12:00:00.000Z\n  to  +61411  Pending" in text
    assert "\nparts\n  0  text/plain  5 B  t@x  sha256 2cf24dba5fb0a30e\n" in text
    assert "\ncalls\n  1  report  ready  0 attempts  next 2026-03-01T12:00:00.000Z  http://tnn/dlr" in text
    [said] = desk.lines("show", id, "--json")
    assert json.loads(said)["fields"]["vaspid"] == "TNN"
    gone = desk.run("show", "nobody")
    assert (gone.exit_code, gone.stderr.startswith("mm7zeep show: refused with 404: no message has that id")) == (
        1,
        True,
    )


def test_nothing_is_a_command_for_the_terminal(desk: Desk) -> None:
    """What a sender wrote does not reach the terminal as it is."""
    desk.room.gateway.simulator.send_mo("tnn", "+61400", "111122", "a\u202eb\u200b")
    for words in (("messages",), ("show", "latest")):
        said = desk.run(*words).stdout
        assert r"a\x202eb\x200b" in said
        assert said.replace("\n", "").isprintable()


def test_callbacks_and_replay(desk: Desk) -> None:
    """Calls are listed with what became of them; what was given up is made again, one or many."""
    desk.room.calls.refuse = TransportError("no", maybe_accepted=False, http_status=404)
    for _ in range(2):
        desk.room.gateway.simulator.send_mo("tnn", "+61400", "111122")
    desk.room.gateway.run_pending()
    lines = desk.lines("callbacks", "--state", "dead")
    assert [line.split()[:6] for line in lines] == [[n, "deliver", "dead", "tnn", "1", "attempt"] for n in ("1", "2")]
    assert lines[0].endswith("http://tnn/mo  404: TransportError: no")
    assert desk.lines("callbacks", "--application", "other") == []
    assert desk.lines("replay", "1") == ["1 call to be made again"]
    assert [line.split()[2] for line in desk.lines("callbacks")] == ["ready", "dead"]
    assert desk.lines("replay", "--endpoint", "http://tnn/mo", "--since", "2026-01-01T00:00:00Z") == [
        "1 call to be made again"
    ]
    desk.room.calls.refuse = None
    desk.room.gateway.run_pending()
    assert [json.loads(line)["state"] for line in desk.lines("callbacks", "--json")] == ["done", "done"]
    assert json.loads(desk.lines("replay", "--since", "2026-01-01", "--json")[0]) == {"replayed": 0}
    assert desk.run("replay", "99").exit_code == 1


def test_paused_endpoints_are_told(desk: Desk) -> None:
    """What waits for an endpoint that is paused is said to, on standard error."""
    desk.room.calls.refuse = AuthError("x", http_status=401)
    desk.room.gateway.simulator.send_mo("tnn", "+61400", "111122")
    desk.room.gateway.run_pending()
    done = desk.run("callbacks", "--state", "paused")
    assert done.exit_code == 0
    assert done.stderr.startswith("paused since 2026-03-01T12:00:00.000Z: http://tnn/mo (tnn): ")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("words", [(), ("7", "--since", "2026-01-01"), ("0",), ("x",)])
def test_replay_of_what(desk: Desk, words: tuple[str, ...]) -> None:
    """One call, or those of an endpoint or a time; nothing else is asked for."""
    assert desk.run("replay", *words).exit_code == 2


def test_opt_outs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has opted out is listed, the newest last; one is added, or removed as by a START."""
    monkeypatch.setattr(opt_outs, "_PAGE", 2)
    room = Room(tmp_path, replace(CALLED, opt_out=OptOut()), OTHER)
    with serve_in_thread(admin_app(room.gateway)) as url:
        desk = Desk(room, url.rstrip("/"))
        assert desk.lines("opt-outs") == []
        for n in range(4):
            room.gateway.simulator.send_mo("tnn", f"+6140{n}", "111122", "Stop!")
        when = "2026-03-01T12:00:00.000Z"
        assert desk.lines("opt-outs", "add", "111122", "+61499") == [
            f"{when}  tnn  111122  61499  added by an operator"
        ]
        assert desk.lines("opt-outs") == [
            *(f"{when}  tnn  111122  6140{n}  Stop!" for n in range(4)),
            f"{when}  tnn  111122  61499  added by an operator",
        ]
        assert [json.loads(line)["id"] for line in desk.lines("opt-outs", "--json", "-n", "3")] == [3, 4, 5]
        assert desk.lines("opt-outs", "--application", "other") == []
        assert desk.lines("opt-outs", "remove", "111122", "61400") == ["1 removed"]
        assert desk.lines("opt-outs", "add", "*", "61401", "--application", "tnn", "--json")[0].startswith('{"id":')
        assert desk.lines("opt-outs", "remove", "*", "61401", "--application", "tnn", "--json") == ['{"removed": 2}']
        gone = desk.run("opt-outs", "remove", "111122", "61400")
        assert (gone.exit_code, gone.stderr[:36]) == (1, "mm7zeep opt-outs: refused with 404: ")
        assert len(desk.lines("opt-outs")) == 3
    room.gateway.close()


@pytest.mark.parametrize("words", [("add",), ("remove", "111122"), ("change", "1", "2"), ("111122",)])
def test_opt_outs_of_whom(desk: Desk, words: tuple[str, ...]) -> None:
    """Both the number and the subscriber are needed."""
    assert desk.run("opt-outs", *words).exit_code == 2


@pytest.mark.parametrize("words", ASKING, ids=[words[0] for words in ASKING])
def test_nobody_there(words: tuple[str, ...]) -> None:
    """Where no gateway answers, that is said, and the exit status is 3."""
    done = CliRunner().invoke(main, [*words, "--admin", "http://127.0.0.1:9"])
    assert done.exit_code == 3
    assert done.stderr.startswith(f"mm7zeep {words[0]}: http://127.0.0.1:9 did not answer: ")
    assert "nothing listens there" in done.stderr


def test_certificate_of_ones_own(tmp_path: Path) -> None:
    """An admin listener behind TLS is asked by its own certificate, where that is named; else the fix is told."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"messages": [], "next": null}')

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            words = ["messages", "--admin", f"https://127.0.0.1:{server.server_port}"]
            taken = CliRunner().invoke(main, [*words, "--ca-file", str(tmp_path / "ca.pem")])
            refused = CliRunner().invoke(main, words)
            another = CliRunner().invoke(main, [*words, "--ca-file", str(tmp_path / "other.pem")])
            text = CliRunner().invoke(main, [*words, "--ca-file", __file__])
        finally:
            server.shutdown()
            thread.join()
    assert (taken.exit_code, taken.output) == (0, "")
    assert refused.exit_code == 3
    assert "--ca-file" in refused.stderr
    assert another.exit_code == 3
    assert f"is not in {str(tmp_path / 'other.pem')!r}, which was given" in another.stderr
    assert text.exit_code == 2
    assert "holds no certificate in PEM" in text.stderr


def test_keys(desk: Desk) -> None:
    """A key stands alone on standard output, so that it can be piped; the list has those that were revoked, too."""
    done = desk.run("keys", "add", "tnn", "--name", "a\u202eb")
    [key] = done.stdout.splitlines()
    assert key.startswith("mm7_")
    assert done.stderr == "key 1 of tnn: keep it now, it is not shown again\n"
    made = json.loads(desk.lines("keys", "add", "other", "--json")[0])
    [first, second] = desk.lines("keys")
    assert first == rf"1  tnn    {key[:8]}...  2026-03-01T12:00:00.000Z  in use  a\x202eb"
    assert second == f"2  other  {made['hint']}...  2026-03-01T12:00:00.000Z  in use"
    [gone] = desk.lines("keys", "revoke", "1")
    assert "revoked 2026-03-01T12:00:00.000Z" in gone
    assert desk.lines("keys")[0].split() == gone.split()
    assert [json.loads(line)["id"] for line in desk.lines("keys", "--json", "--application", "other")] == [2]
    assert [desk.run("keys", *words).exit_code for words in (("add",), ("revoke",), ("change", "1"))] == [2, 2, 2]
    assert desk.run("keys", "revoke", "9").exit_code == desk.run("keys", "add", "nobody").exit_code == 1


ROW = ("id", "accepted_at", "application", "direction", "from", "to", "cc", "bcc", "state", "size", "subject")
NOT_SO: Any = [
    (("messages",), []),
    (("messages",), {}),
    (("messages",), {"messages": []}),
    (("messages",), {"messages": None, "next": None}),
    (("messages",), {"messages": ["x"], "next": None}),
    (("messages",), {"messages": [dict.fromkeys(ROW[:-1])], "next": None}),
    (("messages", "--json"), {"messages": [{}], "next": None}),
    (("messages", "--follow"), {"messages": [{}], "next": None}),
    (("show", "x"), {}),
    (("show", "x", "--json"), {"id": "x"}),
    (("callbacks",), {"status": "ok"}),
    (("callbacks",), {"callbacks": [], "next": None}),
    (("callbacks",), {"callbacks": [{"id": 1}], "next": None}),
    (("replay", "1"), {"replayed": 1}),
    (("replay", "--since", "2026-01-01"), {"id": 1}),
    (("keys",), {"keys": [{"id": 1}]}),
    (("keys", "add", "tnn"), {"id": 1}),
    (("keys", "revoke", "1"), {"id": 1}),
    (("opt-outs",), {"opt_outs": []}),
    (("opt-outs",), {"opt_outs": [{"id": 1}], "next": None}),
    (("opt-outs", "add", "1", "2"), {"opt_outs": [{}]}),
    (("opt-outs", "remove", "1", "2"), {}),
]


@contextmanager
def elsewhere(status: int, body: bytes) -> Iterator[str]:
    """A web server that is no gateway's, and answers everything so; its address."""

    async def other(scope: Any, receive: Any, send: Any) -> None:
        length = str(len(body)).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": body})

    with serve_in_thread(other) as url:
        yield url.rstrip("/")


@pytest.mark.parametrize(("words", "answer"), NOT_SO, ids=[f"{words[0]}-{n}" for n, (words, _) in enumerate(NOT_SO)])
def test_what_is_no_api(words: tuple[str, ...], answer: Any) -> None:
    """An answer that is none of the API's, or lacks what its answers have, is called that."""
    with elsewhere(200, json.dumps(answer).encode()) as url:
        done = CliRunner().invoke(main, [*words, "--admin", url])
    assert done.exit_code == 3
    assert done.stderr == (f"mm7zeep {words[0]}: {url} answered 200, which is no answer of the gateway's API\n")


@pytest.mark.parametrize("body", [b"", b"<h1>Not Found</h1>", b"{}", b'{"detail": "Not Found"}', b'{"error": 404}'])
@pytest.mark.parametrize("words", ASKING, ids=[words[0] for words in ASKING])
def test_no_api_there(words: tuple[str, ...], body: bytes) -> None:
    """A 404 that does not come from the API is no word about a message: --admin leads elsewhere."""
    with elsewhere(404, body) as url:
        done = CliRunner().invoke(main, [*words, "--admin", url])
    assert done.exit_code == 3
    assert done.stderr == (
        f"mm7zeep {words[0]}: {url} answered 404: there is no such API here; "
        "--admin names the gateway's admin listener\n"
    )
