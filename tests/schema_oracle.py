"""Documents for the schema tests, and libxml2 as the second judge of them.

libxml2 reads the same texts as the package does, from memory. ``Writer`` makes valid documents of a schema's model at
random and ``mutate`` spoils them; both are driven by a seeded ``random.Random`` only.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

from lxml import etree

from mm7zeep import schema
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE
from mm7zeep.schema import Type

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
SOAP = f"{{{SOAP_NAMESPACE}}}"
SCHEMAS = tuple(one.schema for one in NAMESPACES.values())


class _Texts(etree.Resolver):
    """Gives libxml2 the package's texts and nothing else."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self.texts = texts

    def resolve(self, url: str, public_id: str, context: object) -> object:
        return self.resolve_string(self.texts[url], context, base_url=url)


@cache
def libxml2(name: str) -> etree.XMLSchema:
    """libxml2's schema of SOAP 1.1 and the MM7 schema ``name`` together."""
    base = schema.wsdl_location(NAMESPACE_PREFIX + name).removesuffix("mm7.wsdl")
    texts = {url: schema.load(base + url).decode() for url in ("soap-envelope.xsd", f"{name}.xsd")}
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Texts(texts))
    head = (
        f'<xsd:schema xmlns:xsd="{XSD}">'
        f'<xsd:import namespace="{SOAP_NAMESPACE}" schemaLocation="soap-envelope.xsd"/>'
        f'<xsd:import namespace="{NAMESPACE_PREFIX}{name}" schemaLocation="{name}.xsd"/></xsd:schema>'
    )
    return etree.XMLSchema(etree.fromstring(head.encode(), parser))


# Values of each simple type, the first of them plain; all are valid.
VALUES: dict[str, tuple[str, ...]] = {
    "string": ("text", "", " ", "x y", "+61412345678", "naïve ☃", "\n\tlines\n", "a@b.example"),
    "NMTOKEN": ("token", "a.b-c_d:e", " padded ", "1234", "\n-\t"),
    "boolean": ("true", "false", "1", "0", " true\n"),
    "positiveInteger": ("1", "1000", "+7", "007", " 12 ", "123456789012345678901234567890"),
    "dateTime": (
        "2002-01-02T09:30:47-05:00", "2002-01-02T09:30:47", "2002-01-02T09:30:47.125Z", "2004-02-29T00:00:00Z",
        "2002-12-31T23:59:59.9999999+14:00", "-0044-03-15T12:00:00", "12002-01-02T09:30:47Z",
    ),
    "moment": ("2002-01-02T09:30:47-05:00", "P90D", "-P1Y2M3DT4H5M6.7S", "PT0S", " P1M\t", "2002-01-02T09:30:47Z"),
    "anyURI": ("cid:content@example.com", "", "http://example.com/a?b#c", "cid:a b", "urn:x:ü", "../x"),
    "ID": ("n1", "_a", "b.c-d"),
}  # fmt: skip


class Writer:
    """Writes random valid envelopes of one schema; ``plain`` ones have every child, and no value is odd."""

    def __init__(self, name: str, chance: random.Random, *, plain: bool = False) -> None:
        self.plain = plain
        self.namespace = NAMESPACE_PREFIX + name
        self.chance = chance
        self.model = schema.model(self.namespace)
        self.ids = 0

    def envelope(self, operation: str | None = None) -> etree._Element:
        operation = operation or self.chance.choice(sorted(set(self.model) - {"TransactionID"}))
        envelope = etree.Element(f"{SOAP}Envelope", nsmap={"env": SOAP_NAMESPACE, "m": self.namespace})
        if self.plain or self.chance.random() < 0.9:
            header = etree.SubElement(envelope, f"{SOAP}Header")
            self.element(header, "TransactionID", self.model["TransactionID"])
        body = etree.SubElement(envelope, f"{SOAP}Body")
        if operation.endswith("ErrorRsp") and self.chance.random() < 0.7:
            fault = etree.SubElement(body, f"{SOAP}Fault")
            etree.SubElement(fault, "faultcode").text = "env:Client"
            etree.SubElement(fault, "faultstring").text = "Client error"
            body = etree.SubElement(fault, "detail")
        self.element(body, operation, self.model[operation])
        return envelope

    def element(self, parent: etree._Element, name: str, shape: Type) -> None:
        element = etree.SubElement(parent, f"{{{self.namespace}}}{name}")
        for attribute, (simple, required) in shape.attributes.items():
            if required or self.plain or self.chance.random() < 0.4:
                self.attribute(element, attribute, simple)
        if shape.content == "text":
            element.text = self.chance.choice(shape.values or self.values(shape.simple))
        elif shape.content == "any":
            for _ in range(1 if self.plain else self.chance.choice((0, 0, 1, 2))):
                tag = self.chance.choice(("{urn:x}y", "plain", f"{{{self.namespace}}}Unknown"))
                etree.SubElement(element, tag).text = "z"
        else:
            self.children(element, shape)

    def values(self, simple: str) -> tuple[str, ...]:
        return VALUES[simple][:1] if self.plain else VALUES[simple]

    def attribute(self, element: etree._Element, name: str, simple: str) -> None:
        if name == "*":
            element.set("{urn:x}any", "value")
        elif name == f"{SOAP}mustUnderstand":
            element.set(name, self.chance.choice("01"))
        elif name == "addressCoding":
            element.set(name, self.chance.choice(("encrypted", "obfuscated")))
        elif simple == "ID":
            self.ids += 1
            element.set(name, f"id{self.ids}")
        else:
            element.set(name, self.chance.choice(self.values("anyURI" if name == f"{SOAP}actor" else simple)))

    def children(self, element: etree._Element, shape: Type) -> None:
        if shape.choice:
            chosen = [
                self.chance.choice(shape.children) for _ in range(self.chance.randint(1, 3) if shape.repeats else 1)
            ]
            for child in chosen:
                self.element(element, child.name, child.type)
            return
        order = list(shape.children)
        if not shape.ordered and not self.plain:
            self.chance.shuffle(order)
        keep = 1.0 if self.plain else self.chance.choice((0.15, 0.5, 1.0))
        for child in order:
            count = child.min or int(self.chance.random() < keep)
            if child.max is None and count:
                count = self.chance.randint(1, 3)
            for _ in range(count):
                self.element(element, child.name, child.type)


