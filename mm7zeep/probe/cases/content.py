"""Role mmsc: the content of MM7_submit (catalogue A8).

A message that is accepted comes back to the tool's own short code, and each of its parts has to be there, octet by
octet as its transfer encoding carried it: ``Lab.settle`` judges that.
"""

from __future__ import annotations

import base64

from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.results import Level
from mm7zeep.probe.stimulus import Piece, Stimulus, nested, piece
from mm7zeep.probe.told import delivered

NOTE = "note@probe.example"
REFUSED = REF(2004, 2007, 4004)


def _labelled(body: bytes | str, kind: str | None, *more: tuple[str, str], id: str = NOTE) -> Piece:
    """A part with this label and Content-ID."""
    return piece(body, kind, *more, ("Content-ID", f"<{id}>"))


def _carrying(lab: Lab, one: Piece, *meant: bytes) -> Stimulus:
    """A submit with one part, and what has to arrive of it where that is not its octets as they stand."""
    made = lab.submit().carrying(one, href=f"cid:{NOTE}")
    return made.arriving(*meant) if meant else made


# --- how many parts, and how they hang together -----------------------------------------------------------------------


@case(
    "content/none",
    "INFO",
    "8.7.1; XSD",
    "A submit without Content, as text/xml, is accepted, and then arrives, or refused for that.",
)
def none(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit(parts=())), OK, REF(2004, 4004, 2000))


@case("content/single-part", "MUST", "8.7.1; SwA", "A single text part is accepted, and arrives as it was.")
def single_part(lab: Lab) -> None:
    lab.expect(lab.ask(_carrying(lab, _labelled(f"High water {lab.word()}", "text/plain; charset=utf-8"))), OK)


def _smil(*references: str) -> bytes:
    """A presentation of one page that shows these."""
    shown = "".join(f'<{kind} src="cid:{id}"/>' for kind, id in (one.split(" ") for one in references))
    return f"<smil><head><layout/></head><body><par dur='5s'>{shown}</par></body></smil>".encode()


def _gif(lab: Lab) -> bytes:
    """Octets of an image, another in every case."""
    return b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00;" + lab.word().encode()


@case(
    "content/related-smil",
    "MUST",
    "8.7.1; RFC 2387",
    "A presentation with an image and a text, as multipart/related, is accepted; it arrives whole, and what it shows is"
    " found by the same names.",
)
def related_smil(lab: Lab) -> None:
    page, picture, words = _smil("img map@probe.example", "text tide@probe.example"), _gif(lab), lab.word().encode()
    inner = nested(
        (
            _labelled(page, "application/smil", id="page@probe.example"),
            _labelled(picture, "image/gif", id="map@probe.example"),
            _labelled(words, "text/plain; charset=utf-8", id="tide@probe.example"),
        ),
        "related",
        NOTE,
        parameters='; type="application/smil"; start="<page@probe.example>"',
    )
    made = _carrying(lab, inner, page, picture, words)
    lab.expect(lab.ask(made), OK)

    def look() -> None:
        for one in delivered(lab, made):
            named = {part.content_id for part in one.received.parts} if one.received is not None else set()
            missing = {"map@probe.example", "tide@probe.example"} - named
            lab.require(
                not missing,
                "what the presentation shows arrived under other Content-IDs",
                expected="map@probe.example, tide@probe.example",
                actual=", ".join(sorted(filter(None, named))),
                shown=one,
            )

    if lab.hears:
        lab.later(look)


def _multipart(id: str, subtype: str, level: Level, requirement: str) -> Case:
    @case(id, level, "8.7.1; RFC 2046 5.1", requirement)
    def multipart(lab: Lab) -> None:
        picture, words = _gif(lab), lab.word().encode()
        inner = nested(
            (
                _labelled(words, "text/plain; charset=utf-8", id="tide@probe.example"),
                _labelled(picture, "image/gif", id="map@probe.example"),
            ),
            subtype,
            NOTE,
        )
        made = _carrying(lab, inner, words, picture)
        if level == "INFO":
            lab.any(lab.ask(made), OK, REF(2004))
        else:
            lab.expect(lab.ask(made), OK)

    return multipart


mixed = _multipart(
    "content/mixed", "mixed", "SHOULD", "Parts as multipart/mixed, without a presentation, are accepted and arrive."
)
alternative = _multipart(
    "content/alternative",
    "alternative",
    "INFO",
    "Parts as multipart/alternative are accepted, and then all arrive, or refused as a kind of content.",
)


@case(
    "content/smil-dangling",
    "INFO",
    "OMA MMS conformance",
    "A presentation that shows a part which is not there is accepted, and then what is there arrives, or refused.",
)
def smil_dangling(lab: Lab) -> None:
    page, words = _smil("img map@probe.example", "text tide@probe.example"), lab.word().encode()
    inner = nested(
        (
            _labelled(page, "application/smil", id="page@probe.example"),
            _labelled(words, "text/plain; charset=utf-8", id="tide@probe.example"),
        ),
        "related",
        NOTE,
        parameters='; type="application/smil"; start="<page@probe.example>"',
    )
    lab.any(lab.ask(_carrying(lab, inner, page, words)), OK, REF(2004, 2007))


# --- texts ------------------------------------------------------------------------------------------------------------


def _text(name: str, charset: str, text: str) -> Case:
    @case(
        f"content/text-{name}",
        "SHOULD",
        "RFC 2046 4.1.2",
        f"A text in {charset} is accepted, and arrives as the same text, in whatever charset.",
    )
    def texts(lab: Lab) -> None:
        wanted = f"{text} {lab.word()}"
        made = _carrying(lab, _labelled(wanted.encode(charset), f"text/plain; charset={charset}")).arriving()
        lab.expect(lab.ask(made), OK)

        def look() -> None:
            for one in delivered(lab, made):
                parts = one.received.parts if one.received is not None else ()
                got = [part.text() for part in parts if part.content_type.startswith("text/")]
                lab.require(
                    wanted in got, "the text arrived as another", expected=wanted, actual=", ".join(got), shown=one
                )

        if lab.hears:
            lab.later(look)

    return texts


