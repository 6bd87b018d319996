"""``mm7zeep send --dry-run``: the requests as they would go out, written instead of sent.

Opens no connection. Credentials are hidden.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3

from mm7zeep import exchange, masking
from mm7zeep.exchange import Wire
from mm7zeep.messages import SubmitRsp


class DryRun(requests.adapters.BaseAdapter):
    """Keeps each request as octets and answers it 1000, as an MMSC would that accepts it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        body = b"".join(request.body or ())  # type: ignore[arg-type]
        self.requests.append(_written(request, body))
        fields = tuple(request.headers.items())
        asked = exchange.unpack(Wire(method="POST", headers=fields, body=body), policy="lenient")
        return _response(request, exchange.pack(SubmitRsp(message_id="dry-run"), reply_to=asked))

    def write(self) -> None:
        """Write the requests to standard output, as octets."""
        for request in self.requests:
            sys.stdout.buffer.write(request)
        sys.stdout.flush()

    def close(self) -> None:
        """Nothing is open."""


def _written(request: requests.PreparedRequest, body: bytes) -> bytes:
    place = urlsplit(request.url or "")
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    given = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    lines = [f"{request.method} {masking.url(target)} HTTP/1.1", f"Host: {place.netloc}"]
    lines += [masking.credentials(f"{name}: {value}") for name, value in given.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


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
