"""The MIME reader on small packages: one sound package, and what each single deviation from it yields."""

from __future__ import annotations

import base64
import binascii
import email
import gc
import hashlib
import itertools
import re
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import Message as EmailMessage
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep import charsets, mime
from mm7zeep.errors import LimitError, MimeError
from mm7zeep.findings import KINDS
from mm7zeep.messages import Part
from mm7zeep.mime.bodies import decoder
from mm7zeep.mime.suspects import KEPT

ENVELOPE = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>'
GIF = b"GIF89a\x01\x00\x01\x00\r\n\r\n--\x00"
HEAD = 'multipart/related; boundary="outer-0"; type="text/xml"; start="<soap@w.example>"'
BODY = b"\r\n".join(
    [
        b"--outer-0",
        b'Content-Type: text/xml; charset="utf-8"',
        b"Content-Transfer-Encoding: 8bit",
        b"Content-ID: <soap@w.example>",
        b"",
        ENVELOPE,
        b"--outer-0",
        b'Content-Type: multipart/related; boundary="inner-0"; type="application/smil"; start="<smil@w.example>"',
        b"Content-ID: <mms@w.example>",
        b"",
        b"--inner-0",
        b"Content-Type: application/smil",
        b"Content-ID: <smil@w.example>",
        b"",
        b"<smil/>",
        b"--inner-0",
        b'Content-Type: text/plain; charset=utf-8; name="note.txt"',
        b"Content-ID: <note@w.example>",
        b"Content-Location: n1.txt",
        b"",
        b"Tides for today",
        b"--inner-0",
        b"Content-Type: image/gif",
        b"Content-ID: <pic@w.example>",
        b"Content-Transfer-Encoding: base64",
        b"X-Origin: buoy 7",
        b"",
        base64.b64encode(GIF),
        b"--inner-0--",
        b"--outer-0--",
        b"",
    ]
)
CONTENTS = [b"<smil/>", b"Tides for today", GIF]


def read(body: bytes = BODY, head: str | None = HEAD, limits: mime.Limits | None = None, step: int = 0) -> mime.Package:
    """Read a body under a Content-Type, whole or in chunks of ``step`` octets."""
    headers = [] if head is None else [("Host", "mm.example"), ("content-TYPE", head)]
    chunks = [body[at : at + step] for at in range(0, len(body), step)] if step else body
    return mime.read(headers, chunks, limits)


def ids(package: mime.Package) -> list[str]:
    """The ids of all findings, in order, without their prefix."""
    return [found.id.removeprefix("mime/") for found in package.findings]


def contents(package: mime.Package) -> list[bytes]:
    """The octets of the content parts."""
    return [part.read() for part in package.parts]


def test_a_sound_package() -> None:
    """Nothing is found in a sound package; its tree, labels and offsets are what was sent."""
    package = read()
    assert package.findings == ()
    assert package.root == ENVELOPE
    assert package.root_content_type == ("text/xml", (("charset", "utf-8"),))
    assert contents(package) == CONTENTS
    (mms,) = package.content
    assert (mms.content_type, mms.content_id, mms.part) == ("multipart/related", "mms@w.example", None)
    assert [node.content_id for node in package.tree.walk()] == [
        None, "soap@w.example", "mms@w.example", "smil@w.example", "note@w.example", "pic@w.example",
    ]  # fmt: skip
    note, picture = mms.children[1:]
    assert (note.name, note.content_location, note.encoding) == ("note.txt", "n1.txt", None)
    assert note.part is not None
    assert (note.part.name, note.part.parameters, note.part.charset) == ("note.txt", (("charset", "utf-8"),), "utf-8")
    assert picture.part is not None
    assert picture.part.headers == (("X-Origin", "buoy 7"),)
    assert picture.header("x-origin") == "buoy 7"
    assert picture.encoding == "base64"
    assert BODY[picture.offset :].startswith(b"Content-Type: image/gif")
    assert BODY[picture.body_offset :][: picture.size_encoded] == base64.b64encode(GIF)
    assert BODY[mms.body_offset :][: mms.size_encoded].endswith(b"--inner-0--")


class Case(NamedTuple):
    """One deviation: what is replaced in the sound package, and what is found; the contents stay unless given."""

    name: str
    found: list[str]
    body: tuple[tuple[str, str], ...] = ()
    head: str = HEAD
    contents: list[bytes] | None = None
    root: bytes = ENVELOPE


def head(old: str, new: str) -> str:
    """The sound Content-Type with ``old`` replaced."""
    assert old in HEAD
    return HEAD.replace(old, new)


