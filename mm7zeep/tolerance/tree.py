"""The message in the Body, mended by the model of its schema: names, order, forms and values.

``repair`` works on a copy. Elements that no schema knows become ordered extensions, values that nobody can understand
are kept as text, and what only a later release has is read by that release. Refuses what is mandatory and missing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import EnvelopeError, LimitError, RemoteError, SchemaError
from mm7zeep.findings import Finding
from mm7zeep.messages import Extension
from mm7zeep.profiles import NAMESPACES, REL_5_MM7_1_5, REL_6_MM7_1_4
from mm7zeep.tolerance import soap, values

_SUPERSET = REL_6_MM7_1_4.namespace  # the release that has everything the earlier ones have, under its names
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_ADDRESS_NAMES = ("Number", "RFC2822Address", "ShortCode")
_MOST_EXTENSIONS = 1000
_ADDRESS_HOLDERS = ("To", "Cc", "Bcc", "Sender", "Recipient", "SenderAddress", "UserAgent")
_CONTROL = re.compile(r"[\x00-\x08\n-\x1f\x7f]+")
_PLACEHOLDER_DATE = "1970-01-01T00:00:00Z"  # stands for a mandatory date that cannot be read; the message then has None

# one element under two names, by release (mm7.md: 5/1-0 -> 5/1-1, 5/1-3 -> 5/1-4, 6/1-0 -> 6/1-1)
_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "Date": "TimeStamp",
        "TimeStamp": "Date",
        "DistributionProtection": "DistributionIndicator",
        "DistributionIndicator": "DistributionProtection",
        "Detail": "Details",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What ``repair`` made of an envelope.

    ``envelope`` is the mended copy, in ``read_as``; ``namespace`` is the Body child's as sent. ``unparsed`` are
    (element, value) pairs that could not be understood; ``details`` is what Details held. ``error`` says why the
    message is refused, if it is; ``legible`` whether a message can be made of it all the same (its operation is known).
    """

    envelope: etree._Element
    namespace: str | None
    read_as: str
    transaction_id: str | None
    findings: tuple[Finding, ...]
    extensions: tuple[Extension, ...] = ()
    unparsed: tuple[tuple[str, str], ...] = ()
    details: str | None = None
    error: RemoteError | None = None
    legible: bool = True


class _TooMany(Exception):
    """Ends a walk that has met more than it will look at; the refusal is noted already."""


def repair(envelope: etree._Element, *, request: bool) -> Repaired:
    """Mend a copy of ``envelope``; ``request`` tells whether it came as a request (then a TransactionID is
    mandatory).
    """
    root = copy.deepcopy(envelope)
    notes = soap.Notes()
    soap.instructions(envelope, root, notes)
    message = soap.frame(root, notes, request=request)
    if message is None:
        return _done(root, None, _SUPERSET, notes, None)
    outer = message
    if schema.local(message) == "Fault":
        found = soap.fault(message, notes)
        if found is None:
            namespace = _header_namespace(root) or _SUPERSET
            if soap.transaction(root, notes, namespace, None):
                soap.rename(root, namespace, _SUPERSET)
                namespace = _SUPERSET
            return _done(root, None, namespace, notes, None, legible=True)
        message = found
    sent = etree.QName(message).namespace
    if (sent or "").startswith("urn:MM7S"):
        soap.pre_standard(notes, message)
        return _done(root, sent, _SUPERSET, notes, None)
    if not _operation(message):
        name = schema.local(message)
        notes.refuse(
            f"{name} is no MM7 operation", "soap/operation-known", message, detail=name, status=4003, kind=EnvelopeError
        )
        return _done(root, sent, _SUPERSET, notes, None)
    namespace = _namespace(message, sent, root, notes)
    walk = _Walk(notes, namespace)
    walk.upgrade = soap.transaction(root, notes, namespace, sent)
    _Adoption(notes, sent, namespace).adopt(message)
    try:
        walk.start(message)
        if walk.upgrade:
            namespace = _upgrade(root, message, walk, namespace)
    except _TooMany:
        return _done(root, sent, namespace, notes, walk)
    if outer is message and schema.local(message) in ("RSErrorRsp", "VASPErrorRsp"):
        notes.add("soap/body-direct-error", message, action="noted")
    return _done(root, sent, namespace, notes, walk, legible=True)


