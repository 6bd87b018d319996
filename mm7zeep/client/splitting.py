"""A submit that goes out once per recipient, and its one outcome.

Sends nothing itself. Refuses to ask again where the credentials were refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mm7zeep.client.outcomes import Accepted, Each, Submitted
from mm7zeep.client.partial import left_out
from mm7zeep.errors import AuthError, Mm7Error, TransportError
from mm7zeep.messages import Status, SubmitReq, SubmitRsp


def one_each(message: SubmitReq) -> list[SubmitReq]:
    """One request per recipient who is served; those only displayed stay in each."""
    to, cc, bcc = (tuple(one for one in group if one.display_only) for group in (message.to, message.cc, message.bcc))
    return [replace(message, to=(one, *to), cc=cc, bcc=bcc) for one in message.recipients]


class Tally:
    """What became of a split submit so far, one request after the other."""

    def __init__(self, requests: Sequence[SubmitReq]) -> None:
        self.requests = requests
        self.each: list[Each] = []
        self._stopped: Mm7Error | None = None

    def due(self) -> Iterator[SubmitReq]:
        """What is to be sent next, until all are, or none of the others would be accepted either."""
        for one in self.requests:
            if self._stopped is None:
                yield one
            else:
                self.fail(one, self._stopped)

    def accept(self, request: SubmitReq, accepted: Accepted[SubmitRsp]) -> None:
        """Note that the request to its one recipient was accepted."""
        self.each.append(Each(recipient=request.to[0], accepted=accepted))

    def fail(self, request: SubmitReq, error: Mm7Error) -> None:
        """Note that the request to its one recipient failed; an ``AuthError`` ends the sending of the others."""
        self.each.append(Each(recipient=request.to[0], error=error))
        if isinstance(error, AuthError):
            self._stopped = error  # it would be the same for the others, and 401 upon 401 locks accounts

    def sum_up(self) -> Submitted:
        """One outcome of several: 1100 where not everybody was accepted.

        Where nobody surely was, raises the first error that leaves it open, or else the first, with all in its
        ``each``.
        """
        accepted = [one.accepted for one in self.each if one.accepted is not None]
        if not accepted:
            errors = [one.error for one in self.each if one.error is not None]
            error = next((one for one in errors if isinstance(one, TransportError) and one.maybe_accepted), errors[0])
            error.each = tuple(self.each)
            raise error
        whole = len(accepted) == len(self.each) and not any(one.partial for one in accepted)
        status = Status(1000 if whole else 1100)
        return Submitted(
            answer=SubmitRsp(status=status),
            transaction_id=accepted[0].transaction_id,
            findings=tuple(found for one in accepted for found in one.findings),
            headers=accepted[0].headers,
            http_status=accepted[0].http_status,
            each=tuple(self.each),
            failed=tuple(one.recipient for one in self.each if one.error is not None),
        )


def whole(message: SubmitReq, accepted: Accepted[SubmitRsp]) -> Submitted:
    """The outcome of a submit that was not split."""
    return Submitted(
        failed=left_out(message.recipients, accepted.status),
        answer=accepted.answer,
        transaction_id=accepted.transaction_id,
        findings=accepted.findings,
        headers=accepted.headers,
        http_status=accepted.http_status,
    )
