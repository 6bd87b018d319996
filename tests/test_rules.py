"""The rules with which the catalogue began: messages made by the library that break them, and verdicts on them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import captures
import pytest

from mm7zeep import exchange
from mm7zeep.conformance import rules, verdict
from mm7zeep.conformance.input import capture
from mm7zeep.errors import RemoteError
from mm7zeep.exchange import Wire
from mm7zeep.findings import KINDS
from mm7zeep.messages import Part
from mm7zeep.vectors.building import SUBMIT


def submit(*parts: Part, smil: bool = False) -> bytes:
    """A dumped submit with these parts."""
    return captures.dump(captures.wire(replace(captures.SUBMIT, parts=parts), smil=smil))


def answer(status: int, body: bytes | str, kind: str = "text/xml") -> bytes:
    """A dumped response."""
    octets = body if isinstance(body, bytes) else body.encode()
    return captures.dump(Wire(status=status, headers=(("Content-Type", kind),), body=octets))


def slides(*sources: str) -> Part:
    """A presentation that names these sources."""
    shown = "".join(f'<par><img src="{source}"/></par>' for source in sources)
    return Part(body=f"<smil><body>{shown}</body></smil>".encode(), content_type="application/smil")


TEXT, GIF = captures.TEXT, captures.GIF
HTML = "<!DOCTYPE html><html><body><p>Gateway down<br></body></html>"
LATIN = replace(TEXT, body=b"F\xe4hre", parameters=(("charset", "us-ascii"),))
NAMELESS = replace(GIF, name=None)

BROKEN = {
    "http/status-fault": captures.dump(replace(captures.wire(captures.REFUSED), status=200)),
    "http/error-status": answer(502, b""),
    "http/html-answer": answer(200, HTML, "text/html"),
    "http/error-body": answer(200, '{"error": "no route"}', "application/json"),
    "mime/text-charset-decodes": submit(LATIN),
    "mime/media-type-content": submit(replace(GIF, content_type="image/png")),
    "mime/vendor-type": submit(replace(TEXT, content_type="text/x-ferry")),
    "sem/smil-missing": submit(TEXT, GIF),
    "sem/smil-well-formed": submit(Part(body=b"<smil><body>", content_type="application/smil"), GIF),
    "sem/smil-references": submit(slides("cid:chart@ferry.example"), GIF),
    "sem/smil-reference-form": submit(slides("map@ferry.example"), NAMELESS),
}
FINE = {
    "http/status-fault": captures.dump(captures.REFUSED),
    "http/error-status": captures.dump(captures.REFUSED),
    "http/html-answer": answer(200, "<html", "text/plain").replace(b"<html", b"<htm"),
    "http/error-body": captures.dump(captures.SUBMITTED),
    "mime/text-charset-decodes": submit(replace(LATIN, parameters=(("charset", "iso-8859-1"),))),
    "mime/media-type-content": submit(GIF),
    "mime/vendor-type": submit(replace(TEXT, content_type="video/x-msvideo")),
    "sem/smil-missing": submit(TEXT, GIF, smil=True),
    "sem/smil-well-formed": submit(slides("map.gif"), GIF),
    "sem/smil-references": submit(slides("cid:map@ferry.example", "map.gif", "http://ferry.example/x.gif"), GIF),
    "sem/smil-reference-form": submit(slides("cid:map@ferry.example", "map.gif"), GIF),
}


def raised(data: bytes) -> set[str]:
    """The rules that the single message of a file breaks."""
    [captured] = capture.messages("x", data)
    return {found.id for found in verdict.judge(captured).findings} & set(rules.RULES)


def test_every_rule_has_cases() -> None:
    """Both sides have the same cases, all of rules; that no rule is without one, ``test_rule_catalogue`` sees to."""
    assert set(BROKEN) == set(FINE) <= set(rules.RULES)
    assert set(rules.RULES) <= set(KINDS)
    assert [rule.id for rule in rules.RULES.values()] == list(rules.RULES)


@pytest.mark.parametrize("id", BROKEN)
def test_broken(id: str) -> None:
    """The message breaks exactly that rule; what is a page or JSON has no envelope besides."""
    assert raised(BROKEN[id]) - {"soap/envelope-present"} == {id}
    assert ("soap/envelope-present" in raised(BROKEN[id])) == (id in ("http/html-answer", "http/error-body"))


@pytest.mark.parametrize("id", FINE)
def test_fine(id: str) -> None:
    """The message keeps that rule."""
    assert id not in raised(FINE[id])


def test_reference_forms() -> None:
    """What follows cid: is a Content-ID: a file name there names nothing, without cid: it names the part."""
    assert raised(submit(slides("cid:map.gif"), GIF)) == {"sem/smil-references"}
    assert raised(submit(slides("map.gif"), GIF)) == set()


def test_refusals() -> None:
    """What stands where a SOAP answer belongs is refused; a Fault with 200 is understood all the same."""
    assert verdicts(BROKEN[id] for id in ("http/error-status", "http/html-answer", "http/error-body")) == ["reject"] * 3
    assert verdicts([BROKEN["http/status-fault"]]) == ["accept"]
    assert verdicts([captures.dump(captures.REFUSED), captures.dump(captures.SUBMITTED)]) == ["accept"] * 2


def test_error_page_is_told_by_its_status() -> None:
    """A page in the place of an answer, with an error status: that is said, and nothing about the page's XML."""
    [captured] = capture.messages("x", answer(503, HTML, "text/html"))
    judged = verdict.judge(captured)
    assert {one.id for one in judged.findings} == {"http/error-status", "http/html-answer", "soap/envelope-present"}
    assert "503" in judged.reason


