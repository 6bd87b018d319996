"""What is told of a run while it goes on: live counts on a terminal, a line for each result worth it elsewhere."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TextIO

from mm7zeep.probe.reports import layout, terminal
from mm7zeep.probe.reports.mask import Mask
from mm7zeep.probe.results import WORDS, Result, Word

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Progress:
    """Hears the results of a run (``heard``), from any thread, and tells them on ``stream``, masked.

    ``lines`` says which: ``none``, ``some`` (all but PASS and SKIP) or ``all``. A context manager.
    """

    def __init__(self, stream: TextIO, total: int, mask: Mask, *, live: bool, lines: str = "some") -> None:
        self._stream, self._mask, self._lines, self._total = stream, mask, lines, total
        self._counts: dict[Word, int] = dict.fromkeys(WORDS, 0)
        self._asked = 0
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._running: AbstractContextManager[object] = nullcontext()
        if live and lines != "none":
            self._running = self._bar = self._made()

    def __enter__(self) -> Progress:
        self._running.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._running.__exit__(None, None, None)

    def asked(self) -> None:
        """One case more has asked; the bar counts these until there are results."""
        with self._lock:
            self._asked += 1
            if self._bar is not None and self._task is not None and not any(self._counts.values()):
                self._bar.update(self._task, completed=min(self._asked, self._total), counts="asked")

    def heard(self, result: Result) -> None:
        """Count one result, and tell it where it is worth it."""
        with self._lock:
            self._counts[result.verdict] += 1
            if self._bar is not None and self._task is not None:
                done = sum(self._counts.values())
                self._bar.update(self._task, completed=min(done, self._total), counts=self._told())
            if self._lines == "all" or (self._lines == "some" and result.verdict not in ("PASS", "SKIP")):
                line = layout.set_lines([terminal.result_line(self._mask.result(result))], layout.Style())
                if self._bar is not None:
                    self._bar.console.out(line, end="", highlight=False)
                else:
                    self._stream.write(line)
                    self._stream.flush()

    def _told(self) -> str:
        return "  ".join(f"{number} {word}" for word, number in self._counts.items() if number)

    def _made(self) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[counts]}"))
        bar = Progress(*columns, console=Console(file=self._stream, force_terminal=True), transient=True)
        self._task = bar.add_task("probe", total=self._total, counts="")
        return bar
