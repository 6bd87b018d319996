"""A message to be copied and tried again: what copies are made of, as a request for curl, and the files that they name.

``copy_json`` and ``copy_python`` have the other forms, ``eml`` the e-mail. Values in, texts out. Each value that comes
from a message is quoted for the language that it stands in, and no control character of it is copied: a terminal would
obey some. Shows no credentials: programs ask for the password. Refuses nothing.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mm7zeep import masking, media
from mm7zeep.gateway.admin import messages as admin
from mm7zeep.gateway.store.messages import wire_of
from mm7zeep.gateway.store.rows import SHOWN, MessageRow, RawRow, RecipientRow
from mm7zeep.messages import Part

if TYPE_CHECKING:
    from mm7zeep.gateway.config.parties import Application

_ID = re.compile(r"[^A-Za-z0-9]")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Where the listeners of a gateway are reached: MM7 with its path, the JSON API (None: it has none), the admin's.

    ``admin_user`` is the name that the admin's listener asks for, if it asks for one.
    """

    mm7: str = "http://127.0.0.1:8007/mm7"
    api: str | None = "http://127.0.0.1:8010"
    admin: str = "http://127.0.0.1:8008"
    admin_user: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """What copies are made of: a message, its copies, the request ``raw`` that is looked at, and the ``parts`` of the
    content in force (``content.parts_of``). ``application`` is whose it is, None where it is configured no more;
    ``now`` is in seconds since 1970.
    """

    message: MessageRow
    recipients: Sequence[RecipientRow]
    raw: RawRow
    parts: Sequence[Part]
    application: Application | None
    urls: Urls
    now: float

    @property
    def is_mo(self) -> bool:
        """Whether a handset sent it."""
        return self.message.direction == "mo"

    @property
    def stem(self) -> str:
        """What the names of its files begin with: letters and digits of its id."""
        return f"message-{_ID.sub('', self.message.id)[:12] or 'x'}"

    @property
    def body_file(self) -> str:
        """The file that curl sends: what ``as_body`` gives."""
        return f"{self.stem}.json" if self.is_mo else f"{self.stem}.mm7"

    @cached_property
    def part_files(self) -> tuple[str, ...]:
        """The files of the parts, as they are downloaded."""
        return tuple(_file(one, n) for n, one in enumerate(self.parts))

    @property
    def served(self) -> list[RecipientRow]:
        """The copies of those who are not only displayed."""
        return [one for one in self.recipients if one.state != SHOWN]


def _file(part: Part, n: int) -> str:
    with part.open() as stream:
        return media.file_name(part.content_type, stream.read(media.HEAD), n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A text to be copied; ``files`` are to be downloaded first, into the folder that it is run in.

    ``notes`` say what differs from the message.
    """

    text: str
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


# --- downloads --------------------------------------------------------------------------------------------------------


def as_http(source: Source) -> bytes:
    """The request as it came, head and all, without credentials in the head: what ``mm7zeep check`` reads."""
    return admin.request_octets(source.raw)


def as_body(source: Source) -> bytes:
    """What curl sends: of an MT the body as it came, of an MO what the admin's API takes, as JSON."""
    return json.dumps(delivery(source)).encode() if source.is_mo else source.raw.body


def delivery(source: Source) -> dict[str, Any]:
    """An MO as ``POST /api/v1/deliver`` takes it, with the octets of its parts in base64."""
    message = source.message
    first = next(iter(source.served), None)
    said = {
        "application": message.application,
        "from": message.sender or "unknown",
        "to": first.address if first is not None else None,
        "subject": message.subject,
        "parts": [_mo_part(one) for one in source.parts],
    }
    return {name: value for name, value in said.items() if value is not None}


def _mo_part(part: Part) -> dict[str, str]:
    given = {
        "data": base64.b64encode(part.read()).decode("ascii"),
        "content_type": content_type(part),
        "name": part.name,
        "content_id": part.content_id,
    }
    return {name: value for name, value in given.items() if value is not None}


def content_type(part: Part) -> str:
    """The media type of a part with its charset, as the APIs take it."""
    charset = part.charset
    plain = charset is not None and re.fullmatch(r"[A-Za-z0-9._-]{1,40}", charset) is not None
    return f"{part.content_type}; charset={charset}" if plain else part.content_type


# --- curl -------------------------------------------------------------------------------------------------------------


def as_curl(source: Source) -> Copy:
    """The command that sends it again: an MT to the gateway's own ``/mm7``, as its octets came; an MO to the admin's
    API, which has a handset send it. curl asks for the password.
    """
    if source.is_mo:
        words = [*curl(source.urls.admin_user), *typed_json(f"@{source.body_file}")]
        words.append(f"{source.urls.admin}/api/v1/deliver")
        return Copy(text=joined(words), files=(source.body_file,))
    name = source.application.name if source.application is not None else source.message.application
    words = curl(name)
    for header in ("Content-Type", "SOAPAction"):
        value = wire_of(source.raw).header(header)
        # a header that is given as "Name;" goes out empty, one as "Name:" not at all
        words += ["--header", f"{header}: {clean(_as_utf8(value))}" if value else f"{header};"]
    words += ["--data-binary", f"@{source.body_file}", source.urls.mm7]
    text = joined(words) + _again(source)
    return Copy(text=text, files=(source.body_file,), notes=_of_request(source))


def curl(user: str | None) -> list[str]:
    """How each command begins; curl asks for the password of ``user``, unless there is nobody to be."""
    return ["curl", "--globoff", *(["--user", clean(user)] if user is not None else [])]


def typed_json(data: str) -> list[str]:
    """The options that send ``data`` as JSON."""
    return ["--header", "Content-Type: application/json", "--data-binary", data]


def joined(words: Sequence[str]) -> str:
    """A command of these words, each quoted for the shell."""
    return shlex.join(words) + "\n"


def clean(text: str) -> str:
    """``text`` with a blank in the place of control characters, which end lines, or steer a terminal."""
    return _CONTROL.sub(" ", text)


def _as_utf8(value: str) -> str:
    """A header field's value as a terminal has to show it, so that curl sends the octets that came."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _again(source: Source) -> str:
    """What to do about the TransactionID, as a comment."""
    name, id_ = source.body_file, source.message.transaction_id or ""
    lines = [
        "The same TransactionID again is answered as before, with the same MessageID, and makes no other message,",
        "for as long as the gateway remembers it (duplicates: 24 hours). For another message change it first:",
    ]
    if _PLAIN_ID.fullmatch(id_) and id_.encode() in source.raw.body:
        lines.append(f'LC_ALL=C sed -i "s/{id_}/$(date +%s)/" {name}')
    else:
        lines.append(f"it is the text of TransactionID, at the beginning of {name}.")
    return "".join(f"# {line}\n" for line in lines)


def _of_request(source: Source) -> tuple[str, ...]:
    if source.raw.n == 0:
        return ()
    return (f"this is request {source.raw.n} about the message, not the one that began it",)


def iso(seconds: float) -> str:
    """A point in time in ISO 8601, UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shown_url(url: str) -> str:
    """A URL as it may be copied: without its user and its secrets."""
    return clean(masking.url(url))
