"""A module imports only from floors below its own; this walks every import and says which one goes up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import mm7zeep

# One row per floor, lowest first. A room is a module or a package; what is inside a package belongs to its floor,
# unless it has an entry of its own. A new module needs a place here before it can be built upon.
FLOORS = (
    (
        "challenges",
        "charsets",
        "durations",
        "extras",
        "findings",
        "html_page",
        "json_text",
        "masking",
        "requirements",
        "status",
        "tracing",
    ),
    ("digest", "errors"),
    ("media", "messages", "profiles", "samples"),
    ("namespaces",),
    ("credentials", "mime", "schema", "smil"),
    ("envelope", "tolerance"),
    ("exchange.limits", "exchange.wire"),
    ("exchange.judge", "exchange.plans"),
    ("exchange.pack", "exchange.unpack"),
    ("exchange",),
    ("conformance.input", "conformance.rules", "fitting", "transport"),
    ("client", "conformance.verdict", "receiver"),
    ("conformance.pairs", "conformance.report", "gateway.logs", "gateway.security", "gateway.supervised"),
    ("conformance", "gateway.config", "gateway.rest", "probe"),
    ("gateway.store", "vectors"),
    ("gateway.cdr", "gateway.delivery", "gateway.maintenance"),
    ("gateway.metrics", "gateway.mm7"),
    ("gateway.api", "gateway.simulator"),
    ("gateway.gateway",),
    ("gateway.admin",),
    ("gateway.viewer",),
    ("gateway.server",),
    ("gateway.testing",),
    ("gateway",),
    ("load",),
    ("cli", "pytest_plugin"),
    ("__main__",),
)
FLOOR = {f"mm7zeep.{room}": floor for floor, rooms in enumerate(FLOORS) for room in rooms}
PACKAGE = Path(str(mm7zeep.__file__)).parent


class Import(NamedTuple):
    """One import of ours: who imports what, on which line."""

    importer: str
    imported: str
    line: int


def sources() -> dict[str, str]:
    """Every module of mm7zeep by its dotted name, with its source text."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        steps = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(steps[:-1] if steps[-1] == "__init__" else steps)
        found[name] = path.read_text(encoding="utf-8")
    return found


def room(module: str) -> str | None:
    """The room a module stands in: its own entry in the table, or that of the nearest package around it."""
    while module:
        if module in FLOOR:
            return module
        module = module.rpartition(".")[0]
    return None


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: all but the body of ``if TYPE_CHECKING:``."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for node in child.orelse:
                yield node
                yield from walk(node)
            continue
        yield child
        yield from walk(child)


def targets(node: ast.AST, modules: set[str]) -> Iterator[str]:
    """The dotted names that one statement imports; of ``from a import b``, ``a.b`` where that is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        for alias in node.names:
            if source == "mm7zeep" and alias.name == "__version__":
                continue  # the one thing of the front door that opens no room
            inner = f"{source}.{alias.name}"
            yield inner if inner in modules or room(inner) == inner else source
    elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
        yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str))


def imports(importer: str, source: str, modules: set[str]) -> list[Import]:
    """The imports of mm7zeep's own modules, and relative ones, in ``source``."""
    return [
        Import(importer, name, getattr(node, "lineno", 0))
        for node in walk(ast.parse(source))
        for name in targets(node, modules)
        if name.split(".")[0] in ("mm7zeep", "")
    ]


def complaint(found: Import) -> str | None:
    """What is wrong with one import, or None."""
    here, there = room(found.importer), room(found.imported)
    where = f"{found.importer}:{found.line} imports {found.imported}"
    if found.imported.startswith("."):
        return f"{where}: write the absolute name"
    if here is None:
        return f"{where}, which only TYPE_CHECKING may" if found.importer == "mm7zeep" else None  # else: has_no_floor
    if there is None:
        return f"{where}: name the module itself, with a floor in FLOORS"
    if here != there and FLOOR[there] >= FLOOR[here]:
        return f"{where}: from floor {FLOOR[here]} to floor {FLOOR[there]}"
    return None


