"""Write docs/profiles.md: the carriers that are known, what they want and what they take, and where they state it.

Made of the profiles themselves: ``python -P docs/make_profiles.py``. A test fails where the file is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mm7zeep.cli.profiles import limit_in_words, listed, told
from mm7zeep.profiles import CARRIERS

TARGET = Path(__file__).with_name("profiles.md")

_HEAD = """# Profiles

What each carrier wants and takes. `--profile NAME` of the commands, `profile=` of the clients and of the gateway's applications and upstreams
go by it; `mm7zeep profiles [NAME] [--json]` tells the same. This file is made by `docs/make_profiles.py`.

A limit is judged before anything is sent; what exceeds it is a `LocalError` with value and limit and, where content can be
[made to fit](fit.md), the way to that. **size** is the smallest of the limits of size: `fit` goes by it. `-`: the carrier states no such
limit, and none is invented. 1 MB is taken for 1,000,000 octets, since no document says which it means. Where documents of a carrier
differ, the lowest counts that it states for its own channel. The documents were read as copies; most bear no date.

The gateway judges by the profile of an `[[application]]` as that carrier would: more octets or parts are answered 2004.
"""


def text() -> str:
    """The whole file."""
    known = tuple(CARRIERS.values())
    return "\n".join([_HEAD, "```console", "$ mm7zeep profiles", *listed(known), "```", "", *_details()]) + "\n"


def _details() -> Iterator[str]:
    for one in CARRIERS.values():
        head, *lines = told(one)
        yield from (f"## {one.name}", "", head.partition(": ")[2] + ".", "")
        wishes = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("    ")]
        wishes = wishes[: len(wishes) - len(one.sources)]
        yield from (f"- {wish}" for wish in wishes)
        yield ""
        if not one.sources:
            yield from ("It states no limit.", "")
            continue
        yield from ("| Limit | Source | Date | Note |", "|---|---|---|---|")
        for source in one.sources:
            row = (limit_in_words(one, source.limit), source.document, source.date or "undated", source.note or "-")
            yield f"| {' | '.join(row)} |"
        yield ""


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