def _operation(message: etree._Element) -> str | None:
    """The name of the MM7 operation that ``message`` is, in any case of letters; None for no operation."""
    name = schema.local(message).lower()
    return next((one for one in sorted(schema.operation_names()) if one.lower() == name), None)


def _done(
    root: etree._Element,
    sent: str | None,
    read_as: str,
    notes: soap.Notes,
    walk: _Walk | None,
    *,
    legible: bool = False,
) -> Repaired:
    error = notes.error
    if error is not None:
        error.findings, error.namespace, error.transaction_id = tuple(notes.findings), sent, notes.transaction_id
    return Repaired(
        envelope=root,
        namespace=sent,
        read_as=read_as,
        transaction_id=notes.transaction_id,
        findings=tuple(notes.findings),
        extensions=tuple(walk.extensions) if walk else (),
        unparsed=tuple(walk.unparsed) if walk else (),
        details=walk.details if walk else None,
        error=error,
        legible=legible,
    )


def _header_namespace(root: etree._Element) -> str | None:
    header = root.find(f"{soap.SOAP}Header")
    for block in header if header is not None else ():
        if schema.local(block) == "TransactionID":
            namespace = (etree.QName(block).namespace or "").replace("https:", "http:")
            return namespace if namespace in NAMESPACES else None
    return None


def _namespace(message: etree._Element, sent: str | None, root: etree._Element, notes: soap.Notes) -> str:
    """The bundled namespace to read ``message`` by."""
    if sent is not None and sent in NAMESPACES:
        if sent == REL_5_MM7_1_5.namespace:
            notes.add("ns/rel-5-1-5", message, action="noted")
        return sent
    if sent is None:
        notes.add("ns/missing", message)
        return _header_namespace(root) or _SUPERSET
    alias = sent.replace("https:", "http:")
    if alias in NAMESPACES:
        notes.add("ns/alias", message, detail=sent)
        return alias
    notes.add("ns/known", message, detail=sent)
    return _SUPERSET


class _Adoption:
    """Brings the message's elements into ``namespace``: those as sent, unqualified, or of another MM7 namespace.

    What no release knows stays as sent, with all that is in it; so does what stands in Details.
    """

    def __init__(self, notes: soap.Notes, sent: str | None, namespace: str) -> None:
        self.notes = notes
        self.sent = sent
        self.namespace = namespace
        self.told: set[str] = set()

    def adopt(self, one: etree._Element) -> None:
        """Adopt ``one`` and what is in it."""
        pending = [one]
        while pending:
            node = pending.pop()
            if not isinstance(node.tag, str) or not (_is_word(node) and self.take(node)):
                continue
            if schema.local(node) not in ("Details", "Detail"):
                pending += reversed(node)
        if "soap/transaction-namespace" in self.told:
            # lxml loses track of a namespace that a declaration on the element itself hides, once the element is moved
            etree.cleanup_namespaces(one)

    def take(self, node: etree._Element) -> bool:
        own, sent = etree.QName(node).namespace, self.sent
        if own is None and sent is not None:
            self.tell("ns/children-qualified", node, "")
        elif own != sent and own is not None:
            if own.replace("https:", "http:") not in NAMESPACES:
                return False
            if own.replace("https:", "http:") != (sent or "").replace("https:", "http:"):
                self.tell("soap/transaction-namespace", node, "elements of two MM7 namespaces")
        if own != self.namespace:
            node.tag = f"{{{self.namespace}}}{schema.local(node)}"
        return True

    def tell(self, id: str, node: etree._Element, detail: str) -> None:
        """Once for the whole message: its sender writes all of them so."""
        if id not in self.told:
            self.told.add(id)
            self.notes.add(id, node, detail=detail)