CASES = [
    # --- the outer Content-Type: RFC 2045 5.1
    Case("parameter names in capitals", [], head=head("boundary", "Boundary").replace("start", "START")),
    Case("type in another case", [], head=head("multipart/related", "Multipart/Related")),
    Case("comments", [], head=head("related;", "related (SwA);").replace('"text/xml"', '"text/xml" (SOAP 1.1)')),
    Case(
        "parentheses in a boundary that is not closed",
        ["type-syntax", "boundary-used"],
        head=HEAD.replace('boundary="outer-0"; ', "") + '; boundary="outer-0 (b) c',
    ),
    Case("comment behind a Content-ID", [], (("<pic@w.example>", "<pic@w.example> (the tide)"),)),
    Case("comment behind a coding", [], ((": base64", ": base64 (as ever)"),)),
    Case(
        "comment in the type of a part", [], (("text/plain; charset=utf-8;", "text/plain (note); charset=utf-8 (b);"),)
    ),
    Case(
        "order and blanks", [], head=' multipart/related ;start="<soap@w.example>" ; type = "text/xml";boundary=outer-0'
    ),
    Case("folded", [], head=head("; type", ";\r\n\ttype")),
    Case("escapes in quotes", [], head=head('"outer-0"', '"out\\er-0"')),
    Case("type without quotes", ["related-type-quoted"], head=head('"text/xml"', "text/xml")),
    Case("start without quotes", ["type-syntax"], head=head('"<soap@w.example>"', "<soap@w.example>")),
    Case("semicolon missing", ["type-syntax"], head=head('"outer-0"; ', '"outer-0" ')),
    Case("semicolon missing after a token", ["type-syntax"], head=head('"outer-0"; ', "outer-0 ")),
    Case("semicolon missing after the type", ["type-syntax"], head=head("related;", "related")),
    Case("semicolon at the end", ["parameter-trailing"], head=HEAD + ";"),
    Case("semicolon twice", ["parameter-trailing"], head=head("; type", ";; type")),
    Case("quote never closed", ["type-syntax"], head=HEAD[:-1]),
    Case("parameter without value", ["type-syntax"], head=HEAD + "; charset="),
    Case("parameter twice", ["type-syntax"], head=HEAD + "; boundary=other"),
    Case("words that are no parameter", ["type-syntax"], head=HEAD + "; soap"),
    Case(
        "boundary with specials, no quotes",
        ["boundary-quoted"],
        (("outer-0", "=_o:ut/er"),),
        head('"outer-0"', "=_o:ut/er"),
    ),
    Case("boundary with blanks, no quotes", ["boundary-quoted"], (("outer-0", "o u t"),), head('"outer-0"', "o u t")),
    Case("boundary with blanks, quoted", [], (("outer-0", "o u t"),), head("outer-0", "o u t")),
    Case("boundary with all specials", [], (("outer-0", "a'()+_,-./:=?"),), head("outer-0", "a'()+_,-./:=?")),
    Case("boundary beginning with dashes", [], (("outer-0", "--outer-0"),), head("outer-0", "--outer-0")),
    Case("boundary of 80 characters", ["boundary-length"], (("outer-0", "x" * 80),), head("outer-0", "x" * 80)),
    Case("boundary with a foreign character", ["boundary-syntax"], (("outer-0", "out*r"),), head("outer-0", "out*r")),
    Case("boundary ending in a blank", ["boundary-syntax"], (), head("outer-0", "outer-0 ")),
    # --- root and relation: RFC 2387
    Case("start missing", ["related-start"], head=head('; start="<soap@w.example>"', "")),
    Case("start without brackets", ["start-brackets"], head=head("<soap@w.example>", "soap@w.example")),
    Case("start as URL", ["related-start-resolves"], head=head("<soap@w.example>", "cid:soap@w.example")),
    Case("start in another case", ["related-start-resolves"], head=head("<soap@", "<SOAP@")),
    Case("start dangling", ["related-start-resolves"], head=head("<soap@", "<none@")),
    Case("type missing", ["related-type"], head=head('type="text/xml"; ', "")),
    Case("type of another root", ["related-type-root"], head=head('"text/xml"', '"application/smil"')),
    Case("type of another inner root", ["related-type-root"], (('type="application/smil"', 'type="text/xml"'),)),
    Case("inner start dangling", ["related-start-resolves"], (('start="<smil@', 'start="<none@'),)),
    Case("inner without start", [], (('; start="<smil@w.example>"', ""),)),
    Case(
        "root not text/xml", ["related-type-root", "root-is-xml"], (("text/xml; charset", "application/xml; charset"),)
    ),
    Case("XOP outside", ["related-type-root", "xop-outer"], head=head('"text/xml"', '"application/xop+xml"')),
    # --- delimiters: RFC 2046 5.1.1
    Case("blanks after a delimiter", ["delimiter-padding"], (("--outer-0\r\n", "--outer-0 \t\r\n"),)),
    Case("blanks after the closing delimiter", ["delimiter-padding"], (("--outer-0--", "--outer-0-- "),)),
    Case("no line end at the very end", [], (("--outer-0--\r\n", "--outer-0--"),)),
    Case(
        "preamble",
        ["outside-text"],
        (("--outer-0\r\nContent-Type: text/xml", "read me\r\n--outer-0\r\nContent-Type: text/xml"),),
    ),
    Case(
        "blank preamble", [], (("--outer-0\r\nContent-Type: text/xml", " \r\n\r\n--outer-0\r\nContent-Type: text/xml"),)
    ),
    Case(
        "preamble with dashes",
        ["outside-text"],
        (("--outer-0\r\nContent-Type: text/xml", "-- read me\r\n\r\n--outer-0\r\nContent-Type: text/xml"),),
    ),
    Case(
        "inner preamble with dashes",
        ["outside-text"],
        (("--inner-0\r\nContent-Type: app", "-- read me\r\n\r\n--inner-0\r\nContent-Type: app"),),
    ),
    Case(
        "inner preamble", ["outside-text"], (("--inner-0\r\nContent-Type: app", "x\r\n--inner-0\r\nContent-Type: app"),)
    ),
    Case("epilogue", ["outside-text"], (("--outer-0--\r\n", "--outer-0--\r\n-- \r\nsent by buoy"),)),
    Case("inner epilogue", ["outside-text"], (("--inner-0--", "--inner-0--\r\nsent by buoy"),)),
    Case("closing delimiter missing", ["boundary-closed"], (("--outer-0--\r\n", ""),)),
    Case("inner closing delimiter missing", ["boundary-closed"], (("--inner-0--\r\n", ""),)),
    Case(
        "both closing delimiters missing",
        ["boundary-closed", "boundary-closed"],
        (("\r\n--inner-0--", ""), ("\r\n--outer-0--\r\n", "")),
    ),
    Case(
        "typing error in a delimiter",
        ["boundary-near-miss"],
        (("--inner-0\r\nContent-Type: image", "--inner-\r\nContent-Type: image"),),
        contents=[
            b"<smil/>",
            b"\r\n".join(
                [
                    b"Tides for today",
                    b"--inner-",
                    b"Content-Type: image/gif",
                    b"Content-ID: <pic@w.example>",
                    b"Content-Transfer-Encoding: base64",
                    b"X-Origin: buoy 7",
                    b"",
                    base64.b64encode(GIF),
                ]
            ),
        ],
    ),
    Case("inner boundary begins with the outer", [], (("inner-0", "outer-0-1"),)),
    Case("outer boundary begins with the inner", [], (("inner-0", "outer"),)),
    Case("inner boundary as the outer one closed", [], (("inner-0", "outer-0--x"),)),
    Case(
        "equal boundaries",
        ["boundary-nested-equal", "related-start-resolves", "outside-text"],
        (("inner-0", "outer-0"),),
    ),
    Case("too few dashes", ["boundary-syntax"], head=head("outer-0", "--outer-0")),
    Case("too many dashes", ["boundary-syntax"], (("--outer-0", "----outer-0"),)),
    Case("no boundary, delimiters all the same", ["boundary-present"], head=head('boundary="outer-0"; ', "")),
    Case("another boundary", ["boundary-used"], head=head("outer-0", "something-else")),
    Case("another inner boundary", ["boundary-used"], (('boundary="inner-0"', 'boundary="something-else"'),)),
    Case("no inner boundary", ["boundary-present"], (('boundary="inner-0"; ', ""),)),
    # --- header fields: RFC 2045 3
    Case(
        "field names in any case",
        [],
        (("Content-ID: <pic", "CONTENT-id: <pic"), ("Content-Type: image", "content-type: image")),
    ),
    Case("no blank after the colon", [], (("Content-ID: <pic", "Content-ID:<pic"),)),
    Case("blank before the colon", ["part-header-syntax"], (("Content-ID: <pic", "Content-ID : <pic"),)),
    Case("folded field", [], (('; name="note.txt"', ';\r\n name="note.txt"'),)),
    Case("continued in column 0", ["type-syntax"], (('; name="note.txt"', ';\r\nname="note.txt"'),)),
    Case("no empty line before text", ["part-header-syntax"], (("n1.txt\r\n\r\n", "n1.txt\r\n"),)),
    Case("no empty line before XML", ["part-header-syntax"], (("<soap@w.example>\r\n\r\n", "<soap@w.example>\r\n"),)),
    Case(
        "no empty line before a delimiter",
        ["part-header-syntax"],
        (("<mms@w.example>\r\n\r\n", "<mms@w.example>\r\n"),),
    ),
    Case(
        "no content and no empty line",
        ["part-header-syntax", "empty-part"],
        (("n1.txt\r\n\r\nTides for today", "n1.txt"),),
        contents=[b"<smil/>", b"", GIF],
    ),
    Case("empty part", ["empty-part"], (("\r\n\r\nTides for today", "\r\n\r\n"),), contents=[b"<smil/>", b"", GIF]),
    Case(
        "empty part, delimiter at once",
        ["empty-part"],
        (("\r\n\r\nTides for today", "\r\n"),),
        contents=[b"<smil/>", b"", GIF],
    ),
    Case("control character in a field", ["part-header-syntax"], (("buoy 7", "buoy\x00\x1b7"),)),
    Case("field twice", ["duplicate-field"], (("X-Origin: buoy 7", "Content-ID: <other@w.example>"),)),
    Case("other field twice", [], (("X-Origin: buoy 7", "X-Origin: buoy 7\r\nX-Origin: buoy 8"),)),
    Case("Transfer-Encoding", ["transfer-encoding-in-part"], (("X-Origin: buoy 7", "Transfer-Encoding: chunked"),)),
    Case("no type", ["part-content-type"], (("Content-Type: image/gif\r\n", ""),)),
    Case("type without subtype", ["type-syntax"], (("image/gif", "image"),)),
    Case("type with trailing semicolon", ["parameter-trailing"], (("image/gif", "image/gif;"),)),
    Case("Content-ID without brackets", ["content-id-brackets"], (("<pic@w.example>", "pic@w.example"),)),
    Case("Content-ID without domain", ["content-id-syntax"], (("<pic@w.example>", "<pic>"),)),
    Case("Content-ID twice", ["content-id-unique"], (("<pic@w.example>", "<note@w.example>"),)),
    Case("charset alias", ["charset-alias"], (("charset=utf-8", "charset=UTF8"),)),
    Case("charset alias of the root", ["root-charset-alias"], (('charset="utf-8"', "charset=ksc5601"),)),
    Case("raw UTF-8 name", ["filename-encoding"], (("note.txt", "nöte.txt"),)),
    Case("encoded word as name", ["filename-encoding"], (("note.txt", "=?utf-8?B?bsO2dGUudHh0?="),)),
    Case("name by RFC 2231", [], (('name="note.txt"', "name*=utf-8''n%C3%B6te.txt"),)),
    # --- transfer encodings: RFC 2045 6
    Case("encoding in capitals", [], (("Encoding: base64", "Encoding: BASE64"),)),
    Case(
        "unknown encoding",
        ["cte-known"],
        (("Encoding: base64", "Encoding: x-uuencode"),),
        contents=[*CONTENTS[:2], base64.b64encode(GIF)],
    ),
    Case("encoding with a semicolon", ["parameter-trailing"], (("Encoding: base64", "Encoding: base64;"),)),
    Case(
        "encoded multipart",
        ["cte-composite"],
        (("Content-ID: <mms", "Content-Transfer-Encoding: base64\r\nContent-ID: <mms"),),
    ),
    Case("base64 with foreign characters", ["base64"], (("R0lG", "R0!lG\r\n"),)),
    Case(
        "base64 with a dangling character",
        ["base64"],
        ((base64.b64encode(GIF).decode(), "QUJDR"),),
        contents=[*CONTENTS[:2], b"ABC"],
    ),
    Case(
        "base64 without padding",
        ["base64"],
        ((base64.b64encode(GIF).decode(), "QUI"),),
        contents=[*CONTENTS[:2], b"AB"],
    ),
    Case(
        "base64 with text after the padding",
        ["base64"],
        ((base64.b64encode(GIF).decode(), "QUI=\r\nQUJD"),),
        contents=[*CONTENTS[:2], b"AB"],
    ),
    Case(
        "base64 label on prose",
        ["base64", "cte-decodes", "empty-part"],
        ((base64.b64encode(GIF).decode(), "(é!) {*} #"),),
        contents=[*CONTENTS[:2], b""],
    ),
    Case(
        "quoted-printable",
        [],
        (
            (
                "Content-Location: n1.txt\r\n\r\nTides for today",
                "Content-Transfer-Encoding: Quoted-Printable\r\n\r\nTides=20f=6Fr= \t\r\n=20today  ",
            ),
        ),
    ),
    Case(
        "quoted-printable with stray signs",
        ["quoted-printable"],
        (
            (
                "Content-Location: n1.txt\r\n\r\nTides for today",
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n1+1=2 ==41 =4=\r\n=g=",
            ),
        ),
        contents=[b"<smil/>", b"1+1=2 =A =4=g", GIF],
    ),
    Case(
        "root in quoted-printable",
        ["root-cte"],
        (("Encoding: 8bit", "Encoding: quoted-printable"), (':e="http', ':e=3D"http')),
    ),
    Case(
        "7bit that is not",
        ["cte-7bit-true"],
        (("Content-Location: n1.txt\r\n\r\nTides", "Content-Transfer-Encoding: 7bit\r\n\r\nTïdes"),),
        contents=[b"<smil/>", "Tïdes for today".encode(), GIF],
    ),
    Case(
        "bare CR in text",
        ["text-bare-cr"],
        (("for today", "for\rtoday"),),
        contents=[b"<smil/>", b"Tides for\rtoday", GIF],
    ),
    Case(
        "CR before the delimiter",
        ["text-bare-cr"],
        (("for today", "for today\r"),),
        contents=[b"<smil/>", b"Tides for today\r", GIF],
    ),
]


