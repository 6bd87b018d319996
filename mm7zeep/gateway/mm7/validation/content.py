"""Whether the content of a request is taken (2004): its size, its media types. Refuses with ``StatusError``, and with
``Refusal`` what the carrier whose profile it is refuses by HTTP alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from mm7zeep import media
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.messages import Part
from mm7zeep.receiver import Refusal


def check_size(size: int, application: Application) -> None:
    """Raise ``Refusal`` for a request body of ``size`` octets that the profile has answered by an HTTP status."""
    profile = application.request_profile
    if profile.oversize_http is not None and profile.max_message is not None and size > profile.max_message:
        raise Refusal(profile.oversize_http, f"the message may have {profile.max_message:,} octets")


def check_content(parts: Sequence[Part], size: int, application: Application) -> None:
    """Raise ``StatusError`` (2004) for more content than the profile takes, or types that are not served.

    ``size`` are the octets of the whole body.
    """
    profile = application.request_profile
    sizes = [one.size for one in parts]
    for most, given, what in (
        (profile.max_message, size, "the message"),
        (profile.max_content, sum(sizes), "the content"),
        (profile.max_part, max(sizes, default=0), "a part"),
    ):
        if most is not None and given > most:
            raise refusal(2004, f"{what} may have {most:,} octets")  # seven digits alone are masked in a log
    content = [one for one in parts if not media.is_presentation(one.content_type)]
    if profile.max_parts is not None and len(content) > profile.max_parts:
        raise refusal(2004, f"the message may have {profile.max_parts} parts")
    if application.media == "listed":
        odd = [one.content_type for one in parts if not _is_listed(one.content_type)]
        if odd:
            raise refusal(2004, f"the media type {odd[0]} is not served")


def _is_listed(content_type: str) -> bool:
    row = media.lookup(content_type)
    return row is not None and (row.compatibility is not None or row.media_class == "presentation")
