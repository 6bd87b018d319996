"""Who may ask the API: an application by its name and password, as at the MM7 listener, or by one of its keys.

Refuses with ``Problem`` (401), the same whatever was wrong, and with ``Refusal`` (503) where too many wait.
"""

from __future__ import annotations

import re
from concurrent.futures import Future

from starlette.concurrency import run_in_threadpool

from mm7zeep.exchange import Wire
from mm7zeep.gateway.api.problems import Problem
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.mm7.key_auth import KeyAuthenticator
from mm7zeep.receiver import Client
from mm7zeep.receiver.guard import authorization
from mm7zeep.receiver.waiting import ASYNCIO, turn_at

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)  # RFC 6750 2.1


class ApiAccess:
    """Authenticates the requests of the API. ``passwords`` judges names and passwords, ``keys`` keys."""

    def __init__(self, settings: Settings, passwords: GatewayAuthenticator, keys: KeyAuthenticator) -> None:
        self._settings = settings
        self._passwords = passwords
        self._keys = keys

    async def application(self, head: Wire, peer: str | None, client: Client | None) -> Application:
        """Whose request this is.

        Raises ``Problem`` (401), ``Refusal`` (503) where too many wait, ``Gone``, ``StoreError``.
        """
        given = _BEARER.fullmatch((authorization(head) or "").strip())
        decided = self._passwords.decide(head, peer) if given is None else self._keys.decide(given[1], head, peer)
        user: str | None
        if isinstance(decided, Future):
            user = await turn_at(decided, ASYNCIO, client)
        else:
            user = await run_in_threadpool(decided) if callable(decided) else decided
        application = self._settings.application(user)
        if application is None:  # also for an upstream, which brings messages by MM7 alone
            challenges = [("WWW-Authenticate", f'{scheme} realm="mm7zeep API"') for scheme in ("Bearer", "Basic")]
            words = "authentication required: a key of the application as Bearer, or its name and password as Basic"
            raise Problem("unauthorized", words, *challenges)
        return application
