"""Twilio's Messages resource as an ASGI application, on the listener of the JSON API and behind the same limits.

An account is an application's ``account_sid`` with its ``auth_token``. Everything else below ``/2010-04-01`` is
answered by Twilio's error form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mm7zeep.gateway.api.bodies import take
from mm7zeep.gateway.api.refusals import Refusals
from mm7zeep.gateway.api.request import Services
from mm7zeep.gateway.api.sending import keep
from mm7zeep.gateway.api.twilio import messages, resources
from mm7zeep.gateway.api.twilio.errors import TwilioError
from mm7zeep.gateway.api.twilio.messages import TwilioRequest
from mm7zeep.gateway.api.twilio.parameters import message_of, parsed
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.rest.app import Endpoint, starlette_app
from mm7zeep.gateway.rest.authenticated import Authenticated
from mm7zeep.gateway.rest.request import media_type
from mm7zeep.gateway.rest.scope import client_of, head_of, peer_of
from mm7zeep.receiver import Scope
from mm7zeep.receiver.handlers import Observe
from mm7zeep.receiver.waiting import ASYNCIO, turn_at

PREFIX = f"/{resources.VERSION}/"
"""What the paths begin with."""

_MOST = 128 * 1024  # octets of a form
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    method: str
    path: str
    function: Callable[[TwilioRequest], Any]


_ONE = "/Messages/{sid}.json"
_ROWS = (
    _Row(method="GET", path=".json", function=messages.account),
    _Row(method="GET", path="/Messages.json", function=messages.listed),
    _Row(method="GET", path=_ONE, function=messages.fetch),
    _Row(method="POST", path=_ONE, function=messages.update),
    _Row(method="DELETE", path=_ONE, function=messages.delete),
    _Row(method="GET", path="/Messages/{sid}/Media.json", function=messages.media),
    _Row(method="GET", path="/Messages/{sid}/Media/{media_sid}", function=messages.medium),
)


def twilio_app(services: Services, *, observe: Observe) -> Any:
    """The ASGI application. ``observe`` is called with each answer."""
    accounts = _Accounts(services.settings)
    refusals = Refusals(services.settings, TwilioError.of, name="Twilio's form", absent=_absent, method=_method)
    rows: dict[str, dict[str, Endpoint]] = {}
    for row in _ROWS:
        rows.setdefault(row.path, {})[row.method] = _endpoint(services, accounts, row)
    rows["/Messages.json"]["POST"] = _creation(services, accounts)
    root = f"{PREFIX}Accounts/{{account_sid}}"
    endpoints = {
        root + path: {method: refusals.guarded(f"{method} {root}{path}", one) for method, one in methods.items()}
        for path, methods in rows.items()
    }
    app = starlette_app(endpoints, {HTTPException: refusals.by_routing})
    return Authenticated(app, let_in=accounts.let_in, refused=refusals.of, observe=observe, tracing=services.tracing)


def _endpoint(services: Services, accounts: _Accounts, row: _Row) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        with ExitStack() as held:
            given = parsed(await _form(request, services, held) if row.method == "POST" else _query(request))
        asked = _asked(request, services, accounts, given)
        async with services.shares.threads.of(asked.application.name):
            return await run_in_threadpool(lambda: messages.answer(row.function(asked), 200))

    return endpoint


def _creation(services: Services, accounts: _Accounts) -> Endpoint:
    """``POST Messages.json``: answered when the message is on the disk."""

    async def endpoint(request: Request) -> Response:
        with ExitStack() as held:
            given = parsed(await _form(request, services, held))
            asked = _asked(request, services, accounts, given)
            # only a span needs to know what time it is
            now = await run_in_threadpool(lambda: _now(services)) if "ValidityPeriod" in given else 0.0
            body, own = message_of(given, now, allow_internal=services.settings.allow_internal)
            sent = await keep(services, asked.application, body, own=own)
        if sent.kept is None:
            raise AssertionError("without a key every message is kept")
        message, copies = sent.kept.message, sent.kept.recipients
        told = resources.message_resource(
            asked.account_sid, message, list(copies), message.accepted, body.parts[0].text or ""
        )
        return messages.answer(told, 201)

    return endpoint


def _now(services: Services) -> float:
    with services.database.read() as connection:
        return services.clock.now(connection)


async def _form(request: Request, services: Services, held: ExitStack) -> bytes:
    if media_type(request) != _FORM:
        raise TwilioError(20006, f"the body is a form; send it with Content-Type: {_FORM}")
    return await take(request, services, held, _MOST)


def _query(request: Request) -> bytes:
    found: bytes = request.scope.get("query_string", b"")
    return found


def _asked(request: Request, services: Services, accounts: _Accounts, given: Mapping[str, Any]) -> TwilioRequest:
    path = {name: str(value) for name, value in request.path_params.items()}
    application = accounts.application(path["account_sid"])
    if application is None or application.name != request.state.user:
        raise TwilioError(20404, "the requested account was not found")
    return TwilioRequest(
        services=services, application=application, account_sid=path["account_sid"], path=path, given=given
    )


class _Accounts:
    """The accounts: applications by their ``account_sid``."""

    def __init__(self, settings: Settings) -> None:
        self._by_sid = {one.twilio.account_sid: one for one in settings.applications if one.twilio is not None}
        known = [
            replace(one, name=sid, password=one.twilio.auth_token, password_hash=None)
            for sid, one in self._by_sid.items()
            if one.twilio is not None
        ]
        self._authenticator = GatewayAuthenticator(
            known, (), settings.trusted_proxies, waiting=settings.waiting_guesses
        )

    def application(self, account_sid: str | None) -> Application | None:
        """The application of an account."""
        return self._by_sid.get(account_sid or "")

    async def let_in(self, scope: Scope) -> str:
        """The name of the application that asks. Raises ``TwilioError`` (20003), ``Refusal`` (503), ``Gone``."""
        client = client_of(scope)
        decided = self._authenticator.decide(head_of(scope), peer_of(scope))
        sid = decided if decided is None or isinstance(decided, str) else await turn_at(decided, ASYNCIO, client)
        application = self.application(sid)
        if application is None:
            challenge = ("WWW-Authenticate", 'Basic realm="Twilio API"')
            raise TwilioError(20003, "Authenticate: the AccountSid and AuthToken of an application", challenge)
        if client is not None:
            client.recognised()
        return application.name


def _absent(path: str) -> TwilioError:
    return TwilioError(20404, f"{path[:200]} is not served here")


def _method(*headers: tuple[str, str]) -> TwilioError:
    return TwilioError(20004, "this method is not served here; the Allow field tells which are", *headers)
