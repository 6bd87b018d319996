"""A route as one row: which request, and which function answers it. The function's annotations say the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

import pydantic

from mm7zeep.gateway.rest.fields import Input, Nothing
from mm7zeep.gateway.rest.models import models


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row: which request, which function answers it, and what is to be known of it.

    The function's annotations say the rest: ``asked: Kind[parameters, body]``, and the model that it answers, which
    goes out under ``status``; one that answers octets has their ``media_type`` in the row. ``refusals`` are the
    statuses besides those that every route has, ``refused_with`` the models of those that are not the API's usual one;
    ``form`` is the schema of a multipart/form-data body, where that is taken, too. A coroutine function runs in the
    event loop, any other in a thread. ``public`` routes ask for no password; ``operator`` routes are for the operator
    alone.
    """

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    function: Callable[[Any], object]
    summary: str
    media_type: str | None = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    refused_with: Mapping[int, type[pydantic.BaseModel]] = field(default_factory=dict)
    form: Mapping[str, Any] | None = None
    public: bool = False
    operator: bool = False

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
        object.__setattr__(self, "answer", next(models(hints["return"]), None))
        object.__setattr__(self, "in_path", frozenset(re.findall(r"{(\w+)}", self.path)))
