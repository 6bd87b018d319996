"""Reports in every format: what each has to say, what none may say, and what no peer may do to whoever reads them."""

from __future__ import annotations

import base64
import io
import json
import re
import shlex
import subprocess
from dataclasses import replace
from datetime import date
from html import unescape

import needed
import probed
import pytest
from lxml import etree
from lxml import html as lxml_html
from probed import BASIC, MAIL, NUMBER, PASSWORD, SETTINGS, USER, exchange, result

from mm7zeep.probe import baseline, results
from mm7zeep.probe.baseline import Entry, Judged
from mm7zeep.probe.reports import WRITERS, curl, html, layout, octets, terminal, written
from mm7zeep.probe.reports.mask import Mask
from mm7zeep.probe.reports.progress import Progress
from mm7zeep.probe.results import WORDS, Report

TODAY = date(2026, 11, 28)
MASK = Mask.of(SETTINGS)


def judged(report: Report, *entries: Entry, strict: bool = False) -> Judged:
    """A report beside these entries."""
    return baseline.judge(report, entries, today=TODAY, strict=strict)


def opened(form: str, text: str) -> str:
    """A report with all its base64, hex and escapes undone, so that nothing can hide in them."""
    found = [text, unescape(text)]
    if form in ("json", "ndjson"):
        for run in re.findall(r'"(?:sent|received)": "([^"]*)"', text):
            found.append(base64.b64decode(run).decode("latin-1"))
    for dump in re.findall(r'(?s)<pre class="hex"[^>]*>(.*?)</pre>', text):
        digits = re.findall(r"(?m)^[0-9a-f]{8}  ((?:[0-9a-f]{2} ?)+)", re.sub(r"</?mark>", "", dump))
        found.append(bytes.fromhex("".join(digits)).decode("latin-1"))
    return "\n".join(found)


@pytest.mark.parametrize("form", WRITERS)
def test_no_format_tells_password_number_or_address(form: str) -> None:
    """Wherever a report holds them, in whatever wrapping, none of the formats tells them, whole or in hex."""
    text = opened(form, written(judged(probed.secrets()), form, MASK, detail="every"))
    assert "area" in text
    for secret in (PASSWORD, "whisper&amp;7", BASIC, NUMBER, NUMBER[1:], MAIL, "jo.quiet", f"{USER}:"):
        assert secret not in text


@pytest.mark.parametrize("form", WRITERS)
def test_numbers_are_told_where_asked_for(form: str) -> None:
    """With --show-numbers numbers and addresses stay, passwords do not."""
    text = opened(form, written(judged(probed.secrets()), form, Mask.of(SETTINGS, show_numbers=True)))
    assert NUMBER in text
    assert MAIL in text
    for secret in (PASSWORD, "whisper&amp;7", BASIC):
        assert secret not in text


@pytest.mark.parametrize("form", WRITERS)
def test_nothing_hostile_gets_through(form: str) -> None:
    """No control character, no mark of direction, no half of a pair is in any format."""
    text = written(judged(probed.hostile()), form, MASK, style=layout.Style(colour=False))
    text.encode("utf-8")
    assert not [one for one in text if not one.isprintable() and one not in "\n"]


@pytest.mark.parametrize("form", WRITERS)
def test_a_report_on_nothing(form: str) -> None:
    """A run that was ended before its first case has a report, too."""
    assert written(judged(probed.report()), form, MASK)


def test_colours_come_from_us_alone() -> None:
    """On a terminal nothing but colours is an escape."""
    text = written(judged(probed.hostile()), "text", MASK, style=layout.Style(colour=True))
    assert "\x1b[" in text
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", text)


# --- text -------------------------------------------------------------------------------------------------------------


def test_text_tells_what_failed() -> None:
    """Requirement, clause, found, expected, actual, place, the exchange, and how to repeat it."""
    found = results.Reason(level="MUST", text="answered 200", expected="405", actual="200 OK", exchange=0, offset=9)
    one = result("http/get", "FAIL", reasons=(found,), transmissions=(exchange(b"GET /mm7 HTTP/1.1\r\n\r\n"),))
    lines = [" ".join(line.split()) for line in terminal.render(judged(probed.report(one))).splitlines()]
    for wanted in (
        "FAIL http/get MUST TS 23.140 8.7.1",
        "requirement It is so.",
        "found answered 200",
        "expected 405",
        "actual 200 OK",
        "where octet 9",
        "> GET /mm7 HTTP/1.1",
        "< nothing",
        "repeat mm7zeep probe http://127.0.0.1:8080/mm7 --only http/get",
        "1 case, 0 common assertions in 3.2 s: 1 FAIL",
    ):
        assert wanted in lines