def build(case: Case) -> bytes:
    """The body of a case; every replacement must have something to replace."""
    body = BODY
    for old, new in case.body:
        assert old.encode() in body, f"{old!r} is not in the body"
        body = body.replace(old.encode(), new.encode())
    return body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_one_deviation(case: Case) -> None:
    """One deviation yields its finding and no other, and the package is read all the same, in chunks of any size."""
    body = build(case)
    package = read(body, case.head)
    assert ids(package) == case.found
    assert package.root == case.root
    assert contents(package) == (CONTENTS if case.contents is None else case.contents)
    for step in (1, 2, 3, 17, 400):
        assert read(body, case.head, step=step) == package


def test_line_feeds_only() -> None:
    """Bare LF in headers and delimiters is said once each; contents keep what they had."""
    package = read(BODY.replace(b"\r\n", b"\n"))
    assert ids(package) == ["delimiter-crlf", "header-line-endings"] or ids(package) == [
        "header-line-endings",
        "delimiter-crlf",
    ]
    assert contents(package) == CONTENTS


def test_root_last() -> None:
    """The SOAP part is the one that start names, wherever it stands."""
    first, soap, *rest = BODY.split(b"--outer-0")
    package = read(b"--outer-0".join([first, rest[0], soap, *rest[1:]]))
    assert package.root == ENVELOPE
    assert ids(package) == ["root-first"]
    assert contents(package) == CONTENTS


