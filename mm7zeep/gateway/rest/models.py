"""What pydantic models say of themselves: their fields by the names that requests have, and the models inside."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import pydantic
from pydantic.fields import FieldInfo


def fields(model: type[pydantic.BaseModel]) -> list[tuple[str, FieldInfo]]:
    """The fields of a model, by their names in a request."""
    return [(one.alias or name, one) for name, one in model.model_fields.items()]


def names(model: type[pydantic.BaseModel]) -> list[str]:
    """The names that a request may have."""
    return [name for name, _ in fields(model)]


def models(hint: Any) -> Iterator[type[pydantic.BaseModel]]:
    """The models in an annotation."""
    if inspect.isclass(hint) and issubclass(hint, pydantic.BaseModel):
        yield hint
    for inner in get_args(hint):
        yield from models(inner)
