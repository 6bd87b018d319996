"""The JSON API against what its own OpenAPI document allows and forbids, drawn by schemathesis: no server error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from gateway_room import CALLED, Room
from openapi_cases import codes, modes

from mm7zeep.gateway.api.routes import ROUTES

pytestmark = pytest.mark.once
ASKED = modes(ROUTES)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A gateway with a message."""
    made = Room(Path(tmp_path_factory.mktemp("api")), CALLED)
    made.submitted()
    yield made
    made.gateway.close()


@pytest.fixture(scope="module")
def document(room: Room) -> Any:
    """The document, as the API gives it."""

    async def here(scope: Any, receive: Any, send: Any) -> None:
        await room.gateway.api({**scope, "client": ("127.0.0.1", 1)}, receive, send)

    return schemathesis.openapi.from_asgi("/v1/openapi.json", here)


@pytest.mark.parametrize(("method", "path", "mode"), ASKED, ids=[" ".join(one) for one in ASKED])
def test_whatever_is_asked(document: Any, method: str, path: str, mode: str) -> None:
    """Each request, right or wrong by the document, is answered as the document says, and never by a server error."""
    seen = codes(document, method, path, mode, examples=80, auth=("tnn", "t"))
    assert seen
