"""``mm7zeep trigger``: what it asks of the gateway's API, what it says about the answer, and how it ends."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner, Result

from mm7zeep.cli import main, trigger
from mm7zeep.gateway.config.handset import Outcome
from mm7zeep.samples import saturn_png

AUTH = "operator:a:quiet wörd"


@dataclass
class Api:
    """An API that answers what it is told to, and what it was asked."""

    url: str = ""
    status: int = 202
    answer: bytes = b'{"id": "abc", "callback": 7}'
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    """An API on this machine."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            api.asked.append((self.path, dict(self.headers), json.loads(content)))
            self.send_response(api.status)
            for name, value in {**api.headers, "Content-Length": str(len(api.answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(api.answer)

        def log_message(self, format: str, *args: object) -> None:
            assert "quiet" not in format % args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield api
        server.shutdown()
        thread.join()


def run(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["trigger", *map(str, words)], env=env)


def test_deliver(api: Api, tmp_path: Path) -> None:
    """Every option arrives; files go along octet by octet, with the type that their content has."""
    picture = tmp_path / "saturn.jpg"
    picture.write_bytes(saturn_png())
    words = ["--application", "tnn", "--from", "+61412345678", "--to", "111122", "--subject", "Grüße"]
    words += ["--text", "one", "--text", "two", "--admin", f"{api.url}/", "--auth", AUTH]
    done = run("deliver", picture, *words)
    assert done.exit_code == 0, done.output
    assert done.stdout == "accepted\n  id              abc\n  callback        7\n"
    [(path, headers, body)] = api.asked
    assert path == "/api/v1/deliver"
    assert headers["Authorization"] == "Basic " + base64.b64encode(AUTH.encode()).decode()
    assert headers["Content-Type"] == "application/json"
    data = base64.b64encode(saturn_png()).decode()
    assert body == {
        "application": "tnn", "from": "+61412345678", "to": "111122", "subject": "Grüße", "text": ["one", "two"],
        "parts": [{"content_type": "image/png", "name": "saturn.jpg", "data": data}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("octets", "charset", "kind"),
    [
        ("Größe".encode(), None, "text/plain; charset=utf-8"),
        ("Größe".encode("utf-16"), None, "text/plain; charset=utf-16"),
        ("Größe".encode("latin-1"), "latin1", "text/plain; charset=iso-8859-1"),
        ("Größe".encode("latin-1"), None, None),
        ("Größe".encode("latin-1"), "utf-8", None),
    ],
)
def test_texts_are_labelled(api: Api, tmp_path: Path, octets: bytes, charset: str | None, kind: str | None) -> None:
    """A text file goes along with what it is in; where nobody says that, nothing is asked of the gateway."""
    note = tmp_path / "note.txt"
    note.write_bytes(octets)
    words = ["--application", "tnn", "--from", "1", "--admin", api.url, *(["--charset", charset] if charset else [])]
    done = run("deliver", note, *words)
    if kind is None:
        assert (done.exit_code, api.asked) == (2, [])
        assert "charset" in done.output
        return
    assert done.exit_code == 0, done.output
    [(_, _, body)] = api.asked
    assert body["parts"] == [{"content_type": kind, "name": "note.txt", "data": base64.b64encode(octets).decode()}]


def test_deliver_without_more(api: Api) -> None:
    """What nobody set is not sent, and nothing of the environment but our own variables counts."""
    env = {"MM7ZEEP_TRIGGER_ADMIN": api.url, "MM7ZEEP_TRIGGER_AUTH": AUTH, "http_proxy": "http://127.0.0.1:1"}
    done = run("deliver", "--application", "tnn", "--from", "1", "--json", env=env)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"id": "abc", "callback": 7}
    [(_, headers, body)] = api.asked
    assert body == {"application": "tnn", "from": "1"}
    assert "Authorization" in headers


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["report", "abc"], "abc/report", {"status": "Retrieved"}),
        (
            ["report", "abc", "--recipient", "+1", "--status", "Expired", "--text", "too late"],
            "abc/report",
            {"recipient": "+1", "status": "Expired", "text": "too late"},
        ),
        (["report", "../a/b?c"], "..%2Fa%2Fb%3Fc/report", {"status": "Retrieved"}),
        (["read-reply", "abc"], "abc/read", {"status": "Read"}),
        (
            ["read-reply", "abc", "--recipient", "+1", "--status", "Deleted"],
            "abc/read",
            {"recipient": "+1", "status": "Deleted"},
        ),
    ],
)
def test_reports(api: Api, words: list[str], path: str, body: dict[str, str]) -> None:
    """A report and a read reply name the message in the path, whatever it is called, and say what they have to."""
    api.answer = b'{"callback": 7}'
    done = run(*words, "--admin", api.url)
    assert done.exit_code == 0, done.output
    [(asked, headers, said)] = api.asked
    assert (asked, said) == (f"/api/v1/messages/{path}", body)
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("status", "answer", "code", "said"),
    [
        (404, b'{"error": "there is no message abc"}', 1, "refused with 404: there is no message abc"),
        (404, b"<html>", 3, "answered 404: there is no such API here; --admin names the gateway's admin listener"),
        (422, b'{"error": "a\\r\\n\\u001b[2J"}', 1, r"refused with 422: a\x0d\x0a\x1b[2J"),
        (400, b"[1]", 1, "refused with 400: no reason given"),
        (401, b"no", 1, "refused with 401: authentication required; give USER:PASS in MM7ZEEP_TRIGGER_AUTH, which no"),
        (500, b'{"error": "x"}', 3, "answered 500, which is no answer of the gateway's API"),
        (200, b"<html>", 3, "answered 200, which is no answer of the gateway's API"),
        (200, b"[]", 3, "answered 200, which is no answer of the gateway's API"),
        (307, b"{}", 3, "answered 307, which is no answer of the gateway's API"),
    ],
)
def test_not_taken(api: Api, status: int, answer: bytes, code: int, said: str) -> None:
    """A refusal ends with 1 and its reason on one line, everything else with 3; nothing is asked twice."""
    api.status, api.answer, api.headers = status, answer, {"Location": f"{api.url}/elsewhere"}
    done = run("report", "abc", "--admin", api.url, "--auth", AUTH)
    assert (done.exit_code, done.stdout, len(api.asked)) == (code, "", 1)
    assert done.stderr.startswith("mm7zeep trigger: ")
    assert said in done.stderr
    assert "quiet" not in done.output


