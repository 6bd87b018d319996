"""One process of a gateway: one event loop, two listeners, the pump behind them; from ready to drained.

On SIGTERM or SIGINT ``/readyz`` turns 503 and claiming stops, the MM7 listener closes and answers what it has begun,
calls under way end; then the admin listener closes. What takes longer than the drain time is broken off; its claims run
out and others take them. A second signal ends the process at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mm7zeep.gateway import descriptors
from mm7zeep.gateway.admin import admin_app
from mm7zeep.gateway.app import THREADS, Gateway
from mm7zeep.gateway.descriptors import ADMIN_CONNECTIONS
from mm7zeep.gateway.heads import Edge
from mm7zeep.gateway.peers import Networks
from mm7zeep.gateway.serving import Listener
from mm7zeep.gateway.settings import Settings

_LOG = logging.getLogger("mm7zeep.gateway")
_ANSWERING = 2  # threads beyond those that work on requests, which write answers
_SWITCH = 0.001  # seconds a thread may have the interpreter while others want it: the event loop is one of them
_SPARE = 1.0  # seconds of the drain time that closing takes
CUT = 1
"""Exit status where something did not end in time, or was not waited for."""


def run(
    settings: Settings,
    mm7: socket.socket,
    admin: socket.socket,
    *,
    ready: Callable[[], object] = lambda: None,
    orphaned: Callable[[], object] | None = None,
    supervised: bool = False,
) -> int:
    """Serve on two bound sockets until a signal comes; the exit status.

    ``ready`` is called when both listeners accept. ``orphaned`` returns when whoever watches over this process is gone,
    which counts as a signal. ``supervised`` says that a second signal is the supervisor's business.

    Raises ``ValueError`` for settings that cannot be used, ``StoreError`` where the database cannot be opened.
    """
    sys.setswitchinterval(_SWITCH)
    gateway = Gateway(settings, shared=supervised)
    try:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(_serve(gateway, mm7, admin, ready, orphaned, supervised))
    finally:
        gateway.close()


async def _serve(
    gateway: Gateway,
    mm7_socket: socket.socket,
    admin_socket: socket.socket,
    ready: Callable[[], object],
    orphaned: Callable[[], object] | None,
    supervised: bool,
) -> int:
    settings = gateway.settings
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(THREADS + _ANSWERING, thread_name_prefix="mm7zeep-work")
    loop.set_default_executor(threads)
    edge = _edge(settings, gateway.metrics.refused)
    inner = Edge(
        connections=ADMIN_CONNECTIONS, per_address=edge.per_address, exempt=edge.exempt, descriptors=edge.descriptors
    )
    tls = {"cert": settings.cert, "key": settings.key}
    mm7 = Listener(gateway.asgi, mm7_socket, edge=edge, drain=settings.drain - _SPARE, shared=supervised, **tls)
    admin = Listener(admin_app(gateway), admin_socket, edge=inner, drain=_SPARE, shared=supervised)
    asked = asyncio.Event()
    _listen_to_signals(loop, asked, supervised)
    if orphaned is not None:
        _watch(loop, orphaned, asked)
    gateway.start()
    await mm7.start()
    await admin.start()
    ready()
    await asked.wait()
    return await _drain(gateway, mm7, admin)


def _edge(settings: Settings, refused: Callable[[int], object]) -> Edge:
    http = settings.http
    limit = descriptors.raised(descriptors.reserved(settings) + settings.connections)
    fitting = descriptors.fitted(settings, limit=limit)
    short = descriptors.shortage(settings, limit=limit)
    if short is not None:
        _LOG.warning(short)
    return Edge(
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


async def _drain(gateway: Gateway, mm7: Listener, admin: Listener) -> int:
    """End in order; 0 if everything ended by itself."""
    _LOG.info("stopping: no new requests, no new calls")
    until = time.monotonic() + gateway.settings.drain
    gateway.pump.stop()
    await mm7.stop()
    left = max(0.0, until - time.monotonic() - _SPARE)
    try:
        # the threads may all be held by a database that does not answer: then not even this begins
        done = await asyncio.wait_for(asyncio.to_thread(gateway.stop, left), left + _SPARE / 2)
    except TimeoutError:
        done = False
    await admin.stop()
    if not done:
        _LOG.warning("calls were under way for longer than the drain time; they will be made again")
        _end_now()
    _LOG.info("stopped")
    return 0


def _listen_to_signals(loop: asyncio.AbstractEventLoop, asked: asyncio.Event, supervised: bool) -> None:
    def first_or_again() -> None:
        if asked.is_set() and not supervised:
            _LOG.warning("stopped at once; what was under way will be made again")
            _end_now()
        asked.set()

    loop.add_signal_handler(signal.SIGTERM, first_or_again)
    if supervised:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the supervisor passes it on
    else:
        loop.add_signal_handler(signal.SIGINT, first_or_again)


def _end_now() -> None:
    """End without waiting for threads: what they do not finish, others will."""
    logging.shutdown()
    os._exit(CUT)


def _watch(loop: asyncio.AbstractEventLoop, orphaned: Callable[[], object], asked: asyncio.Event) -> None:
    import threading

    def wait() -> None:
        orphaned()
        loop.call_soon_threadsafe(asked.set)

    threading.Thread(target=wait, name="mm7zeep-watch", daemon=True).start()