def test_text_shows_as_much_as_asked_for() -> None:
    """The sum alone, what did not pass, everything."""
    found = judged(probed.every())
    total = "7 cases, 1 common assertions in 3.2 s: 2 FAIL, 1 HANG, 1 ERROR, 1 WARN, 1 INFO, 1 SKIP, 1 PASS\n"
    assert terminal.render(found, detail="sum") == total
    usual, every = terminal.render(found), terminal.render(found, detail="every")
    assert usual.endswith(total)
    assert "submit/a" not in usual
    assert "PASS  submit/a" in every
    assert [one for one in WORDS if one not in usual] == []


def test_expected_failures_are_a_line() -> None:
    """What the baseline expects is told in a line with its reason, what it does not in full."""
    entry = Entry(id="http/get", verdict="FAIL", reason="vendor ticket 7", until=TODAY)
    text = terminal.render(judged(probed.every(), entry))
    assert "FAIL  http/get  answered 200  (expected until 2026-11-28: vendor ticket 7)" in text
    assert "1 expected by the baseline" in text
    assert text.count("requirement") == 4


def test_progress_without_a_terminal_is_plain_lines() -> None:
    """A line for each result worth it, masked and escaped; none, or all, where asked for."""
    some = [result("a/pass", "PASS"), result("a/fail", "FAIL", reasons=probed.hostile().results[0].reasons)]
    for lines, ids in (("none", []), ("some", ["a/fail"]), ("all", ["a/pass", "a/fail"])):
        out = io.StringIO()
        with Progress(out, 2, MASK, live=False, lines=lines) as progress:
            for one in some:
                progress.heard(one)
        assert [line.split()[1] for line in out.getvalue().splitlines()] == ids
        assert "\x1b" not in out.getvalue()


def test_progress_on_a_terminal_counts() -> None:
    """On a terminal the counts are live."""
    out = io.StringIO()
    with Progress(out, 9, MASK, live=True) as progress:
        for one in probed.every().results:
            progress.heard(one)
    assert "8/9" in out.getvalue()
    assert "2 FAIL" in out.getvalue()


# --- for programs -----------------------------------------------------------------------------------------------------


def test_json_is_read_again() -> None:
    """What JSON was written is the masked report again, baseline or not."""
    for report in (probed.every(), probed.secrets(), probed.hostile()):
        hidden = MASK.report(report)
        assert results.from_dict(json.loads(written(judged(report), "json", MASK))) == rounded(hidden)


def rounded(report: Report) -> Report:
    """A report with times as JSON has them."""
    return results.from_dict(results.as_dict(report))


def test_lines_of_json_are_results_then_the_sum() -> None:
    """Each line is an object; the last has the counts and the exit status."""
    lines = [json.loads(one) for one in written(judged(probed.every()), "ndjson", MASK).splitlines()]
    assert [one["id"] for one in lines[:-1]] == [one.id for one in probed.every().results]
    assert lines[-1]["summary"]["count"]["FAIL"] == 2
    assert lines[-1]["summary"]["status"] == 1


@pytest.mark.parametrize("strict", [False, True])
def test_junit_counts_what_counts(strict: bool) -> None:
    """A suite for each area, whose numbers are those of its cases; expected is skipped, outlived is a failure."""
    entries = (
        Entry(id="http/get", verdict="FAIL", reason="known", until=TODAY),
        Entry(id="submit/a", verdict="FAIL", reason="known", until=TODAY),
    )
    root = etree.fromstring(written(judged(probed.every(), *entries, strict=strict), "junit", MASK).encode())
    assert root.tag == "testsuites"
    assert [one.get("name") for one in root] == ["http", "submit", "auth", "answer"]
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        for suite in root:
            assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}"))
        assert int(root.get(name)) == len(root.findall(f".//{tag}"))
    failed = [one.getparent().get("name") for one in root.iter("failure")]
    assert failed == ["http/slow", "submit/a", *(["submit/b"] if strict else []), "answer/leak"]
    [known] = root.xpath("//testcase[@name='http/get']/skipped")
    assert "expected until 2026-11-28: known" in known.get("message")


# --- HTML -------------------------------------------------------------------------------------------------------------


def test_page_needs_nothing_and_runs_nothing_else() -> None:
    """One script and one style, ours by their hashes; nothing that would be fetched; no markup of a peer's."""
    text = written(judged(probed.hostile()), "html", MASK)
    tree = lxml_html.fromstring(text)
    [policy] = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert len(tree.xpath("//script")) == 1
    assert tree.xpath("//img | //link | //iframe | //object | //@src | //@style | //@onerror | //@onclick") == []
    assert {one.partition("#")[0] for one in tree.xpath("//@href")} == {""}


