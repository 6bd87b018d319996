"""The SOAP frame around the message: namespaces, Header, TransactionID, Body, Fault.

Puts the frame into SOAP 1.1's form, in place, with a finding for each change. Refuses what is no SOAP 1.1 envelope,
two Bodies, two TransactionIDs and header blocks that must be understood but are not ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from mm7zeep import namespaces, schema
from mm7zeep.errors import EnvelopeError, FaultCode, LimitError, RemoteError, VersionError
from mm7zeep.findings import Action, Finding, finding
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE
from mm7zeep.tolerance import values

SOAP = f"{{{SOAP_NAMESPACE}}}"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_ACTOR_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_FAULT_CHILDREN = ("faultcode", "faultstring", "faultactor", "detail")
_MOST_CHILDREN = 2000  # of one element: a thousand recipients fit, each in a To of its own
_ENOUGH = 100  # findings of one kind in one message
_NCNAME = re.compile(r"[^\W\d][\w.\-]*")
_PRE_STANDARD = ("MM7Header", "MM7SubmitReq", "MultiMediaSubmit", "MM7SubmitRsp", "MM7DeliverReq")


@dataclass(slots=True)
class Repairs:
    """What the repairs of one message have found so far, and the error of the first that was not possible."""

    findings: list[Finding] = field(default_factory=list)
    error: RemoteError | None = None
    transaction_id: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, id: str, where: etree._Element | str = "", *, detail: str = "", action: Action = "repaired") -> None:
        """Note a finding of kind ``id``; after ``_ENOUGH`` of one kind no further one is kept."""
        self.counts[id] = self.counts.get(id, 0) + 1
        if self.counts[id] > _ENOUGH:
            return
        place = where if isinstance(where, str) else schema.path(where)
        self.findings.append(finding(id, place, detail=detail, action=action))

    def refuse(self, message: str, id: str, where: etree._Element | str = "", *, detail: str = "", status: int = 4004,
               fault: FaultCode = "Client", kind: type[RemoteError] = EnvelopeError) -> None:  # fmt: skip
        """Note a deviation that cannot be repaired; the first one is the error of the reading."""
        self.add(id, where, detail=detail, action="refused")
        self.error = self.error or kind(message, status=status, fault=fault, transaction_id=self.transaction_id)


def frame(root: etree._Element, repairs: Repairs, *, request: bool) -> etree._Element | None:
    """Mend the frame of ``root`` in place and give the one element of its Body, or None where there is none to read."""
    if not _envelope(root, repairs):
        return None
    rich = next((one for one in root.iter() if len(one) > _MOST_CHILDREN), None)
    if rich is not None:
        what = f"{schema.local(rich)} has more than {_MOST_CHILDREN} children; send less"
        repairs.refuse(what, "xml/limit", rich, detail="children", status=2007, kind=LimitError)
        return None
    header, body = _parts(root, repairs)
    if body is None:
        repairs.refuse("the envelope has no Body", "soap/structure", root)
        return None
    children = [one for one in body if isinstance(one.tag, str)]
    if any(is_pre_standard(one) for one in children):  # whose TransactionID is elsewhere: of it nothing is asked
        pre_standard(repairs, children[0])
        return None
    _header(root, header, repairs, request=request)
    _strip_xsi(body)
    if not children:
        repairs.refuse("the Body is empty", "soap/structure", body)
        return None
    if len(children) > 1:
        repairs.refuse(
            "the Body has more than one child; send one operation per message",
            "soap/body-one-child",
            body,
            detail=str(len(children)),
        )
        for one in children[1:]:
            body.remove(one)
    if (body.text and body.text.strip()) or any(one.tail and one.tail.strip() for one in children):
        repairs.add("schema/unstated", body)
        body.text = None
        for one in children:
            one.tail = None
    return children[0]


def instructions(sent: etree._Element, root: etree._Element, repairs: Repairs) -> None:
    """Take processing instructions and comments out of ``root``, the copy of ``sent`` (SOAP 1.1 3 forbids
    instructions).
    """
    before = any(isinstance(one, etree._ProcessingInstruction) for one in sent.itersiblings(preceding=True))
    inside = next(root.iter(etree.ProcessingInstruction), None)
    if before or inside is not None:
        parent = inside.getparent() if inside is not None else None
        repairs.add("xml/no-pi", root if parent is None else parent)
    etree.strip_tags(root, etree.ProcessingInstruction, etree.Comment)


def _envelope(root: etree._Element, repairs: Repairs) -> bool:
    name, namespace = schema.local(root), etree.QName(root).namespace
    if is_pre_standard(root):
        pre_standard(repairs, root)
        return False
    if name != "Envelope":
        what = "is an MM7 message without SOAP envelope" if name in schema.operation_names() else "is no SOAP envelope"
        repairs.refuse(f"<{name}> {what}; wrap it in Envelope and Body", "soap/envelope-present", root, detail=name)
        return False
    if namespace == _SOAP_12:
        # SOAP 1.1 4.4.1: VersionMismatch
        repairs.refuse(
            "the envelope is SOAP 1.2; MM7 uses SOAP 1.1", "soap/version-mismatch", root, fault="VersionMismatch"
        )
        return False
    elif namespace != SOAP_NAMESPACE:
        if namespace is not None and not namespaces.is_soap(namespace) and "schemas.xmlsoap.org/soap" not in namespace:
            message = f"the envelope is in {namespace!r}, not in SOAP 1.1's namespace"
            repairs.refuse(message, "soap/version-mismatch", root, detail=namespace, fault="VersionMismatch")
            return False
        id = "soap/namespace-alias" if namespaces.is_soap(namespace) else "soap/envelope-namespace"
        repairs.add(id, root, detail=namespace or "none")
        rename(root, namespace, SOAP_NAMESPACE)
    for one in root.iter():  # header attributes may use the alias although the elements do not
        for attribute, value in list(one.attrib.items()):
            if _is_alias(attribute):
                del one.attrib[attribute]
                one.set(SOAP + etree.QName(attribute).localname, value)
    if root.attrib.pop(f"{SOAP}encodingStyle", None) is not None:
        repairs.add("soap/encoding-style-used", root)
    _strip_xsi(root)
    return True


def _is_alias(attribute: str) -> bool:
    """Whether ``attribute`` is in an alias of SOAP's namespace."""
    namespace = attribute[1:].rpartition("}")[0] if attribute.startswith("{") else ""
    return namespace not in ("", SOAP_NAMESPACE) and namespaces.is_soap(namespace)


