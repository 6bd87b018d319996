"""Whether the catalogue notices a broken rule: breaks one condition after the other and looks for a case that fails.

``python tests/mutation_check.py [WORD]`` makes every mutant (of modules or kinds whose name holds WORD) and lists those
that no case notices. A mutant is one function with one change:

- ``silent``: where the id of a kind stands, another one stands, so that the finding is not made there;
- ``always`` and ``never``: the nearest condition around such an id, or any condition of a rule, holds always or never.

Mutants that cannot differ are listed in ``EQUAL``, each with its reason.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeVar

from rules import CASES, Case, holds

import mm7zeep
from mm7zeep.exchange import plans
from mm7zeep.findings import KINDS
from mm7zeep.mime import heads

T = TypeVar("T")
PACKAGE = Path(str(mm7zeep.__file__)).parent
RULES = "conformance/rules"
ROOMS = (
    RULES, "conformance/input/capture", "conformance/pairs", "mime", "tolerance", "exchange", "envelope", "smil",
    "receiver",
)  # fmt: skip
"""Where the findings of ``check`` are made: modules and packages."""
SECONDS = 5
"""How long one case may take; a mutant may run in a circle."""
OTHER = "sem/mo-as-submit"  # what a silenced site says instead; only one case is about it


@dataclass(frozen=True)
class Mutant:
    """One change of one function: what stands at ``line`` of ``module`` is changed as ``kind`` says."""

    module: str
    function: str
    line: int
    column: int
    kind: str
    ids: tuple[str, ...]
    source: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function} {self.kind}: {self.source}"


def mutants() -> list[Mutant]:
    """Every mutant, in the order of the files."""
    found: dict[tuple[str, int, int, str], Mutant] = {}
    for room in ROOMS:
        for path in (*PACKAGE.glob(f"{room}.py"), *sorted(PACKAGE.glob(f"{room}/*.py"))):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            for name, function in _functions(tree):
                for one in _of_function(module, name, function, whole=room == RULES):
                    found.setdefault((one.module, one.line, one.column, one.kind), one)
    return list(found.values())


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a module and the methods of its classes; what is inside a function belongs to it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _of_function(module: str, name: str, function: ast.FunctionDef, *, whole: bool) -> Iterator[Mutant]:
    ids = tuple(dict.fromkeys(one.value for one in ast.walk(function) if _is_kind(one)))
    for node, around in _walk(function):
        if _is_kind(node):
            yield _mutant(module, name, node, "silent", (node.value,))
        tested = around[-1:] if _is_kind(node) else [node] if whole and _test(node) is not None else []
        for condition in tested:
            own = tuple(dict.fromkeys(one.value for one in ast.walk(condition) if _is_kind(one))) or ids
            yield _mutant(module, name, _test(condition), "always", own)
            yield _mutant(module, name, _test(condition), "never", own)


def _is_kind(node: ast.AST) -> Any:
    return isinstance(node, ast.Constant) and node.value in KINDS


def _test(node: ast.AST) -> Any:
    """The condition of a statement or expression that has one."""
    if isinstance(node, ast.If | ast.IfExp):
        return node.test
    return node.ifs[0] if isinstance(node, ast.comprehension) and node.ifs else None


def _walk(node: ast.AST, around: tuple[ast.AST, ...] = ()) -> Iterator[tuple[Any, tuple[ast.AST, ...]]]:
    """Every node below, with the conditions around it, the nearest last."""
    for child in ast.iter_child_nodes(node):
        inside = (*around, child) if _test(child) is not None else around
        yield child, around
        yield from _walk(child, inside)


def _mutant(module: str, name: str, node: Any, kind: str, ids: tuple[str, ...]) -> Mutant:
    return Mutant(module, name, node.lineno, node.col_offset, kind, ids, ast.unparse(node)[:100])


class _Change(ast.NodeTransformer):
    """Replaces what stands at the place of the mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.done = 0

    def visit(self, node: ast.AST) -> Any:
        mutant = self.mutant
        here = (getattr(node, "lineno", 0), getattr(node, "col_offset", -1)) == (mutant.line, mutant.column)
        if here and isinstance(node, ast.expr) and ast.unparse(node)[:100] == mutant.source and not self.done:
            self.done += 1
            other = OTHER if mutant.source != repr(OTHER) else "schema/unstated"
            value = {"silent": other, "always": True, "never": False}[mutant.kind]
            return ast.copy_location(ast.Constant(value), node)
        return self.generic_visit(node)


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """While it lasts, the function is the mutant."""
    module = importlib.import_module(mutant.module)
    change = _Change(mutant)
    tree = ast.fix_missing_locations(change.visit(ast.parse(inspect.getsource(module))))
    if change.done != 1:
        raise AssertionError(f"{mutant}: nothing was changed")
    code = _code(compile(tree, module.__file__ or "", "exec"), mutant.function)
    function = _function(module, mutant.function)
    before, function.__code__ = function.__code__, code
    try:
        yield
    finally:
        function.__code__ = before


