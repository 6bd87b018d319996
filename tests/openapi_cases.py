"""Requests that schemathesis draws from an OpenAPI document, and what each answer to them is held against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mm7zeep.gateway.rest.route import Route

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def modes(routes: Iterable[Route]) -> list[tuple[str, str, str]]:
    """Method, path and mode of all that can be drawn: where nothing is asked, nothing can be wrong."""
    return [
        (one.method, one.path, mode)
        for one in routes
        for mode in ("positive", "negative")
        if mode == "positive" or one.body is not None or one.parameters.model_fields
    ]


def codes(document: Any, method: str, path: str, mode: str, *, examples: int, **options: Any) -> set[int]:
    """The status codes of the answers to ``examples`` requests of a mode; each answer was as the document says.

    ``options`` go to schemathesis with each request.
    """
    seen: set[int] = set()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    def run(case: Any) -> None:
        answer = case.call(**options)
        case.validate_response(answer, checks=_CHECKS)
        seen.add(answer.status_code)

    run()
    return seen
