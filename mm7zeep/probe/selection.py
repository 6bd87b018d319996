"""Which cases run: by id, by area (``http/``), by pattern (``submit/*-empty``), by level. Knows nothing of results."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType

from mm7zeep.probe.case import Case
from mm7zeep.probe.results import Level

_LEVELS: Mapping[Level, tuple[Level, ...]] = MappingProxyType(
    {"MUST": ("MUST",), "SHOULD": ("MUST", "SHOULD"), "INFO": ("MUST", "SHOULD", "INFO")}
)


def select(
    cases: Sequence[Case], *, only: Iterable[str] = (), skip: Iterable[str] = (), level: Level = "INFO"
) -> tuple[Case, ...]:
    """The cases that ``only`` names (all, for none) and ``skip`` does not, of this level or a stricter one, in order.

    Raises ``ValueError`` for what names no case, with what was perhaps meant.
    """
    ids = [one.id for one in cases]
    chosen, dropped = _named(ids, only), _named(ids, skip)
    return tuple(
        one
        for one in cases
        if (chosen is None or one.id in chosen) and one.id not in (dropped or ()) and one.level in _LEVELS[level]
    )


def _named(ids: Sequence[str], names: Iterable[str]) -> set[str] | None:
    """The ids that any of ``names`` means; None for no names. Raises ``ValueError``."""
    found: set[str] | None = None
    for name in names:
        meant = {one for one in ids if means(name, one)}
        if not meant:
            raise ValueError(f"{name}: names no case{suggestion(name, ids)}")
        found = (found or set()) | meant
    return found


def means(name: str, id: str) -> bool:
    """Whether ``name`` is this id, the beginning of it up to a slash, or a pattern that fits it."""
    return name == id or (name.endswith("/") and id.startswith(name)) or fnmatchcase(id, name)


def suggestion(name: str, ids: Iterable[str]) -> str:
    """What may have been meant, as the end of a message."""
    known = dict.fromkeys(ids)
    areas = dict.fromkeys(one.partition("/")[0] + "/" for one in known)
    if "/" not in name.rstrip("/"):  # an area, or something like one
        if name.rstrip("/") + "/" in areas:
            return f"; for all of the area write {name.rstrip('/')}/"
        near = difflib.get_close_matches(name.rstrip("/") + "/", areas, 3) or list(areas)
        return f"; there are the areas {', '.join(near)}" if near else ""
    near = difflib.get_close_matches(name, known, 3, 0.5)
    near = near or [one for one in known if one.startswith(name.partition("/")[0] + "/")][:3]
    return f"; did you mean {' or '.join(near)}?" if near else "; mm7zeep probe --list lists them"
