"""Opening a TCP connection: the addresses of a host in turn, within one time for all of them.

Resolves nothing and judges nothing.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_LEAST = 2.0  # seconds that one of several addresses gets to answer, while there are that many left


class Target(NamedTuple):
    """An address, as ``socket.socket`` and ``connect`` take it."""

    family: int
    type: int
    protocol: int
    place: tuple[Any, ...]


Dial = Callable[[Target, float | None, Sequence[tuple[Any, ...]]], socket.socket]


def dial(target: Target, timeout: float | None, options: Sequence[tuple[Any, ...]]) -> socket.socket:
    """A socket connected to ``target`` within ``timeout`` seconds. Raises ``OSError``."""
    opened = socket.socket(target.family, target.type, target.protocol)
    try:
        for option in options:
            opened.setsockopt(*option)
        opened.settimeout(timeout)
        opened.connect(target.place)
    except BaseException:
        opened.close()
        raise
    return opened


def first(
    targets: Sequence[Target], timeout: float | None, options: Sequence[tuple[Any, ...]], dial: Dial = dial
) -> socket.socket:
    """A socket connected to the first of ``targets`` that answers; each gets its share of ``timeout`` seconds.

    Raises ``OSError``, of the last one tried.
    """
    until = None if timeout is None else time.monotonic() + timeout
    failure: OSError = TimeoutError("timed out")
    for n, target in enumerate(targets):
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            break
        share = None if left is None else max(left / (len(targets) - n), min(_LEAST, left))
        try:
            return dial(target, share, options)
        except OSError as error:
            failure = error
    try:
        raise failure
    finally:
        del failure  # which holds this frame by its traceback
