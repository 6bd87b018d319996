"""The configuration file read by pydantic, and all that is wrong with its single values in words.

``read`` gives the whole file and every complaint about a single value at once: what is wrong is left out and the rest
kept, so that what several values say together can be judged, too. Opens the files of passwords; no complaint repeats a
value that may be a secret.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mm7zeep.gateway.config import field_types
from mm7zeep.gateway.config.field_types import SecretFile
from mm7zeep.gateway.config.settings import File


class _Blank(str):
    """What stands in the place of a value that is missing, so that the others can be read."""

    __slots__ = ()


Steps = tuple[str | int, ...]
"""Where a value stands: names of tables and settings, and places in lists, counted from 0."""


class Remark(NamedTuple):
    """``where`` in the configuration something stands (``application[1].name``, counted from 1), and what about it."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@functools.cache
def _adapter() -> TypeAdapter[File]:
    return TypeAdapter(File)


def read(raw: dict[str, Any], folder: Path) -> tuple[File, list[Remark]]:
    """What the parsed TOML ``raw`` says, without what is wrong in it, and what that is. Changes ``raw``.

    Passwords in other files stand in it as ``SecretFile``; these are named from ``folder``. Where a blank in the place
    of what is missing is wrong itself, nothing is left but what is wrong.
    """
    problems: list[Remark] = []
    while True:
        try:
            return _adapter().validate_python(raw, context={"folder": folder, "blanks": bool(problems)}), problems
        except ValidationError as error:
            wrong = error.errors(include_url=False)
        if any(isinstance(one["input"], _Blank) for one in wrong):
            return File(), problems
        for one in sorted(wrong, key=lambda one: isinstance(one["input"], SecretFile)):
            where = _where(one)
            if not is_within(where, [problem.where for problem in problems]):
                problems.append(Remark(where, _words(one)))
            _mend(raw, one)


def is_within(where: str, places: Iterable[str]) -> bool:
    """Whether ``where`` is one of ``places``, or in one of them."""
    return any(where == one or where.startswith((f"{one}.", f"{one}[")) for one in places)


def _where(error: ErrorDetails) -> str:
    """Where it stands, as people count: ``application[1].callback.deliver`` is in the first application."""
    steps, text = list(error["loc"]), ""
    if isinstance(error["input"], SecretFile):
        steps[-1] = error["input"].key
    for step in steps:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += ("." if text else "") + (step if re.fullmatch(r"[\w-]{1,64}", step) else json.dumps(step[:64]))
    return text


def _mend(raw: Any, error: ErrorDetails) -> None:
    """Take the value out: a table in a list becomes empty, of a list of values nothing stays; or put a blank in."""
    steps = error["loc"]
    if isinstance(steps[-1], int) and len(steps) > 2:
        steps = steps[:-1]
    for step in steps[:-1]:
        raw = raw[int(step)] if isinstance(raw, list) else raw.get(step, {})
    if isinstance(raw, list):
        raw[int(steps[-1])] = {}
    elif error["type"] == "missing":
        raw[steps[-1]] = _Blank()
    else:
        raw.pop(steps[-1], None)


# --- words ------------------------------------------------------------------------------------------------------------

_HINTS: Mapping[str, str] = {
    "string_type": field_types.NO_TEXT,
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a number that ends",
}
_MISSING = {
    "application.name": 'is missing or empty; write name = "...", its Basic user name',
    "webhook.url": 'is missing or empty; write url = "https://...", where events go',
    "callback.deliver": 'is missing or empty; write deliver = "https://...", where MO messages go',
    "twilio.account_sid": 'is missing; write account_sid = "AC..." with 32 digits of 0-9 and a-f, of your own choice',
    "twilio.auth_token": 'is missing; write auth_token_file = "..." or auth_token = "..."',
    "rate.name": 'is missing or empty; write name = "...", by which it is shown and counted',
    "route.prefix": 'is missing; write prefix = "+64", or prefix = "" for every recipient',
    "route.via": 'is missing or empty; write via = "...", the name of an [[upstream]]',
    "upstream.name": 'is missing or empty; write name = "...", by which a route calls it',
    "upstream.url": 'is missing or empty; write url = "https://...", where it takes submits',
}


def _words(error: ErrorDetails) -> str:
    """What is wrong with one value, and how to mend it."""
    kind, steps = error["type"], error["loc"]
    names = [one for one in steps if isinstance(one, str)]
    if kind == "unexpected_keyword_argument":
        return _unknown(_where({**error, "loc": steps[-1:]}), _table(names[:-1]))
    if kind == "missing":
        return _MISSING.get(".".join(names[-2:]), "is empty; write a value, or leave it out")
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "tuple_type":
        tables = len(steps) == 1
        return f"may stand more than once; write [[{steps[0]}]]" if tables else 'must be a list; write ["..."]'
    if kind == "dataclass_type":
        name = ".".join(names)
        return f"must be a table; write {f'[[{name}]]' if isinstance(steps[-1], int) else f'[{name}]'}"
    return _HINTS.get(kind) or error["msg"].replace("Input should be", "must be")


def _unknown(name: str, table: type) -> str:
    known = [one for name in settings_of(table) for one in _written(name)]
    near = difflib.get_close_matches(name, known, n=1)
    instead = f"did you mean {near[0]}?" if near else "remove it."
    return f"is not known; {instead} Known here: {', '.join(known)}"


def _written(name: str) -> tuple[str, ...]:
    return (name, f"{name}_file") if field_types.is_secret(name) else (name,)


def _table(names: list[str]) -> type:
    """The dataclass of the table that is reached by ``names``."""
    table: type = File
    for name in names:
        table = next(tables_in(settings_of(table)[name]))
    return table


def settings_of(table: type) -> dict[str, Any]:
    """What may stand in a table, by the names that a file has, with its type."""
    found = {}
    hints = get_type_hints(table, include_extras=True)
    for one in dataclasses.fields(table):
        hint = hints[one.name]
        aliases = [extra.alias for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, FieldInfo)]
        found[next(filter(None, aliases), one.name)] = hint
    return found


def tables_in(hint: Any) -> Iterator[type]:
    """The dataclasses that a type is made of."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from tables_in(inner)
