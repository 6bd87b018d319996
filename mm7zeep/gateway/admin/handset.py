"""What the REST API has a gateway do: bring an MO, report, read, make trouble; and whom it serves.

Refuses, with ``Refusal``, what no message can be made of (400), whom it does not know (400, 404), and what an
application without a callback or webhook cannot be told (409).
"""

from __future__ import annotations

from mm7zeep.client import ContentLike
from mm7zeep.errors import LocalError
from mm7zeep.gateway.admin import outputs, views
from mm7zeep.gateway.admin.inputs import MessageKey, Mo, MoPart, Reading, Report, Trouble
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.parts import octets_of, part_of
from mm7zeep.gateway.store import outbox
from mm7zeep.messages import Part
from mm7zeep.receiver import Refusal


def deliver(asked: AdminRequest[Nothing, Mo]) -> outputs.Delivered:
    """A handset sends a message to an application."""
    said, gateway = asked.body, asked.gateway
    name = said.application
    application = gateway.settings.application(name)
    if application is None:
        raise Refusal(400, f"application: there is no application {name!r}; GET /api/v1/applications lists them")
    if not application.takes_messages:
        words = "has no callback and no webhook for message.received: give it one in the configuration"
        raise Refusal(409, f"the application {name!r} {words}")
    to = said.to or next(iter(application.short_codes), None)
    if to is None:
        raise Refusal(400, f"to: give a number or mail address; the application {name!r} has no short code to send to")
    try:
        call = gateway.simulator.send_mo(name, said.from_, to, said.subject, _content(said))
    except LocalError as error:
        raise Refusal(400, f"no message can be made of this: {error}") from error
    with gateway.database.read() as connection:
        calls = outbox.listed(connection, message_id=call.message_id)
    return outputs.Delivered(id=call.message_id, callback=calls[-1].id if calls else None)


def _content(said: Mo) -> list[ContentLike]:
    return [*(said.text or ()), *(_part(one, n) for n, one in enumerate(said.parts or ()))]


def _part(given: MoPart, n: int) -> Part:
    """A part that JSON says. Raises ``Invalid``."""
    steps = ("parts", n)
    octets = octets_of(given.data, steps)
    return part_of(octets, steps, content_type=given.content_type, name=given.name, content_id=given.content_id)


def report(asked: AdminRequest[MessageKey, Report]) -> outputs.Reported:
    """A copy reaches a state, whatever its handset would have done."""
    id, said = asked.parameters.id, asked.body
    try:
        asked.gateway.simulator.report(id, said.recipient, said.status, said.text)
    except KeyError as error:
        raise _unknown(id, error) from error
    return outputs.Reported(id=id, status=said.status)


def read(asked: AdminRequest[MessageKey, Reading]) -> outputs.Told:
    """A recipient has read or deleted a message."""
    id, said = asked.parameters.id, asked.body
    try:
        return outputs.Told(told=asked.gateway.simulator.read(id, said.recipient, said.status or "Read"))
    except KeyError as error:
        raise _unknown(id, error) from error


def _unknown(id: str, error: KeyError) -> Refusal:
    if error.args[0] == id:
        return Refusal(404, "no message to handsets has that id; GET /api/v1/messages?direction=mt lists them")
    return Refusal(404, "the message has no such recipient; GET /api/v1/messages/{id} names them")


def clock(asked: AdminRequest[Nothing, Nothing]) -> outputs.Clock:
    """The time that counts, and whether a jump of the clock waits to be confirmed."""
    state = asked.gateway.clock_state()
    return outputs.Clock(held=state.held, now=state.now, jump=state.jump, since=state.since)


def confirm_clock(asked: AdminRequest[Nothing, Nothing]) -> outputs.Clock:
    """Go by the clock as it is now."""
    if not asked.gateway.confirm_clock():
        raise Refusal(409, "no jump of the clock waits to be confirmed; GET /api/v1/clock shows whether one does")
    return clock(asked)


def applications(asked: AdminRequest[Nothing, Nothing]) -> outputs.Applications:
    """Whom the gateway serves."""
    return outputs.Applications(applications=[views.application(one) for one in asked.gateway.settings.applications])


def chaos(asked: AdminRequest[Nothing, Nothing]) -> outputs.Chaos:
    """The trouble that is made on purpose."""
    return outputs.Chaos(rules=list(asked.gateway.chaos.rules))


def set_chaos(asked: AdminRequest[Nothing, Trouble]) -> outputs.Chaos:
    """Make this trouble, and no other."""
    asked.gateway.chaos.set(asked.body.rules)
    return outputs.Chaos(rules=list(asked.gateway.chaos.rules))
