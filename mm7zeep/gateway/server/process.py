"""One process of a gateway: one event loop, its listeners, the dispatcher behind them; from ready to drained.

On SIGTERM or SIGINT ``/readyz`` turns 503 and claiming stops, the listeners of MM7 and the API close and answer what
they have begun, calls under way end; then the admin listener closes. What takes longer than the drain time is broken
off; its claims run out and others take them. A second signal ends the process immediately.

On SIGHUP a gateway with the new settings begins to accept on the same sockets, and then the old one retires: it accepts
no more, ends each connection with the answer to its next request, and drains. A worker of a supervisor does not read
settings itself: it retires on SIGUSR1, when its successor serves.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from socket import socket
from typing import Any

from mm7zeep.gateway import logs
from mm7zeep.gateway.config import descriptors
from mm7zeep.gateway.config.descriptors import ADMIN_CONNECTIONS, API_CONNECTIONS
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.security.client_address import Networks
from mm7zeep.gateway.server.http_head import ConnectionLimits
from mm7zeep.gateway.server.listener import Listener
from mm7zeep.gateway.server.reloading import Reload, reloaded
from mm7zeep.gateway.server.sockets import Sockets
from mm7zeep.gateway.server.span_export import provider_of_environment
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.viewer.app import listener_app

_LOG = logging.getLogger("mm7zeep.gateway")
_ANSWERING = 2  # threads beyond those that work on requests, which write answers
_SWITCH = 0.001  # seconds a thread may have the interpreter while others want it: the event loop is one of them
_SPARE = 1.0  # seconds of the drain time that closing takes
_LOOK = 0.01  # seconds between two looks at what has ended
_BEAT = 0.5  # seconds between two signs of life
CUT = 1
"""Exit status where something did not end in time, or was not waited for."""
RETIRE: signal.Signals | None = getattr(signal, "SIGUSR1", None)
"""What a supervisor sends to a worker whose successor serves; Windows has no such signal, and none to reload by."""
_HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)


def run(
    settings: Settings,
    sockets: Sockets,
    *,
    ready: Callable[[], object] = lambda: None,
    orphaned: Callable[[], object] | None = None,
    supervised: bool = False,
    reload: Reload | None = None,
    beat: Callable[[float], object] = lambda at: None,
) -> int:
    """Serve on bound sockets until a signal comes; the exit status.

    ``ready`` is called when all listeners accept. ``orphaned`` returns when whoever watches over this process is gone,
    which counts as a signal. ``supervised`` says that a second signal is the supervisor's business. ``reload`` gives
    the settings that SIGHUP asks for. ``beat`` is called with ``time.monotonic()`` as long as the event loop runs.

    Raises ``ValueError`` for settings that cannot be used, ``StoreError`` where the database cannot be opened.
    """
    sys.setswitchinterval(_SWITCH)
    process = _Process(sockets, supervised=supervised, reload=reload)
    provider = provider_of_environment() if settings.tracing else None
    gateway = Gateway(settings, shared=supervised, tracer_provider=provider)
    try:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(process.serve(gateway, ready, orphaned, beat))
    finally:
        gateway.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Generation:
    """A gateway with its listeners, from one reading of the settings to the next."""

    gateway: Gateway
    public: tuple[Listener, ...]  # where applications ask: MM7, and the API if there is one
    admin: Listener

    @classmethod
    async def started(cls, gateway: Gateway, sockets: Sockets, *, shared: bool) -> _Generation:
        """One that accepts. Raises ``ValueError`` for a certificate that cannot be used."""
        settings = gateway.settings
        edge = _edge(settings, gateway.metrics.refused)
        asked: list[tuple[Any, socket, ConnectionLimits]] = [(gateway.asgi, sockets.mm7, edge)]
        if sockets.api is not None:
            asked.append((gateway.api, sockets.api, replace(edge, connections=API_CONNECTIONS)))
        tls = {"cert": settings.cert, "key": settings.key}
        drain = settings.drain - _SPARE
        inner = ConnectionLimits(
            connections=ADMIN_CONNECTIONS,
            per_address=edge.per_address,
            exempt=edge.exempt,
            descriptors=edge.descriptors,
        )
        made = cls(
            gateway=gateway,
            public=tuple(Listener(app, one, edge=own, drain=drain, shared=shared, **tls) for app, one, own in asked),
            admin=Listener(listener_app(gateway), sockets.admin, edge=inner, drain=_SPARE, shared=shared),
        )
        gateway.start()
        for one in (*made.public, made.admin):
            await one.start()
        return made

    async def retire(self) -> None:
        """Leave what comes to the next one, and end what is open as it is answered."""
        patience = self.gateway.settings.http.idle + _SPARE  # a connection that is silent for longer is closed anyway
        await asyncio.gather(*(one.retire(patience) for one in (*self.public, self.admin)))


@dataclass(slots=True)
class _Process:
    """What one process serves, one generation after the other."""

    sockets: Sockets
    supervised: bool
    reload: Reload | None
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # to end
    retiring: asyncio.Event = field(default_factory=asyncio.Event)  # asked to leave what comes to others
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)  # asked to read the settings again

    async def serve(
        self,
        gateway: Gateway,
        ready: Callable[[], object],
        orphaned: Callable[[], object] | None,
        beat: Callable[[float], object],
    ) -> int:
        """Serve until a signal comes; the exit status."""
        loop = asyncio.get_running_loop()
        work = _Work(Gateway.THREADS + _ANSWERING, thread_name_prefix="mm7zeep-work")
        loop.set_default_executor(work)
        self._listen_to_signals(loop)
        if orphaned is not None:
            _watch(loop, orphaned, self.asked)
        beating = loop.create_task(_beat(beat))
        present = await _Generation.started(gateway, self._sockets(), shared=self.supervised)
        ready()
        former: list[asyncio.Task[int]] = []
        while not self.asked.is_set():
            await _first_of(self.asked, self.hung_up, self.retiring)
            if self.hung_up.is_set():
                self.hung_up.clear()
                following = await self._following(present)
                if following is not None:
                    former = [one for one in former if not one.done()]
                    former.append(loop.create_task(self._retired(present)))
                    present = following
            if self.retiring.is_set() and not self.asked.is_set():
                self.retiring.clear()
                await self._unless_asked(present.retire())
                break
        if not self.supervised:
            self.sockets.close()  # nobody is to wait there for a process that accepts no more
        codes = await asyncio.gather(_drain(present), *former)
        beating.cancel()
        if any(codes) or not await work.ended(_SPARE / 2) or not await _kept(present.gateway, _SPARE / 2):
            _end_now()
        if present.gateway is not gateway:  # whoever made the first closes it
            await asyncio.to_thread(present.gateway.close)
        _LOG.info("stopped")
        return 0

    def _sockets(self) -> Sockets:
        """The sockets, for one generation: it closes its own when it stops."""
        return self.sockets if self.supervised else self.sockets.dup()

    async def _following(self, present: _Generation) -> _Generation | None:
        """The next generation, with the settings as they are now; None where they cannot be used, which is logged."""
        settings = await asyncio.to_thread(reloaded, self.reload, present.gateway.settings)
        if settings is None:
            return None
        try:
            gateway = await asyncio.to_thread(present.gateway.following, settings)
        except (ValueError, StoreError) as error:
            _LOG.error("the configuration was not reloaded, the old one stays: %s", error)
            return None
        try:
            following = await _Generation.started(gateway, self._sockets(), shared=self.supervised)
        except (ValueError, OSError, RuntimeError) as error:
            _LOG.error("the configuration was not reloaded, the old one stays: %s", error)
            await asyncio.to_thread(gateway.stop)
            await asyncio.to_thread(gateway.close)
            return None
        logs.set_up(settings.log, show_numbers=settings.show_numbers)
        _LOG.warning("the configuration was reloaded")
        return following

    async def _retired(self, generation: _Generation) -> int:
        """Have a generation end; 0 if all of it ended by itself."""
        await self._unless_asked(generation.retire())
        code = await _drain(generation)
        if not code:
            await asyncio.to_thread(generation.gateway.close)
        return code

    async def _unless_asked(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for ``work``, but no longer than until a signal to end comes."""
        running = asyncio.create_task(work)
        waiting = asyncio.create_task(self.asked.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        for one in (running, waiting):
            one.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)

    def _listen_to_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        def first_or_again() -> None:
            if self.asked.is_set() and not self.supervised:
                _LOG.warning("stopped immediately; what was under way will be made again")
                _end_now()
            self.asked.set()

        _at_signal(loop, signal.SIGTERM, first_or_again)
        if self.supervised:
            # a terminal sends both to all; the supervisor passes on what concerns a worker
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if _HANG_UP is not None:
                signal.signal(_HANG_UP, signal.SIG_IGN)
            _at_signal(loop, RETIRE, self.retiring.set)
        else:
            _at_signal(loop, signal.SIGINT, first_or_again)
            _at_signal(loop, _HANG_UP, self.hung_up.set)


