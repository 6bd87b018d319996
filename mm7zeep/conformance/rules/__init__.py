"""Passive rules: what one message shows beyond what had to be mended to read it.

A rule is one small function, registered under the id of the finding kind it raises. Judges what was read already; reads
nothing itself, repairs nothing, and refuses by a finding whose action is ``refused``. What ``mime``, ``tolerance``,
``exchange`` and ``input`` report is not reported again here; where a rule is more exact, ``superseded`` says of what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType

from mm7zeep.conformance.rules import addresses, frame, http, package, presentation, status, times, wording
from mm7zeep.conformance.rules.subject import Check, Rule, Subject
from mm7zeep.exchange import Judgement, Wire
from mm7zeep.findings import Finding

__all__ = ["CONTENT_KINDS", "RULES", "Check", "Rule", "Subject", "judge", "of", "superseded"]

_ENOUGH = 100  # findings of one kind in one message

CONTENT_KINDS = frozenset({"mime/part-content-type"})
"""What ``mime`` notes about content, which is not asked of a document that is not XML either."""

# The rest is only asked where the envelope is XML.
_OF_CONTENT = (
    *package.RULES, *presentation.RULES, *frame.RULES, *addresses.RULES, *times.RULES, *wording.RULES, *status.RULES,
)  # fmt: skip

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in (*http.RULES, *_OF_CONTENT)})
"""Every rule, by id. The findings of the pipeline itself (``mime``, ``tolerance``, ``exchange``) have no rule here."""

_NO_ENVELOPE = frozenset({"xml/well-formed", "soap/envelope-present", "mime/root-is-xml", "http/truncated"})
_SUPERSEDES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # one deviation each, in other words
        "http/response-body": frozenset({"http/empty-body"}),
        "http/html-answer": _NO_ENVELOPE,
        "http/error-body": _NO_ENVELOPE,
        "http/content-type-matches-body": frozenset({"xml/well-formed", "http/truncated"}),
        "http/content-type-known": frozenset({"mime/related-type"}),
    }
)


def of(wire: Wire, judgement: Judgement) -> tuple[Finding, ...]:
    """All findings of one message: those of its ``judgement``, and what the rules add. For ``unpack(rules=of)``."""
    added = judge(Subject(wire=wire, judgement=judgement))
    return tuple(dict.fromkeys((*superseded(judgement.findings, added), *added)))


def judge(subject: Subject) -> tuple[Finding, ...]:
    """What the rules say about one message, a hundred times each at most; those about content only where the envelope
    is XML.
    """
    rules = RULES.values() if subject.readable else http.RULES
    return tuple(found for rule in rules for found in islice(rule.check(subject), _ENOUGH))


def superseded(read: Iterable[Finding], added: Iterable[Finding]) -> list[Finding]:
    """The findings ``read`` by the pipeline, but for those that another one, or one of the ``added``, makes plainer."""
    before, rules = list(read), list(added)
    gone = {(id, "") for one in rules for id in _SUPERSEDES.get(one.id, ())}
    gone |= {("schema/unknown-element", one.where) for one in rules if one.id == "schema/vendor-extension"}
    gone.add(("mime/empty-part", "Content-Type"))  # the whole body is empty, as http/empty-body says
    return [one for one in before if not gone & {(one.id, ""), (one.id, one.where)}]
