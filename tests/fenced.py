"""The fenced blocks of a Markdown text, with the mark above each: what the tests of README and of the pages execute."""

from __future__ import annotations

import re
from typing import NamedTuple

NETWORK = "needs a network"


class Block(NamedTuple):
    """One fenced block: language, text, the line it begins on, and the mark (``<!-- ... -->``) on the line above it."""

    language: str
    text: str
    line: int
    mark: str = ""

    @property
    def network(self) -> bool:
        """Whether it needs a network, and so is not run."""
        return self.mark == NETWORK


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a Markdown text, in order; a mark stands on the line above the fence."""
    found = re.finditer(r"(?ms)^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", text)
    return [Block(m["language"], m["text"], text.count("\n", 0, m.start("text")) + 1, m["mark"] or "") for m in found]