def _is_word(node: etree._Element) -> bool:
    """Whether any release has an element of this name, in any case of letters, or it is a wrapper around an address."""
    if schema.local(node).lower() in _vocabulary():
        return True
    parent = node.getparent()
    around = parent is not None and schema.local(parent) in _ADDRESS_HOLDERS
    return around and any(schema.local(one) in _ADDRESS_NAMES for one in node)


@cache
def _vocabulary() -> frozenset[str]:
    pending = [kind for namespace in NAMESPACES for kind in schema.model(namespace).values()]
    found = {name.lower() for name in schema.operation_names()} | {"detail"}
    while pending:
        children = pending.pop().children
        found |= {one.name.lower() for one in children}
        pending += [one.type for one in children]
    return frozenset(found)


def _upgrade(root: etree._Element, message: etree._Element, walk: _Walk, namespace: str) -> str:
    """Read by the newest release what the sender's own schema has no place for; why, the findings say already."""
    soap.rename(root, namespace, _SUPERSET)
    block = root.find(f"{soap.SOAP}Header/{{{_SUPERSET}}}TransactionID")
    if block is not None and not NAMESPACES[namespace].transaction_attributes:
        block.set(f"{soap.SOAP}mustUnderstand", "1")  # which its own release could not say
    again = _Walk(soap.Notes(), _SUPERSET)
    again.refused |= walk.refused
    try:
        again.start(message)
    finally:
        _take_over(walk, again)
    return _SUPERSET


def _take_over(walk: _Walk, again: _Walk) -> None:
    walk.extensions += again.extensions
    walk.unparsed += [one for one in again.unparsed if one not in walk.unparsed]
    walk.details = walk.details or again.details
    # of what the first walk has looked at, the second tells nothing new
    new = [one for one in again.notes.findings if one.action == "refused" or one.where.startswith(tuple(walk.unwalked))]
    walk.notes.findings += [one for one in new if one not in walk.notes.findings]
    walk.notes.error = walk.notes.error or again.notes.error


