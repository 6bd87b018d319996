"""A message as multipart/form-data (RFC 7578): the same fields as in JSON, and files as parts.

Each field ``parts`` is a text, or, with a file name or a media type other than text/plain, a file; each field
``media_url`` a part that is fetched. All of them keep their order.
Refuses, with ``Problem``, what is no form of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mm7zeep.gateway.api.inputs import MOST_PARTS, NewMessage
from mm7zeep.gateway.api.problems import Problem
from mm7zeep.gateway.mm7.validation.recipients import MOST_RECIPIENTS
from mm7zeep.gateway.rest.models import fields
from mm7zeep.gateway.rest.request import judged
from mm7zeep.gateway.store import remote_parts

MEDIA_TYPE = "multipart/form-data"
_SEVERAL = frozenset({"to", "parts"})
_URL = "media_url"
_MOST = MOST_RECIPIENTS + MOST_PARTS + 50  # fields
_LONGEST = 8192  # octets of the head of a field
_EXTENDED = re.compile(r";\s*[a-z]+\*", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_BOUNDARY = 70  # characters (RFC 2046 5.1.1)
_WORDS = {"true": True, "false": False}
_SWITCHES = frozenset(name for name, one in fields(NewMessage) if one.annotation is bool)


def _schema() -> dict[str, Any]:
    """The schema of a form, made of that of the JSON."""
    made = NewMessage.model_json_schema()["properties"]
    told: dict[str, Any] = {}
    for name, one in made.items():
        schema: dict[str, Any] = {"type": "string"}
        if name in _SWITCHES:
            schema = {"enum": list(_WORDS)}
        elif name in _SEVERAL:
            kind = {"type": "string", "format": "binary"} if name == "parts" else {"type": "string"}
            most = MOST_PARTS if name == "parts" else MOST_RECIPIENTS
            schema = {"type": "array", "items": kind, "minItems": 1, "maxItems": most}
        told[name] = {**schema, **({"description": one["description"]} if "description" in one else {})}
    words = "parts that the gateway fetches, in their order among the others"
    url = {"type": "string", "maxLength": remote_parts.LONGEST}
    told[_URL] = {"type": "array", "items": url, "minItems": 1, "maxItems": remote_parts.MOST, "description": words}
    some = [{"required": ["parts"]}, {"required": [_URL]}]
    return {"type": "object", "properties": told, "required": ["to"], "anyOf": some, "additionalProperties": False}


FORM: Mapping[str, Any] = MappingProxyType(_schema())
"""The schema of the form, for the OpenAPI document."""


@dataclass(slots=True)
class _Field:
    head: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


def read_form(content_type: str, octets: bytes) -> tuple[NewMessage, dict[int, bytes]]:
    """The message that a form says, and the octets of its files by the place of their parts.

    Raises ``Problem`` (400) and ``Invalid``.
    """
    given: dict[str, Any] = {}
    files: dict[int, bytes] = {}
    for one in _fields(content_type, octets):
        name, file_name = _named(one)
        if name == "parts":
            place = len(given.setdefault("parts", []))
            given["parts"].append(_part(one, file_name, place, files))
            continue
        text = _text(one, name)
        if name == _URL:
            given.setdefault("parts", []).append({_URL: text})
        elif name in _SEVERAL:
            given.setdefault(name, []).append(text)
        elif name in given:
            raise Problem("invalid-form", f"the field {name!r} is there twice; give it once", steps=(name,))
        else:
            given[name] = _WORDS.get(text, text) if name in _SWITCHES else text
    return judged(given, NewMessage), files


def _part(one: _Field, file_name: str | None, place: int, files: dict[int, bytes]) -> dict[str, str]:
    """A part, as the JSON would say it."""
    kind = one.head.get("content-type", "").strip()
    if file_name is None and (not kind or kind.lower().startswith("text/plain")):
        return {"text": _text(one, f"parts[{place}]")}
    files[place] = bytes(one.body)
    # a client that knows no type says so: then octets and name are asked
    known = {} if kind.lower() in ("", "application/octet-stream") else {"content_type": kind}
    return {"data": "", **known, **({"name": file_name} if file_name else {})}


def _named(one: _Field) -> tuple[str, str | None]:
    """The name of a field, and that of its file."""
    disposition = one.head.get("content-disposition", "")
    if _EXTENDED.search(disposition):  # RFC 7578 4.2: not in a form
        raise Problem("invalid-form", 'a Content-Disposition has filename*; write filename="..." in UTF-8')
    kind, told = parse_options_header(disposition)
    if kind != b"form-data" or b"name" not in told:
        raise Problem("invalid-form", "a field has no Content-Disposition: form-data with a name; give it one")
    if one.head.get("content-transfer-encoding", "binary").strip().lower() not in ("7bit", "8bit", "binary"):
        words = "a field has a Content-Transfer-Encoding; send its octets as they are (RFC 7578 4.7)"
        raise Problem("invalid-form", words)
    try:
        name = told[b"name"].decode()
        return name, told[b"filename"].decode() if b"filename" in told else None
    except UnicodeDecodeError as error:
        raise Problem("invalid-form", "the name of a field or file is not in UTF-8; write it so") from error


def _text(one: _Field, what: str) -> str:
    charset = _CHARSET.search(one.head.get("content-type", ""))
    if charset is not None and charset[1].lower() not in ("utf-8", "us-ascii"):
        raise Problem("invalid-form", f"the field {what!r} says that it is in {charset[1]}; write it in UTF-8")
    try:
        return one.body.decode()
    except UnicodeDecodeError as error:
        words = f"the field {what!r} is not in UTF-8; write it so, or give it as a file with its media type"
        raise Problem("invalid-form", words) from error


def _fields(content_type: str, octets: bytes) -> list[_Field]:
    """The fields of a form, in their order."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 1 <= len(boundary) <= _BOUNDARY:
        raise Problem("invalid-form", f"the Content-Type of a form needs a boundary of 1 to {_BOUNDARY} characters")
    reading = _Reading()
    try:
        parser = MultipartParser(boundary, reading.callbacks())  # type: ignore[arg-type]
        parser.write(octets)
        parser.finalize()
    except FormParserError as error:
        raise Problem("invalid-form", f"the form cannot be read: {error}") from error
    if not reading.ended:
        raise Problem("invalid-form", "the form ends before its last delimiter; send it whole")
    return reading.fields


class _Reading:
    """Collects the fields of a form."""

    def __init__(self) -> None:
        self.fields: list[_Field] = []
        self.ended = False
        self._name, self._value = bytearray(), bytearray()

    def callbacks(self) -> dict[str, Any]:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self.fields[-1].body.extend(memoryview(data)[start:end]),
            "on_header_field": lambda data, start, end: self._more(self._name, data[start:end]),
            "on_header_value": lambda data, start, end: self._more(self._value, data[start:end]),
            "on_header_end": self._head,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.fields) >= _MOST:
            raise Problem("invalid-form", f"the form has more than {_MOST} fields; give fewer")
        self.fields.append(_Field())

    def _more(self, text: bytearray, octets: bytes) -> None:
        text += octets
        if len(text) > _LONGEST:
            raise Problem("invalid-form", f"the head of a field is longer than {_LONGEST} octets; make it shorter")

    def _head(self) -> None:
        # as ISO 8859-1, which the octets are made of again where a value is read
        self.fields[-1].head[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name, self._value = bytearray(), bytearray()

    def _end(self) -> None:
        self.ended = True