@pytest.mark.parametrize(
    ("given", "body", "met"),
    [
        (head("soap@", "none@"), BODY, "<none@w.example>; the SOAP part is <soap@w.example>"),
        (
            HEAD,
            BODY.replace(b"Content-ID: <soap@", b"X-ID: <soap@"),
            "<soap@w.example>; the SOAP part has no Content-ID",
        ),
        (
            HEAD,
            BODY.replace(b'start="<smil@', b'start="<none@'),
            "<none@w.example>; the first part is <smil@w.example>",
        ),
    ],
    ids=["wrong", "no-id", "inner"],
)
def test_start_that_names_nothing(given: str, body: bytes, met: str) -> None:
    """The finding has what start says and what it should say."""
    found = [one for one in read(body, given).findings if one.id == "mime/related-start-resolves"]
    assert [one.detail for one in found] == [met]


def test_root_by_its_looks() -> None:
    """Where start names nothing and the first part is no envelope, the first envelope is the SOAP part."""
    first, soap, *rest = BODY.split(b"--outer-0")
    package = read(b"--outer-0".join([first, rest[0], soap, *rest[1:]]), HEAD.replace("soap@", "none@"))
    assert package.root == ENVELOPE
    assert ids(package) == ["related-start-resolves", "root-first"]


def test_no_envelope_at_all() -> None:
    """Where nothing looks like an envelope, the first part is the SOAP part; what it is, is for others to say."""
    package = read(BODY.replace(b"Envelope", b"Letter"))
    assert package.root == ENVELOPE.replace(b"Envelope", b"Letter")
    assert ids(package) == []


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("text/xml; charset=utf-8", []),
        ("TEXT/XML", []),
        ("application/xml", ["root-is-xml"]),
        ("application/soap+xml", ["root-is-xml"]),
        ("text/html; charset=utf-8", ["root-is-xml"]),
        ('application/xop+xml; type="application/soap+xml"', ["root-is-xml", "xop-outer"]),
        (None, []),
        ("", ["type-syntax"]),
        ("xml", ["type-syntax"]),
        ('multipart/related; type="text/xml"', ["boundary-present"]),
        ('multipart/related; boundary=x; type="text/xml"', ["boundary-used"]),
    ],
)
@pytest.mark.parametrize("space", [b"", b"\r\n \t", b"\xef\xbb\xbf"], ids=["plain", "blanks", "bom"])
def test_a_bare_envelope(head: str | None, found: list[str], space: bytes) -> None:
    """What is not multipart, or only says so, is the envelope itself, whatever it is called."""
    package = read(space + ENVELOPE, head, step=5)
    assert package.root == space + ENVELOPE
    assert package.root_node is package.tree
    assert (package.content, package.parts) == ((), ())
    assert ids(package) == found
    assert package.root_content_type.media_type == (
        "text/xml" if found[:1] != ["root-is-xml"] else str(head).partition(";")[0]
    )


