"""The content of a submit or a replace made to fit before it is sent; its processes are kept for the next one.

Refuses, with ``LocalError``, where no limit is known, and what cannot fit.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from mm7zeep import exchange
from mm7zeep.client.outcomes import Submitted
from mm7zeep.errors import LocalError
from mm7zeep.findings import Finding
from mm7zeep.fitting.fit import Pool, fit
from mm7zeep.messages import Part, ReplaceReq, SubmitReq
from mm7zeep.profiles import Profile

M = TypeVar("M", SubmitReq, ReplaceReq)

_UNWRITTEN = 512  # octets of an envelope that are not in the one it is measured by: Content, a longer address
_STEP = 256  # octets that envelopes are counted in, so that those to several recipients count alike
_COUNT = 256  # results, many of which may hold no octets
_MOST = 16 * 1024 * 1024  # octets of fitted parts that are kept for the next request with the same content


class Fitter:
    """Fits the content of submits. Its processes start with the first picture, and end with ``close``.

    What it made is kept for a while: the requests to several recipients, and one that is made again, have the same
    content.
    """

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = pool
        self._given = pool is not None
        self._lock = threading.Lock()
        self._made_before = _Made()

    def fitted(self, message: M, limit: bool | int, profile: Profile) -> tuple[M, tuple[Finding, ...]]:
        """``message`` within ``limit`` octets, and those of ``profile`` (True: within these); and what was done to it.

        Raises ``LocalError`` where the profile has no limit, the content cannot fit, or the extra is not installed.
        """
        most = profile.max_size if limit is True else limit
        if most is None:
            raise LocalError(
                f"{profile.name} states no limit that the content could be made to fit; say it in octets: fit=300_000, "
                "or mm7zeep send --limit 300k"
            )
        most = min(most, profile.max_size or most)
        if not message.parts:
            return message, ()
        try:
            bare = exchange.pack(replace(message, parts=(), content_href=None), profile=profile)
            overhead = -(-(len(bare.read()) + _UNWRITTEN) // _STEP) * _STEP

            def work() -> _Result:
                done = fit(
                    message.parts,
                    limit=most,
                    media=profile.media_types,
                    overhead=overhead,
                    profile=profile,
                    pool=self._made(),
                )
                new = [one if one is not old else None for old, one in zip(message.parts, done.parts, strict=True)]
                return _Result(tuple(new), done.findings)

            result = self._made_before.get((_content_of(message.parts), most, overhead, profile), work)
        except OSError as error:
            raise LocalError(f"a part cannot be read: {error.strerror}") from error
        parts = tuple(new or old for old, new in zip(message.parts, result.parts, strict=True))
        return replace(message, parts=parts), result.findings

    def close(self) -> None:
        """End the processes, unless they were given."""
        with self._lock:
            pool, self._pool = (None, self._pool) if self._given else (self._pool, None)
        if pool is not None:
            pool.close()

    def _made(self) -> Pool:
        with self._lock:
            if self._pool is None:
                self._pool = Pool()
            return self._pool


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of each part, None where it stays as it was given, and what was done."""

    parts: tuple[Part | None, ...]
    findings: tuple[Finding, ...]

    @property
    def size(self) -> int:
        """Octets that it holds."""
        return sum(one.size for one in self.parts if one is not None)


def _content_of(parts: Sequence[Part]) -> tuple[object, ...]:
    """What two messages with the same content have in common."""
    labels = [one.name for one in fields(Part) if one.name != "body"]
    return tuple((one.sha256(), *(getattr(one, name) for name in labels)) for one in parts)


class _Made:
    """What was made of which content, the latest used last; made once where several ask for it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: OrderedDict[object, Future[_Result]] = OrderedDict()

    def get(self, key: object, work: Callable[[], _Result]) -> _Result:
        """The result of ``work`` for this key. Raises what ``work`` raises; that is not kept."""
        with self._lock:
            known = self._results.get(key)
            if known is None:
                mine: Future[_Result] = Future()
                self._results[key] = mine
            else:
                self._results.move_to_end(key)
        if known is not None:
            return known.result()
        try:
            result = work()
        except BaseException as error:
            with self._lock:
                self._results.pop(key, None)
            mine.set_exception(error)
            raise
        mine.set_result(result)
        self._bound()
        return result

    def _bound(self) -> None:
        """Forget the oldest, until what is kept is no more than it may be."""
        with self._lock:
            done = [(key, one.result().size) for key, one in self._results.items() if one.done()]
            held = sum(size for _, size in done)
            for key, size in done:
                if held <= _MOST and len(self._results) <= _COUNT:
                    return
                held -= size
                del self._results[key]


def with_findings(sent: Submitted, fitted: tuple[Finding, ...]) -> Submitted:
    """``sent`` with what was done to its content before."""
    return replace(sent, findings=(*fitted, *sent.findings)) if fitted else sent