def test_nobody_there() -> None:
    """No connection ends with 3."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = run("read-reply", "abc", "--admin", url)
    assert done.exit_code == 3
    assert done.stderr.startswith(f"mm7zeep trigger: {url} did not answer: ")
    assert "nothing listens there" in done.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["deliver", "--from", "1"], "--application"),
        (["deliver", "--application", "a"], "--from"),
        (["deliver", "--application", "a", "--from", "1", "missing.gif"], "does not exist"),
        (["report"], "MESSAGE_ID"),
        (["report", "abc", "--status", "Lost"], "'Lost' is not one of"),
        (["read-reply", "abc", "--status", "Retrieved"], "'Retrieved' is not one of"),
        (["report", "abc", "--auth", "quietword"], "USER:PASS"),
        (["report", "abc", "--admin", "127.0.0.1:8008"], "give a URL like"),
        (["report", "abc", "--admin", "http://us:quietword@127.0.0.1:8008"], "give a URL like"),
        (["report", "abc", "--admin", "http://127.0.0.1:port"], "give a URL like"),
        (["nonsense"], "No such command"),
        ([], ""),
    ],
)
def test_wrong_usage(words: list[str], reason: str) -> None:
    """What cannot be asked ends with 2 and the reason, and repeats no credential."""
    done = run(*words)
    assert (done.exit_code, reason in done.stderr) == (2, True), done.output
    assert "quietword" not in done.output


def test_help() -> None:
    """The command is called so and explains itself, as do its three commands."""
    assert trigger.command.name == "trigger"
    assert list(trigger.command.commands) == ["deliver", "report", "read-reply"]
    assert "Options:" in run("-h").output
    assert all("--admin URL" in run(name, "-h").output for name in trigger.command.commands)


def test_statuses() -> None:
    """A report may say what a handset may end in."""
    assert set(trigger.STATUSES) == set(get_args(Outcome))


def test_lists_are_told_in_words(api: Api) -> None:
    """Several recipients stand on one line, with commas between them."""
    api.answer = b'{"id": "abc", "status": "Expired", "recipients": ["+61400", "+61411"]}'
    done = run("report", "abc", "--admin", api.url)
    assert done.stdout.endswith("  recipients      +61400, +61411\n")