# --- mutations: each spoils one place (or happens not to) -------------------------------------------------------------

ODD_VALUES = (
    "", " ", "\u00a0", "\u2003", "x", "5.3.0", " 5.3.0", "6.8.0", "true", "TRUE", "yes", "0", "1", "-1", "1.0",
    "1_0", "\u0661",
    "\uff11", "+1", "1e3", "0x1", "\u00a01", "1\u2028", "2002-01-02", "2002-01-02T09:30", "2002-01-02T24:00:00",
    "2002-01-02T24:00:01",
    "2002-02-30T00:00:00", "2003-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "-0001-01-01T00:00:00",
    "02002-01-02T09:30:47",
    "2002-01-02T09:30:60Z", "2002-01-02T09:30:47+15:00", "2002-01-02T09:30:47+14:01", "2002-01-02T09:30:47-14:00",
    "2002-01-02 09:30:47",
    "2002-01-02t09:30:47z", "2002-1-2T09:30:47", "2002-01-02T09:30:47.", "2002-01-02T09:30:47,5",
    "+2002-01-02T09:30:47",
    "2002-01-02T09:30:47+0500", "2002-01-02T09:30:47+05", "\u00a02002-01-02T09:30:47", "\u0662002-01-02T09:30:47",
    "P", "P1", "PT", "P1D",
    "-P1D", "+P1D", "P1DT", "P1H", "PT1.S", "PT.5S", "P1Y1D", "P1D1Y", "P-1D", "p1d", "P\u0661D", " P1D", "P1W",
    "a b", "a,b", "a\tb", "\u00e9", "\u2603", "\u00b7",
    "http://[", "%zz", "cid:a b", "#", "a#b#c", "http://a:b/", "\\\\x", "::", "ThirdParty", "Deferred",
    "DeliveryConditionNotMet", "env:Client", "nope:x",
    "Client", "a:b:c", ":x", "9a", "-a",
)  # fmt: skip
ODD_NAMES = (
    "Date", "TimeStamp", "MessageID", "DistributionProtection", "DistributionIndicator", "ServiceCode", "Content",
    "ApplicID", "VASID",
    "To", "Number", "RFC2822Address", "Details", "StatusText", "Extension", "SubmitRsp", "UACapabilities", "DC",
    "DeliveryCondition",
)  # fmt: skip

Mutation = Callable[[etree._Element, random.Random], None]


def _any(root: etree._Element, chance: random.Random) -> etree._Element:
    return chance.choice([one for one in root.iter() if isinstance(one.tag, str)])


def _inner(root: etree._Element, chance: random.Random) -> etree._Element | None:
    found = [one for one in root.iter() if isinstance(one.tag, str) and one.getparent() is not None]
    return chance.choice(found) if found else None


def drop(root: etree._Element, chance: random.Random) -> None:
    """One element leaves."""
    one = _inner(root, chance)
    parent = one.getparent() if one is not None else None
    if one is not None and parent is not None:
        parent.remove(one)


def duplicate(root: etree._Element, chance: random.Random) -> None:
    """One element stands twice."""
    one = _inner(root, chance)
    if one is not None:
        one.addnext(etree.fromstring(etree.tostring(one, with_tail=False)))


