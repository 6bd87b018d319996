"""What is answered where something is refused: Twilio's error form, with the code that Twilio has for the cause.

Values only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mm7zeep.gateway.api.problems import Problem
from mm7zeep.receiver import Refusal

STATUSES: Mapping[int, int] = MappingProxyType(
    {
        20001: 400,  # Unknown parameters
        20003: 401,  # Authenticate
        20004: 405,  # Method not allowed
        20006: 400,  # Invalid request
        20404: 404,  # Not found
        20409: 409,  # Conflict
        20500: 500,  # Internal server error
        20503: 503,  # Service unavailable
        21211: 400,  # Invalid 'To' phone number
        21603: 400,  # A 'From' phone number is required
        21604: 400,  # A 'To' phone number is required
        21606: 400,  # The 'From' phone number is not valid for this account
        21609: 400,  # Invalid 'StatusCallback' URL
        21610: 400,  # Attempt to send to unsubscribed recipient
        21617: 400,  # The concatenated message body exceeds the limit
        21619: 400,  # A text message body or media URLs must be specified
        21620: 400,  # Invalid media URL(s)
        21623: 400,  # Number of media files exceeds allowed limit
    }
)
"""The codes that are answered, each with its HTTP status; they are Twilio's."""

_PROBLEMS = {
    "invalid-recipient": 21211,
    "invalid-sender": 21606,
    "opted-out": 21610,
    "too-late": 20409,
    "message-not-found": 20404,
    "upstream-silent": 20503,
    "unavailable": 20503,
    "media-url-refused": 21620,
    "failed": 20500,
}
_MEMBERS = {"to": 21211, "from": 21606}
"""What is answered for a wrong member of the body, whatever is wrong with it."""
_PARAMETERS = (("to[0]", "To"), ("expires_at", "ValidityPeriod"), ("send_at", "SendAt"))
"""What the parameters of the JSON API are called here."""
_NO_PLACE = ", or the octets as data"
"""What the JSON API offers instead of a URL, and this form has no parameter for."""


class TwilioError(Refusal):
    """A refusal with one of ``STATUSES``."""

    def __init__(self, code: int, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(STATUSES[code], message, *headers)
        self.code = code

    @classmethod
    def of(cls, error: Exception) -> TwilioError:
        """The error that one of another floor is."""
        if isinstance(error, TwilioError):
            return error
        problem = Problem.of(error)
        code = _PROBLEMS.get(problem.code, 20006)
        steps = problem.steps or ("",)
        if "media_url" in steps:
            code = 21620
        elif problem.code != "opted-out":
            code = _MEMBERS.get(str(steps[0]), code)
        return cls(code, _in_own_words(str(problem)), *problem.headers)

    @property
    def body(self) -> dict[str, Any]:
        """What is written of it."""
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def _in_own_words(text: str) -> str:
    """What the JSON API says of a request, with the names that its parameters have here."""
    text = re.sub(r"^parts\[\d+\](\.media_url)?", lambda found: "MediaUrl" if found[1] else "Body", text)
    text = re.sub(r"^from\b", "From", text)
    text = text.removesuffix(_NO_PLACE)
    for name, own in _PARAMETERS:
        text = text.replace(name, own)
    return text
