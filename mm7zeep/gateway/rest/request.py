"""A request of a REST API, read and judged by the models that the function which answers it is annotated with.

Refuses, with ``Refusal`` (400), whatever the models do not name.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

import pydantic
from starlette.requests import Request

from mm7zeep.gateway.rest.complaint import complaint, cut
from mm7zeep.gateway.rest.fields import Input, Nothing
from mm7zeep.gateway.rest.models import fields, models, names
from mm7zeep.gateway.rest.route import Route
from mm7zeep.receiver import Gone, Refusal

MOST = 15 * 1024 * 1024
"""Octets of a request's body."""
_LISTED = 1001  # items of a list that are looked at: none may have more than 1,000


async def read(request: Request, route: Route) -> tuple[Input, Input]:
    """What a request says: the parameters of path and query, and the body.

    Raises ``Refusal`` (400, 404, 413, 415), ``Gone``.
    """
    return _parameters(request, route), await _body(request, route)


def _parameters(request: Request, route: Route) -> Input:
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
        where, words = complaint(error, route.parameters, values)
        if where in route.in_path:
            raise Refusal(404, f"there is no such thing: {where} {words}") from None
        _refuse(where, words)


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
    known = dict(fields(model))
    for name, one in value.items():
        if name not in known:
            _refuse(place, f"has a member {cut(name)} that is not known; it takes {', '.join(known) or 'none'}")
        inner = next(models(known[name].annotation), None)
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
