"""One frozen ``Profile`` per MM7 namespace, and the carrier profiles built on them.

A profile says what a namespace has (which elements, in which form) and what a carrier wants. It holds constants only:
no branch of the code names a carrier. Sources: the published schemas; carriers' own documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from mm7zeep.errors import LocalError

Policy = Literal["strict", "interop", "lenient"]

NAMESPACE_PREFIX = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
"""What every MM7 namespace begins with; the schema's name (``REL-6-MM7-1-4``) follows."""

SOAP_NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a carrier states a limit: the field of its ``Profile``, the document, its date (None: it bears none), and
    what is to be known of it.
    """

    limit: str
    document: str
    date: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one namespace has, and what one carrier wants.

    ``name`` is what ``profile`` finds it by, ``schema`` the last step of its namespace.

    From the schema: ``versions`` (MM7Version values it lists), ``transaction_attributes`` (TransactionID may carry
    mustUnderstand), ``typed_sender_address`` (SenderAddress holds an address element, not text),
    ``submit_rsp_message_id`` (SubmitRsp has MessageID), ``deliver_rsp_service_code`` (DeliverRsp has ServiceCode),
    ``report_date`` (the name of DeliveryReportReq's date), ``distribution`` (the name of SubmitReq's
    DistributionIndicator), ``delivery_condition`` (whether SubmitReq has DeliveryCondition, as text or as a list),
    ``extended`` (extendedCancel and extendedReplace are operations of it), ``alias_of`` (the schema it is made from,
    where its own was never published; None: its own).

    From the carrier: ``prefix`` for MM7 elements (None: default namespace), ``mm7_version`` to write, ``policy`` by
    which its answers are read, ``split`` (one recipient per request), ``smil`` (``auto`` adds a presentation to
    several parts, ``required`` to any, ``never`` leaves it out), ``empty_ack`` (an empty 2xx body acknowledges),
    ``submit_as_deliver`` (an MO may arrive as SubmitReq), ``fault_refusals`` (refuse by SOAP Fault, not by the matching
    Rsp), ``fault_status`` (the HTTP status of a Fault: 500 by SOAP 1.1 6.2, or 200), ``answer_schema`` (that of the
    answers to its requests; None: the request's own), ``report_schema`` (that of the carrier's MO and reports; None:
    ``schema``), ``encoding`` of binary parts, ``headers`` added to each request; how it refuses what exceeds a limit:
    ``oversize_http`` (the HTTP status, without an MM7 answer, for a request above ``max_message``; None: 2004, as for
    the other limits of content) and ``recipients_status`` (the MM7 status for more than ``max_recipients``).

    Limits that the carrier states, None for one that it does not: octets of the whole request with its envelope and
    encodings (``max_message``), of all parts together (``max_content``), of one part (``max_part``); the number of
    parts besides the presentation (``max_parts``); characters of the subject (``max_subject``) and of a Content-ID
    (``max_content_id``); recipients of one request (``max_recipients``); ``media_types`` besides text and SMIL.
    ``sources`` say where each is stated. Where documents of a carrier differ, the lowest for its own channel counts.
    """

    name: str
    schema: str
    mm7_version: str
    versions: tuple[str, ...]
    transaction_attributes: bool = True
    typed_sender_address: bool = True
    submit_rsp_message_id: bool = True
    deliver_rsp_service_code: bool = True
    report_date: Literal["Date", "TimeStamp"] = "Date"
    distribution: Literal["DistributionProtection", "DistributionIndicator"] = "DistributionIndicator"
    delivery_condition: Literal["none", "text", "list"] = "none"
    extended: bool = False
    alias_of: str | None = None

    prefix: str | None = "mm7"
    policy: Policy = "interop"
    split: bool = False
    smil: Literal["auto", "required", "never"] = "auto"
    empty_ack: bool = False
    submit_as_deliver: bool = False
    fault_refusals: bool = True
    fault_status: Literal[500, 200] = 500
    answer_schema: str | None = None
    report_schema: str | None = None
    encoding: Literal["binary", "base64"] = "binary"
    headers: tuple[tuple[str, str], ...] = ()
    oversize_http: Literal[413] | None = None
    recipients_status: int = 3003

    max_message: int | None = None
    max_content: int | None = None
    max_part: int | None = None
    max_parts: int | None = None
    max_subject: int | None = None
    max_content_id: int | None = None
    max_recipients: int | None = None
    media_types: tuple[str, ...] | None = None
    sources: tuple[Source, ...] = field(default=(), hash=False)

    @property
    def max_size(self) -> int | None:
        """Octets in which a whole message keeps every limit of size that is stated; None for none."""
        stated = [one for one in (self.max_message, self.max_content, self.max_part) if one is not None]
        return min(stated, default=None)

    @property
    def namespace(self) -> str:
        """The URI of the MM7 namespace."""
        return NAMESPACE_PREFIX + self.schema

    @property
    def release(self) -> int:
        """The 3GPP release: 5 or 6."""
        return int(self.schema.split("-")[1])