def _at_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals | None, act: Callable[[], object]) -> None:
    """Have the loop ``act`` when that signal comes, where the system has it."""
    if number is None:
        return
    try:
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # the loops of Windows: the interpreter wakes them
        signal.signal(number, lambda *_: None if loop.is_closed() else loop.call_soon_threadsafe(act))


class _Work(ThreadPoolExecutor):
    """The threads of an event loop, which knows whether all that they were given has ended.

    A request that is broken off leaves its thread at work; the loop, and ``asyncio.Runner``, would wait for it.
    """

    def __init__(self, most: int, thread_name_prefix: str) -> None:
        super().__init__(most, thread_name_prefix=thread_name_prefix)
        self._under_way: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    async def ended(self, patience: float) -> bool:
        """Whether all has ended, at most ``patience`` seconds from now; where not, that is logged."""
        held = await _wait_while(lambda: len(self._under_way), patience)
        if held:
            _LOG.warning("%d threads were at work on requests for longer than the drain time", held)
        return not held


async def _kept(gateway: Gateway, patience: float) -> bool:
    """Whether nothing is being kept any more, at most ``patience`` seconds from now; where not, that is logged."""
    keeping = await _wait_while(lambda: gateway.keeping, patience)
    if keeping:
        _LOG.warning("a commit took longer than the drain time")
    return not keeping


