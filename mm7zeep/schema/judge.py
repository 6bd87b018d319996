"""The judge: where an envelope breaks SOAP 1.1 or the schema of its MM7 namespace.

xmlschema judges; where it differs from XSD 1.0, the schema's own answer is given. What it gets wrong (4.3, found by
comparing it with libxml2 on random documents, see ``tests/test_schema_differences.py``):

- text between the children of a wildcard (Header, Body, detail, Details) passes, and so does Unicode white space
  between the children of any element: XSD allows neither (part 1, 3.4.4, clause 2.3);
- Unicode white space around a value is dropped; ``1_000`` and digits of other scripts are numbers (part 2, 3.2, 4.3.6);
- a comment or an instruction beside a value is taken for a child element and cuts the value short;
- an xsi:type that names no type of the schema raises ``KeyError``, hundreds of nested elements ``RecursionError``;
- a root that the schema does not declare passes where it has an xsi:type;
- where a wildcard is lax, xml:lang is judged and xsi:nil refused, though nothing is declared there.

Left as it is: an integer of more than 4,300 digits is refused; name characters are those of XML 1.0, fifth edition; a
duration needs digits on both sides of its point; an element of the XSD namespace in a lax place is judged as a schema.
libxml2 is no better: it refuses a dateTime with white space around it or with very many digits, which is valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from lxml import etree

from mm7zeep.profiles import NAMESPACE_PREFIX, SOAP_NAMESPACE
from mm7zeep.schema import files

if TYPE_CHECKING:
    import xmlschema

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XML_ATTRIBUTE = "attribute {http://www.w3.org/XML/1998/namespace}"
_SPACE = " \t\r\n"  # XML 1.0 production 3; str.strip() takes more
_ODD_SPACE = re.compile(r"[^\S \t\r\n]")
_INTEGER = re.compile(r"[ \t\r\n]*[+-]?[0-9]+[ \t\r\n]*")

ViolationKind = Literal["children", "value", "attribute", "text"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a document breaks its schema.

    ``where`` is a path of local names, ``reason`` is in the validator's words.
    """

    where: str
    reason: str
    kind: ViolationKind
    element: etree._Element | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@files.once
def validator(namespace: str) -> xmlschema.XMLSchema10:
    """The xmlschema schema of SOAP 1.1 and the MM7 ``namespace`` together (0.15 s the first time).

    Raises ``ValueError`` for a namespace that is not bundled.
    """
    text = files.source(namespace.removeprefix(NAMESPACE_PREFIX))
    import xmlschema

    head = (
        f'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:import namespace="{SOAP_NAMESPACE}"/>'
        f'<xsd:import namespace="{namespace}"/></xsd:schema>'
    )
    # All three in memory, and no location that could be opened.
    texts: list[Any] = [head, files.soap_source(), text.replace(f' schemaLocation="{files.SOAP_SCHEMA}"', "")]
    # "skip" spares the check of these texts against the schema of schemas, a third of the time: the tests make it.
    return xmlschema.XMLSchema10(texts, allow="none", base_url=files.BASE, use_fallback=False, validation="skip")


def violations(envelope: etree._Element, namespace: str) -> list[Violation]:
    """Where ``envelope``, a whole SOAP envelope, breaks SOAP 1.1 or the schema of the MM7 ``namespace``.

    An empty list means valid. Comments and processing instructions are looked through, as XSD does. ``envelope`` is not
    changed, and nothing is fetched, whatever xsi:schemaLocation says. Threads may call this at the same time. Raises
    ``ValueError`` for a namespace that is not bundled.
    """
    schema = validator(namespace)
    if envelope.tag not in schema.maps.elements or etree.QName(envelope).namespace not in (SOAP_NAMESPACE, namespace):
        return [Violation(path(envelope), f"{local(envelope)!r} is no element of the schema", "children", envelope)]
    judged, found = _judgeable(envelope, schema)
    try:
        errors = list(schema.iter_errors(cast("Any", judged), extra_validator=_Addition(schema)))
    except RecursionError:  # lxml takes 255 levels, xmlschema three calls for each
        return [Violation(path(envelope), "elements are nested too deeply to be judged", "children", envelope)]
    except OverflowError:  # a year of ten digits
        return [Violation(path(envelope), "a date is too far away to be judged", "value", envelope)]
    original = dict(zip(judged.iter("*"), envelope.iter("*"), strict=True)) if judged is not envelope else {}
    for error in errors:
        reason = str(error.reason)
        if _is_lax(error, reason):
            continue
        element = cast("etree._Element | None", error.elem)
        element = original.get(element, element) if element is not None else None
        found.append(Violation(path(element) if element is not None else "/", reason, _kind(error), element))
    return found


def _is_lax(error: Any, reason: str) -> bool:
    """Whether xmlschema judged what is not declared: an xml:lang, or xsi:nil on an element of a wildcard."""
    declared_by = getattr(getattr(error.validator, "parent", None), "process_contents", None)
    return reason.startswith(_XML_ATTRIBUTE) or (declared_by == "lax" and reason == "element is not nillable")


