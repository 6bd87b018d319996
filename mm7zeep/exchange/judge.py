"""The judgement of a message, without zeep and without raising: its envelope, its content, whether all of it came.

Each ``judge_*`` adds its findings and its reason to refuse; what the policy makes of them all, ``verdict`` says once,
at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, profiles, schema, tolerance
from mm7zeep.errors import EnvelopeError, RemoteError, SchemaError
from mm7zeep.exchange.wire import Judgement
from mm7zeep.findings import Action, Finding, finding, listed
from mm7zeep.profiles import Policy

# --- the SOAP part: bytes to text, text to tree -----------------------------------------------------------------------

_CLOSED = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_OPEN = re.compile(rb"<[\w:/!?]")
_TAG = re.compile(rb"<(/?)([^\s<>/!?=\"']+)[^<>]*?(/?)>")


def open_root(
    package: mime.Package, *, limits: mime.Limits | None = None
) -> tuple[etree._Element, tuple[Finding, ...]]:
    """The SOAP part of ``package`` as a tree. Raises ``EnvelopeError`` or ``LimitError`` where it is none."""
    if not package.root.strip():
        raise EnvelopeError(
            "the body is empty; send the SOAP envelope", [finding("http/empty-body", action="refused")], status=2007
        )
    readable = tolerance.readable(package.root, package.root_content_type.get("charset"))
    try:
        # UTF-8 may be up to three times as long as what was sent
        tree = soap.parse(readable.data, soap.XmlLimits(size=(limits or mime.Limits()).root * 3))
        return tree, tuple(_unreported(readable.findings, package))
    except RemoteError as error:
        error.findings = (*readable.findings, *error.findings)
        error.transaction_id, error.namespace = soap.glimpse(readable.data)  # TS 23.140 8.7.6: a Fault names it
        raise


def _unreported(findings: Iterable[Finding], package: mime.Package) -> Iterator[Finding]:
    """Without what the MIME reader has said of the charset label already."""
    known = any(one.id == "mime/root-charset-alias" for one in package.findings)
    return (one for one in findings if not (known and one.id == "mime/charset-alias" and one.where == "Content-Type"))


def raw_marks(root: bytes, error: RemoteError) -> Iterator[Finding]:
    """What raw text that does not parse still shows: a draft dialect, an end that is missing."""
    if tolerance.names_pre_standard(root):
        yield finding("ns/pre-standard", action="refused")
    if any(one.id == "xml/well-formed" for one in error.findings) and _is_cut(root):
        yield finding("http/truncated", f"byte {len(root)}", action="refused")


def _is_cut(root: bytes) -> bool:
    """Whether XML that does not parse ends too early: inside markup, or before the end tag of its root element.

    Nothing else is asked of it: where as many elements end as begin, or the root does, it is complete.
    """
    plain = root.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")  # without NUL, UTF-16 looks the same
    text = _CLOSED.sub(b" ", plain)
    if not plain.startswith(b"<"):
        return False
    if _OPEN.search(text, text.rfind(b">") + 1) or b"<!--" in text or b"<![CDATA[" in text:
        return True
    name, depth = b"", 0
    for tag in _TAG.finditer(text):
        name = name or tag[2]
        depth += -1 if tag[1] else 0 if tag[3] else 1
        if depth <= 0 or (tag[1] and tag[2] == name):
            return False
    return True


# --- the envelope: the repairs, then xmlschema over what they made ----------------------------------------------------


def judge_tree(
    tree: etree._Element, *, policy: Policy, request: bool | None = None, before: Sequence[Finding] = ()
) -> Judgement:
    """Judge a parsed envelope; ``request`` says whether it came as one (None: its element says).

    ``before`` are the findings about the package that it came in: a strict verdict is formed over all of them.
    """
    judged = judge_envelope(tree, policy=policy, request=request)
    return verdict(replace(judged, findings=(*before, *judged.findings)))


def judge_package(
    package: mime.Package, *, policy: Policy, limits: mime.Limits | None = None, request: bool | None = None
) -> Judgement:
    """Judge the SOAP part of ``package``: bytes to text, text to tree, tree to mended tree, mended tree by
    xmlschema. No verdict yet.
    """
    try:
        tree, found = open_root(package, limits=limits)
    except RemoteError as error:
        return _unopened(package, error, policy)
    judged = judge_envelope(tree, policy=policy, request=request)
    return replace(judged, findings=(*package.findings, *found, *judged.findings), package=package)


def _unopened(package: mime.Package, error: RemoteError, policy: Policy) -> Judgement:
    findings = list(package.findings)
    findings += [one for one in error.findings if one not in findings]
    findings += raw_marks(package.root, error)
    error.findings, error.raw = tuple(findings), package.root[:20_000]
    return Judgement(policy=policy, findings=error.findings, error=error, package=package, sketch=no_sketch())


def no_sketch() -> soap.Sketch:
    """The sketch of what could not be read."""
    return soap.Sketch(values=soap.no_values())


def judge_envelope(tree: etree._Element, *, policy: Policy, request: bool | None = None) -> Judgement:
    """Judge a parsed envelope as ``judge_tree`` does. No verdict yet."""
    sketch = soap.sketch(tree)
    if request is None:
        request = not (sketch.operation or "").endswith(("Rsp", "Fault"))
    repaired = tolerance.repair(tree, request=request)
    findings, error = repaired.findings, repaired.error
    if error is None and (left := schema.violations(repaired.envelope, repaired.read_as)):
        findings += tuple(finding("schema/valid", one.where, detail=one.reason, action="refused") for one in left)
        error = SchemaError(f"the envelope is not valid: {left[0]}", status=4004)
    if policy == "lenient" and repaired.legible:
        findings, error = downgraded(findings), None
    if policy == "strict" and error is None and not any(one.level == "MUST" for one in findings):
        findings += _violations_as_sent(tree, repaired.namespace)
    return Judgement(policy=policy, findings=findings, error=error, sketch=sketch, tree=tree, repaired=repaired)


def _violations_as_sent(tree: etree._Element, namespace: str | None) -> tuple[Finding, ...]:
    if namespace is None or namespace not in profiles.NAMESPACES:
        return ()
    return tuple(finding("schema/valid", one.where, detail=one.reason) for one in schema.violations(tree, namespace))


# --- the content: whether the Content element and the parts belong together (RFC 2392 2, SwA 3) -----------------------


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
    return replace(judged, findings=judged.findings + found) if found else judged


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
        return replace(judged, findings=downgraded(findings))
    error = judged.error
    if error is None and not is_refused_strictly(judged):
        error = EnvelopeError(message, status=2004)
    return replace(judged, findings=tuple(findings), error=error)


def _nothing_named(href: str, where: str, package: mime.Package, *, bare: bool) -> Finding:
    """A Content that could name nothing, whatever came: one part is meant all the same, of several none is."""
    action: Action = "noted" if bare else "repaired" if len(package.content) == 1 else "refused"
    return finding("sem/content-href-resolves", where, detail=_against(href or "names nothing", package), action=action)


def _against(href: str, package: mime.Package) -> str:
    """What Content names, and what it could name."""
    names = [_name(node) for node in package.content]
    return listed(names, lambda shown: f"{href}; the parts are {', '.join(shown)}") if names else href


def _name(node: mime.Node) -> str:
    return f"cid:{node.content_id}" if node.content_id else node.content_location or f"{node.content_type} without name"


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
        yield finding("sem/content-href-resolves", where, detail=_against(href, package), action=action)


# --- the package: no part swallowed by its neighbour, dropped, or cut off with the end of the body --------------------

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
        return replace(judged, findings=downgraded(findings))
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


# --- the policies: strict refuses for findings, lenient refuses nothing that can be read ------------------------------

# what the strict policy allows: advice on content and the HTTP head, not on the framing
_STRICT_ALLOWS = ("sem/", "http/", "ns/rel-5-1-5", "version/newest", "mime/vendor-type", "mime/related-type")
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
    """Whether the policy is strict, and something was found that it does not allow."""
    return judged.policy == "strict" and any(map(is_blocking, judged.findings))


def downgraded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings as the lenient policy has them: none refuses, each is noted only."""
    return tuple(replace(one, action="noted") if one.action == "refused" else one for one in findings)


