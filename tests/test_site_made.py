"""The pages of the site that programs write are what these would write now."""

from __future__ import annotations

import pytest
from made_docs import made_by

MADE = ("make_carriers", "make_mm7")
"""Programs that write a folder each: ``pages()`` gives its files with what they should hold."""


@pytest.mark.parametrize("name", MADE)
def test_folder_is_current(name: str) -> None:
    """A folder has the pages that its program makes, no other, and each holds what it would write."""
    with made_by(name) as module:
        wanted = module.pages()
        folders = {path.parent for path in wanted}
        assert {path for folder in folders for path in folder.glob("*.md")} == {*wanted}
        for path, text in wanted.items():
            assert path.read_text(encoding="utf-8") == text, f"run docs/{name}.py"
