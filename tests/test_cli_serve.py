"""``mm7zeep serve``: what it says before it serves, and that it serves and ends as a new user would try it."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result
from gateway_process import as_a_new_user

from mm7zeep.cli import main

pytest.importorskip("uvicorn")
from mm7zeep.gateway.security.password_hash import parsed

CONFIG = """
[gateway]
mm7 = "127.0.0.1:0"
admin = "127.0.0.1:0"
allow_internal = true
database = "sqlite:///gateway.db"

[[application]]
name = "tnn"
password = "hunter2"
vaspid = "TNN"
"""


def run(*words: str | Path, text: str | None = None) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["serve", *map(str, words)], input=text)


def test_check_config(tmp_path: Path) -> None:
    """A configuration that can be used is told without its secrets, and nothing is started."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG)
    done = run("--config", file, "--check-config", "--workers", "3")
    assert done.exit_code == 0, done.output
    assert "application tnn: VASPID TNN" in done.stdout
    assert "worker processes: 3" in done.stdout
    assert "hunter2" not in done.output
    assert list(tmp_path.iterdir()) == [file]


def test_wrong_config(tmp_path: Path) -> None:
    """All that is wrong is told at once, each with its place and what to do; the exit status is 2."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.replace('vaspid = "TNN"', "vaspidd = 1").replace("127.0.0.1:0", "0.0.0.0:0"))
    done = run("--config", file)
    assert done.exit_code == 2
    assert f"{file}: application[1].vaspidd: is not known" in done.stderr
    assert "gateway.admin" in done.stderr


def test_open_to_others_needs_credentials() -> None:
    """Without credentials configured nothing but loopback is bound."""
    done = run("--mm7", "0.0.0.0:0", "--admin", "127.0.0.1:0")
    assert done.exit_code == 2
    assert "--mm7" in done.stderr


def test_taken_port() -> None:
    """A port that somebody has is named; the exit status is 3."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("--mm7", place, "--admin", "127.0.0.1:0")
    assert done.exit_code == 3
    assert f"{place} cannot be listened on: Address already in use" in done.stderr


def test_unusable_database(tmp_path: Path) -> None:
    """A database that cannot be opened is told; the exit status is 3."""
    url = f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}"
    done = run("--mm7", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", url)
    assert done.exit_code == 3
    assert "unable to open database file" in done.stderr


def test_hash_password() -> None:
    """A password on standard input comes out as what the configuration takes in its place."""
    done = run("--hash-password", text="hunter2\n")
    assert done.exit_code == 0
    assert parsed(done.stdout.strip()).fits(b"hunter2")
    assert run("--hash-password", text="\n").exit_code == 2


@pytest.mark.processes
@pytest.mark.parametrize("workers", [1, 2])
def test_as_a_new_user(workers: int, tmp_path: Path) -> None:
    """It prints a curl line; what that sends is accepted, listed, in the viewer, and there after a restart."""
    message_id = None
    for _ in range(2):
        with as_a_new_user(tmp_path, "--workers", str(workers)) as (server, said):
            [(viewer, admin)] = re.findall(r"^viewer +(http\S+)\nadmin +(http\S+)$", said, re.MULTILINE)
            if message_id is None:
                message_id = submitted_as_printed(said)
            kept = waited_for(f"{admin}/api/v1/messages/{message_id}")
            assert f'href="/messages/{message_id}"' in requests.get(viewer, timeout=5).text
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0, server.stderr and server.stderr.read()
        assert kept["state"] == "Retrieved"
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".db"] == ["mm7zeep.db"]


def submitted_as_printed(said: str) -> str:
    """Do what the printed curl line does; the MessageID that comes back."""
    curl = said[said.index("curl -v") : said.index("\n\nWatch callbacks")].replace("\\\n", " ")
    words = shlex.split(curl)
    user, password = words[words.index("-u") + 1].split(":")
    headers = dict(word.split(": ", 1) for at, word in enumerate(words) if words[at - 1] == "-H")
    body = Path(words[words.index("--data-binary") + 1].removeprefix("@")).read_bytes()
    answer = requests.post(words[-1], data=body, headers=headers, auth=(user, password), timeout=10)
    assert answer.status_code == 200
    assert "<StatusCode>1000<" in answer.text
    return re.findall(r"<MessageID>(\w{32})<", answer.text)[0]


def waited_for(url: str) -> dict[str, str]:
    """The message at ``url``, once it has reached its handset."""
    until = time.monotonic() + 10
    while (kept := requests.get(url, timeout=5).json()).get("state") == "Pending" and time.monotonic() < until:
        time.sleep(0.05)
    assert isinstance(kept, dict)
    return kept


def test_shown_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration in docs/gateway.md can be used, and what is shown of it is what ``--check-config`` prints."""
    page = (Path(__file__).parents[1] / "docs" / "gateway.md").read_text(encoding="utf-8")
    [config] = re.findall(r"<!-- file: gateway.toml -->\n```toml\n(.*?)```", page, re.DOTALL)
    [shown] = re.findall(r"\$ mm7zeep serve --config gateway.toml --check-config\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("gateway.toml").write_text(config)
    Path("gateway.toml").chmod(0o600)
    done = run("--config", "gateway.toml", "--check-config")
    assert (done.exit_code, done.stdout) == (0, shown)
