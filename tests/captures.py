"""Captured messages in our own words, for tests: made by the library's own writer, then bent where a test wants it."""

from __future__ import annotations

from dataclasses import replace

from mm7zeep import exchange, profiles
from mm7zeep.messages import Fault, Message, Part, RSErrorRsp, Status, SubmitReq, SubmitRsp
from mm7zeep.vectors.building import bent

__all__ = ["GIF", "REFUSED", "SUBMIT", "SUBMITTED", "TEXT", "bent", "chunked", "dump", "wire"]

TEXT = Part(
    body=b"Ferry at ten", content_type="text/plain", parameters=(("charset", "utf-8"),), content_id="note@ferry.example"
)
GIF = Part(body=b"GIF89a" + bytes(40), content_type="image/gif", content_id="map@ferry.example", name="map.gif")
SUBMIT = SubmitReq(vaspid="FERRY", vasid="Times", to=("+4930123456",), subject="Ferry", parts=(TEXT,))
SUBMITTED = SubmitRsp(message_id="m-77")
REFUSED = Fault(fault_code="Client", fault_string="Client error", error=RSErrorRsp(status=Status(2005)))


def wire(message: Message = SUBMIT, *, smil: bool = True) -> exchange.Wire:
    """The HTTP message of ``message``; without ``smil``, no presentation is added."""
    generic = profiles.GENERIC_6_8_0
    profile = generic if smil else replace(generic, smil="never")
    packed = exchange.pack(message, profile=profile, transaction_id="ferry-1")
    return replace(packed, body=packed.read())


def dump(
    message: exchange.Wire | Message = SUBMIT, *, start: str | None = None, length: int | str | None = None
) -> bytes:
    """The octets of an HTTP message as a proxy would save them; ``length`` replaces the true Content-Length."""
    packed = message if isinstance(message, exchange.Wire) else wire(message)
    body = packed.read()
    line = start or (f"HTTP/1.1 {packed.status} Reason" if packed.status else "POST /mm7 HTTP/1.1")
    lines = [line, *([] if packed.status else ["Host: mmsc.example"])]
    lines += [f"{name}: {value}" for name, value in packed.headers]
    lines += [f"Content-Length: {len(body) if length is None else length}", "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(message: Message = SUBMIT, *, size: int = 97) -> bytes:
    """The same in chunks of ``size`` octets."""
    packed = wire(message)
    body = packed.read()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    head = [f"{name}: {value}" for name, value in packed.headers]
    lines = ["POST /mm7 HTTP/1.1", "Host: mmsc.example", *head, "Transfer-Encoding: chunked", "", ""]
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return "\r\n".join(lines).encode() + chunks + b"0\r\nX-Trailer: 1\r\n\r\n"
