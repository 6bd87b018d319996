"""What the tool's listener answers: success and refusal as MM7 has them, plain HTTP, nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mm7zeep import messages as m
from mm7zeep.envelope.operations import BY_ELEMENT
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange.pack import pack
from mm7zeep.probe.arrived import Arrived
from mm7zeep.status import Status

Reply = Callable[[Arrived], bytes | None]
"""What is answered: the octets of a whole HTTP answer, or None to close the connection without one."""


def rsp(code: int = 1000, text: str | None = None, *, message_id: str | None = None, after: float = 0.0) -> Reply:
    """Answers with the Rsp of the request and this status, after so many seconds."""

    def reply(arrived: Arrived) -> bytes | None:
        time.sleep(after)
        if arrived.received is None:
            return http(400, b"")
        operation = BY_ELEMENT.get(arrived.operation)
        if operation is None:
            return http(400, b"")
        given: dict[str, Any] = {"status": Status(code, text)}
        if operation[0].response is m.SubmitRsp:
            given["message_id"] = message_id or f"probe-{arrived.transaction_id[:24]}"
        return _written(operation[0].response(**given), arrived)

    return reply


def fault(code: int, text: str | None = None) -> Reply:
    """Answers HTTP 500 with a Fault that holds this status."""

    def reply(arrived: Arrived) -> bytes | None:
        operation = BY_ELEMENT.get(arrived.operation)
        if arrived.received is None or operation is None:
            return http(400, b"")
        said = Status(code, text)
        word = "Client" if code // 1000 == 2 else "Server"
        detail = operation[0].error(status=said)
        return _written(m.Fault(fault_code=word, fault_string=said.text or "", error=detail), arrived)

    return reply


def http(status: int, body: bytes = b"", content_type: str = "text/plain") -> bytes:
    """A plain HTTP answer."""
    head = f"HTTP/1.1 {status} Probe\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def plain(status: int, body: bytes = b"", content_type: str = "text/plain") -> Reply:
    """Answers with a plain HTTP answer."""
    return lambda arrived: http(status, body, content_type)


def closes(arrived: Arrived) -> bytes | None:
    """Closes the connection without an answer."""
    return None


def _written(message: m.Message, arrived: Arrived) -> bytes:
    try:
        wire = pack(message, reply_to=arrived.received)
    except Mm7Error:
        return http(400, b"")  # a request that no valid answer can be written to
    body = wire.read()
    fields = "".join(f"{name}: {value}\r\n" for name, value in wire.headers)
    return f"HTTP/1.1 {wire.status} Probe\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body
