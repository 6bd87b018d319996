"""Role mmsc: the MIME package as it may come, and as it must not (catalogue A3 and its additions)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

from mm7zeep.probe.accept import CLOSED, OK, REF, H, Outcome
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.deliver_package import picture_piece, presented, text_piece
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.results import Level
from mm7zeep.probe.stimulus import ROOT_ID, Piece, Stimulus, digest, package, piece

_REFUSED = (REF(4004, 2007), H(400))
_CUT = (REF(4004, 2007, 2004), H(400), CLOSED)
_RELATED = 'multipart/related; boundary="mm7zeep-probe"'
_SPECIALS = "a=_?:/ ()" + "x" * 61
"""70 characters, with a blank inside, which RFC 2046 5.1.1 allows."""


def _taken(id: str, level: Level, clause: str, requirement: str, made: Callable[[Lab], Stimulus]) -> Case:
    """A case of one package that has to be accepted."""

    @case(id, level, clause, requirement)
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(made(lab)), OK)

    return run


def _refused(
    id: str, level: Level, clause: str, requirement: str, made: Callable[[Lab], Stimulus], *outcomes: Outcome
) -> Case:
    """A case of one package that may not be accepted."""

    @case(id, level, clause, requirement)
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(made(lab)), *outcomes)

    return run


def _open(
    id: str, level: Level, clause: str, requirement: str, made: Callable[[Lab], Stimulus], *outcomes: Outcome
) -> Case:
    """A case of one package that is taken whole, or refused without effect."""

    @case(id, level, clause, requirement)
    def run(lab: Lab) -> None:
        lab.any(lab.ask(made(lab)), *outcomes)

    return run


def _start(lab: Lab, parameters: str) -> Stimulus:
    return lab.submit().labelled(_RELATED + parameters)


def _root_last(lab: Lab) -> Stimulus:
    made = lab.submit()
    envelope = Piece(head=made.root_head, body=made.root())
    return made.with_body(package((*(made.pieces or ()), envelope), made.boundary))


def _named(lab: Lab, content_id: str, href: str) -> Stimulus:
    """One text under this Content-ID, to which Content refers so."""
    made = lab.submit()
    text = text_piece(made.mark)
    return made.carrying(piece(text.body, text.head[0][1], ("Content-ID", content_id)), href=href)


def _soap_base64(lab: Lab) -> Stimulus:
    made = lab.submit()
    head = (*made.root_head, ("Content-Transfer-Encoding", "base64"))
    coded = base64.encodebytes(made.root()).replace(b"\n", b"\r\n")
    return made.with_body(package((Piece(head=head, body=coded), *(made.pieces or ())), made.boundary))


def _cut(lab: Lab) -> Stimulus:
    """A body that ends inside its last part, and is as long as the head says."""
    made = presented(lab, lab.submit())
    body = made.body()
    return made.with_body(body[: body.index(b"GIF89a") + 10])


def _typo(lab: Lab) -> Stimulus:
    """An inner delimiter between two parts with a letter off."""
    made = presented(lab, lab.submit(), "mixed")
    return made.edited_body(
        b"--mm7zeep-inner\r\nContent-Type: image/gif", b"--mm7zeep-imner\r\nContent-Type: image/gif"
    )


def _two(lab: Lab, reference: str) -> Stimulus:
    """A text and a picture side by side, and Content with this attribute."""
    made = lab.submit()
    return made.carrying(text_piece(made.mark), picture_piece(made.mark)).arriving().edit(made.reference(), reference)


def _twins(lab: Lab) -> Stimulus:
    made = lab.submit()
    one, other = text_piece(made.mark), text_piece(f"{made.mark} again")
    return replace(made.carrying(one, other, href="cid:text@mm7zeep"), digests=(digest(one.body),))


def _located(lab: Lab) -> Stimulus:
    made = lab.submit()
    where = "http://probe.example/note.txt"
    text = piece(text_piece(made.mark).body, "text/plain; charset=utf-8", ("Content-Location", where))
    return made.carrying(text, href=where)


def _extra(lab: Lab) -> Stimulus:
    made = lab.submit()
    text = text_piece(made.mark)
    return made.carrying(text, picture_piece(made.mark), href="cid:text@mm7zeep").arriving(text.body)


def _unclosed(lab: Lab) -> Stimulus:
    made = lab.submit()
    return made.with_body(made.body().removesuffix(b"--mm7zeep-probe--\r\n"))


TAKEN = (
    _taken(
        "mime/type-quoted", "MUST", "RFC 2387 3", 'type="text/xml" in quotes is understood.',
        lambda lab: _start(lab, f'; type="text/xml"; start="<{ROOT_ID}>"'),
    ),
    _taken(
        "mime/type-bare", "SHOULD", "RFC 2045 5.1 forbids it, practice", "type=text/xml without quotes is understood.",
        lambda lab: _start(lab, f'; type=text/xml; start="<{ROOT_ID}>"'),
    ),
    _taken(
        "mime/start-missing", "MUST", "RFC 2387 3.2", "Without start, the first part is the envelope.",
        lambda lab: _start(lab, '; type="text/xml"'),
    ),
    _taken(
        "mime/root-last", "MUST", "RFC 2387 3.2; SwA 3", "The envelope is found by start where it is the last part.",
        _root_last,
    ),
    _taken(
        "mime/boundary-specials", "MUST", "RFC 2046 5.1.1", "A boundary of 70 characters of all kinds is understood.",
        lambda lab: replace(lab.submit(), boundary=_SPECIALS),
    ),
    _taken(
        "mime/preamble", "MUST", "RFC 2046 5.1", "Text before the first and after the last delimiter is passed over.",
        lambda lab: (lambda made: made.with_body(b"A multi-part message.\r\n" + made.body() + b"\r\nThe end.\r\n"))(
            lab.submit()
        ),
    ),
    _taken(
        "mime/delimiter-blanks", "MUST", "RFC 2046 5.1.1", "Blanks behind a delimiter are passed over.",
        lambda lab: lab.submit().edited_body(b"--mm7zeep-probe\r\n", b"--mm7zeep-probe \t \r\n", 2),
    ),
    _taken(
        "mime/part-header-case", "MUST", "RFC 2045 1", "Header names of parts in any case are understood.",
        lambda lab: lab.submit()
        .edited_body(b"Content-Type:", b"content-type:", 2)
        .edited_body(b"Content-ID:", b"CONTENT-ID:", 2),
    ),
    _taken(
        "mime/part-header-folded", "SHOULD", "RFC 5322 2.2.3", "A Content-Type on two lines is understood.",
        lambda lab: lab.submit().edited_body(b"text/plain; charset", b"text/plain;\r\n  charset"),
    ),
    _taken(
        "mime/cid-resolves", "MUST", "RFC 2392 2; SwA 3", "A reference by cid: finds its part.",
        lambda lab: _named(lab, "<note@probe.example>", "cid:note@probe.example"),
    ),
    _taken(
        "mime/cid-no-at", "SHOULD", "RFC 2045 7, practice", "A Content-ID without @ is found.",
        lambda lab: _named(lab, "<note>", "cid:note"),
    ),
    _taken(
        "mime/cid-escaped", "SHOULD", "RFC 2392 2", "A reference with %-escapes finds its part.",
        lambda lab: _named(lab, "<a%b@probe.example>", "cid:a%25b@probe.example"),
    ),
    _taken(
        "mime/soap-base64", "SHOULD", "RFC 2045 6; SwA 3", "An envelope in base64 is understood.", _soap_base64
    ),
    _taken(
        "mime/extra-part", "MUST", "SwA 3", "A part that nothing refers to does no harm.", _extra
    ),
    _taken(
        "content/namespace-foreign", "SHOULD", "Namespaces in XML 1.0 2.2",
        "An unused namespace declaration that is no URI does no harm.",
        lambda lab: lab.submit().edit("<SubmitReq ", '<SubmitReq xmlns:x="my own name" '),
    ),
)  # fmt: skip
REFUSED = (
    _refused(
        "mime/boundary-missing", "MUST", "RFC 2046 5.1", "A multipart without boundary is refused.",
        lambda lab: lab.submit().labelled('multipart/related; type="text/xml"').unread(), *_REFUSED,
    ),
    _refused(
        "mime/cid-unresolved/several", "SHOULD", "SwA 3; RFC 2392",
        "A message whose Content names none of several parts is refused.",
        lambda lab: _two(lab, 'href="cid:nothing@mm7zeep"'), REF(2004, 2007, 4004, 2000),
    ),
    _refused(
        "mime/header-multipart-body-xml", "SHOULD", "RFC 2046 5.1",
        "A bare envelope that is labelled multipart is refused.",
        lambda lab: (lambda made: made.with_body(made.root()).unread())(lab.submit()), *_REFUSED, REF(2000, 2004),
    ),
    _refused(
        "content/cut", "MUST", "RFC 9112 8; RFC 2046 5.1.1", "A body that ends inside its last part is refused.",
        _cut, *_CUT,
    ),
    _refused(
        "content/empty-href/empty", "SHOULD", "SwA 3", "Content with an empty href and two parts is refused.",
        lambda lab: _two(lab, 'href=""'), REF(2004, 2007, 4004),
    ),
    _refused(
        "content/empty-href/none", "SHOULD", "SwA 3; XSD", "Content without href and with two parts is refused.",
        lambda lab: _two(lab, ""), REF(2004, 2007, 4004),
    ),
)  # fmt: skip
OPEN = (
    _open(
        "mime/type-missing", "INFO", "RFC 2387 3.1", "A package without type is taken whole, or refused.",
        lambda lab: _start(lab, f'; start="<{ROOT_ID}>"'), OK, REF(4004, 2007), H(400),
    ),
    _open(
        "mime/start-dangling", "SHOULD", "RFC 2387 3.2",
        "A package whose start names no part is taken whole, or refused.",
        lambda lab: _start(lab, '; type="text/xml"; start="<nothing@mm7zeep>"'), OK, REF(4004, 2007), H(400),
    ),
    _open(
        "mime/boundary-nested-prefix", "MUST", "RFC 2046 5.1.2",
        "An inner boundary that begins with the outer one is refused, or its parts arrive whole.",
        lambda lab: presented(lab, lab.submit(), "mixed", "mm7zeep-probex"), OK, REF(2004, 2007, 4004), H(400),
    ),
    _open(
        "mime/closing-missing", "SHOULD", "RFC 2046 5.1.1",
        "A body without its closing delimiter is refused, or arrives whole.", _unclosed, OK, *_CUT,
    ),
    _open(
        "mime/lf-only", "INFO", "RFC 2046 5.1.1",
        "Line ends without CR in delimiters and heads: taken whole, or refused.",
        lambda lab: (lambda made: made.with_body(made.body().replace(b"\r\n", b"\n")))(lab.submit()),
        OK, REF(4004, 2007, 2004), H(400),
    ),
    _open(
        "mime/cid-duplicate", "SHOULD", "RFC 2045 7",
        "Two parts with one Content-ID are refused, or the first is taken.",
        _twins, OK, REF(2004, 2007, 4004),
    ),
    _open(
        "mime/cid-unresolved/single", "SHOULD", "SwA 3; RFC 2392",
        "A message whose Content does not name its one part is refused, or that part is taken.",
        lambda lab: _named(lab, "<other@probe.example>", "cid:nothing@probe.example"), OK, REF(2004, 2007, 4004, 2000),
    ),
    _open(
        "mime/content-location", "INFO", "SwA 3; RFC 2557 4.2",
        "A part that is named by its Content-Location is found, or the message is refused.", _located,
        OK, REF(2004, 2007, 4004),
    ),
    _open(
        "mime/outer-mixed", "INFO", "SwA 3", "multipart/mixed for multipart/related is taken whole, or refused.",
        lambda lab: lab.submit().labelled(
            f'multipart/mixed; boundary="mm7zeep-probe"; type="text/xml"; start="<{ROOT_ID}>"'
        ),
        OK, REF(4004, 2007), H(415, 400),
    ),
    _open(
        "content/delimiter-typo", "MUST", "RFC 2046 5.1.1",
        "A message with a misspelt inner delimiter is refused, or arrives with all its parts.", _typo, OK, *_CUT,
    ),
)  # fmt: skip
