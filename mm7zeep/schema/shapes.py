"""The model: which children an element has, in which order and how often, which attributes and which values.

Read from the XSD texts alone. Knows the constructs that these files use, and refuses others by ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple

from lxml import etree

from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE, Profile
from mm7zeep.schema import files

Content = Literal["elements", "text", "empty", "any"]

_XSD = "{http://www.w3.org/2001/XMLSchema}"


def _given(element: etree._Element, attribute: str) -> str:
    """An attribute that must be there."""
    value = element.get(attribute)
    if value is None:
        raise ValueError(f"{element.tag!r} has no {attribute}")
    return value


@dataclass(frozen=True, slots=True)
class Child:
    """One child element that a type has. ``max`` is None where it is unbounded."""

    name: str
    type: Type
    min: int
    max: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """What an element may hold.

    ``ordered`` is False for xs:all and a choice; ``choice`` takes one child, or any number where it ``repeats``.
    ``simple`` is the xsd name of the text's base type, ``moment`` for the dateTime|duration union. ``values`` are those
    of an enumeration. ``attributes`` maps a name to its simple type and whether it is required; ``*`` is any foreign
    one. The attributes of SOAP are given as string.
    """

    name: str
    content: Content
    children: tuple[Child, ...] = ()
    ordered: bool = True
    choice: bool = False
    repeats: bool = False
    simple: str = "string"
    values: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, bool]] = field(default_factory=dict)

    def child(self, name: str) -> Child | None:
        """The child of that name; None where there is none."""
        return next((one for one in self.children if one.name == name), None)


class _Group(NamedTuple):
    """The children of a model group and how they combine; ``wild`` where it is a wildcard."""

    children: tuple[Child, ...] = ()
    ordered: bool = True
    choice: bool = False
    repeats: bool = False
    wild: bool = False


class _Reader:
    """Reads one XSD of ours into ``Type``s."""

    def __init__(self, text: str) -> None:
        self.root = etree.fromstring(text.encode())
        self.types: dict[str, Type] = {}

    def elements(self) -> dict[str, Type]:
        return {_given(e, "name"): self.of_element(e) for e in self.root.findall(f"{_XSD}element")}

    def find(self, tag: str, name: str) -> etree._Element | None:
        return self.root.find(f"{_XSD}{tag}[@name='{name.removeprefix('m:')}']")

    def named(self, tag: str, name: str) -> etree._Element:
        found = self.find(tag, name)
        if found is None:
            raise ValueError(f"the schema has no {tag} {name}")
        return found

    def of_element(self, element: etree._Element) -> Type:
        name = element.get("type")
        if name is None:
            inner = element[-1]
            return self.complex(inner, "") if inner.tag == f"{_XSD}complexType" else self.simple(inner, "")
        if name.startswith("xsd:"):
            return Type(name, "text", simple=name[4:])
        if name not in self.types:
            self.types[name] = self.of_name(name)
        return self.types[name]

    def of_name(self, name: str) -> Type:
        plain, found = name.removeprefix("m:"), self.find("complexType", name)
        return self.complex(found, plain) if found is not None else self.simple(self.named("simpleType", name), plain)

    def simple(self, definition: etree._Element, name: str) -> Type:
        inner = definition[-1]
        if inner.tag == f"{_XSD}union":
            if inner.get("memberTypes") != "xsd:dateTime xsd:duration":
                raise ValueError(f"the union {name} has other members than dateTime and duration")
            return Type(name, "text", simple="moment")
        values = tuple(_given(one, "value") for one in inner.findall(f"{_XSD}enumeration"))
        return Type(name, "text", simple=self.base(_given(inner, "base")), values=values)

    def base(self, name: str) -> str:
        return name[4:] if name.startswith("xsd:") else self.simple(self.named("simpleType", name), "").simple

    def complex(self, definition: etree._Element, name: str) -> Type:
        text = definition.find(f"{_XSD}simpleContent/{_XSD}extension")
        if text is not None:
            return Type(name, "text", simple=self.base(_given(text, "base")), attributes=self.attributes(text))
        extension = definition.find(f"{_XSD}complexContent/{_XSD}extension")
        body = definition if extension is None else extension
        own, attributes = self.group(body), self.attributes(body)
        if extension is not None:
            parent = self.complex(self.named("complexType", _given(extension, "base")), "")
            attributes = {**parent.attributes, **attributes}
            own = self.extended(parent, own)
        content: Content = "any" if own.wild else "elements" if own.children else "empty"
        return Type(name, content, own.children, own.ordered, own.choice, own.repeats, attributes=attributes)

    def extended(self, parent: Type, own: _Group) -> _Group:
        """``own`` children after those of ``parent``; these files only ever extend one sequence by another."""
        if not own.children:
            return _Group(parent.children, parent.ordered, parent.choice, parent.repeats, parent.content == "any")
        if not (parent.ordered and own.ordered) or own.wild or own.repeats:
            raise ValueError(f"the extension of {parent.name} is not a sequence after a sequence")
        return own._replace(children=parent.children + own.children)

    def group(self, body: etree._Element) -> _Group:
        """The one model group that stands directly in ``body``."""
        for part in body:
            if part.tag == f"{_XSD}group":
                return self.of_group(self.named("group", _given(part, "ref"))[0], part)
            if part.tag in (f"{_XSD}sequence", f"{_XSD}all", f"{_XSD}choice"):
                return self.of_group(part, part)
        return _Group()

    def of_group(self, group: etree._Element, particle: etree._Element) -> _Group:
        if group.find(f"{_XSD}any") is not None:
            return _Group(wild=True)
        choice, repeats = group.tag == f"{_XSD}choice", particle.get("maxOccurs") == "unbounded"
        children = tuple(self.child(one) for one in group.findall(f"{_XSD}element"))
        return _Group(children, group.tag == f"{_XSD}sequence", choice, repeats)

    def child(self, element: etree._Element) -> Child:
        most = element.get("maxOccurs", "1")
        least, unbounded = int(element.get("minOccurs", "1")), most == "unbounded"
        return Child(_given(element, "name"), self.of_element(element), least, None if unbounded else int(most))

    def attributes(self, body: etree._Element) -> dict[str, tuple[str, bool]]:
        found: dict[str, tuple[str, bool]] = {}
        for one in body:
            if one.tag == f"{_XSD}attribute" and "name" in one.attrib:
                found[_given(one, "name")] = (self.base(_given(one, "type")), one.get("use") == "required")
            elif one.tag == f"{_XSD}attribute":
                found[f"{{{SOAP_NAMESPACE}}}{_given(one, 'ref').removeprefix('env:')}"] = ("string", False)
            elif one.tag == f"{_XSD}attributeGroup":
                found |= self.attributes(self.named("attributeGroup", _given(one, "ref")))
            elif one.tag == f"{_XSD}anyAttribute":
                found["*"] = ("string", False)
        return found


@files.once
def model(namespace: str) -> Mapping[str, Type]:
    """Every global element of ``namespace`` with what it may hold.

    Raises ``ValueError`` for a namespace that is not bundled.
    """
    return MappingProxyType(_Reader(files.source(namespace.removeprefix(NAMESPACE_PREFIX))).elements())


@cache
def operation_names() -> frozenset[str]:
    """Every global element name of any MM7 schema, without TransactionID."""
    return frozenset(name for namespace in NAMESPACES for name in model(namespace)) - {"TransactionID"}


def profile_of(namespace: str) -> Profile | None:
    """The bare profile of a bundled namespace."""
    return NAMESPACES.get(namespace)
