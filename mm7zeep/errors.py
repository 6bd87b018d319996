"""The errors this library raises: whose fault it is shows in the type, and each leaf knows its MM7 answer.

Mm7Error                 never raised itself
  LocalError             we were asked to build what the schema or MIME forbids; nothing was sent
  RemoteError            what arrived is malformed: .status .fault .findings
    MimeError            the package cannot be taken apart
    EnvelopeError        the root part is not one SOAP 1.1 envelope with one MM7 operation
    SchemaError          the envelope breaks its schema
    VersionError         an MM7Version, namespace or dialect that is not served
    LimitError           more than the limits allow
  StatusError            a well-formed answer that is not success: .status .answer
  AuthError              401 or 403, with what the server said
  TransportError         no usable answer; .maybe_accepted says whether the request may have been taken
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from mm7zeep.findings import Finding
from mm7zeep.status import Status

if TYPE_CHECKING:
    from mm7zeep.client import Each
    from mm7zeep.messages import Message

FaultCode = Literal["Client", "Server", "MustUnderstand", "VersionMismatch"]


class Mm7Error(Exception):
    """The root of the tree; catch it to catch everything this library raises on purpose.

    ``each`` tells recipient by recipient what became of a submit that was split, where it raises.
    """

    each: tuple[Each, ...] = ()


class LocalError(Mm7Error, ValueError):
    """We were asked to build what the schema or MIME forbids. Nothing was sent; correct the call."""

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class RemoteError(Mm7Error):
    """What arrived is malformed.

    ``status`` is the MM7 status code to answer it with, ``fault`` the SOAP faultcode, ``findings`` what was met on
    the way. ``transaction_id`` and ``namespace`` are what could be read, so that an answer can name them.
    """

    default_status: ClassVar[int] = 2007
    default_fault: ClassVar[FaultCode] = "Client"

    def __init__(
        self,
        message: str,
        findings: Sequence[Finding] = (),
        *,
        status: int | None = None,
        fault: FaultCode | None = None,
        transaction_id: str | None = None,
        namespace: str | None = None,
        raw: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.findings = tuple(findings)
        self.status = self.default_status if status is None else status
        self.fault: FaultCode = self.default_fault if fault is None else fault
        self.transaction_id = transaction_id
        self.namespace = namespace
        self.raw = raw


class MimeError(RemoteError):
    """The package cannot be taken apart."""

    default_status = 2007


class EnvelopeError(RemoteError):
    """The root part is not one SOAP 1.1 envelope with one MM7 operation."""

    default_status = 4004


class SchemaError(RemoteError):
    """The envelope breaks the schema of its namespace, beyond what the policy repairs."""

    default_status = 4004


class VersionError(RemoteError):
    """An MM7Version, namespace or dialect that is not served."""

    default_status = 4002


class LimitError(RemoteError):
    """More than the limits allow (size, parts, depth, header fields)."""

    default_status = 2007


class StatusError(Mm7Error):
    """A status that is not success.

    Raised by a client for a well-formed refusal: ``status`` as sent, ``answer`` the message.
    Raised by a receiver's handler, ``StatusError(2002, "no such subscriber")``, to answer with that status.
    ``retry_after`` are the seconds that the server asked to wait (Retry-After), if it did, ``http_status`` is that of
    its answer.
    """

    retry_after: float | None = None
    http_status: int | None = None

    def __init__(
        self,
        status: Status | int,
        text: str | None = None,
        *,
        answer: Message | None = None,
        transaction_id: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        self.status = status if isinstance(status, Status) else Status(status, text)
        super().__init__(str(self.status))
        self.answer = answer
        self.transaction_id = transaction_id
        self.findings = tuple(findings)

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later (3000, 4006)."""
        return self.status.temporary


class AuthError(Mm7Error):
    """The server answered 401 or 403: why, as far as its challenge tells, and the first lines of what it said.

    ``challenge`` is its WWW-Authenticate (all lines, with commas between them), ``body`` the first 20 kB as they came.
    """

    def __init__(self, message: str, *, http_status: int, challenge: str | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.http_status = http_status
        self.challenge = challenge
        self.body = body


class TransportError(Mm7Error):
    """No usable answer: refused, timed out, cut short, or not MM7 at all.

    ``maybe_accepted`` is True where bytes of the request went out and no answer proves that it was not taken: sending
    it again may deliver the message twice. Where what came is no MM7, its HTTP status alone decides (RFC 9110 15), and
    the message ends with the first lines of its text, escaped, each behind ``  | ``. ``http_status`` and ``body``
    (first 20 kB) are what came back, if anything did; ``retry_after`` the seconds that the server asked to wait
    (Retry-After), if it did.
    """

    retry_after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        maybe_accepted: bool,
        http_status: int | None = None,
        body: bytes = b"",
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message)
        self.maybe_accepted = maybe_accepted
        self.http_status = http_status
        self.body = body
        self.findings = tuple(findings)
