"""The builders of ``mm7zeep.vectors.envelopes``, under the name that the tests know."""

from mm7zeep.vectors.envelopes import (
    FROM,
    MINIMAL,
    NO,
    OK,
    REPORTED,
    SCHEMA,
    TO,
    VERSION,
    WHO,
    content,
    envelope,
    fault,
    message,
    part,
    sent,
    transaction,
    uri,
    wire,
)

__all__ = [
    "FROM", "MINIMAL", "NO", "OK", "REPORTED", "SCHEMA", "TO", "VERSION", "WHO", "content", "envelope", "fault",
    "message", "part", "sent", "transaction", "uri", "wire",
]  # fmt: skip
