"""A request of the REST API, read and judged by the models that the function which answers it is annotated with.

A route is one row: which request, and which function. Refuses, with ``Refusal`` (400), whatever the models do not name.
"""

from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NoReturn, TypeVar, get_args, get_type_hints

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from starlette.requests import Request

from mm7zeep.gateway.admin.inputs import Input, Nothing
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.receiver import Gone, Refusal

MOST = 15 * 1024 * 1024
"""Octets of a request's body."""
_LISTED = 1001  # items of a list that are looked at: none may have more than 1,000
_SHOWN = 60  # characters of a bad value that are repeated

Parameters = TypeVar("Parameters", bound=Input)
Body = TypeVar("Body", bound=Input)


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
class AdminRequest(Generic[Parameters, Body]):
    """A request that was judged: what its path and query say, and its body.

    ``clock`` gives seconds since 1970; ``gone`` tells whether the client has hung up; ``crowd`` is of those who wait.
    """

    gateway: Gateway
    clock: Callable[[], float]
    parameters: Parameters
    body: Body
    gone: Callable[[], Awaitable[bool]]
    crowd: WaiterCount


# --- routes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row: which request, which function answers it, and what is to be known of it.

    The function's annotations say the rest: ``asked: AdminRequest[parameters, body]``, and the model that it answers,
    which goes out under ``status``; one that answers octets has their ``media_type`` in the row. ``refusals`` are the
    statuses besides those that every route has. A coroutine function runs in the event loop, any other in a thread.
    ``public`` routes ask for no password.
    """

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    function: Callable[[AdminRequest[Any, Any]], object]
    summary: str
    media_type: str | None = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    public: bool = False

    parameters: type[Input] = field(init=False)
    """The model of path and query."""
    body: type[Input] | None = field(init=False)
    """The model of the body; None where there is none."""
    answer: type[pydantic.BaseModel] | None = field(init=False)
    """The model of what is answered; None for octets, and for nothing."""
    in_path: frozenset[str] = field(init=False)
    """The parameters that stand in the path."""

    def __post_init__(self) -> None:
        hints = get_type_hints(self.function)
        parameters, body = get_args(hints["asked"])
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "body", None if body is Nothing else body)
        object.__setattr__(self, "answer", next(_models(hints["return"]), None))
        object.__setattr__(self, "in_path", frozenset(re.findall(r"{(\w+)}", self.path)))


async def read(request: Request, route: Route) -> tuple[Input, Input]:
    """What a request says: the parameters of path and query, and the body.

    Raises ``Refusal`` (400, 404, 413, 415), ``Gone``.
    """
    parameters = _parameters(request, route)
    return parameters, await _body(request, route)


def _parameters(request: Request, route: Route) -> Input:
    given = request.query_params.multi_items()
    known = [name for name in _names(route.parameters) if name not in route.in_path]
    counts = Counter(name for name, _ in given)
    for name, text in given:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            _refuse("the query", f"has a parameter {_cut(name)} that is not known; {takes}")
        if counts[name] > 1:
            _refuse(name, "is given twice; give it once")
        if not text:
            _refuse(name, "is empty; leave it out, or give it a value")
    values = {**dict(given), **request.path_params}
    try:
        return route.parameters.model_validate(values)
    except pydantic.ValidationError as error:
        where, words = complaint(error, route.parameters, values)
        if where in route.in_path:
            raise Refusal(404, f"there is no such thing: {where} {words}") from None
        _refuse(where, words)


# --- what is wrong ----------------------------------------------------------------------------------------------------

_KINDS = {
    "string_type": "a string", "int_type": "a whole number", "float_type": "a number", "bool_type": "a boolean",
    "list_type": "a list", "model_type": "an object", "finite_number": "a number",
    "texts_type": "a string or a list",
    "moment_type": "ISO 8601 (2026-03-01T12:00:00Z) or seconds since 1970",
}  # fmt: skip


def complaint(error: pydantic.ValidationError, model: type[pydantic.BaseModel], given: object) -> tuple[str, str]:
    """Where something is wrong, as ``parts[0].data``, and what about it and what would be right instead."""
    first = error.errors(include_url=False)[0]
    steps = _steps(given, first["loc"])
    kind = first["type"]
    if kind == "missing":
        words = _field_at(model, steps).description or "give it"
        return _place(steps[:-1]), f"lacks {steps[-1]}: {words}"
    if kind in _KINDS:
        null = " or null" if steps and isinstance(steps[-1], str) and _takes_null(_field_at(model, steps)) else ""
        return _place(steps), f"is {_cut(first['input'])}; give {_KINDS[kind]}{null}"
    if kind in ("greater_than_equal", "less_than_equal"):
        marks = list(_marks(_field_at(model, steps)))
        least, most = (next(getattr(one, bound) for one in marks if hasattr(one, bound)) for bound in ("ge", "le"))
        return _place(steps), f"is {_cut(first['input'])}; give something from {least} to {most}"
    return _place(steps), _words(first)


def _words(error: ErrorDetails) -> str:
    kind, value, context = error["type"], _cut(error["input"]), error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in ("string_too_short", "too_short"):
        return "is empty; leave it out, or give it a value"
    if kind in ("string_too_long", "too_long"):
        of = "characters" if isinstance(error["input"], str) else "items"
        return f"has {len(error['input'])} {of}; give at most {context['max_length']}"
    if kind == "literal_error":
        words = ", ".join(re.findall(r"'([^']*)'", context["expected"]))
        return f"is {value}; give one of {words}"
    return f"is {value}: {error['msg']}"


def _steps(given: object, loc: Sequence[str | int]) -> list[str | int]:
    """The steps of ``loc`` that lead through ``given``: the others name the branch of a type that was tried."""
    steps: list[str | int] = []
    for n, step in enumerate(loc):
        if isinstance(given, dict) and isinstance(step, str) and (step in given or n == len(loc) - 1):
            given = given.get(step)
        elif isinstance(given, list) and isinstance(step, int):
            given = given[step]
        else:
            continue
        steps.append(step)
    return steps


def _place(steps: Sequence[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".") or "the body"


def _model_at(model: type[pydantic.BaseModel], steps: Sequence[str | int]) -> type[pydantic.BaseModel]:
    for step in steps:
        if isinstance(step, str):
            model = next(_models(dict(_fields(model))[step].annotation))
    return model


def _field_at(model: type[pydantic.BaseModel], steps: Sequence[str | int]) -> FieldInfo:
    return dict(_fields(_model_at(model, steps[:-1])))[str(steps[-1])]


def _takes_null(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


def _marks(hint: Any) -> Iterator[Any]:
    """What annotations say of a type besides the type."""
    yield from hint.metadata if isinstance(hint, FieldInfo) else ()
    for inner in get_args(hint.annotation if isinstance(hint, FieldInfo) else hint):
        yield from _marks(inner)


def _fields(model: type[pydantic.BaseModel]) -> list[tuple[str, FieldInfo]]:
    return [(one.alias or name, one) for name, one in model.model_fields.items()]


def _names(model: type[pydantic.BaseModel]) -> list[str]:
    return [name for name, _ in _fields(model)]


def _models(hint: Any) -> Iterator[type[pydantic.BaseModel]]:
    """The models in an annotation."""
    if inspect.isclass(hint) and issubclass(hint, pydantic.BaseModel):
        yield hint
    for inner in get_args(hint):
        yield from _models(inner)


def _cut(value: object) -> str:
    text = json.dumps(value) if not isinstance(value, list | dict) else f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _refuse(place: str, words: str) -> NoReturn:
    raise Refusal(400, f"{place} {words}")


# --- bodies -----------------------------------------------------------------------------------------------------------


async def _body(request: Request, route: Route) -> Input:
    if route.method in ("GET", "DELETE"):
        return Nothing()
    octets = await _octets(request)
    if not octets and route.body is None:
        return Nothing()
    if (request.headers.get("content-type") or "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "the body is JSON; send it with Content-Type: application/json")
    try:
        value = json.loads(octets, parse_constant=_no_number)
    except RecursionError:
        _refuse("the body", "is nested too deeply; give one flat JSON object")
    except ValueError as error:
        _refuse("the body", f"is no JSON ({error}); give one object")
    model = route.body or Nothing
    _check_names(value, model, "the body")
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        _refuse(*complaint(error, model, value))


def _check_names(value: object, model: type[pydantic.BaseModel], place: str) -> None:
    """Refuse the first member that is not known: pydantic would make an error of each, and there may be a million."""
    if not isinstance(value, dict):
        return
    known = dict(_fields(model))
    for name, one in value.items():
        if name not in known:
            _refuse(place, f"has a member {_cut(name)} that is not known; it takes {', '.join(known) or 'none'}")
        inner = next(_models(known[name].annotation), None)
        if inner is not None and isinstance(one, list):
            for n, item in enumerate(one[:_LISTED]):
                _check_names(item, inner, f"{name}[{n}]")


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
