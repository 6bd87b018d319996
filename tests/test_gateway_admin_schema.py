"""The admin API against what its own OpenAPI document allows and forbids, drawn by schemathesis: no server error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from gateway_room import CALLED, OTHER, Room
from openapi_cases import codes, modes

from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.routes import API, ROUTES

pytestmark = pytest.mark.once
ASKED = modes(
    one for one in ROUTES if one.path.startswith(API) and one.path != f"{API}/wait"
)  # which waits for minutes


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document, as the API of a gateway with a message gives it."""
    made = Room(Path(tmp_path_factory.mktemp("admin")), CALLED, OTHER)
    made.submitted()
    app = admin_app(made.gateway, clock=made.clock)

    async def here(scope: Any, receive: Any, send: Any) -> None:
        headers = [pair for pair in scope["headers"] if pair[0] != b"host"]
        local = {"client": ("127.0.0.1", 1), "headers": [*headers, (b"host", b"localhost")]}
        await app({**scope, **local}, receive, send)

    yield schemathesis.openapi.from_asgi(f"{API}/openapi.json", here)
    made.gateway.close()


@pytest.mark.parametrize(("method", "path", "mode"), ASKED, ids=[" ".join(one) for one in ASKED])
def test_whatever_is_asked(document: Any, method: str, path: str, mode: str) -> None:
    """Each request, right or wrong by the document, is answered as the document says, and never by a server error."""
    seen = codes(document, method, path, mode, examples=20)
    assert seen
    assert seen != {403}, seen
