"""What the demos share: whom they play, how a step is told, and how one ends that did not happen."""

from __future__ import annotations

import hashlib
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from mm7zeep.cli import FAILURES

if TYPE_CHECKING:
    from mm7zeep.messages import Part

LIMIT = 30.0
"""Seconds that the whole of it may take."""
NUMBER, SHORT_CODE = "+61491570156", "111122"  # a number that Australia keeps for fiction
NAME = PASSWORD = VASPID = "demo"  # as the gateway's own application is called  # noqa: S105

S = TypeVar("S")


class Failed(Exception):
    """A step that did not happen, and why."""


def wait(source: queue.Queue[Any], wanted: Callable[[Any], bool], what: str, deadline: float, limit: float) -> Any:
    """The first of ``source`` that is wanted. Raises ``Failed`` when it is ``deadline`` by ``time.monotonic``; that all
    has ``limit`` seconds, it says.
    """
    while True:
        try:
            found = source.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise Failed(f"{what} did not arrive within {limit:.0f} s") from None
        if wanted(found):
            return found


def run(steps: Sequence[tuple[str, Callable[[S], list[str]]]], start: Callable[[], S]) -> S:
    """Do the steps one after the other, and tell them; ends the program with 1 at the first that does not happen."""
    begun = time.monotonic()
    try:
        stage = start()
        for number, (title, step) in enumerate(steps, 1):
            click.echo(f"{number}/{len(steps)} {title}")
            for line in _step(title, lambda step=step: step(stage)):  # type: ignore[misc]
                click.echo(f"      {line}")
    except Failed as error:
        end(f"failed: {error}", FAILURES)
    click.echo(f"All of it happened, in {time.monotonic() - begun:.1f} s.")
    return stage


def end(text: str, code: int) -> NoReturn:
    """End the program, and say why."""
    click.echo(f"mm7zeep demo: {text}", err=True)
    sys.exit(code)


def _step(title: str, step: Callable[[], list[str]]) -> list[str]:
    """What a step has to tell. Raises ``Failed`` naming the step."""
    from mm7zeep.errors import Mm7Error

    try:
        return step()
    except (Mm7Error, Failed) as error:
        raise Failed(f"step {title!r}: {error}") from error


def keep_up(text: str, source: queue.Queue[S], line: Callable[[S], str]) -> None:
    """Print ``text``, then a line for each thing that comes, until SIGTERM or Ctrl-C; the servers go on meanwhile."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    click.echo(text)
    try:
        while not stopped.is_set():
            try:
                found = source.get(timeout=0.5)
            except queue.Empty:
                continue
            click.echo(line(found))
    except KeyboardInterrupt:
        click.echo("stopped")


def same(parts: Iterable[Part], picture: bytes) -> str:
    """The digest of the picture among ``parts``. Raises ``Failed`` if it is not the one that was sent."""
    wanted = hashlib.sha256(picture).hexdigest()
    found = [part.sha256() for part in parts if part.content_type == "image/png"]
    if found != [wanted]:
        raise Failed(f"the picture has SHA-256 {', '.join(found) or 'none'}, not {wanted}")
    return f"{len(picture)} octets, SHA-256 {wanted}, as sent"
