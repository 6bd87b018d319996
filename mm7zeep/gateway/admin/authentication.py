"""Who asks at the admin listener: by the cookie of a browser's log-in, or by name and password.

What is decided, in this order, for whatever is not public:

1. ``Access.check``: whether a page of another site asks (403), or somebody under a name that is not ours (421).
2. Without an Authorization field, the session that a cookie shows. It counts from the addresses that its user may ask
   from, and changes nothing at the REST API (403): a browser sends it by itself, and only forms have a token against
   that.
3. Otherwise name and password (401; 503 where too many wait), the operator's or an application's.

What that user may do, each function judges by its ``User``.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.access import Access
from mm7zeep.gateway.admin.sessions import Session, Sessions
from mm7zeep.gateway.admin.user import User
from mm7zeep.receiver import Client, Refusal
from mm7zeep.receiver.waiting import ASYNCIO, turn_at

_READING = ("GET", "HEAD")


class LoggedIn(NamedTuple):
    """Who asks, and the session that shows it; None with name and password."""

    user: User
    session: Session | None = None


class Authentication:
    """Says who asks: ``access`` knows names and passwords, ``sessions`` the cookies of browsers."""

    def __init__(self, access: Access, sessions: Sessions) -> None:
        self.access = access
        self.sessions = sessions

    async def logged_in(self, head: Wire, peer: str | None, client: Client | None, *, is_rest: bool) -> LoggedIn:
        """Who asks for a page, or at the REST API. Raises ``Refusal`` (401, 403, 503), ``StoreError``, and ``Gone`` for
        who did not wait until that was known.
        """
        session = await self._session(head, peer)
        if session is None:
            return LoggedIn(await self.by_password(head, peer, client))
        if is_rest and head.method not in _READING:
            words = "a browser's log-in changes nothing here: use the pages, or show name and password"
            raise Refusal(403, words)
        return LoggedIn(session.user, session)

    async def by_password(self, head: Wire, peer: str | None, client: Client | None) -> User:
        """Who shows a name and a password. Raises ``Refusal`` (401, 503), ``Gone``."""
        decided = self.access.judge(head, peer)
        return self.access.user(await turn_at(decided, ASYNCIO, client)) if isinstance(decided, Future) else decided

    async def _session(self, head: Wire, peer: str | None) -> Session | None:
        if not self.access.needs_password or head.header("Authorization") is not None:
            return None
        found = await run_in_threadpool(self.sessions.find, head)
        return found if found is not None and self.access.may_ask_from(found.user, head, peer) else None
