"""``mm7zeep samples``: the pack, a request that any strict reader takes, and a curl command that sends it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from mm7zeep import exchange, profiles
from mm7zeep.cli import main
from mm7zeep.cli.samples import REQUEST
from mm7zeep.messages import SubmitReq
from mm7zeep.samples import samples


def run(*words: str | Path) -> tuple[int, str, str]:
    """Exit status, output and errors."""
    done = CliRunner().invoke(main, ["samples", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with the samples, and the words of the curl command."""
    folder = tmp_path_factory.mktemp("pack") / "deep"
    code, out, _ = run(folder, "--to", "+4930123456", "--vaspid", "FERRY", "--auth", "ferry:quiet word")
    assert code == 0
    return folder, shlex.split(out.replace("\\\n", " "))


def test_pack(written: tuple[Path, list[str]]) -> None:
    """Every sample is written, octet by octet, and the request beside them."""
    pack = samples()
    assert {path.name for path in written[0].iterdir()} == {*pack, REQUEST}
    assert {name: (written[0] / name).read_bytes() for name in pack} == pack


def test_curl_command_sends_the_request(written: tuple[Path, list[str]]) -> None:
    """Head and body of the command together are a message that strict accepts, in the form of the carrier's page."""
    folder, words = written
    assert words[:4] == ["curl", "-v", "-u", "ferry:quiet word"]
    assert words[-3:] == ["--data-binary", f"@{folder / REQUEST}", "https://mmsc.example/mm7"]
    fields = [tuple(word.split(": ", 1)) for word in words[4:-3] if word != "-H"]
    body = Path(words[-2].removeprefix("@")).read_bytes()
    wire = exchange.Wire(headers=tuple((name, value) for name, value in fields), body=body, method="POST")
    received = exchange.unpack(wire, policy="strict")
    message = received.message
    assert isinstance(message, SubmitReq)
    assert (received.namespace, received.mm7_version) == (profiles.REL_5_MM7_1_3.namespace, "5.3.0")
    assert (message.vaspid, message.to[0].value, message.delivery_report) == ("FERRY", "+4930123456", True)
    assert [part.content_type for part in received.parts] == ["application/smil", "text/plain", "image/gif"]
    assert received.parts[2].read() == samples()["saturn.gif"]
    assert dict(fields)["SOAPAction"] == '""'
    assert body.isascii()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there stays, unless --force is given."""
    (tmp_path / "tone.wav").write_text("mine")
    code, _, errors = run(tmp_path)
    assert code == 3
    assert "tone.wav is there already" in errors
    assert (tmp_path / "tone.wav").read_text() == "mine"
    assert run(tmp_path, "--force")[0] == 0
    assert (tmp_path / "tone.wav").read_bytes() == samples()["tone.wav"]


def test_impossible_values(tmp_path: Path) -> None:
    """A recipient that no message can hold is wrong usage, and nothing is written."""
    assert run(tmp_path / "x", "--to", " ")[0] == 2
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file")[0] == 2
