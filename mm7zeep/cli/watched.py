"""The connections of ``mm7zeep send``, watched: which requests went out, how far each came, and with -v what it was.

Opens them as the client's own adapter does. Refuses to let a request go on once it was stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import requests

from mm7zeep.cli.wire_view import WireView
from mm7zeep.errors import LocalError
from mm7zeep.transport import HttpExchange
from mm7zeep.transport.connections import JudgedAdapter
from mm7zeep.transport.http_exchange import Body


class Watched(JudgedAdapter):
    """Keeps each ``HttpExchange`` in ``exchanges``, in order; shows what goes out and comes in, if it has a view."""

    def __init__(self, view: WireView | None = None) -> None:
        super().__init__()
        self.exchanges: list[HttpExchange] = []
        self._view = view
        self._untold: HttpExchange | None = None
        self._stopped = threading.Event()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send one request; a challenge is answered with another one of the same exchange."""
        self._tell_body()
        exchange = show(self._view, request)
        if exchange is not None and all(one is not exchange for one in self.exchanges):
            self.exchanges.append(exchange)
        answer = super().send(request, *args, **options)
        if self._view is not None:
            self._view.answer(answer.status_code, answer.headers)
            self._untold = exchange
        return answer

    def close(self) -> None:
        """Close the connections, and show the last answer."""
        self._tell_body()
        super().close()

    def _tell_body(self) -> None:
        exchange, self._untold = self._untold, None
        if self._view is not None and exchange is not None and exchange.body:
            self._view.answered(exchange.body)

    def progress(self, bar: Callable[[int, int], None] | None) -> Callable[[int, int], None]:
        """What the client calls as octets leave: tells the ``bar``, and ends a request that was stopped."""

        def tell(sent: int, total: int) -> None:
            if self._stopped.is_set():
                raise LocalError("stopped")
            if bar is not None:
                bar(sent, total)

        return tell

    def stop(self) -> None:
        """Let no request go on, and show nothing more."""
        self._stopped.set()
        if self._view is not None:
            self._view.silent = True


def show(view: WireView | None, request: requests.PreparedRequest) -> HttpExchange | None:
    """The exchange that a request of our transport belongs to; the request is shown, where there is a view."""
    body: Any = request.body
    if not isinstance(body, Body):
        return None
    if view is not None:
        content = body.exchange.content
        view.request(request, body.octets(), content.parts if content is not None else ())
    return body.exchange
