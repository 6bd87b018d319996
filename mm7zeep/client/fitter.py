"""The content of a submit or a replace made to fit before it is sent; its processes are kept for the next one.

Refuses, with ``LocalError``, where no limit is known, and what cannot fit.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TypeVar

from mm7zeep import exchange
from mm7zeep.client.outcomes import Submitted
from mm7zeep.errors import LocalError
from mm7zeep.findings import Finding
from mm7zeep.fitting.fit import Pool, fit
from mm7zeep.messages import ReplaceReq, SubmitReq
from mm7zeep.profiles import Profile

M = TypeVar("M", SubmitReq, ReplaceReq)

_UNWRITTEN = 512  # octets of an envelope that are not in the one it is measured by: Content, a longer address


class Fitter:
    """Fits the content of submits. Its processes start with the first picture, and end with ``close``."""

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = pool
        self._given = pool is not None
        self._lock = threading.Lock()

    def fitted(self, message: M, limit: bool | int, profile: Profile) -> tuple[M, tuple[Finding, ...]]:
        """``message`` within ``limit`` octets (True: those of ``profile``), and what was done to its parts.

        Raises ``LocalError`` where the profile has no limit, the content cannot fit, or the extra is not installed.
        """
        most = profile.max_size if limit is True else limit
        if most is None:
            raise LocalError(
                f"{profile.name} states no limit that the content could be made to fit; say it in octets: fit=300_000, "
                "or mm7zeep send --limit 300k"
            )
        if not message.parts:
            return message, ()
        try:
            bare = exchange.pack(replace(message, parts=(), content_href=None), profile=profile)
            overhead = len(bare.read()) + _UNWRITTEN
            done = fit(
                message.parts,
                limit=most,
                media=profile.media_types,
                overhead=overhead,
                profile=profile,
                pool=self._made(),
            )
        except OSError as error:
            raise LocalError(f"a part cannot be read: {error.strerror}") from error
        return replace(message, parts=done.parts), done.findings

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


def with_findings(sent: Submitted, fitted: tuple[Finding, ...]) -> Submitted:
    """``sent`` with what was done to its content before."""
    return replace(sent, findings=(*fitted, *sent.findings)) if fitted else sent
