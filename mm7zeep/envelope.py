"""Messages to and from SOAP 1.1 envelopes, through zeep's own operations.

``parse`` is the hardened XML door, ``write`` and ``read`` cross it with messages, ``sketch`` reads by local name what
no schema need accept. Refuses what is not one envelope with one Body; never opens a file, a socket or an entity. zeep
is imported where used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, cast

import isodate
from lxml import etree

from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.errors import EnvelopeError, LimitError, LocalError
from mm7zeep.findings import finding
from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE, Profile
from mm7zeep.status import Status

SOAP_PREFIX = "soap-env"
"""The prefix that zeep gives SOAP elements."""

_SOAP = f"{{{SOAP_NAMESPACE}}}"
_MUST_UNDERSTAND = f"{_SOAP}mustUnderstand"

# --- the operations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operation:
    """One MM7 operation: its name in the WSDL, who serves it, and its three messages."""

    name: str
    binding: Literal["MmscBinding", "VaspBinding"]
    request: type[m.Message]
    response: type[m.Response]
    error: type[m.RSErrorRsp] | type[m.VASPErrorRsp]


def element_name(kind: type[m.Message]) -> str:
    """The element that carries messages of class ``kind``: its name, but ``extended...`` begins small."""
    name = kind.__name__
    return "e" + name[1:] if name.startswith("Extended") else name


# --- the hardened door ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLimits:
    """``size`` in octets of UTF-8, ``depth`` of nesting, number of ``elements``, of ``attributes`` of one, of
    ``recipients``.
    """

    size: int = 1024 * 1024
    depth: int = 64
    elements: int = 50_000
    attributes: int = 64
    recipients: int = 1000


_ADDRESS_TAGS = ("Number", "RFC2822Address", "ShortCode")
_DECLARATION = re.compile(rb"\s*<\?xml\s")
_PROLOG = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)


def parse(data: bytes, limits: XmlLimits = XmlLimits()) -> etree._Element:
    """Parse ``data`` (UTF-8, without XML declaration) into a tree without comments.

    Raises ``EnvelopeError`` if it is not well-formed with namespaces or has a DOCTYPE (SOAP 1.1 3), ``LimitError`` if
    it is larger, deeper or richer than ``limits``. No entity is expanded, nothing is fetched.
    """
    if len(data) > limits.size:
        raise _too_much("size", f"the envelope has {len(data)} octets, more than {limits.size}")
    if data.count(b"<") > 2 * limits.elements + 16 or data.count(b"=") > 4 * limits.elements:
        raise _too_much("elements", f"the envelope has more than {limits.elements} elements")
    text = data.decode("utf-8")
    start = cast("re.Match[str]", _PROLOG.match(text)).end()
    if text.startswith("<!DOCTYPE", start):
        raise _doctype(f"byte {start}")
    if _DECLARATION.match(data):
        raise _ill_formed("the XML declaration is malformed or stands there twice", "byte 0")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise _ill_formed(str(error.msg), f"line {line} column {column}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype("/")
    _check_shape(root, limits)
    return root


def _doctype(where: str) -> EnvelopeError:
    # SOAP 1.1 3: a SOAP message MUST NOT contain a Document Type Declaration.
    found = finding("xml/no-dtd", where, action="refused")
    return EnvelopeError("the envelope has a DOCTYPE; remove it (SOAP 1.1 3)", [found])


def _too_much(what: str, reason: str) -> LimitError:
    return LimitError(f"{reason}; send less", [finding("xml/limit", detail=what, action="refused")])


def _ill_formed(reason: str, where: str) -> EnvelopeError:
    found = finding("xml/well-formed", where, detail=reason, action="refused")
    return EnvelopeError(f"the envelope is not well-formed: {reason}", [found], status=2007)


def _check_shape(root: etree._Element, limits: XmlLimits) -> None:
    depth = count = recipients = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "end" or not isinstance(element.tag, str):
            continue
        count += 1
        recipients += element.tag.endswith(_ADDRESS_TAGS)
        over = {
            "depth": depth > limits.depth,
            "elements": count > limits.elements,
            "attributes": len(element.attrib) > limits.attributes,
            "recipients": recipients > limits.recipients + 2,  # the sender's own address is one, too
        }
        if any(over.values()):
            what = next(name for name, exceeded in over.items() if exceeded)
            most = getattr(limits, what)
            raise LimitError(
                f"the envelope has more than {most} {what}; send less",
                [finding("xml/limit", detail=what, action="refused")],
            )


def serialize(envelope: etree._Element) -> bytes:
    """The envelope as UTF-8 with an XML declaration."""
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


# --- values -----------------------------------------------------------------------------------------------------------


def moment_text(value: object, what: str) -> str:
    """xs:dateTime or xs:duration text. Raises ``LocalError`` for a datetime without zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise LocalError(f"{what} has no time zone; give one, for instance datetime.now(timezone.utc)")
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, isodate.Duration):
        months = int(value.years * 12 + value.months)
        return _duration(value.tdelta, months)
    if isinstance(value, timedelta):
        return _duration(value, 0)
    raise LocalError(f"{what} must be a datetime or a timedelta, not {type(value).__name__}")