def reorder(root: etree._Element, chance: random.Random) -> None:
    """The children of one element change places."""
    one = _any(root, chance)
    children = list(one)
    chance.shuffle(children)
    one[:] = children


def rename(root: etree._Element, chance: random.Random) -> None:
    """One element has another name or namespace."""
    one = _any(root, chance)
    name = etree.QName(one)
    tags = [
        name.localname,
        name.localname.swapcase(),
        "{urn:x}" + name.localname,
        f"{SOAP}{name.localname}",
        f"{SOAP}Body",
    ]
    tags += [f"{{{name.namespace}}}{odd}" for odd in ODD_NAMES] if name.namespace else []
    one.tag = chance.choice(tags)


def insert(root: etree._Element, chance: random.Random) -> None:
    """A new element comes in."""
    one = _any(root, chance)
    namespace = chance.choice((etree.QName(one).namespace, None, "urn:x", root.nsmap.get("m"), SOAP_NAMESPACE))
    child = etree.Element(etree.QName(namespace, chance.choice((*ODD_NAMES, "Body", "Header", "detail", "Fault"))))
    child.text = chance.choice((None, "x", "1000"))
    one.insert(chance.randint(0, len(one)), child)


def value(root: etree._Element, chance: random.Random) -> None:
    """One text or attribute has another value."""
    one = _any(root, chance)
    if one.attrib and chance.random() < 0.4:
        one.set(chance.choice(list(one.attrib)), chance.choice(ODD_VALUES))
        return
    leaves = [leaf for leaf in root.iter() if isinstance(leaf.tag, str) and not len(leaf)]
    chance.choice(leaves or [one]).text = chance.choice(ODD_VALUES)


def attribute(root: etree._Element, chance: random.Random) -> None:
    """One attribute comes in."""
    names = (
        "id", "href", "sequence", "displayOnly", "addressCoding", "allowAdaptations", "TimeStamp", "x", "{urn:x}x",
        f"{SOAP}mustUnderstand",
        f"{SOAP}encodingStyle", f"{SOAP}actor", f"{SOAP}x", "{http://www.w3.org/XML/1998/namespace}lang",
        f"{{{root.nsmap.get('m')}}}x",
        f"{{{XSI}}}nil", f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation", f"{{{XSI}}}x",
    )  # fmt: skip
    _any(root, chance).set(
        chance.choice(names), chance.choice(("1", "true", "x", "0", "en", "n1", "urn:x http://127.0.0.1:9/x.xsd"))
    )


def text(root: etree._Element, chance: random.Random) -> None:
    """Text or white space comes between elements, or a comment or instruction anywhere."""
    one = _any(root, chance)
    kind = chance.random()
    if kind < 0.3:
        extra = etree.Comment("x") if chance.random() < 0.7 else etree.ProcessingInstruction("x", "y")
        extra.tail = chance.choice((None, "x", " "))
        one.insert(chance.randint(0, len(one)), extra)
    elif kind < 0.6 and one.getparent() is not None:
        one.tail = chance.choice(("x", " ", "\n", "\u00a0", "\u2003", "\u0085"))
    else:
        one.text = chance.choice(("x", " ", "\n", "\u00a0", "\u2003", "\u0085"))


def typed(root: etree._Element, chance: random.Random) -> None:
    """One element states its type."""
    types = (
        "m:submitRspType", "m:genericResponseType", "m:userAgentInfoType", "m:addressType", "m:multiAddressType",
        "m:anyDataType", "m:nope",
        "m:entityIDType", "m:messageIDType", "m:versionType", "m:relativeOrAbsoluteDateType", "m:deliverRspType",
        "m:contentReferenceType",
        "m:statusCodeType", "xsd:string", "xsd:token", "xsd:dateTime", "xsd:duration", "xsd:boolean", "xsd:anyType",
        "xsd:int", "xsd:nope",
        "nope:x", "x", "env:Body", "env:Fault", "m:capabilitiesType",
    )  # fmt: skip
    one = _any(root, chance)
    one.set(f"{{{XSI}}}type", chance.choice(types))


MUTATIONS: tuple[Mutation, ...] = (
    drop,
    duplicate,
    reorder,
    rename,
    insert,
    value,
    value,
    value,
    attribute,
    text,
    typed,
)


def mutate(root: etree._Element, chance: random.Random) -> etree._Element:
    """A copy of ``root`` with up to three mutations, as a receiver would read it from the wire."""
    root = etree.fromstring(etree.tostring(root))
    for mutation in chance.choices(MUTATIONS, k=chance.choice((1, 1, 2, 3))):
        mutation(root, chance)
        etree.cleanup_namespaces(root, top_nsmap={"xsd": XSD}, keep_ns_prefixes=["env", "m", "xsd"])
    return etree.fromstring(etree.tostring(root))
