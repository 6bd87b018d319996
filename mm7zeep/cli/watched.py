"""The connections of ``mm7zeep send``, watched: which requests went out, how far each came, and with -v what it was.

Opens them as the client's own adapter does. Refuses to let a request go on once it was stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import requests

from mm7zeep import mime
from mm7zeep.cli.wire_view import WireView
from mm7zeep.errors import LocalError
from mm7zeep.transport import HttpExchange
from mm7zeep.transport.connections import JudgedAdapter
from mm7zeep.transport.http_exchange import Body

_STOPPED = "the command was interrupted"


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
        if self._stopped.is_set():
            raise LocalError(_STOPPED)
        self._tell_body()
        exchange = show(self._view, request)
        if isinstance(request.body, Body):
            request.body.stream = _Stoppable(request.body.stream, self._stopped)
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

    def stop(self) -> None:
        """Let no request begin, none go on, and show nothing more: what is told of them then stays true."""
        self._stopped.set()
        if self._view is not None:
            self._view.silent = True


class _Stoppable(mime.Stream):
    """A body of which nothing more is read once ``stopped`` is set."""

    def __init__(self, stream: mime.Stream, stopped: threading.Event) -> None:
        super().__init__(())
        self._stream = stream
        self._stopped = stopped

    def __len__(self) -> int:
        return len(self._stream)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if self._stopped.is_set():
                raise LocalError(_STOPPED)
            yield chunk


def show(view: WireView | None, request: requests.PreparedRequest) -> HttpExchange | None:
    """The exchange that a request of our transport belongs to; the request is shown, where there is a view."""
    body: Any = request.body
    if not isinstance(body, Body):
        return None
    if view is not None:
        content = body.exchange.content
        made = [content.presentation, *content.parts] if content is not None else []
        view.request(request, body.octets(), [one for one in made if one is not None])
    return body.exchange
