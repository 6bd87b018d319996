"""What the policies make of findings: strict refuses for them, lenient bears them.

The strict verdict is formed once, when all stages have been looked at, and names whatever they found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mm7zeep.errors import EnvelopeError, RemoteError, SchemaError
from mm7zeep.exchange.wire import Judgement
from mm7zeep.findings import Finding

# what a strict reader bears: advice on content and the HTTP head, not on the framing
_STRICT_BEARS = ("sem/", "http/", "ns/rel-5-1-5", "version/newest", "mime/vendor-type", "mime/related-type")
_OF_CONTENT = ("sem/content-without-part", "sem/content-href-resolves")
_SHOWN = 10  # findings that a refusal spells out


def verdict(judged: Judgement) -> Judgement:
    """``judged`` under its policy: strict refuses any violation there is, and every refusal holds all findings."""
    error = judged.error
    if error is None and is_refused_strictly(judged):
        error = _strict_error(judged.findings)
    if error is None:
        return judged
    error.findings = judged.findings
    error.transaction_id = error.transaction_id or judged.sketch.transaction_id
    error.namespace = error.namespace or judged.sketch.namespace
    return replace(judged, error=error)


def is_refused_strictly(judged: Judgement) -> bool:
    """Whether the policy is strict, and something was found that it does not bear."""
    return judged.policy == "strict" and any(map(_is_grave, judged.findings))


def borne(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings as the lenient policy tells them: refused is nothing, only noted."""
    return tuple(replace(one, action="noted") if one.action == "refused" else one for one in findings)


def _is_grave(one: Finding) -> bool:
    if one.level == "MUST":
        return True
    framing = one.id.startswith("mime/") and one.topic is not None and not one.id.startswith(_STRICT_BEARS)
    return framing and one.level == "SHOULD"


def _strict_error(findings: Sequence[Finding]) -> RemoteError:
    """The refusal in words: the grave findings one by one, then the ids of all others that are more than a remark."""
    grave = [one for one in findings if _is_grave(one)]
    shown = grave[:_SHOWN]
    text = "; ".join(_in_short(one) for one in shown) + (f" (and {len(grave) - _SHOWN} more)" if grave[_SHOWN:] else "")
    named = {one.id for one in shown}
    others = dict.fromkeys(one.id for one in findings if one.level != "INFO" and one.id not in named)
    if others:
        text += f"; also met: {', '.join(others)}"
    text = f"refused under the strict policy: {text}"
    if any(one.id in _OF_CONTENT and one.action == "refused" for one in findings):
        return EnvelopeError(text, status=2004)  # as under the other policies: what is missing is content
    return SchemaError(text, status=4004)


def _in_short(one: Finding) -> str:
    return f"{one.id} at {one.where or 'message'}" + (f" ({one.detail})" if one.detail else "")
