"""Whether the content of a request is taken (2004): its size, its media types. Refuses with ``StatusError``."""

from __future__ import annotations

from collections.abc import Sequence

from mm7zeep import media
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.messages import Part


def check_content(parts: Sequence[Part], application: Application) -> None:
    """Raise ``StatusError`` (2004) for more content than the profile takes, or types that are not served."""
    most = application.request_profile.max_content
    if most is not None and sum(one.size for one in parts) > most:
        raise refusal(2004, f"the content may have {most} octets")
    if application.media == "listed":
        odd = [one.content_type for one in parts if not _is_listed(one.content_type)]
        if odd:
            raise refusal(2004, f"the media type {odd[0]} is not served")


def _is_listed(content_type: str) -> bool:
    row = media.lookup(content_type)
    return row is not None and (row.compatibility is not None or row.media_class == "presentation")
