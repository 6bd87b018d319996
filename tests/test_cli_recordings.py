"""``mm7zeep check`` on recordings of traffic, and the reports that people hand on."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import captures
import packets
import pytest
import test_har
from click.testing import CliRunner, Result

from mm7zeep.cli import main

ASKED = captures.dump(captures.wire())
ANSWERED = captures.dump(captures.wire(captures.SUBMITTED))


def run(*words: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", *map(str, words)])


def operations(result: Result) -> list[str]:
    """The operations of a JSON report."""
    return [one["operation"] for one in json.loads(result.stdout)["files"]]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A directory with a HAR file, a network capture, a dump of both messages, and something else."""
    talk = packets.Talk().hello().say(0, ASKED).say(1, ANSWERED).bye()
    tmp_path.joinpath("browser.har").write_bytes(
        test_har.log({"request": test_har.request(), "response": test_har.response()})
    )
    tmp_path.joinpath("network.pcap").write_bytes(packets.pcap(talk.packets))
    tmp_path.joinpath("dump.http").write_bytes(ASKED + ANSWERED)
    tmp_path.joinpath("notes.json").write_text('{"not": "a HAR"}')
    return tmp_path


@pytest.mark.parametrize("name", ["browser.har", "network.pcap", "dump.http"])
def test_request_and_answer_are_read(recordings: Path, name: str) -> None:
    """Each kind of recording gives the request and its answer, judged."""
    done = run(recordings / name, "--format", "json")
    assert (operations(done), done.exit_code) == (["SubmitReq", "SubmitRsp"], 0)


def test_directory_of_recordings(recordings: Path) -> None:
    """A directory is searched for recordings, too; what is none is passed over."""
    assert operations(run(recordings, "--format", "json")) == ["SubmitReq", "SubmitRsp"] * 3


def test_pairs_are_judged_together(recordings: Path) -> None:
    """An answer that does not echo the TransactionID of its request is told so."""
    bent = captures.bent(ANSWERED, b"ferry-1</", b"ferry-2</")
    recordings.joinpath("dump.http").write_bytes(ASKED + bent)
    done = run(recordings / "dump.http", "--format", "json")
    found = [[one["id"] for one in entry["findings"]] for entry in json.loads(done.stdout)["files"]]
    assert ["soap/transaction-echo" in ids for ids in found] == [False, True]


def test_capture_cannot_be_unpacked(tmp_path: Path) -> None:
    """A gzipped capture is not guessed at: the way out is named, and the exit status is 3."""
    tmp_path.joinpath("x.pcap.gz").write_bytes(b"\x1f\x8b\x08\x00" + b"\0" * 40)
    done = run(tmp_path / "x.pcap.gz")
    assert done.exit_code == 3
    assert "gunzip" in done.stderr


@pytest.mark.parametrize("form", ["junit", "sarif", "html"])
def test_shared_reports_mask_numbers(recordings: Path, form: str) -> None:
    """JUnit, SARIF and HTML hide numbers unless they are asked for."""
    bent = captures.bent(
        ASKED, b"<To>", b"<To><Number>+61412345678 </Number>"
    )  # the blank makes a finding that shows it
    recordings.joinpath("dump.http").write_bytes(bent)
    path = recordings / "dump.http"
    hidden, shown = run(path, "--format", form), run(path, "--format", form, "--show-numbers")
    assert (hidden.exit_code, shown.exit_code) == (0, 0)
    assert ("61412345678" in hidden.stdout, "61412345678" in shown.stdout) == (False, True)


def test_forms_of_shared_reports(recordings: Path) -> None:
    """What is printed is JUnit XML, SARIF JSON and one HTML page."""
    path = recordings / "browser.har"
    suite = ElementTree.fromstring(run(path, "--format", "junit").stdout)
    assert len(suite.findall(".//testcase")) == 2
    assert json.loads(run(path, "--format", "sarif").stdout)["version"] == "2.1.0"
    page = run(path, "--format", "html").stdout
    assert page.lower().startswith("<!doctype html>")
    assert "<script" not in page
