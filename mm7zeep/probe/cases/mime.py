"""Role mmsc: the MIME package around a submit (catalogue A3)."""

from __future__ import annotations

import base64
from dataclasses import replace

from mm7zeep.probe.accept import H4XX, OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.results import Level
from mm7zeep.probe.stimulus import BOUNDARY, ROOT_ID, Piece, Stimulus, nested, package, piece

_TYPE = f'multipart/related; boundary="{BOUNDARY}"'
_START = f'; start="<{ROOT_ID}>"'
_SPECIALS = "a=_?:/ ()" + "x" * 61  # 70 characters, the most that RFC 2046 5.1.1 allows
_GIF = b"GIF89a\r\n--mm7zeep\r\n--\r\n\x00\xff;"  # what a server might take for a delimiter
_DELIMITER = f"--{BOUNDARY}".encode()


def _root(made: Stimulus, *more: tuple[str, str]) -> Piece:
    """The SOAP part of a stimulus, with further header fields."""
    return Piece(head=(*made.root_head, *more), body=made.root())


def _text(mark: str, content_id: str | None = "text@probe.example") -> Piece:
    """A text part that says the mark."""
    more = () if content_id is None else (("Content-ID", f"<{content_id}>"),)
    return piece(f"Hello from the probe: {mark}", "text/plain; charset=utf-8", *more)


def _gif(mark: str) -> Piece:
    """A picture that holds the mark."""
    return piece(
        _GIF + mark.encode(),
        "image/gif",
        ("Content-Transfer-Encoding", "binary"),
        ("Content-ID", "<picture@probe.example>"),
    )


def _linked(lab: Lab, content_id: str, href: str) -> Stimulus:
    """A submit whose one part has this Content-ID, and whose Content has this href."""
    made = lab.submit()
    return made.carrying(_text(made.mark, content_id), href=href)


# --- the Content-Type of the package ----------------------------------------------------------------------------------


def _labelled(id: str, level: Level, clause: str, kind: str, what: str) -> Case:
    @case(f"mime/{id}", level, clause, f"A package {what} is accepted.")
    def labelled(lab: Lab) -> None:
        lab.expect(lab.ask(lab.submit().labelled(kind)), OK)

    return labelled


LABELLED = (
    _labelled("type-quoted", "MUST", "RFC 2387 3", f'{_TYPE}; type="text/xml"{_START}', 'with type="text/xml"'),
    _labelled(
        "type-bare",
        "SHOULD",
        "RFC 2045 5.1; practice",
        f"{_TYPE}; type=text/xml{_START}",
        "with type=text/xml, without quotes,",
    ),
    _labelled(
        "start-missing", "MUST", "RFC 2387 3.2", f'{_TYPE}; type="text/xml"', "without start, whose root comes first,"
    ),
)


@case("mime/type-missing", "INFO", "RFC 2387 3.1", "A package without type is accepted whole, or refused.")
def type_missing(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().labelled(_TYPE + _START)), OK, REF(4004), H(400))


@case("mime/root-last", "MUST", "RFC 2387 3.2; SwA 3", "The SOAP part is found by start where it comes last.")
def root_last(lab: Lab) -> None:
    made = lab.submit()
    lab.expect(lab.ask(made.with_body(package((*(made.pieces or ()), _root(made)), BOUNDARY))), OK)


@case("mime/start-dangling", "SHOULD", "RFC 2387 3.2", "A package whose start names no part is accepted, or refused.")
def start_dangling(lab: Lab) -> None:
    kind = f'{_TYPE}; type="text/xml"; start="<nothing@probe.example>"'
    lab.any(lab.ask(lab.submit().labelled(kind)), OK, REF(4004, 2007))


@case("mime/outer-mixed", "INFO", "SwA 3", "multipart/mixed in the place of related is accepted whole, or refused.")
def outer_mixed(lab: Lab) -> None:
    made = lab.submit()
    lab.any(lab.ask(made.labelled(made.kind().replace("related", "mixed"))), OK, REF(4004), H(415))


# --- boundaries and delimiters ----------------------------------------------------------------------------------------


@case("mime/boundary-missing", "MUST", "RFC 2046 5.1", "A package without a boundary is refused.")
def boundary_missing(lab: Lab) -> None:
    made = lab.submit().unread().labelled(f'multipart/related; type="text/xml"{_START}')
    lab.expect(lab.ask(made), H(400), REF(4004, 2007))


