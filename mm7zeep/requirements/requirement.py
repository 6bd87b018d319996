"""One row of the register: what a text demands, of whom, how strictly, and where that is tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["MUST", "SHOULD", "MAY"]
Binds = Literal["sender", "receiver", "both", "VASP", "MMSC"]
Unsure = Literal["", "clause", "level", "wording"]


@dataclass(frozen=True, slots=True)
class Source:
    """One text that demands something: the short ``name`` by which people cite it, its ``title``, and where it is."""

    name: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand of one text, in our words.

    ``id`` is stable: the key of the source, the clause, a number within the clause, joined by ``-``. ``level`` is the
    strictest word of the text (MUST stands for SHALL and for what a grammar leaves no choice in, SHOULD for
    RECOMMENDED). ``binds`` says who has to obey: who writes a message (``sender``), who reads it (``receiver``),
    ``both``, or one side of MM7 alone.

    Tested by ``rules`` (kinds of ``mm7zeep.findings``), ``cases`` (ids of ``mm7zeep probe``; a name stands for the
    forms under it, too, and ``*`` for any characters) and ``tests`` (``tests/FILE.py::FUNCTION``); where there is none
    of them, ``untested`` says why.
    ``unsure`` names what we could not check against the printed text: the number of the ``clause``, the ``level``, or
    the ``wording`` as a whole; empty where we could.
    """

    id: str
    level: Level
    binds: Binds
    text: str
    rules: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    untested: str = ""
    unsure: Unsure = ""

    @property
    def source(self) -> str:
        """The key of the source: ``soap11`` of ``soap11-4.2.3-1``."""
        return self.id.partition("-")[0]

    @property
    def clause(self) -> str:
        """The clause as the id has it: ``4.2.3`` of ``soap11-4.2.3-1``; a word where the text numbers nothing."""
        return self.id.partition("-")[2].rpartition("-")[0]


def row(
    id: str,
    level: Level,
    binds: Binds,
    text: str,
    *,
    rules: str = "",
    cases: str = "",
    tests: str = "",
    untested: str = "",
    unsure: Unsure = "",
) -> Requirement:
    """A requirement as the tables write it: ids divided by blanks, a test as ``test_file::test_function``.

    Raises ``ValueError`` for a test that is not written so.
    """
    named = []
    for test in tests.split():
        file, found, function = test.partition("::")
        if not (file and found and function):
            raise ValueError(f"{id} names the test {test!r}; write test_file::test_function")
        named.append(f"tests/{file}.py::{function}")
    return Requirement(
        id, level, binds, text, tuple(rules.split()), tuple(cases.split()), tuple(named), untested, unsure
    )
