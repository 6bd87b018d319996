"""A message to the arguments of its zeep operation, and the values that zeep gives back to a message.

Refuses, with ``LocalError``, a field that the namespace does not have; reads whatever zeep could.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, cast

from lxml import etree

from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.envelope.fields import APART, CODECS, NO_MESSAGE_ID, paths
from mm7zeep.envelope.moments import moment_text, moment_value
from mm7zeep.envelope.operations import element_name
from mm7zeep.envelope.values import BOOL, TEXT, addresses, legal_text, typed
from mm7zeep.errors import LocalError
from mm7zeep.profiles import Profile
from mm7zeep.status import Status

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
        if one.name in APART or one.name == "mm7_version" or given is None:
            continue
        if one.name == "message_id" and not kind.child("MessageID"):
            continue  # SubmitRsp in REL-5-MM7-1-0 has no place for it
        if one.name == "message_id" and not given.strip():
            raise LocalError("the MessageID is empty; name the message (TS 23.140 8.7.1)")
        where, target = _place(kind, one.name, profile)
        _set(values, where, CODECS.get(one.name, TEXT).put(given, target, where))
    if isinstance(message, m.VaspRequest):
        values.setdefault("SenderIdentification", {})
    if (
        isinstance(message, m.SubmitRsp)
        and message.message_id is None
        and not message.status.ok
        and kind.child("MessageID")
    ):
        # required by the schema even where nothing was accepted; an NMTOKEN cannot be empty
        values["MessageID"] = "" if profile.transaction_attributes else NO_MESSAGE_ID
    if isinstance(message, m.SubmitReq | m.DeliverReq):
        _put_recipients(values, message, kind)
    if isinstance(message, m.DeliverReq) and message.previously_sent:
        _put_previous(values, message, kind, profile)
    if attributes := getattr(message, "service_code_attributes", ()):
        values["ServiceCode"] = _with_attributes(values.get("ServiceCode"), attributes, profile)
    if (href := getattr(message, "content_href", None)) is not None:
        values["Content"] = {"href": href}
        if (adapt := getattr(message, "allow_adaptations", None)) is not None:
            values["Content"]["allowAdaptations"] = BOOL.put(adapt, kind, "allowAdaptations")
    return values


def fitted(message: m.Message, profile: Profile) -> tuple[m.Message, tuple[str, ...]]:
    """``message`` without what the namespace of ``profile`` has no place for, and the names of what was left out.

    A mandatory element whose absence means "none" gets its neutral value: ReplyChargingID in an MO of REL-5-MM7-1-0
    and 1-1. What has a place, but no form there, stays: ``to_values`` says what is wrong with it.
    """
    kind = schema.model(profile.namespace).get(element_name(type(message)))
    if kind is None:
        return message, ()
    changes: dict[str, Any] = {}
    left: list[str] = []
    for one in fields(message):
        given = getattr(message, one.name)
        if given is None or given == () or one.name in ("mm7_version", "parts", "extensions", "unparsed"):
            continue
        if one.name in ("to", "cc", "bcc", "sender", "recipient", "sender_address"):
            held, names = _unmarked(given, kind, one.name)
            if names:
                changes[one.name] = held
                left += names
        elif not _has_place(kind, one.name) and one.default is not MISSING:
            changes[one.name] = one.default
            left.append("Previouslysentby" if one.name == "previously_sent" else paths(one.name)[0].rpartition("/")[2])
    charging = kind.child("ReplyChargingID")
    if isinstance(message, m.DeliverReq) and message.reply_charging_id is None and charging and charging.min:
        changes["reply_charging_id"] = NO_MESSAGE_ID
    return replace(message, **changes) if changes else message, tuple(dict.fromkeys(left))


def _has_place(kind: schema.Type, name: str) -> bool:
    if name in ("content_href", "allow_adaptations"):
        content = kind.child("Content")
        wanted = "href" if name == "content_href" else "allowAdaptations"
        return content is not None and wanted in content.type.attributes
    if name == "service_code_attributes":
        return kind.child("ServiceCode") is not None
    if name == "previously_sent":
        return kind.child("Previouslysentby") is not None
    return _found_place(kind, name) is not None


def _unmarked(given: Any, kind: schema.Type, name: str) -> tuple[Any, list[str]]:
    """Addresses without a displayOnly that their namespace does not have."""
    many = given if isinstance(given, tuple) else (given,)
    if not any(one.display_only for one in many):
        return given, []
    target: schema.Type | None
    if isinstance(given, tuple):
        recipients = kind.child("Recipients")
        group = recipients.type.child(name.capitalize()) if recipients is not None else None
        target = group.type if group is not None else None
    else:
        found = _found_place(kind, name)
        target = found[1] if found is not None else None
    child = target.child(many[0].kind) if target is not None else None
    if child is None or "displayOnly" in child.type.attributes:
        return given, []
    held = tuple(replace(one, display_only=False) for one in many)
    return (held if isinstance(given, tuple) else held[0]), ["displayOnly"]


def _place(kind: schema.Type, name: str, profile: Profile) -> tuple[str, schema.Type]:
    found = _found_place(kind, name)
    if found is not None:
        return found
    what = f"{paths(name)[0]} ({name}) does not exist in this message of {profile.schema}"
    raise LocalError(f"{what}; leave it out or take another namespace")


def _found_place(kind: schema.Type, name: str) -> tuple[str, schema.Type] | None:
    for candidate in paths(name):
        target: schema.Type | None = kind
        for step in candidate.split("/"):
            child = target.child(step) if target is not None else None
            target = child.type if child is not None else None
        if target is not None:
            return candidate, target
    return None


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
            groups.append({name: {"_value_1": [typed(one, inner, name) for one in given]}})
    if groups:
        values["Recipients"] = {"_value_1": groups}


def _with_attributes(text: object, attributes: tuple[tuple[str, str], ...], profile: Profile) -> dict[str, object]:
    """A ServiceCode with attributes of other namespaces. Raises ``LocalError``."""
    if text is None:
        raise LocalError("service_code_attributes are given without a service_code; give it, too")
    for name, value in attributes:
        if not name.startswith("{") or name.startswith("{}"):
            raise LocalError(f"the attribute {name!r} of ServiceCode has no namespace; write {{namespace}}name")
        try:
            etree.QName(name)
        except ValueError as error:
            raise LocalError(f"{name!r} is no name of an attribute; write {{namespace}}name") from error
        if name.startswith(f"{{{profile.namespace}}}"):
            raise LocalError(f"{name!r} is in the namespace of MM7; a ServiceCode takes attributes of other namespaces")
        legal_text(value, f"the attribute {name} of ServiceCode")
    return {"_value_1": text, "_attr_1": dict(attributes)}


def _put_previous(values: dict[str, Any], message: m.DeliverReq, kind: schema.Type, profile: Profile) -> None:
    agents: list[dict[str, object]] = []
    moments: list[dict[str, object]] = []
    for one in message.previously_sent:
        sequence = {} if one.sequence is None else {"sequence": one.sequence}
        if one.address is not None:
            _, outer = _place(kind, "previouslysentby", profile)
            agents.append(
                {**typed(one.address, cast("schema.Child", outer.child("UserAgent")).type, "UserAgent"), **sequence}
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
        if one.name in APART:
            continue
        raw = next((found for place in paths(one.name) if (found := _dig(values, place)) is not None), None)
        if raw is not None:
            given[one.name] = CODECS.get(one.name, TEXT).get(raw)
        elif one.name == "status":
            given[one.name] = Status(3000, "")  # an answer without a legible Status is no success
        elif one.default is MISSING and one.default_factory is MISSING:
            given[one.name] = None if one.name in ("sender", "recipient") else ""
    names = {one.name for one in fields(kind)}
    if "to" in names:
        given |= _get_recipients(values.get("Recipients"))
    if "previously_sent" in names:
        given["previously_sent"] = _get_previous(values)
    if kind is m.SubmitRsp and given.get("message_id") in ("", NO_MESSAGE_ID) and not given["status"].ok:
        given["message_id"] = None
    code = values.get("ServiceCode")
    if "service_code_attributes" in names and isinstance(code, Mapping):
        given["service_code_attributes"] = code.get("_attr_1") or ()
    content = values.get("Content")
    if content and "content_href" in names:
        given["content_href"] = content.get("href")
        given["allow_adaptations"] = BOOL.get(content.get("allowAdaptations"))
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
                found[name] += addresses(inner.get("_value_1") or [])
    return {name: tuple(entries) for name, entries in found.items()}


def _get_previous(values: Mapping[str, Any]) -> tuple[m.PreviouslySent, ...]:
    agents = (values.get("Previouslysentby") or {}).get("UserAgent") or []
    moments = (values.get("Previouslysentdateandtime") or {}).get("DateTime") or []
    found = [m.PreviouslySent(sequence=one.get("sequence"), address=next(addresses([one]), None)) for one in agents]
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
