"""What the log says of a request that was refused: from whom it came, why, and what was answered.

Values in, texts out. What a stranger gave is escaped and cut; passwords never stand in a text.
"""

from __future__ import annotations

from mm7zeep import masking
from mm7zeep.errors import RemoteError
from mm7zeep.exchange import Wire
from mm7zeep.receiver.guard import authorization, credentials
from mm7zeep.receiver.replies import printable
from mm7zeep.status import Status

_NAME = 80  # characters of a name that was not proven
_REASON = 300  # characters of a reason
_FINDINGS = 10  # that are named


def asker(head: Wire, user: str | None, peer: str | None, *, asked: bool) -> str:
    """Who sent a request: the ``user`` that was proven, the address, and where nobody was proven but was ``asked`` for
    name and password, the name that was given.
    """
    place = printable(peer)[:_NAME] if peer else None
    if user is not None:
        return f"{user} at {place}" if place else user
    given = credentials(authorization(head)) if asked else None
    name = f" as {_quoted(given[0])}" if given is not None else ""
    return f"{place or 'an unknown address'}{name}"


def _quoted(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return repr(text if len(text) <= _NAME else f"{text[:_NAME]}...")


def of_error(error: RemoteError, names: list[str], *, show_numbers: bool) -> str:
    """Why a request could not be read: the error, and the findings, ``names`` where the error has none of its own."""
    found = [one.id for one in error.findings] or names
    listed = ", ".join(dict.fromkeys(found).keys() if len(found) <= _FINDINGS else [*found[:_FINDINGS], "..."])
    said = masking.masked(printable(str(error))[:_REASON], show_numbers=show_numbers)
    return f"{type(error).__name__}: {said}" + (f" ({listed})" if listed and listed not in said else "")


def of_status(status: Status, *, show_numbers: bool) -> str:
    """Why a handler refused a message: the status with its details."""
    said = f"{status}: {status.details}" if status.details else str(status)
    return masking.masked(printable(said)[:_REASON], show_numbers=show_numbers)


def answered(http: int | None, code: int | None) -> str:
    """What was answered."""
    return f"HTTP {http or 500}" + (f", StatusCode {code}" if code is not None else "")
