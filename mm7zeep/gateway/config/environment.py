"""Settings from the environment: each setting of the configuration file has a variable, which goes before the file.

``MM7ZEEP_GATEWAY_WORKERS`` is ``workers`` in ``[gateway]``, ``MM7ZEEP_APPLICATION_2_CALLBACK_PASSWORD_FILE`` the
``password_file`` in ``[application.callback]`` of the second ``[[application]]``. The names are those of the models, so
that none is forgotten. Values are judged where those of the file are: here they only get the form that TOML would give
them. Refuses a variable of one of the tables that is no setting, and one beside a gap; no text repeats a value.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BeforeValidator

from mm7zeep.gateway.config import field_types
from mm7zeep.gateway.config.errors import Remark, settings_of, tables_in
from mm7zeep.gateway.config.settings import File

PREFIX = "MM7ZEEP_"
"""How the name of each variable begins."""

Kind = Literal["text", "switch", "whole number", "number", "list", "table"]
"""How the value of a variable is written: ``field_types`` says of each setting what it may be."""

_SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
# What Kubernetes puts into the environment of every pod for a service that is called like one of the tables.
_SERVICE_LINK = re.compile(
    r"(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)


class Setting(NamedTuple):
    """One setting: its table (``application[].callback``, in which ``[]`` may repeat), its name, and its type."""

    table: str
    name: str
    hint: Any

    @property
    def variable(self) -> str:
        """The name of its variable; N stands for the number of a table that may repeat."""
        return PREFIX + "_".join([*self.table.replace("[]", "_N").replace(".", "_").split("_"), self.name]).upper()

    @property
    def kind(self) -> Kind:
        """How its value is written in a variable."""
        return "text" if self.name.endswith("_file") else _kind(self.hint)


def every_setting() -> list[Setting]:
    """All settings that a file may hold, and their variables, in the order of the models."""
    return list(_settings(File, ""))


def _settings(table: type, where: str) -> Iterator[Setting]:
    found = settings_of(table)
    for name, hint in found.items():
        inner = _inner(hint)
        if inner is None or not _is_table_alone(hint):
            if field_types.is_secret(name):
                yield Setting(where, f"{name}_file", str)
            yield Setting(where, name, hint)
    for name, hint in found.items():
        inner = _inner(hint)
        if inner is not None:
            steps = f"{where}.{name}" if where else name
            yield from _settings(inner, f"{steps}[]" if _repeats(hint) else steps)


# --- variables to a parsed file ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Overlay:
    """What the environment says: ``raw``, the parsed file with it; ``variables``, by where their values stand in it;
    what is wrong with variables, each with its name.

    ``applications`` says whether it holds an application; ``doubts`` are variables that may be meant for a setting.
    """

    raw: dict[str, Any]
    variables: dict[str, str]
    problems: list[Remark]
    applications: bool
    doubts: list[Remark]


def overlaid(raw: dict[str, Any], environ: Mapping[str, str]) -> Overlay:
    """``raw`` with what ``environ`` says; an empty variable says nothing, ``""`` is the empty text. Changes
    ``raw``.
    """
    overlay = Overlay(raw, {}, [], applications=False, doubts=[])
    tables = settings_of(File)
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and text}
    for variable in sorted(given, key=_in_order):
        rest = variable.removeprefix(PREFIX)
        first, _, behind = rest.partition("_")
        if first.lower() not in tables:
            near = difflib.get_close_matches(first, [one.upper() for one in tables], n=1, cutoff=0.8)
            if near:
                overlay.doubts.append(Remark(variable, f"is no setting; did you mean {PREFIX}{near[0]}_...?"))
            continue
        if _SERVICE_LINK.fullmatch(behind):
            continue
        overlay.applications |= first == "APPLICATION"
        found = list(_places(File, rest, ()))
        if not found:
            overlay.problems.append(Remark(variable, _unknown(rest)))
        for steps, hint in found:
            _put(overlay, variable, steps, hint, given[variable])
    return overlay


def variable_of(where: str) -> str:
    """The variable of a setting that stands ``where`` (``application[1].name``)."""
    return PREFIX + re.sub(r"[.\[]", "_", where.replace("]", "")).upper()


def _in_order(variable: str) -> list[str]:
    """By numbers as numbers, so that the second application comes before the tenth."""
    return [step.zfill(6) if step.isdigit() else step for step in variable.split("_")]


def _places(table: type, rest: str, before: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Where what a variable names stands: ``rest`` is its name behind the tables ``before``."""
    for name, hint in settings_of(table).items():
        inner, upper = _inner(hint), name.upper()
        if inner is None or not _is_table_alone(hint):
            if rest == upper:
                yield (*before, name), hint
            elif field_types.is_secret(name) and rest == f"{upper}_FILE":
                yield (*before, f"{name}_file"), str
        if inner is None or not rest.startswith(f"{upper}_"):
            continue
        behind = rest.removeprefix(f"{upper}_")
        if not _repeats(hint):
            yield from _places(inner, behind, (*before, name))
        elif number := re.fullmatch(r"([1-9][0-9]{0,3})_(.+)", behind):
            yield from _places(inner, number[2], (*before, name, int(number[1])))