texts = (
    _text("utf8", "utf-8", "Łódź \u2603 \u05e9\u05dc\u05d5\u05dd"),
    _text("utf16", "utf-16", "Łódź \u2603"),
    _text("latin1", "iso-8859-1", "Ærø, Åbo, Gruß"),
)


# --- transfer encodings -----------------------------------------------------------------------------------------------


@case("content/qp", "SHOULD", "RFC 2045 6.7", "A text in quoted-printable is accepted, and arrives decoded.")
def quoted_printable(lab: Lab) -> None:
    word = lab.word()
    written = f"K=C3=B8ge=3D=\r\n {word}"
    one = _labelled(written, "text/plain; charset=utf-8", ("Content-Transfer-Encoding", "quoted-printable"))
    lab.expect(lab.ask(_carrying(lab, one, f"Køge= {word}".encode())), OK)


@case(
    "content/binary",
    "SHOULD",
    "RFC 2045 6.2; RFC 2046 5.1.1",
    "Binary octets that look like line ends and delimiters are accepted, and arrive as they were.",
)
def binary(lab: Lab) -> None:
    picture = _gif(lab) + b"\r\n--\r\n\x00\xff--cut-here\r\n--cut-here--\r\n\r\n----\r\r\n-\n\r--"
    lab.expect(lab.ask(_carrying(lab, _labelled(picture, "image/gif", ("Content-Transfer-Encoding", "binary")))), OK)


@case(
    "content/base64-broken",
    "SHOULD",
    "RFC 2045 6.8",
    "Base64 with octets that are none is refused, or accepted, and then the message arrives.",
)
def base64_broken(lab: Lab) -> None:
    spoilt = base64.b64encode(_gif(lab))[:20] + b"\x80" + b"*" * 3 + b"=A"
    one = _labelled(spoilt, "image/gif", ("Content-Transfer-Encoding", "base64"))
    lab.any(lab.ask(_carrying(lab, one).arriving()), REF(2004, 2007), OK)


# --- types and names --------------------------------------------------------------------------------------------------


@case(
    "content/type-refused",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "A part of a type that the endpoint does not take is refused.",
    needs=("refuses",),
)
def type_refused(lab: Lab) -> None:
    second = lab.settings.second
    account = lab.settings.account if lab.settings.account.refuses or second is None else second
    made = lab.submit(account=account).carrying(_labelled(lab.word(), account.refuses), href=f"cid:{NOTE}")
    lab.expect(lab.ask(made), REF(2004, 3002, 2001))


@case(
    "content/virus",
    "INFO",
    "practice",
    "The test file of virus scanners is refused as content, or accepted, and then arrives as it was.",
)
def virus(lab: Lab) -> None:
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + b"$H+H*"
    lab.any(lab.ask(_carrying(lab, _labelled(eicar, "application/octet-stream"))), REF(2004), OK)


@case(
    "content/empty-part",
    "SHOULD",
    "RFC 2046 5.1.1",
    "A part without any octet is accepted, and then the message arrives, or refused as content.",
)
def empty_part(lab: Lab) -> None:
    lab.any(lab.ask(_carrying(lab, _labelled(b"", "text/plain"))), OK, REF(2004))


@case(
    "content/type-missing",
    "SHOULD",
    "RFC 2045 5.2",
    "A part without Content-Type is accepted as text/plain, or refused.",
)
def type_missing(lab: Lab) -> None:
    word = lab.word()
    made = _carrying(lab, _labelled(f"High water {word}", None))
    lab.any(lab.ask(made), OK, REF(2004, 2007))

    def look() -> None:
        for one in delivered(lab, made):
            parts = one.received.parts if one.received is not None else ()
            for part in parts:
                if word.encode() in part.read():
                    lab.require(
                        part.content_type == "text/plain",
                        "the part without a type arrived as another",
                        expected="text/plain",
                        actual=part.content_type,
                        level="SHOULD",
                        shown=one,
                    )

    if lab.hears:
        lab.later(look)


def _filename(name: str, what: str, kind: str) -> Case:
    @case(
        f"content/filename-non-ascii/{name}",
        "INFO",
        "RFC 2231",
        f"A part whose name has letters beyond ASCII ({what}) is refused, or accepted, and then arrives.",
    )
    def filename(lab: Lab) -> None:
        lab.any(lab.ask(_carrying(lab, _labelled(_gif(lab), kind))))

    return filename


filenames = (
    _filename("raw", "as they are", 'image/gif; name="bådar.gif"'),
    _filename("rfc2231", "as RFC 2231 writes them", "image/gif; name*=utf-8''b%C3%A5dar.gif"),
)


# --- sizes ------------------------------------------------------------------------------------------------------------


def _big(name: str, size: int) -> Case:
    @case(
        f"content/big/{name}",
        "SHOULD",
        "8.7.1",
        f"A part of {size:,} octets is accepted, and then arrives whole, or refused as too large.",
    )
    def big(lab: Lab) -> None:
        octets = (_gif(lab) + bytes(range(256)) * (size // 256 + 1))[:size]
        one = _labelled(octets, "image/gif", ("Content-Transfer-Encoding", "binary"))
        lab.any(lab.ask(_carrying(lab, one)), OK, H(413), REF(2004))

    return big


big = (_big("300k", 300_000), _big("1m", 1_000_000))