async def _wait_while(left: Callable[[], int], patience: float) -> int:
    """Wait while there is something left, at most ``patience`` seconds; what was left then."""
    until = time.monotonic() + patience
    while (found := left()) and time.monotonic() < until:  # noqa: ASYNC110  threads tell the loop nothing
        await asyncio.sleep(_LOOK)
    return found


async def _beat(beat: Callable[[float], object]) -> None:
    while True:
        beat(time.monotonic())
        await asyncio.sleep(_BEAT)


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(one.wait()) for one in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def _edge(settings: Settings, refused: Callable[[int], object]) -> ConnectionLimits:
    http = settings.http
    limit = descriptors.raised(descriptors.reserved(settings) + settings.connections)
    fitting = descriptors.fitted(settings, limit=limit)
    short = descriptors.shortage(settings, limit=limit)
    if short is not None:
        _LOG.warning(short)
    return ConnectionLimits(
        head=http.idle,
        keep_alive=http.idle,
        header_bytes=http.header_bytes,
        header_fields=http.header_fields,
        connections=fitting.connections,
        per_address=settings.connections_per_address,
        exempt=Networks(settings.trusted_proxies),
        descriptors=fitting.ceiling,
        handshake=settings.handshake,
        refused=refused,
    )


async def _drain(generation: _Generation) -> int:
    """End in order; 0 if everything ended by itself."""
    gateway = generation.gateway
    _LOG.info("stopping: no new requests, no new calls")
    until = time.monotonic() + gateway.settings.drain
    gateway.dispatcher.stop()
    await asyncio.gather(*(one.stop() for one in generation.public))
    left = max(0.0, until - time.monotonic() - _SPARE)
    try:
        # the threads may all be held by a database that does not answer: then not even this begins
        done = await asyncio.wait_for(asyncio.to_thread(gateway.stop, left), left + _SPARE / 2)
    except TimeoutError:
        done = False
    await generation.admin.stop()
    if not done:
        _LOG.warning("calls were under way for longer than the drain time; they will be made again")
    return 0 if done else CUT


def _end_now() -> None:
    """End without waiting for threads: what they do not finish, others will."""
    logging.shutdown()
    os._exit(CUT)


def _watch(loop: asyncio.AbstractEventLoop, orphaned: Callable[[], object], asked: asyncio.Event) -> None:
    def wait() -> None:
        orphaned()
        loop.call_soon_threadsafe(asked.set)

    threading.Thread(target=wait, name="mm7zeep-watch", daemon=True).start()