@case(
    "mime/boundary-specials",
    "MUST",
    "RFC 2046 5.1.1",
    "A boundary of 70 characters with all that may stand in quotes is accepted.",
)
def boundary_specials(lab: Lab) -> None:
    lab.expect(lab.ask(replace(lab.submit(), boundary=_SPECIALS)), OK)


@case(
    "mime/boundary-nested-prefix",
    "MUST",
    "RFC 2046 5.1.2",
    "Where an inner boundary begins with the outer one, the parts are exact, or the message is refused.",
)
def boundary_nested_prefix(lab: Lab) -> None:
    made = lab.submit()
    text, gif = _text(made.mark), _gif(made.mark)
    inner = nested((text, gif), "mixed", "content@probe.example", boundary=f"{BOUNDARY}x")
    made = made.carrying(inner, href="cid:content@probe.example").arriving(text.body, gif.body)
    lab.any(lab.ask(made), OK, REF(2004, 2007, 4004), H(400))


@case("mime/preamble", "MUST", "RFC 2046 5.1", "Text before the first and after the last delimiter is ignored.")
def preamble(lab: Lab) -> None:
    made = lab.submit()
    lab.expect(lab.ask(made.with_body(b"A message in parts.\r\n" + made.body() + b"\r\nThe end.\r\n")), OK)


@case(
    "mime/closing-missing",
    "SHOULD",
    "RFC 2046 5.1.1",
    "A package without its closing delimiter is refused, or accepted with whole content.",
)
def closing_missing(lab: Lab) -> None:
    made = lab.submit()
    cut = made.body().removesuffix(b"\r\n" + _DELIMITER + b"--\r\n")
    lab.any(lab.ask(made.with_body(cut)), OK, REF(4004, 2007, 2004), H(400))


@case("mime/delimiter-blanks", "MUST", "RFC 2046 5.1.1", "Blanks behind a delimiter are ignored.")
def delimiter_blanks(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().edited_body(_DELIMITER + b"\r\n", _DELIMITER + b" \t \r\n", count=2)), OK)


@case(
    "mime/lf-only", "INFO", "RFC 2046 5.1.1", "A package whose lines end with LF alone is accepted whole, or refused."
)
def lf_only(lab: Lab) -> None:
    made = lab.submit()
    lab.any(lab.ask(made.with_body(made.body().replace(b"\r\n", b"\n"))))


# --- header fields of parts -------------------------------------------------------------------------------------------


@case("mime/part-header-case", "MUST", "RFC 2045 1", "Names of header fields of parts may be in any case.")
def part_header_case(lab: Lab) -> None:
    made = lab.submit()
    body = made.body().replace(b"\r\nContent-Type:", b"\r\ncontent-type:")
    lab.expect(lab.ask(made.with_body(body.replace(b"\r\nContent-ID:", b"\r\nCONTENT-ID:"))), OK)


@case("mime/part-header-folded", "SHOULD", "RFC 5322 2.2.3", "A header field of a part may be folded over two lines.")
def part_header_folded(lab: Lab) -> None:
    made = lab.submit().edited_body(b"Content-Type: text/plain; ", b"Content-Type: text/plain;\r\n  ")
    lab.expect(lab.ask(made), OK)


@case(
    "mime/soap-base64",
    "SHOULD",
    "RFC 2045 6; SwA 3",
    "A SOAP part with Content-Transfer-Encoding base64 is decoded.",
)
def soap_base64(lab: Lab) -> None:
    made = lab.submit()
    root = _root(made, ("Content-Transfer-Encoding", "base64"))
    encoded = replace(root, body=base64.encodebytes(root.body).replace(b"\n", b"\r\n"))
    lab.expect(lab.ask(made.with_body(package((encoded, *(made.pieces or ())), BOUNDARY))), OK)


# --- references -------------------------------------------------------------------------------------------------------


@case("mime/cid-resolves", "MUST", "RFC 2392 2; SwA 3", "href cid:a@b names the part with Content-ID <a@b>.")
def cid_resolves(lab: Lab) -> None:
    lab.expect(lab.ask(_linked(lab, "one.two@probe.example", "cid:one.two@probe.example")), OK)


@case("mime/cid-no-at", "SHOULD", "RFC 2045 7; practice", "A Content-ID without @ is accepted.")
def cid_no_at(lab: Lab) -> None:
    lab.expect(lab.ask(_linked(lab, "content", "cid:content")), OK)


@case("mime/cid-escaped", "SHOULD", "RFC 2392 2", "href cid:a%25b@c names the part with Content-ID <a%b@c>.")
def cid_escaped(lab: Lab) -> None:
    lab.expect(lab.ask(_linked(lab, "one%two@probe.example", "cid:one%25two@probe.example")), OK)


