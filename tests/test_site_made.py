"""The pages of the site that programs write are what these would write now."""

from __future__ import annotations

import pytest
from made_docs import is_current, made_by

MADE = ("make_carriers", "make_mm7", pytest.param("make_reference", marks=pytest.mark.once))
"""Programs that write several pages: ``pages()`` gives the files with what they should hold.

The last once: pydantic and prometheus_client describe models and counts, other versions of them in other words.
"""
OWNERS = ("make_carriers", "make_mm7")
"""Those of them that write everything in their folder."""


@pytest.mark.parametrize("name", MADE)
def test_pages_are_current(name: str) -> None:
    """Each page holds what its program would write."""
    with made_by(name) as module:
        wanted = module.pages()
        assert wanted
        for path, text in wanted.items():
            assert path.read_text(encoding="utf-8") == text, f"run docs/{name}.py"


@pytest.mark.parametrize("name", OWNERS)
def test_folder_has_no_other_page(name: str) -> None:
    """No page is left of a carrier or an operation that is gone."""
    with made_by(name) as module:
        assert set(module.FOLDER.glob("*.md")) == {*module.pages()}


def test_picture_of_the_rooms_is_current() -> None:
    """The drawing has the floors that the imports are held to."""
    assert is_current("make_rooms"), "run docs/make_rooms.py with the tests on the path"
