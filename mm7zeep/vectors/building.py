"""Builders of whole messages as captured, small enough that a case shows what is wrong with it.

Text in, octets out. Judges nothing: what a reader makes of a case, the tests say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from mm7zeep import profiles
from mm7zeep.vectors.envelopes import MINIMAL, TO, VERSION, WHO, sent

SCHEMA = "REL-5-MM7-1-2"  # lists the one version that the builders write
LATE = "REL-6-MM7-1-4"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

REFUSED = frozenset(
    {
        "http/error-status", "http/response-body", "http/html-answer", "http/error-body", "http/empty-body",
        "mime/limit", "xml/well-formed", "xml/no-dtd", "xml/limit", "soap/envelope-present", "soap/version-mismatch",
        "soap/body-one-child", "soap/operation-known", "soap/unknown-mu", "soap/transaction-present",
        "soap/transaction-once", "soap/transaction-value", "ns/pre-standard", "sem/message-id-empty",
        "sem/content-without-part",
    }
)  # fmt: skip
"""The kinds for which a message is refused, whatever the rest of it. Other kinds are refused in single cases only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One example: ``bad`` raises exactly the ids in ``found`` (by default its own), ``good`` does not raise its own.

    ``shown`` is the piece of ``bad`` that is at fault, for people; ``refused`` says that the message is refused for it
    although others of the kind are not. ``now`` is when the messages arrive, where the rule asks the clock.
    ``seen_by`` says who notices: the reader of a capture; a receiver of MO, where only what it expects makes the
    fault; a sender of its own message.
    """

    id: str
    bad: bytes
    good: bytes
    shown: str
    found: str = ""
    policy: profiles.Policy = "interop"
    now: datetime | None = None
    seen_by: Literal["capture", "receiver", "sender"] = "capture"
    refused: bool = False

    @property
    def expected(self) -> list[str]:
        """The ids that ``bad`` raises, sorted, each as often as it is raised."""
        return sorted((self.found or self.id).split())


# --- HTTP -------------------------------------------------------------------------------------------------------------

XML = 'text/xml; charset="utf-8"'


def octets(text: str | bytes) -> bytes:
    """Text as UTF-8."""
    return text if isinstance(text, bytes) else text.encode()


def post(body: str | bytes, kind: str = XML) -> bytes:
    """A request as captured."""
    data = octets(body)
    head = f'POST /mm7 HTTP/1.1\r\nHost: mmsc.example\r\nContent-Type: {kind}\r\nSOAPAction: ""\r\n'
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def answer(body: str | bytes, status: int = 200, kind: str = XML) -> bytes:
    """An answer as captured."""
    data = octets(body)
    head = f"HTTP/1.1 {status} Reason\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def bent(data: bytes, old: bytes, new: bytes) -> bytes:
    """``data`` with ``old`` replaced by ``new``, once, and its Content-Length set right.

    Raises ``ValueError`` if ``old`` is not there, so that no case shows nothing.
    """
    if old not in data:
        raise ValueError(f"{old!r} is not there")
    changed = data.replace(old, new, 1)
    length = len(changed) - changed.index(b"\r\n\r\n") - 4
    return re.sub(rb"Content-Length: [0-9]+", b"Content-Length: %d" % length, changed, count=1)


def without(data: bytes, name: str) -> bytes:
    """``data`` without the header field ``name``."""
    start = data.index(b"\r\n" + name.encode() + b":")
    return data[:start] + data[data.index(b"\r\n", start + 2) :]


def every(data: bytes, old: str, new: str) -> bytes:
    """``data`` with every ``old`` replaced by ``new``, and its Content-Length set right."""
    return bent(data.replace(octets(old), octets(new)), octets(new), octets(new))


def field(data: bytes, line: str) -> bytes:
    """``data`` with one more header field."""
    return data.replace(b"\r\n", b"\r\n" + line.encode() + b"\r\n", 1)


# --- MIME -------------------------------------------------------------------------------------------------------------

RELATED = 'multipart/related; boundary="cut-here"; type="text/xml"; start="<soap@kiosk.example>"'
NOTE = "Content-Type: text/plain; charset=utf-8\r\nContent-ID: <note@kiosk.example>\r\n\r\nHigh water 06:12"
MAP = b"Content-Type: image/gif\r\nContent-ID: <map@kiosk.example>\r\n\r\nGIF89a\x01\x02"
HREF = '<Content href="cid:note@kiosk.example"/>'
SEVEN = NOTE.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: 7bit\r\n\r\n")
SLIDES = ("cid:note@kiosk.example", "cid:map@kiosk.example")


def parts(*given: str | bytes, boundary: str = "cut-here") -> bytes:
    """The body of a multipart; each part is its header lines, an empty line, its content."""
    cut = boundary.encode()
    return b"".join(b"--" + cut + b"\r\n" + octets(one) + b"\r\n" for one in given) + b"--" + cut + b"--\r\n"


def packed(root: str | bytes, *given: str | bytes, kind: str = RELATED) -> bytes:
    """A request with attachments."""
    head = b"Content-Type: text/xml; charset=utf-8\r\nContent-ID: <soap@kiosk.example>\r\n\r\n"
    return post(parts(head + octets(root), *given), kind)


def nested(*given: str | bytes, kind: str = 'type="application/smil"; start="<show@kiosk.example>"') -> bytes:
    """A multipart as content."""
    head = f'Content-Type: multipart/related; boundary="inner"; {kind}\r\nContent-ID: <all@kiosk.example>\r\n\r\n'
    return head.encode() + parts(*given, boundary="inner")


def slides(*sources: str) -> str:
    """A presentation that names these."""
    shown = "".join(f'<par><ref src="{source}"/></par>' for source in sources)
    head = "Content-Type: application/smil; charset=utf-8\r\nContent-ID: <show@kiosk.example>\r\n\r\n"
    return f"{head}<smil><body>{shown}</body></smil>"


# --- envelopes --------------------------------------------------------------------------------------------------------


def submit(more: str = "", schema: str = SCHEMA, *, to: str = TO, who: str = WHO) -> str:
    """A SubmitReq with ``more`` after its recipients."""
    version = VERSION.replace("5.3.0", profiles.profile(schema).versions[-1])
    return sent("SubmitReq", version + who + to + more, schema)


def message(operation: str, more: str = "", schema: str = SCHEMA, content: str | None = None) -> str:
    """An envelope with the least that ``operation`` needs, or ``content``, and ``more`` after it."""
    version = VERSION.replace("5.3.0", profiles.profile(schema).versions[-1])
    inner = MINIMAL[operation] if content is None else content
    return sent(operation, inner.replace(VERSION, version) + more, schema)


def shown_to(text: str) -> str:
    """Recipients of the To list, each an address element."""
    return f"<Recipients><To>{text}</To></Recipients>"


SUBMIT = post(submit())
SUBMITTED = answer(message("SubmitRsp"))
ONE = packed(submit(HREF), NOTE)
_NAMED = 'text/plain; charset=utf-8; name="tide.txt"\r\nContent-Disposition: attachment; filename="tide.txt"'
FILE = bent(ONE, b"text/plain; charset=utf-8", octets(_NAMED))
ALL = submit('<Content href="cid:all@kiosk.example"/>')
SHOW = packed(ALL, nested(slides("cid:note@kiosk.example", "cid:map@kiosk.example"), NOTE, MAP))


def twins(id: str, bad: str | bytes, good: str | bytes, shown: str, found: str = "", *, refused: bool = False) -> Case:
    """A case of two messages: octets as they are, an envelope as text in a request."""
    sent = [one if isinstance(one, bytes) else post(one) for one in (bad, good)]
    return Case(id=id, bad=sent[0], good=sent[1], shown=shown, found=found, refused=refused)


def bend(
    id: str, good: bytes, old: str | bytes, new: str | bytes, found: str = "", *, shown: str | None = None
) -> Case:
    """A case whose bad message differs from its twin in one place: ``old`` there is ``new``."""
    bad = bent(good, octets(old), octets(new))
    piece = octets(new).decode("utf-8", "replace") if shown is None else shown
    return Case(id=id, bad=bad, good=good, shown=piece or f"without {octets(old).decode()}", found=found)


def refused(case: Case) -> Case:
    """The same case, where the message is refused for it."""
    return replace(case, refused=True)


def at(case: Case, now: datetime = NOON) -> Case:
    """The same case, seen at ``now``."""
    return replace(case, now=now)
