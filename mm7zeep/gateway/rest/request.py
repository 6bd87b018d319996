"""A request of a REST API, read and judged by the models that the function which answers it is annotated with.

Refuses, with ``Invalid`` (400) and ``Refusal``, whatever the models do not name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

import pydantic
from starlette.requests import Request

from mm7zeep.gateway.rest import json_reading
from mm7zeep.gateway.rest.complaint import complaint, cut, in_words
from mm7zeep.gateway.rest.fields import Input, Nothing
from mm7zeep.gateway.rest.models import fields, models, names
from mm7zeep.gateway.rest.route import Route
from mm7zeep.receiver import Gone, Refusal

MOST = 15 * 1024 * 1024
"""Octets of a request's body."""
_LISTED = 1001  # items of a list that are looked at: none may have more than 1,000
M = TypeVar("M", bound=pydantic.BaseModel)


class Invalid(Refusal):
    """A request that says something it may not: 400. ``steps`` lead to it in the body; None where it is elsewhere.

    ``kind`` is ``json``, ``member`` (one that is not known), ``missing``, ``parameter`` or ``value``.
    """

    def __init__(self, place: str, words: str, kind: str, steps: Sequence[str | int] | None = None) -> None:
        super().__init__(400, f"{place} {words}")
        self.kind = kind
        self.steps = tuple(steps) if steps is not None else None


async def read(request: Request, route: Route) -> tuple[Input, Input]:
    """What a request says: the parameters of path and query, and the body.

    Raises ``Refusal`` (400, 404, 413, 415), ``Gone``.
    """
    return parameters(request, route), await _body(request, route)


def parameters(request: Request, route: Route) -> Input:
    """What path and query say. Raises ``Refusal`` (400, 404)."""
    given = request.query_params.multi_items()
    known = [name for name in names(route.parameters) if name not in route.in_path]
    counts = Counter(name for name, _ in given)
    for name, text in given:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            _refuse("the query", f"has a parameter {cut(name)} that is not known; {takes}")
        if counts[name] > 1:
            _refuse(name, "is given twice; give it once")
        if not text:
            _refuse(name, "is empty; leave it out, or give it a value")
    values = {**dict(given), **request.path_params}
    try:
        return route.parameters.model_validate(values)
    except pydantic.ValidationError as error:
        found = complaint(error, route.parameters, values)
        if found.place in route.in_path:
            raise Refusal(404, f"there is no such thing: {found.place} {found.words}") from None
        _refuse(found.place, found.words)


def _refuse(place: str, words: str) -> NoReturn:
    raise Invalid(place, words, "parameter")


# --- bodies -----------------------------------------------------------------------------------------------------------


async def _body(request: Request, route: Route) -> Input:
    if route.method in ("GET", "DELETE"):
        return Nothing()
    octets = await body_of(request)
    if not octets and route.body is None:
        return Nothing()
    if media_type(request) != "application/json":
        raise Refusal(415, "the body is JSON; send it with Content-Type: application/json")
    return judged(parsed(octets), route.body or Nothing)


def media_type(request: Request) -> str:
    """The media type of a body, in lower case; empty for none."""
    return (request.headers.get("content-type") or "").partition(";")[0].strip().lower()


def parsed(octets: bytes) -> Any:
    """What a JSON body holds. Raises ``Invalid``."""
    try:
        return json_reading.read(octets)
    except RecursionError:
        raise Invalid("the body", "is nested too deeply; give one flat JSON object", "json") from None
    except ValueError as error:
        raise Invalid("the body", f"is no JSON ({error}); give one object", "json") from None


def judged(value: object, model: type[M]) -> M:
    """``value`` as its model. Raises ``Invalid`` with the first that is wrong."""
    _check_names(value, model, ())
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        found = complaint(error, model, value)
        raise Invalid(
            found.place, found.words, "missing" if found.kind == "missing" else "value", found.steps
        ) from None


def _check_names(value: object, model: type[pydantic.BaseModel], place: tuple[str | int, ...]) -> None:
    """Refuse the first member that is not known: pydantic would make an error of each, and there may be a million."""
    if not isinstance(value, dict):
        return
    known = dict(fields(model))
    for name, one in value.items():
        if name not in known:
            words = f"has a member {cut(name)} that is not known; it takes {', '.join(known) or 'none'}"
            raise Invalid(in_words(place), words, "member", (*place, name))
        inner = next(models(known[name].annotation), None)
        if inner is not None and isinstance(one, list):
            for n, item in enumerate(one[:_LISTED]):
                _check_names(item, inner, (*place, name, n))


def check_coding(request: Request) -> None:
    """Refuse, with ``Refusal`` (415), a body that is compressed."""
    if (request.headers.get("content-encoding") or "identity").strip().lower() != "identity":
        raise Refusal(415, "send the body without Content-Encoding", ("Accept-Encoding", "identity"))


async def body_of(request: Request, most: int = MOST) -> bytes:
    """The body of a request, of at most ``most`` octets. Raises ``Refusal`` (413, 415), ``Gone``."""
    check_coding(request)
    too_large = Refusal(413, f"the body may have {most} octets; send large parts one message at a time")
    if announced(request) > most:
        raise too_large
    octets = bytearray()
    while True:
        event = await request.receive()
        if event["type"] == "http.disconnect":
            raise Gone
        octets += event.get("body", b"")
        if len(octets) > most:
            raise too_large
        if not event.get("more_body", False):
            return bytes(octets)


def announced(request: Request) -> int:
    """The octets that a Content-Length announces; 0 where it says nothing of use."""
    length = request.headers.get("content-length") or "0"
    return int(length[:19]) if length.isascii() and length.isdigit() else 0
