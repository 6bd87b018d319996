"""``mm7zeep probe`` and ``mm7zeep compare``: what is sent, written and refused, and how each ends."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any

import probed
import pytest
import trustme
from click.testing import CliRunner, Result
from far_side import FarSide
from lxml import etree
from made_docs import is_current
from probed import EVIL, MAIL, NUMBER, PASSWORD, USER

from mm7zeep.cli import main
from mm7zeep.cli.compare import FORMATS as COMPARE_FORMATS
from mm7zeep.cli.probe_reports import FORMATS
from mm7zeep.cli.probe_settings import allowed, is_here
from mm7zeep.probe import results
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.reports import WRITERS, several
from mm7zeep.probe.runner import dry_answer
from mm7zeep.probe.settings import Numbers, Settings

GOOD, BAD = "submit/minimal", "submit/recipients/none"
"""Of a server that accepts everything, the first passes and the second fails."""


def run(*words: object, env: dict[str, str] | None = None) -> Result:
    """Run the command."""
    return CliRunner(env={"MM7ZEEP_PROBE_USER": None, **(env or {})}).invoke(main, [str(word) for word in words])


def accepting(said: bytes) -> bytes:
    """The answer of a server that accepts everything."""
    return framed(dry_answer(said).body)


def framed(body: bytes, fields: str = "Content-Type: text/xml; charset=utf-8\r\n", status: str = "200 OK") -> bytes:
    """A whole answer, after which the connection is closed."""
    return f"HTTP/1.1 {status}\r\n{fields}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, list[bytes]]]:
    """A server that accepts everything, and what it heard."""
    with probed.far_side(accepting) as found:
        yield found


def report(path: Path) -> results.Report:
    """The report in a JSON file."""
    return results.from_dict(json.loads(path.read_text(encoding="utf-8")))


def verdicts(path: Path) -> dict[str, str]:
    """The verdicts of the cases in a JSON report."""
    return {one.id: one.verdict for one in report(path).results if not one.common}


def test_formats_are_those_that_are_written() -> None:
    """What the options offer is what can be written."""
    assert tuple(WRITERS) == FORMATS
    assert tuple(several.WRITERS) == COMPARE_FORMATS


# --- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["mmsc", "vasp"])
def test_list(role: str) -> None:
    """Cases and common assertions, as text and as JSON, without an endpoint."""
    text, said = run("probe", "--list", "--role", role), run("probe", "--list", "--role", role, "--format", "json")
    cases = json.loads(said.stdout)["cases"]
    assert text.exit_code == said.exit_code == 0
    assert [line.split()[0] for line in text.stdout.splitlines()[:-2]] == [one["id"] for one in cases]
    assert [one["id"] for one in cases if one["common"]] == [one.id for one in COMMON]
    assert {one["role"] for one in cases if not one["common"]} == {role}


def test_list_of_some() -> None:
    """--only, --skip and --level are heeded; what names no case is an error with what was meant."""
    found = run("probe", "--list", "--only", "submit/", "--skip", BAD, "--level", "MUST", "--format", "json")
    cases = [one for one in json.loads(found.stdout)["cases"] if not one["common"]]
    assert GOOD in [one["id"] for one in cases]
    assert BAD not in [one["id"] for one in cases]
    assert {one["level"] for one in cases} == {"MUST"}
    wrong = run("probe", "--list", "--only", "submit/minimall")
    assert wrong.exit_code == 2
    assert f"did you mean {GOOD}" in wrong.stderr


# --- who may be sent to -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.9.9.9:80", True), ("[::1]:80", True), ("localhost:1", True), ("LOCALHOST", True),
        ("0.0.0.0", False), ("127.0.0.1.example", False), ("localhost.example", False), ("10.0.0.1", False),
        ("127.1", False), ("0x7f.1", False), ("mmsc.example", False), ("[::ffff:10.0.0.1]", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(host: str, here: bool) -> None:
    """Loopback addresses and localhost, and nothing that only looks so; no name is looked up."""
    assert is_here(f"http://{host}/mm7") == here


def test_nothing_goes_to_another_machine_unasked() -> None:
    """Without --allow-send an endpoint elsewhere is refused before anything, saying why; --dry-run and --list work."""
    found = run("probe", "http://mmsc.example/mm7", "--only", GOOD)
    assert found.exit_code == 2
    assert "mmsc.example is not this machine" in found.stderr
    assert "--allow-send NUMBER" in found.stderr
    assert run("probe", "http://mmsc.example/mm7", "--only", GOOD, "--list").exit_code == 0
    assert (
        b"POST /mm7 HTTP/1.1\r\n" in run("probe", "http://mmsc.example/mm7", "--only", GOOD, "--dry-run").stdout_bytes
    )


KNOWN = Numbers(good=("+41790000001",), off="+41790000002", barred="+41790000003", mail=MAIL, loop="7", sender="7777")
EVERY = Numbers(
    **{one.name: ("+1",) if one.name == "good" else f"+2 {one.name}" for one in fields(Numbers) if one.name != "many"},
    many="+21000",
)
"""Every number that there can be; whoever adds one learns here that it must not be sent to unasked."""


def test_allow_send_is_all_that_may_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers of --allow-send replace the good ones; other recipients of the file are used only if named there."""
    found = Settings(url="http://mmsc.example/mm7", numbers=KNOWN)
    given = ("+41791234567", "+41790000003", "+41791234568")
    assert allowed(found, ()) == found
    assert allowed(found, given).numbers == Numbers(
        good=("+41791234567", "+41791234568"), barred="+41790000003", sender="7777"
    )
    assert "numbers.off, numbers.mail, numbers.loop: not among --allow-send" in capsys.readouterr().err
    assert allowed(replace(found, numbers=EVERY), ("+3",)).numbers == Numbers(
        good=("+3",), sender="+2 sender", others="+2 others"
    )