REL_5_MM7_1_0 = Profile(
    name="REL-5-MM7-1-0",
    schema="REL-5-MM7-1-0",
    mm7_version="5.3.0",
    versions=("5.3.0",),
    transaction_attributes=False,
    typed_sender_address=False,
    submit_rsp_message_id=False,
    deliver_rsp_service_code=False,
    distribution="DistributionProtection",
)
REL_5_MM7_1_1 = replace(
    REL_5_MM7_1_0,
    name="REL-5-MM7-1-1",
    schema="REL-5-MM7-1-1",
    submit_rsp_message_id=True,
    deliver_rsp_service_code=True,
    distribution="DistributionIndicator",
)
REL_5_MM7_1_2 = replace(
    REL_5_MM7_1_1, name="REL-5-MM7-1-2", schema="REL-5-MM7-1-2", transaction_attributes=True, typed_sender_address=True
)
REL_5_MM7_1_3 = replace(
    REL_5_MM7_1_2,
    name="REL-5-MM7-1-3",
    schema="REL-5-MM7-1-3",
    mm7_version="5.6.0",
    versions=("5.3.0", "5.5.0", "5.6.0"),
)
REL_5_MM7_1_4 = replace(
    REL_5_MM7_1_3,
    name="REL-5-MM7-1-4",
    schema="REL-5-MM7-1-4",
    mm7_version="5.8.0",
    versions=("5.3.0", "5.5.0", "5.6.0", "5.8.0"),
    report_date="TimeStamp",
)
# REL-5-MM7-1-5 is known to exist, but its file was never seen: inferred from what 6/1-1 -> 6/1-2 did to the parts that
# both releases share.
REL_5_MM7_1_5 = replace(
    REL_5_MM7_1_3,
    name="REL-5-MM7-1-5",
    schema="REL-5-MM7-1-5",
    mm7_version="5.10.0",
    versions=("5.3.0", "5.5.0", "5.6.0", "5.8.0", "5.10.0"),
    alias_of="REL-5-MM7-1-3",
)
REL_6_MM7_1_0 = replace(
    REL_5_MM7_1_3,
    name="REL-6-MM7-1-0",
    schema="REL-6-MM7-1-0",
    mm7_version="6.3.0",
    versions=("5.3.0", "5.5.0", "5.6.0", "6.3.0"),
)
REL_6_MM7_1_1 = replace(
    REL_6_MM7_1_0,
    name="REL-6-MM7-1-1",
    schema="REL-6-MM7-1-1",
    mm7_version="6.4.0",
    versions=("5.3.0", "5.5.0", "5.6.0", "5.8.0", "6.3.0", "6.4.0"),
    report_date="TimeStamp",
)
REL_6_MM7_1_2 = replace(
    REL_6_MM7_1_1,
    name="REL-6-MM7-1-2",
    schema="REL-6-MM7-1-2",
    mm7_version="6.5.0",
    versions=("5.3.0", "5.5.0", "5.6.0", "5.8.0", "5.10.0", "6.3.0", "6.4.0", "6.5.0"),
    report_date="Date",
)
REL_6_MM7_1_3 = replace(
    REL_6_MM7_1_2,
    name="REL-6-MM7-1-3",
    schema="REL-6-MM7-1-3",
    mm7_version="6.6.0",
    versions=(*REL_6_MM7_1_2.versions, "6.6.0"),
    delivery_condition="text",
)
REL_6_MM7_1_4 = replace(
    REL_6_MM7_1_3,
    name="REL-6-MM7-1-4",
    schema="REL-6-MM7-1-4",
    mm7_version="6.8.0",
    versions=(*REL_6_MM7_1_3.versions, "6.8.0"),
    delivery_condition="list",
    extended=True,
)