def complaints(texts: dict[str, str]) -> list[str]:
    """All that is wrong between the modules ``texts``, by name: missing floors, imports upward, cycles."""
    modules = set(texts)
    wrong = [f"{name} has no floor in FLOORS" for name in modules if name != "mm7zeep" and room(name) is None]
    found = [one for name, text in texts.items() for one in imports(name, text, modules)]
    wrong += [text for text in map(complaint, found) if text]
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for one in found:
        graph[one.importer].add(one.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        wrong.append("imports run in a circle: " + " <- ".join(cycle.args[1]))
    return sorted(wrong)


def test_imports_go_down() -> None:
    """Every module has a floor, imports strictly lower ones (or its own package), and nothing runs in a circle."""
    texts = sources()
    assert {"mm7zeep", "mm7zeep.errors", "mm7zeep.messages"} <= set(texts)
    assert complaints(texts) == []


def test_few_arrows_between_the_rooms_of_the_gateway() -> None:
    """Who changes one room has few others to look at: 40 pairs of 14 rooms import each other, and no more for each
    room that is added.
    """
    texts = sources()
    found = {
        (room(one.importer), room(one.imported))
        for name, text in texts.items()
        if name.startswith("mm7zeep.gateway.")
        for one in imports(name, text, set(texts))
        if one.imported.startswith("mm7zeep.gateway.")
    }
    arrows = {(here, there) for here, there in found if here != there}
    rooms = {one for arrow in arrows for one in arrow}
    assert 20 < len(arrows) <= len(rooms) * 40 / 14, (len(rooms), arrows)


UPWARD = {
    "plain": "import mm7zeep.client",
    "from a module": "from mm7zeep.client import VaspClient",
    "from the package": "from mm7zeep import client",
    "in a function": "def late():\n    from mm7zeep.client import VaspClient",
    "in a method, under try": "class A:\n  def b(self):\n    try:\n      import mm7zeep.client\n    finally: ...",
    "by name": "from importlib import import_module\nimport_module('mm7zeep.client')",
    "beside TYPE_CHECKING": "if TYPE_CHECKING:\n    pass\nelse:\n    import mm7zeep.client",
    "same floor": "from mm7zeep.conformance.rules import RULES",
}


@pytest.mark.parametrize("source", UPWARD.values(), ids=UPWARD.keys())
def test_upward_import_is_caught(source: str) -> None:
    """An import upward or sideways is found wherever it hides."""
    [wrong] = complaints({"mm7zeep.transport": source, "mm7zeep.client": "", "mm7zeep.conformance.rules": ""})
    assert f"from floor {FLOOR['mm7zeep.transport']} to floor" in wrong


@pytest.mark.parametrize(
    "source",
    [
        "from mm7zeep.exchange import pack",
        "from mm7zeep import exchange, messages",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mm7zeep.client import VaspClient",
        "from mm7zeep import __version__",
        "import requests",
    ],
)
def test_downward_import_is_fine(source: str) -> None:
    """What goes down, what only a type checker reads, and other people's libraries are not complained about."""
    assert complaints({"mm7zeep.transport": source, "mm7zeep.exchange": "", "mm7zeep.messages": ""}) == []


def test_module_without_floor_is_caught() -> None:
    """A module that nobody gave a floor fails, even when it imports nothing."""
    assert complaints({"mm7zeep.helpers": ""}) == ["mm7zeep.helpers has no floor in FLOORS"]


def test_front_door_is_not_used_inside() -> None:
    """Inside the package, names come from their module and never through the front door or a relative path."""
    [door] = complaints({"mm7zeep.cli": "from mm7zeep import VaspClient"})
    assert "name the module itself" in door
    [dots] = complaints({"mm7zeep.client.vasp": "from .styles import Style", "mm7zeep.client.styles": ""})
    assert "absolute name" in dots


def test_front_door_opens_no_room() -> None:
    """The package's own module imports no room when it is loaded."""
    [wrong] = complaints({"mm7zeep": "from mm7zeep.status import Status", "mm7zeep.status": ""})
    assert "only TYPE_CHECKING may" in wrong


def test_package_members_may_import_each_other() -> None:
    """Inside a package imports go both up and down its list, but not in a circle."""
    vasp, styles = "from mm7zeep.client import styles", "import mm7zeep.client.vasp"
    assert complaints({"mm7zeep.client.vasp": vasp, "mm7zeep.client.styles": ""}) == []
    [wrong] = complaints({"mm7zeep.client.vasp": vasp, "mm7zeep.client.styles": styles})
    assert "circle" in wrong


# Inside a package: who uses whom; the other way round is an import upward.
INSIDE = {
    "conformance.rules": "conformance.verdict",
    "conformance.input": "conformance.verdict",
    "conformance.verdict": "conformance.pairs",
    "conformance.input.traffic": "conformance.report.view",
    "exchange.wire": "exchange.judge",
    "exchange.judge": "exchange.unpack",
    "exchange.pack": "exchange",
}


@pytest.mark.parametrize(("low", "high"), INSIDE.items(), ids=INSIDE.keys())
def test_rooms_inside_a_package_have_floors(low: str, high: str) -> None:
    """What has a floor of its own may be used by the rest of its package, and may not use the rest."""
    low, high = f"mm7zeep.{low}", f"mm7zeep.{high}"
    assert complaints({high: f"import {low}", low: ""}) == []
    [wrong] = complaints({high: "", low: f"import {high}"})
    assert "from floor" in wrong


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("conformance.input", "conformance.rules"),
        ("conformance.pairs", "conformance.report"),
        ("exchange.judge", "exchange.plans"),
        ("exchange.pack", "exchange.unpack"),
    ],
)
def test_rooms_beside_each_other_do_not_mix(one: str, other: str) -> None:
    """Neither of two rooms on one floor imports the other."""
    for here, there in ((one, other), (other, one)):
        [wrong] = complaints({f"mm7zeep.{here}": f"import mm7zeep.{there}", f"mm7zeep.{there}": ""})
        assert "from floor" in wrong