def take_blanks(root: etree._Element, repairs: Repairs) -> None:
    """Put the names of SOAP and MM7 that are written with blanks or line breaks in them into their own form."""
    found: dict[str, etree._Element] = {}
    for one in root.iter(etree.Element):
        for name in (one.tag, *one.attrib):
            namespace = name[1:].rpartition("}")[0] if name.startswith("{") else ""
            if namespace and namespaces.tidy(namespace) != namespace:
                found.setdefault(namespace, one)
    for namespace, where in found.items():
        meant = namespaces.tidy(namespace)
        soap = namespaces.is_soap(meant)
        if soap or namespaces.bundled(meant) is not None:
            kind = "soap/envelope-namespace" if soap else "ns/alias"
            repairs.add(kind, where, detail=repr(namespaces.as_sent(namespace)))
        elif meant not in (_SOAP_12, _XSI[1:-1]) and not meant.startswith(NAMESPACE_PREFIX):
            continue  # of an MM7 release that nobody knows ns/known tells
        rename(root, namespace, meant)


def is_pre_standard(element: etree._Element) -> bool:
    """Whether ``element`` is of the drafts of 2002 (``urn:MM7Submit.Req``), by its name or its namespace."""
    namespace = etree.QName(element).namespace or ""
    return schema.local(element) in _PRE_STANDARD or (namespace.startswith("urn:MM7") and namespace != "urn:MM7")


def pre_standard(repairs: Repairs, where: etree._Element | str) -> None:
    """Refuse the drafts of 2002 by name."""
    message = "the message follows a draft of 2002 (MM7Header, urn:MM7...), which is not served; use release 5 or 6"
    repairs.refuse(message, "ns/pre-standard", where, status=4002, kind=VersionError)


def names_pre_standard(text: bytes) -> bool:
    """Whether raw text that does not parse shows the marks of the drafts of 2002."""
    return b"urn:MM7" in text or any(f"<{name}".encode() in text for name in _PRE_STANDARD) or b":MM7Header" in text


