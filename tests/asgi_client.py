"""An HTTP client of an ASGI application, without a server between them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

HOME = "http://127.0.0.1:8008"


class AsgiClient:
    """An httpx client of an ASGI application, from outside of its loop."""

    def __init__(self, app: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.app = app
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app, **options), base_url=HOME)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """What is answered."""
        return self._runner.run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """What is answered to a GET."""
        return self.request("GET", path, **options)

    def together(self, *asked: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """What is answered to requests that are made at the same moment."""

        async def all_of_them() -> list[httpx.Response]:
            return await asyncio.gather(*(self._client.request(how, path, **options) for how, path, options in asked))

        return self._runner.run(all_of_them())

    def close(self) -> None:
        """End the client and its loop."""
        self._runner.run(self._client.aclose())
        self._runner.close()