def _duration(span: timedelta, months: int) -> str:
    negative = span < timedelta(0) or months < 0
    if negative:
        span, months = -span, -months
    if span < timedelta(0) or months < 0:
        raise LocalError("a duration cannot be both forward and backward")
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    date = "".join(f"{n}{u}" for n, u in ((months // 12, "Y"), (months % 12, "M"), (span.days, "D")) if n)
    clock = "".join(f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M")) if n)
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    return ("-" if negative else "") + "P" + (date + ("T" + clock if clock else "") or "T0S")


def moment_value(text: str | datetime) -> m.Moment:
    """The datetime or span that ``text`` means. Raises ``ValueError`` if Python cannot hold it."""
    value: m.Moment
    if isinstance(text, datetime):
        value = text
    elif text.lstrip("-").startswith("P"):
        value = isodate.parse_duration(text)
    else:
        value = isodate.parse_datetime(text)
    if isinstance(value, datetime) and value.tzinfo is not None:
        offset = value.utcoffset() or timedelta(0)
        value = value.replace(tzinfo=UTC if not offset else timezone(offset))
    return value


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one kind of value goes into zeep's arguments and comes out of its values."""

    put: Callable[[Any, schema.Type, str], object]
    get: Callable[[Any], object]


def _put_text(value: Any, kind: schema.Type, what: str) -> object:
    text = str(value)
    if any((c < " " and c not in "\t\n\r") or c in "\ufffe\uffff" or "\ud800" <= c <= "\udfff" for c in text):
        raise LocalError(f"{what} holds a character that XML 1.0 forbids; remove it")
    return text


def _get_text(value: Any) -> object:
    if isinstance(value, Mapping):
        value = value.get("_value_1")
    return None if value is None else str(value)


def _put_condition(value: Any, kind: schema.Type, what: str) -> object:
    if kind.content == "text":
        return _put_text(value, kind, what)
    try:
        return {"DC": [int(one) for one in ([value] if isinstance(value, str) else value)]}
    except ValueError as error:
        raise LocalError(f"{what} is a list of numbers in this namespace, not {value!r}") from error


def _get_condition(value: Any) -> object:
    return tuple(int(one) for one in value.get("DC") or ()) if isinstance(value, Mapping) else value


def _put_address(value: Any, kind: schema.Type, what: str) -> object:
    if kind.content == "text":  # SenderAddress in REL-5-MM7-1-0 and 1-1
        return _put_text(value.value, kind, what)
    return _typed(value, kind, what)


def _typed(value: m.Address, kind: schema.Type, what: str) -> dict[str, object]:
    child = kind.child(value.kind)
    if child is None:
        raise LocalError(f"{what} is a {type(value).__name__}; use Number, RFC2822Address or ShortCode")
    text = _put_text(value.value, kind, what)
    extra: dict[str, object] = {"displayOnly": True} if value.display_only else {}
    extra |= {name: given for name, given in (("id", value.id), ("addressCoding", value.coding)) if given is not None}
    for name in extra:
        if name not in child.type.attributes:
            raise LocalError(f"{what} has {name}, which this namespace does not have; release 6 has it")
    return {value.kind: {"_value_1": text, **extra} if extra else text}


def _get_address(value: Any) -> object:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return m.address(str(value)) if str(value).strip() else None
    return next(_addresses([value]), None)


_KINDS: Mapping[str, type[m.Address]] = {
    "Number": m.Number,
    "RFC2822Address": m.RFC2822Address,
    "ShortCode": m.ShortCode,
}


def _addresses(values: list[Any]) -> Iterator[m.Address]:
    for entry in values:
        for name, kind in _KINDS.items():
            inner = entry.get(name)
            if inner is None:
                continue
            given = inner if isinstance(inner, Mapping) else {"_value_1": inner}
            yield kind(
                given.get("_value_1") or "",
                display_only=given.get("displayOnly") in (True, "true", "1"),
                coding=given.get("addressCoding"),
                id=given.get("id"),
            )


def _put_charging(value: Any, kind: schema.Type, what: str) -> object:
    deadline = None if value.deadline is None else moment_text(value.deadline, f"{what}.deadline")
    return {"replyChargingSize": value.size, "replyDeadline": deadline}


def _get_charging(value: Any) -> object:
    deadline = value.get("replyDeadline")
    return m.ReplyCharging(
        size=value.get("replyChargingSize"), deadline=None if deadline is None else moment_value(deadline)
    )


def _put_capabilities(value: Any, kind: schema.Type, what: str) -> object:
    stamp = None if value.time_stamp is None else moment_text(value.time_stamp, f"{what}.time_stamp")
    return {"UAProf": value.ua_prof, "TimeStamp": stamp}


def _get_capabilities(value: Any) -> object:
    stamp = value.get("TimeStamp")
    return m.UACapabilities(ua_prof=value.get("UAProf"), time_stamp=None if stamp is None else moment_value(stamp))


def _put_status(value: Any, kind: schema.Type, what: str) -> object:
    status: dict[str, object] = {"StatusCode": value.code}
    if kind.child("StatusText") is not None:
        status["StatusText"] = _put_text(value.text, kind, what)
        if value.details:
            status["Details"] = {"_value_1": _fragment(value.details)}
    return status


_DETAILS_TEXT = "{urn:mm7zeep:details}text"


def _fragment(details: str) -> list[etree._Element]:
    """Details takes elements only (XSD anyDataType): text is wrapped in one."""
    if details.lstrip().startswith("<"):
        try:
            return list(etree.fromstring(f"<d>{details}</d>", etree.XMLParser(resolve_entities=False, no_network=True)))
        except etree.XMLSyntaxError:
            pass  # not XML after all: it is text
    element = etree.Element(_DETAILS_TEXT, nsmap={"d": "urn:mm7zeep:details"})
    element.text = details
    return [element]


def _get_status(value: Any) -> object:
    inner: list[etree._Element] = (value.get("Details") or {}).get("_value_1") or []
    if len(inner) == 1 and inner[0].tag == _DETAILS_TEXT:  # as ``_fragment`` wraps text
        details = inner[0].text or ""
    else:
        details = "".join(etree.tostring(one, method="c14n", exclusive=True).decode() for one in inner)
    text = value.get("StatusText") or "" if "StatusText" in value else None  # the extended operations have none
    code = value.get("StatusCode")
    return Status(3000 if code is None else int(code), text, details or None)  # without a code it is no success


def _put_moment(value: Any, kind: schema.Type, what: str) -> object:
    if kind.simple == "dateTime" and not isinstance(value, datetime):
        raise LocalError(f"{what} is a point in time: it must be a datetime, not {type(value).__name__}")
    return moment_text(value, what)


_TEXT = _Codec(_put_text, _get_text)
_BOOL = _Codec(lambda value, kind, what: bool(value), lambda value: value)
_MOMENT = _Codec(_put_moment, lambda value: moment_value(value))
_ADDRESS = _Codec(_put_address, _get_address)
_STATUS = _Codec(_put_status, _get_status)
_CONDITION = _Codec(_put_condition, _get_condition)
_CHARGING = _Codec(_put_charging, _get_charging)
_CAPABILITIES = _Codec(_put_capabilities, _get_capabilities)

# field -> element names in the order of preference, where a namespace has one or another
_PATHS: Mapping[str, tuple[str, ...]] = {
    "vaspid": ("SenderIdentification/VASPID", "VASPID"),
    "vasid": ("SenderIdentification/VASID", "VASID"),
    "sender_address": ("SenderIdentification/SenderAddress",),
    "date": ("Date", "TimeStamp"),
    "distribution_indicator": ("DistributionIndicator", "DistributionProtection"),
    "mm7_version": ("MM7Version",),
    "mms_relay_server_id": ("MMSRelayServerID",),
    "message_id": ("MessageID",),
    "linked_id": ("LinkedID",),
    "charged_party_id": ("ChargedPartyID",),
    "applic_id": ("ApplicID",),
    "reply_applic_id": ("ReplyApplicID",),
    "sender_spi": ("SenderSPI",),
    "recipient_spi": ("RecipientSPI",),
    "reply_charging_id": ("ReplyChargingID",),
    "ua_capabilities": ("UACapabilities",),
    "drm_content": ("DRMContent",),
    "mm_status": ("MMStatus",),
    "mm_status_extension": ("MMStatusExtension",),
    "cancel_id": ("CancelID",),
    "replace_id": ("ReplaceID",),
}
_CODECS: Mapping[str, _Codec] = {
    **dict.fromkeys(("time_stamp", "date", "earliest_delivery_time", "expiry_date"), _MOMENT),
    **dict.fromkeys(("delivery_report", "read_reply", "distribution_indicator", "drm_content"), _BOOL),
    **dict.fromkeys(("sender_address", "sender", "recipient"), _ADDRESS),
    "status": _STATUS,
    "delivery_condition": _CONDITION,
    "reply_charging": _CHARGING,
    "ua_capabilities": _CAPABILITIES,
}
# what has a place of its own below
_APART = frozenset(
    {"to", "cc", "bcc", "previously_sent", "content_href", "allow_adaptations", "parts", "extensions", "unparsed"}
)


def paths(name: str) -> tuple[str, ...]:
    """The element paths that the message field ``name`` may stand in."""
    return _PATHS.get(name) or ("".join(word.capitalize() for word in name.split("_")),)


_NO_MESSAGE_ID = "-"  # what stands for "none" in a refusal in REL-5-MM7-1-1

# --- message -> zeep arguments ----------------------------------------------------------------------------------------


def to_values(message: m.Message, profile: Profile) -> dict[str, Any]:
    """The arguments of the zeep operation that carries ``message`` in the namespace and version of ``profile``.

    Raises ``LocalError`` for a field that the namespace does not have, or a value without a form there.
    """
    element = element_name(type(message))
    kind = schema.model(profile.namespace).get(element)
    if kind is None:
        raise LocalError(f"{element} does not exist in {profile.schema}; REL-6-MM7-1-4 has it")
    values: dict[str, Any] = {"MM7Version": message.mm7_version or profile.mm7_version}
    for one in fields(message):
        given = getattr(message, one.name)
        if one.name in _APART or one.name == "mm7_version" or given is None:
            continue
        if one.name == "message_id" and not kind.child("MessageID"):
            continue  # SubmitRsp in REL-5-MM7-1-0 has no place for it
        if one.name == "message_id" and not given.strip():
            raise LocalError("the MessageID is empty; name the message (TS 23.140 8.7.1)")
        where, target = _place(kind, one.name, profile)
        _set(values, where, _CODECS.get(one.name, _TEXT).put(given, target, where))
    if isinstance(message, m.VaspRequest):
        values.setdefault("SenderIdentification", {})
    if (
        isinstance(message, m.SubmitRsp)
        and message.message_id is None
        and not message.status.ok
        and kind.child("MessageID")
    ):
        # required by the schema even where nothing was accepted; an NMTOKEN cannot be empty
        values["MessageID"] = "" if profile.transaction_attributes else _NO_MESSAGE_ID
    if isinstance(message, m.SubmitReq | m.DeliverReq):
        _put_recipients(values, message, kind)
    if isinstance(message, m.DeliverReq) and message.previously_sent:
        _put_previous(values, message, kind, profile)
    if (href := getattr(message, "content_href", None)) is not None:
        values["Content"] = {"href": href}
        if (adapt := getattr(message, "allow_adaptations", None)) is not None:
            values["Content"]["allowAdaptations"] = adapt
    return values


def _place(kind: schema.Type, name: str, profile: Profile) -> tuple[str, schema.Type]:
    for candidate in paths(name):
        target: schema.Type | None = kind
        for step in candidate.split("/"):
            child = target.child(step) if target is not None else None
            target = child.type if child is not None else None
        if target is not None:
            return candidate, target
    what = f"{paths(name)[0]} ({name}) does not exist in this message of {profile.schema}"
    raise LocalError(f"{what}; leave it out or take another namespace")


def _set(values: dict[str, Any], where: str, value: object) -> None:
    *parents, last = where.split("/")
    for step in parents:
        values = values.setdefault(step, {})
    values[last] = value


def _put_recipients(values: dict[str, Any], message: m.SubmitReq | m.DeliverReq, kind: schema.Type) -> None:
    recipients = cast("schema.Child", kind.child("Recipients")).type
    groups = []
    for name, given in (("To", message.to), ("Cc", message.cc), ("Bcc", message.bcc)):
        if given:
            inner = cast("schema.Child", recipients.child(name)).type
            groups.append({name: {"_value_1": [_typed(one, inner, name) for one in given]}})
    if groups:
        values["Recipients"] = {"_value_1": groups}


def _put_previous(values: dict[str, Any], message: m.DeliverReq, kind: schema.Type, profile: Profile) -> None:
    agents: list[dict[str, object]] = []
    moments: list[dict[str, object]] = []
    for one in message.previously_sent:
        sequence = {} if one.sequence is None else {"sequence": one.sequence}
        if one.address is not None:
            _, outer = _place(kind, "previouslysentby", profile)
            agents.append(
                {**_typed(one.address, cast("schema.Child", outer.child("UserAgent")).type, "UserAgent"), **sequence}
            )
        if one.moment is not None:
            moments.append({"_value_1": moment_text(one.moment, "Previouslysentdateandtime"), **sequence})
    if agents:
        values["Previouslysentby"] = {"UserAgent": agents}
    if moments:
        values["Previouslysentdateandtime"] = {"DateTime": moments}


# --- zeep values -> message -------------------------------------------------------------------------------------------


def from_values(kind: type[m.Message], values: Mapping[str, Any]) -> m.Message:
    """The message of class ``kind`` that zeep's deserialized ``values`` hold."""
    given: dict[str, Any] = {}
    for one in fields(kind):
        if one.name in _APART:
            continue
        raw = next((found for place in paths(one.name) if (found := _dig(values, place)) is not None), None)
        if raw is not None:
            given[one.name] = _CODECS.get(one.name, _TEXT).get(raw)
        elif one.name == "status":
            given[one.name] = Status(3000, "")  # an answer without a legible Status is no success
        elif one.default is MISSING and one.default_factory is MISSING:
            given[one.name] = None if one.name in ("sender", "recipient") else ""
    names = {one.name for one in fields(kind)}
    if "to" in names:
        given |= _get_recipients(values.get("Recipients"))
    if "previously_sent" in names:
        given["previously_sent"] = _get_previous(values)
    if kind is m.SubmitRsp and given.get("message_id") in ("", _NO_MESSAGE_ID) and not given["status"].ok:
        given["message_id"] = None
    content = values.get("Content")
    if content and "content_href" in names:
        given["content_href"] = content.get("href")
        given["allow_adaptations"] = content.get("allowAdaptations")
    return kind(**given)


def _dig(values: Any, where: str) -> Any:
    for step in where.split("/"):
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def _get_recipients(value: Any) -> dict[str, tuple[m.Address, ...]]:
    found: dict[str, list[m.Address]] = {"to": [], "cc": [], "bcc": []}
    for group in (value or {}).get("_value_1") or ():
        for name in found:
            inner = group.get(name.capitalize())
            if inner:
                found[name] += _addresses(inner.get("_value_1") or [])
    return {name: tuple(entries) for name, entries in found.items()}


def _get_previous(values: Mapping[str, Any]) -> tuple[m.PreviouslySent, ...]:
    agents = (values.get("Previouslysentby") or {}).get("UserAgent") or []
    moments = (values.get("Previouslysentdateandtime") or {}).get("DateTime") or []
    found = [m.PreviouslySent(sequence=one.get("sequence"), address=next(_addresses([one]), None)) for one in agents]
    by_number: dict[int | None, int] = {one.sequence: at for at, one in enumerate(found) if one.sequence is not None}
    for one in moments:
        given = one if isinstance(one, Mapping) else {"_value_1": one}
        sent = m.PreviouslySent(sequence=given.get("sequence"), moment=moment_value(given.get("_value_1") or ""))
        at = by_number.pop(sent.sequence, None)
        if at is None:
            found.append(sent)
        else:
            found[at] = replace(found[at], moment=sent.moment)
    return tuple(found)


# --- writing ----------------------------------------------------------------------------------------------------------


def write(message: m.Message, *, transaction_id: str, profile: Profile) -> etree._Element:
    """The envelope of ``message`` in the namespace of ``profile``, serialized by the zeep operation it belongs to.

    Extensions are not in it yet (``extend`` adds them after validation). Raises ``LocalError`` for what the namespace
    has no form for.
    """
    if not transaction_id.strip():
        raise LocalError("the TransactionID is empty; give one (TS 23.140 8.7.1)")
    _put_text(transaction_id, schema.Type("", "text"), "TransactionID")
    if isinstance(message, m.Fault | m.RSErrorRsp | m.VASPErrorRsp):
        envelope = _write_fault(message, transaction_id, profile)
    else:
        operation, side = _BY_CLASS[type(message)]
        corner = getattr(zeep_operation(operation, profile.namespace), side)
        values = to_values(message, profile)
        envelope = _serialized(corner, values, soap_headers(transaction_id, profile))
    return finish(envelope, profile)


def _serialized(corner: Any, values: dict[str, Any], headers: dict[str, Any]) -> etree._Element:
    import zeep.exceptions

    try:
        return cast("etree._Element", corner.serialize(**values, _soapheaders=headers).content)
    except (zeep.exceptions.Error, TypeError, ValueError) as error:
        raise LocalError(f"the message cannot be written: {error}") from error


def zeep_operation(operation: Operation, namespace: str) -> Any:
    """The zeep operation of ``namespace``: ``.input`` and ``.output`` serialize and deserialize."""
    bindings = schema.wsdl(namespace).bindings
    found = next(one for name, one in bindings.items() if name.endswith(operation.binding))
    try:
        return found.get(operation.name)
    except ValueError:
        raise LocalError(
            f"{operation.name} does not exist in {NAMESPACES[namespace].schema}; REL-6-MM7-1-4 has it"
        ) from None


def soap_headers(transaction_id: str, profile: Profile) -> dict[str, Any]:
    """Zeep's ``_soapheaders`` for the TransactionID."""
    if not profile.transaction_attributes:
        return {"TransactionID": transaction_id}
    return {"TransactionID": {"_value_1": transaction_id, "mustUnderstand": True}}


def finish(envelope: etree._Element, profile: Profile) -> etree._Element:
    """What zeep leaves to do: mustUnderstand as ``1`` (SOAP 1.1 4.2.3 forbids ``true``), and the profile's namespace
    prefix.
    """
    own = f"{{{profile.namespace}}}"
    for holder in list(envelope.iter(f"{_SOAP}Header", f"{_SOAP}Body", "detail")):
        for index, child in enumerate(holder):
            if schema.namespace_of(child) == profile.namespace:
                # libxml2 cannot undeclare a default namespace, so foreign elements inside need a prefix around them
                prefix = "mm7" if child.find(f".//{own}Details") is not None else profile.prefix
                holder[index] = _styled(
                    child, profile.namespace, etree.Element(child.tag, nsmap={cast("str", prefix): profile.namespace})
                )
    return envelope


def _styled(source: etree._Element, own: str, target: etree._Element) -> etree._Element:
    target.text, target.tail = source.text, source.tail
    for name, value in source.attrib.items():
        if name == _MUST_UNDERSTAND:
            value = "1"
        if name != "displayOnly" or value != "false":  # the default, which zeep writes out
            target.set(name, value)
    for child in list(source):
        if schema.namespace_of(child) == own:
            _styled(child, own, etree.SubElement(target, child.tag))
        else:
            target.append(child)
    return target


def extend(envelope: etree._Element, message: m.Message) -> None:
    """Put the message's extensions back where they stood. Raises ``LocalError`` if one is not XML."""
    for one in message.extensions:
        try:
            element = parse(one.xml.encode("utf-8", "surrogatepass"))
        except (EnvelopeError, LimitError, UnicodeDecodeError) as error:
            raise LocalError(f"the extension {one.name} is not well-formed XML: {error}") from error
        body = envelope.find(f"{_SOAP}Body")
        parent = next((e for e in cast("etree._Element", body).iter() if schema.local(e) == one.parent), None)
        if parent is None:
            raise LocalError(f"the extension {one.name} stands in {one.parent}, which this message does not have")
        parent.insert(one.index, element)


def _write_fault(message: m.Message, transaction_id: str, profile: Profile) -> etree._Element:
    fault = message if isinstance(message, m.Fault) else None
    error = fault.error if fault is not None else cast("m.RSErrorRsp | m.VASPErrorRsp", message)
    prefix = SOAP_PREFIX
    envelope = etree.Element(f"{_SOAP}Envelope", nsmap={prefix: SOAP_NAMESPACE})
    header = etree.SubElement(envelope, f"{_SOAP}Header")
    types = schema.wsdl(profile.namespace).types
    headers = soap_headers(transaction_id, profile)["TransactionID"]
    tid = types.get_element(f"{{{profile.namespace}}}TransactionID")
    tid.render(header, tid(**headers) if isinstance(headers, dict) else headers)
    node = etree.SubElement(etree.SubElement(envelope, f"{_SOAP}Body"), f"{_SOAP}Fault")
    client = error is not None and error.status.status_class == "client"
    code = fault.fault_code if fault is not None else ("Client" if client else "Server")
    string = fault.fault_string if fault is not None else ("Client error" if client else "Server error")
    etree.SubElement(node, "faultcode").text = f"{prefix}:{code}"
    etree.SubElement(node, "faultstring").text = cast("str", _put_text(string, schema.Type("", "text"), "faultstring"))
    if fault is not None and fault.fault_actor:
        etree.SubElement(node, "faultactor").text = fault.fault_actor
    if error is not None:
        detail = types.get_element(f"{{{profile.namespace}}}{element_name(type(error))}")
        detail.render(etree.SubElement(node, "detail"), detail(**to_values(error, profile)))
    return envelope


# --- reading ----------------------------------------------------------------------------------------------------------


def read(envelope: etree._Element, namespace: str, *, lenient: bool = False) -> m.Message:
    """The message in ``envelope``, whose MM7 elements are in ``namespace``, deserialized by its zeep operation.

    ``lenient`` takes an envelope that is not valid: what is missing is then None, or the empty string where the class
    has no None; without a Status it is a 3000. Raises ``EnvelopeError`` (4003) where the Body holds no MM7 operation,
    and, if ``lenient``, where zeep can make nothing of it.
    """
    if lenient:
        return _read_leniently(envelope, namespace)
    child = body_child(envelope)
    if child.tag == f"{_SOAP}Fault":
        return _read_fault(child, namespace)
    name = schema.local(child)
    if name in ("RSErrorRsp", "VASPErrorRsp"):
        return _zeep_element(child, namespace)
    found = _BY_ELEMENT.get(name)
    if found is None:
        raise EnvelopeError(
            f"{name} is no MM7 operation",
            [finding("soap/operation-known", schema.path(child), detail=name, action="refused")],
            status=4003,
        )
    operation, side = found
    import zeep.helpers

    corner = getattr(zeep_operation(operation, namespace), side)
    kind = operation.request if side == "input" else operation.response
    message = from_values(kind, zeep.helpers.serialize_object(corner.deserialize(envelope).body, dict) or {})
    for field_name, element in (("reply_charging", "ReplyCharging"), ("ua_capabilities", "UACapabilities")):
        if getattr(message, field_name, 0) is None and child.find(f"{{{namespace}}}{element}") is not None:
            message = replace(message, **{field_name: _EMPTY[field_name]})  # zeep drops an element without attributes
    return message


_EMPTY: Mapping[str, Any] = {"reply_charging": m.ReplyCharging(), "ua_capabilities": m.UACapabilities()}


def _read_leniently(envelope: etree._Element, namespace: str) -> m.Message:
    import zeep.exceptions

    try:
        with schema.wsdl(namespace).settings(strict=False):
            return read(envelope, namespace)
    except (zeep.exceptions.Error, ValueError, TypeError, LookupError, AttributeError) as error:
        raise EnvelopeError(f"the message cannot be read even leniently: {error}") from error


def body_child(envelope: etree._Element) -> etree._Element:
    """The one element in the Body. Raises ``EnvelopeError`` if there is none."""
    body = envelope.find(f"{_SOAP}Body")
    child = next(iter(body), None) if body is not None else None
    if child is None:
        raise EnvelopeError(
            "the SOAP Body is empty or missing", [finding("soap/structure", "/Envelope", action="refused")]
        )
    return child


def _zeep_element(element: etree._Element, namespace: str) -> m.Message:
    import zeep.helpers

    types = schema.wsdl(namespace).types
    value = types.get_element(f"{{{namespace}}}{schema.local(element)}").parse(element, types)
    kind = m.RSErrorRsp if schema.local(element) == "RSErrorRsp" else m.VASPErrorRsp
    return from_values(kind, zeep.helpers.serialize_object(value, dict) or {})


def _read_fault(fault: etree._Element, namespace: str) -> m.Fault:
    error = None
    detail = fault.find("detail")
    for one in detail.iter() if detail is not None else ():
        if one.tag in (f"{{{namespace}}}RSErrorRsp", f"{{{namespace}}}VASPErrorRsp"):
            error = cast("m.RSErrorRsp | m.VASPErrorRsp", _zeep_element(one, namespace))
            break
    return m.Fault(
        mm7_version=error.mm7_version if error else None,
        fault_code=(fault.findtext("faultcode") or "").strip().rpartition(":")[2],
        fault_string=(fault.findtext("faultstring") or "").strip(),
        fault_actor=fault.findtext("faultactor"),
        error=error,
    )


# --- the sketch: what the eye sees, by local name ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What a document says, read by local name without any schema: values trimmed (but the subject), empty ones
    None.
    """

    operation: str | None = None
    transaction_id: str | None = None
    namespace: str | None = None
    mm7_version: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


_SKETCHED: Mapping[str, str] = {
    "message_id": "MessageID",
    "mm_status": "MMStatus",
    "linked_id": "LinkedID",
    "service_code": "ServiceCode",
    "priority": "Priority",
    "status_text": "StatusText",
}
_NO_VALUES: Mapping[str, Any] = {
    "message_id": None, "status_code": None, "status_text": None, "mm_status": None, "sender": None, "subject": None,
    "recipients": {"to": [], "cc": [], "bcc": []}, "linked_id": None, "vaspid": None, "vasid": None,
    "service_code": None, "priority": None, "delivery_report": None, "content_href": None,
}  # fmt: skip


def no_values() -> dict[str, Any]:
    """The ``fields`` of a message of which nothing could be read."""
    return {**_NO_VALUES, "recipients": {"to": [], "cc": [], "bcc": []}}


def sketch(envelope: etree._Element) -> Sketch:
    """Read ``envelope``, however odd, by local names. Never raises for a parsed tree."""
    header, body = _child(envelope, "Header"), _child(envelope, "Body")
    values = no_values()
    transaction = _text(_descendant(header, "TransactionID"))
    elements = (one for one in body if isinstance(one.tag, str)) if body is not None else iter(())
    message = next(elements, None) if schema.local(envelope) == "Envelope" else None
    if message is None:
        return Sketch(transaction_id=transaction, values=values)
    name = schema.local(message)
    operation = name if name in schema.operation_names() else None
    if name == "Fault":
        operation = "Fault"
        found = next((e for e in message.iter() if schema.local(e) in ("RSErrorRsp", "VASPErrorRsp")), None)
        if found is None:
            return Sketch(operation=operation, transaction_id=transaction, values=values)
        message = found
    namespace = etree.QName(message).namespace
    version = _text(_child(message, "MM7Version"))
    if operation is not None:
        _sketch_values(message, values)
    return Sketch(
        operation=operation, transaction_id=transaction, namespace=namespace, mm7_version=version, values=values
    )


def _sketch_values(message: etree._Element, values: dict[str, Any]) -> None:
    children = _first(message)
    status, who = _first(children.get("Status")), _first(children.get("SenderIdentification"))
    for key, name in _SKETCHED.items():
        values[key] = _text(children.get(name))
    if "Subject" in children:
        values["subject"] = _plain_text(children["Subject"]) or None
    if "Status" in children:
        code = _text(status.get("StatusCode"))
        values["status_code"] = int(code) if code and code.isascii() and code.isdigit() and len(code) < 10 else None
        values["status_text"] = _text(status.get("StatusText"))
    for key, name in (("vaspid", "VASPID"), ("vasid", "VASID")):
        values[key] = _text(who.get(name)) or _text(children.get(name))
    sender = next(
        (
            one
            for one in (who.get("SenderAddress"), children.get("Sender"), children.get("SenderAddress"))
            if one is not None
        ),
        None,
    )
    values["sender"] = next(iter(_address_texts(sender)), None)
    report = (_text(children.get("DeliveryReport")) or "").lower()
    values["delivery_report"] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        report
    )
    for holder in children.get("Recipients", ()):
        if (key := schema.local(holder).lower()) in values["recipients"]:
            values["recipients"][key] += _address_texts(holder)
    if "Recipient" in children:
        values["recipients"]["to"] = _address_texts(children["Recipient"])
    if "Content" in children:
        attributes = children["Content"].attrib.items()
        values["content_href"] = next((v or None for k, v in attributes if etree.QName(k).localname == "href"), None)


def _first(parent: etree._Element | None) -> dict[str, etree._Element]:
    """The first child of each local name."""
    found: dict[str, etree._Element] = {}
    for child in parent if parent is not None else ():
        found.setdefault(schema.local(child), child)
    return found


def _address_texts(holder: etree._Element | None) -> list[str]:
    if holder is None:
        return []
    found = [_text(e) for e in holder.iter() if isinstance(e.tag, str)]
    return [one for one in found if one]


def _child(parent: etree._Element | None, name: str) -> etree._Element | None:
    return None if parent is None else next((e for e in parent if schema.local(e) == name), None)


def _descendant(parent: etree._Element | None, name: str) -> etree._Element | None:
    return None if parent is None else next((e for e in parent.iter() if schema.local(e) == name), None)


def _text(element: etree._Element | None) -> str | None:
    return _plain_text(element).strip() or None if element is not None else None


def _plain_text(element: etree._Element) -> str:
    """The text directly inside, whatever instructions stand in it."""
    return "".join([element.text or "", *(one.tail or "" for one in element if not isinstance(one.tag, str))])


# --- the table --------------------------------------------------------------------------------------------------------

OPERATIONS: tuple[Operation, ...] = (
    Operation("submit", "MmscBinding", m.SubmitReq, m.SubmitRsp, m.RSErrorRsp),
    Operation("cancel", "MmscBinding", m.CancelReq, m.CancelRsp, m.RSErrorRsp),
    Operation("replace", "MmscBinding", m.ReplaceReq, m.ReplaceRsp, m.RSErrorRsp),
    Operation("extendedCancel", "MmscBinding", m.ExtendedCancelReq, m.ExtendedCancelRsp, m.RSErrorRsp),
    Operation("extendedReplace", "MmscBinding", m.ExtendedReplaceReq, m.ExtendedReplaceRsp, m.RSErrorRsp),
    Operation("deliver", "VaspBinding", m.DeliverReq, m.DeliverRsp, m.VASPErrorRsp),
    Operation("deliveryReport", "VaspBinding", m.DeliveryReportReq, m.DeliveryReportRsp, m.VASPErrorRsp),
    Operation("readReply", "VaspBinding", m.ReadReplyReq, m.ReadReplyRsp, m.VASPErrorRsp),
)
"""Every operation of TS 23.140 MM7 (8.7)."""

_BY_CLASS: Mapping[type[m.Message], tuple[Operation, Literal["input", "output"]]] = {
    **{one.request: (one, "input") for one in OPERATIONS},
    **{one.response: (one, "output") for one in OPERATIONS},
}
_BY_ELEMENT = {element_name(kind): found for kind, found in _BY_CLASS.items()}


def operation_of(kind: type[m.Message]) -> Operation:
    """The operation that messages of class ``kind`` belong to. Raises ``LocalError`` for a class that is no request
    or answer.
    """
    if kind not in _BY_CLASS:
        raise LocalError(f"{kind.__name__} is no MM7 request or answer")
    return _BY_CLASS[kind][0]
