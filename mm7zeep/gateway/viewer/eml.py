"""A message as an e-mail (RFC 5322), to be kept or opened in a mail program.

Numbers become addresses at ``mms.invalid``, with the number as the name. Each value is put on one line before it goes
into a header, and each part is in base64, so that nothing of a message can become a header field or a part. Who is in
Bcc is not named. Refuses nothing: labels that no e-mail can have are left out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from email.encoders import encode_base64
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.utils import formataddr, formatdate

from mm7zeep import media, smil
from mm7zeep.gateway.viewer.copies import Source, clean, iso
from mm7zeep.messages import Part

DOMAIN = "mms.invalid"
"""Where addresses are that are no mail addresses (RFC 2606 2: nobody is there)."""

_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_UNSAFE = re.compile(r"[^A-Za-z0-9+_-]")
_TYPE = re.compile(r"(?!message/|multipart/)([a-z0-9!#$&^_.+-]{1,64})/([a-z0-9!#$&^_.+-]{1,64})")
_CHARSET = re.compile(r"[A-Za-z0-9._-]{1,40}")
_LABEL = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,200}")  # neither blank nor angle bracket
_LONGEST = 1000  # characters of a value in a header
_NOTHING = Part(body=b"", content_type="text/plain")
_SHOWN = ("text", "image", "audio", "video", "presentation")


def as_eml(source: Source) -> bytes:
    """The e-mail: multipart/related with the presentation first, where there is one, otherwise multipart/mixed."""
    parts = list(source.parts)
    first = next((one for one in parts if smil.is_presentation(one)), None)
    if first is not None:
        parts.remove(first)
        parts.insert(0, first)
    mail = MIMEMultipart("mixed" if first is None else "related", boundary=f"mm7zeep-{secrets.token_hex(16)}")
    if first is not None:
        mail.set_param("type", _type_of(first))
        if first.content_id and _LABEL.fullmatch(first.content_id):
            mail.set_param("start", f"<{first.content_id}>")
    for name, value in _fields(source):
        mail[name] = value
    for n, one in enumerate(parts or [_NOTHING]):  # RFC 2046 5.1.1: a multipart has a part
        mail.attach(_part(one, n))
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# --- the header -------------------------------------------------------------------------------------------------------


def _fields(source: Source) -> Iterator[tuple[str, str]]:
    message, field = source.message, source.message.field
    yield "From", _mailbox(message.sender or (message.application if not source.is_mo else "unknown"))
    for place, name in (("to", "To"), ("cc", "Cc")):
        found = [_mailbox(one.address) for one in source.recipients if one.place == place]
        if found:
            yield name, ", ".join(found)
    if message.subject is not None:
        yield "Subject", _words(message.subject)
    yield "Date", formatdate(message.accepted)
    id_ = re.sub(r"[^A-Za-z0-9._-]", "", message.id)[:200]
    yield "Message-ID", f"<{id_ or 'x'}@{DOMAIN}>"
    said = {
        "Message-ID": message.id,
        "Transaction-ID": message.transaction_id,
        "Message-Class": field.get("message_class"),
        "Priority": field.get("priority"),
        "Delivery-Report": _yes(message.delivery_report),
        "Read-Reply": _yes(message.read_reply),
        "Delivery-Time": iso(message.earliest) if message.earliest is not None else None,
        "Expiry": iso(message.expires) if message.expires is not None else None,
    }
    yield from ((f"X-Mms-{name}", _words(str(value))) for name, value in said.items() if value is not None)


def _yes(wanted: bool) -> str:
    return "Yes" if wanted else "No"


def _words(text: str) -> str:
    """A text in a header: on one line, as encoded words (RFC 2047) where it is not plain ASCII."""
    line = " ".join(clean(text)[:_LONGEST].split())
    if line.isascii() and line.isprintable() and "=?" not in line and all(len(one) < 70 for one in line.split()):
        return line
    return Header(line.encode("utf-8", "replace").decode(), "utf-8").encode(linesep="\n")


def _mailbox(address: str) -> str:
    if _MAILBOX.fullmatch(address):
        return address
    local = _UNSAFE.sub("_", address)[:64] or "unknown"
    name = " ".join(clean(address)[:_LONGEST].split()).encode("utf-8", "replace").decode()
    return formataddr((name, f"{local}@{DOMAIN}"), "utf-8")


# --- the parts --------------------------------------------------------------------------------------------------------


def _type_of(part: Part) -> str:
    kind = part.content_type.lower()
    return kind if _TYPE.fullmatch(kind) else media.OCTET_STREAM


def _part(part: Part, n: int) -> Message:
    kind = _type_of(part)
    made = MIMEBase(*kind.split("/"))
    if part.charset is not None and _CHARSET.fullmatch(part.charset):
        made.set_param("charset", part.charset)
    if kind != part.content_type.lower():
        made["X-Mms-Content-Type"] = _words(part.content_type)
    if part.content_id and _LABEL.fullmatch(part.content_id):
        made["Content-ID"] = f"<{part.content_id}>"
    if part.content_location and _LABEL.fullmatch(part.content_location):
        made["Content-Location"] = part.content_location
    shown = media.media_class(kind) in _SHOWN
    name = _name(part, n)
    made.add_header("Content-Disposition", "inline" if shown else "attachment", filename=name)
    made.set_payload(part.read())
    encode_base64(made)
    return made


def _name(part: Part, n: int) -> str | tuple[str, str, str]:
    """The name of a file: its sender's without what leads elsewhere, by RFC 2231 where it is not plain."""
    given = re.split(r"[/\\]", " ".join(clean(part.name or "").split()))[-1][:120].lstrip(".")
    if not given:
        return media.safe_name(part.content_type, n)
    if re.fullmatch(r"[A-Za-z0-9 ._+-]+", given):
        return given
    return ("utf-8", "", given.encode("utf-8", "replace").decode())
