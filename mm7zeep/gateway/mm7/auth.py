"""Who sends a request: names and passwords, and the addresses they may come from.

No password is kept, but as a keyed digest or a hash. Refuses the wrong, the unknown and the unwelcome alike: the same
answer for the same work, and beyond a rate of guesses no work at all.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.parties import Application, Upstream
from mm7zeep.gateway.security.auth_queue import AuthQueue, Guess
from mm7zeep.gateway.security.client_address import Networks, peer_of, source
from mm7zeep.gateway.security.password_hash import Derive, Hash, derive, parsed
from mm7zeep.receiver.guard import authorization, credentials

WAITING = 48
"""Guesses of one address that may wait, where it may have 64 connections."""


class Remembered:
    """The ``kept`` digests that were last asked for."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, digest: bytes) -> bool:
        if digest not in self._digests:
            return False
        self._digests.move_to_end(digest)
        return True

    def add(self, digest: bytes) -> None:
        """Remember one, and forget the one that was longest not asked for."""
        self._digests[digest] = None
        while len(self._digests) > self._kept:
            self._digests.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Account:
    user: str
    word: bytes | None  # keyed digest of a plain password
    hash: Hash | None
    allow: Networks


class _Attempt(NamedTuple):
    account: _Account | None  # None also for an address where it is not welcome
    password: bytes
    source: str  # what guesses are counted by
    listed: bool  # some account names this address in its allow, whoever asks
    name: bytes
    proof: bytes  # keyed digests of the name, and of name and password from this source
    given: bytes  # the name itself
    readable: bool


