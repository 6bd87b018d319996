"""JSON that others send, read within bounds: a number of values, so that what follows costs no more than is meant.

Refuses, with ``ValueError``, more values, a member that stands twice in an object, and what is no number of JSON.
"""

from __future__ import annotations

import json
from json import decoder, scanner
from typing import Any, NoReturn

MOST = 20_000
"""Values of a body: objects, arrays, texts, numbers."""
_BOUNDLESS = 64 * 1024  # octets that cannot hold enough values to matter


def read(octets: bytes) -> Any:
    """What a body holds. Raises ``ValueError``, ``RecursionError``."""
    # below that, the parser in C is faster, and one that stops in Python costs more than it saves
    if len(octets) <= _BOUNDLESS:
        return json.loads(octets, parse_constant=_no_number, object_pairs_hook=_once)
    return _Bounded().decode(octets.decode("utf-8-sig"))


class _Bounded(json.JSONDecoder):
    """The decoder of the standard library, in its form in Python, which counts; texts are still read in C."""

    def __init__(self) -> None:
        super().__init__(parse_constant=_no_number, object_pairs_hook=_once)
        left = MOST

        def counted(string: str, idx: int) -> tuple[Any, int]:
            nonlocal left
            left -= 1
            if left < 0:
                raise ValueError(f"more than {MOST} values")
            found: tuple[Any, int] = once(string, idx)
            return found

        def parse_array(s_and_end: Any, scan_once: Any, *rest: Any) -> Any:
            return decoder.JSONArray(s_and_end, counted, *rest)  # type: ignore[attr-defined]

        def parse_object(s_and_end: Any, strict: Any, scan_once: Any, *rest: Any) -> Any:
            return decoder.JSONObject(s_and_end, strict, counted, *rest)  # type: ignore[attr-defined]

        self.parse_array, self.parse_object = parse_array, parse_object
        once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]
        self.scan_once = once


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the member {twice[:40]!r} stands twice in an object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
