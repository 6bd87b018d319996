"""What comes back from a call, and when it is made again.

Refuses to send again what may have been accepted.
"""

from __future__ import annotations

import random
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from mm7zeep.client.partial import is_partial
from mm7zeep.errors import LocalError, Mm7Error, StatusError, TransportError
from mm7zeep.findings import Finding
from mm7zeep.messages import Address, Fault, Response, Status, SubmitRsp
from mm7zeep.transport.bound import is_seconds
from mm7zeep.transport.statuses import seconds

R = TypeVar("R", bound=Response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Generic[R]):
    """An answer of success: ``answer`` is the message, ``findings`` what was noticed, ``headers`` and ``http_status``
    those of HTTP.
    """

    answer: R
    transaction_id: str
    findings: tuple[Finding, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    http_status: int | None = None

    @property
    def status(self) -> Status:
        """The Status of the answer."""
        return self.answer.status

    @property
    def message_id(self) -> str | None:
        """What reports, cancel and replace refer to; None where the answer names none."""
        return getattr(self.answer, "message_id", None)

    @property
    def partial(self) -> bool:
        """Whether it was accepted for some recipients or parts only (1100)."""
        return is_partial(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """What became of one recipient of a submit that was split: ``accepted``, or the ``error`` that was met."""

    recipient: Address
    accepted: Accepted[SubmitRsp] | None = None
    error: Mm7Error | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Accepted[SubmitRsp]):
    """An accepted submit.

    Where it was split, ``each`` tells recipient by recipient, ``status`` is 1100 if some were not accepted, and
    ``message_id`` is None. ``failed`` are the recipients that were not accepted: those with an error in ``each``, or
    those that an answer of 1100 names; none where it is ``partial`` and does not say who was left out.
    """

    each: tuple[Each, ...] = ()
    failed: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to send again what was surely not accepted.

    At most ``times``, after ``first`` seconds, doubled each time up to ``most``. A Retry-After of the server is obeyed
    up to ``most`` seconds; a longer one ends the attempts. Never after 401, 403, 2xxx, nor when the request may have
    been accepted. Raises ``LocalError`` for what is no number.
    """

    times: int = 2
    first: float = 0.5
    most: float = 30.0

    def __post_init__(self) -> None:
        if isinstance(self.times, bool) or not isinstance(self.times, int) or self.times < 0:
            raise LocalError(f"Retry.times is a number of further attempts, 0 or more, not {self.times!a}")
        for name in ("first", "most"):
            if not is_seconds(getattr(self, name)):
                raise LocalError(f"Retry.{name} is a number of seconds, not {getattr(self, name)!a}")

    def waits(self) -> Iterator[float]:
        """How long to wait before each further attempt, in seconds."""
        for attempt in range(self.times):
            yield min(self.most, self.first * 2**attempt) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing

    def wait(self, error: Mm7Error, planned: float | None, retry_after: str | None) -> float | None:
        """The seconds to wait before sending again after ``error``; None where it is not sent again."""
        asked = seconds(retry_after) or 0.0
        if planned is None or not self.safe(error) or asked > self.most:
            return None
        return max(planned, asked)

    @staticmethod
    def safe(error: Mm7Error) -> bool:
        """Whether the request surely was not accepted and may be another time."""
        if isinstance(error, StatusError):
            # a Fault without MM7 status says that something failed, not that nothing was done
            return error.temporary and not (isinstance(error.answer, Fault) and error.answer.error is None)
        if isinstance(error, TransportError):
            # a certificate is as wrong the next time, and a file that changed is no longer what was to be sent
            lasting = any(isinstance(one, ssl.SSLError | LocalError) for one in _causes(error))
            return not error.maybe_accepted and error.http_status in (None, 429, 503) and not lasting
        return False


RETRY = Retry()
"""What applies where nothing else is said."""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