def test_allowed_numbers_are_sent_to(tmp_path: Path) -> None:
    """What the file calls good is not used beside --allow-send; several may stand in one word."""
    config = tmp_path / "probe.toml"
    config.write_text('url = "http://mmsc.example/mm7"\n[numbers]\ngood = ["+41790000001"]\n', encoding="utf-8")
    words = ("probe", "--config", config, "--dry-run", "--show-numbers", "--only", GOOD)
    assert b"+41790000001" in run(*words).stdout_bytes
    found = run(*words, "--allow-send", "+41791234567,+41791234568")
    assert b"+41791234567" in found.stdout_bytes
    assert b"+41790000001" not in found.stdout_bytes
    assert b"+41791234567" not in run(*words[:4], *words[5:], "--allow-send", "+41791234567").stdout_bytes


# --- a run ------------------------------------------------------------------------------------------------------------


def test_run_writes_every_report_at_once(
    site: tuple[str, list[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text on standard output, and each format into its file; 1 for a failure."""
    monkeypatch.setenv("COLUMNS", "100")  # that of a file
    words = [word for form in FORMATS for word in ("--report", f"{form}={tmp_path / form}")]
    found = run("probe", site[0], "--only", GOOD, "--only", BAD, *words)
    assert found.exit_code == 1, found.output
    assert "FAIL  submit/recipients/none  MUST" in found.stdout
    assert found.stderr.startswith("FAIL  submit/recipients/none")
    assert verdicts(tmp_path / "json") == {GOOD: "PASS", BAD: "FAIL"}
    lines = [json.loads(one) for one in (tmp_path / "ndjson").read_text(encoding="utf-8").splitlines()]
    assert [one["id"] for one in lines[:-1]] == [one.id for one in report(tmp_path / "json").results]
    assert lines[-1]["summary"]["status"] == 1
    assert int(etree.parse(tmp_path / "junit").getroot().get("failures")) == 1
    assert BAD in (tmp_path / "html").read_text(encoding="utf-8")
    assert (tmp_path / "text").read_text(encoding="utf-8") == found.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_format_is_printed_alone(site: tuple[str, list[bytes]], form: str) -> None:
    """Standard output has that format and nothing else, so that it can be piped."""
    found = run("probe", site[0], "--only", GOOD, "--format", form, "-q")
    assert found.exit_code == 0, found.output
    assert found.stderr == ""
    if form == "json":
        assert results.from_dict(json.loads(found.stdout)).count()["FAIL"] == 0
    elif form == "ndjson":
        assert [next(iter(json.loads(one))) for one in found.stdout.splitlines()][-2:] == ["id", "summary"]
    elif form == "text":
        assert found.stdout.startswith("1 case, 20 common assertions")
    else:
        assert found.stdout.startswith(("<?xml", "<!doctype html>"))


def test_output_goes_into_the_file(site: tuple[str, list[bytes]], tmp_path: Path) -> None:
    """--output takes the format, and the text is printed; -v shows what passed."""
    found = run("probe", site[0], "--only", GOOD, "--format", "json", "--output", tmp_path / "a.json", "-v")
    assert verdicts(tmp_path / "a.json") == {GOOD: "PASS"}
    assert f"PASS  {GOOD}" in found.stdout


def echoing(said: bytes) -> bytes:
    """The answer of a server that tells everybody what it was told, and more."""
    return framed(
        said + EVIL.encode() + f"{USER}:{PASSWORD}".encode(), f"X-Seen: {PASSWORD}\r\nContent-Type: text/html\r\n"
    )


@pytest.mark.parametrize("way", ["option", "environment", "file", "settings"])
def test_credentials_are_sent_and_told_nobody(way: str, tmp_path: Path) -> None:
    """Given in any way they are sent, and no report has them, even where the peer says them aloud."""
    pair, words, env = f"{USER}:{PASSWORD}", ["--vaspid", "FERRY"], {}
    if way == "option":
        words += ["--user", pair]
    elif way == "environment":
        env = {"MM7ZEEP_PROBE_USER": pair}
    elif way == "file":
        (tmp_path / "user").write_text(pair + "\n", encoding="utf-8")
        words += ["--user-file", str(tmp_path / "user")]
    else:
        text = f'[account]\nusername = "{USER}"\npassword = "{PASSWORD}"\n'
        (tmp_path / "probe.toml").write_text(text, encoding="utf-8")
        words += ["--config", str(tmp_path / "probe.toml")]
    for form in FORMATS:
        words += ["--report", f"{form}={tmp_path / form}"]
    (tmp_path / "numbers.toml").write_text(f'[numbers]\ngood = ["{NUMBER}"]\n', encoding="utf-8")
    words += ["--allow-send", NUMBER]
    with probed.far_side(echoing) as (url, heard):
        found = run("probe", url, "--only", GOOD, *words, env=env)
    assert found.exit_code == 1, found.output
    assert f"Authorization: Basic {probed.BASIC}".encode() in heard[0]
    assert NUMBER.encode() in heard[0]
    shown = [found.output, *((tmp_path / form).read_text(encoding="utf-8") for form in FORMATS)]
    assert [one for text in shown for one in text if not one.isprintable() and one != "\n"] == []
    for one in report(tmp_path / "json").results:
        shown += [part.decode("latin-1") for t in one.transmissions for part in (t.sent, t.received)]
    for text in shown:
        for secret in (PASSWORD, "whisper&amp;7", probed.BASIC, NUMBER[1:]):
            assert secret not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--user", "whisper"], "give USER:PASS"),
        (["--namespace", "REL-9"], "none of the MM7 namespaces"),
        (["--report", "pdf=x"], "give FORMAT=FILE"),
        (["--report", "html"], "give FORMAT=FILE"),
        (["--report", "html=/nowhere/at/all"], "No such file"),
        (["--report", "html=same", "--report", "json=same"], "is named twice"),
        (["--trigger-cmd", "a 'b"], "--trigger-cmd: No closing quotation"),
        (["--level", "MUST", "--skip", "*"], "leave no case to run"),
        (["--config", "wrong.toml"], "there is no such setting"),
        (["--baseline", "wrong.toml"], "there are only [[expected]] entries"),
        (["--replay", "wrong.toml"], "wrong.toml: "),
        (["--ca-file", "wrong.toml"], "no certificate in PEM"),
        (["--user", "a:b", "--user-file", "user"], "give one of them"),
    ],
)
def test_wrong_usage(
    words: list[str], told: str, site: tuple[str, list[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mistake is told before anything is sent, and no password with it."""
    monkeypatch.chdir(tmp_path)
    Path("wrong.toml").write_text("nonsense = 1\n", encoding="utf-8")
    Path("user").write_text("a:b\n", encoding="utf-8")
    before = len(site[1])
    found = run("probe", site[0], *words)
    assert found.exit_code == 2, found.output
    assert told in found.stderr
    assert "whisper" not in found.stderr
    assert len(site[1]) == before


def test_no_endpoint_at_all() -> None:
    """Without a URL and a report there is nothing to examine."""
    found = run("probe")
    assert found.exit_code == 2
    assert "url: is missing" in found.stderr


def test_nobody_there(tmp_path: Path) -> None:
    """Where nobody takes connections, that is said once, and no case runs."""
    with probed.far_side(accepting) as (url, _):
        pass
    found = run("probe", url, "--only", GOOD, "--format", "json", "--output", tmp_path / "a.json", "-q")
    assert found.exit_code == 3, found.output
    assert found.stderr.startswith("mm7zeep probe: no connection to 127.0.0.1 port ")


def test_certificates(tmp_path: Path) -> None:
    """A server that is not trusted is not examined, and the file that was given for it is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with FarSide(tls=context) as far:
        plain = run("probe", far.url, "--only", GOOD)
        given = run("probe", far.url, "--only", GOOD, "--ca-file", tmp_path / "other.pem")
        assert far.requests == []
    assert (plain.exit_code, given.exit_code) == (3, 3)
    assert "signed by an unknown authority: pass that authority's certificate as ca_file= (--ca-file)" in plain.stderr
    assert f"is not in {str(tmp_path / 'other.pem')!r}, which was given as ca_file= (--ca-file)" in given.stderr


def test_nothing_examined_is_no_success(site: tuple[str, list[bytes]]) -> None:
    """A run in which every case is skipped says so, and ends with 2."""
    found = run("probe", site[0], "--only", "report/none")
    assert found.exit_code == 2, found.output
    assert "nothing was examined" in found.stderr


def test_baseline_from_writing_to_outliving(site: tuple[str, list[bytes]], tmp_path: Path) -> None:
    """Written, refused without a reason, then it excuses; when the case passes, it is in the way."""
    path, words = tmp_path / "baseline.toml", ("probe", site[0], "--only", BAD, "-q")
    assert run(*words, "--write-baseline", path).exit_code == 1
    refused = run(*words, "--baseline", path)
    assert refused.exit_code == 2
    assert "reason is missing" in refused.stderr
    path.write_text(path.read_text(encoding="utf-8").replace('reason = ""', 'reason = "known"'), encoding="utf-8")
    excused = run(*words, "--baseline", path)
    assert excused.exit_code == 0, excused.output
    assert "1 expected by the baseline" in excused.stdout
    path.write_text(path.read_text(encoding="utf-8").replace(BAD, GOOD), encoding="utf-8")
    outlived = run("probe", site[0], "--only", GOOD, "-q", "--baseline", path)
    assert outlived.exit_code == 1
    assert f"baseline: {GOOD}: PASS, but the baseline expects FAIL: take the entry out" in outlived.stderr


def test_replay_runs_again_what_did_not_pass(site: tuple[str, list[bytes]], tmp_path: Path) -> None:
    """The same seed, URL and namespace, and the cases that failed, as long as there are any."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    schema = "REL-6-MM7-1-3"  # whose version the server does not know
    run(
        "probe",
        site[0],
        "--only",
        GOOD,
        "--only",
        BAD,
        "--namespace",
        schema,
        "--seed",
        "77",
        "--report",
        f"json={first}",
    )
    assert report(first).seed == 77
    found = run("probe", "--replay", first, "--report", f"json={second}")
    assert found.exit_code == 1, found.output
    assert verdicts(second) == {BAD: "FAIL", GOOD: "PASS"}  # answer/version was broken in both
    assert report(second).seed == 77
    assert report(second).options["namespace"].endswith(schema)
    sent = [one.transmissions[0].sent for path in (first, second) for one in report(path).results if one.id == BAD]
    assert len({re.sub(rb"part-1\.[0-9a-f*]+", b"part-1", one) for one in sent}) == 1  # Content-IDs are always fresh
    wrong = run("probe", "--replay", first, "--only", "submit/message-id-unique")  # that did not fail
    assert wrong.exit_code == 2
    run("probe", site[0], "--only", GOOD, "--report", f"json={first}")
    nothing = run("probe", "--replay", first)
    assert nothing.exit_code == 0
    assert nothing.stdout == "nothing to run again: all of that report passed or was skipped\n"


def test_each_run_has_a_seed_of_its_own(site: tuple[str, list[bytes]], tmp_path: Path) -> None:
    """Without --seed no run repeats the TransactionIDs of another."""
    for name in ("a", "b"):
        run("probe", site[0], "--only", GOOD, "--report", f"json={tmp_path / name}")
    assert report(tmp_path / "a").seed != report(tmp_path / "b").seed


@pytest.mark.processes
def test_ctrl_c_ends_in_order(tmp_path: Path) -> None:
    """Whatever ran is reported when the run is interrupted, and the exit status says so."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(said: bytes) -> bytes:
        asked.set()
        go_on.wait(20)
        return accepting(said)

    with probed.far_side(slow) as (url, _):
        path = tmp_path / "a.json"
        words = ("probe", url, "--only", "submit/", "--parallel", "1", "--report", f"json={path}", "--timeout", "30")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mm7zeep", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            assert "no more cases" in until(process.stderr, "no more cases")
            go_on.set()
            out, err = process.communicate(timeout=60)
        finally:
            go_on.set()
            process.kill()
    assert process.returncode == 130, (out, err)
    assert "ended by a signal" in err
    found = verdicts(path)
    assert 1 <= len(found) <= 2
    assert "common assertions in" in out


def until(stream: IO[str] | None, wanted: str) -> str:
    """The lines of a stream up to the one that holds ``wanted``."""
    assert stream is not None
    lines = ""
    while wanted not in lines:
        line = stream.readline()
        assert line, lines
        lines += line
    return lines


# --- compare ----------------------------------------------------------------------------------------------------------


def write(path: Path, found: results.Report) -> Path:
    """A report as a JSON file."""
    path.write_text(json.dumps(results.as_dict(found)), encoding="utf-8")
    return path


def test_compare(tmp_path: Path) -> None:
    """1 where the second of two is worse; of three, the matrix, and 0."""
    old = write(tmp_path / "old.json", probed.report(probed.result("a/b", "PASS"), probed.result("a/c", "FAIL")))
    new = write(tmp_path / "new.json", probed.report(probed.result("a/b", "FAIL"), probed.result("a/c", "PASS")))
    worse = run("compare", old, new)
    assert worse.exit_code == 1
    assert "worse   PASS  -> FAIL  a/b" in worse.stdout
    assert "1 worse, 1 better" in worse.stdout
    assert run("compare", old, old).exit_code == 0
    several_of_them = run("compare", old, new, new, "--format", "markdown")
    assert several_of_them.exit_code == 0
    assert "| a/b | PASS | FAIL | FAIL |" in several_of_them.stdout
    written = run("compare", old, new, "--format", "html", "--output", tmp_path / "a.html")
    assert written.stdout == ""
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda said: None, "format 1 (format: 'NoneType')"),
        (lambda said: said | {"format": 2}, "format 1 (format: 2)"),
        (lambda said: said | {"results": [{}]}, "cannot be read: KeyError"),
        (lambda said: said | {"role": "vasp"}, "different roles"),
    ],
)
def test_compare_what_is_no_report(change: Callable[[dict[str, Any]], Any], told: str, tmp_path: Path) -> None:
    """A file that is no report, or one of another role, is told with its name."""
    good = write(tmp_path / "good.json", probed.every())
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(change(results.as_dict(probed.every()))), encoding="utf-8")
    found = run("compare", good, bad)
    assert found.exit_code == 2
    assert told in found.stderr
    assert run("compare", good).exit_code == 2


def test_compare_masks(tmp_path: Path) -> None:
    """A report that somebody wrote with its numbers is masked here."""
    old = write(tmp_path / "old.json", probed.report(probed.result("a/b", "PASS")))
    told = results.Reason(level="MUST", text=f"to {NUMBER}")
    new = write(tmp_path / "new.json", probed.report(probed.result("a/b", "FAIL", reasons=(told,))))
    assert NUMBER not in run("compare", old, new).stdout
    assert NUMBER in run("compare", old, new, "--show-numbers").stdout


# --- the page of the documentation ------------------------------------------------------------------------------------


def test_page_is_current() -> None:
    """The tables of docs/probe.md are those of the settings."""
    assert is_current("make_probe"), "run docs/make_probe.py"


def test_page_names_every_option_that_needs_words() -> None:
    """Verdicts, exit statuses and the options that people have to know stand there."""
    page = Path(__file__).parent.parent.joinpath("docs", "probe.md").read_text(encoding="utf-8")
    for word in (*results.WORDS, "--allow-send", "--baseline", "--replay", "--show-numbers", "--strict", "--dry-run"):
        assert word in page


@pytest.mark.once
def test_no_case_sends_to_a_number_that_nobody_allowed() -> None:
    """Whatever a case asks, its recipients are numbers of --allow-send, or nothing that a network could route."""
    given = ("+61491570156", "+61491570157", "+61491570158", "+61491570159")
    found = run("probe", "http://mmsc.example/mm7", "--dry-run", "--show-numbers", "--allow-send", ",".join(given))
    assert found.exit_code == 0
    sent = re.sub(rb"(?s)<(?:\w+:)?SenderAddress.*?</(?:\w+:)?SenderAddress>", b"", found.stdout_bytes)
    numbers = {one.decode() for one in re.findall(rb"Number>\s*([^<]*?)\s*<", sent)}
    mails = set(re.findall(rb"RFC2822Address>[^<]*@[^<]*<", sent))
    assert numbers & set(given)
    known = {one.lstrip("+") for one in given}
    assert {one for one in numbers if re.fullmatch(r"\+?[0-9]{7,15}", one) and one.lstrip("+") not in known} == set()
    assert mails == set()