def _kind(error: Any) -> ViolationKind:
    reason = str(error.reason)
    if type(error).__name__ == "XMLSchemaChildrenValidationError":
        return "children"
    if "attribute" in reason:
        return "attribute"
    return "text" if "character data" in reason else "value"


# --- what xmlschema would stumble over ------------------------------------------------------------------------------


def _judgeable(envelope: etree._Element, schema: xmlschema.XMLSchema10) -> tuple[etree._Element, list[Violation]]:
    """``envelope``, or a copy of it without what xmlschema cannot take, and what was wrong with that."""
    found: list[Violation] = []
    for parent in (one.getparent() for one in envelope.iter(etree.Entity)):
        where = path(parent) if parent is not None else "/"
        found.append(Violation(where, "an entity is not resolved, so its text cannot be judged", "text", parent))
    typed = [one for one in envelope.iter("*") if _XSI_TYPE in one.attrib and _type_name(one) not in schema.maps.types]
    for one in typed:
        reason = f"attribute xsi:type={one.get(_XSI_TYPE)!r} names no type of the schema"
        found.append(Violation(path(one), reason, "attribute", one))
    other = next(envelope.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None)
    if not typed and other is None:
        return envelope, found
    copied = deepcopy(envelope)
    etree.strip_tags(copied, etree.Comment, etree.ProcessingInstruction, etree.Entity)
    for one in copied.iter("*"):
        if _XSI_TYPE in one.attrib and _type_name(one) not in schema.maps.types:
            del one.attrib[_XSI_TYPE]
    return copied, found


def _type_name(element: etree._Element) -> str:
    """The expanded name that xsi:type gives; of a prefix that is not declared, the name as it stands."""
    name = element.get(_XSI_TYPE, "").strip(_SPACE)
    prefix, _, plain = name.rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return name if namespace is None else f"{{{namespace}}}{plain}"


# --- what xmlschema lets pass ---------------------------------------------------------------------------------------


class _Addition:
    """Called by xmlschema for each element with its declaration: gives what XSD forbids and xmlschema lets pass."""

    def __init__(self, schema: xmlschema.XMLSchema10) -> None:
        self.maps = schema.maps

    def __call__(self, element: Any, declaration: Any) -> Iterator[Any]:
        kind = self.type(element, declaration)
        if kind.has_simple_content():
            yield from self.value(element.text or "", kind if kind.is_simple() else kind.content, "")
        elif kind.is_element_only():
            yield from self.between(element, kind)
        if not kind.is_simple():
            for name, value in element.attrib.items():
                if name in kind.attributes:
                    yield from self.value(value, kind.attributes[name].type, f"attribute {name}={value!r}: ")

    def type(self, element: Any, declaration: Any) -> Any:
        """The type that holds: the declared one or what xsi:type puts in its place."""
        if _XSI_TYPE not in element.attrib:
            return declaration.type
        kind = self.maps.types[_type_name(element)]  # known: the others were taken out
        return kind if kind.is_derived(declaration.type) else declaration.type

    def value(self, value: str, kind: Any, where: str) -> Iterator[str]:
        """Characters that Python takes for white space or digits, and XSD does not."""
        if value.isascii() and "_" not in value:
            return
        if kind.white_space != "collapse" or kind.root_type.local_name == "anyURI":
            return
        if _ODD_SPACE.search(value):
            yield f"{where}invalid white space in {value!r}"
        elif kind.root_type.local_name == "decimal" and not _INTEGER.fullmatch(value) and _reads_as_int(value):
            yield f"{where}invalid digits in {value!r}"

    def between(self, element: Any, kind: Any) -> Iterator[str]:
        """Text between the children of an element that holds elements only."""
        texts = [text for text in (element.text, *(child.tail for child in element)) if text and text.strip(_SPACE)]
        wild = len(kind.content) == 1 and kind.content[0].name is None  # where xmlschema does not look
        if texts and (wild or not any(text.strip() for text in texts)):
            yield "character data is not allowed because content is element-only"


def _reads_as_int(value: str) -> bool:
    try:
        int(value)
    except ValueError:
        return False
    return True


# --- where ----------------------------------------------------------------------------------------------------------


def path(element: etree._Element) -> str:
    """The path by local names, numbered where one repeats: ``/Envelope/Body/SubmitReq/Recipients/To[2]``."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        tag = str(node.tag) if isinstance(node.tag, str) else "*"
        before = sum(1 for _ in node.itersiblings(tag, preceding=True))
        alone = not before and next(node.itersiblings(tag), None) is None
        steps.append(local(node) if alone or node.getparent() is None else f"{local(node)}[{before + 1}]")
        node = node.getparent()
    return "/" + "/".join(reversed(steps))


def local(element: etree._Element) -> str:
    """The local name; comments and processing instructions have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else "?"


def namespace_of(element: etree._Element) -> str | None:
    """The namespace; comments and processing instructions have none."""
    return etree.QName(element).namespace if isinstance(element.tag, str) else None


def parent_of(element: etree._Element) -> etree._Element:
    """The parent. Raises ``ValueError`` for a root."""
    parent = element.getparent()
    if parent is None:
        raise ValueError(f"{element.tag!r} has no parent")
    return parent
