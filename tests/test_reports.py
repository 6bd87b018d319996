"""The reports that leave the house: JUnit, SARIF and HTML have the form their readers expect, and give nothing away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import unquote

import captures
import pytest
from lxml import etree
from lxml import html as lxml_html

from mm7zeep.conformance import pairs, verdict
from mm7zeep.conformance.input import capture
from mm7zeep.conformance.input.traffic import Carried
from mm7zeep.conformance.report import html, junit, sarif, view
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.findings import KINDS, finding

PACKED = captures.wire()
CLEAN, ANSWER = captures.dump(PACKED), captures.dump(captures.SUBMITTED)
ODD = captures.bent(CLEAN, b"FERRY</VASPID>", b"FERRY</VASPID><Deck>0301234567</Deck>")
BAD = captures.bent(CLEAN, b"</Subject>", b"</Sub>")
FORMATS: Mapping[str, Callable[..., str]] = {"junit": junit.render, "sarif": sarif.render, "page": html.render}


def judged(**files: bytes) -> list[Verdict]:
    """Verdicts on the messages of these files."""
    return [
        verdict.judge(one) for name, data in files.items() for one in capture.messages(name.replace("_", "."), data)
    ]


ALL = judged(odd_http=ODD, bad_http=BAD, pair_http=CLEAN + ANSWER)


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_report(form: str) -> None:
    """A report on nothing is a report all the same."""
    assert FORMATS[form]([])


@pytest.mark.parametrize("form", FORMATS)
def test_same_verdicts_same_report(form: str) -> None:
    """No clock, no order of its own: a report can be compared with the last one."""
    assert FORMATS[form](ALL) == FORMATS[form](ALL)


SECRET = b"cXVpZXQ6d2hpc3Blcg=="


def telling() -> list[Verdict]:
    """Messages full of what must not leave the house, in every place where a report shows something."""
    head = (
        b"POST  /mm7?password=whisper&to=0301234567 HTTP/1.1\r\nHost: quiet.example\r\nAuthorization : Basic " + SECRET
    )
    data = captures.bent(ODD, b"POST /mm7 HTTP/1.1", head)
    data = captures.bent(data, b"<Subject>Ferry", b"<Subject>\n 0301234567 ")
    data = captures.bent(data, b"<Number>+4930123456", b"<Number>+49 30 123456789 ")
    data = captures.bent(data, b"<VASID>Times", b"<Password>whisper</Password><VASID>Times")
    broken = captures.bent(data, b"</Subject>", b"</Sub>")
    [one, other] = judged(told_http=data, broken_http=broken)
    added = (
        finding("http/auth-no-colon", "Authorization", detail="whisper"),
        finding("sem/number-form", "/Envelope/Body/SubmitReq/Recipients/To/Number", detail="+49 30 123456789"),
        finding("sem/mail-form", "/Envelope/Body", detail="quiet.whisper@ferry.example"),
        finding("http/field-syntax", "Authorization", detail=f"Basic {SECRET.decode()}"),
    )
    return [replace(one, findings=(*one.findings, *added)), other]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("show_numbers", [False, True])
def test_credentials_are_masked(form: str, show_numbers: bool) -> None:
    """No credential is in a report, whatever was asked for."""
    text = FORMATS[form](telling(), show_numbers=show_numbers)
    for secret in (SECRET.decode(), "whisper"):
        assert secret not in text.replace("quiet.whisper@ferry.example", "" if show_numbers else "whisper")
    assert "***" in text


@pytest.mark.parametrize("form", FORMATS)
def test_numbers_are_masked_unless_asked_for(form: str) -> None:
    """Telephone numbers and mail addresses are hidden but for two digits, and shown where asked for."""
    told = telling()
    hidden, plain = FORMATS[form](told), FORMATS[form](told, show_numbers=True)
    for number in ("0301234567", "30 123456789", "quiet.whisper@"):
        assert number not in hidden
        assert number in plain
    assert "********67" in hidden
    assert "***@ferry.example" in hidden


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_sender_wrote_is_no_markup(form: str) -> None:
    """Markup, quotes, control and broken characters of a message end as text, in file names, too."""
    evil = b"<Deck a='\">&lt;img src=x>'>&lt;script>alert(1)&lt;/script>]]&gt;&amp;\"'"
    data = captures.bent(ODD, b"<Deck>0301234567", evil)
    found = judged(**{'<b>"\x1b\ud800&_http': data})
    text = FORMATS[form](found)
    text.encode("utf-8")
    assert "\x1b" not in text
    if form == "junit":
        assert etree.fromstring(text.encode()).get("failures") == "0"
    elif form == "sarif":
        assert json.loads(text)["runs"][0]["results"]
    else:
        tree = lxml_html.fromstring(text.encode())
        assert not tree.xpath("//script | //img | //b")


@pytest.mark.parametrize("form", FORMATS)
def test_every_finding_is_there(form: str) -> None:
    """Level, clause, place, what to do and the excerpt of each finding are in each report."""
    text = FORMATS[form](ALL)
    text = json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"') if form == "sarif" else unescape(text)
    for one in ALL:
        for line in view.message(one).lines:
            for words in (line.id, line.clause, line.wanted, line.to_do, line.excerpt or ""):
                assert words in text
            assert line.where in text or line.where.startswith(("line ", "byte "))


@pytest.mark.parametrize("form", FORMATS)
def test_short_numbers_and_names_are_masked(form: str) -> None:
    """A number of three to six digits, a short code and the name before a mail address, where an address stands."""
    to = b"<Number>77123</Number><ShortCode>5 55</ShortCode>"
    to += b"<RFC2822Address>Ann Bee &lt;ann@x.example&gt;</RFC2822Address>"
    data = captures.bent(ODD, b"<Number>+4930123456</Number>", to)
    told = judged(short_http=data)
    found = {one.detail for one in told[0].findings}
    assert {"5 55", "Ann Bee <ann@x.example>"} <= found
    added = finding("sem/recipient-duplicate", "/Envelope/Body/SubmitReq/Recipients/To/Number[2]", detail="77123")
    told = [replace(told[0], findings=(*told[0].findings, added))]
    hidden, plain = (unescape(FORMATS[form](told, show_numbers=shown)) for shown in (False, True))
    for words in ("77123", "5 55", "Ann Bee", "ann@x"):
        assert words not in hidden
        assert words in plain
    assert "*** *** <***@x.example>" in hidden


@pytest.mark.parametrize("form", ["junit", "page"])
def test_file_names_are_masked(form: str) -> None:
    """A capture may be called by the number it is about; the day in its name stays, and so it does in another."""
    told = judged(**{"mt-20260301-120000-491701234567_http": ODD})
    hidden, plain = FORMATS[form](told), FORMATS[form](told, show_numbers=True)
    assert "491701234567" not in hidden
    assert "mt-20260301-120000-**********67.http" in hidden
    assert "mt-20260301-120000-491701234567.http" in plain


def test_fingerprints_tell_files_apart_that_are_masked_alike() -> None:
    """Two files whose names differ in what is hidden have no finding in common."""
    told = json.loads(sarif.render(judged(**{"491701234567_http": ODD, "491709994567_http": ODD})))
    prints = [one["partialFingerprints"]["mm7zeep/v1"] for one in told["runs"][0]["results"]]
    assert len(set(prints)) == len(prints) > 1


@pytest.mark.parametrize("form", FORMATS)
def test_content_ids_stay_where_a_part_is_to_be_found(form: str) -> None:
    """A Content-ID that looks like a number or an address is shown, in the reason, too; not that of a recipient."""
    for id, shown in (
        ("2026110112345678901234@mms.example", True),
        ("4930123456@mms.example", False),
        ("030123456@mms.example", False),
    ):
        part = replace(captures.TEXT, content_id=id)
        data = captures.dump(captures.wire(replace(captures.SUBMIT, parts=(part,)), smil=False))
        data = captures.bent(data, b'href="cid:', b'href="cid:x')
        [captured] = capture.messages("ids.http", data)
        one = verdict.judge(captured, policy="strict")
        assert one.word == "reject"
        assert f"(cid:x{id}; the parts are cid:{id})" in one.reason
        assert (f"(cid:x{id}; the parts are cid:{id})" in view.message(one).reason) == shown
        assert (id in FORMATS[form]([one])) == shown


@pytest.mark.parametrize("form", FORMATS)
def test_a_boundary_that_looks_like_a_number_is_shown(form: str) -> None:
    """It is what a reader looks for in the capture."""
    boundary = "----_NextPart_000_0028_01C19839.84698430"
    wire = captures.wire(smil=False)
    head = next(value for name, value in wire.headers if name == "Content-Type")
    used = re.search(r'boundary="?([^";]+)', head)
    assert used is not None
    data = captures.dump(wire).replace(used[1].encode(), boundary.encode())
    [captured] = capture.messages("cut.http", data[: data.rindex(b"--" + boundary.encode() + b"--")])
    found = [one for one in verdict.judge(captured).findings if one.id == "mime/boundary-closed"]
    assert [one.detail for one in found] == [boundary]
    assert boundary in FORMATS[form]([verdict.judge(captured)])


# --- JUnit ------------------------------------------------------------------------------------------------------------


def junit_complaints(root: etree._Element) -> list[str]:
    """What breaks the rules that the schemas of Jenkins and of Ant have in common."""
    wrong: list[str] = []
    for node in root.iter("testsuites", "testsuite"):
        kinds = {"tests": "testcase", "failures": "failure", "errors": "error"}
        counts = {key: len(list(node.iter(kind))) for key, kind in kinds.items()}
        wrong += [f"{key} of {node.get('name')}" for key, count in counts.items() if node.get(key) != str(count)]
    allowed = {
        "testsuites": {"testsuite"}, "testsuite": {"testcase", "properties", "system-out", "system-err"},
        "testcase": {"failure", "error", "skipped", "system-out", "system-err"},
        "failure": set(), "system-out": set(),
    }  # fmt: skip
    needed = {"testsuite": {"name", "tests", "failures", "errors", "time"}, "testcase": {"name", "classname", "time"},
              "failure": {"message", "type"}, "testsuites": {"name"}, "system-out": set()}  # fmt: skip
    for node in root.iter():
        name = str(node.tag)
        wrong += [f"{child.tag} in {name}" for child in node if child.tag not in allowed[name]]
        wrong += [f"{key} of {name}" for key in sorted(needed[name] - set(map(str, node.attrib)))]
        if name == "testcase" and len(node) > 1:
            wrong.append("more than one outcome")
    return wrong


def test_junit_form() -> None:
    """One suite per file, one case per message, a failure per refusal, output for what was accepted with findings."""
    root = etree.fromstring(junit.render(ALL).encode())
    assert root.tag == "testsuites"
    assert junit_complaints(root) == []
    assert [one.get("name") for one in root] == ["odd.http", "bad.http", "pair.http"]
    assert [one.get("name") for one in root.iter("testcase")] == [
        "odd.http SubmitReq", "bad.http no operation", "pair.http SubmitReq", "pair.http#2 SubmitRsp",
    ]  # fmt: skip
    [failure] = root.iter("failure")
    assert failure.get("type") == "xml/well-formed"
    assert failure.get("message", "").startswith("the envelope is not well-formed")
    output = root.findtext("testsuite/testcase/system-out", "")
    assert "MUST schema/unknown-element at /Envelope/Body/SubmitReq/SenderIdentification/Deck" in output


def test_junit_check_can_fail() -> None:
    """The check of the form notices wrong counts, missing attributes and strangers."""
    root = etree.fromstring(junit.render(ALL).encode())
    root[0].set("tests", "9")
    del root[1].attrib["name"]
    etree.SubElement(root[2], "failure", message="x", type="y")
    assert len(junit_complaints(root)) >= 4


# --- SARIF ------------------------------------------------------------------------------------------------------------

# What SARIF 2.1.0 (OASIS) says of the objects we write, by hand: allowed properties with their types, "!" for required
# ones. Objects of the standard are closed but for "properties" (its schema has additionalProperties: false).
TEXT, NUMBER, ANY = "text", "number", "any"
SCHEMA: dict[str, dict[str, Any]] = {
    "log": {"$schema": TEXT, "version!": ("2.1.0",), "runs!": ["run"]},
    "run": {"tool!": "tool", "invocations": ["invocation"], "artifacts": ["artifact"], "results": ["result"],
            "columnKind": ("utf16CodeUnits", "unicodeCodePoints"), "properties": ANY},
    "tool": {"driver!": "component"},
    "component": {"name!": TEXT, "version": TEXT, "informationUri": TEXT, "rules": ["descriptor"]},
    "invocation": {"executionSuccessful!": ANY},
    "artifact": {"location": "artifactLocation", "roles": [("analysisTarget",)]},
    "descriptor": {"id!": TEXT, "shortDescription": "words", "fullDescription": "words", "help": "words",
                   "defaultConfiguration": "configuration", "properties": ANY},
    "configuration": {"level": ("none", "note", "warning", "error")},
    "words": {"text!": TEXT},
    "result": {"ruleId": TEXT, "ruleIndex": NUMBER, "level": ("none", "note", "warning", "error"), "message!": "words",
               "locations": ["location"], "partialFingerprints": ANY, "properties": ANY},
    "location": {"physicalLocation": "physicalLocation", "logicalLocations": ["logicalLocation"]},
    "physicalLocation": {"artifactLocation": "artifactLocation", "region": "region"},
    "artifactLocation": {"uri": TEXT, "index": NUMBER},
    "region": {"byteOffset": NUMBER, "byteLength": NUMBER, "startLine": NUMBER, "snippet": "words"},
    "logicalLocation": {"name": TEXT, "fullyQualifiedName": TEXT, "kind": TEXT},
}  # fmt: skip


def sarif_complaints(value: Any, kind: Any = "log", where: str = "") -> list[str]:
    """What in ``value`` breaks the schema above."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{where}: no list"]
        return [text for n, one in enumerate(value) for text in sarif_complaints(one, kind[0], f"{where}/{n}")]
    if isinstance(kind, tuple):
        return [] if value in kind else [f"{where}: {value!r}"]
    if kind == TEXT:
        return [] if isinstance(value, str) else [f"{where}: no text"]
    if kind == NUMBER:
        return [] if type(value) is int and value >= 0 else [f"{where}: no number"]
    if kind == ANY:
        return []
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    known = {key.rstrip("!"): inner for key, inner in SCHEMA[kind].items()}
    wrong = [f"{where}: no {key[:-1]}" for key in SCHEMA[kind] if key.endswith("!") and key[:-1] not in value]
    wrong += [f"{where}/{key} is not of SARIF" for key in value if key not in known]
    return wrong + [
        text
        for key, one in value.items()
        if key in known
        for text in sarif_complaints(one, known[key], f"{where}/{key}")
    ]


