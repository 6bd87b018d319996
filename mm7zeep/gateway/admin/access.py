"""Who may use the admin listener: the passwords, the name it is asked by, and which web pages may make it do something.

Judges by the head alone. Refuses, with ``Refusal``, what comes from another site (403), under a name that is not its
own (421), and without a password (401).
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.user import OPERATOR, User
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.auth import Remembered
from mm7zeep.gateway.security.auth_queue import AuthQueue, Guess
from mm7zeep.gateway.security.client_address import Networks, address, peer_of, source
from mm7zeep.receiver import BasicAuth, Refusal
from mm7zeep.receiver.guard import QueuedAuthenticator, authorization, credentials

GUESSES = (60.0, 5.0)
"""How many wrong passwords of one address are judged immediately, and how many more per second; the others wait."""
_KEPT = 1000  # addresses whose guesses are remembered
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{0,5})?")
_SAFE = ("GET", "HEAD", "OPTIONS")


class Access:
    """Passwords and places of the admin listener. ``clock`` gives seconds, from anywhere.

    Without an admin_username everybody who reaches it under its own name is the operator. With one, the operator shows
    that name, and an application's own user the application's name and password, which ``applications`` judges as at
    the MM7 listener, from the addresses that it is allowed from (None: they have no access).

    An address that guesses waits longer and longer, and the right password with it, but it is never refused unseen;
    what was proven from an address passes always. ``threads=False`` leaves it to the caller to judge who waits
    (``queue.run_once``). Raises ``ValueError`` for a name without a password, or the other way round, and for the name
    of somebody else.
    """

    def __init__(
        self,
        settings: Settings,
        applications: QueuedAuthenticator | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        threads: bool = True,
    ) -> None:
        name, password = settings.admin_username, settings.admin_password
        if (name is None) != (password is None):
            raise ValueError("admin_username and admin_password go together; give both, or neither")
        others = {*(one.name for one in settings.applications), *(one.callback_username for one in settings.upstreams)}
        if name is not None and name in others:
            raise ValueError(f"admin_username {name!r} is that of an application or upstream, too; choose another")
        self._settings = settings
        self._applications = applications
        self._auth = BasicAuth({name: password}) if name is not None and password is not None else None
        self._trusted = Networks(settings.trusted_proxies)
        self._allowed = {one.name: Networks(one.allow) for one in settings.applications if one.allow}
        self._names = {_plain(one) for one in ("localhost", settings.admin.host, *settings.admin_hosts)}
        self.queue = AuthQueue(
            per_name=GUESSES,
            per_source=GUESSES,
            most=settings.waiting_guesses,
            kept=_KEPT,
            clock=clock,
            threads=threads,
        )
        self._key = secrets.token_bytes(32)
        self._proven = Remembered(_KEPT)
        self._lock = threading.Lock()

    @property
    def needs_password(self) -> bool:
        """Whether a password is asked for."""
        return self._auth is not None

    def check(self, head: Wire, *, is_public: bool) -> None:
        """Raises ``Refusal`` for what a page of another site has sent (403), or under a name of its own (421).

        ``is_public`` says that what is asked for is for everybody.
        """
        if head.method not in _SAFE:
            _from_here(head)
        if self._auth is None and not is_public:
            self._by_name(head)

    def judge(self, head: Wire, peer: str | None) -> User | Future[str | None]:
        """Who asks, by name and password; where these have to wait until they are judged, a future for ``user``.

        Raises ``Refusal`` for who proved nothing (401), and where too many wait (503).
        """
        if self._auth is None:
            return OPERATOR
        given = credentials(authorization(head))
        if given is not None and given[0] != (self._settings.admin_username or "").encode() and self._applications:
            decided = self._applications.decide(head, peer)
        else:
            decided = self._by_password(self._auth, head, peer)
        return decided if isinstance(decided, Future) else self.user(decided)

    def may_ask_from(self, user: User, head: Wire, peer: str | None) -> bool:
        """Whether a user may ask from where a request comes from: an application's own from the addresses that the
        application may.
        """
        allowed = self._allowed.get(user.application or "")
        return allowed is None or peer is None or peer_of(peer, head.headers, self._trusted) in allowed

    def user(self, name: str | None) -> User:
        """The user of a name that was proven. Raises ``Refusal`` (401) for None, and for an upstream's."""
        if name is not None and name == self._settings.admin_username:
            return User(name)
        application = self._settings.application(name)
        if application is None:
            raise wrong()
        return User(application.name, application.name)

    def _by_name(self, head: Wire) -> None:
        """A page of another name that resolves to this machine (DNS rebinding) would be let read everything."""
        given = [value.strip() for name, value in head.headers if name.lower() == "host"]
        found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        name = _plain(found["name"]) if found else ""
        if name not in self._names and not _is_loopback(name):
            raise Refusal(
                421, "this listener is asked under a name that is not its own; use localhost, or list it in admin_hosts"
            )

    def _by_password(self, auth: BasicAuth, head: Wire, peer: str | None) -> str | Future[str | None] | None:
        given = authorization(head)
        place = source(peer_of(peer, head.headers, self._trusted) or (address(peer) if peer is not None else None))
        if given is None:
            return None
        proof = hmac.digest(self._key, f"{place} {given}".encode("utf-8", "surrogateescape"), "sha256")
        with self._lock:
            if proof in self._proven:
                return self._settings.admin_username
        if not self.queue.has_room(place, None):
            return self.queue.submit(Guess(source=place, name=None, judge=lambda: self._judged(auth, given, proof)))
        user = self._judged(auth, given, proof)
        self.queue.note(place, None, right=user is not None)
        if user is None and self._applications is not None:
            # no application has this name; judged as that of nobody, its time does not tell that it is the operator's
            return self._applications.decide(head, peer)
        return user

    def _judged(self, auth: BasicAuth, given: str, proof: bytes) -> str | None:
        user = auth.user(given)
        if user is not None:
            with self._lock:
                self._proven.add(proof)
        return user


def wrong() -> Refusal:
    """The refusal of who has shown no name and password that are known."""
    challenge = ("WWW-Authenticate", 'Basic realm="mm7zeep admin", charset="UTF-8"')
    return Refusal(
        401,
        "authentication required: admin_username and admin_password, or an application's name and password",
        challenge,
    )


def _from_here(head: Wire) -> None:
    """Raises ``Refusal`` (403) where a page of another site asks for something to be done."""
    site = (head.header("Sec-Fetch-Site") or "none").strip().lower()
    origins = [value.strip().lower() for name, value in head.headers if name.lower() == "origin"]
    host = (head.header("Host") or "").strip().lower()
    own = {f"http://{host}", f"https://{host}"}
    if site not in ("same-origin", "none") or any(one not in own for one in origins):
        raise Refusal(403, "a page of another site asks for this; ask from here, or without a browser")


def _plain(name: str) -> str:
    """A host as it is compared: no brackets, no final dot, lower case, an address in its one form."""
    bare = name.strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
