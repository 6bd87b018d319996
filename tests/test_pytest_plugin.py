"""The pytest plugin: what it takes, what it says, and that it costs nothing to have installed."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import captures
import httpx
import pytest
import requests

from mm7zeep import exchange, pytest_plugin
from mm7zeep.findings import KINDS
from mm7zeep.pytest_plugin import assert_mm7_valid

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
GOOD = captures.wire(captures.SUBMITTED)
BAD = replace(GOOD, body=GOOD.read().replace(b"</MessageID>", b"</MessageID><Deck>7</Deck>"))


def through_requests(wire: exchange.Wire) -> requests.Response:
    """The same as requests would have received it."""
    made = requests.Response()
    made.status_code = wire.status or 200
    made.headers.update(dict(wire.headers))
    made._content = wire.read()
    return made


def through_httpx(wire: exchange.Wire) -> httpx.Response:
    """The same as httpx would have received it."""
    return httpx.Response(wire.status or 200, headers=list(wire.headers), content=wire.read())


FORMS = {
    "wire": lambda wire: wire,
    "stream": lambda wire: replace(wire, body=iter([wire.read()[:50], wire.read()[50:]])),
    "dump": captures.dump,
    "requests": through_requests,
    "httpx": through_httpx,
}


@pytest.mark.parametrize("form", FORMS)
def test_good_and_bad_in_every_form(form: str) -> None:
    """A sound message passes in every form; one with an unknown element does not, and passes where that is accepted."""
    make = FORMS[form]
    assert_mm7_valid(make(GOOD))
    with pytest.raises(AssertionError, match="schema/unknown-element"):
        assert_mm7_valid(make(BAD))
    assert_mm7_valid(make(BAD), policy="interop")


def test_a_request_as_packed() -> None:
    """What ``pack`` makes is valid as it stands, without reading its body first."""
    assert_mm7_valid(exchange.pack(captures.SUBMIT))


def test_every_finding_is_told() -> None:
    """The text has level, id, place, clause and fix of all findings, and which message of several it is."""
    with pytest.raises(AssertionError) as caught:
        assert_mm7_valid(captures.dump() + captures.dump(BAD))
    text = str(caught.value)
    kind = KINDS["schema/unknown-element"]
    assert text.startswith("message#2 (SubmitRsp) is not valid MM7 under the strict policy: ")
    assert re.search(r"\n  MUST +schema/unknown-element  /Envelope/Body/SubmitRsp/Deck\n", text)
    assert kind.summary in text
    assert f"[{kind.source}]" in text
    assert kind.fix in text


def test_what_is_no_message_is_refused() -> None:
    """Text, which has no octets yet, is a mistake of the test and not of the message."""
    with pytest.raises(TypeError, match="str is no Wire"):
        assert_mm7_valid("<Envelope/>")  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="http/empty-body"):
        assert_mm7_valid(b"")


# --- in somebody's tests ----------------------------------------------------------------------------------------------

TESTS = """
import pathlib, pytest
GOOD, BAD = (pathlib.Path(name).read_bytes() for name in ("good.http", "bad.http"))

def test_good(assert_mm7_valid):
    assert_mm7_valid(GOOD)

def test_bad(assert_mm7_valid):
    assert_mm7_valid(BAD)

def test_accepted(assert_mm7_valid):
    assert_mm7_valid(BAD, policy="interop")
"""


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with the three tests above, and mm7zeep installed."""
    pytester.makepyfile(TESTS)
    paths = [Path(pytest_plugin.__file__).parents[1]]
    if not any(one.value == "mm7zeep.pytest_plugin" for one in entry_points(group="pytest11")):
        # In a checkout: what an installer would have written.
        paths.append(pytester.mkdir("installed"))
        written = pytester.mkdir("installed/mm7zeep-1.dist-info")
        written.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: mm7zeep\nVersion: 1\n")
        written.joinpath("entry_points.txt").write_text("[pytest11]\nmm7zeep = mm7zeep.pytest_plugin\n")
        written.joinpath("RECORD").write_text("mm7zeep/__init__.py,,\nmm7zeep/pytest_plugin.py,,\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))
    pytester.path.joinpath("good.http").write_bytes(captures.dump())
    pytester.path.joinpath("bad.http").write_bytes(captures.dump(BAD))
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    return pytester


def test_as_people_use_it(folder: pytest.Pytester) -> None:
    """With warnings as errors the fixture is there; a failure shows the finding and the line of the test."""
    done = folder.runpytest_subprocess("-p", "no:cacheprovider")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["*assert_mm7_valid(BAD)*", "E *AssertionError: message (SubmitRsp) is not valid MM7*"])
    done.stdout.fnmatch_lines(["E *MUST *schema/unknown-element*"])
    done.stdout.no_fnmatch_line("*_captured*")


def test_imported_before_pytest(folder: pytest.Pytester) -> None:
    """Where mm7zeep was imported before pytest starts, no warning comes of it (they are errors here)."""
    code = "import sys, mm7zeep, pytest; sys.exit(pytest.main(['-p', 'no:cacheprovider', '--collect-only']))"
    assert folder.run(sys.executable, "-c", code).ret == 0


def test_loading_it_loads_nothing_heavy() -> None:
    """Besides pytest and the front door of the package, the plugin imports nothing of ours or of others."""
    code = (
        "import sys, pytest; before = set(sys.modules); import mm7zeep.pytest_plugin; print(set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert eval(done.stdout) - {"__future__"} == {"mm7zeep", "mm7zeep.pytest_plugin"}


def test_entry_point() -> None:
    """setup.cfg tells pytest of the plugin."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["options.entry_points"]["pytest11"].split() == ["mm7zeep", "=", "mm7zeep.pytest_plugin"]
