"""The admin API against what its own OpenAPI document allows and forbids, drawn by schemathesis: no server error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from gateway_room import CALLED, OTHER, Room
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.routes import API, ROUTES
from mm7zeep.gateway.rest.route import Route

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _has_input(route: Route, mode: str) -> bool:
    """Whether a request of this mode can be drawn: where nothing is asked, nothing can be wrong."""
    return mode == "positive" or route.body is not None or bool(route.parameters.model_fields)


ASKED = [
    (one.method, one.path, mode)
    for one in ROUTES
    for mode in ("positive", "negative")
    if one.path.startswith(API) and one.path != f"{API}/wait" and _has_input(one, mode)  # which waits for minutes
]


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
    seen: set[int] = set()

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    def run(case: Any) -> None:
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        seen.add(answer.status_code)

    run()
    assert seen
    assert seen != {403}, seen
