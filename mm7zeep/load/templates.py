"""Requests rendered once and sent many times: octets with holes for what differs from one to the next.

``Template`` cuts a packed message where its marks stand; ``Requests`` has one for each operation and size of a plan,
with the head of HTTP before it. What is filled in is escaped for XML; the rest was judged when it was packed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from mm7zeep import exchange
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Wire
from mm7zeep.load.plan import Plan
from mm7zeep.messages import CancelReq, Message, Part, ReplaceReq, SubmitReq
from mm7zeep.samples import saturn_png

_TEXT = "News of today from the load generator. "
_HELD = timedelta(hours=1)
"""How long a message waits that is there to be cancelled or replaced."""


def picture(octets: int) -> bytes:
    """A PNG of exactly so many octets: a drawing, and a private chunk (RFC 2083 3.3) of noise that no viewer shows.

    Raises ``LocalError`` for fewer octets than the drawing has.
    """
    plain = saturn_png()
    filling = octets - len(plain) - 12
    if filling < 0:
        raise LocalError(f"a picture has at least {len(plain) + 12} octets, not {octets}; take text, or a larger one")
    data = b"nOiS" + Random(octets).randbytes(filling)  # noqa: S311  it only fills
    chunk = filling.to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
    at = plain.rindex(b"IEND") - 4
    return plain[:at] + chunk + plain[at:]


class Template:
    """``wire`` with holes where the marks stand, under a head of HTTP. ``marks`` maps names of holes to their marks.

    Raises ``LocalError`` for a mark that does not stand exactly once in the body.
    """

    def __init__(self, head: bytes, wire: Wire, marks: Mapping[str, str]) -> None:
        body = wire.read()
        names = {mark.encode(): name for name, mark in marks.items()}
        pieces = re.split(b"(" + b"|".join(map(re.escape, names)) + b")", body)
        self.holes = [names[one] for one in pieces[1::2]]
        if sorted(self.holes) != sorted(marks):
            raise LocalError(f"the holes {sorted(marks)} stand in the message as {sorted(self.holes)}")
        fields = "".join(f"{name}: {value}\r\n" for name, value in wire.headers)
        self._head = head + fields.encode() + b"Content-Length: "
        self._pieces = pieces[::2]
        self._length = sum(map(len, self._pieces))

    def octets(self, values: Mapping[str, bytes]) -> bytes:
        """The whole request, its holes filled in the order in which they stand."""
        filled = [values[name] for name in self.holes]
        out = [self._head, b"%d\r\n\r\n" % (self._length + sum(map(len, filled))), self._pieces[0]]
        for value, piece in zip(filled, self._pieces[1:], strict=True):
            out += (value, piece)
        return b"".join(out)


class Requests:
    """The templates of a plan. Raises ``LocalError`` for a message that cannot be written by its profile."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._head = _head(plan)
        self._contents = {size: _content(size) for size, _ in plan.sizes}
        kinds = {name for name, weight in plan.mix if weight}
        self._submits = {(size, False): self._submit(size, held=False) for size in self._contents}
        if plan.held:
            self._submits |= {(size, True): self._submit(size, held=True) for size in self._contents}
        self._replaces = {size: self._replace(size) for size in self._contents} if "replace" in kinds else {}
        cancel = CancelReq(vaspid=plan.vaspid, vasid=plan.vasid, message_id=_MESSAGE)
        self._cancel = self._template(cancel, (), {"message": _MESSAGE})

    def submit(self, transaction_id: str, numbers: Sequence[str], size: int, *, held: bool) -> bytes:
        """A submit to ``numbers``; a held one is to be delivered in an hour, and asks for no report."""
        values = {f"to{place}": number.encode() for place, number in enumerate(numbers)}
        return self._submits[size, held].octets({"transaction": transaction_id.encode(), **values})

    def cancel(self, transaction_id: str, message_id: str) -> bytes:
        """A cancel of the message with that MessageID."""
        return self._cancel.octets({"transaction": transaction_id.encode(), "message": escape(message_id).encode()})

    def replace(self, transaction_id: str, message_id: str, size: int) -> bytes:
        """A replace of the message with that MessageID by another content."""
        values = {"transaction": transaction_id.encode(), "message": escape(message_id).encode()}
        return self._replaces[size].octets(values)

    def _submit(self, size: int, *, held: bool) -> Template:
        marks = {f"to{place}": f"+99999{place:09d}" for place in range(self._plan.recipients)}
        message = SubmitReq(
            vaspid=self._plan.vaspid,
            vasid=self._plan.vasid,
            to=tuple(marks.values()),
            subject="News of today",
            delivery_report=True if self._plan.reports and not held else None,
            earliest_delivery_time=_HELD if held else None,
            expiry_date=_HELD * 2 if held else None,
        )
        return self._template(message, self._contents[size], marks)

    def _replace(self, size: int) -> Template:
        message = ReplaceReq(vaspid=self._plan.vaspid, vasid=self._plan.vasid, message_id=_MESSAGE)
        return self._template(message, self._contents[size], {"message": _MESSAGE})

    def _template(self, message: Message, parts: Sequence[Part], marks: Mapping[str, str]) -> Template:
        wire = exchange.pack(message, parts, profile=self._plan.profile, transaction_id=_TRANSACTION)
        return Template(self._head, wire, {"transaction": _TRANSACTION, **marks})


_TRANSACTION, _MESSAGE = "mark-of-the-TransactionID", "mark-of-the-MessageID"


def _content(size: int) -> tuple[Part, ...]:
    text = Part(body=_TEXT.encode(), content_type="text/plain", content_id="text@load")
    if not size:
        return (text,)
    return (Part(body=picture(size), content_type="image/png", content_id="picture.png@load"), text)


def _head(plan: Plan) -> bytes:
    """The request line and the fields that are the same for all."""
    target = urlsplit(plan.url)
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    lines = [f"POST {path} HTTP/1.1", f"Host: {target.netloc}", "User-Agent: mm7zeep-load"]
    if plan.authorization is not None:
        lines.append(f"Authorization: {plan.authorization}")
    head = "".join(f"{line}\r\n" for line in lines)
    if not head.isascii():
        raise LocalError("the address holds characters that are not ASCII; write it percent-encoded, the host as xn--")
    return head.encode()
