"""Signatures of webhooks as Twilio has them: HMAC-SHA1 of the URL and the form's fields, with the account's AuthToken.

Values in, values out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

HEADER = "X-Twilio-Signature"


def signature(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """The signature of a form that is posted to ``url``."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashlib.sha1)).decode()
