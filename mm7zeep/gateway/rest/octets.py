"""Octets as an answer that browsers may ask for again, or for a range of: what audio and video need to seek.

Conditional requests and ranges are those of RFC 9110 13 and 14, for one range alone. What a request says of ranges that
is not understood is left aside, as RFC 9110 14.2 has it; a range that lies outside is refused with 416.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_SINGLE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class OctetsResponse(Response):
    """Octets with an ETag of their digest: 304 for who has them, 206 for one range of them, 416 for a range outside."""

    def __init__(self, octets: bytes, *, media_type: str, headers: Mapping[str, str]) -> None:
        etag = f'"{hashlib.sha256(octets).hexdigest()}"'
        super().__init__(octets, media_type=media_type, headers={**headers, "ETag": etag, "Accept-Ranges": "bytes"})
        self._octets = octets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the request of ``scope`` asks for."""
        asked = Headers(scope=scope)
        answer = self._unchanged(asked) or (self._range(asked) if scope.get("method") == "GET" else None)
        if answer is None:
            await super().__call__(scope, receive, send)
        else:
            await answer(scope, receive, send)

    def _unchanged(self, asked: Headers) -> Response | None:
        """The answer to who has these octets already, or None."""
        known = [one.strip() for field in asked.getlist("if-none-match") for one in field.split(",")]
        if "*" not in known and self.headers["etag"] not in [one.removeprefix("W/") for one in known]:
            return None
        return self._other(304, b"", {})

    def _range(self, asked: Headers) -> Response | None:
        """The answer to who asks for one range, or None where all is to be sent."""
        fields = asked.getlist("range")
        found = _SINGLE.fullmatch(fields[0]) if len(fields) == 1 else None
        etag = self.headers["etag"]
        # RFC 9110 13.1.5: a date, or the ETag of what was here before, asks for all
        if found is None or found.groups() == ("", "") or asked.get("if-range", etag) != etag:
            return None
        size = len(self._octets)
        first, last = found.groups()
        begin = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
        if begin >= end:
            return self._other(416, b"", {"content-range": f"bytes */{size}", "content-length": "0"})
        which = {"content-range": f"bytes {begin}-{end - 1}/{size}", "content-length": str(end - begin)}
        return self._other(206, self._octets[begin:end], which)

    def _other(self, status: int, octets: bytes, headers: Mapping[str, str]) -> Response:
        """An answer with the fields of this one; those that describe octets only where it has some."""
        left = ("content-length",) if octets else ("content-length", "content-type", "content-disposition")
        kept = {name: value for name, value in self.headers.items() if name not in left}
        return Response(octets, status_code=status, headers={**kept, **headers})
