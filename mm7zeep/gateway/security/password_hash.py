"""Password hashes as text: scrypt in the PHC string format.

``$scrypt$ln=14,r=8,p=1$salt$hash``; salt and hash are base64 without padding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

_MEMORY = 256 * 1024 * 1024  # octets that one hash check may take
_PHC = re.compile(r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


class Cost(NamedTuple):
    """What a hash costs: scrypt's N = 2^ln, r and p (RFC 7914 2); 128 x r x N octets of memory."""

    ln: int = 14
    r: int = 8
    p: int = 1


COST = Cost()
"""About 30 ms and 16 MiB."""

Derive = Callable[[bytes, bytes, Cost, int], bytes]
"""Password, salt, cost, octets wanted -> the key."""


def derive(password: bytes, salt: bytes, cost: Cost, size: int) -> bytes:
    """The key, by the standard library's scrypt (RFC 7914)."""
    return hashlib.scrypt(password, salt=salt, n=1 << cost.ln, r=cost.r, p=cost.p, maxmem=2 * _MEMORY, dklen=size)


@dataclass(frozen=True, slots=True)
class Hash:
    """A password's hash."""

    cost: Cost
    salt: bytes
    key: bytes

    def fits(self, password: bytes, derive: Derive = derive) -> bool:
        """Whether ``password`` is the one; takes as long as the cost says."""
        return hmac.compare_digest(self.key, derive(password, self.salt, self.cost, len(self.key)))


def hashed(password: str, cost: Cost = COST) -> str:
    """The hash of ``password`` with a fresh salt, as text: ``$scrypt$ln=14,r=8,p=1$salt$hash`` (PHC string format)."""
    salt = secrets.token_bytes(16)
    key = derive(password.encode(), salt, cost, 32)
    return f"$scrypt$ln={cost.ln},r={cost.r},p={cost.p}${_text(salt)}${_text(key)}"


def parsed(text: str) -> Hash:
    """The hash that ``text`` stands for. Raises ``ValueError`` for anything that ``hashed`` would not write."""
    found = _PHC.fullmatch(text)
    if found is None:
        raise ValueError("the password hash has not the form $scrypt$ln=14,r=8,p=1$salt$hash; make a new one")
    ln, r, p = (int(one) for one in found.groups()[:3])
    cost = Cost(ln, r, p)
    if not (1 <= ln <= 24 and r >= 1 and 1 <= p <= 16) or 128 * r << ln > _MEMORY:
        raise ValueError(
            f"the password hash costs too much or nothing (ln={ln},r={r},p={p}); make it with ln=14,r=8,p=1"
        )
    try:
        salt, key = (base64.b64decode(one + "=" * (-len(one) % 4), validate=True) for one in found.groups()[3:])
    except binascii.Error:
        raise ValueError("salt or key of the password hash is no base64; copy all of it, or make a new one") from None
    if not (8 <= len(salt) <= 64 and 16 <= len(key) <= 64):
        raise ValueError("salt or key of the password hash is too short or too long; copy all of it, or make a new one")
    return Hash(cost, salt, key)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")
