"""What the REST API tells of opt-outs, and how an operator adds one or takes one out.

Refuses, with ``Refusal``, numbers that are no application's and what is no address (400), what is not there (404), and
to add to an application that goes by no opt-outs (409).
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from mm7zeep.errors import LocalError
from mm7zeep.gateway.admin import outputs, views
from mm7zeep.gateway.admin.inputs import OptedOut, OptOutKey, OptOutQuery
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.store import opt_outs as store
from mm7zeep.messages import Address, address
from mm7zeep.receiver import Refusal


def listed(asked: AdminRequest[OptOutQuery, Nothing]) -> outputs.OptOuts:
    """A page of opt-outs, the newest first."""
    query, limit, settings = asked.parameters, asked.parameters.limit, asked.gateway.settings
    with asked.gateway.database.read() as connection:
        rows = store.listed(
            connection,
            application=asked.user.application_filter(query.application),
            number=_keys(settings, "number", query.number),
            subscriber=_keys(settings, "subscriber", query.subscriber),
            limit=limit + 1,
            before=query.before,
        )
    page = rows[:limit]
    return outputs.OptOuts(
        opt_outs=[views.opt_out(one) for one in page], next=page[-1].seq if len(rows) > limit else None
    )


def _keys(settings: Settings, name: str, text: str | None) -> set[str] | None:
    """What an address may be kept by: each application has its own numbering plan."""
    if text is None or text == store.ALL:
        return None if text is None else {text}
    found = _address(name, text)
    return {store.key(found, region) for region in {None, *(one.numbers for one in settings.applications)}}


def _address(name: str, text: str) -> Address:
    try:
        return address(text)
    except LocalError as error:
        raise Refusal(400, f"{name}: {error}") from error


def add(asked: AdminRequest[Nothing, OptedOut]) -> outputs.Added:
    """A subscriber wants nothing more from a number."""
    said, gateway = asked.body, asked.gateway
    application, numbers = _meant(_own(asked), said.application, said.number)
    if application.opt_out is None:
        raise Refusal(
            409, f"the application {application.name!r} goes by no opt-outs: give it opt_out in the configuration"
        )
    subscriber = _address("subscriber", said.subscriber)
    with gateway.database.write() as connection:
        now = gateway.clock.now(connection)
        rows = store.add(connection, application, subscriber, numbers or _all(application), now)
    return outputs.Added(opt_outs=[views.opt_out(one) for one in rows])


def remove(asked: AdminRequest[OptOutKey, Nothing]) -> outputs.Removed:
    """A subscriber may be sent messages from a number again."""
    said, gateway = asked.parameters, asked.gateway
    application, numbers = _meant(_own(asked), said.application, said.number)
    subscriber = _address("subscriber", said.subscriber)
    with gateway.database.write() as connection:
        count = store.remove(connection, application, subscriber, numbers)
    if not count:
        raise Refusal(404, "this subscriber has not opted out there; GET /api/v1/opt-outs lists who has")
    return outputs.Removed(removed=count)


def _all(application: Application) -> AbstractSet[str]:
    return store.numbers_of(application) | {store.ALL}


def _own(asked: AdminRequest[Any, Any]) -> tuple[Application, ...]:
    """The applications that are this user's."""
    return tuple(one for one in asked.gateway.settings.applications if asked.user.sees(one.name))


def _meant(known: Sequence[Application], name: str | None, number: str) -> tuple[Application, AbstractSet[str] | None]:
    """The application, and which of its numbers; None for all of them."""
    if name is not None:
        known = [one for one in known if one.name == name]
        if not known:
            raise Refusal(400, f"application: there is no application {name!r}; GET /api/v1/applications lists them")
    if number == store.ALL:
        if name is None:
            raise Refusal(400, f"application: give its name; {store.ALL} means all numbers of one application")
        return known[0], None
    given = _address("number", number)
    for one in known:
        found = store.numbers_of(one) & {store.key(given, one.numbers)}
        if found:
            return one, found
    raise Refusal(400, "number: it is no short code of an application; GET /api/v1/applications lists them")
