"""Server-sent events (WHATWG HTML 9.2) that tell open pages when something has changed, so that they load it again.

An event says that there is something new, never what: a page gets it by the way it gets everything. Each process looks
twice a second while anybody listens, once for all of them. A stream ends with the log-in that it was opened by. Refuses
more than ``MOST`` listeners, and more than ``OWN`` of an application (503).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from mm7zeep.gateway.rest.scope import client_of
from mm7zeep.gateway.store import versions
from mm7zeep.gateway.store.database import StoreError

if TYPE_CHECKING:
    from mm7zeep.gateway.admin.sessions import Sessions
    from mm7zeep.gateway.gateway import Gateway

LOOK = 0.5
"""Seconds between two looks."""
MOST = 100
"""Listeners of one process."""
OWN = 30
"""Listeners of one application's users, so that some are left for others."""
# Seconds without news after which a comment goes out: only by writing it shows that a browser has closed its end, which
# it does with every page that is left; and so no proxy ends the connection
_ALIVE = 3.0
_CHECKED = 15.0  # seconds between two looks whether the log-in is over
_AGAIN = 2000  # milliseconds after which a browser connects again


class Changes:
    """The listeners of one process, in one event loop."""

    def __init__(self, gateway: Gateway, sessions: Sessions) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._counts: Counter[str | None] = Counter()  # by application
        self._looked, self._known = -LOOK, ""  # when the version was read, and what it was

    async def stream(self, request: Request) -> Response:
        """A stream of events, until the client leaves or the gateway stops."""
        application = request.state.user.application
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(headers=headers, media_type="text/event-stream")
        client = client_of(request.scope)
        if client is not None:
            client.lasting()
        own = self._counts[application] if application is not None else 0
        if self._counts.total() >= MOST or own >= OWN:
            return Response("too many pages are open", 503, {"Retry-After": "30"}, media_type="text/plain")
        return _Counted(self._counts, application, self._events(request), headers)

    async def _events(self, request: Request) -> AsyncGenerator[str, None]:
        async with aclosing(self._versions(request)) as found:
            async for version in found:
                yield ": nothing new\n\n" if version is None else f"event: change\ndata: {version}\n\n"

    async def _versions(self, request: Request) -> AsyncGenerator[str | None, None]:
        """What is new, and None for every ``_ALIVE`` seconds without."""
        loop = asyncio.get_running_loop()
        last, spoken = await self._version(), loop.time()
        checked = spoken
        yield f"{last}\nretry: {_AGAIN}"
        while not self._gateway.dispatcher.stopping and not await request.is_disconnected():
            await asyncio.sleep(LOOK)
            if loop.time() - checked > _CHECKED:
                checked = loop.time()
                if not await self._is_let_in(request):
                    return
            version = await self._version()
            if version != last:
                last, spoken = version, loop.time()
                yield version
            elif loop.time() - spoken > _ALIVE:
                spoken = loop.time()
                yield None

    async def _is_let_in(self, request: Request) -> bool:
        """Whether the log-in of a browser is not over; where the database has no answer, it is not."""
        session = request.state.session
        if session is None:  # by name and password, which do not end
            return True
        try:
            return await run_in_threadpool(self._sessions.is_open, session)
        except StoreError:
            return True

    async def _version(self) -> str:
        """What ``versions.version`` gives, half a look old at most; as before where the database has no answer."""
        now = asyncio.get_running_loop().time()
        if now - self._looked >= LOOK / 2 or not self._known:
            self._looked = now  # whoever comes meanwhile takes what is known, if anything is
            with suppress(StoreError):  # pages that are loaded again say so
                self._known = await run_in_threadpool(self._read)
        return self._known

    def _read(self) -> str:
        with self._gateway.database.read() as connection:
            return versions.version(connection)


class _Counted(StreamingResponse):
    """A stream that is counted from when it begins until it ends, however it ends."""

    def __init__(
        self,
        counts: Counter[str | None],
        application: str | None,
        events: AsyncGenerator[str, None],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._counts, self._application, self._events = counts, application, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        self._counts[self._application] += 1
        try:
            async with aclosing(self._events):
                await super().__call__(scope, receive, send)
        finally:
            self._counts[self._application] -= 1
