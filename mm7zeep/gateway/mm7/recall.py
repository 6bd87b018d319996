"""Accepted messages, found as their application's own: changed or taken back here, and where upstreams have them.

Refuses, with ``StatusError``, what is not the application's and what comes too late.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mm7zeep import masking
from mm7zeep.errors import Mm7Error
from mm7zeep.gateway.config.destination import HANDSET, Destination
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.gateway.store import messages, outbox
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.rows import CANCELLED, DEFERRED, REFUSED, SENT, SHOWN, MessageRow, RecipientRow
from mm7zeep.gateway.store.tables import KEY_PREFIX
from mm7zeep.messages import CancelReq, ReplaceReq
from mm7zeep.status import Status
from mm7zeep.transport import reasons

_LOG = logging.getLogger("mm7zeep.gateway")
AskUpstream = Callable[[Destination, CancelReq | ReplaceReq, bool], Status]
"""Asks an MMSC to take back or replace a message that it has; last, whether content may be made to fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Finds and takes back an application's messages."""

    database: Database
    upstream: AskUpstream

    def cancel(
        self, connection: Connection, application: Application, message_id: str, there: AtUpstreams, now: float
    ) -> Status:
        """Take back the copies that wait here, or that upstreams have taken back: 1000 for all of them, else 1100.

        Raises ``StatusError``: 2005 for no such message, 3001 where no copy waits any more, 4006 where that is not
        known.
        """
        message, copies = self.own(connection, application, message_id)
        reached = [one for one in copies if there.has(one) or (one.waits and self.is_here(connection, one, now))]
        there.check(reached)
        for one in reached:
            messages.move(connection, one, state=CANCELLED, due=None, changed=now, detail=None)
        outbox.end_fetch(connection, message.id, now)
        return status_of(len(reached), copies)

    def ask_upstreams(self, application: Application, message_id: str, request: CancelReq | ReplaceReq) -> AtUpstreams:
        """Ask those upstreams that have copies of a message to take them back or replace them, and wait for it.

        This is done before the transaction: an upstream may take its time, and what it did is done whatever follows.
        """
        with self.database.read() as connection:
            message = messages.message(connection, message_id.strip())
            if message is None or message.application != application.name or message.direction != "mt":
                return AtUpstreams(frozenset(), ())
            _check_applications(message, request)
            copies = messages.recipients(connection, message.id)
        done, unanswered = set(), []
        for one in copies:
            if one.remote_id is None or one.destination.kind != "upstream" or one.state not in (SENT, DEFERRED):
                continue
            if one.remote_id.startswith(KEY_PREFIX):
                continue  # longer than what is kept of it: nobody there would know it
            try:
                asked = replace(request, message_id=one.remote_id)
                if self.upstream(one.destination, asked, application.fit is not False).ok:
                    done.add(one.n)
            except Mm7Error as error:
                why = masking.credentials(reasons.in_table(str(error), f"[[upstream]] {one.destination.name}"))
                _LOG.warning("%s was not answered by %s: %s", type(request).__name__, one.destination, why)
                unanswered.append(one.destination.name)
        return AtUpstreams(frozenset(done), tuple(unanswered))

    def own(
        self, connection: Connection, application: Application, message_id: str
    ) -> tuple[MessageRow, list[RecipientRow]]:
        """The application's own message. Raises ``StatusError`` (2005), for another's as if it did not exist."""
        message = messages.own(connection, application.name, message_id.strip())
        if message is None:
            raise refusal(2005, "there is no message of this application with that id")
        return message, messages.recipients(connection, message.id, lock=True)

    def is_here(self, connection: Connection, copy: RecipientRow, now: float) -> bool:
        """Whether a copy that waits is still in our hands: not where a call with it is just being made, nor where an
        upstream has it and put it off.
        """
        if copy.remote_id is not None:
            return False
        here = copy.destination == HANDSET or copy.due is not None or outbox.is_fetching(connection, copy.message_id)
        return here or outbox.withdraw(connection, copy.message_id, copy.n, now)


def _check_applications(message: MessageRow, request: CancelReq | ReplaceReq) -> None:
    """Raise ``StatusError`` (2008, 2009) for a cancel that names another ApplicID or ReplyApplicID than its message.

    A replace names new ones.
    """
    if not isinstance(request, CancelReq):
        return
    for name, element, code in (("applic_id", "ApplicID", 2008), ("reply_applic_id", "ReplyApplicID", 2009)):
        given = getattr(request, name)
        if given is not None and given != message.field.get(name):
            raise refusal(code, f"the message was not submitted with the {element} {given[:100]!r}")


@dataclass(frozen=True, slots=True)
class AtUpstreams:
    """The copies for which upstreams did what they were asked, and the upstreams that gave no answer."""

    done: frozenset[int]
    unanswered: tuple[str, ...]

    def has(self, copy: RecipientRow) -> bool:
        """Whether an upstream did it for this copy."""
        return copy.n in self.done and copy.state in (SENT, DEFERRED)

    def check(self, reached: Sequence[RecipientRow]) -> None:
        """Raise ``StatusError`` (4006) where nothing was reached, and somebody may yet do it."""
        if not reached and self.unanswered:
            raise refusal(4006, "the MMSC that has the message did not answer; ask again later")


def status_of(reached: int, copies: Iterable[RecipientRow]) -> Status:
    """The status of a change that reached so many copies. Raises ``StatusError`` (3001) for none."""
    if not reached:
        raise refusal(3001, "it is too late: no copy waits any more")
    served = [one for one in copies if one.state not in (SHOWN, REFUSED)]
    return Status(1000 if reached == len(served) else 1100)
