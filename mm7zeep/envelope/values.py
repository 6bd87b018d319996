"""How one value of a message goes into zeep's arguments and comes out of its values: a codec for each kind.

Refuses, with ``LocalError``, what the namespace has no form for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from mm7zeep import messages as m
from mm7zeep import namespaces, schema
from mm7zeep.envelope.moments import moment_text, moment_value
from mm7zeep.errors import LocalError
from mm7zeep.status import Status


@dataclass(frozen=True, slots=True)
class Codec:
    """How one kind of value goes into zeep's arguments and comes out of its values."""

    put: Callable[[Any, schema.Type, str], object]
    get: Callable[[Any], object]


def put_text(value: Any, kind: schema.Type, what: str) -> object:
    """Text for an element. Raises ``LocalError`` as ``legal_text``."""
    return legal_text(value, what)


def legal_text(value: object, what: str) -> str:
    """Text for an element or attribute. Raises ``LocalError`` for a character that XML 1.0 forbids (2.2)."""
    text = str(value)
    if any((c < " " and c not in "\t\n\r") or c in "\ufffe\uffff" or "\ud800" <= c <= "\udfff" for c in text):
        raise LocalError(f"{what} holds a character that XML 1.0 forbids; remove it")
    return text


def _get_text(value: Any) -> object:
    if isinstance(value, Mapping):
        value = value.get("_value_1")
    return None if value is None else str(value)


def _put_bool(value: Any, kind: schema.Type, what: str) -> object:
    if not isinstance(value, bool | int):  # "no" would be true
        raise LocalError(f"{what} is True or False, not {value!r}")
    return bool(value)


def _get_bool(value: Any) -> object:
    """A boolean; zeep gives the default of an attribute that is absent as text."""
    return {"true": True, "1": True, "false": False, "0": False}.get(value) if isinstance(value, str) else value


def _put_condition(value: Any, kind: schema.Type, what: str) -> object:
    if kind.content == "text":
        return put_text(value, kind, what)
    try:
        return {"DC": [int(one) for one in ([value] if isinstance(value, str) else value)]}
    except ValueError as error:
        raise LocalError(f"{what} is a list of numbers in this namespace, not {value!r}") from error


def _get_condition(value: Any) -> object:
    return tuple(int(one) for one in value.get("DC") or ()) if isinstance(value, Mapping) else value


def _put_address(value: Any, kind: schema.Type, what: str) -> object:
    if kind.content == "text":  # SenderAddress in REL-5-MM7-1-0 and 1-1
        return put_text(value.value, kind, what)
    return typed(value, kind, what)


def typed(value: m.Address, kind: schema.Type, what: str) -> dict[str, object]:
    """An address inside its own element. Raises ``LocalError`` where ``kind`` has none such, or not its attributes."""
    child = kind.child(value.kind)
    if child is None:
        raise LocalError(f"{what} is a {type(value).__name__}; use Number, RFC2822Address or ShortCode")
    text = put_text(value.value, kind, what)
    extra: dict[str, object] = {"displayOnly": True} if value.display_only else {}
    extra |= {name: given for name, given in (("id", value.id), ("addressCoding", value.coding)) if given is not None}
    for name in extra:
        if name not in child.type.attributes:
            raise LocalError(f"{what} has {name}, which this namespace does not have; release 6 has it")
    # always spelt out: zeep takes a bare text that reads like an attribute for its name
    return {value.kind: {"_value_1": text, **extra}}


def _get_address(value: Any) -> object:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return m.address(str(value)) if str(value).strip() else None
    return next(addresses([value]), None)


_KINDS: Mapping[str, type[m.Address]] = {
    "Number": m.Number,
    "RFC2822Address": m.RFC2822Address,
    "ShortCode": m.ShortCode,
}


def addresses(values: list[Any]) -> Iterator[m.Address]:
    """The addresses in zeep's values for elements that hold some."""
    for entry in values:
        for name, kind in _KINDS.items():
            inner = entry.get(name)
            if inner is None:
                continue
            given = inner if isinstance(inner, Mapping) else {"_value_1": inner}
            yield kind(
                given.get("_value_1") or "",
                display_only=_get_bool(given.get("displayOnly")) is True,
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
        status["StatusText"] = put_text(value.text, kind, what)
        if value.details:
            status["Details"] = {"_value_1": _fragment(value.details)}
    return status


def _fragment(details: str) -> list[etree._Element]:
    """Details takes elements only (XSD anyDataType): text is wrapped in one."""
    if details.lstrip().startswith("<"):
        try:
            octets = f"<d>{details}</d>".encode("utf-8", "surrogatepass")
            return list(namespaces.parse(octets, etree.XMLParser(resolve_entities=False, no_network=True)))
        except etree.XMLSyntaxError:
            pass  # not XML after all: it is text
    element = etree.Element(namespaces.DETAILS_TEXT, nsmap={"d": "urn:mm7zeep:details"})
    element.text = details
    return [element]


def _get_status(value: Any) -> object:
    inner: list[etree._Element] = (value.get("Details") or {}).get("_value_1") or []
    if len(inner) == 1 and inner[0].tag == namespaces.DETAILS_TEXT:  # as ``_fragment`` wraps text
        details = inner[0].text or ""
    else:
        details = "".join(namespaces.fragment(one) for one in inner)
    text = value.get("StatusText") or "" if "StatusText" in value else None  # the extended operations have none
    code = value.get("StatusCode")
    return Status(3000 if code is None else int(code), text, details or None)  # without a code it is no success


def _put_moment(value: Any, kind: schema.Type, what: str) -> object:
    if kind.simple == "dateTime" and not isinstance(value, datetime):
        raise LocalError(f"{what} is a point in time: it must be a datetime, not {type(value).__name__}")
    return moment_text(value, what)


TEXT = Codec(put_text, _get_text)
BOOL = Codec(_put_bool, _get_bool)
MOMENT = Codec(_put_moment, lambda value: moment_value(value))
ADDRESS = Codec(_put_address, _get_address)
STATUS = Codec(_put_status, _get_status)
CONDITION = Codec(_put_condition, _get_condition)
CHARGING = Codec(_put_charging, _get_charging)
CAPABILITIES = Codec(_put_capabilities, _get_capabilities)
