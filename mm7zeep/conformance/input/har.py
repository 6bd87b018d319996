"""HAR 1.2 (HTTP Archive): the JSON of a recording in a browser or a proxy, to captured messages.

Opens no file. Refuses, with ``CaptureError`` or ``LimitError``, what is no HAR or exceeds the limits; an entry that
cannot be read is left out and noted.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from mm7zeep.charsets import codec
from mm7zeep.conformance.input.capture import MAX_FILE
from mm7zeep.conformance.input.traffic import CaptureError, Carried, Traffic, numbered, too_much
from mm7zeep.exchange import Headers, Wire
from mm7zeep.mime import fields

MAX_ENTRIES = 10_000
MAX_FIELDS = 1000
"""Header fields of one message."""

_LOG = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{')


def recognised(data: bytes) -> bool:
    """Whether ``data`` begins as a HAR does; the beginning suffices."""
    return _LOG.match(data) is not None


def read(name: str, data: bytes) -> Traffic:
    """The MM7 messages of the HAR called ``name``: for each entry its request and, if there was one, its answer.

    Raises ``LimitError`` beyond 64 MiB or 10,000 entries, ``CaptureError`` for what is no HAR.
    """
    if len(data) > MAX_FILE:
        raise too_much(f"{name} has more than {MAX_FILE} octets; save only the exchanges in question")
    entries = _entries(name, data)
    notes: list[str] = []
    exchanges: list[tuple[Carried, ...]] = []
    for number, entry in enumerate(entries, 1):
        try:
            exchanges.append(tuple(_messages(name, number, entry)))
        except _Odd as odd:
            notes.append(f"{name}: log.entries[{number - 1}]{odd}; the entry is left out")
    messages = numbered(exchanges)
    silent = len(exchanges) - len({one.exchange for one in messages})
    if silent:
        notes.append(f"{name}: {silent} of {len(entries)} entries carry no MM7 and are left out")
    return Traffic(messages=messages, notes=tuple(notes))


class _Odd(Exception):
    """What is wrong with an entry, as a path below it and a few words."""


def _entries(name: str, data: bytes) -> list[Any]:
    try:
        document = json.loads(data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise CaptureError(f"{name} is no HAR: {error.msg} at {where}. Export it again as HAR 1.2") from error
    except UnicodeDecodeError as error:
        raise CaptureError(f"{name} is no HAR: octet {error.start} is not UTF-8. Export it again as HAR 1.2") from error
    except ValueError as error:  # a number of thousands of digits
        raise CaptureError(f"{name} is no HAR: {error}. Export it again as HAR 1.2") from error
    except RecursionError as error:
        raise CaptureError(f"{name} is no HAR: it is nested too deeply. Export it again as HAR 1.2") from error
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise CaptureError(f"{name} is no HAR: log.entries is missing or no list. Export it again as HAR 1.2")
    if len(entries) > MAX_ENTRIES:
        raise too_much(f"{name} has more than {MAX_ENTRIES} entries; save only the exchanges in question")
    return entries


def _messages(name: str, number: int, entry: Any) -> Iterator[Carried]:
    """The request of an entry, and the answer where there is one."""
    if not isinstance(entry, dict):
        raise _Odd(" is no object")
    request, response = _object(entry, "request"), _object(entry, "response")
    yield _request(name, number, request)
    if _number(response.get("status")):  # HAR writers give 0 where no answer came
        yield _response(name, number, response)


def _request(name: str, number: int, request: Mapping[str, Any]) -> Carried:
    method, url = _text(request.get("method")) or "POST", _text(request.get("url"))
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _Odd(f".request.url: {error}") from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    data = _object(request, "postData")
    headers = _headers(request, "request", data)
    return _carried(
        name,
        number,
        "request",
        Wire(body=_body(data, headers, "request.postData"), headers=headers, method=method, target=target),
        f"{method} {target} {_text(request.get('httpVersion'))}",
    )


def _response(name: str, number: int, response: Mapping[str, Any]) -> Carried:
    status, content = _number(response.get("status")), _object(response, "content")
    headers = _headers(response, "response", content)
    return _carried(
        name,
        number,
        "response",
        Wire(body=_body(content, headers, "response.content"), headers=headers, status=status),
        f"{_text(response.get('httpVersion'))} {status} {_text(response.get('statusText'))}",
    )


def _carried(name: str, number: int, kind: Literal["request", "response"], wire: Wire, start_line: str) -> Carried:
    line = fields.clean(start_line).strip()
    return Carried(file=name, index=0, kind=kind, wire=wire, start_line=line, exchange=f"entry {number}")


def _headers(message: Mapping[str, Any], where: str, content: Mapping[str, Any]) -> Headers:
    """The header fields as recorded; without a Content-Type among them, the one that the content names."""
    listed = message.get("headers")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if len(rows) > MAX_FIELDS:
        raise _Odd(f".{where}.headers: more than {MAX_FIELDS} fields")
    pairs = ((_text(row.get("name")).strip(), _text(row.get("value"))) for row in rows)
    # ":method" and its like are of HTTP/2 and stand in the start line already
    found = tuple((key, fields.clean(value).strip()) for key, value in pairs if key and not key.startswith(":"))
    media_type = _text(content.get("mimeType")).strip()
    if media_type and not any(key.lower() == "content-type" for key, _ in found):
        found += (("Content-Type", fields.clean(media_type)),)
    return found


def _body(content: Mapping[str, Any], headers: Headers, where: str) -> bytes:
    """The octets of a body: from base64 where it is marked so, else its text in its charset."""
    text = _text(content.get("text"))
    if _text(content.get("encoding") or content.get("_encoding")).lower() == "base64":
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise _Odd(f".{where}.text: its base64 does not decode ({error})") from error
    content_type = next((value for key, value in headers if key.lower() == "content-type"), "")
    charset = fields.parse_content_type(content_type).get("charset")
    try:
        return text.encode((codec(charset) if charset else None) or "utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")  # the recorder decoded by another charset than the one named


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and 100 <= value <= 999 else 0