@case("mime/cid-unresolved", "SHOULD", "SwA 3; RFC 2392 2", "A message whose href names no part is refused.")
def cid_unresolved(lab: Lab) -> None:
    made = lab.submit()
    made = made.carrying(_text(made.mark), _gif(made.mark), href="cid:nothing@probe.example")
    lab.expect(lab.ask(made), REF(2004, 2007, 4004, 2000))


@case(
    "mime/cid-duplicate", "SHOULD", "RFC 2045 7", "A message with two parts of one Content-ID is refused, or accepted."
)
def cid_duplicate(lab: Lab) -> None:
    made = lab.submit()
    parts = (
        _text(made.mark),
        piece(f"Another text: {made.mark}", "text/plain", ("Content-ID", "<text@probe.example>")),
    )
    made = made.carrying(*parts, href="cid:text@probe.example").arriving()  # which of them is meant is open
    lab.any(lab.ask(made), OK, REF(2004, 2007, 4004))


@case(
    "mime/content-location",
    "INFO",
    "SwA 3; RFC 2557 4.2",
    "A part that is named by its Content-Location is accepted whole, or refused.",
)
def content_location(lab: Lab) -> None:
    made, url = lab.submit(), "http://probe.example/text"
    part = piece(f"Hello from the probe: {made.mark}", "text/plain", ("Content-Location", url))
    lab.any(lab.ask(made.carrying(part, href=url)))


@case("mime/extra-part", "MUST", "SwA 3", "A part that nothing refers to does no harm.")
def extra_part(lab: Lab) -> None:
    made = lab.submit()
    text = _text(made.mark)
    lab.expect(lab.ask(made.carrying(text, _gif(made.mark), href="cid:text@probe.example").arriving(text.body)), OK)


# --- what is no package -----------------------------------------------------------------------------------------------


@case(
    "mime/header-multipart-body-xml",
    "SHOULD",
    "RFC 2046 5.1",
    "A body that is labelled as multipart and is an envelope alone is refused.",
)
def header_multipart_body_xml(lab: Lab) -> None:
    made = lab.submit().unread()
    lab.expect(lab.ask(made.with_body(made.root())), REF(2007, 4004, 2000), H4XX)


@case("content/cut", "MUST", "RFC 2046 5.1.1", "A message whose body ends inside its last part is refused.")
def cut(lab: Lab) -> None:
    made = lab.submit()
    end = made.body().rindex(made.mark.encode()) + 4
    lab.expect(lab.ask(made.with_body(made.body()[:end])), REF(2004, 2007, 4004), H(400))


@case(
    "content/delimiter-typo",
    "MUST",
    "RFC 2046 5.1.1",
    "A message with a letter off in an inner delimiter is refused, or arrives with all its parts.",
)
def delimiter_typo(lab: Lab) -> None:
    made = lab.submit()
    parts = (
        _text(made.mark),
        _gif(made.mark),
        piece(f"The end: {made.mark}", "text/plain", ("Content-ID", "<end@probe.example>")),
    )
    inner = nested(parts, "mixed", "content@probe.example")
    broken = inner.body.replace(b"--mm7zeep-inner\r\nContent-Type: image", b"--mm7zeep-innar\r\nContent-Type: image")
    made = made.carrying(replace(inner, body=broken), href="cid:content@probe.example")
    lab.any(lab.ask(made.arriving(*(one.body for one in parts))), OK, REF(2004, 2007, 4004), H(400))


def _empty_href(name: str, attribute: str, what: str) -> Case:
    @case(f"content/empty-href/{name}", "SHOULD", "SwA 3; RFC 2392 2", f"Content {what} beside two parts is refused.")
    def empty_href(lab: Lab) -> None:
        made = lab.submit()
        made = made.carrying(_text(made.mark), _gif(made.mark)).edit(made.reference(), attribute)
        lab.expect(lab.ask(made), REF(2004, 2007, 4004))

    return empty_href


EMPTY_HREF = (
    _empty_href("empty", 'href=""', "with an empty href"),
    _empty_href("none", "", "without an href"),
)


@case(
    "content/namespace-foreign",
    "SHOULD",
    "Namespaces in XML 2.2",
    "A namespace that is declared and not used does no harm, though its name is no URI.",
)
def namespace_foreign(lab: Lab) -> None:
    made = lab.submit()
    lab.expect(lab.ask(made.edit("<SubmitReq ", '<SubmitReq xmlns:vendor="our own: 100% extra" ')), OK)
