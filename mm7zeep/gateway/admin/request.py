"""What the REST API's requests may say: a route as one row, its parameters and body judged by the schemas in the row.

The schemas are the subset of JSON Schema that OpenAPI 3.1 shares, so that what is documented is what is checked.
Refuses, with ``Refusal`` (400), whatever a row does not name: a parameter with a slip in its name would otherwise match
everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

from starlette.requests import Request
from starlette.responses import Response

from mm7zeep.gateway.gateway import Gateway
from mm7zeep.receiver import Gone, Refusal

Schema = Mapping[str, Any]

MOST = 15 * 1024 * 1024
"""Octets of a request's body."""
_SHOWN = 60  # characters of a bad value that are repeated
_LARGEST = 2**63 - 1  # what a column holds
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_EPOCH = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


# --- rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of the query or, of the same name as in braces, of the path."""

    name: str
    words: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})


class WaiterCount:
    """How many wait at a time, in one event loop; whoever enters is counted until it leaves."""

    def __init__(self) -> None:
        self.size = 0

    def __enter__(self) -> WaiterCount:
        self.size += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.size -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRequest:
    """A request that was judged: ``path``, ``query`` and ``body`` hold what the row names, defaults filled in.

    ``clock`` gives seconds since 1970; ``gone`` tells whether the client has hung up; ``crowd`` is of those who wait.
    """

    gateway: Gateway
    clock: Callable[[], float]
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    gone: Callable[[], Awaitable[bool]]
    crowd: WaiterCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row: which request, which function answers it, and what is to be known of it.

    ``answer`` says what comes back, under ``status``: the name of a schema, a media type, or None for nothing.
    ``refusals`` are the statuses besides those that every route has. A coroutine function runs in the event loop, any
    other in a thread. ``open`` routes ask for no password.
    """

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    function: Callable[[AdminRequest], Response] | Callable[[AdminRequest], Awaitable[Response]]
    words: str
    answer: str | None
    status: int = 200
    refusals: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    body: Schema | None = None
    open: bool = False


def path_of(request: Request, route: Route) -> dict[str, Any]:
    """What stands in the path of a request. Raises ``Refusal`` (404) for what can be nothing of ours."""
    try:
        return {one.name: value_of(request.path_params[one.name], one) for one in route.parameters}
    except Refusal as error:
        raise Refusal(404, f"there is no such thing: {error}") from None


def query_of(request: Request, route: Route) -> dict[str, Any]:
    """What the query of a request says, with defaults. Raises ``Refusal`` (400)."""
    given = request.query_params.multi_items()
    known = {one.name: one for one in route.query}
    values = {name: one.schema["default"] for name, one in known.items() if "default" in one.schema}
    for n, (name, text) in enumerate(given):
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            _refuse("the query", f"has a parameter {_cut(name)} that is not known; {takes}")
        if name in [other for other, _ in given[:n]]:
            _refuse(name, "is given twice; give it once")
        values[name] = value_of(text, known[name])
    return values


def value_of(text: str, parameter: Parameter) -> Any:
    """The value that a parameter's text stands for. Raises ``Refusal`` (400)."""
    name, schema = parameter.name, parameter.schema
    value: Any = text
    if not text:
        _refuse(name, "is empty; leave it out, or give it a value")
    if schema.get("type") == "integer":
        value = int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else text
    elif schema.get("type") == "number":
        value = float(text) if _EPOCH.fullmatch(text) else text
    elif "enum" in schema:
        value = next((one for one in schema["enum"] if str(one).lower() == text.lower()), text)
    elif schema.get("format") == "address" and re.match(" [0-9]", text):
        value = "+" + text[1:]  # who writes ?to=+61... without %2B has written a space
    return judged(value, schema, name)


# --- values -----------------------------------------------------------------------------------------------------------


