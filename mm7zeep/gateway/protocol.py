"""The HTTP/1.1 connection: uvicorn's with httptools, kept to what a connection and a request head may cost and say.

Refuses by itself what is no sound head (400), comes too slowly (408), is too large (414, 431), or is one connection
too many (503); what a body may cost, the application says. Every refusal ends the connection, after a bounded wait for
the client to read it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from mm7zeep.gateway.heads import EDGE, Edge, Refused, answer, contradiction, judged, too_large, without_upgrade

RESET = "mm7zeep.reset"
"""In ``scope["extensions"]``: a function that breaks the connection off (RST), without an answer."""


class Protocol(HttpToolsProtocol):
    """One connection. A head is held back until it is whole and was judged; the rest goes to the parser as it comes."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        edge: Edge = EDGE,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.timeout_keep_alive = cast(int, edge.keep_alive)  # any seconds: the loop takes them
        self.limit_concurrency = None  # uvicorn would wait for a head before it says 503
        self._edge = edge
        self._place = "between"  # requests; in a "head" that began behind a body; in a "body": where the parser is
        self._held = bytearray()  # a head that is not whole yet
        self._scanned = 0  # octets of it in which nothing is broken
        self._dry = 0  # octets the parser took since it last gave any of a body
        self._bad: Refused | None = None  # what a callback of the parser objects to
        self._later: Refused | None = None  # waits until those before it are answered
        self._left: int | None = None  # octets that may still be thrown away; None: not ending
        self._timer: asyncio.TimerHandle | None = None

    # --- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * self._edge.connections:
            transport.abort()  # not even for waiting politely is there room
        elif len(self.connections) > self._edge.connections:
            self._refuse(Refused(503, "too many connections; try again"))
        else:
            self._time(self._edge.head, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._time(None)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """A client that has sent all and closed its half still gets its answer, where the transport can do that."""
        if self.scheme == "https" or self._left is not None or not self._answering() or self.cycle.more_body:
            return None
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._left is None:
            self._time(self._edge.stall, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._left is None:
            begun = self._held or self._place == "head"
            self._time(self._edge.head if begun else None, self._late)

    def _time(self, seconds: float | None, then: Callable[[], None] | None = None) -> None:
        """The one timer of this connection: ``then`` in ``seconds``, or nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, then) if seconds is not None and then is not None else None

    def _late(self) -> None:
        self._refuse(Refused(408, "the head of the request comes too slowly"))

    def _starved(self) -> None:
        self._refuse(Refused(408, "the body comes too slowly"))

    # --- in -----------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.transport.abort()
            return
        if self._later is not None:
            return
        if self._place == "between":
            if not self._held and self._timer is None:
                self._time(self._edge.head, self._late)
            self._held += data
            whole = self._whole_head()
            if whole is None:
                return
            data = whole
        self._feed(data)

    def _whole_head(self) -> bytes | None:
        """The head and what follows, once it is whole; None as long as it is not, and where it is refused."""
        held = self._held
        while held.startswith(b"\r\n"):  # RFC 9112 2.2: an empty line before a request is ignored
            del held[:2]
        end = held.find(b"\r\n\r\n", max(0, self._scanned - 3))
        refused = judged(bytes(held[: end + 4] if end >= 0 else held), self._scanned, self._edge)
        self._scanned = len(held)
        if refused is not None:
            self._refuse(refused)
        if refused is not None or end < 0:
            return None
        whole = without_upgrade(bytes(held[:end])) + bytes(held[end:])  # the parser would leave the body unread over it
        held.clear()
        self._scanned = 0
        return whole

    def _feed(self, data: bytes) -> None:
        self._dry += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(Refused(400, "no other protocol is spoken here"))
        except httptools.HttpParserError:
            self._refuse(self._bad or Refused(400, "this is no HTTP/1.1 request"))
        else:
            # a head that began behind a body, trailers, and chunk extensions are kept by the parser without a limit
            if self._place != "between" and self._dry > self._edge.request_line + self._edge.header_bytes + 4:
                around = Refused(400, "there is too much around the body")
                self._refuse(too_large(self._edge) if self._place == "head" else around)

    def _object(self, refused: Refused) -> None:
        """End the parser's work, from within one of its callbacks."""
        self._bad = refused
        raise ValueError(refused.text)

    # --- callbacks of the parser --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._place = "head"
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {RESET: self.reset}
        if self._timer is None:
            self._time(self._edge.head, self._late)

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
        super().on_headers_complete()
        self.cycle.transport = _Outlet(self, self.transport)

    def on_body(self, body: bytes) -> None:
        self._dry = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._place, self._dry = "between", 0
        self._time(None)
        super().on_message_complete()

    # --- out ----------------------------------------------------------------------------------------------------------

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        if self._left is not None or self.transport.is_closing():
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self._held:
            self._unset_keepalive_if_required()  # the next request has begun, and has its own time
        if self._answering():
            return
        if self._later is not None:
            self._refuse(self._later)
        elif self._place == "body":
            self._linger()  # answered without reading it all: what is left costs no more than this

    def _refuse(self, refused: Refused) -> None:
        """Answer and end; after what is being answered, so that no two answers change places."""
        if self.transport.is_closing() or self._left is not None:
            return
        if self._answering() and (self.pipeline or self.cycle.response_started or not self.cycle.more_body):
            self._later = refused
            self._time(None)
            self.flow.pause_reading()
            return
        if self._answering():  # its own body is what is refused
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._edge.refused(refused.status)
        self.transport.write(answer(refused, self.server_state.default_headers))
        self._linger()

    def close_gently(self) -> None:
        """End the connection when all is written, and everything was read that the client is still sending."""
        if self._place == "between" and not self._held:
            self.transport.close()
            self._time(self._edge.stall, self.transport.abort)
        else:
            self._linger()

    def _linger(self) -> None:
        """RFC 9112 9.6: who closes while the other is still sending takes the answer away from him."""
        if self._left is not None or self.transport.is_closing():
            return
        self._left = self._edge.drained
        self._held.clear()
        if self.transport.can_write_eof():  # not over TLS
            self.transport.write_eof()
        self.flow.resume_reading()
        self._unset_keepalive_if_required()
        self._time(self._edge.drain, self.transport.abort)

    def reset(self) -> None:
        """Break the connection off: RST, no answer."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        plain = self.transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


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
