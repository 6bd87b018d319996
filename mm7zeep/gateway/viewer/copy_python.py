"""A message as a Python program that sends it again: an MT with ``VaspClient`` to the gateway, an MO with
``MmscClient`` to the receiver of its application.

The program runs as it is written, beside the downloaded parts, and asks for the password. Each value that comes from a
message is a literal of Python. Values in, texts out. Refuses nothing: what is not in the program is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from mm7zeep import namespaces, profiles
from mm7zeep.client.fields import SubmitFields
from mm7zeep.gateway.store import mapping
from mm7zeep.gateway.store.rows import RecipientRow
from mm7zeep.gateway.viewer.copies import Copy, Source, clean, shown_url
from mm7zeep.messages import Address, Number, Part, ShortCode

_NOWHERE = "http://127.0.0.1:8009/mm7"  # where mm7zeep listen is, by default
_OWN = frozenset({"vaspid", "vasid"})  # of the client, not of each message
_MO = (
    "priority", "reply_charging_id", "sender_spi", "recipient_spi", "applic_id", "reply_applic_id", "aux_applic_info",
    "allow_adaptations",
)  # fmt: skip


def as_python(source: Source) -> Copy:
    """The program, and the files of the parts that it reads."""
    lines = _mo(source) if source.is_mo else _mt(source)
    return Copy(text="\n".join(lines) + "\n", files=source.part_files, notes=tuple(_notes(source)))


def _notes(source: Source) -> Iterator[str]:
    if source.is_mo and (source.application is None or source.application.callback is None):
        yield f"its application has no callback: put the URL of a receiver in the place of {_NOWHERE}"
    if not source.is_mo and (source.message.earliest or source.message.expires):
        yield "its times are the same spans, counted from when it is sent again"
    if not source.is_mo and source.message.field.get("reply_charging_id") is not None:
        yield "reply charging is left out"


# --- an MT ------------------------------------------------------------------------------------------------------------


def _mt(source: Source) -> Iterator[str]:
    message, field = source.message, source.message.field
    user = source.application.name if source.application is not None else message.application
    profile = namespaces.profile_of(message.namespace) or profiles.profile(None)
    fields = dict(_submitted(source))
    imports = ["from dataclasses import replace"]
    if any(name in fields for name in ("earliest_delivery_time", "expiry_date")):
        imports.append("from datetime import timedelta")
    names = {*_kinds(one.of for one in source.recipients), "VaspClient", "profile"}
    if message.sent_by is not None:
        names |= _kinds([message.sent_by])
    if source.parts:
        names.add("Part")
    yield from _begin(source, imports, names)
    yield "# The content goes as it is: no presentation is made."
    yield f"as_it_is = replace(profile({profile.name!r}), smil='never')"
    yield "client = VaspClient("
    yield f"    {clean(source.urls.mm7)!r},"
    yield from _arguments({name: field.get(name) for name in ("vaspid", "vasid")}, "    ")
    yield f"    auth=({user!r}, getpass({f'Password of {user}: '!r})),"
    yield "    profile=as_it_is,"
    if field.get("group") is False and len(source.served) > 1:
        yield "    split=True,  # each sees only himself"
    yield ")"
    yield "with client:"
    yield "    sent = client.submit("
    for place in ("to", "cc", "bcc"):
        addresses = [one.of for one in source.recipients if one.place == place]
        if addresses or place == "to":
            yield f"        {place}=[{', '.join(map(_address, addresses))}],"
    yield from _content(source, "content", "        ")
    yield from (f"        {name}={value}," for name, value in fields.items())
    yield "    )"
    yield "print(sent.message_id, sent.status.code, sent.transaction_id)"


def _submitted(source: Source) -> Iterator[tuple[str, str]]:
    """The fields of the submit besides addresses and content, as literals."""
    message = source.message
    if message.sent_by is not None:
        yield "sender_address", _address(message.sent_by)
    if message.subject is not None:
        yield "subject", repr(message.subject)
    for name, at in (("earliest_delivery_time", message.earliest), ("expiry_date", message.expires)):
        if at is not None and at > message.accepted:
            yield name, f"timedelta(seconds={max(1, round(at - message.accepted))})"
    for name, wanted in (("delivery_report", message.delivery_report), ("read_reply", message.read_reply)):
        if wanted:
            yield name, "True"
    known = SubmitFields.__annotations__.keys() - _OWN
    for name, value in message.field.items():
        if name in known and value is not None:
            yield name, _literal(value)


# --- an MO ------------------------------------------------------------------------------------------------------------


def _mo(source: Source) -> Iterator[str]:
    application = source.application
    callback = application.callback if application is not None else None
    values = _delivered(source)
    addresses = [one for value in values.values() for one in (value if isinstance(value, tuple) else (value,))]
    names = _kinds(one for one in addresses if isinstance(one, Address)) | {"DeliverReq", "MmscClient"}
    if source.parts:
        names.add("Part")
    imports = ["from datetime import datetime"] if "time_stamp" in values else []
    yield from _begin(source, imports, names)
    yield "message = DeliverReq("
    for name, value in values.items():
        yield f"    {name}={_literal(value)},"
    yield from _content(source, "parts", "    ")
    yield ")"
    yield "client = MmscClient("
    yield f"    {shown_url(callback.deliver if callback is not None else _NOWHERE)!r},"
    if callback is not None and callback.username is not None:
        yield f"    auth=({callback.username!r}, getpass({f'Password of {callback.username}: '!r})),"
    if application is not None:
        yield f"    profile={application.callback_profile.name!r},"
    yield ")"
    yield "with client:"
    yield "    taken = client.deliver(message)"
    yield "print(taken.status.code, taken.transaction_id)"


def _delivered(source: Source) -> dict[str, Any]:
    """The fields of the DeliverReq besides its content, as its application is brought it."""
    message = source.message
    places = {
        place: tuple(_as_called(one, source) for one in source.recipients if one.place == place)
        for place in ("to", "cc")
    }
    values = {
        "linked_id": message.id,
        "sender": message.sent_by or Number("unknown"),
        **places,
        "time_stamp": mapping.moment(message.field.get("date", message.accepted)),
        "subject": message.subject,
        **{name: message.field.get(name) for name in _MO},
    }
    return {name: value for name, value in values.items() if value not in (None, ())}


def _as_called(copy: RecipientRow, source: Source) -> Address:
    """An application's short code as a ShortCode, however it was written."""
    own = source.application.short_codes if source.application is not None else ()
    plain = copy.of.coding is None and copy.address in own
    return ShortCode(copy.address, display_only=copy.of.display_only, id=copy.of.id) if plain else copy.of


