"""Whether the Content element and the parts belong together (RFC 2392 2, SwA 3).

Refuses content that is named and did not come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mm7zeep import mime, schema
from mm7zeep.errors import EnvelopeError
from mm7zeep.exchange.policies import borne, is_refused_strictly
from mm7zeep.exchange.wire import Judgement
from mm7zeep.findings import Action, Finding, finding


def judge_content(judged: Judgement, package: mime.Package, *, bare: bool) -> Judgement:
    """``judged`` with what can be said of its content; ``bare`` is a package without its HTTP head, as in a file."""
    href: str | None = judged.sketch.values.get("content_href")
    where = f"/Envelope/Body/{judged.sketch.operation}/Content/@href"
    bare = bare and not package.tree.children  # which may have had parts
    if not judged.sketch.has_content:
        return _without_content(judged, package, where.removesuffix("/@href"))
    if href is not None and schema.names_content(href):
        found = tuple(_href_findings(href, where, package, bare=bare))
    else:
        found = (_nothing_named(href or "", where, package, bare=bare),)
    if not package.parts and not bare:
        return _refused(judged, found, f"the content {href!r} did not arrive: no part besides the envelope", where)
    if any(one.action == "refused" for one in found):
        return _refused(judged, found, f"the Content names none of the parts that came ({href or 'no href'})", where)
    return replace(judged, findings=judged.findings + found)


def _without_content(judged: Judgement, package: mime.Package, where: str) -> Judgement:
    if not package.parts or judged.sketch.operation is None:
        return judged
    return replace(judged, findings=(*judged.findings, finding("sem/part-without-content", where, action="noted")))


def _refused(judged: Judgement, found: Sequence[Finding], message: str, where: str) -> Judgement:
    """Refused with a reason of its own, but where another one stands already."""
    findings = [*judged.findings, *found]
    if judged.package is None or not judged.package.parts:
        href = judged.sketch.values.get("content_href") or ""
        findings.append(finding("sem/content-without-part", where, detail=href, action="refused"))
        if any(one.id == "mime/boundary-closed" for one in findings):
            findings.append(finding("http/truncated", "", action="refused"))
    if judged.policy == "lenient":
        return replace(judged, findings=borne(findings))
    error = judged.error
    if error is None and not is_refused_strictly(judged):
        error = EnvelopeError(message, status=2004)
    return replace(judged, findings=tuple(findings), error=error)


def _nothing_named(href: str, where: str, package: mime.Package, *, bare: bool) -> Finding:
    """A Content that could name nothing, whatever came: one part is meant all the same, of several none is."""
    action: Action = "noted" if bare else "repaired" if len(package.content) == 1 else "refused"
    return finding("sem/content-href-resolves", where, detail=href or "names nothing", action=action)


def _href_findings(href: str, where: str, package: mime.Package, *, bare: bool) -> Iterator[Finding]:
    stripped = href.strip()
    if not stripped.lower().startswith("cid:") or any(c.isspace() for c in href):
        # RFC 2392 2: the URL is cid: and the Content-ID
        location = package.find(href)
        if location is None or location.how != "content-location":
            yield finding("sem/content-href-cid", where, detail=href, action="repaired")
    elif "<" in stripped or ">" in stripped:
        yield finding("sem/content-href-brackets", where, detail=href, action="repaired")
    if bare:
        return
    match = package.find(href)
    located = match is not None and match.how == "content-location" and stripped.lower().startswith("cid:")
    if match is None or located or match.how in ("content-id-case", "name"):  # RFC 2392 2: cid: names a Content-ID
        # one part is the content whatever it is called; of several, none was named
        action: Action = "repaired" if match is not None or len(package.content) == 1 else "refused"
        yield finding("sem/content-href-resolves", where, detail=href, action=action)