def rename(element: etree._Element, old: str | None, new: str) -> None:
    """Move ``element`` and all below it, attributes too, from one namespace to another."""
    before = f"{{{old}}}" if old else ""
    for one in element.iter():
        if isinstance(one.tag, str) and etree.QName(one).namespace == old:
            one.tag = f"{{{new}}}{etree.QName(one).localname}"
        for attribute, value in list(one.attrib.items()):
            if before and attribute.startswith(before):
                del one.attrib[attribute]
                one.set(f"{{{new}}}{etree.QName(attribute).localname}", value)


def _strip_xsi(element: etree._Element) -> None:
    for attribute in [a for a in element.attrib if a.startswith(_XSI)]:
        del element.attrib[attribute]


def _parts(root: etree._Element, repairs: Repairs) -> tuple[etree._Element | None, etree._Element | None]:
    headers: list[etree._Element] = []
    bodies: list[etree._Element] = []
    others: list[etree._Element] = []
    for child in root:
        name = schema.local(child)
        (headers if name == "Header" else bodies if name == "Body" else others).append(child)
        if name in ("Header", "Body") and etree.QName(child).namespace != SOAP_NAMESPACE:
            repairs.add("soap/envelope-namespace", child)
            child.tag = SOAP + name
    if len(bodies) > 1 or len(headers) > 1:
        repairs.refuse("the envelope has two Bodies or two Headers", "soap/structure", root)
        for one in (*headers[1:], *bodies[1:]):
            root.remove(one)
    elif any(schema.local(one) == "Fault" for one in others):
        repairs.refuse("the Fault stands outside the Body", "soap/structure", root)
    elif headers and bodies and root.index(headers[0]) > root.index(bodies[0]):
        repairs.add("soap/structure", headers[0])
        root.insert(0, headers[0])
    if headers and "".join(text or "" for text in (headers[0].text, *(one.tail for one in headers[0]))).strip():
        repairs.add("schema/unstated", headers[0])
        headers[0].text = None
        for one in headers[0]:
            one.tail = None
    return (headers[0] if headers else None), (bodies[0] if bodies else None)


def _header(root: etree._Element, header: etree._Element | None, repairs: Repairs, *, request: bool) -> None:
    blocks = [] if header is None else [one for one in header if isinstance(one.tag, str)]
    for block in header if header is not None else ():
        for one in block.iter() if schema.local(block) != "TransactionID" else ():
            _strip_xsi(one)  # types of other schemas, in blocks that are not ours to judge
    ours = [one for one in blocks if schema.local(one) == "TransactionID"]
    for block in blocks:
        if block not in ours:
            _foreign_block(block, repairs)
    if len(ours) > 1:
        repairs.refuse("the Header has two TransactionIDs", "soap/transaction-once", ours[1])
        for block in ours[1:]:
            schema.parent_of(block).remove(block)
    if not ours:
        _no_transaction(repairs, "soap/transaction-present", root, request=request)
        return
    text = "".join(ours[0].itertext())
    if not text.strip():
        _no_transaction(repairs, "soap/transaction-value", ours[0], request=request)
        schema.parent_of(ours[0]).remove(ours[0])
        return
    if text != text.strip():
        repairs.add("soap/transaction-whitespace", ours[0])
    for child in list(ours[0]):
        ours[0].remove(child)
    ours[0].text = repairs.transaction_id = text.strip()


def _no_transaction(repairs: Repairs, id: str, where: etree._Element, *, request: bool) -> None:
    if request:
        repairs.refuse("the request has no TransactionID; an answer could not name it (TS 23.140 8.7.1)", id, where)
    else:
        repairs.add(id, where, action="noted")  # an answer is matched by its HTTP exchange


def _foreign_block(block: etree._Element, repairs: Repairs) -> None:
    actor = block.get(f"{SOAP}actor")
    if block.get(f"{SOAP}mustUnderstand") in ("1", "true") and actor in (None, "", _ACTOR_NEXT):
        # SOAP 1.1 4.2.3: a recipient that cannot obey the header entry MUST fail.
        repairs.refuse(
            f"the header block {schema.local(block)} must be understood and is not",
            "soap/unknown-mu",
            block,
            fault="MustUnderstand",
        )


