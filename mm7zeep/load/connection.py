"""One kept HTTP connection of a sender, and the request that is on it."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from mm7zeep.load.answers import Answer, AnswerReader, Broken
from mm7zeep.load.tally import NOT_ASKED


class Request:
    """One request: what it is, when it was due and sent (seconds of the loop's clock), and whom it concerns."""

    __slots__ = ("due", "held", "message_id", "number", "operation", "recipients", "sent", "size", "tidying")

    def __init__(self, number: int, operation: str, due: float) -> None:
        self.number, self.operation, self.due = number, operation, due
        self.sent = 0.0
        self.size = 0
        self.recipients: tuple[str, ...] = ()
        self.message_id = ""
        self.held = self.tidying = False


class Owner(Protocol):
    """Who is told what came of a request."""

    def answered(self, connection: Connection, request: Request, answer: Answer) -> None:
        """An answer came."""

    def failed(self, connection: Connection | None, request: Request | None, kind: str) -> None:
        """No answer came that can be read; without a request, octets came that nobody had asked for."""


class Connection(asyncio.Protocol):
    """One kept connection, and the request that is on it."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self.request: Request | None = None

    @property
    def usable(self) -> bool:
        """Whether another request can go out on it."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: Request, octets: bytes) -> None:
        """Send a request; its answer, or what becomes of it, goes to the owner."""
        assert self._transport is not None  # noqa: S101
        self.request = request
        self._transport.write(octets)

    def close(self) -> None:
        """Let go of the connection; its request is no longer its own."""
        self.request = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            answer = self._reader.feed(data)
        except Broken:
            self._failed("unparsable")
            return
        if self.request is None and not (answer is not None and answer.status == 408):  # which is said before a close
            self._failed(NOT_ASKED)
        elif answer is not None:
            self._answered(answer)

    def eof_received(self) -> bool:
        return False  # close: what is missing by then does not come

    def connection_lost(self, exc: Exception | None) -> None:
        if self.request is None:
            return
        try:
            answer = self._reader.end() if exc is None else None
        except Broken:
            self._failed("cut")
            return
        if answer is not None:
            self._answered(answer)
        else:
            self._failed("reset")

    def _answered(self, answer: Answer) -> None:
        request, self.request = self.request, None
        if answer.closes:
            self.close()
        if request is not None:
            self._owner.answered(self, request, answer)

    def _failed(self, kind: str) -> None:
        request = self.request
        self.close()
        self._owner.failed(self, request, kind)
