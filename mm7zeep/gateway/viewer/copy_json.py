"""A message as the JSON that sends it again, and the curl command for that: an MT by the gateway's JSON API, an MO by
that of the admin's listener.

Values in, texts out. JSON is written in ASCII, so that nothing in it steers a terminal. Refuses nothing: what the API
has no place for is noted.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mm7zeep import smil
from mm7zeep.gateway.viewer import copies
from mm7zeep.gateway.viewer.copies import Source
from mm7zeep.messages import Part

INLINE = 48 * 1024
"""Octets of all parts that are written into the JSON."""
_WORD = 100_000  # characters of JSON in a command: Linux takes 128 KiB in one word
_SHORT = 1000  # octets of a text that is written among the others
_LONGEST = 255  # characters of a name that the API takes
_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")  # what no text of the API may hold
_PLACES = {"cc": "Cc", "bcc": "Bcc"}
_UNSAID = (
    "priority", "message_class", "service_code", "linked_id", "charged_party", "charged_party_id",
    "distribution_indicator", "delivery_condition", "applic_id", "reply_applic_id", "aux_applic_info", "content_class",
    "drm_content", "allow_adaptations",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonCopy:
    """The ``body`` of a request, and the curl ``command`` that sends it; None where the gateway has no JSON API.

    Where the parts are too large, ``body`` says in their places what to put there, and the command sends ``files``,
    which are to be downloaded first.
    """

    body: str
    command: str | None
    files: tuple[str, ...]
    notes: tuple[str, ...]


def as_json(source: Source) -> JsonCopy:
    """The body of ``POST /v1/messages`` that sends an MT again, or of ``POST /api/v1/deliver`` for an MO."""
    return _mo(source) if source.is_mo else _mt(source)


def _fits(source: Source) -> bool:
    return sum(one.size for one in source.parts) <= INLINE


def _mo(source: Source) -> JsonCopy:
    said = copies.delivery(source) if _fits(source) else _without_octets(source)
    data = json.dumps(said)
    if _fits(source) and len(data) <= _WORD:
        words = [*copies.curl(source.urls.admin_user), *copies.typed_json(data)]
        copy = copies.Copy(text=copies.joined([*words, f"{source.urls.admin}/api/v1/deliver"]))
    else:
        copy = copies.as_curl(source)
    return JsonCopy(body=json.dumps(said, indent=2) + "\n", command=copy.text, files=copy.files, notes=())


def _without_octets(source: Source) -> dict[str, Any]:
    parts = []
    for one, file in zip(source.parts, source.part_files, strict=True):
        given = {"data": _placeholder(one, file), "content_type": copies.content_type(one)}
        parts.append(given | {name: value for name in ("name", "content_id") if (value := getattr(one, name))})
    return {**copies.delivery(replace(source, parts=())), "parts": parts}


def _placeholder(part: Part, file: str) -> str:
    return f"<the {part.size} octets of {file} in base64: base64 -w0 {file}>"


# --- an MT ------------------------------------------------------------------------------------------------------------


def _mt(source: Source) -> JsonCopy:
    fits = _fits(source)
    said = {**_head(source), "parts": [_part(one, file, fits) for one, file in _content(source)]}
    notes, command = list(_notes(source)), None
    files: list[str] = []
    user = source.application.name if source.application is not None else source.message.application
    if source.urls.api is not None:
        data = json.dumps(said)
        if fits and len(data) <= _WORD:
            words = copies.typed_json(data)
        else:
            words, files = _form(source)
            notes.append("the command sends a form, whose parts are called as the files are")
        command = copies.joined([*copies.curl(user), *words, f"{source.urls.api}/v1/messages"])
    return JsonCopy(body=json.dumps(said, indent=2) + "\n", command=command, files=tuple(files), notes=tuple(notes))


def _content(source: Source) -> list[tuple[Part, str]]:
    """The parts that the API is given, each with its file: a presentation names parts by labels that it has not."""
    both = zip(source.parts, source.part_files, strict=True)
    return [(one, file) for one, file in both if one.size and not smil.is_presentation(one)]


def _head(source: Source) -> dict[str, Any]:
    message = source.message
    later = {
        name: copies.iso(at)
        for name, at in (("send_at", message.earliest), ("expires_at", message.expires))
        if at is not None and at > source.now
    }
    said = {
        "to": [one.address for one in source.served],
        "from": message.sender,
        "subject": message.subject,
        "delivery_report": message.delivery_report or None,
        "read_reply": message.read_reply or None,
        "reference": (message.field.get("api") or {}).get("reference"),
        "group": _group(source) or None,
        **later,
    }
    return {name: value for name, value in said.items() if value is not None}


def _group(source: Source) -> bool:
    """Whether everybody may see everybody, as by MM7."""
    several = len(source.served) > 1 and all(one.place != "bcc" for one in source.served)
    return several and source.message.field.get("group") is not False


def _part(part: Part, file: str, fits: bool) -> dict[str, str]:
    text = _text(part)
    if text is not None and (fits or part.size <= _SHORT):
        return {"text": text, **_name(part)}
    data = base64.b64encode(part.read()).decode("ascii") if fits else _placeholder(part, file)
    return {"data": data, "content_type": copies.content_type(part), **_name(part)}


def _text(part: Part) -> str | None:
    """The text of a part that the API would make the same part of; None for any other."""
    if part.content_type != "text/plain" or (part.charset or "utf-8").lower() not in ("utf-8", "us-ascii"):
        return None
    try:
        text = part.read().decode()
    except UnicodeDecodeError:
        return None
    return None if _REFUSED.search(text) else text


def _name(part: Part) -> dict[str, str]:
    return {"name": part.name} if part.name and len(part.name) <= _LONGEST else {}


def _form(source: Source) -> tuple[list[str], list[str]]:
    """The same as the fields of a form, and the files that are among them: curl reads these, and no others."""
    words: list[str] = []
    files: list[str] = []
    for name, value in _head(source).items():
        for one in value if isinstance(value, list) else [value]:
            text = ("true" if one else "false") if isinstance(one, bool) else str(one)
            words += ["--form-string", f"{name}={copies.clean(text)}"]  # of --form "@" and "<" would read a file
    for part, file in _content(source):
        line = _text(part)
        if line is not None and part.size <= _SHORT and copies.clean(line) == line:
            words += ["--form-string", f"parts={line}"]
        else:
            files.append(file)
            words += ["--form", f"parts=@{file}"]
    return words, files


def _notes(source: Source) -> Iterator[str]:
    """What differs from the message."""
    places = [word for place, word in _PLACES.items() if any(one.place == place for one in source.served)]
    if places:
        yield f"who was {' or '.join(places)} is among to: the JSON API has no other place"
    if any(smil.is_presentation(one) for one in source.parts):
        yield "the presentation is left out, and one made for the handset: the JSON API has no Content-IDs"
    if any(not one.size for one in source.parts):
        yield "parts without octets are left out: the JSON API refuses them"
    unsaid = [name.replace("_", " ") for name in _UNSAID if source.message.field.get(name) is not None]
    if unsaid:
        yield f"the JSON API has no place for {', '.join(unsaid)}"
    for at, name in ((source.message.earliest, "send_at"), (source.message.expires, "expires_at")):
        if at is not None and at <= source.now:
            yield f"{name} is over, and left out"