NAMESPACES: Mapping[str, Profile] = MappingProxyType(
    {
        one.namespace: one
        for one in (
            REL_5_MM7_1_0, REL_5_MM7_1_1, REL_5_MM7_1_2, REL_5_MM7_1_3, REL_5_MM7_1_4, REL_5_MM7_1_5,
            REL_6_MM7_1_0, REL_6_MM7_1_1, REL_6_MM7_1_2, REL_6_MM7_1_3, REL_6_MM7_1_4,
        )
    }
)  # fmt: skip
"""The profile of each MM7 namespace, by its URI."""

GENERIC_5_3_0 = replace(REL_5_MM7_1_2, name="generic-5.3.0")
"""REL-5-MM7-1-2 with 5.3.0 and the prefix ``mm7``: what most MMSCs of the first generation take."""

GENERIC_6_8_0 = replace(REL_6_MM7_1_4, name="generic-6.8.0", prefix=None)
"""REL-6-MM7-1-4 with 6.8.0 in the default namespace: the newest of TS 23.140."""

MBUNI = replace(
    REL_5_MM7_1_0,
    name="mbuni",
    fault_refusals=False,
    fault_status=200,
    answer_schema="REL-5-MM7-1-2",
    report_schema="REL-5-MM7-1-2",
)
"""mbuni's mmsbox as a VASP: it speaks REL-5-MM7-1-0, whose SubmitRsp has no place for the MessageID that it needs, so
that it is answered in REL-5-MM7-1-2. MO and reports are in REL-5-MM7-1-2, too: in its own namespace a number has no
``+``. Faults come with HTTP 200, as its own do. A read reply ends the process (measured): ask for none.
"""

OPTUS = replace(
    REL_5_MM7_1_3,
    name="optus",
    mm7_version="5.3.0",
    prefix=None,
    split=True,
    max_recipients=1,
    sources=(Source("max_recipients", "sms.optus.com.au, mm7", note="several are answered 3003"),),
    report_schema="REL-6-MM7-1-4",
)
"""Optus (AU): 5.3.0 in REL-5-MM7-1-3, one recipient per request (3003), MO and reports in REL-6-MM7-1-4 with 5.3.0."""

SINCH = replace(
    REL_6_MM7_1_4,
    name="sinch",
    prefix=None,
    split=True,
    smil="required",
    recipients_status=2503,
    max_part=1_000_000,
    max_content=2_048_000,
    max_subject=80,
    max_recipients=1,
    media_types=(
        "image/jpeg", "image/png", "image/gif", "image/bmp", "video/mp4", "video/3gpp", "audio/mpeg", "audio/wav",
        "audio/amr", "text/vcard", "application/pdf",
    ),
    sources=(
        Source("max_part", "community.sinch.com 7847", note="1000 KB of a kind of media, where nothing is transcoded"),
        Source("max_content", "community.sinch.com 6972", note="2048 KB, the object that is transcoded"),
        Source("max_subject", "community.sinch.com 7847", note="40 advised"),
        Source("max_recipients", "community.sinch.com 7847", note="several are answered 2503, but in group chats"),
        Source("media_types", "community.sinch.com 7847"),
    ),
)  # fmt: skip
"""Sinch, formerly mblox (US): SMIL required, one recipient except in group chats; VASPID is the API key."""

SKYCORE = replace(
    REL_6_MM7_1_4,
    name="skycore",
    prefix=None,
    split=True,
    smil="required",
    recipients_status=2503,
    max_recipients=1,
    sources=(Source("max_recipients", "apidocs.skycore.com, sendMMS", note="several are answered 2503"),),
)
"""Skycore (US): as Sinch; retries an MO or report five times, unless answered 200 within 10 s."""

