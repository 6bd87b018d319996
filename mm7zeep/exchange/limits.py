"""The limits of a carrier, judged before anything is sent. Refuses, with ``LocalError`` that says value and limit."""

from __future__ import annotations

from collections.abc import Sequence

from mm7zeep import media, smil
from mm7zeep.errors import LocalError
from mm7zeep.messages import ExtendedReplaceReq, Message, Part, VaspRequest
from mm7zeep.profiles import Profile

_REMEDY = "have it made to fit: fit=True, or mm7zeep send --fit"
_ALWAYS = ("text/plain", "application/smil")
"""Types that no carrier names and each takes."""


def check_message(message: Message, parts: Sequence[Part], profile: Profile) -> None:
    """Raise ``LocalError`` for a request of a VASP that its carrier states not to take, as far as that is known before
    it is written: the subject; of the parts the number, sizes, types and Content-IDs.

    A carrier states its limits for what it is sent: what an MMSC sends has none. Opens each part whose label does not
    say its type. Raises ``OSError`` where a part's file is gone.
    """
    if not isinstance(message, VaspRequest | ExtendedReplaceReq):
        return
    subject, most = getattr(message, "subject", None), profile.max_subject
    if most is not None and subject is not None and len(subject) > most:
        raise LocalError(f"the subject has {len(subject)} characters; {profile.name} takes {most}. Make it shorter")
    check_parts(parts, profile)


def check_parts(parts: Sequence[Part], profile: Profile) -> None:
    """Raise ``LocalError`` for parts that a carrier states not to take: number, sizes, types, Content-IDs."""
    _check_sizes(parts, profile)
    _check_labels(parts, profile)


def _check_sizes(parts: Sequence[Part], profile: Profile) -> None:
    content = [one for one in parts if not smil.is_presentation(one)] if profile.max_parts is not None else parts
    if profile.max_parts is not None and len(content) > profile.max_parts:
        raise LocalError(f"there are {len(content)} parts; {profile.name} takes {profile.max_parts}. Send fewer")
    size = sum(one.size for one in parts)
    if profile.max_content is not None and size > profile.max_content:
        raise LocalError(
            f"the parts have {size} octets together; {profile.name} takes {profile.max_content}. Send less, "
            f"or {_REMEDY}"
        )
    for n, one in enumerate(parts, 1):
        if profile.max_part is not None and one.size > profile.max_part:
            raise LocalError(
                f"{_label(one, n)} has {one.size} octets; {profile.name} takes {profile.max_part}. Send less, "
                f"or {_REMEDY}"
            )


def _check_labels(parts: Sequence[Part], profile: Profile) -> None:
    for n, one in enumerate(parts, 1):
        id, most = one.content_id, profile.max_content_id
        if most is not None and id is not None and len(id) > most:
            raise LocalError(
                f"the Content-ID {id!r} of {_label(one, n)} has {len(id)} characters; {profile.name} takes {most}. "
                "Give a shorter one, or none"
            )
        if profile.media_types is None:
            continue
        row = media.lookup(one.content_type)
        kind = row.media_type if row is not None else one.content_type.lower()
        if kind not in (*_ALWAYS, *profile.media_types) and not smil.is_presentation(one):
            raise LocalError(
                f"{_label(one, n)} is {kind}; {profile.name} takes {', '.join(profile.media_types)}. Send one of "
                f"these; a picture you can {_REMEDY}"
            )


def check_size(size: int, message: Message | None, profile: Profile) -> None:
    """Raise ``LocalError`` for a request of a VASP whose whole body, of ``size`` octets, its carrier does not take.

    ``message`` None is one that was written by hand.
    """
    most = profile.max_message
    if most is None or size <= most or not isinstance(message, VaspRequest | ExtendedReplaceReq | None):
        return
    raise LocalError(
        f"the message has {size} octets, with its envelope and encodings; {profile.name} takes {most}. Send less, or "
        f"{_REMEDY}"
    )


def _label(part: Part, n: int) -> str:
    return part.name or part.content_location or part.content_id or f"part {n}"