def judged(value: Any, schema: Schema, place: str) -> Any:
    """``value``, if it fits ``schema``. Raises ``Refusal`` (400) that says where it does not, and what would."""
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    is_kind = any(isinstance(value, _KINDS[one]) for one in kinds) and not (
        isinstance(value, bool) and "boolean" not in kinds
    )
    if kinds and not is_kind:
        _refuse(place, f"is {_cut(value)}; give {' or '.join(_article(one) for one in kinds)}")
    if "enum" in schema and value not in schema["enum"]:
        words = ", ".join(one for one in schema["enum"] if one is not None)
        _refuse(place, f"is {_cut(value)}; give one of {words}")
    if isinstance(value, str):
        _judge_text(value, schema, place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        least, most = schema.get("minimum", -_LARGEST), schema.get("maximum", _LARGEST)
        if not least <= value <= most:
            _refuse(place, f"is {_cut(value)}; give something from {least} to {most}")
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            _refuse(place, f"has {len(value)} items; give at most {schema['maxItems']}")
        for n, one in enumerate(value):
            judged(one, schema.get("items", {}), f"{place}[{n}]")
    elif isinstance(value, dict):
        _judge_object(value, schema, place)
    return value


def _judge_text(value: str, schema: Schema, place: str) -> None:
    if bad := _CONTROL.search(value):
        _refuse(place, f"holds the control character {bad[0]!r}; remove it")
    if len(value) < schema.get("minLength", 0):
        _refuse(place, "is empty; leave it out, or give it a value")
    if len(value) > schema.get("maxLength", len(value)):
        _refuse(place, f"has {len(value)} characters; give at most {schema['maxLength']}")


def _judge_object(value: dict[str, Any], schema: Schema, place: str) -> None:
    known = schema.get("properties")
    if known is None:
        return
    for name, one in value.items():
        if name in known:
            judged(one, known[name], f"{place}.{name}" if place != "the body" else name)
        elif not schema.get("additionalProperties", False):
            _refuse(place, f"has a member {_cut(name)} that is not known; it takes {', '.join(known) or 'none'}")
    for name in schema.get("required", ()):
        if name not in value:
            _refuse(place, f"lacks {name}: {known[name].get('description', 'give it')}")


def moment(value: str | float, place: str) -> float:
    """Seconds since 1970 of a point in time: ISO 8601 (UTC, where it names no zone), or seconds since 1970 themselves.

    Raises ``Refusal`` (400).
    """
    if not isinstance(value, str):
        return float(value)
    if _EPOCH.fullmatch(value):
        return float(value)
    try:
        # the plus of a zone in a query that did not write %2B has become a space
        when = datetime.fromisoformat(re.sub(r" (?=[0-9]{2}:?[0-9]{2}\Z)", "+", value) if "T" in value else value)
        return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        _refuse(place, f"is {_cut(value)}; give ISO 8601 (2026-03-01T12:00:00Z) or seconds since 1970")


def _article(kind: str) -> str:
    return {"integer": "a whole number", "array": "a list", "object": "an object", "null": "null"}.get(
        kind, f"a {kind}"
    )


def _cut(value: object) -> str:
    text = json.dumps(value) if not isinstance(value, list | dict) else f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _refuse(place: str, words: str) -> NoReturn:
    raise Refusal(400, f"{place} {words}")


# --- bodies -----------------------------------------------------------------------------------------------------------


async def body_of(request: Request, route: Route) -> dict[str, Any]:
    """The JSON object in a request's body. Raises ``Refusal`` (400, 413, 415), ``Gone``."""
    if route.method in ("GET", "DELETE"):
        return {}
    octets = await _octets(request)
    schema = route.body or {"type": "object", "properties": {}}
    if not octets and route.body is None:
        return {}
    if (request.headers.get("content-type") or "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "the body is JSON; send it with Content-Type: application/json")
    try:
        value = json.loads(octets, parse_constant=_no_number)
    except RecursionError:
        _refuse("the body", "is nested too deeply; give one flat JSON object")
    except ValueError as error:
        _refuse("the body", f"is no JSON ({error}); give one object")
    found: dict[str, Any] = judged(value, {"type": "object", **schema}, "the body")
    return found


async def _octets(request: Request) -> bytes:
    if (request.headers.get("content-encoding") or "identity").strip().lower() != "identity":
        raise Refusal(415, "send the body without Content-Encoding", ("Accept-Encoding", "identity"))
    too_large = Refusal(413, f"the body may have {MOST} octets; send large parts one message at a time")
    length = request.headers.get("content-length") or "0"
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > MOST):
        raise too_large
    octets = bytearray()
    while True:
        event = await request.receive()
        if event["type"] == "http.disconnect":
            raise Gone
        octets += event.get("body", b"")
        if len(octets) > MOST:
            raise too_large
        if not event.get("more_body", False):
            return bytes(octets)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