def transaction(root: etree._Element, repairs: Repairs, namespace: str, sent: str | None) -> bool:
    """Put TransactionID into ``namespace`` with the attributes it may carry; ``sent`` is the Body child's, as sent.

    Gives whether its value needs a later release than ``namespace``: an NMTOKEN there, any text from REL-5-MM7-1-2 on.
    """
    header = root.find(f"{SOAP}Header")
    block = next((one for one in header if schema.local(one) == "TransactionID"), None) if header is not None else None
    if block is None:
        return False
    own = etree.QName(block).namespace
    if sent is not None and namespaces.plain(own or "") != namespaces.plain(sent):
        repairs.add("soap/transaction-namespace", block, detail=(own or "none").removeprefix(NAMESPACE_PREFIX))
    block.tag = f"{{{namespace}}}TransactionID"
    for name, value in list(block.attrib.items()):
        _attribute(block, name, value, repairs)
    if NAMESPACES[namespace].transaction_attributes:
        if block.get(f"{SOAP}mustUnderstand") is None:
            repairs.add("soap/transaction-mu", block, action="noted")
        return False
    if block.attrib:
        repairs.add("soap/transaction-mu-early", block)
        block.attrib.clear()
    if values.is_nmtoken(block.text or ""):
        return False
    repairs.add("schema/value", block, detail=f"{block.text!r} is no NMTOKEN", action="noted")
    return True


def _attribute(block: etree._Element, name: str, value: str, repairs: Repairs) -> None:
    plain = etree.QName(name).localname
    if name in (f"{SOAP}actor", f"{SOAP}encodingStyle"):
        return
    if plain.lower() == "mustunderstand":
        if name != f"{SOAP}mustUnderstand":
            repairs.add("soap/mu-case", block, detail=name)
            del block.attrib[name]
        if value not in ("0", "1"):
            repairs.add("soap/mu-value", block, detail=value)
            value = "1" if value.strip().lower() in ("true", "1") else "0"
        block.set(f"{SOAP}mustUnderstand", value)
        return
    repairs.add("soap/transaction-attributes", block, detail=name)
    del block.attrib[name]


def fault(element: etree._Element, repairs: Repairs) -> etree._Element | None:
    """Mend a Fault in place; its RSErrorRsp or VASPErrorRsp, if there is one (SOAP 1.1 4.4)."""
    if element.tag != f"{SOAP}Fault":
        repairs.add("soap/fault-fields", element, detail="Fault is not in the SOAP namespace")
        element.tag = f"{SOAP}Fault"
    if any(isinstance(one.tag, str) and etree.QName(one).namespace is not None for one in element):
        repairs.add("soap/fault-fields", element, detail="children are in a namespace")
    for one in list(element):
        name = schema.local(one)
        if name.lower() in _FAULT_CHILDREN:
            one.tag = name.lower()
            _strip_xsi(one)
        else:
            repairs.add("soap/fault-fields", one, detail=name)
            element.remove(one)
    _fault_code(element, repairs)
    order = [_FAULT_CHILDREN.index(one.tag) for one in element]
    if order != sorted(order):
        repairs.add("soap/fault-fields", element, detail="order: " + ", ".join(map(schema.local, element)))
        element[:] = sorted(element, key=lambda one: _FAULT_CHILDREN.index(one.tag))
    return _fault_detail(element, repairs)


def _fault_code(element: etree._Element, repairs: Repairs) -> None:
    code = element.find("faultcode")
    if code is None:
        repairs.add("soap/fault-fields", element, detail="no faultcode")
        code = etree.Element("faultcode")
        element.insert(0, code)
        code.text = "Server"
    text = (code.text or "").strip()
    prefix, _, name = text.rpartition(":")
    if not text:
        repairs.add("soap/fault-fields", code, detail="empty")
        code.text = "Server"
    elif not _NCNAME.fullmatch(name) or (prefix and prefix not in code.nsmap):
        repairs.add("soap/fault-code-qname", code, detail=text)
        code.text = name if _NCNAME.fullmatch(name) else "Server"
    if element.find("faultstring") is None:
        repairs.add("soap/fault-fields", element, detail="no faultstring")
        code.addnext(etree.Element("faultstring"))


def _fault_detail(element: etree._Element, repairs: Repairs) -> etree._Element | None:
    detail = element.find("detail")
    said, found = "", None
    if detail is not None:
        said = "".join(text or "" for text in (detail.text, *(one.tail for one in detail))).strip()
        found = next((one for one in detail.iter() if schema.error_name(schema.local(one))), None)
        detail.text = None
        for one in detail:
            one.tail = None
    if said or found is None:
        where = element if detail is None else detail
        repairs.add("soap/fault-detail", where, detail=said, action="kept-raw" if said else "noted")
    return found
