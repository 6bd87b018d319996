"""Numbers as people write them, and as they are compared: without what stands between their digits.

Values only. Refuses nothing: what is no number is told apart.
"""

from __future__ import annotations

import re

_SIGNS = re.compile(r"[\s().\-/]+")  # what people write between digits
_DIGITS = re.compile(r"\+?[0-9]+")


def without_scheme(text: str) -> str:
    """``text`` without the ``tel:`` that it may begin with, and without blanks around it."""
    text = text.strip()
    return text[4:] if text[:4].lower() == "tel:" else text


def dialled(text: str) -> str | None:
    """The digits of a number, after its plus where it has one; None for what is no number."""
    plain = _SIGNS.sub("", text)
    return plain if _DIGITS.fullmatch(plain) else None
