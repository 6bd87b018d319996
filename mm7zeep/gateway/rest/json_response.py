"""JSON answers: what a subject or a file name holds steers no terminal that shows them."""

from __future__ import annotations

from starlette import responses

from mm7zeep.json_text import as_json


class JSONResponse(responses.JSONResponse):
    """starlette's, with control characters and marks of direction escaped."""

    def render(self, content: object) -> bytes:
        return as_json(content, allow_nan=False, separators=(",", ":")).encode()
