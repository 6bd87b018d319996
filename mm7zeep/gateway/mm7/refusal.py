"""How a handler refuses a request: with a status of MM7 and what is wrong."""

from __future__ import annotations

from mm7zeep.errors import StatusError
from mm7zeep.status import Status


def refusal(code: int, details: str) -> StatusError:
    """What a handler raises to answer with this status."""
    return StatusError(Status(code, details=details))
