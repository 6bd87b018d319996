"""The principle of the policies, from which the verdict on each vector follows: what refuses, and where."""

from __future__ import annotations

from mm7zeep.vectors.statements import Noted, Statement

BEYOND_ONE_MESSAGE = {
    "soap/operation-direction", "soap/transaction-echo", "sem/rsp-matches-req", "sem/report-message-id",
    "sem/recipient-missing", "sem/status-success-in-fault",
}  # fmt: skip
"""MUST of who says what to whom, not of the form of a message: they are reported, and refuse nothing."""
FRAMING = {
    "http/blank-line", "http/field-continued", "http/field-syntax", "http/request-line", "http/status-line",
    "http/truncated",
}  # fmt: skip
"""Of the HTTP head, strict refuses what makes it unsure where anything begins or ends."""
PACKAGE_SHOULD = {
    "mime/charset-alias", "mime/content-id-brackets", "mime/header-line-endings", "mime/part-content-type",
    "mime/related-start", "mime/root-charset-alias", "mime/root-cte", "mime/start-brackets", "mime/text-bare-cr",
}  # fmt: skip
"""SHOULD of the package without which receivers find or read its parts otherwise: strict refuses these, too."""
INVALID = {
    "schema/empty-element", "schema/unstated", "schema/vendor-extension", "soap/encoding-style-used", "soap/mu-case",
}  # fmt: skip
"""Not forbidden by words of their own, but what holds them is not valid by its schema."""
UNREADABLE = {
    "http/content-type-matches-body", "http/empty-body", "http/error-body", "http/error-status", "http/html-answer",
    "http/response-body", "mime/limit", "ns/pre-standard", "soap/envelope-present", "soap/operation-known",
    "soap/version-mismatch", "xml/limit", "xml/no-dtd", "xml/well-formed",
}  # fmt: skip
"""Where no message can be made out, or none may: every policy refuses."""
UNREADABLE_AT_TIMES = {"soap/structure", "xml/charset-agrees", "xml/encoding-forbidden", "soap/body-one-child"}
"""Refused where nothing can be read in spite of it, mended where it can."""


def refused_by_interop(found: Noted) -> bool:
    """Whether the interop policy refuses a message for that finding: where it says so, or no part can be told."""
    return found.action == "refused" or found.id == "http/content-type-matches-body"


def refused_by_strict(found: Noted) -> bool:
    """Whether the strict policy refuses a message for that finding alone."""
    if found.id in PACKAGE_SHOULD | INVALID:
        return True
    if found.id.startswith("http/") and found.id not in FRAMING:
        return False
    return found.level == "MUST" and found.id not in BEYOND_ONE_MESSAGE


def is_wrong(statement: Statement, *rooms: str) -> bool:
    """Whether a strict reader of those rooms (``mime``, ``xml`` ...) alone refuses the message."""
    return any(
        found.id.partition("/")[0] in rooms and (refused_by_strict(found) or refused_by_interop(found))
        for found in statement.findings
    )
