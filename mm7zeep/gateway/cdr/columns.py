"""A copy as a record: its columns, in their order, under names that stay; masked on request.

Values in, values out. Holds nothing of the content, neither subject nor text, and no price.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, get_args

from mm7zeep import masking
from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.rest.output import written
from mm7zeep.gateway.store.details import Detail
from mm7zeep.gateway.store.rows import DEFERRED, RecipientState

Value = str | int | bool | None
Record = dict[str, Value]
"""One line: a value for each column; None where there is none."""

_Field = Callable[[Detail, Mapping[str, Any]], Value]
_OURS = frozenset(get_args(RecipientState)) - {DEFERRED}  # states that are no MMStatus
_STATUS = re.compile(r"StatusError: ([0-9]{4})\b")  # as ``retry`` writes what a far side refused with


def _time(name: str) -> _Field:
    def read(copy: Detail, said: Mapping[str, Any]) -> Value:
        seconds = getattr(copy, name)
        return written(seconds) if seconds is not None else None

    return read


def _own(name: str) -> _Field:
    return lambda copy, said: getattr(copy, name)


def _said(name: str) -> _Field:
    """What the request said under that name."""

    def read(copy: Detail, said: Mapping[str, Any]) -> Value:
        value = said.get(name)
        return value if value is None or isinstance(value, str | int) else json.dumps(value)

    return read


def _parts(copy: Detail, said: Mapping[str, Any]) -> Value:
    return len(json.loads(copy.parts))


def _mm_status(copy: Detail, said: Mapping[str, Any]) -> Value:
    return copy.state if copy.state not in _OURS else None


def _status_code(copy: Detail, said: Mapping[str, Any]) -> Value:
    found = _STATUS.match(copy.detail or "")
    return int(found[1]) if found is not None else None


def _destination(copy: Detail, said: Mapping[str, Any]) -> Value:
    return str(copy.destination)


def _upstream(copy: Detail, said: Mapping[str, Any]) -> Value:
    """Through which one it left, or which one brought it."""
    if copy.direction == "mo":
        brought = said.get("from")
        return Destination.parse(brought).name if brought is not None else None
    return copy.destination.name if copy.destination.kind == "upstream" else None


def _origin(copy: Detail, said: Mapping[str, Any]) -> Value:
    """The MessageID of the MT of another application that became this MO."""
    origin = said.get("origin")
    return str(origin[0]) if origin is not None else None


COLUMNS: Mapping[str, _Field] = MappingProxyType(
    {
        "message_id": _own("message_id"),
        "n": _own("n"),
        "direction": _own("direction"),
        "application": _own("application"),
        "sender": _own("sender"),
        "sender_kind": _own("sender_kind"),
        "recipient": _own("address"),
        "recipient_kind": _own("kind"),
        "place": _own("place"),
        "accepted_at": _time("accepted"),
        "earliest_at": _time("earliest"),
        "expires_at": _time("expires"),
        "changed_at": _time("changed"),
        "size": _own("size"),
        "parts": _parts,
        "state": _own("state"),
        "mm_status": _mm_status,
        "status_code": _status_code,
        "detail": _own("detail"),
        "destination": _destination,
        "upstream": _upstream,
        "remote_id": _own("remote_id"),
        "origin_id": _origin,
        "transaction_id": _own("transaction_id"),
        "linked_id": _said("linked_id"),
        "delivery_report": _own("delivery_report"),
        "read_reply": _own("read_reply"),
        "vaspid": _said("vaspid"),
        "vasid": _said("vasid"),
        "service_code": _said("service_code"),
        "charged_party": _said("charged_party"),
        "charged_party_id": _said("charged_party_id"),
        "message_class": _said("message_class"),
        "priority": _said("priority"),
        "distribution_indicator": _said("distribution_indicator"),
        "content_class": _said("content_class"),
        "drm_content": _said("drm_content"),
        "reply_charging_id": _said("reply_charging_id"),
        "applic_id": _said("applic_id"),
        "reply_applic_id": _said("reply_applic_id"),
        "aux_applic_info": _said("aux_applic_info"),
        "sender_spi": _said("sender_spi"),
        "recipient_spi": _said("recipient_spi"),
    }
)
"""Each column by its name, with what it reads. New ones come last; none is renamed or removed."""

MASKED = ("sender", "recipient", "charged_party_id", "detail", "aux_applic_info")
"""The columns that may tell who somebody is. Ids are left: records are matched by them."""


def record(copy: Detail, *, mask: bool = False) -> Record:
    """The record of a copy; with ``mask``, without telephone numbers and mail addresses, as the logs are."""
    said = json.loads(copy.fields)
    found = {name: read(copy, said) for name, read in COLUMNS.items()}
    if mask:
        for name in MASKED:
            value = found[name]
            found[name] = masking.masked(value) if isinstance(value, str) else value
        if copy.kind == "RFC2822Address":
            found["recipient"] = _host_alone(copy.address)
        if copy.sender is not None and copy.sender_kind == "RFC2822Address":
            found["sender"] = _host_alone(copy.sender)
    return found


def _host_alone(address: str) -> str:
    """A mail address without its local part, also where that is one that is not found within a text."""
    return f"{masking.HIDDEN}@{address.rpartition('@')[2]}" if "@" in address else masking.HIDDEN
