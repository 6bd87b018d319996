"""The search field's language: words, and ``name:value`` pairs, made into a search of the store.

``to:`` ``from:`` ``subject:`` ``has:`` ``larger:`` ``smaller:`` ``state:`` ``after:`` ``before:`` ``application:``
``direction:`` ``number:`` ``is:unopened``; a value with spaces stands in quotation marks. Other words are looked for in
subject, texts and addresses. Refuses, with ``Refusal`` (400), a value that says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, get_args

from mm7zeep.gateway.admin.inputs import State
from mm7zeep.gateway.store import search
from mm7zeep.gateway.store.search import Search
from mm7zeep.receiver import Refusal

LONGEST = 500
"""Characters of a search."""
_TERM = re.compile(r'(?:(?P<name>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]*))')
_SIZE = re.compile(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,3})?)(?P<unit>[kKmM]?)[bB]?")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
_STATES: Mapping[str, str] = MappingProxyType(
    {one.lower(): one for group in get_args(State) for one in (get_args(group) or (group,))}
)
_MEDIA = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}(?:/[a-z0-9][a-z0-9.+-]{0,60})?")


def search_of(text: str, application: str | None) -> Search:
    """The search that ``text`` says, among an ``application``'s messages (None: all).

    Raises ``Refusal`` (400) for a value that cannot be, and for a text that is too long.
    """
    if len(text) > LONGEST:
        raise Refusal(400, f"a search may have {LONGEST} characters; make it shorter")
    found: dict[str, Any] = {}
    words: list[str] = []
    for term in _TERM.finditer(text):
        value = term["quoted"] if term["quoted"] is not None else term["bare"]
        name = (term["name"] or "").lower()
        if name in _READERS:
            _take(found, name, value)
        elif term[0].strip():
            words.append(f"{term['name']}:{value}" if term["name"] else value)
    words = [one for one in words if one]
    for kind, given in (("words", words), ("has:", found.get("has", ())), ("state:", found.get("states", ()))):
        if len(given) > search.MOST:
            what = kind if kind == "words" else f"of {kind}"
            raise Refusal(400, f"a search may have {search.MOST} {what}; leave some out")
    if application is not None:
        if found.get("application", application) != application:
            raise Refusal(400, "application: this log-in sees its own messages only; leave it out")
        found["application"] = application
    return Search(words=tuple(words), **found)


def _take(found: dict[str, Any], name: str, value: str) -> None:
    if not value:
        raise Refusal(400, f"{name}: give it a value, as in {_EXAMPLES[name]}")
    field, made = _READERS[name](value)
    if isinstance(made, tuple):
        found[field] = (*found.get(field, ()), *made)
    elif found.setdefault(field, made) != made:
        raise Refusal(400, f"{name}: is given twice; give it once")


def _as_it_is(field: str) -> Callable[[str], tuple[str, Any]]:
    return lambda value: (field, value)


def _octets(field: str) -> Callable[[str], tuple[str, Any]]:
    def read(value: str) -> tuple[str, Any]:
        given = _SIZE.fullmatch(value)
        if given is None:
            raise Refusal(400, f"{field}: {value!r} is no size; write 100k, 1.5M or a number of octets")
        return field, int(float(given["number"]) * _UNITS[given["unit"].lower()])

    return read


def _time(field: str) -> Callable[[str], tuple[str, Any]]:
    def read(value: str) -> tuple[str, Any]:
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            raise Refusal(400, f"{field}: {value!r} is no date; write 2026-03-01 or 2026-03-01T12:30") from None
        return field, (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()

    return read


def _state(value: str) -> tuple[str, Any]:
    known = _STATES.get(value.lower())
    if known is None:
        raise Refusal(400, f"state: {value!r} is none; there are {', '.join(sorted(_STATES.values()))}")
    return "states", (known,)


def _has(value: str) -> tuple[str, Any]:
    kind = value.lower()
    if not _MEDIA.fullmatch(kind):
        raise Refusal(400, f"has: {value!r} is no kind of part; write image, video, audio, text or image/gif")
    return "has", (kind,)


def _direction(value: str) -> tuple[str, Any]:
    if value.lower() not in ("mt", "mo"):
        raise Refusal(400, f"direction: {value!r} is none; mt goes to handsets, mo comes from them")
    return "direction", value.lower()


def _is(value: str) -> tuple[str, Any]:
    if value.lower() not in ("unopened", "opened", "unread", "read"):  # the latter as mail programs have it
        raise Refusal(400, f"is: {value!r} is nothing a message can be; write is:unopened or is:opened")
    return "unopened", value.lower() in ("unopened", "unread")


_READERS: Mapping[str, Callable[[str], tuple[str, Any]]] = MappingProxyType(
    {
        "to": _as_it_is("to"),
        "from": _as_it_is("from_"),
        "subject": _as_it_is("subject"),
        "application": _as_it_is("application"),
        "number": _as_it_is("number"),
        "has": _has,
        "larger": _octets("larger"),
        "smaller": _octets("smaller"),
        "state": _state,
        "after": _time("after"),
        "before": _time("before"),
        "direction": _direction,
        "is": _is,
    }
)
_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "to": "to:+61412345678",
        "from": "from:+61412345678",
        "subject": "subject:offer",
        "application": "application:news",
        "number": "number:+61412345678",
        "has": "has:image",
        "larger": "larger:100k",
        "smaller": "smaller:1M",
        "state": "state:expired",
        "after": "after:2026-03-01",
        "before": "before:2026-03-01",
        "direction": "direction:mo",
        "is": "is:unopened",
    }
)
EXAMPLES = tuple(_EXAMPLES.values())
"""One search of each kind, to be shown beside the field."""
