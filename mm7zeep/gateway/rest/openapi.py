"""The OpenAPI 3.1 document of a REST API: made of its table of routes and of their models. Values only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Literal

import pydantic
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from mm7zeep.gateway.rest.route import Route

_REFERENCE = "#/components/schemas/{model}"
_Model = tuple[type[pydantic.BaseModel], Literal["validation", "serialization"]]
_Names = Mapping[Any, JsonSchemaValue]
"""The references to models."""


class _Schema(GenerateJsonSchema):
    """Without titles that repeat the name, and without the null of what may be left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if name != "default" or value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What is to be known of an API beside its routes.

    ``prefix`` is what their paths begin with; ``refusal`` the model of every refusal, which comes as
    ``refusal_type``; ``schemes`` how who asks shows who he is, each by its name in the document; with ``optional`` that
    may be left out. ``refusals`` are the statuses that every route has which is not public.
    ``event`` is the model of what its webhooks tell (None: there are none).
    """

    title: str
    description: str
    prefix: str
    refusal: type[pydantic.BaseModel]
    refusal_type: str = "application/json"
    schemes: Mapping[str, Mapping[str, str]]
    optional: bool = False
    refusals: tuple[int, ...] = (401, 429, 503)
    event: type[pydantic.BaseModel] | None = None


def document(api: Api, routes: Iterable[Route]) -> dict[str, Any]:
    """The document that describes ``routes``."""
    routes = tuple(routes)
    bodies: list[_Model] = [(one.body, "validation") for one in routes if one.body is not None]
    told = [
        api.refusal,
        *(route.answer for route in routes if route.answer is not None),
        *(one for route in routes for one in route.refused_with.values()),
        *([api.event] if api.event is not None else []),
    ]
    answers: list[_Model] = [(one, "serialization") for one in dict.fromkeys(told)]
    names, made = models_json_schema([*bodies, *answers], ref_template=_REFERENCE, schema_generator=_Schema)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(api, route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": api.title, "version": version("mm7zeep"), "description": api.description},
        "paths": paths,
        **({"webhooks": {"event": {"post": _webhook(names[api.event, "serialization"])}}} if api.event else {}),
        "components": {
            "schemas": made["$defs"],
            "securitySchemes": {name: dict(one) for name, one in api.schemes.items()},
        },
        "security": [*({name: []} for name in api.schemes), *([{}] if api.optional else [])],
    }


def _webhook(event: JsonSchemaValue) -> dict[str, Any]:
    string = {"type": "string"}
    return {
        "summary": "An event, signed as Standard Webhooks has it; it is told again until it is answered 2xx.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": string}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": event}}},
        "responses": {"2XX": {"description": "It was taken"}},
        "security": [],
    }


def _operation(api: Api, route: Route, names: _Names) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(api, route),
        "summary": route.summary,
        "parameters": list(_parameters(route)),
        "responses": {str(route.status): _answer(route, names), **_refusals(api, route, names)},
    }
    if route.body is not None:
        content = {"application/json": {"schema": names[route.body, "validation"]}}
        if route.form is not None:
            content["multipart/form-data"] = {"schema": dict(route.form)}
        operation["requestBody"] = {"required": True, "content": content}
    if route.public:
        operation["security"] = []
    return operation


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    schema = route.parameters.model_json_schema(schema_generator=_Schema)
    for name, made in schema["properties"].items():
        # there is no null in a query: what is not given is left out
        given = {**made, **next((one for one in made.pop("anyOf", ()) if one != {"type": "null"}), {})}
        words = given.pop("description")
        place = "path" if name in route.in_path else "query"
        yield {"name": name, "in": place, "required": place == "path", "description": words, "schema": given}


def _name(api: Api, route: Route) -> str:
    steps = re.findall(r"[A-Za-z0-9]+", route.path.removeprefix(api.prefix)) or ["front"]
    return "_".join((route.method.lower(), *steps))


def _answer(route: Route, names: _Names) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None:
        return {**told, "content": {"application/json": {"schema": names[route.answer, "serialization"]}}}
    if route.media_type is not None:
        return {**told, "content": {route.media_type: {"schema": {"type": "string"}}}}
    return told


def _refusals(api: Api, route: Route, names: _Names) -> dict[str, Any]:
    statuses = {400, *route.refusals, *(() if route.public else api.refusals)}
    statuses |= {403} if route.method != "GET" else set()
    statuses |= {413, 415} if route.method in ("POST", "PUT") else set()
    found = {}
    for one in sorted(statuses):
        own = route.refused_with.get(one)
        kind = api.refusal_type if own is None else "application/json"
        content = {kind: {"schema": names[own or api.refusal, "serialization"]}}
        found[str(one)] = {"description": HTTPStatus(one).phrase, "content": content}
    return found
