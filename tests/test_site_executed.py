"""The pages of the site are executed: each block that can run does, and prints what the page shows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from executed import Session, Shown, commands, masked, readable
from fenced import NETWORK, Block, blocks
from made_docs import DOCS

from mm7zeep.profiles import CARRIERS

FOLDERS = ("tutorials", "how-to", "reference", "explanation")
"""Whose pages are executed, as those directly in docs/ are."""
HELD = {
    "command_line": "test_docs_command_line",
    "frameworks": "test_frameworks",
    "vectors": "test_vector_witnesses",
}
"""Pages whose blocks are made, or run, by the tests of a module, all of them."""
ALL = sorted({path for folder in FOLDERS for path in DOCS.joinpath(folder).rglob("*.md")} | set(DOCS.glob("*.md")))
PAGES = [path for path in ALL if path.stem not in HELD]
LIVE = [page for page in PAGES if any(one.language in ("python", "console") for one in blocks(page.read_text("utf-8")))]


def name(page: Path) -> str:
    """A page by its path from docs/."""
    return page.relative_to(DOCS).with_suffix("").as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_block_is_for_something(page: Path) -> None:
    """Every block has a language and a mark that say what is done with it; Python compiles, data can be read."""
    text = page.read_text(encoding="utf-8")
    known = [one for one in blocks(text) if one.language]
    assert len(re.findall(r"(?m)^ *```(?!\{)\w", text)) == len(known), "a block that is indented is not tried"
    for block in known:
        kind = block.mark.partition(": ")[0]
        assert "Traceback (most recent" not in block.text, f"line {block.line}: shows a failure of its own"
        if block.language == "python":
            compile(block.text, page.name, "exec")
        elif kind == "tested" or kind.startswith("needs "):
            assert re.search(r"(?m)^[$#] ", block.text) or block.language != "console", f"line {block.line}"
        elif block.language == "console":
            assert commands(block), f"line {block.line}"
        elif kind in ("prints", "there"):
            assert masked(block.text).strip(".\n"), f"line {block.line}: any output would do"
        elif kind not in ("file", "more of"):
            readable(block)


def test_blocks_that_cannot_run_are_counted() -> None:
    """One for each carrier, and those that install or need what a test may not have; a further one is a decision.

    Those of nginx and Caddy change a machine's own proxy; test_deploy_proxies.py runs the files that they
    install, test_dashboards.py has promtool judge the alerts, test_deploy_container.py carries out the image's steps.
    """
    needs = Counter(one.mark for page in PAGES for one in blocks(page.read_text("utf-8")) if one.mark[:6] == "needs ")
    programs = {"needs nginx": 2, "needs Caddy": 3, "needs Prometheus": 2, "needs PostgreSQL": 2}
    machine = {"needs a container engine": 2, "needs systemd": 1, "needs a cluster": 1, "needs root": 2}
    assert needs == {"needs a carrier": len(CARRIERS), NETWORK: 3} | programs | machine


@pytest.mark.parametrize("page", ALL, ids=name)
def test_blocks_that_others_hold_are_held(page: Path) -> None:
    """What is not executed here is executed by a module that reads the page."""
    marked = [one.mark for one in blocks(page.read_text("utf-8")) if one.mark.startswith("tested")]
    for module in [HELD[page.stem]] if page.stem in HELD else [mark.partition(": ")[2] for mark in marked]:
        tests = Path(__file__).with_name(f"{module}.py").read_text("utf-8")
        assert re.search(rf'"{page.stem}\.md"|make_{page.stem}\b', tests), f"{module} does not read {page.name}"


@pytest.mark.once
@pytest.mark.parametrize("page", LIVE, ids=name)
def test_page_runs(page: Path, tmp_path: Path) -> None:
    """Every block of the page runs, in order, in an empty directory, and prints what the page shows."""
    with Session(page, tmp_path / "page") as session:
        for shown in session.run():
            assert shown.agrees, f"{name(page)}, line {shown.block.line}: met\n{shown.met}"


def test_masks_hide_what_differs_and_no_more() -> None:
    """Ids, numbers and the width of columns do not count; words do, and so does a line that is missing."""
    block = Block("text", "", 1)
    assert masked("id  9f86d081884c7d659a2feaa0  12:30") == "id ID 0"
    assert Shown(block, "1000 Success\n  id  9f86d081884c7d659a2feaa0\n", "2000 Success\n id 1f86d081884c7d65\n").agrees
    assert not Shown(block, "1000 Success\n", "1000 Refused\n").agrees
    assert not Shown(block, "a\nb\n", "a\n").agrees
    assert Shown(block, "a\n...\nd\n", "a\nb\nc\nd\n").agrees
    assert not Shown(block, "a\n...\nd\n", "a\nb\n").agrees
    assert Shown(block, "a ... d ...\n", "a b c d e\n").agrees
    assert not Shown(block, "a ... d ...\n", "a b c\n").agrees


def test_terminals_and_files(tmp_path: Path) -> None:
    """A command takes the place of another one, which ends; more is written behind what stands in a file."""
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: a.toml -->\n```toml\na = 1\n```\n<!-- more of: a.toml -->\n```toml\nb = 2\n```\n"
        "<!-- another terminal -->\n```console\n$ echo one; trap 'echo ended; exit' INT; while :; do sleep 0.1; done\n"
        "one\n```\n"
        "<!-- another terminal: 1 -->\n```console\n$ cat a.toml; ls .terminal-* | wc -l; grep -h ended .terminal-*\n"
        "a = 1\n\nb = 2\n2\nended\n```\n",
        encoding="utf-8",
    )
    with Session(page, tmp_path / "a") as session:
        assert [shown.agrees for shown in session.run()] == [True, True]


def test_a_page_that_is_wrong_fails(tmp_path: Path) -> None:
    """A command with other output, a block that raises and a block without a purpose are noticed."""
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one; echo two\none\n```\n", encoding="utf-8")
    with Session(page, tmp_path / "a") as session:
        assert [shown.agrees for shown in session.run()] == [False]
    page.write_text("```python\nraise KeyError\n```\n", encoding="utf-8")
    with Session(page, tmp_path / "b") as session, pytest.raises(KeyError) as caught:
        list(session.run())
    assert caught.value.__notes__ == ["page.md, line 2"]
    page.write_text("```text\nwhat is this for?\n```\n", encoding="utf-8")
    with Session(page, tmp_path / "c") as session, pytest.raises(ValueError, match="mark it"):
        list(session.run())
