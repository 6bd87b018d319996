"""What the REST API has a handset send: a new MO, an answer to a message, one passed on; now, or planned.

Refuses, with ``Refusal``, what no message can be made of and whom it does not know (400), what an application without a
callback or webhook cannot be brought and what a handset has not got (409), and all of it while nothing can be kept
(503).
"""

from __future__ import annotations

from collections.abc import Sequence

from mm7zeep.client import ContentLike
from mm7zeep.errors import LocalError
from mm7zeep.gateway.admin import messages, outputs
from mm7zeep.gateway.admin.inputs import Mo, MoPart
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.config.draft import Draft, NotPossible, Plan
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.parts import octets_of, part_of
from mm7zeep.gateway.store import outbox
from mm7zeep.messages import Part
from mm7zeep.receiver import Refusal

_CONFLICTS = ("application", "reply_to", "forward")  # members that name what is there, and cannot do it now
_NO_MESSAGE = "GET /api/v1/messages lists those that are kept"


def deliver(asked: AdminRequest[Nothing, Mo]) -> outputs.Delivered:
    """A handset sends a message to an application."""
    said, gateway = asked.body, asked.gateway
    if gateway.admission.full:
        raise gateway.admission.refusal(gateway.admission.full[0])
    try:
        draft = _draft(gateway, _own(asked))
        plan = _plan(said)
        if plan is None:
            call = gateway.simulator.send(draft)
            with gateway.database.read() as connection:
                calls = outbox.listed(connection, message_id=call.message_id)
            found = call.message_id
            return outputs.Delivered(id=found, ids=[found], callback=calls[-1].id if calls else None)
        ids = gateway.simulator.plan(draft, plan)
    except NotPossible as error:
        raise Refusal(409 if error.member in _CONFLICTS else 400, f"{error.member} {error}") from error
    except LocalError as error:
        raise Refusal(400, f"no message can be made of this: {error}") from error
    return outputs.Delivered(id=ids[0], ids=ids, callback=None)


def _own(asked: AdminRequest[Nothing, Mo]) -> Mo:
    """What is said, where all that it names is this user's. Raises ``Refusal`` (400), as for what is not there."""
    said, user = asked.body, asked.user
    if user.application is None:
        return said
    if said.application is not None and not user.sees(said.application):
        raise _unknown(said.application)
    named = {name: id for name in ("reply_to", "forward") if (id := getattr(said, name)) is not None}
    with asked.gateway.database.read() as connection:
        for name, id in named.items():
            try:
                named[name] = messages.found(connection, user, id).id
            except Refusal as error:
                raise Refusal(400, f"{name}: there is no message of that id; {_NO_MESSAGE}") from error
    return said.model_copy(update=named)


def _unknown(name: str) -> Refusal:
    return Refusal(400, f"application: there is no application {name!r}; GET /api/v1/applications lists them")


def _plan(said: Mo) -> Plan | None:
    """When it is sent; None: now."""
    if said.at is None and said.after is None and said.every is None and said.times is None:
        return None
    return Plan(at=said.at, after=said.after, every=said.every, times=1 if said.times is None else said.times)


def _draft(gateway: Gateway, said: Mo) -> Draft:
    """The message that is sent. Raises ``Refusal``, ``NotPossible``, ``LocalError``."""
    content: list[ContentLike] = [*(said.text or ()), *(_part(one, n) for n, one in enumerate(said.parts or ()))]
    subject = said.subject
    if said.forward is not None:
        try:
            parts, usual = gateway.simulator.forwarded(said.forward)
        except KeyError as error:
            raise Refusal(400, f"forward: there is no message of that id; {_NO_MESSAGE}") from error
        content += parts
        subject = usual if subject is None and said.reply_to is None else subject
    return _new(gateway, said, subject, content) if said.reply_to is None else _reply(gateway, said, subject, content)


def _new(gateway: Gateway, said: Mo, subject: str | None, content: Sequence[ContentLike]) -> Draft:
    if said.application is None:
        raise Refusal(400, "the body lacks application; name one, or in reply_to a message that is answered")
    if said.from_ is None:
        raise Refusal(400, "the body lacks from; name the handset, or in reply_to a message that is answered")
    name = said.application
    application = gateway.settings.application(name)
    if application is None:
        raise _unknown(name)
    to = said.to or next(iter(application.short_codes), None)
    if to is None and application.takes_messages:
        raise Refusal(400, f"to: give a number or mail address; the application {name!r} has no short code to send to")
    return gateway.simulator.draft(name, said.from_, to or "", subject, content)


def _reply(gateway: Gateway, said: Mo, subject: str | None, content: Sequence[ContentLike]) -> Draft:
    answered = said.reply_to or ""
    try:
        return gateway.simulator.reply(answered, said.from_, said.to, subject, content, application=said.application)
    except KeyError as error:
        if error.args[0] == answered:
            of = f"of the application {said.application!r} " if said.application is not None else ""
            raise Refusal(400, f"reply_to: there is no message {of}of that id; {_NO_MESSAGE}") from error
        raise Refusal(409, f"reply_to: the application {error.args[0]!r} is served no longer") from error


def _part(given: MoPart, n: int) -> Part:
    """A part that JSON says. Raises ``Invalid``."""
    steps = ("parts", n)
    octets = octets_of(given.data, steps)
    return part_of(octets, steps, content_type=given.content_type, name=given.name, content_id=given.content_id)
