"""Whether all that was sent came: no part swallowed by its neighbour, dropped, or cut off with the end of the body.

Refuses, with 2004, a package that shows otherwise; a missing last delimiter is borne where nothing can be missing.
"""

from __future__ import annotations

from dataclasses import replace

from mm7zeep import mime
from mm7zeep.errors import EnvelopeError
from mm7zeep.exchange.policies import borne, is_refused_strictly
from mm7zeep.exchange.wire import Judgement
from mm7zeep.findings import Finding, finding

_WORDS = {
    "mime/boundary-near-miss": "a delimiter of the multipart is mistyped, so its parts cannot be told from each other",
    "mime/delimiter-missing": "a part header stands where no delimiter came before it, so a part was swallowed",
    "mime/boundary-used": "the delimiters of a multipart are not those of its boundary, so its parts cannot be told",
}


def judge_whole(judged: Judgement, package: mime.Package) -> Judgement:
    """``judged`` with what can be said of the package as a whole; it needs the Content, which names what must be there.

    A reason that was found before stays the reason.
    """
    lost = [one for one in package.findings if one.action == "refused" and one.id in _WORDS]
    findings, reason = judged.findings, ""
    if lost:
        reason = f"{_WORDS[lost[0].id]} ({lost[0].where}: {lost[0].detail}); write the delimiters alike"
    elif _may_lack_parts(judged, package):
        reason = "the body ends before the last delimiter of its multipart, and content may be missing; send it again"
        if not any(one.id == "http/truncated" for one in findings):
            findings = (*findings, _truncated(package))
    if not reason:
        return judged
    if judged.policy == "lenient":
        return replace(judged, findings=borne(findings))
    judged = replace(judged, findings=findings)
    if judged.error is not None or is_refused_strictly(judged):
        return judged
    return replace(judged, error=EnvelopeError(reason, status=2004))


def _may_lack_parts(judged: Judgement, package: mime.Package) -> bool:
    """Whether the package has no last delimiter, and Content does not vouch for the part that came last.

    The envelope shows its own end: it is XML. Of the content, the part that Content names is all that must be there.
    """
    if package.ending == "closed" or package.tree.children[-1] is package.root_node:
        return False
    if package.ending == "cut":
        return True
    href = judged.sketch.values.get("content_href")
    match = package.find(href) if href is not None else None
    return match is None or match.node is not package.tree.children[-1]


def _truncated(package: mime.Package) -> Finding:
    end = max(node.body_offset + node.size_encoded for node in package.tree.walk())
    return finding("http/truncated", f"byte {end}", detail="no last delimiter", action="refused")
