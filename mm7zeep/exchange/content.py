"""The parts of a message made ready to be sent: Content-IDs, a SMIL presentation, the MIME package around them.

Refuses, with ``LocalError``, parts that are larger together than the profile allows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mm7zeep import envelope as soap
from mm7zeep import media, mime, smil
from mm7zeep.errors import LocalError
from mm7zeep.exchange.wire import Headers
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import DeliverReq, Message, Part, SubmitReq
from mm7zeep.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Parts made ready to be sent, each with a Content-ID, the SMIL presentation apart; ``href`` is the Content's
    URL.
    """

    parts: tuple[Part, ...]
    presentation: Part | None
    href: str
    content_id: str
    encoding: Literal["binary", "base64"]


def compose(parts: Sequence[Part], profile: Profile, *, content_id: str | None = None) -> Content | None:
    """Give each part a Content-ID and add the presentation that the profile asks for. None for no parts.

    ``content_id`` is what the Content element names; without one it is made. Raises ``LocalError`` if the parts are
    larger together than the profile allows.
    """
    if not parts:
        return None
    size = sum(part.size for part in parts)
    if profile.max_content is not None and size > profile.max_content:
        raise LocalError(
            f"the parts have {size} octets together; {profile.name} takes {profile.max_content}. Send less"
        )
    named = [
        part if part.content_id else replace(part, content_id=_fresh_id(f"part-{n}")) for n, part in enumerate(parts, 1)
    ]
    presentation = next((part for part in named if smil.is_presentation(part)), None)
    named = [part for part in named if part is not presentation]
    if presentation is not None and not media.is_presentation(presentation.content_type):
        presentation = replace(presentation, content_type=smil.MEDIA_TYPE)  # its label said nothing
    if presentation is None and (profile.smil == "required" or (profile.smil == "auto" and len(named) > 1)):
        presentation = Part(
            body=smil.generate(named),
            content_type=smil.MEDIA_TYPE,
            parameters=(("charset", "utf-8"),),
            content_id=_fresh_id("presentation"),
            content_location="presentation.smil",
        )
    if presentation is None and len(named) == 1:
        content_id = content_id or named[0].content_id or ""
    content_id = content_id or _fresh_id("content")
    return Content(
        parts=tuple(named),
        presentation=presentation,
        href=smil.cid_url(content_id),
        content_id=content_id,
        encoding=profile.encoding,
    )


def _fresh_id(name: str) -> str:
    return f"{name}.{secrets.token_hex(8)}@mm7zeep"


def emptiness(message: Message) -> tuple[Finding, ...]:
    """What a sender is to know of a message that carries nothing, or parts without an octet.

    Nothing of a replace that names no content: it changes the rest alone. Raises ``OSError`` where a part's file is
    gone.
    """
    parts: Sequence[Part] | None = getattr(message, "parts", None)
    where = f"/Envelope/Body/{soap.element_name(type(message))}/Content"
    if parts is None or (not parts and not isinstance(message, SubmitReq | DeliverReq)):
        return ()
    if not any(one.size for one in parts if not media.is_presentation(one.content_type)):
        return (finding("sem/content-empty", where, detail="no part has content" if parts else "no part"),)
    empty = (one for one in parts if not one.size)
    return tuple(
        finding("mime/empty-part", where, detail=one.name or one.content_id or one.content_type) for one in empty
    )


def enclose(root: bytes, content: Content | None) -> tuple[Headers, mime.Stream]:
    """The MIME package of an envelope and its content; without content, the envelope alone as text/xml."""
    if content is None:
        headers, body = mime.write(root)
    else:
        headers, body = mime.write(
            root,
            content.parts,
            presentation=content.presentation,
            root_content_id=_fresh_id("envelope"),
            content_id=content.content_id,
            encoding=content.encoding,
        )
    return tuple(headers), body