OPENMARKET = replace(
    REL_6_MM7_1_4,
    name="openmarket",
    max_content_id=19,
    sources=(Source("max_content_id", "openmarket.com, mms-building-a-message", note="fewer than 20 characters"),),
)
"""OpenMarket (US, UK, IE, AU): any namespace valid for its version; UAProf is an HTTP header below 6.8.0."""

_VIBES = (
    Source("max_message", "developer-aggregation.vibes.com, send-an-mms", note="1 MB of encoded body, else HTTP 413"),
)
VIBES_5_5 = replace(
    REL_5_MM7_1_2, name="vibes-5.5", max_message=1_000_000, sources=_VIBES, empty_ack=True, oversize_http=413
)
"""Vibes (US), its profile "MM7 5.5.0": REL-5-MM7-1-2, and MM7Version 5.3.0 all the same; 1 MB; a blank 200
acknowledges."""

VIBES_6_8 = replace(
    REL_6_MM7_1_4, name="vibes-6.8", max_message=1_000_000, sources=_VIBES, empty_ack=True, oversize_http=413
)
"""Vibes (US), its profile "6.8.0"."""

TELNYX = replace(
    REL_6_MM7_1_4,
    name="telnyx",
    prefix=None,
    max_content=600_000,
    max_parts=10,
    max_recipients=8,
    media_types=(
        "image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff", "image/webp", "video/mp4", "video/3gpp",
        "video/quicktime", "audio/mpeg", "audio/wav", "audio/amr", "audio/ogg", "application/pdf", "text/vcard",
        "text/calendar",
    ),
    sources=(
        Source(
            "max_content", "developers.telnyx.com, mms-transcoding",
            note="600 KB is what it calls safe; its API takes less than 1 MB of media, the smallest carriers 300 KB",
        ),
        Source("max_parts", "developers.telnyx.com, mms-transcoding"),
        Source("max_recipients", "developers.telnyx.com, group_mms", note="of a group message"),
        Source("media_types", "developers.telnyx.com, mms-transcoding"),
    ),
)  # fmt: skip
"""Telnyx (US, CA): Bearer API key; To and Cc."""

FIBERNETICS = replace(REL_6_MM7_1_4, name="fibernetics", prefix=None, submit_as_deliver=True)
"""Fibernetics (CA): Basic and an IP allow-list; an MO may arrive as DeliverReq or SubmitReq."""

CARRIERS: Mapping[str, Profile] = MappingProxyType(
    {
        one.name: one
        for one in (
            GENERIC_5_3_0, GENERIC_6_8_0, MBUNI, OPTUS, SINCH, SKYCORE, OPENMARKET, VIBES_5_5, VIBES_6_8, TELNYX,
            FIBERNETICS,
        )
    }
)  # fmt: skip
"""The generic and carrier profiles, by name."""


def profile(name: str | Profile | None = None) -> Profile:
    """The profile called ``name``: a carrier (``optus``), a schema (``REL-5-MM7-1-3``) or a namespace URI.

    None gives ``generic-6.8.0``. Raises ``LocalError`` naming the known ones.
    """
    if name is None:
        return GENERIC_6_8_0
    if isinstance(name, Profile):
        return name
    if not isinstance(name, str):
        raise LocalError(f"profile is a name such as 'optus', or a Profile, not {type(name).__name__}")
    found = CARRIERS.get(name.lower()) or NAMESPACES.get(name) or NAMESPACES.get(NAMESPACE_PREFIX + name.upper())
    if found is None:
        schemas = ", ".join(one.schema for one in NAMESPACES.values())
        raise LocalError(f"no profile {name!r}; known are {', '.join(CARRIERS)} and the schemas {schemas}")
    return found


def policy(name: str) -> Policy:
    """``name`` if it is a policy. Raises ``LocalError`` otherwise: a misspelt one must not be taken for a mild one."""
    for known in ("strict", "interop", "lenient"):
        if name == known:
            return known
    raise LocalError(f"no policy {name!r}; use strict, interop or lenient")
