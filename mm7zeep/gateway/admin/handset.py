"""What the REST API has handsets do: reach a state, read, follow scripts; also trouble, the clock, and whom it serves.

Refuses, with ``Refusal``, whom it does not know (404), scripts that make no sense (400), and a state for what is at no
handset (409).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mm7zeep.gateway.admin import messages, outputs, views
from mm7zeep.gateway.admin.inputs import HandsetScript, MessageKey, Reading, Report, Scripts, Trouble
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.config.draft import NotPossible
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.receiver import Refusal


def report(asked: AdminRequest[MessageKey, Report]) -> outputs.Reported:
    """A copy, or all that wait, reach a state, whatever their handsets would have done."""
    id, said = _id(asked), asked.body
    try:
        reached = asked.gateway.simulator.report(id, said.recipient, said.status, said.text)
    except KeyError as error:
        raise _unknown(id, error) from error
    except NotPossible as error:
        raise Refusal(409, str(error)) from error
    return outputs.Reported(id=id, status=said.status, recipients=reached)


def read(asked: AdminRequest[MessageKey, Reading]) -> outputs.Told:
    """A recipient has read or deleted a message."""
    id, said = _id(asked), asked.body
    try:
        return outputs.Told(told=asked.gateway.simulator.read(id, said.recipient, said.status or "Read"))
    except KeyError as error:
        raise _unknown(id, error) from error
    except NotPossible as error:
        raise Refusal(409, str(error)) from error


def _id(asked: AdminRequest[MessageKey, Any]) -> str:
    """The id of the message that is meant, which is this user's. Raises ``Refusal`` (404)."""
    with asked.gateway.database.read() as connection:
        return messages.found(connection, asked.user, asked.parameters.id).id


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
    """Whom the gateway serves; to an application's own user, itself."""
    known = [one for one in asked.gateway.settings.applications if asked.user.sees(one.name)]
    return outputs.Applications(applications=[views.application(one) for one in known])


def handsets(asked: AdminRequest[Nothing, Nothing]) -> outputs.Handsets:
    """The scripts in force; the first whose prefix fits counts."""
    return _handsets(asked.gateway)


def set_handsets(asked: AdminRequest[Nothing, Scripts]) -> outputs.Handsets:
    """Put these scripts before those of the configuration file, in the place of those that were set."""
    asked.gateway.simulator.set_handsets([_script(one, n) for n, one in enumerate(asked.body.handsets)])
    return _handsets(asked.gateway)


def _handsets(gateway: Gateway) -> outputs.Handsets:
    return outputs.Handsets(handsets=[views.script(one) for one in gateway.simulator.handsets()])


def _script(given: HandsetScript, n: int) -> Handset:
    """A script that JSON says. Raises ``Refusal``."""
    spans = {name: timedelta(seconds=getattr(given, name)) for name in ("delay", "reply_after")}
    try:
        return Handset(prefix=given.prefix, outcome=given.outcome, read=given.read, reply=given.reply, **spans)
    except ValueError as error:
        raise Refusal(400, f"handsets[{n}]: {error}") from error


def chaos(asked: AdminRequest[Nothing, Nothing]) -> outputs.Chaos:
    """The trouble that is made on purpose."""
    return outputs.Chaos(rules=list(asked.gateway.chaos.rules))


def set_chaos(asked: AdminRequest[Nothing, Trouble]) -> outputs.Chaos:
    """Make this trouble, and no other."""
    asked.gateway.chaos.set(asked.body.rules)
    return outputs.Chaos(rules=list(asked.gateway.chaos.rules))
