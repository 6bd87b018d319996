"""Who shows a key of the JSON API: looked up in the database each time, so that one that was revoked opens nothing.

Wrong keys beyond a rate are judged later, in a queue. Refuses, with ``Refusal`` (503), where too many wait.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.auth import Remembered
from mm7zeep.gateway.security.auth_queue import AuthQueue, Guess, Rate
from mm7zeep.gateway.security.client_address import Networks, peer_of, source
from mm7zeep.gateway.store import api_keys
from mm7zeep.gateway.store.database import Database

_KEPT = 10_000  # addresses whose guesses are remembered


class KeyAuthenticator:
    """Authenticates API keys. Of one address ``WRONG`` are judged immediately, and so many more per second.

    A key that was right from an address is looked up immediately whatever else is tried from there. ``clock`` gives
    seconds, from anywhere. Thread-safe.
    """

    WRONG: Rate = (100.0, 20.0)

    def __init__(self, settings: Settings, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._trusted = Networks(settings.trusted_proxies)
        self._allowed = {one.name: Networks(one.allow) for one in settings.applications}
        self._secret = secrets.token_bytes(32)
        self._proven = Remembered(_KEPT)  # keys that were right, from where they were
        self._lock = threading.Lock()
        self._queue = AuthQueue(
            per_name=self.WRONG, per_source=self.WRONG, most=settings.waiting_guesses, kept=_KEPT, clock=clock
        )

    def decide(self, key: str, head: Wire, peer: str | None) -> Callable[[], str | None] | Future[str | None]:
        """What gives the application whose key this is, or None: a call that waits for the database, or, beyond the
        rate, a future of when it is this one's turn, which who no longer waits cancels.

        Raises ``Refusal`` (503) where too many wait.
        """
        found = peer_of(peer, head.headers, self._trusted)
        if found is None and peer is not None:
            return lambda: None  # a proxy that does not say clearly for whom it speaks
        place = source(found)
        proof = hmac.digest(self._secret, f"{place} {key}".encode("utf-8", "surrogatepass"), "sha256")
        with self._lock:
            proven = proof in self._proven
        if not proven and not self._queue.has_room(place, None):
            return self._queue.submit(Guess(source=place, name=None, judge=lambda: self._owner(key, found)))

        def judge() -> str | None:
            owner = self._owner(key, found)
            if owner is None:  # also one that was revoked since it was proven
                self._queue.note(place, None, right=False)
            else:
                with self._lock:
                    self._proven.add(proof)
            return owner

        return judge

    def _owner(self, key: str, found: Any) -> str | None:
        """Whose key this is, where it may come from this address. Raises ``StoreError``."""
        with self._database.read() as connection:
            owner = api_keys.owner(connection, key)
        allowed = self._allowed.get(owner or "")
        return owner if allowed is not None and (not allowed or found in allowed) else None