def test_no_content_type_but_delimiters() -> None:
    """Without a Content-Type, a body that begins with a delimiter is taken apart by it."""
    package = read(BODY, None)
    assert package.root == ENVELOPE
    assert contents(package) == CONTENTS
    assert ids(package) == []


def test_an_empty_body() -> None:
    """An empty body is an empty envelope where an envelope was announced, and no package where a multipart was."""
    assert read(b"", "text/xml").root == b""
    assert read(b"", None).root == b""
    with pytest.raises(MimeError):
        read(b"")


@pytest.mark.parametrize("body", [b"hello", b"--outer-0--\r\n", b" \r\n", b"--\r\n--\r\n"])
def test_nothing_to_take_apart(body: bytes) -> None:
    """A declared multipart without any part, and no envelope either, is refused; the error stays."""
    reader = mime.Reader([("Content-Type", HEAD)])
    reader.feed(body)
    with pytest.raises(MimeError):
        reader.finish()
    with pytest.raises(MimeError):
        reader.feed(b"x")
    with pytest.raises(MimeError):
        reader.finish()


def test_a_multipart_without_parts_keeps_its_content() -> None:
    """A nested multipart in which no delimiter occurs is kept as it is, as a leaf."""
    inner = BODY[BODY.index(b"--inner-0") : BODY.index(b"\r\n--outer-0--")]
    package = read(BODY.replace(inner, b"just\r\ntext"))
    assert contents(package) == [b"just\r\ntext"]
    assert "boundary-used" in ids(package)


def test_nested_deeper() -> None:
    """Multiparts of any subtype are taken apart to the limit of depth; message/rfc822 is a leaf."""
    body = (
        b"--outer-0\r\nContent-Type: text/xml\r\nContent-ID: <soap@w.example>\r\n\r\n" + ENVELOPE + b"\r\n--outer-0\r\n"
        b"Content-Type: multipart/alternative; boundary=a1\r\n\r\n--a1\r\n"
        b"Content-Type: multipart/x-odd; boundary=a2\r\n\r\n--a2\r\n"
        b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--a2--\r\n--a1\r\n\r\nz\r\n--a1--\r\n--outer-0--"
    )
    package = read(body)
    assert [part.content_type for part in package.parts] == ["message/rfc822", "text/plain"]
    assert contents(package) == [b"Subject: x\r\n\r\ny", b"z"]
    assert read(body, limits=mime.Limits(depth=3)).parts == package.parts
    with pytest.raises(LimitError):
        read(body, limits=mime.Limits(depth=2))


def test_truncated_where_the_length_is_known() -> None:
    """A package that is not closed and shorter than announced was cut short."""
    reader = mime.Reader([("Content-Type", HEAD)], content_length=len(BODY))
    reader.feed(BODY[:-30])
    assert {"http/truncated", "mime/boundary-closed"} <= {found.id for found in reader.finish().findings}
    whole = mime.Reader([("Content-Type", HEAD)], content_length=len(BODY) + 5)
    whole.feed(BODY)
    assert whole.finish().findings == ()
    assert whole.finish().root == ENVELOPE


# --- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "id", "how"),
    [
        ("cid:note@w.example", "note@w.example", "content-id"),
        ("CID:note@w.example", "note@w.example", "content-id"),
        ("cid:note%40w.example", "note@w.example", "content-id"),
        ("cid:%6Eote@w.example", "note@w.example", "content-id"),
        (" cid: note@w.example ", "note@w.example", "content-id"),
        ("cid note@w.example", "note@w.example", "content-id"),
        ("cid:<note@w.example>", "note@w.example", "content-id"),
        ("note@w.example", "note@w.example", "content-id"),
        ("cid:NOTE@W.example", "note@w.example", "content-id-case"),
        ("n1.txt", "note@w.example", "content-location"),
        ("note.txt", "note@w.example", "name"),
        ("cid:mms@w.example", "mms@w.example", "content-id"),
    ],
)
def test_find(reference: str, id: str, how: str) -> None:
    """A reference is found by Content-ID, then in any case, then by location, then by name."""
    match = read().find(reference)
    assert match is not None
    assert (match.node.content_id, match.how) == (id, how)


@pytest.mark.parametrize("reference", ["", "cid:", "cid:none", "cid:soap@w.example", "http://127.0.0.1/", "<>", "%"])
def test_find_nothing(reference: str) -> None:
    """What names no content part is not found; the SOAP part does not name itself."""
    assert read().find(reference) is None


