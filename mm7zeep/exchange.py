"""The two pipelines: ``pack`` makes a ``Wire`` of a message, ``unpack`` makes a ``Received`` of a ``Wire``; sans I/O.

Nothing else composes the steps. ``examine`` is ``unpack`` without zeep and without raising: the judgement of one
message.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import media, mime, profiles, schema, smil, tolerance
from mm7zeep.errors import EnvelopeError, LocalError, RemoteError, SchemaError
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import Fault, Message, Part, Response, RSErrorRsp, VASPErrorRsp
from mm7zeep.profiles import Policy, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One HTTP message: header fields and body; ``status`` for an answer, ``method`` and ``target`` for a request.

    ``body`` is bytes, or anything that gives bytes when iterated (``pack`` gives a ``mime.Stream``, with a length).
    No headers at all means a bare envelope, as in a file.
    """

    body: bytes | Iterable[bytes]
    headers: Headers = ()
    status: int | None = None
    method: str | None = None
    target: str | None = None

    def header(self, name: str) -> str | None:
        """The first header field of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        if isinstance(self.body, bytes):
            yield self.body
        else:
            yield from self.body

    def read(self) -> bytes:
        """The whole body, in memory."""
        return b"".join(self.chunks())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a request was written, so that its answer can be written the same: namespaces as sent, prefix, version."""

    namespace: str | None
    soap_namespace: str
    mm7_version: str | None
    prefix: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as received.

    ``namespace`` and ``mm7_version`` are as sent; ``profile`` is that of the schema it was read by. ``parts`` are the
    leaf content parts in order; ``findings`` all deviations met; ``envelope`` the SOAP part's bytes as received;
    ``headers`` those of HTTP.
    """

    message: Message
    transaction_id: str | None
    namespace: str | None
    mm7_version: str | None
    profile: Profile
    dialect: Dialect
    parts: tuple[Part, ...] = ()
    findings: tuple[Finding, ...] = ()
    envelope: bytes = b""
    headers: Headers = ()

    @property
    def operation(self) -> str:
        """The element in the Body: ``SubmitReq``, ``Fault``, ..."""
        return "Fault" if isinstance(self.message, Fault) else soap.element_name(type(self.message))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What ``examine`` found: everything that could be read, and ``error`` if the message is refused under its
    policy.
    """

    policy: Policy
    findings: tuple[Finding, ...] = ()
    error: RemoteError | None = None
    package: mime.Package | None = None
    sketch: soap.Sketch = field(default_factory=soap.Sketch)
    tree: etree._Element | None = None
    repaired: tolerance.Repaired | None = None

    @property
    def accepted(self) -> bool:
        return self.error is None


def new_transaction_id() -> str:
    """A fresh TransactionID: 128 random bits."""
    return secrets.token_hex(16)


# --- out --------------------------------------------------------------------------------------------------------------


def pack(
    message: Message,
    parts: Sequence[Part] | None = None,
    *,
    profile: str | Profile | None = None,
    transaction_id: str | None = None,
    reply_to: Received | None = None,
) -> Wire:
    """The HTTP message that carries ``message`` with ``parts`` (default: those of the message).

    ``profile`` names the namespace, version and form (default ``generic-6.8.0``); ``reply_to`` answers a received
    request in its own namespaces and version, with its TransactionID. A SMIL presentation is added as the profile
    says. The whole envelope is valid by xmlschema, or ``LocalError`` is raised and says where it is not. Sends
    nothing, reads no file but for its size.
    """
    chosen = _answer_profile(reply_to) if reply_to is not None and profile is None else profiles.profile(profile)
    if transaction_id is None:
        transaction_id = (reply_to.transaction_id if reply_to is not None else None) or new_transaction_id()
    content = compose(getattr(message, "parts", ()) if parts is None else parts, chosen)
    if content is not None:
        if not hasattr(message, "content_href"):
            raise LocalError(f"a {type(message).__name__} carries no content; leave the parts out")
        message = replace(message, content_href=content.href)  # type: ignore[call-arg]
    tree = soap.write(message, transaction_id=transaction_id, profile=chosen)
    echoed = reply_to is not None and transaction_id == reply_to.transaction_id
    check(tree, chosen.namespace, echoed=echoed)
    soap.extend(tree, message)
    if reply_to is not None:
        tree = _in_kind(tree, reply_to, chosen)
    headers, body = enclose(soap.serialize(tree), content)
    status = _http_status(message)
    extra = chosen.headers if status is None else ()
    action = (("SOAPAction", '""'),) if status is None else ()
    return Wire(
        headers=(*headers, *action, *extra), body=body, status=status, method="POST" if status is None else None
    )


