"""Signatures of webhooks as Standard Webhooks has them: HMAC-SHA256 with a secret that both sides know.

Values in, values out. Refuses what is no secret of that form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"
"""What every secret begins with."""
LEAST, MOST = 24, 64
"""Octets of a secret (Standard Webhooks, "Symmetric")."""

_MAKE = """printf 'whsec_%s\\n' "$(openssl rand -base64 32)" makes one"""


def key_of(secret: str) -> bytes:
    """The octets that a secret is. Raises ``ValueError``, which does not repeat it."""
    text = secret.removeprefix(PREFIX)
    try:
        # strictly: libraries pass over what is no base64, each in its own way, and would sign with another key
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = None
    if text == secret or key is None:
        raise ValueError(f"is no secret of Standard Webhooks, {PREFIX} and base64; {_MAKE}")
    if not LEAST <= len(key) <= MOST:
        raise ValueError(f"has {len(key)} octets in base64; it needs {LEAST} to {MOST}; {_MAKE}")
    return key


def headers(secrets: Iterable[str], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The header fields of a webhook, signed with each of ``secrets``; ``timestamp`` is in seconds since 1970.

    Raises ``ValueError`` for what is no secret.
    """
    signed = b"%b.%d.%b" % (id.encode(), timestamp, body)
    codes = [base64.b64encode(hmac.digest(key_of(one), signed, hashlib.sha256)).decode() for one in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in codes),
    }
