"""URLs of media that need no credentials: signed, and good until they expire. Values in, values out.

Whoever has such a URL may fetch that part of that message, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

PATH = "/v1/media"
KEY = "media_key"
"""The setting that holds the key, in hexadecimal: of all processes, made once."""


@dataclass(frozen=True, slots=True)
class MediaUrls:
    """Makes and judges them. ``base`` is what they begin with, ``lifetime`` the seconds that they are good for."""

    key: bytes = field(repr=False)
    base: str
    lifetime: float

    def url(self, message_id: str, n: int, now: float) -> str:
        """Where the ``n``-th part of a message is from ``now`` on."""
        expires = int(now + self.lifetime)
        signature = self._signature(message_id, n, expires)
        return f"{self.base}{PATH}/{message_id}/{n}?expires={expires}&signature={signature}"

    def is_ours(self, message_id: str, n: int, expires: int, signature: str) -> bool:
        """Whether such a URL was made here; it may have expired since."""
        wanted = self._signature(message_id, n, expires)
        return hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))

    def _signature(self, message_id: str, n: int, expires: int) -> str:
        named = f"{n} {expires} {message_id}".encode("utf-8", "replace")
        return base64.urlsafe_b64encode(hmac.digest(self.key, named, hashlib.sha256)).decode().rstrip("=")
