"""What the API answers where it refuses: a problem (RFC 9457) with a stable code, one for each cause.

Values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import Field

from mm7zeep.errors import StatusError
from mm7zeep.gateway.rest.output import Output
from mm7zeep.gateway.rest.request import Invalid
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import Refusal
from mm7zeep.status import Status

MEDIA_TYPE = "application/problem+json"


class Cause(NamedTuple):
    """Why something is refused: the HTTP status, and what it is called."""

    status: int
    title: str


CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "invalid-json": Cause(400, "The body is not valid JSON"),
        "unknown-member": Cause(400, "Unknown member"),
        "missing-member": Cause(400, "A member is missing"),
        "invalid-value": Cause(400, "Invalid value"),
        "invalid-parameter": Cause(400, "Invalid query parameter"),
        "invalid-form": Cause(400, "Invalid form"),
        "unauthorized": Cause(401, "Authentication required"),
        "media-url-wrong": Cause(403, "The URL of a part was changed, or never told"),
        "not-found": Cause(404, "No such path"),
        "message-not-found": Cause(404, "No such message"),
        "part-not-found": Cause(404, "No such part"),
        "method-not-allowed": Cause(405, "Method not allowed"),
        "too-slow": Cause(408, "The body comes too slowly"),
        "too-late": Cause(409, "Too late"),
        "message-deleted": Cause(410, "The message was deleted"),
        "media-url-expired": Cause(410, "The URL of a part has expired"),
        "body-too-large": Cause(413, "The body is too large"),
        "unsupported-media-type": Cause(415, "Unsupported media type"),
        "invalid-recipient": Cause(422, "Invalid recipient"),
        "invalid-sender": Cause(422, "Invalid sender"),
        "too-many-recipients": Cause(422, "Too many recipients"),
        "content-refused": Cause(422, "The content cannot be sent"),
        "media-url-refused": Cause(422, "A media_url may not be fetched"),
        "opted-out": Cause(422, "All recipients have opted out"),
        "idempotency-key-reused": Cause(422, "The idempotency key was used for another message"),
        "failed": Cause(500, "Internal error"),
        "unavailable": Cause(503, "Temporarily unavailable"),
        "upstream-silent": Cause(503, "The carrier did not answer"),
    }
)
"""Each code, which never changes its meaning, with its status and title."""

_KINDS = {
    "json": "invalid-json",
    "member": "unknown-member",
    "missing": "missing-member",
    "value": "invalid-value",
    "parameter": "invalid-parameter",
}
_STATUSES = {
    404: "not-found",
    408: "too-slow",
    413: "body-too-large",
    415: "unsupported-media-type",
    503: "unavailable",
}
_MM7 = {
    2002: "invalid-recipient",
    2503: "too-many-recipients",
    2004: "content-refused",
    2005: "message-not-found",
    4001: "invalid-sender",
    2007: "invalid-value",
    3001: "too-late",
    3003: "too-many-recipients",
    4006: "upstream-silent",
}


class Body(Output):
    """A problem, as it is answered (RFC 9457)."""

    type: str = Field(description="urn:mm7zeep:problem: and the code")
    title: str
    status: int
    code: str = Field(description="which cause this is; a code never changes its meaning")
    detail: str = Field(description="what is wrong, where, and how to put it right")
    pointer: str | None = Field(None, description="where in the body that is (JSON pointer, RFC 6901)")


class Problem(Refusal):
    """A refusal with its code; ``steps`` lead to what is wrong in the body."""

    def __init__(
        self, code: str, detail: str, *headers: tuple[str, str], steps: Sequence[str | int] | None = None
    ) -> None:
        super().__init__(CAUSES[code].status, detail, *headers)
        self.code = code
        self.steps = tuple(steps) if steps is not None else None

    @classmethod
    def of(cls, error: Exception) -> Problem:
        """The problem that an error of another floor is."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, NotKept):
            return error.problem
        if isinstance(error, Invalid):
            return cls(_KINDS[error.kind], str(error), *error.headers, steps=error.steps)
        if isinstance(error, StatusError):
            code = _MM7.get(error.status.code, "invalid-value")
            return cls(code, error.status.details or error.status.text or CAUSES[code].title)
        if isinstance(error, StoreError):
            if error.of_value:  # the same again would fail again
                return cls("invalid-value", "a value of the request cannot be kept")
            return cls("unavailable", f"{error.reason}; send it again")
        if isinstance(error, Refusal):
            return cls(_STATUSES.get(error.status, "failed"), str(error), *error.headers)
        return cls("failed", "this failed, by no fault of the request; the gateway's log tells why")

    @property
    def body(self) -> dict[str, Any]:
        """What is written of it."""
        cause = CAUSES[self.code]
        where = {} if self.steps is None else {"pointer": pointer(self.steps)}
        told = Body(
            type=f"urn:mm7zeep:problem:{self.code}",
            title=cause.title,
            status=cause.status,
            code=self.code,
            detail=str(self),
            **where,
        )
        return told.as_dict()


class NotKept(StatusError):
    """A ``problem`` that shows only in the transaction: nothing of the request is kept there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(Status(2007, details=str(problem)))
        self.problem = problem


def pointer(steps: Sequence[str | int]) -> str:
    """Steps into JSON as a pointer (RFC 6901): ``/parts/0/data``."""
    return "".join("/" + str(one).replace("~", "~0").replace("/", "~1") for one in steps)