class GatewayAuthenticator:
    """The door of a gateway: applications by their name, upstreams by what they show when they call us.

    Plain passwords are compared as keyed digests. Hashes are checked once for each name and password, and remembered;
    wherever one account has a hash, a wrong guess at any name costs the same hash work. Judged are, at once and per
    second, ``GUESSES`` per address and name and ``STRANGERS`` per address (a /64 of IPv6); ``HASHES`` are worked out in
    all, and at once two more for each account that has one. The others wait in an ``AuthQueue``: the right password is
    slow at worst. First go names that were proven from their address, and addresses that an account lists. What was
    once proven from an address passes always. Thread-safe; every table is bounded. ``waiting`` guesses of one address
    may wait: fewer than it has connections, so that some are left for who need not wait. ``threads=False`` leaves it to
    the caller to judge who waits (``queue.run_once``).

    Raises ``ValueError`` for two accounts of one name, a name with a colon, an account without a password or with two,
    a hash or an address that cannot be read.
    """

    GUESSES = (20, 5.0)
    STRANGERS = (100, 20.0)
    HASHES = (20, 10.0)

    def __init__(
        self,
        applications: Sequence[Application],
        upstreams: Sequence[Upstream] = (),
        trusted_proxies: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        derive: Derive = derive,
        kept: int = 10_000,
        waiting: int = WAITING,
        threads: bool = True,
    ) -> None:
        self._secret = secrets.token_bytes(32)
        self._nobody = secrets.token_bytes(32)
        self._derive = derive
        self._trusted = Networks(trusted_proxies)
        self._accounts: dict[bytes, _Account] = {}
        for name, account in self._made(applications, upstreams):
            if ":" in name:
                raise ValueError(f"the user name {name!r} cannot hold a colon (RFC 7617 2); choose another")
            if self._digest(b"name", name.encode()) in self._accounts:
                raise ValueError(f"two accounts have the user name {name!r}; give each its own")
            self._accounts[self._digest(b"name", name.encode())] = account
        self._lists = tuple(one.allow for one in self._accounts.values() if one.allow)
        costs = {one.hash.cost for one in self._accounts.values() if one.hash is not None}
        self._decoys = tuple(Hash(one, secrets.token_bytes(16), secrets.token_bytes(32)) for one in sorted(costs))
        burst, rate = self.HASHES
        holders = sum(one.hash is not None for one in self._accounts.values())
        self.queue = AuthQueue(
            per_name=self.GUESSES,
            per_source=self.STRANGERS,
            hashes=(burst + 2 * holders, rate),  # all may come back at once
            most=waiting,
            kept=kept,
            clock=clock,
            threads=threads,
        )
        self._right = Remembered(kept)  # pairs whose hash fitted
        self._proven = Remembered(kept)
        self._welcome = Remembered(kept)  # names from where they were proven
        self._lock = threading.Lock()

    def _made(
        self, applications: Sequence[Application], upstreams: Sequence[Upstream]
    ) -> Iterator[tuple[str, _Account]]:
        for one in applications:
            what = f"the application {one.name!r}"
            yield one.name, self._account(what, one.name, one.password, one.password_hash, one.allow)
        for other in upstreams:
            if other.callback_username is not None:
                what, user = f"the upstream {other.name!r}", str(other.destination)
                yield other.callback_username, self._account(what, user, other.callback_password, None, other.allow)

    def _account(
        self, what: str, user: str, password: str | None, password_hash: str | None, allow: Sequence[str]
    ) -> _Account:
        if (password is None) == (password_hash is None):
            raise ValueError(f"{what} needs a password, or a hash of one, and not both")
        try:
            word = self._digest(b"word", password.encode()) if password is not None else None
            return _Account(user, word, parsed(password_hash) if password_hash is not None else None, Networks(allow))
        except ValueError as error:
            raise ValueError(f"{what}: {error}") from None

    def _digest(self, kind: bytes, *values: bytes) -> bytes:
        return hmac.digest(self._secret, kind + b"".join(b"%d:%s" % (len(one), one) for one in values), "sha256")

    # --- at the door --------------------------------------------------------------------------------------------------

    def user(self, head: Wire, peer: str | None) -> str | None:
        """The application's name, ``upstream:`` and an upstream's name, or None; waits where ``slow`` says so.

        Raises ``Refusal`` (503) where too many wait.
        """
        decided = self.decide(head, peer)
        return decided.result() if isinstance(decided, Future) else decided

    def decide(self, head: Wire, peer: str | None) -> str | Future[str | None] | None:
        """What ``user`` gives, or a future of it for when it is this one's turn.

        Raises ``Refusal`` (503) where too many wait.
        """
        attempt = self._attempt(head, peer)
        if self._is_proven(attempt) and attempt.account is not None:
            return attempt.account.user
        if self._waits(attempt):
            return self._submitted(attempt)
        if not attempt.readable:
            return None  # that is no guess
        user = self._judged(attempt)
        self.queue.note(attempt.source, attempt.name, right=user is not None)
        return user

    def origin(self, head: Wire, peer: str | None) -> str | None:
        """The address that a request comes from, for the log; that of the proxy where it does not say it clearly."""
        found = peer_of(peer, head.headers, self._trusted)
        return peer if found is None else str(found)

    def slow(self, head: Wire, peer: str | None) -> bool:
        """Whether this head has to wait: for a hash to be worked out, or because many guesses were made."""
        return self._waits(self._attempt(head, peer))

    def _submitted(self, attempt: _Attempt) -> Future[str | None]:
        with self._lock:
            welcome = attempt.listed or (attempt.source.encode() + attempt.name) in self._welcome
        guess = Guess(
            source=attempt.source,
            name=attempt.name,
            judge=lambda: self._judged(attempt),
            costly=lambda: self._is_costly(attempt),
            welcome=welcome,
        )
        return self.queue.submit(guess)

    def _waits(self, attempt: _Attempt) -> bool:
        if not attempt.readable or self._is_proven(attempt):
            return False
        return not self.queue.has_room(attempt.source, attempt.name) or self._is_costly(attempt)

    def _is_proven(self, attempt: _Attempt) -> bool:
        with self._lock:
            return attempt.account is not None and attempt.proof in self._proven

    def _is_costly(self, attempt: _Attempt) -> bool:
        return bool(self._decoys) and not self._quickly(attempt)

    def _judged(self, attempt: _Attempt) -> str | None:
        """Whose name and password these are."""
        if not self._is_proven(attempt) and not self._fits(attempt):
            return None
        if attempt.account is None:
            return None
        with self._lock:
            self._proven.add(attempt.proof)
            self._welcome.add(attempt.source.encode() + attempt.name)
        return attempt.account.user

    def _attempt(self, head: Wire, peer: str | None) -> _Attempt:
        given = credentials(authorization(head))
        name, password = given or (b"", b"")
        digest = self._digest(b"name", name)
        account = self._accounts.get(digest)
        found = peer_of(peer, head.headers, self._trusted)
        # without a connection (in process) there is no address to judge; with one it has to be clear
        welcome = not account.allow or found in account.allow if account is not None else False
        if given is None or not welcome or (found is None and peer is not None):
            account = None
        place = source(found)
        return _Attempt(
            account=account,
            password=password,
            source=place,
            listed=any(found in one for one in self._lists),
            name=digest,
            given=name,
            proof=self._digest(b"proof", place.encode(), name, password),
            readable=given is not None,
        )

    def _pair(self, attempt: _Attempt) -> bytes:
        """A keyed digest of name and password."""
        return self._digest(b"pair", attempt.given, attempt.password)

    def _quickly(self, attempt: _Attempt) -> bool:
        """Whether it fits, as far as that shows without working out a hash."""
        account = attempt.account
        expected = account.word if account is not None and account.word is not None else self._nobody
        plain = hmac.compare_digest(expected, self._digest(b"word", attempt.password))
        pair = self._pair(attempt)  # whoever asks: it costs the same
        with self._lock:
            return plain or (account is not None and pair in self._right)

    def _fits(self, attempt: _Attempt) -> bool:
        if self._quickly(attempt):
            return True
        # at every cost that any account has: whose it is does not show in the time
        own = attempt.account.hash if attempt.account is not None else None
        tried = [own if own is not None and own.cost == decoy.cost else decoy for decoy in self._decoys]
        fitting = [one for one in tried if one.fits(attempt.password, self._derive)]
        if own is None or own not in fitting:
            return False
        with self._lock:
            self._right.add(self._pair(attempt))
        return True
