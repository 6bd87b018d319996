"""``mm7zeep send --dry-run``: the requests as they would go out, written instead of sent.

Opens no connection. Credentials are hidden, and so is the value of every header field that was given.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

import requests
import requests.adapters
import urllib3

from mm7zeep import exchange
from mm7zeep.cli import watched, wire_view
from mm7zeep.cli.wire_view import WireView
from mm7zeep.exchange import Wire
from mm7zeep.messages import SubmitRsp


class DryRun(requests.adapters.BaseAdapter):
    """Keeps each request as octets and answers it 1000, as an MMSC would that accepts it."""

    def __init__(self, hidden: Collection[str] = (), view: WireView | None = None) -> None:
        super().__init__()
        self.requests: list[bytes] = []
        self._hidden = hidden
        self._view = view

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        body = b"".join(request.body or ())  # type: ignore[arg-type]
        watched.show(self._view, request)
        head = "\r\n".join([*wire_view.head(request, self._hidden), "", ""])
        self.requests.append(head.encode("latin-1") + body)
        fields = tuple(request.headers.items())
        asked = exchange.unpack(Wire(method="POST", headers=fields, body=body), policy="lenient")
        return _response(request, exchange.pack(SubmitRsp(message_id="dry-run"), reply_to=asked))

    def write(self, output: BinaryIO) -> None:
        """Write the requests, as octets."""
        for request in self.requests:
            output.write(request)
        output.flush()

    def close(self) -> None:
        """Nothing is open."""


def _response(request: requests.PreparedRequest, wire: Wire) -> requests.Response:
    body, headers = wire.read(), dict(wire.headers)
    raw = urllib3.HTTPResponse(
        body=io.BytesIO(body), headers=_with_length(headers, body), status=wire.status or 200, preload_content=False
    )
    made = requests.Response()
    made.status_code, made.raw, made.request, made.url = raw.status, raw, request, request.url or ""
    made.headers.update(raw.headers)
    return made


def _with_length(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    return {**headers, "Content-Length": str(len(body))}
