"""The same message with content and packages in the many forms that the texts allow.

All are right. A reader that takes the usual form only refuses them, or loses octets of the content.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator

from mm7zeep.vectors.building import (
    HREF,
    MAP,
    NOTE,
    ONE,
    RELATED,
    bent,
    every,
    nested,
    octets,
    packed,
    parts,
    slides,
    submit,
)
from mm7zeep.vectors.envelopes import content
from mm7zeep.vectors.operations import Made

_ALL = bytes(range(256))
_TIDE = submit("<Subject>Högt vatten</Subject>")


def contents() -> Iterator[Made]:
    """Every form of the content, then of the package around it."""
    yield from _of_content()
    yield from _of_package()


def _part(body: bytes, *, kind: str = "application/octet-stream", more: str = "") -> bytes:
    """A part that Content names, with ``more`` header lines, each ended."""
    return f"Content-Type: {kind}\r\n{more}Content-ID: <note@kiosk.example>\r\n\r\n".encode() + body


def _held(body: bytes, *, kind: str = "application/octet-stream", more: str = "") -> bytes:
    return packed(submit(HREF), _part(body, kind=kind, more=more))


def _encoded(name: str) -> str:
    return f"Content-Transfer-Encoding: {name}\r\n"


def _of_content() -> Iterator[Made]:
    yield from _of_transfer_encodings()
    yield from _of_line_ends()
    yield from _of_charsets_and_kinds()


def _of_transfer_encodings() -> Iterator[Made]:
    """Octets in each encoding of RFC 2045."""
    yield Made("content/all-octets", "every octet there is, as such", _held(_ALL, more=_encoded("binary")))
    yield Made(
        "content/all-octets-base64",
        "every octet there is, in base64",
        _held(base64.encodebytes(_ALL).replace(b"\n", b"\r\n"), more=_encoded("base64")),
    )
    yield Made(
        "content/base64-one-line",
        "base64 in one line of 1,368 characters",
        _held(base64.b64encode(_ALL * 4), more=_encoded("BASE64")),
    )
    yield Made(
        "content/quoted-printable",
        "quoted-printable with soft line breaks",
        _held(_QUOTED, kind="text/plain; charset=utf-8", more=_encoded("quoted-printable")),
    )


def _of_line_ends() -> Iterator[Made]:
    """Octets that a reader may take for the package around them."""
    yield Made(
        "content/ends-in-crlf",
        "a CRLF at the end that belongs to the content",
        _held(b"High water\r\n", kind="text/plain; charset=utf-8"),
    )
    yield Made(
        "content/ends-in-two-crlf",
        "two CRLF at the end that belong to the content",
        _held(b"High water\r\n\r\n", kind="text/plain; charset=utf-8"),
    )
    yield Made(
        "content/begins-with-crlf",
        "a CRLF at the beginning that belongs to the content",
        _held(b"\r\nHigh water", kind="text/plain; charset=utf-8"),
    )
    yield Made(
        "content/bare-line-feeds",
        "line feeds alone in binary content",
        _held(b"GIF89a\n\n\r\n\n\r\x00\n", kind="image/gif"),
    )
    yield Made(
        "content/boundary-inside-a-line",
        "the delimiter inside a line of the content",
        _held(b"use --cut-here in the middle of a line", kind="text/plain; charset=utf-8"),
    )


def _of_charsets_and_kinds() -> Iterator[Made]:
    """Texts by their charset, and content that looks like a message."""
    yield Made(
        "content/iso-8859-1-text",
        "text in ISO-8859-1, labelled",
        _held("Högt".encode("latin-1"), kind="text/plain; charset=iso-8859-1"),
    )
    yield Made(
        "content/utf-16-text",
        "text in UTF-16, labelled",
        _held("Högt".encode("utf-16"), kind="text/plain; charset=utf-16"),
    )
    yield Made("content/html-markup", "XML as content", _held(b"<a>&amp;</a>", kind="application/xml; charset=utf-8"))
    yield Made(
        "content/envelope-as-content",
        "a SOAP envelope as content",
        _held(octets(_TIDE), kind="text/xml; charset=utf-8"),
    )
    yield Made(
        "content/two-alike",
        "two parts of the same octets",
        packed(
            submit(content("cid:all@kiosk.example")),
            nested(slides("cid:note@kiosk.example", "cid:more@kiosk.example"), NOTE, NOTE.replace("note@", "more@")),
        ),
    )


_QUOTED = (
    quopri.encodestring(
        "Högt vatten klockan sex på morgonen, lågt vatten klockan tolv; båten går klockan ett = 13.00".encode()
    )
    .replace(b"\n", b"\r\n")
    .rstrip(b"\r\n")
)


def _of_package() -> Iterator[Made]:
    yield from _of_multiparts()
    yield from _of_spellings()
    yield from _of_references()
    yield from _of_delimiters()
    yield from _of_fields_and_parameters()


def _of_multiparts() -> Iterator[Made]:
    """Multiparts of other kinds, and in each other."""
    yield Made("package/alternative", "multipart/alternative as content", _nested("multipart/alternative"))
    yield Made("package/mixed", "multipart/mixed as content", _nested("multipart/mixed"))
    yield Made(
        "package/two-deep",
        "a multipart in a multipart in a multipart",
        packed(submit(content("cid:all@kiosk.example")), _deep()),
    )


def _of_spellings() -> Iterator[Made]:
    """Headers of parts, spelt otherwise."""
    yield Made(
        "package/header-case",
        "header names of parts in small letters",
        bent(
            ONE,
            b"Content-Type: text/plain; charset=utf-8\r\nContent-ID:",
            b"content-type: text/plain; charset=utf-8\r\ncontent-id:",
        ),
    )
    yield Made(
        "package/header-folded",
        "a part header over two lines",
        bent(ONE, b"text/plain; charset=utf-8", b"text/plain;\r\n\tcharset=utf-8"),
    )
    yield Made(
        "package/type-case",
        "media types in capitals",
        bent(ONE, b"text/plain; charset=utf-8", b"TEXT/Plain; CHARSET=UTF-8"),
    )


def _of_references() -> Iterator[Made]:
    """How Content names its part."""
    yield Made(
        "package/cid-percent",
        "a percent-encoded Content-ID in the href (RFC 2392 2)",
        packed(submit(content("cid:high%25water@kiosk.example")), NOTE.replace("note@", "high%water@")),
    )
    yield Made(
        "package/cid-plus",
        "a plus sign, which stands for itself, in the href",
        packed(submit(content("cid:high+water@kiosk.example")), NOTE.replace("note@", "high+water@")),
    )
    yield Made(
        "package/content-location",
        "Content by Content-Location (RFC 2557)",
        packed(
            submit(content("tide.txt")), NOTE.replace("Content-ID: <note@kiosk.example>", "Content-Location: tide.txt")
        ),
    )


def _of_delimiters() -> Iterator[Made]:
    """Boundaries, and what stands between them."""
    yield Made(
        "package/boundary-quoted-signs",
        "a boundary with every sign that RFC 2046 allows",
        every(ONE, "cut-here", "a'()+_,-./:=?b"),
    )
    yield Made("package/boundary-of-70", "a boundary of 70 characters", every(ONE, "cut-here", "7" * 70))
    yield Made(
        "package/boundary-prefix",
        "an inner boundary that begins with the outer one",
        packed(submit(content("cid:all@kiosk.example")), _inner_of("cut-here-and-there")),
    )
    yield Made(
        "package/no-last-line-end",
        "no line end after the last delimiter",
        bent(ONE, b"--cut-here--\r\n", b"--cut-here--"),
    )
    yield Made("package/root-without-attachments", "a multipart that holds the envelope alone", packed(submit()))


def _of_fields_and_parameters() -> Iterator[Made]:
    """Header fields that mean nothing, parameters in any order and case."""
    yield Made(
        "package/more-header-fields",
        "header fields of a part that mean nothing here",
        bent(
            ONE,
            b"Content-ID: <note",
            b"X-Pier: 3\r\nContent-Description: tides\r\nContent-Language: sv\r\nContent-ID: <note",
        ),
    )
    yield Made(
        "package/parameters-in-another-order",
        "start before type before boundary",
        bent(
            ONE,
            octets(RELATED),
            b'multipart/related; start="<soap@kiosk.example>"; type="text/xml"; boundary="cut-here"',
        ),
    )
    yield Made(
        "package/parameter-names-in-capitals",
        "names of parameters in capitals",
        bent(
            ONE,
            octets(RELATED),
            b'Multipart/Related; BOUNDARY="cut-here"; TYPE="text/xml"; START="<soap@kiosk.example>"',
        ),
    )


def _nested(kind: str) -> bytes:
    head = f'Content-Type: {kind}; boundary="inner"\r\nContent-ID: <all@kiosk.example>\r\n\r\n'
    show = slides("cid:note@kiosk.example", "cid:map@kiosk.example")
    return packed(submit(content("cid:all@kiosk.example")), octets(head) + parts(show, NOTE, MAP, boundary="inner"))


def _inner_of(boundary: str) -> bytes:
    head = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\nContent-ID: <all@kiosk.example>\r\n\r\n'
    return octets(head) + parts(slides("cid:note@kiosk.example"), NOTE, boundary=boundary)


def _deep() -> bytes:
    head = 'Content-Type: multipart/mixed; boundary="outer"\r\nContent-ID: <all@kiosk.example>\r\n\r\n'
    inner = 'Content-Type: multipart/mixed; boundary="core"\r\n\r\n'
    deep = octets(inner) + parts(NOTE, MAP, boundary="core")
    show = slides("cid:note@kiosk.example", "cid:map@kiosk.example")
    return octets(head) + parts(show, deep, boundary="outer")