def _put(overlay: Overlay, variable: str, steps: tuple[str | int, ...], hint: Any, text: str) -> None:
    """Put the value of a variable where it belongs, in place of what the file says there."""
    table: Any = overlay.raw
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        if following is None:
            break
        if isinstance(step, int):
            if step > len(table) + 1:
                fewer = f"there are {len(table)} of these tables"
                overlay.problems.append(
                    Remark(variable, f"leaves a gap: {fewer}; the next one has number {len(table) + 1}")
                )
                return
            if step > len(table):
                table.append({})
            table = table[step - 1]
        else:
            if isinstance(table.get(step), bool):  # opt_out = true
                table[step] = {}
            table = table.setdefault(step, [] if isinstance(following, int) else {})
        if not isinstance(table, list if isinstance(following, int) else dict):
            return  # the file has something else there, which is told of it
    name = str(steps[-1])
    where = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in steps).removeprefix(".")
    try:
        value = value_of(text, "text" if name.endswith("_file") else _kind(hint), hint)
    except ValueError as error:
        overlay.problems.append(Remark(variable, str(error)))
        return
    other = name.removesuffix("_file") if name.endswith("_file") else f"{name}_file"
    if where.removesuffix(name) + other not in overlay.variables:
        table.pop(other, None)  # the file names the secret in its other form
    table[name] = value
    overlay.variables[where] = variable


def _unknown(rest: str) -> str:
    """What is said of a variable that belongs to a table, and is no setting of it."""
    known = [one.variable.removeprefix(PREFIX) for one in every_setting()]
    first, _, behind = rest.partition("_")
    if not re.match(r"[0-9]+_", behind) and any(one.startswith(f"{first}_N_") for one in known):
        return f"needs the number of the table, as in {PREFIX}{first}_1_{behind or '...'}"
    near = difflib.get_close_matches(re.sub(r"_[0-9]+_", "_N_", rest), known, n=1, cutoff=0.7)
    if not near:
        return "is no setting; take it out of the environment"
    counted = ", where N counts these tables from 1 on" if "_N_" in near[0] else ""
    return f"is no setting; did you mean {PREFIX}{near[0]}{counted}?"


# --- values -----------------------------------------------------------------------------------------------------------


def value_of(text: str, kind: Kind, hint: Any = str) -> Any:
    """What stands in a variable, as TOML would give it. Raises ``ValueError``, which does not repeat it.

    What is no switch and no number stays text: that setting's own type says what it takes ("2s", "unlimited").
    """
    if kind == "switch":
        return _SWITCHES.get(text.strip().lower(), text)
    if kind in ("whole number", "number"):
        return _number(text)
    if kind == "table":
        return _toml(text, dict, '{ "X-Name" = "value" }')
    if kind == "list":
        if text.lstrip().startswith("["):
            return _toml(text, list, '["...", "..."], or what is in it with commas between')
        inner = _kind(next(one for one in get_args(without_none(hint)) if one is not Ellipsis))
        return [value_of(one.strip(), inner) for one in text.split(",") if one.strip()]
    return "" if text == '""' else text


def _number(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = float(text)
    except ValueError:
        return text
    return found if math.isfinite(found) else text


def _toml(text: str, wanted: type, form: str) -> Any:
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        found = {}
    if list(found) != ["value"] or not isinstance(found["value"], wanted):
        raise ValueError(f"cannot be read; write {form}")
    return found["value"]


# --- types ------------------------------------------------------------------------------------------------------------


def without_none(hint: Any) -> Any:
    """A type without what is annotated, and without None."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, UnionType):
            some = [one for one in get_args(hint) if one is not NoneType]
            hint = str if str in some else some[0]
        else:
            return hint


def _kind(hint: Any) -> Kind:
    bare = without_none(hint)
    if get_origin(bare) is Literal:
        bare = type(get_args(bare)[0])
    kinds: dict[Any, Kind] = {bool: "switch", int: "whole number", float: "number", tuple: "list", dict: "table"}
    if _inner(hint) is not None:
        return "switch"  # of a table that may be true
    return kinds.get(get_origin(bare) or bare, "text")


def _inner(hint: Any) -> type | None:
    """The table that a setting holds, or several of; None where it is a value."""
    bare = without_none(hint)
    if get_origin(bare) is tuple:
        bare = without_none(get_args(bare)[0])
    return next(tables_in(bare), None) if isinstance(bare, type) else None


def _repeats(hint: Any) -> bool:
    return get_origin(without_none(hint)) is tuple


def _is_table_alone(hint: Any) -> bool:
    """Whether a setting is a table and can be nothing else; an opt_out may be ``true``."""
    metadata = getattr(hint, "__metadata__", ())
    return not any(isinstance(one, BeforeValidator) for one in metadata)