def test_find_an_escaped_id() -> None:
    """A percent sign of the Content-ID itself is found escaped and, as careless senders write it, unescaped."""
    package = read(BODY.replace(b"<pic@", b"<a%20b@"))
    assert package.find("cid:a%2520b@w.example") == package.find("cid:a%20b@w.example") is not None


@pytest.mark.parametrize(
    ("value", "media_type", "parameters", "defects"),
    [
        ("", "", (), ["mime/type-syntax"]),
        ("text/plain", "text/plain", (), []),
        ("text / plain", "text/plain", (), ["mime/type-syntax"]),
        ("; charset=a", "", (("charset", "a"),), ["mime/type-syntax"]),
        ("image/gif;", "image/gif", (), ["mime/parameter-trailing"]),
        ("image/gif; ; ", "image/gif", (), ["mime/parameter-trailing"]),
        ("a/b; c=d e=f", "a/b", (("c", "d"), ("e", "f")), ["mime/type-syntax"]),
        ("a/b; c=d e; f=g", "a/b", (("c", "d e"), ("f", "g")), ["mime/type-syntax"]),
        ('a/b; c="x;y=\\"z\\""', "a/b", (("c", 'x;y="z"'),), []),
        ('a/b; c=""', "a/b", (("c", ""),), []),
        ("a/b; name*=utf-8''%e2%82%ac%20rates", "a/b", (("name", "€ rates"),), []),
        ("a/b; name*0=ab; name*1=cd", "a/b", (("name", "abcd"),), []),
        ("a/b; name*1=cd; name*0*=utf-8'en'%C3%A4; name*2*=%C3%B6", "a/b", (("name", "äcdö"),), []),
        ("a/b; name=x; name*=utf-8''y", "a/b", (("name", "y"),), []),
        ("a/b; name*=euc-kr''%B0%A1", "a/b", (("name", "가"),), []),
        ("a/b; name*=nonsense''%B0", "a/b", (("name", "nonsense''%B0"),), ["mime/type-syntax"]),
        ("a/b; name*=utf-8''%ff; name=x", "a/b", (("name", "x"),), ["mime/type-syntax"]),
        ("a/b; name*1=x", "a/b", (("name", "x"),), ["mime/type-syntax"]),
        ("a/b; name*=utf-8''%0d%0a%00", "a/b", (("name", "\ufffd\ufffd\ufffd"),), []),
        ("a/b; c=\x00", "a/b", (("c", "\ufffd"),), []),
        ("a/b; =c; d=e", "a/b", (("d", "e"),), ["mime/type-syntax"]),
        ("a/b, c/d", "a/b", (), ["mime/type-syntax"]),
        ("text/plain; charset=us-ascii (Plain text)", "text/plain", (("charset", "us-ascii"),), []),  # RFC 2045 5.1
        ("(x) a/b (y; z) ; (c=d) e=f (g) ; h=i", "a/b", (("e", "f"), ("h", "i")), []),
        ("a/b(x); c=d", "a/b", (("c", "d"),), []),
        ('a/b; c="d" (e (f) \\) g); h="(i) "', "a/b", (("c", "d"), ("h", "(i) ")), []),
        ("a/b; name=photo (1).gif", "a/b", (("name", "photo (1).gif"),), ["mime/type-syntax"]),
        ("a/b; name=photo (1)", "a/b", (("name", "photo (1)"),), ["mime/type-syntax"]),
        ("a/b; boundary=c (d)", "a/b", (("boundary", "c (d)"),), ["mime/boundary-quoted"]),
        ("a/b; boundary=c (d) e; f=g", "a/b", (("boundary", "c (d) e"), ("f", "g")), ["mime/boundary-quoted"]),
        ('a/b; boundary="c (d) e', "a/b", (("boundary", "c (d) e"),), ["mime/type-syntax"]),
        ("a/b; x-title=my (1) photo", "a/b", (("x-title", "my (1) photo"),), ["mime/type-syntax"]),
        ("a/b name=photo (1) c.gif", "a/b", (("name", "photo (1) c.gif"),), ["mime/type-syntax"]),
        ("a/b; c=d(e)", "a/b", (("c", "d(e)"),), ["mime/type-syntax"]),
        ("a/b; c=d (e", "a/b", (("c", "d (e"),), ["mime/type-syntax"]),
    ],
)
def test_content_type(value: str, media_type: str, parameters: tuple[tuple[str, str], ...], defects: list[str]) -> None:
    """The Content-Type parser reads what was meant, and names what was wrong."""
    found = mime.parse_content_type(value)
    assert (found.media_type, found.parameters) == (media_type, parameters)
    assert sorted({id for id, _ in found.defects}) == defects