def _code(code: CodeType, name: str) -> CodeType:
    found = [one for one in code.co_consts if isinstance(one, CodeType)]
    exact = [one for one in found if one.co_qualname == name]
    return exact[-1] if exact else _code(next(one for one in found if name.startswith(one.co_qualname + ".")), name)


def _function(holder: Any, name: str) -> FunctionType:
    for step in name.split("."):
        holder = inspect.getattr_static(holder, step)
    function: Any = getattr(holder, "fget", None) or getattr(holder, "__wrapped__", None) or holder
    if not isinstance(function, FunctionType):
        raise AssertionError(f"{name} is no function")
    return function


# --- judging ----------------------------------------------------------------------------------------------------------


def noticed(mutant: Mutant) -> bool:
    """Whether a case fails with the mutant; those about its kinds are asked first."""
    first = [case for case in CASES if case.id in mutant.ids]
    rest = [case for case in CASES if case.id not in mutant.ids]
    _forget()
    try:
        with applied(mutant):
            return any(_fails(case) for case in (*first, *rest))
    finally:
        _forget()


def _forget() -> None:
    """Forget what was read before: by the right code, or by the mutant."""
    heads._known.cache_clear()
    plans.shared.cache_clear()


def _fails(case: Case) -> bool:
    try:
        return within(SECONDS, lambda: not holds(case))
    except Exception:  # noqa: BLE001  however a mutant fails, it fails
        return True


def within(seconds: int, call: Callable[[], T]) -> T:
    """What ``call`` gives. Raises ``TimeoutError`` where it takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        return call()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


_WORDS = "chooses words of the detail or the place, not whether there is a finding"
_TYPES = "holds always; it stands there for the type checker"
_SAME = "another branch makes the same finding, in other words or with another action"
_ELSEWHERE = "not on the way of check; tests of that room make sure of it"

EQUAL: dict[str, str] = {
    **dict.fromkeys(
        (
            "_with_http always: found", "_with_http never: found", "_charset_missing always: offset",
            "_charset_missing never: offset", "_direction always: subject.is_request",
            "_direction never: subject.is_request", "_challenge always: challenges", "_challenge never: challenges",
            "_type_agrees always: found is not None", "_type_agrees never: found is not None",
            "_charged_party always: id", "_charged_party never: id", "_subject_length always: size > _LONG",
            "_subject_length never: size > _LONG", "_message_id always: near is not None",
            "_message_id never: near is not None", "_note always: rank < self._rank",
        ),
        _WORDS,
    ),
    **dict.fromkeys(
        (
            "_relative_namespace never: tree is None", "_total_size always: node.part is not None",
            "_root always: package is not None", "_unused always: match is not None",
            "references always: package is not None",
            "message always: body is not None", "message always: isinstance(one.tag, str)",
            "content never: self.package is None", "_point always: isinstance(moved, datetime)",
            "_dated always: found is not None",
        ),
        _TYPES,
    ),
    "superseded always: one.id == 'schema/vendor-extension'": "no other rule speaks of that place",
    "_envelope never: namespace == _SOAP_12": _SAME,
    "_listed never: exact is None and context.namespace != SUPERSET and _listed_later(context, node, given)": _SAME,
    "_now never: now.tzinfo is None": "the same where the clock of the machine shows UTC",
    **dict.fromkeys(
        (
            "adopt silent: 'soap/transaction-namespace'",
            "adopt always: 'soap/transaction-namespace' in self.reported",
            "adopt never: 'soap/transaction-namespace' in self.reported",
        ),
        "mends what lxml writes; tests/test_tolerance.py",
    ),
    **dict.fromkeys(
        (
            "_too_much silent: 'mime/limit'", "_too_much silent: 'xml/limit'", "check silent: 'schema/valid'",
            "check always: found", "check never: found", "body_child silent: 'soap/structure'",
            "body_child never: child is None", "read silent: 'soap/operation-known'",
            "route always: isinstance(message, SubmitReq) and self.profile.submit_as_deliver"
            " and (SubmitReq not in self.handler",
            "_close_all silent: 'http/truncated'",
            "_close_all never: (self._content_length or 0) > end",
        ),
        _ELSEWHERE,
    ),
}  # fmt: skip
"""Mutants that the catalogue cannot tell from the original, by ``key``, with the reason."""


def key(mutant: Mutant) -> str:
    """How a mutant is named in ``EQUAL``."""
    return f"{mutant.function.rpartition('.')[2]} {mutant.kind}: {mutant.source}"


def sample(count: int, seed: int) -> list[Mutant]:
    """``count`` random mutants, none of ``EQUAL``."""
    return random.Random(seed).sample([one for one in mutants() if key(one) not in EQUAL], count)


def main(word: str = "") -> int:
    """Make all mutants and print those that live."""
    chosen = [one for one in mutants() if word in one.module or any(word in id for id in one.ids)]
    living = []
    for one in chosen:
        if key(one) not in EQUAL and not noticed(one):
            living.append(one)
            print(one, flush=True)
    equal = sum(key(one) in EQUAL for one in chosen)
    print(f"{len(chosen)} mutants, {len(chosen) - equal - len(living)} noticed, {equal} equal, {len(living)} living")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