def _http_status(message: Message) -> int | None:
    if isinstance(message, Fault | RSErrorRsp | VASPErrorRsp):
        return 500  # SOAP 1.1 6.2: a Fault MUST come with 500
    return 200 if isinstance(message, Response) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Parts made ready to be sent, each with a Content-ID, the SMIL presentation apart; ``href`` is the Content's
    URL.
    """

    parts: tuple[Part, ...]
    presentation: Part | None
    href: str
    content_id: str
    encoding: Literal["binary", "base64"]


def compose(parts: Sequence[Part], profile: Profile, *, content_id: str | None = None) -> Content | None:
    """Give each part a Content-ID and add the presentation that the profile asks for. None for no parts.

    ``content_id`` is what the Content element names; without one it is made. Raises ``LocalError`` if the parts are
    larger together than the profile allows.
    """
    if not parts:
        return None
    size = sum(part.size for part in parts)
    if profile.max_content is not None and size > profile.max_content:
        raise LocalError(
            f"the parts have {size} octets together; {profile.name} takes {profile.max_content}. Send less"
        )
    named = [
        part if part.content_id else replace(part, content_id=_fresh_id(f"part-{n}")) for n, part in enumerate(parts, 1)
    ]
    presentation = next((part for part in named if media.is_presentation(part.content_type)), None)
    named = [part for part in named if part is not presentation]
    if presentation is None and (profile.smil == "required" or (profile.smil == "auto" and len(named) > 1)):
        presentation = Part(
            body=smil.generate(named),
            content_type=smil.MEDIA_TYPE,
            parameters=(("charset", "utf-8"),),
            content_id=_fresh_id("presentation"),
            content_location="presentation.smil",
        )
    if presentation is None and len(named) == 1:
        content_id = content_id or named[0].content_id or ""
    content_id = content_id or _fresh_id("content")
    return Content(
        parts=tuple(named),
        presentation=presentation,
        href=smil.cid_url(content_id),
        content_id=content_id,
        encoding=profile.encoding,
    )


def _fresh_id(name: str) -> str:
    return f"{name}.{secrets.token_hex(8)}@mm7zeep"


def enclose(root: bytes, content: Content | None) -> tuple[Headers, mime.Stream]:
    """The MIME package of an envelope and its content; without content, the envelope alone as text/xml."""
    if content is None:
        headers, body = mime.write(root)
    else:
        headers, body = mime.write(
            root,
            content.parts,
            presentation=content.presentation,
            root_content_id=_fresh_id("envelope"),
            content_id=content.content_id,
            encoding=content.encoding,
        )
    return tuple(headers), body


def check(tree: etree._Element, namespace: str, *, echoed: bool = False) -> None:
    """Raise ``LocalError`` with every violation, if an envelope of ours is not valid.

    An ``echoed`` TransactionID is as it is: TS 23.140 8.7.1 wants it back even where it is no NMTOKEN.
    """
    found = schema.violations(tree, namespace)
    if echoed:
        found = [one for one in found if one.where != "/Envelope/Header/TransactionID"]
    if found:
        where = "; ".join(_in_words(one) for one in found[:5])
        more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
        raise LocalError(
            f"the message is not valid in {namespace.removeprefix(profiles.NAMESPACE_PREFIX)}: {where}{more}",
            [finding("schema/valid", one.where, detail=one.reason) for one in found],
        )


def _in_words(violation: schema.Violation) -> str:
    """A violation of ours as its maker can use it: the pattern of an NMTOKEN tells nobody what to do."""
    if "pattern of ['\\\\c+']" in violation.reason:
        return f"{violation.where}: this namespace takes letters, digits and . - _ : here, no + and no blank"
    return str(violation)


def _answer_profile(request: Received) -> Profile:
    """The profile to answer ``request`` in: its namespace as read, its version where that is listed, its prefix."""
    base = profiles.NAMESPACES.get((request.namespace or "").replace("https:", "http:"), request.profile)
    version = request.mm7_version if request.mm7_version in base.versions else base.mm7_version
    prefix = request.dialect.prefix if request.dialect.prefix != soap.SOAP_PREFIX else None  # zeep's own for SOAP
    return replace(base, mm7_version=version or base.mm7_version, prefix=prefix)


def _in_kind(tree: etree._Element, request: Received, profile: Profile) -> etree._Element:
    """The answer in the namespaces of the request, where its sender writes aliases (``https:`` for ``http:``)."""
    dialect = request.dialect
    names = {profiles.SOAP_NAMESPACE: dialect.soap_namespace}
    if dialect.namespace is not None and profile.namespace == _answer_profile(request).namespace:
        names[profile.namespace] = dialect.namespace
    return tree if all(old == new for old, new in names.items()) else _renamed(tree, names)


def _renamed(node: etree._Element, names: Mapping[str, str], parent: etree._Element | None = None) -> etree._Element:
    """A copy with other namespaces under the same prefixes, which ``tolerance.rename`` would not keep."""

    def other(name: str) -> str:
        namespace, brace, local = name[1:].rpartition("}")
        return f"{{{names.get(namespace, namespace)}}}{local}" if brace else name

    nsmap = {prefix: names.get(uri, uri) for prefix, uri in node.nsmap.items()}
    attributes = {other(str(name)): value for name, value in node.attrib.items()}
    if parent is None:
        copied = etree.Element(other(str(node.tag)), attributes, nsmap=nsmap)
    else:
        copied = etree.SubElement(parent, other(str(node.tag)), attributes, nsmap=nsmap)
    copied.text, copied.tail = node.text, node.tail
    for child in node:
        if isinstance(child.tag, str):
            _renamed(child, names, copied)
    return copied


# --- in ---------------------------------------------------------------------------------------------------------------


def unpack(
    wire: Wire, *, policy: Policy = "interop", limits: mime.Limits | None = None, package: mime.Package | None = None
) -> Received:
    """The message that ``wire`` carries, with its parts and what was noticed.

    ``strict`` refuses any violation, ``interop`` refuses what remains after the named repairs, ``lenient`` delivers
    what can be understood of a known operation: what is missing is None (or empty text), an answer without a legible
    Status is a 3000, and every violation is a finding. Raises a leaf of ``RemoteError`` (``MimeError``,
    ``EnvelopeError``, ``SchemaError``, ``VersionError``, ``LimitError``), with ``.status`` to answer and ``.findings``.
    ``package`` is the body where it was read before. Parts larger than ``limits.spool`` octets are kept in temporary
    files.
    """
    judgement = examine(wire, policy=policy, limits=limits, package=package)
    if judgement.error is not None:
        raise judgement.error
    return receive(judgement, wire.headers)


def examine(
    wire: Wire, *, policy: Policy = "interop", limits: mime.Limits | None = None, package: mime.Package | None = None
) -> Judgement:
    """Judge ``wire`` without raising for what it holds: MIME, then XML, then the repairs, then xmlschema."""
    try:
        package = package or mime.read(wire.headers, wire.chunks(), limits or mime.Limits())
    except RemoteError as error:
        return Judgement(policy=policy, findings=error.findings, error=error, sketch=_no_sketch())
    judgement = judge_root(package, policy=policy, limits=limits)
    if judgement.repaired is None or (judgement.error is not None and judgement.tree is None):
        return judgement
    return _judge_content(judgement, package, wire)


def _no_sketch() -> soap.Sketch:
    return soap.Sketch(values=soap.no_values())


def judge_root(package: mime.Package, *, policy: Policy, limits: mime.Limits | None = None) -> Judgement:
    """Judge the SOAP part of ``package``: bytes to text, text to tree, tree to mended tree, mended tree by
    xmlschema.
    """
    findings = list(package.findings)
    try:
        tree, more = open_root(package, limits=limits)
    except RemoteError as error:
        findings += [one for one in error.findings if one not in findings]
        findings += _raw_marks(package.root, error)
        error.findings, error.raw = tuple(findings), package.root[:20_000]
        return Judgement(policy=policy, findings=tuple(findings), error=error, package=package, sketch=_no_sketch())
    findings += more
    judged = judge_tree(tree, policy=policy)
    findings += judged.findings
    refusal = _strict_error(judged.error, findings, policy)
    return replace(judged, findings=tuple(findings), package=package, error=_with(refusal, findings, judged))


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
        return tree, tuple(_untold(readable.findings, package))
    except RemoteError as error:
        error.findings = (*readable.findings, *error.findings)
        raise


def _untold(findings: Iterable[Finding], package: mime.Package) -> Iterator[Finding]:
    """Without what the MIME reader has said of the charset label already."""
    told = any(one.id == "mime/root-charset-alias" for one in package.findings)
    return (one for one in findings if not (told and one.id == "mime/charset-alias" and one.where == "Content-Type"))


def _raw_marks(root: bytes, error: RemoteError) -> Iterator[Finding]:
    """What raw text that does not parse still shows: a draft dialect, an end that is missing."""
    if tolerance.names_pre_standard(root):
        yield finding("ns/pre-standard", action="refused")
    cause = error.__cause__
    if isinstance(cause, etree.XMLSyntaxError) and not root.rstrip().endswith(b">"):
        yield finding("http/truncated", f"byte {len(root)}", action="refused")


def judge_tree(tree: etree._Element, *, policy: Policy, request: bool | None = None) -> Judgement:
    """Judge a parsed envelope: the repairs, then xmlschema over what they made."""
    sketch = soap.sketch(tree)
    if request is None:
        request = not (sketch.operation or "").endswith(("Rsp", "Fault"))
    repaired = tolerance.repair(tree, request=request)
    findings = list(repaired.findings)
    error = repaired.error
    if error is None:
        left = schema.violations(repaired.envelope, repaired.read_as)
        if left:
            findings += [finding("schema/valid", one.where, detail=one.reason, action="refused") for one in left]
            error = SchemaError(f"the envelope is not valid: {left[0]}", status=4004)
    if policy == "lenient" and repaired.legible:
        findings, error = [_borne(one) for one in findings], None
    if policy == "strict" and error is None and not any(one.level == "MUST" for one in findings):
        findings += _violations_as_sent(tree, repaired.namespace)
    error = _strict_error(error, findings, policy)
    base = Judgement(policy=policy, findings=tuple(findings), sketch=sketch, tree=tree, repaired=repaired)
    return replace(base, error=_with(error, findings, base))


def _borne(one: Finding) -> Finding:
    """The finding of a deviation that the lenient policy only notes."""
    return replace(one, action="noted") if one.action == "refused" else one


def _violations_as_sent(tree: etree._Element, namespace: str | None) -> list[Finding]:
    if namespace is None or namespace not in profiles.NAMESPACES:
        return []
    return [finding("schema/valid", one.where, detail=one.reason) for one in schema.violations(tree, namespace)]


# what a strict reader bears: advice on content and the HTTP head, not on the framing
_STRICT_BEARS = ("sem/", "http/", "ns/rel-5-1-5", "version/newest", "mime/vendor-type", "mime/related-type")


def _strict_error(error: RemoteError | None, findings: Sequence[Finding], policy: Policy) -> RemoteError | None:
    if policy != "strict" or error is not None:
        return error
    grave = [one for one in findings if _grave(one)]
    if not grave:
        return None
    shown = "; ".join(str(one) for one in grave[:5]) + (f" (and {len(grave) - 5} more)" if len(grave) > 5 else "")
    return SchemaError(f"refused under the strict policy: {shown}", status=4004)


def _grave(one: Finding) -> bool:
    if one.level == "MUST":
        return True
    return (
        one.id.startswith("mime/")
        and one.topic is not None
        and not one.id.startswith(_STRICT_BEARS)
        and one.level == "SHOULD"
    )


def _with(error: RemoteError | None, findings: Sequence[Finding], judged: Judgement) -> RemoteError | None:
    if error is not None:
        error.findings = tuple(findings)
        error.transaction_id = error.transaction_id or judged.sketch.transaction_id
        error.namespace = error.namespace or judged.sketch.namespace
    return error


def _judge_content(judgement: Judgement, package: mime.Package, wire: Wire) -> Judgement:
    """Whether the Content element and the parts belong together (RFC 2392 2, SwA 3)."""
    href = judgement.sketch.values.get("content_href")
    findings, error = list(judgement.findings), judgement.error
    bare = not wire.headers and not package.tree.children  # a file may hold a package without its head
    where = f"/Envelope/Body/{judgement.sketch.operation}/Content/@href"
    if href is None:
        if (
            package.parts
            and judgement.sketch.operation is not None
            and not any(one.id == "soap/operation-known" for one in findings)
        ):
            findings.append(finding("sem/part-without-content", where.removesuffix("/@href"), action="noted"))
    else:
        findings += _href_findings(href, where, package, bare=bare)
        if not package.parts and not bare:
            findings.append(finding("sem/content-without-part", where, detail=href, action="refused"))
            what = f"the content {href!r} did not arrive: no part besides the envelope"
            error = error or EnvelopeError(what, status=2004)
            if any(one.id == "mime/boundary-closed" for one in findings):
                findings.append(finding("http/truncated", "", action="refused"))
            if judgement.policy == "lenient":
                findings, error = [_borne(one) for one in findings], judgement.error
    error = _strict_error(error, findings, judgement.policy)
    return replace(judgement, findings=tuple(findings), error=_with(error, findings, judgement))


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
    if match is None or match.how == "content-id-case" or match.how == "name":
        yield finding(
            "sem/content-href-resolves", where, detail=href, action="repaired" if package.parts else "refused"
        )


def receive(judgement: Judgement, headers: Headers = ()) -> Received:
    """The message of an accepted judgement, read through zeep."""
    repaired = judgement.repaired
    if repaired is None:
        raise judgement.error or EnvelopeError("nothing could be read")
    tree, findings = repaired.envelope, list(judgement.findings)
    message = soap.read(tree, repaired.read_as, lenient=judgement.policy == "lenient")
    message = restore(message, repaired)
    package = judgement.package
    parts = package.parts if package is not None else ()
    if hasattr(message, "parts"):
        message = replace(message, parts=parts)  # type: ignore[call-arg]
    return Received(
        message=message,
        transaction_id=repaired.transaction_id,
        namespace=repaired.namespace,
        mm7_version=judgement.sketch.mm7_version,
        profile=profiles.NAMESPACES[repaired.read_as],
        dialect=_dialect(judgement, repaired),
        parts=parts,
        findings=tuple(findings),
        envelope=package.root if package is not None else b"",
        headers=headers,
    )


def restore(message: Message, repaired: tolerance.Repaired) -> Message:
    """Give ``message`` what the mended tree could not hold: extensions, raw values, the version as sent, Details."""
    unparsed = tuple((name, value) for name, value in repaired.unparsed if value and name != "MM7Version")
    changes: dict[str, Any] = {"extensions": repaired.extensions, "unparsed": unparsed}
    raw: Mapping[str, str] = dict(repaired.unparsed)
    names = set(message.__dataclass_fields__)
    if "MM7Version" in raw:
        changes["mm7_version"] = raw["MM7Version"].strip() or None
    for name in ("date", "time_stamp"):
        if name in names and any(place in raw for place in ("Date", "TimeStamp")):
            changes[name] = None  # a placeholder stands in the tree
    if repaired.details is not None and isinstance(message, Response):
        changes["status"] = replace(message.status, details=repaired.details)
    if isinstance(message, Fault) and message.error is not None:
        changes["error"] = restore(message.error, repaired)
    return replace(message, **changes)


def _dialect(judgement: Judgement, repaired: tolerance.Repaired) -> Dialect:
    tree = judgement.tree
    root_namespace = (etree.QName(tree).namespace if tree is not None else None) or profiles.SOAP_NAMESPACE
    prefix: str | None = None
    if tree is not None:
        body = next((one for one in tree if schema.local(one) == "Body"), None)
        message = next((one for one in body if isinstance(one.tag, str)), None) if body is not None else None
        prefix = message.prefix if message is not None else None
    return Dialect(
        namespace=repaired.namespace,
        soap_namespace=root_namespace,
        mm7_version=judgement.sketch.mm7_version,
        prefix=prefix,
    )
