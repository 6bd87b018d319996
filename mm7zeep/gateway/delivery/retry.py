"""What the answer to a call means for it: done, try again, give up, or stop calling there; and when to try again.

Judges values; calls nobody. Refuses nothing: what it does not know is tried again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from mm7zeep import masking
from mm7zeep.errors import AuthError, LocalError, Mm7Error, StatusError, TransportError
from mm7zeep.findings import Finding
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.store.content import Summary
from mm7zeep.gateway.store.outbox import KEPT
from mm7zeep.gateway.store.rows import CallRow, RawRow
from mm7zeep.messages import Fault
from mm7zeep.receiver.replies import printable
from mm7zeep.transport import reasons, statuses
from mm7zeep.transport.failures import refusal

Verdict = Literal["done", "retry", "dead", "pause"]
Reply = Callable[[Connection, float], None]
"""Keeps what the answer to a call asks for, in the transaction in which that call is done, at a time."""
_STOPS = frozenset({401, 403, 410})
_AGAIN = frozenset({408, 425, 429})
_REASON = 500  # characters of a reason that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt: ``message_id`` is what an upstream calls the message now, ``unclear`` says that it may
    have been taken although nothing says so. ``left_out`` are elements that its namespace has no place for,
    ``findings`` what was done to its content before. A fetch has the request with what came, as the row ``raw``, and
    the ``summary`` of its content. ``reply`` keeps what the answer of an application asks for.
    ``is_attempt`` is False where no call was made.
    """

    verdict: Verdict
    reason: str | None = None
    http_status: int | None = None
    answer: bytes | None = None
    retry_after: float | None = None
    code: int | None = None
    text: str | None = None
    message_id: str | None = None
    unclear: bool = False
    left_out: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    raw: RawRow | None = None
    summary: Summary | None = None
    reply: Reply | None = None
    is_attempt: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether it was accepted, and there is nothing else to keep of it."""
        return self == _PLAIN


_PLAIN = Outcome(verdict="done")


def judge(error: Exception, table: str | None = None) -> Outcome:
    """The outcome of an attempt that raised ``error``; ``table`` of the settings is where its files for TLS stand."""
    reason = _reason(error, table)
    if isinstance(error, AuthError):
        return Outcome(verdict="pause", reason=reason, http_status=error.http_status, answer=error.body[:KEPT])
    if isinstance(error, StatusError):
        return _of_status(error, reason)
    if isinstance(error, TransportError):
        forbidden = refusal(error) is not None  # an address that may not be called: somebody has to look at it
        return Outcome(
            verdict="pause" if forbidden else _of_http(error.http_status),
            reason=reason,
            http_status=error.http_status,
            answer=error.body[:KEPT] or None,
            retry_after=error.retry_after,
            unclear=error.maybe_accepted,
        )
    # what cannot be written in the callback's namespace cannot be written the next time either
    return Outcome(verdict="dead" if isinstance(error, LocalError) else "retry", reason=reason)


def _of_status(error: StatusError, reason: str) -> Outcome:
    status = error.status
    unclear = isinstance(error.answer, Fault) and error.answer.error is None  # a Fault without an MM7 status
    again = status.temporary or status.status_class == "server" or unclear
    return Outcome(
        verdict="retry" if again else "dead",
        reason=reason,
        answer=reason.encode()[:KEPT],
        retry_after=error.retry_after,
        unclear=unclear,
        code=status.code,
        text=status.text,
    )


def _of_http(status: int | None) -> Verdict:
    if status in _STOPS:
        return "pause"
    # a redirect, a wrong path and the like stay so until somebody changes the configuration
    lasting = status is not None and 300 <= status < 500 and status not in _AGAIN
    return "dead" if lasting else "retry"


def judge_webhook(error: Exception, table: str | None = None) -> Outcome:
    """The outcome of a webhook that raised ``error``: what has no answer of a status that stops it is tried again."""
    found = judge(error, table)
    lasting = found.verdict == "dead" and isinstance(error, TransportError)
    return replace(found, verdict="retry") if lasting else found


def judge_webhook_status(status: int, answer: bytes, retry_after: float | None) -> Outcome:
    """The outcome of a webhook that was answered with an HTTP status which is no 2xx, a redirect included.

    Standard Webhooks: what is not 2xx has failed, and is tried again; 410 stops all calls there. So do 401 and 403.
    """
    return Outcome(
        verdict="pause" if status in _STOPS else "retry",
        reason=f"the receiver answered {statuses.named(status)}",
        http_status=status,
        answer=answer or None,
        retry_after=retry_after,
    )


def _reason(error: Exception, table: str | None) -> str:
    name = told = type(error).__name__
    if isinstance(error, Mm7Error):
        told = reasons.in_table(str(error), table) if table is not None else reasons.unadvised(str(error))
    # an error may quote a header field: a NUL or half a surrogate pair in it is more than a database takes
    return printable(masking.credentials(f"{name}: {told}" if told != name else name))[:_REASON]


def next_attempt(
    call: CallRow, outcome: Outcome, now: float, delivery: Delivery, *, held: bool = False
) -> float | None:
    """When to try again; None where all attempts were made, or the next one would come after the call has expired.

    While ``held`` no call is given up for either.
    """
    waits = delivery.waits
    if call.attempts > len(waits) and not held:
        return None
    spread = 1 + random.uniform(-delivery.spread, delivery.spread)  # noqa: S311  spreads load, guards nothing
    wait = waits[min(call.attempts, len(waits)) - 1] * spread if call.attempts and waits else 0.0
    wait = max(wait, min(outcome.retry_after or 0.0, delivery.longest_wait))
    return now + wait if held or now + wait <= call.expires else None
