"""The verdict on one captured message: the pipeline's judgement, the passive rules and the HTTP head put together.

Understood without guessing, perhaps with findings, is ``accept``; everything else ``reject``. Raises nothing for what a
message holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from mm7zeep import exchange, mime
from mm7zeep.conformance import rules
from mm7zeep.conformance.input.capture import MAX_FILE, Captured
from mm7zeep.exchange import Judgement
from mm7zeep.findings import Action, Finding, finding, listed
from mm7zeep.profiles import Policy

LIMITS = mime.Limits(body=MAX_FILE, root=8 * 1024 * 1024, parts=1000)
"""A file at rest may be looked at with more patience than a request."""

# What strict refuses in an HTTP head: faults of the framing. Bare line feeds, lengths and status codes are reported:
# dumps are copied, masked and shortened, and documents have placeholders there.
_FRAMING = frozenset(
    {
        "http/blank-line",
        "http/field-continued",
        "http/field-syntax",
        "http/request-line",
        "http/status-line",
        "http/truncated",
    }
)

_ONE_DEVIATION = (
    "sem/content-href-resolves",
    "sem/content-without-part",
)  # two findings of one content that is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one message under ``policy``.

    ``judgement`` holds what could be read; ``findings`` are all that was noticed, by HTTP head and rules, too.
    """

    captured: Captured
    policy: Policy
    judgement: Judgement
    findings: tuple[Finding, ...]
    accepted: bool

    @property
    def word(self) -> Literal["accept", "reject"]:
        """``accept`` or ``reject``, as reports write it."""
        return "accept" if self.accepted else "reject"

    @property
    def reason(self) -> str:
        """Why it was refused, in one line: the first reason, and what else refuses it; empty where it was not."""
        if self.accepted:
            return ""
        refusals = self._refusals()
        by_status = next((one for one in refusals if one.id == "http/error-status"), None)
        if by_status is not None:  # the reason of the other ones
            return str(by_status)
        error, first = self.judgement.error, refusals[0] if refusals else None
        text = str(first if error is None or (first is not None and first.id.startswith("http/")) else error)
        told = _ONE_DEVIATION if first is not None and first.id in _ONE_DEVIATION else ()
        named = {*re.findall(r"[a-z]+/[a-z0-9-]+", text), *told}
        return text + _and_more([one for one in refusals[1:] if one.id not in named])

    def _refusals(self) -> list[Finding]:
        """The findings for which it was refused, or would have been."""
        strictly = self.judgement.findings if self.policy == "strict" else ()
        return [
            one
            for one in self.findings
            if _refuses(one, self.policy) or (one in strictly and exchange.is_blocking(one))
        ]

    @property
    def warned(self) -> bool:
        """Whether it was accepted with findings of level MUST or SHOULD."""
        return self.accepted and any(one.level != "INFO" for one in self.findings)

    def listing(self, wanted: Callable[[Finding], bool]) -> Verdict:
        """The same with the findings that are ``wanted``, and those for which the message was refused."""
        refusing = [] if self.accepted else self._refusals()
        kept = tuple(one for one in self.findings if wanted(one) or one in refusing)
        return replace(self, findings=kept)


def judge(captured: Captured, *, policy: Policy = "interop", now: datetime | None = None) -> Verdict:
    """Judge one captured message.

    ``now`` is when it arrived, where that is known: for live traffic the present, for a capture rather nothing, since
    dates are then compared with the message's own TimeStamp.
    """
    judgement = exchange.examine(captured.wire, policy=policy, limits=LIMITS)
    subject = rules.Subject(wire=captured.wire, judgement=judgement, start_line=captured.start_line, now=now)
    added = rules.judge(subject)
    read = [one for one in judgement.findings if subject.readable or one.id not in rules.CONTENT_KINDS]
    if any(one.id == "http/error-status" for one in added):
        # What came from a proxy or a login page is no MM7 answer: nothing is asked of its XML.
        read = [one for one in read if one.id.startswith("http/")]
    cut = _cut(captured, judgement)
    findings = _once((*captured.findings, *rules.superseded(read, added), *added, *cut))
    accepted = judgement.accepted and not any(_refuses(one, policy) for one in (*captured.findings, *added, *cut))
    return Verdict(captured=captured, policy=policy, judgement=judgement, findings=findings, accepted=accepted)


def _cut(captured: Captured, judgement: Judgement) -> tuple[Finding, ...]:
    """A multipart that ends without its delimiter, and before its announced length, was cut (RFC 9112 8).

    Neither of the two alone says so: documents carry placeholders for the length, and senders forget the delimiter.
    """
    ids = {one.id for one in (*captured.findings, *judgement.findings)}
    if not {"http/content-length", "mime/boundary-closed"} <= ids or "http/truncated" in ids:
        return ()
    body, announced = captured.wire.read(), captured.wire.header("content-length") or ""
    longest = len(body) + body.count(b"\n")  # the dump may have lost the carriage returns
    if not (announced.isascii() and announced.isdigit() and len(announced) < 13) or int(announced) <= longest:
        return ()
    detail = f"{len(body)} octets of {announced}"
    action: Action = "noted" if judgement.policy == "lenient" else "refused"
    return (finding("http/truncated", f"byte {len(body)}", detail=detail, action=action),)


def _and_more(others: Sequence[Finding]) -> str:
    if not others:
        return ""
    how_many = "1 more finding refuses" if len(others) == 1 else f"{len(others)} more findings refuse"
    return f"; {how_many} it: {listed(list(dict.fromkeys(one.id for one in others)), ', '.join)}"


def _refuses(one: Finding, policy: Policy) -> bool:
    if one.action == "refused":
        return True
    return policy == "strict" and one.level == "MUST" and (one.id in _FRAMING or one.id.startswith("mime/"))


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))