def is_blocking(one: Finding) -> bool:
    """Whether the strict policy refuses a message for ``one``, a finding of its package or its envelope."""
    if one.level == "MUST":
        return True
    framing = one.id.startswith("mime/") and one.topic is not None and not one.id.startswith(_STRICT_ALLOWS)
    return framing and one.level == "SHOULD"


def _strict_error(findings: Sequence[Finding]) -> RemoteError:
    """The refusal in words: the blocking findings one by one, then the ids of all others above INFO."""
    blocking = [one for one in findings if is_blocking(one)]
    shown = blocking[:_SHOWN]
    text = "; ".join(_in_short(one) for one in shown) + (
        f" (and {len(blocking) - _SHOWN} more)" if blocking[_SHOWN:] else ""
    )
    named = {one.id for one in shown}
    others = dict.fromkeys(one.id for one in findings if one.level != "INFO" and one.id not in named)
    if others:
        text += f"; also met: {', '.join(others)}"
    text = f"not allowed by the strict policy: {text}"
    if any(one.id in _OF_CONTENT and one.action == "refused" for one in findings):
        return EnvelopeError(text, status=2004)  # as under the other policies: what is missing is content
    return SchemaError(text, status=4004)


def _in_short(one: Finding) -> str:
    return f"{one.id} at {one.where or 'message'}" + (f" ({one.detail})" if one.detail else "")