class _Walk:
    """One pass over the message with the model of one namespace."""

    def __init__(self, notes: soap.Notes, namespace: str) -> None:
        self.notes = notes
        self.namespace = namespace
        self.own = f"{{{namespace}}}"
        self.profile = NAMESPACES[namespace]
        self.extensions: list[Extension] = []
        self.unparsed: list[tuple[str, str]] = []
        self.details: str | None = None
        self.upgrade = False
        self.unwalked: list[str] = []  # what only the second walk, with a later release, can look into
        self.refused: set[tuple[str, str]] = set()  # (holder, name) of the mandatory elements that were refused already

    def start(self, message: etree._Element) -> None:
        name = schema.local(message)
        kind = schema.model(self.namespace).get(name)
        wider = schema.model(_SUPERSET).get(name)
        if kind is None and wider is not None:
            self.notes.add("schema/version-element", message, detail=name, action="noted")
            self.later(message)
            return
        if kind is None:
            self.notes.add("schema/name-case", message, detail=name)
            message.tag = f"{self.own}{_operation(message)}"
            self.start(message)
            return
        self.node(message, kind, wider)

    def node(self, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
        self.attributes(node, kind)
        match kind.content:
            case "text":
                self.text(node, kind, wider)
            case "empty":
                self.empty(node)
            case "any":
                self.any(node)
            case _:
                self.elements(node, kind, wider)

    def later(self, node: etree._Element) -> None:
        """Leave ``node`` to the second walk."""
        self.upgrade = True
        self.unwalked.append(schema.path(node))

    # --- attributes ---

    def attributes(self, node: etree._Element, kind: schema.Type) -> None:
        for name, value in list(node.attrib.items()):
            plain = etree.QName(name).localname
            if name in kind.attributes:
                self.attribute_value(node, name, value, kind.attributes[name][0])
            elif name.startswith(_XSI):
                del node.attrib[name]
                if plain not in ("schemaLocation", "noNamespaceSchemaLocation"):
                    self.notes.add("schema/attribute", node, detail=name.replace(_XSI, "xsi:"))
            elif exact := next((one for one in kind.attributes if one.lower() == plain.lower()), None):
                self.notes.add("schema/attribute", node, detail=name)
                del node.attrib[name]
                if node.get(exact) is None:
                    node.set(exact, value)
                    self.attribute_value(node, exact, value, kind.attributes[exact][0])
            elif "*" not in kind.attributes or not name.startswith("{"):
                self.notes.add("schema/attribute", node, detail=f"{plain}={value}", action="kept-raw")
                self.unparsed.append((f"{schema.local(node)}/@{plain}", value))
                del node.attrib[name]
        for name, (_, required) in kind.attributes.items():
            if required and node.get(name) is None:
                self.notes.add("schema/attribute", node, detail=f"{name} is missing", action="kept-raw")
                self.drop(node, keep="")

    def attribute_value(self, node: etree._Element, name: str, value: str, simple: str) -> None:
        fixed = self.value(node, value, simple, (), f"@{name}")
        if fixed is None:
            self.unparsed.append((f"{schema.local(node)}/@{name}", value))
            del node.attrib[name]
        elif fixed != value:
            node.set(name, fixed)

    # --- text ---

    def text(self, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
        typed = any(schema.local(one) in _ADDRESS_NAMES for one in node)
        if typed and wider is not None and wider.content == "elements":
            self.notes.add("schema/address-typed-early", node, action="noted")
            self.later(node)
            return
        given = "".join([node.text or "", *(child.tail or "" for child in node)])
        for index, child in enumerate(list(node)):
            self.unknown(child, index)
        fixed = self.value(node, given, kind.simple, kind.values, "", wider)
        if fixed is None:
            self.unread(node, kind, given)
        else:
            node.text = fixed

    def unread(self, node: etree._Element, kind: schema.Type, given: str) -> None:
        name = schema.local(node)
        if given.strip():
            self.unparsed.append((name, given))
        if name in _ADDRESS_NAMES:
            self.drop(node)  # whoever holds it will say whether it can do without
        elif name == "MM7Version":
            node.text = self.profile.mm7_version
            if not given.strip():
                self.unparsed.append((name, ""))
        elif name in ("Date", "TimeStamp") and self.mandatory(node):
            node.text = _PLACEHOLDER_DATE
        elif name == "MMStatus":
            node.text = "Indeterminate"
        elif self.mandatory(node):
            kind_of_value = self.notes.findings.pop().id  # told as noted so far; it is the reason to refuse
            message = f"{name} {given.strip()[:40]!r} cannot be read"
            self.notes.refuse(message, kind_of_value, node, detail=given, kind=SchemaError)
            self.refused.add((schema.path(schema.parent_of(node)), name))
            self.drop(node)
        else:
            self.drop(node)

    def mandatory(self, node: etree._Element) -> bool:
        holder = schema.local(schema.parent_of(node))
        kind = schema.model(self.namespace).get(holder)
        child = kind.child(schema.local(node)) if kind is not None else None
        return child.min > 0 if child is not None else schema.local(node) == "StatusCode"

    def value(self, node: etree._Element, given: str, simple: str, listed: tuple[str, ...], attribute: str,
              wider: schema.Type | None = None) -> str | None:  # fmt: skip
        """The schema's form of ``given``, or None. Leaves a finding where they differ in more than blanks."""
        match simple:
            case "boolean":
                fixed = values.boolean(given)
                if fixed is None:
                    return self.bad(node, given, attribute)
                if given.strip() not in ("true", "false", "1", "0"):
                    self.notes.add("schema/boolean", node, detail=attribute + given)
                return given.strip() if given.strip() in ("true", "false", "1", "0") else fixed
            case "dateTime" | "moment":
                return self.moment(node, given, attribute, spans=simple == "moment")
            case "positiveInteger":
                return given.strip() if values.is_positive(given) else self.bad(node, given, attribute)
            case "NMTOKEN":
                if not given.strip() and schema.local(node) != "MessageID":
                    return self.bad(node, given, attribute)
                if not values.is_nmtoken(given):
                    self.upgrade = True
                    if schema.local(node) != "MessageID" or given.strip():  # of an empty one message_id tells
                        self.notes.add("schema/value", node, detail=f"{given!r} is no NMTOKEN", action="noted")
                return given.strip() if schema.local(node) == "MessageID" else self.string(node, given)
            case "ID":
                return given if values.is_nmtoken(given) else self.bad(node, given, attribute)
        if listed:
            return self.listed(node, given, listed)
        if attribute == "@addressCoding" and given not in ("encrypted", "obfuscated"):
            return self.bad(node, given, attribute)
        return given if attribute else self.string(node, given)

    def string(self, node: etree._Element, given: str) -> str | None:
        """Text as it stands, but for blanks and control characters where they break an address, an id or a line."""
        name = schema.local(node)
        if name in _ADDRESS_NAMES:
            return self.address(node, given)
        if name == "SenderAddress" and not given.strip():
            return self.bad(node, given, "")
        if name == "MessageID" and given != given.strip():
            self.notes.add("schema/value", node, detail=given)
            return given.strip()
        if name == "Subject" and _CONTROL.search(given):
            self.notes.add("sem/subject-control", node, detail=given)
            return _CONTROL.sub(" ", given)
        return given

    def address(self, node: etree._Element, given: str) -> str | None:
        if not given.strip():
            return self.bad(node, given, "")
        self.address_form(node, given)
        fixed = _CONTROL.sub("", given.strip())
        if fixed != given:
            self.notes.add("sem/address-whitespace", node, detail=given)
        return fixed

    def bad(self, node: etree._Element, given: str, attribute: str) -> str | None:
        """Note a value that only a guess could mend; gives None for it."""
        if not given.strip() and not attribute:
            self.notes.add("schema/empty-element", node)
        else:
            id = "schema/attribute" if attribute else "schema/value"
            self.notes.add(id, node, detail=attribute + given, action="kept-raw")
        return None

    def moment(self, node: etree._Element, given: str, attribute: str, *, spans: bool) -> str | None:
        text = given.strip()
        if values.is_moment(text, spans=spans):
            return text
        if not text:
            return self.bad(node, given, attribute)
        fixed = values.moment(text, spans=spans)
        if values.in_schema(text, spans=spans) and fixed is not None:
            return fixed  # 24:00:00 is the schema's, not Python's
        if values.in_schema(text, spans=spans) and values.out_of_range(text):
            self.notes.add("schema/date-range", node, detail=text, action="kept-raw")
            return None
        self.notes.add("schema/date", node, detail=text, action="repaired" if fixed else "kept-raw")
        return fixed

    def listed(self, node: etree._Element, given: str, listed: tuple[str, ...]) -> str | None:
        if given in listed:
            return given
        name = schema.local(node)
        if name == "MM7Version":
            self.notes.add("version/listed" if given.strip() else "version/present", node, detail=given)
            return values.listed(given, listed)
        if not given.strip() and name == "MessageClass":
            return "Informational"  # the element default stands for it
        exact = values.listed(given, listed)
        if not given.strip():
            return self.bad(node, given, "")
        if exact is None and name == "MMStatus":
            exact = values.mm_status(given, listed)
            if exact is not None:
                self.unparsed.append((name, given))
        wider = NAMESPACES[_SUPERSET]
        if exact is None and self.namespace != _SUPERSET and self._listed_later(node, given):
            self.notes.add(
                "schema/enumeration",
                node,
                detail=f"{given} is not in {self.profile.schema}, {wider.schema} has it",
                action="noted",
            )
            self.upgrade = True
            return given
        self.notes.add("schema/enumeration", node, detail=given, action="repaired" if exact else "kept-raw")
        return exact

    def _listed_later(self, node: etree._Element, given: str) -> bool:
        kind = schema.model(_SUPERSET).get(schema.local(schema.parent_of(node)))
        child = kind.child(schema.local(node)) if kind is not None else None
        return child is not None and given in child.type.values

    def address_form(self, node: etree._Element, given: str) -> None:
        name = schema.local(node)
        number = given.strip().lstrip("+").replace("-", "").isdigit()
        odd = "/TYPE=" in given or (name == "RFC2822Address" and number) or (name == "Number" and "@" in given)
        if odd and "sem/address-plmn" not in self.notes.counts:  # once: its sender writes all of them so
            self.notes.add("sem/address-plmn", node, detail=given, action="noted")

    # --- empty and wildcard content ---

    def empty(self, node: etree._Element) -> None:
        inside = "".join(node.itertext())
        if len(node) or inside:
            self.notes.add("schema/empty-types", node, detail=inside.strip())
            if inside.strip():
                self.unparsed.append((schema.local(node), inside))
            for index, child in enumerate(list(node)):
                self.extension(child, index)
                node.remove(child)
            node.text = None

    def too_many(self, what: str, where: etree._Element) -> _TooMany:
        self.notes.refuse(
            f"more than {_MOST_EXTENSIONS} {what}", "xml/limit", where, detail=what, status=2007, kind=LimitError
        )
        return _TooMany()

    def any(self, node: etree._Element) -> None:
        """Take out what Details holds: nothing that is only looked at needs to be known to any schema, or to zeep."""
        if sum(1 for _ in node.iter()) > _MOST_EXTENSIONS:
            raise self.too_many("elements in Details", node)
        for one in node.iter():
            for attribute in [a for a in one.attrib if a.startswith(_XSI)]:
                del one.attrib[attribute]
        loose = "".join(text for text in (node.text, *(one.tail for one in node)) if text).strip()
        if loose:
            self.notes.add("schema/details", node, detail=loose)
        shown = [node.text or ""]
        for one in node:
            shown += [etree.tostring(one, method="c14n", exclusive=True).decode(), one.tail or ""]
        self.details = "".join(shown).strip() or self.details
        node[:] = []
        node.text = None

    # --- element content ---

    def elements(self, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
        is_address = kind.choice and kind.child("Number") is not None
        self.loose(node, is_address=is_address)
        for index, child in enumerate(list(node)):
            if isinstance(child.tag, str):
                self.name(child, index, kind, wider, is_address=is_address)
        self.repeated(node, kind, is_address=is_address)
        for child in list(node):
            found = kind.child(schema.local(child)) if schema.namespace_of(child) == self.namespace else None
            if found is not None:
                later = wider.child(schema.local(child)) if wider is not None else None
                self.node(child, found.type, later.type if later is not None else None)
        self.order(node, kind)
        self.missing(node, kind, wider)
        self.sort(node, kind)

    def loose(self, node: etree._Element, *, is_address: bool) -> None:
        loose = "".join(text for text in (node.text, *(one.tail for one in node)) if text and text.strip()).strip()
        if not loose:
            return
        node.text = None
        for one in node:
            one.tail = None
        if is_address and not len(node):
            self.notes.add("schema/address-untyped", node, detail=loose)
            etree.SubElement(node, self.own + values.address_kind(loose)).text = loose
        else:
            self.notes.add("schema/unstated", node, detail=loose, action="kept-raw")
            self.unparsed.append((schema.local(node), loose))

    def name(
        self, child: etree._Element, index: int, kind: schema.Type, wider: schema.Type | None, *, is_address: bool
    ) -> None:
        node = schema.parent_of(child)
        name = schema.local(child)
        if schema.namespace_of(child) != self.namespace:
            self.unknown(child, index)
            return
        if kind.child(name) is not None:
            return
        exact = next((one.name for one in kind.children if one.name.lower() == name.lower()), None)
        if exact is not None:
            self.notes.add("schema/address-name" if is_address else "schema/name-case", child, detail=name)
            child.tag = self.own + exact
            return
        other = _SYNONYMS.get(name)
        if other and kind.child(other) is not None and all(schema.local(one) != other for one in node):
            self.notes.add(
                "schema/name-case" if name == "Detail" else "schema/version-element",
                child,
                detail=f"{name} for {other}",
            )
            child.tag = self.own + other
            return
        if wider is not None and wider.child(name) is not None:
            of_answer = schema.local(node) == "SubmitRsp"  # its MessageID: the one element that every 5/1-0 sender adds
            id = "schema/message-id-rsp" if of_answer else "schema/version-element"
            self.notes.add(id, child, detail=f"{name} is not in {self.profile.schema}", action="noted")
            self.later(child)
            return
        if is_address and len(child) and any(schema.local(one) in _ADDRESS_NAMES for one in child):
            self.notes.add("schema/address-name", child, detail=name)
            node.extend(list(child))
            node.remove(child)
            return
        self.unknown(child, index)

    def unknown(self, child: etree._Element, index: int) -> None:
        self.notes.add("schema/unknown-element", child, detail=schema.local(child), action="kept-raw")
        self.extension(child, index)
        schema.parent_of(child).remove(child)

    def extension(self, child: etree._Element, index: int) -> None:
        if len(self.extensions) >= _MOST_EXTENSIONS:
            raise self.too_many("unknown elements", child)
        parent = schema.parent_of(child)
        xml = _as_sent(child)
        self.extensions.append(Extension(parent=schema.local(parent), index=index, name=schema.local(child), xml=xml))

    def repeated(self, node: etree._Element, kind: schema.Type, *, is_address: bool) -> None:
        if kind.repeats:
            return
        seen: dict[str, int] = {}
        for index, child in enumerate(list(node)):
            name = schema.local(child)
            found = kind.child(name)
            key = "choice" if is_address else name
            seen[key] = seen.get(key, 0) + 1
            if found is not None and found.max is not None and seen[key] > found.max:
                self.notes.add("schema/repeated-element", child, detail=name, action="kept-raw")
                self.extension(child, index)
                node.remove(child)

    def order(self, node: etree._Element, kind: schema.Type) -> None:
        if not kind.ordered:
            return
        places = {one.name: index for index, one in enumerate(kind.children)}
        mine = [one for one in node if schema.local(one) in places]
        ranks = [places[schema.local(one)] for one in mine]
        if ranks != sorted(ranks):
            self.notes.add("schema/order", node, detail=_first_misplaced(mine, ranks))

    def sort(self, node: etree._Element, kind: schema.Type) -> None:
        """Into the schema's order; what this schema has no place for stands last, for the second walk."""
        if kind.ordered:
            places = {one.name: index for index, one in enumerate(kind.children)}
            wanted = sorted(node, key=lambda one: places.get(schema.local(one), len(places)))
            if wanted != list(node):
                node[:] = wanted

    def missing(self, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
        present = {schema.local(one) for one in node if schema.namespace_of(one) == self.namespace}
        if kind.choice:
            if not present & {one.name for one in kind.children}:
                self.hollow(node)
            return
        for child in kind.children:
            if child.min and child.name not in present and (schema.path(node), child.name) not in self.refused:
                self.absent(node, child, wider)
        self.message_id(node)

    def hollow(self, node: etree._Element) -> None:
        """An address, or what should hold some, that holds none."""
        parent, name = schema.parent_of(node), schema.local(node)
        told = self.notes.findings[-1:]  # an empty Number inside is the same deviation
        if told and told[0].id == "schema/empty-element" and told[0].where.startswith(schema.path(node) + "/"):
            self.notes.findings.pop()
        holder = schema.model(self.namespace).get(schema.local(parent))
        child = holder.child(name) if holder is not None else None
        if (child is not None and child.min == 0) or name in ("SenderAddress", "To", "Cc", "Bcc", "UserAgent"):
            self.notes.add("schema/empty-element", node)
        else:
            message = f"{name} holds no address"
            self.notes.refuse(message, "schema/missing-element", node, detail="address", kind=SchemaError, status=2002)
            self.refused.add((schema.path(parent), name))
        parent.remove(node)

    def absent(self, node: etree._Element, child: schema.Child, wider: schema.Type | None) -> None:
        holder, name = schema.local(node), child.name
        later = wider.child(name) if wider is not None else None
        synonym = _SYNONYMS.get(name)
        if wider is not None and (later is None or later.min == 0) and not (synonym and wider.child(synonym)):
            self.notes.add("schema/missing-element", node, detail=name, action="noted")
            self.upgrade = True
        elif name == "MM7Version":
            self.notes.add("version/present", node)
            element = etree.Element(self.own + name)
            element.text = self.profile.mm7_version
            self.unparsed.append((name, ""))
            node.insert(0, element)
        elif name == "StatusText":
            self.notes.add("schema/status-complete", node)
            etree.SubElement(node, self.own + name)
        elif name == "MessageID" and holder == "SubmitRsp" and not self.success(node):
            self.notes.add("schema/message-id-rsp", node)
            self.upgrade = self.upgrade or child.type.simple == "NMTOKEN"  # which cannot be empty
            etree.SubElement(node, self.own + name)
        elif name in ("Date", "TimeStamp"):
            self.notes.add("schema/missing-element", node, detail=name)
            self.unparsed.append((name, ""))
            etree.SubElement(node, self.own + name).text = _PLACEHOLDER_DATE
        else:
            id = "schema/message-id-rsp" if holder == "SubmitRsp" and name == "MessageID" else "schema/missing-element"
            self.notes.refuse(f"{holder} has no {name}, which is mandatory", id, node, detail=name, kind=SchemaError)

    def message_id(self, node: etree._Element) -> None:
        """TS 23.140 8.7.1: what is done to a message, or was made of one, names it."""
        found = next((one for one in node if schema.local(one) == "MessageID"), None)
        if found is None or (found.text or "").strip():
            return
        name = schema.local(node)
        if name == "SubmitRsp" and not self.success(node):
            if self.upgrade:
                self.notes.add("schema/value", found, action="noted")
            return  # nothing was accepted, but the schema wants the element
        self.notes.refuse(f"the MessageID of {name} is empty", "sem/message-id-empty", found, kind=SchemaError)

    def success(self, node: etree._Element) -> bool:
        code = next((one.text or "" for one in node.iter() if schema.local(one) == "StatusCode"), "")
        return code.strip().startswith("1")

    def drop(self, node: etree._Element, keep: str | None = None) -> None:
        """Take an unreadable optional element out of the mended tree."""
        parent = schema.parent_of(node)
        if keep is not None:
            self.extension(node, parent.index(node))
        parent.remove(node)


def _as_sent(element: etree._Element) -> str:
    """The XML of ``element`` with the namespaces that it uses, in names or in values such as ``xsi:type``."""
    alone = copy.deepcopy(element)
    text = etree.tostring(alone, encoding="unicode", with_tail=False)
    used = set(re.findall(r"[\"'>\s]([\w.\-]+):", text)) & {prefix for prefix in alone.nsmap if prefix}
    etree.cleanup_namespaces(alone, keep_ns_prefixes=list(used))
    return etree.tostring(alone, encoding="unicode", with_tail=False)


def _first_misplaced(children: list[etree._Element], ranks: list[int]) -> str:
    for index in range(1, len(ranks)):
        if ranks[index] < ranks[index - 1]:
            return f"{schema.local(children[index])} after {schema.local(children[index - 1])}"
    return ""
