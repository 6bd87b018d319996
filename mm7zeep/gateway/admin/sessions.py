"""Log-ins of browsers: a random token in a cookie, whose digest the database keeps, so that every process knows it.

The digest is of the user and the password, too: a token opens nothing for another user, and with a new password all
sessions begun with the old one are over. Refuses nothing; what is no session of somebody known is none.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import sessions
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.rows import SessionRow

COOKIE = "mm7zeep_session"
LASTS = 12 * 3600.0
"""Seconds that a session lasts after it was last used."""
LONGEST = 7 * 24 * 3600.0
"""Seconds that a session lasts in all: a page that is left open uses it for ever."""
MOST = 50
"""Sessions of one user; with a further one, that which was used longest ago is over."""
_TOUCH = 300.0  # seconds between two notes of its use
_VALUE = re.compile(r"(?P<application>[A-Za-z0-9_-]{0,1000})\.(?P<token>[A-Za-z0-9_-]{43})")
_COOKIES = 4  # sessions of one request that are looked for


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in: whose it is, and what the database calls it."""

    user: User
    digest: str


class Sessions:
    """The log-ins of a gateway. ``secret`` is what tokens of forms are made with, the same in every process.

    Thread-safe; every method but ``csrf`` raises ``StoreError``.
    """

    def __init__(self, settings: Settings, database: Database, clock: GuardedClock, secret: bytes) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._secret = secret

    def begin(self, user: User) -> str:
        """Keep a new session; the value of its cookie."""
        token = secrets.token_urlsafe(32)
        with self._database.write(quiet=True) as connection:
            now = self._clock.now(connection)
            row = SessionRow(
                digest=self._digest(token, user),
                name=user.name,
                application=user.application,
                created=now,
                used=now,
                expires=now + LASTS,
            )
            sessions.keep(connection, row)
            sessions.delete_beyond(connection, user.name, user.application, MOST)
        return _cookie_of(user, token)

    def find(self, head: Wire) -> Session | None:
        """The session whose cookie a request shows; None without one, and for one that is over."""
        shown = [(one, user) for one in _cookies(head) if (user := self._user(one.application)) is not None]
        known = {self._digest(one.token, user): user for one, user in shown[:_COOKIES]}
        if not known:
            return None
        with self._database.read() as connection:
            now = self._clock.now(connection)
            rows = (sessions.find(connection, digest, now) for digest in known)
            found = next((one for one in rows if one is not None), None)
        if found is None:
            return None
        if now - found.used > _TOUCH:
            with self._database.write(quiet=True) as connection:
                sessions.touch(connection, found.digest, now, expires=min(now + LASTS, found.created + LONGEST))
        return Session(known[found.digest], found.digest)

    def is_open(self, session: Session) -> bool:
        """Whether a session is not over yet; it does not count as used."""
        with self._database.read() as connection:
            return sessions.find(connection, session.digest, self._clock.now(connection)) is not None

    def end(self, session: Session) -> None:
        """Forget a session."""
        with self._database.write(quiet=True) as connection:
            sessions.delete(connection, session.digest)

    def csrf(self, session: Session | None, user: User | None) -> str:
        """What a form has to send along, which no page of another site can know: it goes with the session, or with the
        ``user`` who shows name and password each time; None is who logs in.
        """
        of = (session.digest,) if session is not None else (user.name, user.application) if user is not None else ()
        return hmac.new(self._secret, repr(of).encode(), "sha256").hexdigest()

    def _user(self, application: str) -> User | None:
        """Whose session that would be, if there were one."""
        if not application:
            name = self._settings.admin_username
            return User(name) if name is not None else None
        known = self._settings.application(application)
        return User(known.name, known.name) if known is not None else None

    def _digest(self, token: str, user: User) -> str:
        application = self._settings.application(user.application)
        own = application.password or application.password_hash if application else self._settings.admin_password
        of = repr((token, user.name, user.application))
        return hmac.new((own or "").encode(), of.encode(), "sha256").hexdigest()


class _Cookie(NamedTuple):
    application: str  # empty for the operator
    token: str


def _cookie_of(user: User, token: str) -> str:
    """The value of the cookie that shows this session."""
    return f"{base64.urlsafe_b64encode((user.application or '').encode()).decode().rstrip('=')}.{token}"


def _cookies(head: Wire) -> Iterator[_Cookie]:
    """The sessions that a request shows: whoever serves another port or a parent domain may have set further ones."""
    for name, value in head.headers:
        for one in value.split(";") if name.lower() == "cookie" else ():
            key, _, content = one.strip().partition("=")
            found = _VALUE.fullmatch(content) if key == COOKIE else None
            if found is not None:
                padded = found["application"] + "=" * (-len(found["application"]) % 4)
                with contextlib.suppress(ValueError):  # no base64, or no UTF-8: it is none
                    yield _Cookie(base64.urlsafe_b64decode(padded).decode(), found["token"])
