"""What stands at the listener for programs: the JSON API, Twilio's form of it, and ``/readyz``."""

from __future__ import annotations

from typing import Any

from mm7zeep.gateway.api.access import ApiAccess
from mm7zeep.gateway.api.app import api_app
from mm7zeep.gateway.api.request import Services
from mm7zeep.gateway.api.twilio.app import PREFIX, twilio_app
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.mm7.key_auth import KeyAuthenticator
from mm7zeep.gateway.mm7.readiness import Readiness
from mm7zeep.receiver import Receive, Scope, Send
from mm7zeep.receiver.handlers import Observe


class Listener:
    """The ASGI application of the listener. ``passwords`` judges names and passwords; ``observe`` is called with each
    answer, but those of ``readiness``.
    """

    def __init__(
        self, services: Services, passwords: GatewayAuthenticator, readiness: Readiness, *, observe: Observe
    ) -> None:
        self._readiness = readiness
        keys = KeyAuthenticator(services.settings, services.database)
        self._json = api_app(services, ApiAccess(services.settings, passwords, keys), observe=observe)
        self._twilio = twilio_app(services, observe=observe)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._readiness.is_asked(scope):
            await self._readiness(scope, receive, send)
            return
        app: Any = self._twilio if scope.get("path", "").startswith(PREFIX) else self._json
        await app(scope, receive, send)
