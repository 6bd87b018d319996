"""What is wrong with a request that its model refuses, in words: where, what, and what would be right instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mm7zeep.gateway.rest.models import fields, models

_SHOWN = 60  # characters of a bad value that are repeated

_KINDS = {
    "string_type": "a string", "int_type": "a whole number", "float_type": "a number", "bool_type": "a boolean",
    "list_type": "a list", "model_type": "an object", "finite_number": "a number",
    "texts_type": "a string or a list",
    "moment_type": "ISO 8601 (2026-03-01T12:00:00Z) or seconds since 1970",
}  # fmt: skip


class Complaint(NamedTuple):
    """What is wrong: the steps to its place, what about it and what would be right instead, and pydantic's kind."""

    steps: tuple[str | int, ...]
    words: str
    kind: str

    @property
    def place(self) -> str:
        """Where it is, as ``parts[0].data``."""
        return in_words(self.steps)


def complaint(error: pydantic.ValidationError, model: type[pydantic.BaseModel], given: object) -> Complaint:
    """The first that is wrong with what was ``given`` for ``model``."""
    first = error.errors(include_url=False)[0]
    steps = _steps(given, first["loc"])
    kind = first["type"]
    return Complaint(*_told(first, steps, model), kind)


def _told(
    first: ErrorDetails, steps: Sequence[str | int], model: type[pydantic.BaseModel]
) -> tuple[tuple[str | int, ...], str]:
    kind = first["type"]
    if kind == "missing":
        words = _field_at(model, steps).description or "give it"
        return tuple(steps[:-1]), f"lacks {steps[-1]}: {words}"
    if kind in _KINDS:
        null = " or null" if steps and isinstance(steps[-1], str) and _takes_null(_field_at(model, steps)) else ""
        return tuple(steps), f"is {cut(first['input'])}; give {_KINDS[kind]}{null}"
    if kind in ("greater_than_equal", "less_than_equal"):
        marks = list(_marks(_field_at(model, steps)))
        least, most = (next(getattr(one, bound) for one in marks if hasattr(one, bound)) for bound in ("ge", "le"))
        return tuple(steps), f"is {cut(first['input'])}; give something from {least} to {most}"
    return tuple(steps), _words(first)


def _words(error: ErrorDetails) -> str:
    kind, value, context = error["type"], cut(error["input"]), error.get("ctx", {})
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


def in_words(steps: Sequence[str | int]) -> str:
    """Steps to a place, as ``parts[0].data``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".") or "the body"


def _model_at(model: type[pydantic.BaseModel], steps: Sequence[str | int]) -> type[pydantic.BaseModel]:
    for step in steps:
        if isinstance(step, str):
            model = next(models(dict(fields(model))[step].annotation))
    return model


def _field_at(model: type[pydantic.BaseModel], steps: Sequence[str | int]) -> FieldInfo:
    return dict(fields(_model_at(model, steps[:-1])))[str(steps[-1])]


def _takes_null(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


def _marks(hint: Any) -> Iterator[Any]:
    """What annotations say of a type besides the type."""
    yield from hint.metadata if isinstance(hint, FieldInfo) else ()
    for inner in get_args(hint.annotation if isinstance(hint, FieldInfo) else hint):
        yield from _marks(inner)


def cut(value: object) -> str:
    """A bad value as it is repeated: the beginning of it."""
    text = json.dumps(value) if not isinstance(value, list | dict) else f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