def run(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The run of a SARIF report that keeps to the standard."""
    log = json.loads(sarif.render(verdicts))
    assert sarif_complaints(log) == []
    [found] = log["runs"]
    return dict(found)


def test_sarif_form() -> None:
    """Rules are the table of kinds, results the findings, levels those of SARIF."""
    found = run(ALL)
    rules = found["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == list(KINDS)
    assert len({one["id"] for one in rules}) == len(rules)
    levels = {"MUST": "error", "SHOULD": "warning", "INFO": "note"}
    assert [one["defaultConfiguration"]["level"] for one in rules] == [levels[one.level] for one in KINDS.values()]
    wanted = [(one.id, levels[one.level]) for each in ALL for one in each.findings]
    assert [(one["ruleId"], one["level"]) for one in found["results"]] == wanted
    assert len(wanted) >= 2
    for one in found["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
    prints = [one["partialFingerprints"]["mm7zeep/v1"] for one in found["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_check_can_fail() -> None:
    """The check of the form notices what is missing, strange or of another type."""
    log = json.loads(sarif.render(ALL))
    log["runs"][0]["results"][0]["level"] = "MUST"
    log["runs"][0]["results"][0]["locations"][0]["where"] = "x"
    del log["runs"][0]["tool"]["driver"]["name"]
    assert len(sarif_complaints(log)) == 3


def places(verdicts: Sequence[Verdict]) -> dict[str, tuple[int | None, str, str]]:
    """Offset, path and file by the kind of finding."""
    found = {}
    for one in run(verdicts)["results"]:
        [location] = one["locations"]
        physical = location["physicalLocation"]
        where = physical.get("region", {}).get("byteOffset"), location["logicalLocations"][0]["fullyQualifiedName"]
        found[one["ruleId"]] = (*where, physical["artifactLocation"]["uri"])
    return found


def test_sarif_places() -> None:
    """Offsets are octets of the file: of the envelope, of the part, of the head; also in the second message."""
    head = captures.bent(ODD, b"POST /mm7 ", b"POST  /mm7 ")
    part = captures.bent(head, b"Content-Type: text/plain", b"Content-Type: text/x-plain")
    for before in (b"", CLEAN):
        octets = before + part
        found = places(judged(x_http=octets))
        offset, where, file = found["schema/unknown-element"]
        assert offset is not None
        assert offset >= len(before)
        assert octets[offset:].startswith(b"<?xml")
        assert (where, file) == ("/Envelope/Body/SubmitReq/SenderIdentification/Deck", "x.http")
        offset, where, _ = found["http/request-line"]
        assert (offset, where) == (len(before), "request line")
        offset, *_ = found["mime/vendor-type"]
        assert offset is not None
        assert b"text/x-plain" in octets[offset : offset + 200].split(b"\r\n\r\n")[0]


def test_sarif_places_in_recordings() -> None:
    """What a recording carried has no octets in the file, but its exchange and its number."""
    [one] = capture.messages("x", ODD)
    carried = Carried(file="a/x y.pcap", index=4, kind=one.kind, wire=one.wire, exchange="192.0.2.7:1 > 192.0.2.8:2")
    [result] = run([verdict.judge(carried)])["results"]
    [location] = result["locations"]
    assert location["physicalLocation"] == {"artifactLocation": {"uri": "a/x%20y.pcap"}}
    assert location["logicalLocations"][1] == {"fullyQualifiedName": "a/x y.pcap#5", "kind": "module"}
    assert result["properties"]["exchange"] == "192.0.2.7:1 > 192.0.2.8:2"


def test_sarif_places_in_chunks() -> None:
    """Undone chunks have moved the octets: the body is named, and no more."""
    data = captures.chunked().replace(b"POST /mm7 ", b"POST  /mm7 ")
    data = data.replace(b"Content-Type: multipart", b"X-A: b\nContent-Type: multipart", 1)
    [one] = judged(x_http=data)
    told = replace(one, findings=(finding("mime/empty-part", "byte 700"), finding("xml/no-pi", "/Envelope")))
    offsets = {offset for offset, *_ in places([told]).values()}
    assert offsets == {data.index(b"\r\n\r\n") + 4}


@pytest.mark.parametrize(
    ("file", "uri"),
    [("a/b.http", "a/b.http"), ("/a b/c.http", "file:///a%20b/c.http"), ("-", "stdin"), ("a:b?#%", "a%3Ab%3F%23%25"),
     ("ü\udcff", "%C3%BC%FF")],
)  # fmt: skip
def test_uri(file: str, uri: str) -> None:
    """File names become URI references, whatever they hold."""
    assert sarif.uri(file) == uri
    assert re.fullmatch(r"[A-Za-z0-9%/.:_~-]+", uri)
    assert file in ("-", unquote(uri, errors="surrogateescape").removeprefix("file://"))


# --- HTML -------------------------------------------------------------------------------------------------------------


def test_page_stands_alone() -> None:
    """No script, no reference to anything else, both colour schemes; its own links lead somewhere."""
    text = html.render(ALL)
    tree = lxml_html.fromstring(text.encode())
    assert not tree.xpath(
        "//script | //link | //img | //iframe | //object | //*[@src] | //@*[starts-with(name(), 'on')]"
    )
    assert "url(" not in text
    assert "@import" not in text
    assert "color-scheme: light dark" in text
    assert "prefers-color-scheme: dark" in text
    targets = tree.xpath("//a/@href")
    assert len(targets) == len(ALL)
    for one in targets:
        assert tree.xpath(f"//*[@id='{one[1:]}']")


def test_page_has_a_row_per_message_and_a_block_per_finding() -> None:
    """The table has verdict and counts; each message its section, each finding its block with the excerpt."""
    tree = lxml_html.fromstring(html.render(ALL).encode())
    rows = [[cell.text_content() for cell in row] for row in tree.xpath("//tbody/tr")]
    assert [row[:3] for row in rows] == [
        ["odd.http", "accept", "SubmitReq"], ["bad.http", "reject", "no operation"],
        ["pair.http", "accept", "SubmitReq"], ["pair.http#2", "accept", "SubmitRsp"],
    ]  # fmt: skip
    for row, one in zip(rows, ALL, strict=True):
        levels = [each.level for each in one.findings]
        assert row[3:] == [str(levels.count(level) or "") for level in ("MUST", "SHOULD", "INFO")]
    assert rows[0][3] != ""
    assert len(tree.xpath("//div[@class='finding']")) == sum(len(one.findings) for one in ALL)
    assert "<Deck>********67</Deck>" in [one.text for one in tree.xpath("//pre")]
    warned = sum(one.warned for one in ALL)
    assert f"4 messages: 3 accepted ({warned} with warnings), 1 rejected" in tree.findtext(".//title")


def test_page_names_the_exchange() -> None:
    """A message of a recording is shown with what carried it."""
    [one] = capture.messages("x", CLEAN)
    carried = Carried(file="x.har", index=0, kind=one.kind, wire=one.wire, exchange="entry 12")
    assert html.render([verdict.judge(carried)]).count("entry 12") == 2


def test_pair_findings_are_reported() -> None:
    """What the rules for pairs add is reported like the rest."""
    other = captures.bent(ANSWER, b"ferry-1", b"ferry-9")
    added = pairs.judge(judged(x_http=CLEAN + other))
    assert places(added)["soap/transaction-echo"][1] == "/Envelope/Header/TransactionID"
    assert "ferry-9 for ferry-1" in html.render(added)
