"""docs/viewer.md and viewer_access.md: search words, keys, pages, numbers are the code's; other pages lead there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("starlette")
from mm7zeep.gateway.admin import sessions
from mm7zeep.gateway.rest.request import MOST
from mm7zeep.gateway.store import bounded, content, search
from mm7zeep.gateway.viewer import forms, inbox, live, message, part_lines, previews, routes, search_words
from mm7zeep.gateway.viewer.page_request import POLICY

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT.joinpath("docs", "viewer.md").read_text(encoding="utf-8")
ACCESS = ROOT.joinpath("docs", "viewer_access.md").read_text(encoding="utf-8")
STATIC = ROOT / "mm7zeep" / "gateway" / "viewer" / "static"
WORDS = " ".join(PAGE.split())


def rows(title: str, page: str = PAGE) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    below = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    assert len(lines) > 2, title
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_search() -> None:
    """Each condition that is described can be written so, and each that there is is described."""
    examples = [one for cells in rows("Search") for one in re.findall(r"`([a-z]+:[^`]+)`", cells[0])]
    for one in examples:
        assert search_words.search_of(one, None) != search.Search(words=(one,)), one
    assert {one.partition(":")[0] for one in examples} == {one.partition(":")[0] for one in search_words.EXAMPLES}


def test_keys() -> None:
    """Each key is one that a script of the viewer knows; Tab, Enter and Escape are the browser's own."""
    scripts = "".join(
        STATIC.joinpath(name).read_text(encoding="utf-8") for name in ("app.js", "player.js", "player_elements.js")
    )
    names = {"Left": '"ArrowLeft"', "Right": '"ArrowRight"', "Space": '" "'}
    keys = [key for cells in rows("Keyboard", ACCESS) for key in re.findall(r"`([^`]+)`", cells[1])]
    assert len(keys) == len(set(keys)) + 2 == 15  # j and k are in the inbox and on the page of a message
    for key in set(keys) - {"Enter", "Escape"}:
        known = names.get(key, f'"{key}"') in scripts or re.search(rf"\b{re.escape(key)}:", scripts)
        assert known, key


def test_pages() -> None:
    """Each page of the bar is described, and those for the operator alone are."""
    pages = {one.path for one in routes.PAGES if one.method == "GET" and "{" not in one.path}
    assert {path for path in pages if f"`{path}`" not in PAGE and path[1:].capitalize() not in PAGE} == set()
    assert {one.path for one in routes.PAGES if one.operator} == {"/handsets", "/chaos"}


def test_policy() -> None:
    """The policy of pages is the one that is sent."""
    assert f"content-security-policy: {POLICY}" in WORDS


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("{} to a page: to handsets", inbox.PAGE),
        ("the first {} characters of the texts", content._EXCERPT),
        ("| open pages that listen, of a process | {}, of which", live.MOST),
        ("of which {} of an application's users", live.OWN),
        ("| log-ins of a user | {};", sessions.MOST),
        ("| a log-in | {} hours after its last use, seven days", sessions.LASTS // 3600),
        ("| a form with its files | {} MiB", MOST // 2**20),
        ("MiB, {} files |", forms._FILES),
        ("| a search | {} s,", bounded.LONGEST),
        ("s, {} characters |", search_words.LONGEST),
        ("and {} each of words, states and kinds", search.MOST),
        ("| text of a part on the page of a message | {} characters,", part_lines._TEXT),
        ("characters, {} of all parts", part_lines._TEXTS),
        ("| calls in the time line of a message | {} |", message._CALLS),
        ("| a picture that gets a preview | {} MiB,", previews.LIMITS.octets // 2**20),
        ("MiB, {} megapixels,", previews.LIMITS.pixels // 1_000_000),
        ("megapixels, {} s of processor time", previews.LIMITS.seconds),
        ("| width and height of a preview | {} pixels", previews.PREVIEW.side),
        ("of a thumbnail {} |", previews.THUMBNAIL.side),
        ("A line is written every {} s at least", live._ALIVE),
    ],
)
def test_numbers(words: str, number: float) -> None:
    """Each number is the one that the code goes by."""
    assert words.format(f"{int(number):,}") in WORDS
    assert int(sessions.LONGEST) == 7 * 86400


@pytest.mark.parametrize("page", ["README.md", "docs/gateway.md", "docs/guarantees.md"])
def test_other_pages_lead_to_it(page: str) -> None:
    """README, the gateway's page and that of the guarantees link to this one."""
    assert re.search(r"\]\((docs/)?viewer\.md[)#]", ROOT.joinpath(page).read_text(encoding="utf-8"))
