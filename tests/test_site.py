"""The sources of the documentation site: every page is in a table of contents, and those that are made are current."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from made_docs import DOCS, made_by

ROOT = DOCS.parent


def pages() -> set[str]:
    """Every page of the site, named from docs/ without its ending."""
    return {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}


def contents(page: str) -> list[str]:
    """The pages that the tables of contents of ``page`` name, from docs/."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    found = []
    for table in re.findall(r"(?ms)^```\{toctree\}\n(.*?)^```$", text):
        for line in table.splitlines():
            if line and not line.startswith(":"):
                found.append(relative(PurePosixPath(page).parent / line))
    return found


def relative(path: PurePosixPath) -> str:
    """``path`` without its steps up."""
    return (ROOT / "docs" / path).resolve().relative_to(DOCS.resolve()).as_posix()


def test_each_page_has_one_place() -> None:
    """From the front page each page is reached by the tables of contents, by one way."""
    reached, waiting = ["index"], ["index"]
    while waiting:
        inner = contents(waiting.pop())
        reached += inner
        waiting += inner
    assert sorted(reached) == sorted(pages())


def test_api_pages_are_current() -> None:
    """The pages of the API are what their program makes, and show every public name."""
    with made_by("make_api") as module:
        assert {path.stem for path in module.FOLDER.glob("*.md")} == set(module.PAGES)
        for name in module.PAGES:
            assert (module.FOLDER / f"{name}.md").read_text(encoding="utf-8") == module.text(name), (
                "run docs/make_api.py"
            )


def test_folder_of_the_extension_is_no_page() -> None:
    """What the site is built with stands beside the pages, and is not one of them."""
    assert Path(DOCS, "_site", "markdown_twins.py").is_file()
    assert not [page for page in pages() if page.startswith("_")]