# --- both -------------------------------------------------------------------------------------------------------------


def _begin(source: Source, imports: list[str], names: Iterable[str]) -> Iterator[str]:
    if source.parts:
        imports = [*imports, "from pathlib import Path"]
    if not source.is_mo or (source.application is not None and source.application.callback is not None):
        imports = [*imports, "from getpass import getpass"]
    yield f'"""Sends a message of mm7zeep\'s gateway again ({source.stem})."""'
    yield ""
    yield from sorted(imports)
    yield ""
    yield f"from mm7zeep import {', '.join(sorted(set(names)))}"
    yield ""
    if source.parts:
        yield "here = Path(__file__).parent  # where the parts were downloaded to"


def _content(source: Source, name: str, margin: str) -> Iterator[str]:
    if not source.parts:
        return
    yield f"{margin}{name}=["
    for one, file in zip(source.parts, source.part_files, strict=True):
        yield f"{margin}    {_part(one, file)},"
    yield f"{margin}],"


def _part(part: Part, file: str) -> str:
    given = {
        "content_type": part.content_type,
        "parameters": part.parameters or None,
        "content_id": part.content_id,
        "content_location": part.content_location,
        "name": part.name,
        "headers": part.headers or None,
    }
    said = [f"{name}={_literal(value)}" for name, value in given.items() if value is not None]
    return f"Part(body=here / {file!r}, {', '.join(said)})"


def _arguments(values: dict[str, Any], margin: str) -> Iterator[str]:
    yield from (f"{margin}{name}={_literal(value)}," for name, value in values.items() if value is not None)


def _kinds(addresses: Iterable[Address]) -> set[str]:
    return {type(one).__name__ for one in addresses}


def _address(address: Address) -> str:
    given = {"display_only": address.display_only or None, "coding": address.coding, "id": address.id}
    said = [repr(address.value), *(f"{name}={value!r}" for name, value in given.items() if value is not None)]
    return f"{type(address).__name__}({', '.join(said)})"


def _literal(value: Any) -> str:
    """A value as Python writes it."""
    if isinstance(value, Address):
        return _address(value)
    if isinstance(value, datetime):
        return f"datetime.fromisoformat({value.isoformat()!r})"
    if isinstance(value, list | tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