@given(st.text(alphabet=st.sampled_from("ab/;=\"\\ *0'%,\r\n\t<>()é\x00"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_content_type_of_anything(value: str) -> None:
    """Whatever the text, the parsers answer, and no label holds a control character."""
    for found in (mime.parse_content_type(value), mime.parse_disposition(value)):
        assert all(c >= " " or c == "\t" for key, text in found.parameters for c in key + text)
        assert all(id in KINDS for id, _ in found.defects)


@pytest.mark.parametrize(
    ("disposition", "name", "kept"),
    [
        ("attachment; filename=tide.gif", "tide.gif", False),
        ("Attachment; Filename=tide.gif", "tide.gif", False),
        ("inline; filename=tide.gif", "tide.gif", True),
        ("attachment; filename=tide.gif; size=3", "tide.gif", True),
        ("attachment", None, False),
        ('attachment; filename="../../etc/x"', "../../etc/x", False),
        ("attachment; filename*=utf-8''fl%C3%A4che.gif", "fläche.gif", False),
        ("attachment; filename*0=fl; filename*1=at.gif", "flat.gif", False),
        ('attachment; filename="=?iso-8859-1?Q?fl=E4che_1=2Egif?="', "fläche 1.gif", False),
    ],
)
def test_disposition(disposition: str, name: str | None, kept: bool) -> None:
    """The file name comes from the Content-Disposition, which is kept as a field only where it says more than that."""
    package = read(BODY.replace(b"X-Origin: buoy 7", f"Content-Disposition: {disposition}".encode()))
    node = package.content[0].children[2]
    assert node.name == name
    assert node.part is not None
    assert node.part.name == name
    assert [key for key, _ in node.part.headers] == (["Content-Disposition"] if kept else [])
    assert node.disposition == disposition.partition(";")[0].lower()


def test_name_conflict_is_visible() -> None:
    """Where name and filename differ, both stay visible, and filename is the name."""
    package = read(BODY.replace(b"Content-Location: n1.txt", b"Content-Disposition: attachment; filename=other.txt"))
    node = package.content[0].children[1]
    assert (node.name, node.parameter("name")) == ("other.txt", "note.txt")
    assert dict(node.disposition_parameters) == {"filename": "other.txt"}


def test_charset_labels() -> None:
    """Aliases met in the field lead to a codec; unknown labels, and codecs that are no charsets, to none."""
    assert charsets.codec("KS_C_5601-1987") == charsets.codec("ksc5601") == charsets.codec("euc-kr") == "cp949"
    assert charsets.codec("GB2312") == "gb2312"
    for label in ("", "idna", "punycode", "zlib", "unicode_escape", "utf-7", "x" * 100000):
        assert charsets.codec(label) is None


# --- blobs ------------------------------------------------------------------------------------------------------------


def test_spooled_parts() -> None:
    """A part beyond the limit lies in a file; its streams are independent of each other, also between threads."""
    data = bytes(range(256)) * 4000
    body = BODY.replace(base64.b64encode(GIF), base64.encodebytes(data))
    part = read(body, limits=mime.Limits(spool=1000)).parts[2]
    assert not isinstance(part.body, bytes)
    assert part.size == len(data)
    first, second = part.open(), part.open()
    assert first.read(1000) == data[:1000]
    assert second.read(10) == data[:10]
    assert first.read(10) == data[1000:1010]
    assert first.seek(-5, 2) == len(data) - 5
    assert first.read() == data[-5:]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: part.sha256(), range(16))) == [hashlib.sha256(data).hexdigest()] * 16
    blob = weakref.ref(part.body)
    part = Part(body=b"")
    assert second.read(10) == data[10:20]  # the stream keeps the file alive
    first.close()
    assert blob() is not None
    second.close()
    del first, second
    gc.collect()
    assert blob() is None


def test_a_spooled_root() -> None:
    """The SOAP part is given as bytes even if it went through a file."""
    assert read(limits=mime.Limits(spool=0)).root == ENVELOPE
    assert read(limits=mime.Limits(spool=0)).parts[0].read() == CONTENTS[0]


def plain_quoted_printable(data: bytes) -> bytes:
    """RFC 2045 6.7, step by step."""
    data = re.sub(rb"\r(?=[ \t])", b"=0D", data)  # a bare CR stays what it is
    data = re.sub(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)", b"", data)
    escape = re.compile(rb"=(?:([0-9A-Fa-f]{2})|\r?\n|\Z)")
    return escape.sub(lambda found: bytes.fromhex((found[1] or b"").decode()), data)


@given(
    st.lists(st.sampled_from([b" " * 5000, b" ", b"\t", b"=", b"\r", b"\n", b"4", b"F", b"x", b"=\r\n"]), max_size=25),
    st.lists(st.integers(0, 15000), max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_quoted_printable_in_any_chunks(pieces: list[bytes], cuts: list[int]) -> None:
    """Quoted-printable is decoded as the text says, wherever the chunks end, also within runs of blanks."""
    data = b"".join(pieces)
    coder, _ = decoder("Quoted-Printable")
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    decoded = b"".join(bytes(coder.feed(data[start:end])) for start, end in itertools.pairwise(edges)) + coder.close()
    assert decoded == plain_quoted_printable(data)


# --- differential -----------------------------------------------------------------------------------------------------


class Leaf(NamedTuple):
    """One generated leaf."""

    content: bytes
    type: str
    encoding: str | None
    id: str
    charset: str | None


class Tree(NamedTuple):
    """One generated multipart."""

    boundary: str
    subtype: str
    children: list[Leaf | Tree]


BOUNDARY = st.text("abcXYZ019'()+_,-./:=? ", min_size=1, max_size=70).filter(lambda text: not text.endswith(" "))
BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([b"\n", b"\r\n", b" ", b"-", b"a", b"=", b"Content-Type: x", b"\x00", b"\xff"]), max_size=30
    ).map(b"".join),
).filter(lambda data: b"\r--" not in data and b"\n--" not in data and not data.startswith(b"--"))
LEAF = st.builds(
    Leaf,
    BYTES,
    st.sampled_from(["text/plain", "image/gif", "application/smil", "application/octet-stream"]),
    st.sampled_from([None, "7bit", "8bit", "BINARY", "base64", "Quoted-Printable"]),
    st.text("abc019.%+", min_size=1, max_size=8),
    st.sampled_from([None, "utf-8", "iso-8859-1"]),
)
TREE = st.builds(
    Tree,
    BOUNDARY,
    st.sampled_from(["related", "mixed", "alternative"]),
    st.lists(
        st.one_of(LEAF, st.builds(Tree, BOUNDARY, st.just("mixed"), st.lists(LEAF, min_size=1, max_size=3))),
        min_size=1,
        max_size=4,
    ),
)


def boundaries(tree: Tree) -> list[str]:
    """All boundaries of a tree."""
    return [tree.boundary, *(name for child in tree.children if isinstance(child, Tree) for name in boundaries(child))]


def encode(leaf: Leaf) -> bytes:
    """The content of a leaf as it is sent."""
    if leaf.encoding == "base64":
        return base64.encodebytes(leaf.content).replace(b"\n", b"\r\n")
    if leaf.encoding == "Quoted-Printable":
        return binascii.b2a_qp(leaf.content, quotetabs=True, istext=False).replace(b"=\n", b"=\r\n")
    return leaf.content


def render(node: Leaf | Tree, eol: bytes) -> bytes:
    """A node on the wire."""
    if isinstance(node, Leaf):
        lines = [f"Content-Type: {node.type}" + (f'; charset="{node.charset}"' if node.charset else "")]
        lines += [f"Content-ID: <{node.id}@x>"]
        lines += [f"Content-Transfer-Encoding: {node.encoding}"] if node.encoding else []
        return eol.join([line.encode() for line in lines]) + eol + eol + encode(node)
    head = f'Content-Type: multipart/{node.subtype}; boundary="{node.boundary}"'.encode()
    return head + eol + eol + inside(node, eol)


def inside(tree: Tree, eol: bytes) -> bytes:
    """The content of a multipart on the wire."""
    delimiter = b"--" + tree.boundary.encode()
    body = b"".join(delimiter + eol + render(child, eol) + eol for child in tree.children)
    return body + delimiter + b"--" + eol


def leaves(message: EmailMessage) -> list[EmailMessage]:
    """The leaves of a message as the standard library reads it."""
    return [one for one in message.walk() if not one.is_multipart()]


@given(
    tree=TREE, cuts=st.lists(st.integers(0, 4000), max_size=6), eol=st.sampled_from([b"\r\n", b"\n"]), data=st.data()
)
@settings(max_examples=250, deadline=None)
def test_equal_to_the_standard_library(tree: Tree, cuts: list[int], eol: bytes, data: st.DataObject) -> None:
    """On sound packages, in any chunks, the leaves are those that the email package reads: octets, types, ids."""
    names = boundaries(tree)
    if len({name.rstrip("-") for name in names}) < len(names):
        return  # "x" and "x--" are ambiguous
    if eol == b"\n" and any(child.content.endswith(b"\r") for child in tree.children if isinstance(child, Leaf)):
        return
    body = inside(tree, eol)
    head = f'multipart/{tree.subtype}; boundary="{tree.boundary}"'
    oracle = leaves(email.message_from_bytes(b"Content-Type: " + head.encode() + b"\r\n\r\n" + body))
    reader = mime.Reader([("Content-Type", head)], mime.Limits(spool=data.draw(st.sampled_from([0, 50, 100000]))))
    reader._pending_size = 10**6  # looks at every chunk at once
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    for start, end in itertools.pairwise(edges):
        reader.feed(body[start:end])
    package = reader.finish()
    nodes = [node for node in package.tree.walk() if node.part is not None]
    got = [(node.content_type, node.content_id, node.part.read() if node.part else b"") for node in nodes]
    assert [(t, i) for t, i, _ in got] == [(one.get_content_type(), one["Content-ID"][1:-1]) for one in oracle]
    assert [octets for _, _, octets in got] == [one.get_payload(decode=True) for one in oracle]


@pytest.mark.parametrize("step", [1, 2, 5, 9, 10**6])
def test_what_only_begins_like_a_delimiter_after_the_last_one(step: int) -> None:
    """A line behind the last delimiter is judged when it is complete, wherever a chunk ends."""
    body = b"--outer-0--\r\n--outer-0--outer-0"
    reader = mime.Reader([("Content-Type", HEAD)], mime.Limits(parts=20, depth=4, spool=20))
    for at in range(0, len(body), step):
        reader._pending_size = 10**6
        reader.feed(body[at : at + step])
    with pytest.raises(MimeError) as caught:
        reader.finish()
    assert [one.id for one in caught.value.findings] == ["mime/outside-text"]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_octets(data: st.DataObject) -> None:
    """Mutilated packages give a package or an error of ours, the same in chunks of any size; in lines that are longer
    than what is kept back for judging, only what is found may have another place.
    """
    pieces = [
        b"--outer-0",
        b"--inner-0",
        b"--",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"=",
        b"Content-Type: multipart/mixed; boundary=inner-0",
        b"Content-Transfer-Encoding: base64",
        b"QUJD",
        b"<Envelope/>",
        b":",
        b";",
        b"\x00",
        b"\xff",
        b"Content-ID: <a>",
        b"Content-Type: text/plain\r\n",
        b"--outer-1",
        b"outer-0",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        b"\r\n--b--",
        b" " * 700,
        b"words\r\n" * 120,
    ]
    body = b"".join(data.draw(st.lists(st.sampled_from(pieces), max_size=40)))
    step = data.draw(st.integers(1, 50))

    def outcome(step: int) -> tuple[object, object]:
        reader = mime.Reader([("Content-Type", HEAD)], mime.Limits(parts=20, depth=4, spool=20))
        try:
            for at in range(0, len(body), step):
                reader._pending_size = 10**6
                reader.feed(body[at : at + step])
            package = reader.finish()
        except (MimeError, LimitError) as error:
            return type(error), error.findings
        bare = [replace(node, part=None, children=()) for node in package.tree.walk()]
        return (package.root, bare, [part.read() for part in package.parts]), package.findings

    (verdict, findings), whole = outcome(step), outcome(10**6)
    assert verdict == whole[0]
    if max(map(len, body.split(b"\n"))) < KEPT:
        assert findings == whole[1]
