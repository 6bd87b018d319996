"""What a webhook answers to a message that came in: its messages are sent, as if they had been posted.

Each is judged and packed before the transaction in which the call is done, and kept in that one: no call that comes
again sends it twice. The message that came in remembers what was sent to it, so that a call that an operator has made
again sends nothing twice either. What is not sent is told in the log, and in the findings of the message that came in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from mm7zeep import masking
from mm7zeep.errors import StatusError
from mm7zeep.findings import Finding, finding
from mm7zeep.gateway.api.submissions import Scripts, Submission, submission
from mm7zeep.gateway.api.twilio import resources, twiml
from mm7zeep.gateway.api.twilio.errors import TwilioError
from mm7zeep.gateway.api.twilio.parameters import Parameters, message_of
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.store import mapping
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import CallRow, MessageRow
from mm7zeep.receiver import Refusal
from mm7zeep.tracing import Tracing
from mm7zeep.transport.short_answer import ShortAnswer

_LOG = logging.getLogger("mm7zeep.gateway")
Keep = Callable[[Connection, float], None]
"""Keeps what an answer asks for, in a transaction, at a time."""
_MOST_TURNS = 5
"""Answers in a row, each to what came of the one before: of two scripts, or a script and a handset, without end."""
_SENT = "replies"  # where a message that came in remembers what was sent to it: ids, by their places in the answer


@dataclass(frozen=True, slots=True)
class Replies:
    """Makes what is kept of an answer. Thread-safe."""

    settings: Settings
    scripts: Scripts
    admission: AdmissionControl
    tracing: Tracing

    def __call__(
        self, application: Application, call: CallRow, told: Mapping[str, Any], answer: ShortAnswer
    ) -> Keep | None:
        """What is to be kept of the answer to a call that has ``told`` these fields; None for nothing.

        Raises ``Refusal`` (503) while no message can be taken.
        """
        if answer.octets is not None and not answer.octets.strip():
            return None
        try:
            found = _read(answer, call.event["url"])
        except ValueError as error:
            unread = finding("twiml/unread", detail=str(error))
            return partial(_keep, self.settings, call, {}, (unread,))
        if found.messages and self.admission.full:
            raise self.admission.refusal(self.admission.full[0])
        findings = (finding("twiml/left-out", detail=", ".join(found.left_out)),) if found.left_out else ()
        own = {"From": [told["To"]], "To": [told["From"]]}  # it answers whom it heard
        heard = call.message_id
        made = {n: self._made(application, {**own, **given}, heard) for n, given in enumerate(found.messages)}
        return partial(_keep, self.settings, call, made, findings) if made or findings else None

    def _made(self, application: Application, given: Parameters, heard: str) -> Submission | TwilioError:
        """One message that answers ``heard``, judged as the API would; nothing of it is kept yet."""
        try:
            # what the time is, only a ValidityPeriod needs to know
            body, own = message_of(given, 0.0, allow_internal=self.settings.allow_internal)
            traced = self.tracing.current().kept
            own = {**own, **resources.as_reply(heard)}
            return submission(body, {}, application, self.settings, self.scripts, own, traced)
        except (Refusal, StatusError) as error:
            return TwilioError.of(error)


def _read(answer: ShortAnswer, url: str) -> twiml.Twiml:
    """What an answer says. Raises ``ValueError`` for what is no TwiML."""
    if answer.octets is None:
        named = f"as {answer.media_type}" if answer.media_type else "without a Content-Type"
        raise ValueError(f"it came {named}; send it as text/xml, without a Content-Encoding")
    if not answer.whole:
        raise ValueError(f"it has more than {len(answer.octets)} octets")
    return twiml.read(answer.octets, answer.charset, url)


def _keep(
    settings: Settings,
    call: CallRow,
    made: Mapping[int, Submission | TwilioError],
    findings: tuple[Finding, ...],
    connection: Connection,
    now: float,
) -> None:
    """Keep the messages of an answer, and what is told of it, in the transaction in which its call is done."""
    heard = store.message(connection, call.message_id)
    sent: dict[str, str] = dict(heard.field.get(_SENT, {})) if heard is not None else {}
    known = len(sent)
    told = list(findings)
    if made and _turns(connection, heard) >= _MOST_TURNS:
        words = f"{_MOST_TURNS} answers in a row were sent, each to what came of the one before; this would be another"
        told.append(finding("twiml/refused", detail=words, action="refused"))
        made = {}
    for n, one in made.items():
        where = f"Message[{n + 1}]"
        if str(n) in sent:
            told.append(finding("twiml/again", where, detail=sent[str(n)]))
            continue
        try:
            sent[str(n)] = _kept(one, connection, now)
        except TwilioError as error:
            told.append(finding("twiml/refused", where, detail=f"{error.code}: {error}", action="refused"))
    if heard is not None and len(sent) > known:
        store.change(connection, heard.id, fields=json.dumps({**heard.field, _SENT: sent}))
    if told:
        store.note(connection, call.message_id, mapping.findings_text(told))
    for found in told:
        said = ": ".join(one for one in (found.id, found.where, found.detail) if one)
        said = masking.masked(said, show_numbers=settings.show_numbers)
        _LOG.warning("the answer of %s to %s: %s", call.owner, call.message_id, said)


def _turns(connection: Connection, heard: MessageRow | None) -> int:
    """How many answers by TwiML in a row led to the message that came in, up to the most."""
    turns = 0
    while heard is not None and turns < _MOST_TURNS:
        # what it came of: the message of another application, or one that a handset answers
        came_of = heard.field.get("origin", [None])[0] or heard.field.get("reply_to")
        answer = store.message(connection, came_of) if came_of is not None else None
        before = resources.answers(answer) if answer is not None else None
        if before is None:
            return turns
        turns, heard = turns + 1, store.message(connection, before)
    return turns


def _kept(made: Submission | TwilioError, connection: Connection, now: float) -> str:
    """Keep one message; its id. Raises ``TwilioError``, and then nothing of it is kept."""
    if isinstance(made, TwilioError):
        raise made
    try:
        return str(made.task.do(connection, now).answer["id"])
    except StatusError as error:
        raise TwilioError.of(error) from error