def test_page_has_everything_on_a_result() -> None:
    """Requirement, clause, expected, actual, octets as text and as hex with the place marked, and how to repeat it."""
    data = probed.answer(b"<x/>")
    found = results.Reason(level="MUST", text="a reason", expected="405", actual="200", exchange=0, offset=9)
    shown = exchange(probed.request(b"<a/>"), data)
    one = result("http/get", "FAIL", reasons=(found,), transmissions=(shown,))
    tree = lxml_html.fromstring(written(judged(probed.report(one)), "html", MASK))
    [details] = tree.xpath("//details[@id='http/get']")
    said = details.text_content()
    for wanted in (
        "It is so.",
        "TS 23.140 8.7.1",
        "a reason",
        "405",
        "exchange 1, octet 9",
        "octet 9 marked",
        "curl",
        "--only http/get",
    ):
        assert wanted in said
    assert [one.text for one in details.xpath(".//mark")] == [chr(data[9]), f"{data[9]:02x}"]
    sent, received = (one.text_content() for one in details.xpath(".//pre[@class='hex']"))
    assert bytes.fromhex("".join(line[10:58] for line in received.splitlines()).replace(" ", "")) == data
    assert sent.startswith("00000000  50 4f 53 54 20")


def test_page_leaves_out_what_is_too_much_and_says_so() -> None:
    """Of large octets those around the place are shown."""
    data = probed.answer(b"x" * 40_000 + b"HERE" + b"y" * 40_000)
    found = results.Reason(level="MUST", text="t", exchange=0, offset=data.index(b"HERE"))
    one = result("a/b", "FAIL", reasons=(found,), transmissions=(exchange(received=data),))
    text = html.render(judged(probed.report(one)))
    assert "<mark>H</mark>ERE" in text
    assert len(text) < 60_000
    assert text.count("octets left out") == 4


# --- octets and lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb", "a\nb"),
        (b"a\nb\rc", "a\\n\nb\\rc"),
        (b"a\\nb", "a\\nb"),
        (b"a\\n\x1b", "a\\\\n\\x1b"),
        ("grün \u202e".encode(), "grün \\u202e"),
        (b"\xff\t\0", "\\xff\\t\\x00"),
    ],
)
def test_octets_as_text(data: bytes, text: str) -> None:
    """Line breaks are line breaks where they are CR LF; all that cannot be read is an escape."""
    assert octets.text(data) == text


@pytest.mark.parametrize("offset", [None, -1, 0, 5, 9, 10, 11])
def test_window_is_made_of_the_octets(offset: int | None) -> None:
    """What is shown and what is left out are together what there is."""
    data = bytes(range(65, 75))
    cut = octets.window(data, offset, 4)
    shown = cut.before + cut.at + cut.after
    assert data[cut.cut_before : len(data) - cut.cut_after] == shown
    assert len(shown) == 4
    assert cut.at == (data[offset : offset + 1] if offset is not None and 0 <= offset < 10 else b"")


def test_curl_repeats_the_request() -> None:
    """The line, given to a shell, sends the same head and the same octets, credentials from the environment."""
    needed.program("curl")
    body = b"--mm7zeep-probe\r\n" + bytes(range(256)) + b"%s \\n '$HOME' `id` \"x\" \r\n" + "grün".encode()
    with probed.far_side(lambda said: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as (
        url,
        heard,
    ):
        sent = probed.request(body, 'SOAPAction: ""', "X-Empty:", "X-Odd: a'b").replace(b"X: y", b"")
        sent = sent.replace(b"127.0.0.1:8080", url.split("/")[2].encode())
        line = curl.line(result("submit/a", "FAIL", transmissions=(exchange(sent),)), exchange(sent), url)
        assert line is not None
        shell = {"PATH": "/usr/bin:/bin", curl.USER: f"{USER}:{PASSWORD}"}
        subprocess.run(["/bin/sh", "-c", line], env=shell, capture_output=True, timeout=20, check=True)
    [head, *_], [again, *_] = (one.split(b"\r\n\r\n", 1) for one in (sent, heard[0]))
    assert heard[0].split(b"\r\n\r\n", 1)[1] == body
    assert head.split(b"\r\n")[0] == again.split(b"\r\n")[0]
    assert fields(head) == fields(again)


def fields(head: bytes) -> list[bytes]:
    """The header fields in any order, blanks after the colon aside."""
    return sorted(re.sub(rb":[ \t]*", b":", one) for one in head.split(b"\r\n")[1:])


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET",
        b"POST / HTTP/1.1\nHost: x\n\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nX: \x1b[31m\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\n folded\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99999,
    ],
)
def test_curl_is_not_claimed_to_send_what_it_cannot(sent: bytes) -> None:
    """Where curl would send something else, there is no line; ours is there always."""
    one = result("http/odd", "FAIL", transmissions=(exchange(sent),))
    assert curl.line(one, exchange(sent), SETTINGS.url) is None
    assert shlex.split(curl.again(replace(one, id="a/'b"), SETTINGS.url, "vasp")) == [
        "mm7zeep", "probe", SETTINGS.url, "--role", "vasp", "--only", "a/'b",
    ]  # fmt: skip
