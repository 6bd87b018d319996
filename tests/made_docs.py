"""The programs of docs/ that write pages, loaded as modules, so that a test can ask what a page should say."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[1] / "docs"


@contextmanager
def made_by(name: str) -> Iterator[ModuleType]:
    """The module of ``docs/NAME.py``, while the context lasts (its dataclasses look for it in ``sys.modules``)."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]


def is_current(name: str) -> bool:
    """Whether the page that ``docs/NAME.py`` writes is what it would write now."""
    with made_by(name) as module:
        written: str = module.TARGET.read_text(encoding="utf-8")
        return written == module.text()
