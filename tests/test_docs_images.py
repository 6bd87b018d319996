"""The pictures in docs: each that a page names is there, each is named and small, and they can be taken again."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import requests
from made_docs import made_by

pytest.importorskip("PIL")
pytest.importorskip("starlette")

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
IMAGES = sorted(DOCS.joinpath("images").iterdir())
NAMED = {
    page.parent.joinpath(name).resolve()
    for page in (ROOT / "README.md", *DOCS.glob("*.md"))
    for name in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
}
FICTION = re.compile(r"\+61491570(006|110|156|157|158|159|313|737)")
"""Some of the mobile numbers that Australia's ACMA keeps for books and films."""
_ALL = 1_000_000  # octets of all pictures


@pytest.fixture(scope="module")
def make_screenshots() -> Iterator[ModuleType]:
    """The program that takes the pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        with made_by("make_screenshots") as module:
            yield module
    del sys.modules["shop_pictures"]


def test_every_picture_is_there_and_named(make_screenshots: ModuleType) -> None:
    """Pages name what there is, with words for those who do not see it, and there is what is taken."""
    assert set(IMAGES) == NAMED
    assert {one.name for one in IMAGES} == {f"{name}.png" for name in make_screenshots.SHOTS}


def test_pictures_are_small(make_screenshots: ModuleType) -> None:
    """Each is a PNG of modest size, and so are all together."""
    sizes = {one.name: one.stat().st_size for one in IMAGES}
    assert {name: size for name, size in sizes.items() if size > make_screenshots.LARGEST} == {}
    assert sum(sizes.values()) < _ALL
    assert {one.name for one in IMAGES if not one.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")} == set()


def test_numbers_are_fiction(make_screenshots: ModuleType) -> None:
    """They are among those that ACMA keeps for it, so that nobody is called."""
    found = re.findall(r"\+61[0-9]+", (DOCS / "make_screenshots.py").read_text(encoding="utf-8"))
    assert {one for one in (*found, *make_screenshots.FRIENDS) if not FICTION.fullmatch(one)} == {"+61491570"}


@pytest.mark.once
def test_they_can_be_taken_again(make_screenshots: ModuleType) -> None:
    """The gateway is filled as it was, and each page that is taken is there, with what it shows."""
    with make_screenshots.filled() as (story, url):
        found = {}
        for name, shot in make_screenshots.SHOTS.items():
            path = shot.path
            for subject, message_id in story.ids.items():
                path = path.replace(f"{{{subject}}}", message_id)
            answer = requests.get(url + path, timeout=10)
            assert answer.status_code == 200, name
            found[name] = answer.text
    for state in ("Retrieved", "Delivered", "Rejected", "Refused", "Expired", "Deferred"):
        assert f">{state}</span>" in found["inbox"]
    for state in ("done", "waiting", "paused", "dead"):
        assert f">{state}</span>" in found["callbacks"]
    assert found["message"].count('class="handset-slide"') == 3
    assert found["conversation"].count("/thumbnail") == 4
