"""An ASGI application on a socket of this process, in a thread: for the demo and for tests.

Refuses nothing by itself: limits and authentication are the application's.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import uvicorn

_START = 10.0  # seconds that a server may take to come up
_STOP = 10.0  # seconds that requests in flight may take to end
_CONNECTIONS = 500
_IDLE = 15  # seconds that a connection is kept between two requests


@contextmanager
def serve_in_thread(asgi_app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve ``asgi_app`` while the context lasts; gives the base URL, without a final slash.

    ``port`` 0 takes a free one. Leaving waits up to 10 s for requests in flight. Raises ``OSError`` if the address is
    taken, ``RuntimeError`` if the application does not start.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.create_server((host, port), family=family, backlog=_CONNECTIONS)) as listener:
        server = uvicorn.Server(_config(asgi_app))
        thread = threading.Thread(target=server.run, args=([listener],), name="mm7zeep-serving", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            shown = f"[{host}]" if family == socket.AF_INET6 else host
            yield f"http://{shown}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP)
            if thread.is_alive():
                server.force_exit = True
                thread.join(_STOP)


def _config(asgi_app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        asgi_app,
        interface="asgi3",
        http="httptools",  # of the Python servers the strictest on request smuggling
        ws="none",
        loop="asyncio",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # uvicorn would believe X-Forwarded-For from loopback
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=int(_STOP),
    )


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    pause = threading.Event()
    waited = 0.0
    while not server.started:
        if not thread.is_alive() or waited > _START:
            raise RuntimeError("the server did not start; its log tells why")
        pause.wait(0.005)
        waited += 0.005
