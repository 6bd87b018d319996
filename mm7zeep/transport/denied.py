"""Why a server did not accept our credentials: what it asks for, against what was given.

Texts of the server are escaped. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mm7zeep import challenges, digest
from mm7zeep.challenges import Challenge
from mm7zeep.credentials import Credentials, Digest

CHECK = "check user name, password, VASPID and the address you call from"
"""What to do where credentials were refused."""


def unanswered(auth: Credentials | None, lines: Iterable[str]) -> str:
    """What was wrong with ``auth`` for a server that answered 401 with these lines of WWW-Authenticate, and the fix."""
    lines = list(lines)
    found = challenges.read(lines)
    given = type(auth).__name__ if auth is not None else None
    schemes = list(dict.fromkeys(one.scheme for one in found if one.scheme))
    asked = " or ".join(one if one.isalnum() else f"{one[:40]!a}" for one in schemes[:5])
    if any(one.named("Digest") for one in found) and isinstance(auth, Digest):
        return _undigested(found)
    if not schemes:
        why = f"what it asks for cannot be read: {_escaped(found[0], lines)}" if found else "it does not say what for"
        return f"{why}; {CHECK}"
    if given is not None and any(one.named(given) for one in found):
        return CHECK
    forms = {"basic": "auth=(user, password)", "digest": "auth=Digest(user, password)", "bearer": "auth=Bearer(token)"}
    fix = next((forms[one.lower()] for one in schemes if one.lower() in forms), None)
    what = f"it asks for {asked}, and {given or 'nothing'} was given"
    return f"{what}; use {fix}" if fix is not None else f"{what}; mm7zeep answers Basic, Digest and Bearer"


def _undigested(found: Sequence[Challenge]) -> str:
    """Why Digest did not help although the server asked for it."""
    asked = [one for one in found if one.named("Digest")]
    flaws = [flaw for one in asked if (flaw := digest.flaw_of(one)) is not None]
    if len(flaws) < len(asked):
        return CHECK
    shown = _escaped(asked[0], ())
    return f"it asks for Digest, but {'; '.join(dict.fromkeys(flaws))[:300]} ({shown}); its operator has to mend that"


def _escaped(challenge: Challenge, lines: Iterable[str]) -> str:
    """A challenge as it may be shown: in ASCII, and not too long."""
    parts = [f"{name}={challenges.shown(value)!a}" for name, value in challenge.parameters]
    text = " ".join([challenge.scheme, ", ".join(parts)]).strip() or ", ".join(f"{one!a}" for one in lines)
    return text if len(text) <= 300 else f"{text[:300]}..."
