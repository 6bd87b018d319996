"""Queries of the paths of pages: how they are written into links, and the numbers that they say. Refuses nothing."""

from __future__ import annotations

from urllib.parse import urlencode

LARGEST = 2**63 - 1
"""The largest id that the database gives."""


def link(path: str = "/", **values: str) -> str:
    """``path`` with a query of those values that say something."""
    given = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def integer(text: str | None, most: int = LARGEST) -> int | None:
    """The whole number, ``most`` at most, that a query or a path says; None where it says none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > len(str(most)):
        return None
    found = int(text)
    return found if found <= most else None
