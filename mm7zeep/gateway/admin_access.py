"""Who may use the admin listener: the password, the name it is asked by, and which web pages may make it do something.

Judges by the head alone, and puts on every answer what keeps browsers from making more of it than it is. Refuses, with
``Refusal``, what comes from another site (403), under a name that is not its own (421), and without the password (401).
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from mm7zeep.exchange import Wire
from mm7zeep.gateway.settings import Settings
from mm7zeep.gateway.throttle import Throttle
from mm7zeep.receiver import BasicAuth, Refusal
from mm7zeep.receiver.guard import authorization

ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""Header fields of every answer that does not say otherwise."""

GUESSES = (60.0, 1.0)
"""How many wrong passwords one address may try at once, and how many more per second."""
_KEPT = 1000  # addresses whose guesses are remembered
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{0,5})?")
_SAFE = ("GET", "HEAD", "OPTIONS")


class Access:
    """The door of the admin listener. ``clock`` gives seconds, from anywhere.

    Raises ``ValueError`` for a name without a password, or the other way round.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        name, password = settings.admin_username, settings.admin_password
        if (name is None) != (password is None):
            raise ValueError("admin_username and admin_password go together; give both, or neither")
        self._auth = BasicAuth({name: password}) if name is not None and password is not None else None
        self._names = {_plain(one) for one in ("localhost", settings.admin.host, *settings.admin_hosts)}
        self._guesses = Throttle(*GUESSES, kept=_KEPT, clock=clock)

    def judge(self, head: Wire, peer: str | None, *, is_open: bool) -> None:
        """Raises ``Refusal`` for who may not come in; ``is_open`` says that what is asked for is for everybody."""
        if head.method not in _SAFE:
            _from_here(head)
        if is_open:
            return
        if self._auth is None:
            self._by_name(head)
        else:
            self._by_password(self._auth, head, peer)

    def _by_name(self, head: Wire) -> None:
        """A page of another name that resolves to this machine (DNS rebinding) would be let read everything."""
        given = [value.strip() for name, value in head.headers if name.lower() == "host"]
        found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        name = _plain(found["name"]) if found else ""
        if name not in self._names and not _is_loopback(name):
            raise Refusal(
                421, "this listener is asked under a name that is not its own; use localhost, or list it in admin_hosts"
            )

    def _by_password(self, auth: BasicAuth, head: Wire, peer: str | None) -> None:
        if self._guesses.left(peer) < 1:
            raise Refusal(429, "too many wrong passwords came from this address; wait", ("Retry-After", "5"))
        given = authorization(head)
        if auth.user(given) is None:
            if given is not None:
                self._guesses.take(peer)
            challenge = ("WWW-Authenticate", 'Basic realm="mm7zeep admin", charset="UTF-8"')
            raise Refusal(401, "name and password, please: admin_username and admin_password", challenge)


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


def head_of(scope: Mapping[str, Any]) -> Wire:
    """The head of an ASGI request."""
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return Wire(method=scope["method"], target=scope["path"], headers=fields, body=b"")