def verdicts(files: Iterable[bytes]) -> list[str]:
    """The verdict on each message."""
    return [verdict.judge(one).word for data in files for one in capture.messages("x", data)]


def test_content_of_unreadable_envelopes_is_not_judged() -> None:
    """Of a document that is not XML nothing is asked but that it be XML."""
    data = submit(LATIN, replace(TEXT, content_id="b@ferry.example")).replace(b"</soap", b"</sope")
    [captured] = capture.messages("x", data)
    found = {one.topic for one in verdict.judge(captured).findings}
    assert "not-well-formed" in found
    assert not found & {"smil-missing", "charset-mismatch", "media-type-odd"}


@pytest.mark.parametrize(
    ("bend", "word"),
    [
        (lambda data: data, "accept"),
        (lambda data: data.replace(b"Host", b"Host ").replace(b"Host :", b"Host:"), "accept"),
        (lambda data: data.replace(b"Content-Length: ", b"Content-Length: 9"), "accept"),
        (lambda data: re.sub(rb"Content-Length: [0-9]+", b"Content-Length: 700", data), "accept"),
        (lambda data: data.replace(b"Content-Length: ", b"Content-Length: n"), "accept"),
        (lambda data: b"\n".join(data.split(b"\r\n", 3)[:3]) + b"\r\n" + data.split(b"\r\n", 3)[3], "accept"),
        (lambda data: data.replace(b"Host:", b"Host :"), "reject"),
        (lambda data: data.replace(b" HTTP/1.1", b""), "reject"),
        (lambda data: data.replace(b"\r\n\r\n", b"\r\n", 1), "reject"),
    ],
    ids=["clean", "same", "longer", "shorter", "no-length", "bare-lf", "blank-colon", "no-version", "no-blank-line"],
)
def test_strict_on_the_head(bend: object, word: str) -> None:
    """Strict refuses faults of the framing, and accepts bare line feeds and lengths as copies of captures have them."""
    assert callable(bend)
    [captured] = capture.messages("x", bend(captures.dump()))
    judged = verdict.judge(captured, policy="strict")
    assert (judged.word, bool(judged.reason)) == (word, word == "reject")
    assert verdict.judge(captured).word == "accept"


@pytest.mark.parametrize(
    ("added", "level"),
    [
        (4, "INFO"),
        (1, "INFO"),
        (7, "MUST"),
        (-1, "MUST"),
        (None, "MUST"),
    ],
    ids=["line-ends-lost", "a-line-end-lost", "cut", "too-much", "no-number"],
)
def test_length_that_line_ends_explain(added: int | None, level: str) -> None:
    """What the line ends of a copy explain is no fault of the sender; all is reported, and nothing refused.

    Of a copy with four bare line feeds four carriage returns were lost, and perhaps the last line end.
    """
    head, _, body = SUBMIT.replace(b"><", b">\n<", 4).partition(b"\r\n\r\n")
    length = b"nnn" if added is None else b"%d" % (len(body) + added)
    head = re.sub(rb"(Content-Length: )[0-9]+", rb"\g<1>" + length, head)
    [captured] = capture.messages("x", head + b"\r\n\r\n" + body)
    judged = verdict.judge(captured)
    assert [one.level for one in judged.findings if one.id == "http/content-length"] == [level]
    assert (judged.word, verdict.judge(captured, policy="strict").word) == ("accept", "accept")


@pytest.mark.parametrize("dump", [*BROKEN.values(), captures.dump(captures.wire())])
def test_unpack_gives_the_same_findings(dump: bytes) -> None:
    """With the rules, ``unpack`` tells of a message what ``check`` tells of it, whether it is accepted or refused."""
    [captured] = capture.messages("x", dump)
    judged = verdict.judge(captured)
    try:
        found = exchange.unpack(captured.wire, limits=verdict.LIMITS, rules=rules.of).findings
    except RemoteError as error:
        found = error.findings
    if any(one.id == "http/error-status" for one in judged.findings):
        found = tuple(one for one in found if one.id.startswith("http/"))  # check asks no more of an error page
    assert set(found) == set(judged.findings) - set(captured.findings)
    if judged.judgement.accepted:
        assert set(exchange.unpack(captured.wire, limits=verdict.LIMITS).findings) <= set(found)
