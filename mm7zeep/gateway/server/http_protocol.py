"""The HTTP/1.1 connection: uvicorn's with httptools, kept to what a connection and a request head may cost and say.

One request is in hand at a time, and what may wait behind it is one read (64 KiB): the connection is then not read any
further until the answer is written. The states, by ``_place``: in a ``head``, which is held back until it is whole and
was judged; in a ``body``, of which the parser gets as much as its framing allows; ``answering``, when all of a request
has come; ``done``, when nothing more is taken.

Refuses by itself what is no sound head (400), comes too slowly (408), is too large (414, 431), or is one connection too
many (503); what a body may cost, the application says. Every refusal ends the connection, after a bounded wait for the
client to read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any, Literal, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from mm7zeep.gateway.server.connections import Slot, Slots
from mm7zeep.gateway.server.http_framing import Counted, Framing, framing
from mm7zeep.gateway.server.http_head import (
    EDGE,
    ConnectionLimits,
    Refused,
    answer,
    contradiction,
    judged,
    too_large,
    without_upgrade,
)
from mm7zeep.receiver import CLIENT

RESET = "mm7zeep.reset"
"""In ``scope["extensions"]``: a function that breaks the connection off (RST), without an answer."""

READ = 64 * 1024
"""Octets that are read at a time, and the most that may wait behind a request in hand."""


class Protocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """One connection, at its ``slot``. As a ``receiver.Client`` it is told who is on it, and tells when it is lost."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        edge: ConnectionLimits = EDGE,
        slot: Slot | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.timeout_keep_alive = cast(int, edge.keep_alive)  # any seconds: the loop takes them
        self.limit_concurrency = None  # uvicorn would wait for a head before it says 503
        self._edge = edge
        self._slot = slot or Slots(1, 1).take(None)
        self._place: Literal["head", "body", "answering", "done"] = "head"
        self._buffer: memoryview | None = None  # what is being read into
        self._held = bytearray()  # what the parser has not been given yet
        self._scanned = 0  # octets of a head in which nothing is broken
        self._framing: Framing = Counted(0)
        self._dry = 0  # octets the parser took since it last gave any of a body
        self._bad: Refused | None = None  # what a callback of the parser objects to
        self._left: int | None = None  # octets that may still be thrown away; None: not ending
        self._timer: asyncio.TimerHandle | None = None
        self._when_lost: list[Callable[[], object]] = []
        self._ended = False  # the client sends no more
        self._lasting = False  # nor does it take more, then

    # --- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        try:
            super().connection_made(transport)
        except OSError:  # the client has gone already, and its socket has no address any more
            self.connections.discard(self)
            transport.abort()
            return
        self.flow = self._flow = _Flow(transport)
        self._slot.end, self._slot.cut = self._evicted, transport.abort
        limit = getattr(transport, "set_read_buffer_limits", None)
        if limit is not None:  # TLS: what it has read and nobody has taken
            limit(READ)
        if self._slot.refused:
            self._refuse(Refused(503, "too many connections; try again"))
        else:
            self._time(self._edge.head, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._time(None)
        self._unset_keepalive_if_required()
        self._slot.release()
        self._buffer = None  # the garbage collector may take its time with the rest
        self._held.clear()
        self._lost()
        if self.transport is not None:
            super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """A client that has sent all and closed its half still gets its answer, where the transport can do that."""
        self._ended = True
        if self.scheme == "https" or self._left is not None or not self._answering() or self.cycle.more_body:
            return None
        if self._lasting:  # closed, as browsers do: nothing else tells before two more writes
            return None
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._left is None:
            self._time(self._edge.stall, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._left is not None:
            self._half_close()
        elif self._place == "body":
            self._time(self._edge.body, self._starved)
        else:
            self._time(self._edge.head if self._place == "head" and self._held else None, self._late)

    def _time(self, seconds: float | None, then: Callable[[], None] | None = None) -> None:
        """The one timer of this connection: ``then`` in ``seconds``, or nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, then) if seconds is not None and then is not None else None

    def _late(self) -> None:
        self._refuse(Refused(408, "the head of the request comes too slowly"))

    def _starved(self) -> None:
        self._refuse(Refused(408, "the body comes too slowly"))

    def _evicted(self) -> None:
        """Others need the place, and nobody has proven on this connection who he is."""
        if self._place == "head" and not self._held and self._left is None:
            self.transport.abort()  # nothing was asked
        else:
            self._refuse(Refused(503, "too many connections; try again"))

    # --- as a client of the application -------------------------------------------------------------------------------

    def recognised(self) -> None:
        """See ``receiver.Client``."""
        self._slot.recognised()

    def when_lost(self, call: Callable[[], object]) -> None:
        """See ``receiver.Client``."""
        if self.transport.is_closing():
            call()
        else:
            self._when_lost.append(call)

    def lasting(self) -> None:
        """See ``receiver.Client``."""
        self._lasting = True
        if self._ended:
            self.transport.abort()

    def _lost(self) -> None:
        calls, self._when_lost = self._when_lost, []
        for call in calls:
            call()

    # --- in -----------------------------------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next octets go."""
        self._buffer = memoryview(bytearray(READ))
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many octets have come."""
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            self.data_received(bytes(buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.transport.abort()
        elif self._place != "done":
            self._held += data
            self._advance()

    def _advance(self) -> None:
        """Give the parser what it may have of what has come: all, but nothing behind the end of a request."""
        while self._held and self._left is None and not self.transport.is_closing():
            if self._place == "head":
                if self._timer is None:
                    self._time(self._edge.head, self._late)
                head = self._whole_head()
                if head is None:
                    break
                self._feed(head)
            elif self._place == "body":
                self._feed_body()
            else:
                self._flow.hold()
                return
        self._flow.release()

    def _whole_head(self) -> bytes | None:
        """The head, once it is whole; None as long as it is not, and where it is refused."""
        held = self._held
        while held.startswith(b"\r\n"):  # RFC 9112 2.2: an empty line before a request is ignored
            del held[:2]
            self._scanned = 0
        end = held.find(b"\r\n\r\n", max(0, self._scanned - 3))
        refused = judged(bytes(held[: end + 4] if end >= 0 else held), self._scanned, self._edge)
        self._scanned = len(held)
        if refused is not None:
            self._refuse(refused)
        if refused is not None or end < 0:
            return None
        whole = without_upgrade(bytes(held[:end])) + b"\r\n\r\n"  # the parser would leave the body unread over it
        del held[: end + 4]
        self._scanned = 0
        return whole

    def _feed_body(self) -> None:
        try:
            count = self._framing.take(bytes(self._held))
        except ValueError:
            self._refuse(Refused(400, "this is no HTTP/1.1 request"))
            return
        body = bytes(self._held[:count])
        del self._held[:count]
        self._feed(body)
        if self._left is None and self._framing.ended != (self._place == "answering"):
            self._refuse(Refused(400, "where the body ends cannot be told"))

    def _feed(self, data: bytes) -> None:
        self._dry += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(Refused(400, "no other protocol is spoken here"))
        except httptools.HttpParserError:
            self._refuse(self._bad or Refused(400, "this is no HTTP/1.1 request"))
        else:
            # trailers and chunk extensions are kept by the parser without a limit
            if self._place == "body" and self._dry > self._edge.request_line + self._edge.header_bytes + 4:
                self._refuse(Refused(400, "there is too much around the body"))

    def _object(self, refused: Refused) -> None:
        """End the parser's work, from within one of its callbacks."""
        self._bad = refused
        raise ValueError(refused.text)

    # --- callbacks of the parser --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._lasting = False
        cast(dict[str, Any], self.scope)["extensions"] = {RESET: self.reset, CLIENT: self}

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._place == "body":
            return  # a trailer: nobody here needs one, and none may join the fields that were judged
        if len(self.headers) >= self._edge.header_fields:
            self._object(too_large(self._edge))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._place = "body"
        self._time(self._edge.body, self._starved)
        refused = contradiction(self.headers, self.parser.get_http_version())
        if (
            refused is None
            and sum(len(name) + len(value) + 4 for name, value in self.headers) > self._edge.header_bytes
        ):
            refused = too_large(self._edge)
        if refused is None and self.parser.should_upgrade():
            refused = Refused(400, "no other protocol is spoken here")
        if refused is not None:
            self._object(refused)
        self._framing = framing(self.headers)
        self._slot.asking = True
        super().on_headers_complete()
        self.cycle.transport = _Outlet(self, self.transport)

    def on_body(self, body: bytes) -> None:
        self._dry = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._place, self._dry = "answering", 0
        self._time(None)
        super().on_message_complete()

    # --- out ----------------------------------------------------------------------------------------------------------

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        self._when_lost.clear()
        self._slot.asking = False
        if self._left is not None or self.transport.is_closing():
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self._place != "answering":
            self._linger()  # answered without reading it all: what is left costs no more than this
            return
        self._place = "head"
        if self._held:
            self._unset_keepalive_if_required()  # the next request has begun, and has its own time
            self._slot.pace.later(self._advance)
        else:
            self._advance()

    def _refuse(self, refused: Refused) -> None:
        """Answer and end. Where an answer has begun, nothing can be said beside it: it ends the connection."""
        if self.transport.is_closing() or self._left is not None:
            return
        if self._answering():  # its own body is what is refused
            if self.cycle.response_started:
                self.cycle.keep_alive = False
                self._place = "done"
                self._held.clear()
                self._time(None)
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._lost()
        self._edge.refused(refused.status)
        self.transport.write(answer(refused, self.server_state.default_headers))
        self._linger()

    def close_gently(self) -> None:
        """End the connection when all is written, and everything was read that the client is still sending."""
        if self._place in ("head", "answering") and not self._held:
            self.transport.close()
            self._time(self._edge.stall, self.transport.abort)
        else:
            self._linger()

    def _linger(self) -> None:
        """RFC 9112 9.6: who closes while the other is still sending takes the answer away from him."""
        if self._left is not None or self.transport.is_closing():
            return
        self._left = self._edge.drained
        self._place = "done"
        self._held.clear()
        self._half_close()
        self._flow.release()
        self._unset_keepalive_if_required()
        self._time(self._edge.drain, self.transport.abort)

    def _half_close(self) -> None:
        """Say that nothing more comes, once all is written; not over TLS, which cannot."""
        if not self.transport.can_write_eof() or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():
            self.transport.set_write_buffer_limits(0)  # resume_writing is called when it is empty
            return
        try:
            self.transport.write_eof()
        except OSError:  # the client has broken the connection off, and the loop has not seen it yet
            self.transport.abort()

    def reset(self) -> None:
        """Break the connection off: RST, no answer."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        plain = self.transport.get_extra_info("socket")
        if plain is not None:
            with contextlib.suppress(OSError):  # it may be closed already
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class _Flow(FlowControl):
    """uvicorn's, which an application cannot make read on while a read waits behind its request."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._held = False

    def hold(self) -> None:
        """Read no further until ``release``."""
        self._held = True
        self.pause_reading()

    def release(self) -> None:
        """Read on."""
        self._held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self._held:
            super().resume_reading()


class _Outlet(asyncio.Transport):
    """The transport as an answer sees it: its ``close`` leaves the client the time to read what was answered."""

    def __init__(self, protocol: Protocol, transport: asyncio.Transport) -> None:
        super().__init__()
        self._protocol = protocol
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._protocol.close_gently()
