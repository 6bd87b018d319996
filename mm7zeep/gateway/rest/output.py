"""The base of what a REST API answers, and how it writes a point in time: ISO 8601 in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import pydantic
from pydantic import ConfigDict, PlainSerializer, WithJsonSchema


def written(seconds: float) -> str:
    """A point in time, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    float, PlainSerializer(written, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""Seconds since 1970, written in ISO 8601."""


class Output(pydantic.BaseModel):
    """Base of all that is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Document(Output):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")
