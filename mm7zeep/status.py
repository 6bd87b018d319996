"""The MM7 status codes: number, text, meaning and class.

A code outside the table is taken as the x000 of its class, one outside 1xxx-4xxx as 3000 (TS 23.140 8.7, status code
table). Vendors use x500-x999 for codes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

StatusClass = Literal["success", "client", "server", "service"]

_CLASSES: Mapping[int, StatusClass] = MappingProxyType({1: "success", 2: "client", 3: "server", 4: "service"})


@dataclass(frozen=True, slots=True)
class StatusCode:
    """One row of the MM7 status table.

    ``text`` is the StatusText that belongs to ``code``; ``release`` is the first 3GPP release that lists it.
    """

    code: int
    text: str
    meaning: str
    release: int = 5

    @property
    def status_class(self) -> StatusClass:
        """The class that the first digit names: success, client, server or service."""
        return status_class(self.code)


@dataclass(frozen=True, slots=True)
class Status:
    """The Status of an answer: StatusCode, StatusText and, where given, Details.

    ``details`` is the XML content of Details, or its text where the sender wrote text (which the schema forbids).
    ``Status(2002)`` takes the standard's text.

    Raises ``ValueError`` for a code that is no positive integer (XSD statusCodeType).
    """

    code: int
    text: str | None = None
    details: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.code, int):
            raise ValueError(f"a StatusCode is a number such as 2002, not {type(self.code).__name__}")
        if self.code < 1:
            raise ValueError(f"StatusCode {self.code} is not a positive integer (XSD statusCodeType)")
        if self.text is None:
            object.__setattr__(self, "text", lookup(self.code).text)

    @property
    def ok(self) -> bool:
        """Whether the code is 1xxx."""
        return is_success(self.code)

    @property
    def status_class(self) -> StatusClass:
        """The class that the first digit names: success, client, server or service."""
        return status_class(self.code)

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return is_temporary(self.code)

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


_ROWS = (
    StatusCode(1000, "Success", "done in full"),
    StatusCode(1100, "Partial success", "done for some recipients or parts only"),
    StatusCode(2000, "Client error", "the request is wrong, no finer reason given"),
    StatusCode(2001, "Operation restricted", "the sender may not use this command"),
    StatusCode(2002, "Address Error", "an address is malformed or cannot be used"),
    StatusCode(2003, "Address Not Found", "the address is unknown"),
    StatusCode(2004, "Multimedia content refused", "the content is unreadable, of a wrong type or not accepted"),
    StatusCode(2005, "Message ID Not found", "there is no message with that MessageID (cancel, replace, report)"),
    StatusCode(2006, "LinkedID not found", "there is no message with that LinkedID"),
    StatusCode(2007, "Message format corrupt", "an element value is malformed, or the XML or MIME breaks its rules"),
    StatusCode(2008, "Application ID not found", "the ApplicID is unknown", 6),
    StatusCode(2009, "Reply Application ID not found", "the ReplyApplicID is unknown", 6),
    StatusCode(3000, "Server Error", "the server failed, no finer reason given"),
    StatusCode(3001, "Not Possible", "the server cannot do it, for instance because it is too late to cancel"),
    StatusCode(3002, "Message rejected", "the server will not take the message"),
    StatusCode(3003, "Multiple addresses not supported", "one recipient at a time, please"),
    StatusCode(3004, "Application Addressing not supported", "the server does not handle ApplicID", 6),
    StatusCode(4000, "General service error", "the service failed, no finer reason given"),
    StatusCode(4001, "Improper identification", "the VASP or VAS identification, or the credentials, are wrong"),
    StatusCode(4002, "Unsupported version", "the MM7Version is not served"),
    StatusCode(4003, "Unsupported operation", "the operation is not served"),
    StatusCode(4004, "Validation error", "SOAP and XML parse, but a value or the structure is not acceptable"),
    StatusCode(4005, "Service error", "trouble inside the service; do not send it again"),
    StatusCode(4006, "Service unavailable", "temporarily unavailable; try later"),
    StatusCode(4007, "Service denied", "no permission, no contract or no credit"),
    StatusCode(4008, "Application denied", "the addressed application refuses", 6),
)

STATUS_CODES: Mapping[int, StatusCode] = MappingProxyType({row.code: row for row in _ROWS})
"""Every standard code, by number."""

OPTED_OUT = StatusCode(2610, "Recipient opted out", "the recipient wants nothing more from this sender")
"""What the gateway of this package answers where every recipient has opted out."""
OWN_CODES: Mapping[int, StatusCode] = MappingProxyType({OPTED_OUT.code: OPTED_OUT})
"""The codes that this package's gateway answers with besides, by number; others may mean something else by them."""

# The server may do better next time. 4000 is left out: it is also used for what will never work.
_TEMPORARY = frozenset({3000, 4006})


def status_class(code: int) -> StatusClass:
    """The class of ``code``: its first digit; what is outside 1xxx-4xxx counts as ``server``."""
    return _CLASSES.get(code // 1000, "server")


def known(code: int) -> bool:
    """Whether ``code`` is in the standard's table."""
    return code in STATUS_CODES


def lookup(code: int) -> StatusCode:
    """The row for ``code``, or the x000 row of its class."""
    row = STATUS_CODES.get(code)
    if row is not None:
        return row
    return STATUS_CODES[code // 1000 * 1000] if 1 <= code // 1000 <= 4 else STATUS_CODES[3000]


def is_success(code: int) -> bool:
    """Whether ``code`` is 1xxx."""
    return 1000 <= code <= 1999


def is_temporary(code: int) -> bool:
    """Whether the same request may succeed later: 3000 and 4006. 2xxx and the other 4xxx never do."""
    return code in _TEMPORARY
