"""What goes in and comes out: ``Wire``, the HTTP message; ``Received``, the message; ``Judgement``, what lies between.

Values only: nothing here is read, judged or sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, tolerance
from mm7zeep.errors import LocalError, RemoteError
from mm7zeep.findings import Finding
from mm7zeep.messages import Fault, Message, Part
from mm7zeep.profiles import Policy, Profile

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One HTTP message: header fields and body; ``status`` for an answer, ``method`` and ``target`` for a request.

    ``body`` is bytes, or anything that gives bytes when iterated (``pack`` gives a ``mime.Stream``, with a length).
    No headers at all means a bare envelope, as in a file. ``headers`` may be given as a mapping.

    Raises ``LocalError`` for a body that is text.
    """

    body: bytes | Iterable[bytes]
    headers: Headers = ()
    status: int | None = None
    method: str | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.body, str) or not isinstance(self.body, Iterable):
            raise LocalError(f"the body is bytes, or an iterable of bytes, not {type(self.body).__name__}")
        if isinstance(self.body, bytearray | memoryview):
            object.__setattr__(self, "body", bytes(self.body))
        if isinstance(self.headers, Mapping):
            object.__setattr__(self, "headers", tuple(self.headers.items()))

    def header(self, name: str) -> str | None:
        """The first header field of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        if isinstance(self.body, bytes):
            yield self.body
        else:
            yield from self.body

    def read(self) -> bytes:
        """The whole body, in memory."""
        return b"".join(self.chunks())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a request was written, so that its answer can be written the same: namespaces as sent, prefix, version."""

    namespace: str | None
    soap_namespace: str
    mm7_version: str | None
    prefix: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as received.

    ``transaction_id`` is that of the request, which its answer repeats. That of a delivery report, a read reply or an
    MO names the request that brings it, and comes again where that is sent again; the message that a report is about is
    named by its ``message_id`` alone.

    ``namespace`` and ``mm7_version`` are as sent; ``profile`` is that of the schema it was read by. ``parts`` are the
    leaf content parts in order; ``findings`` all deviations met; ``envelope`` the SOAP part's bytes as received;
    ``headers`` those of HTTP.
    """

    message: Message
    transaction_id: str | None
    namespace: str | None
    mm7_version: str | None
    profile: Profile
    dialect: Dialect
    parts: tuple[Part, ...] = ()
    findings: tuple[Finding, ...] = ()
    envelope: bytes = b""
    headers: Headers = ()

    @property
    def operation(self) -> str:
        """The element in the Body: ``SubmitReq``, ``Fault``, ..."""
        return "Fault" if isinstance(self.message, Fault) else soap.element_name(type(self.message))


class Planned(NamedTuple):
    """The message of an envelope, as a plan (``exchange.plans``) or zeep gave it."""

    message: Message
    transaction_id: str | None
    namespace: str | None
    read_as: str
    dialect: Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What ``examine`` found: everything that could be read, and ``error`` if the message is refused under its
    policy.

    Where a plan was used there are ``planned`` and no trees, and of ``sketch.values`` only the reference.
    """

    policy: Policy
    findings: tuple[Finding, ...] = ()
    error: RemoteError | None = None
    package: mime.Package | None = None
    sketch: soap.Sketch = field(default_factory=soap.Sketch)
    tree: etree._Element | None = None
    repaired: tolerance.Repaired | None = None
    planned: Planned | None = None

    @property
    def accepted(self) -> bool:
        """Whether the message is not refused under its policy."""
        return self.error is None
