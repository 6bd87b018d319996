"""The text of one element or attribute, put into the form that its schema type asks for.

Gives None, with a finding, where only a guess could; ``values`` holds the pure part of it.
"""

from __future__ import annotations

import re

from lxml import etree

from mm7zeep import schema
from mm7zeep.profiles import NAMESPACES
from mm7zeep.tolerance import values
from mm7zeep.tolerance.context import ADDRESS_NAMES, SUPERSET, Context

_CONTROL = re.compile(r"[\x00-\x08\n-\x1f\x7f]+")


def in_form(
    context: Context, node: etree._Element, given: str, simple: str, listed: tuple[str, ...] = (), attribute: str = ""
) -> str | None:
    """The schema's form of ``given``, or None. Leaves a finding where they differ in more than blanks.

    ``simple`` is the schema's type, ``listed`` its enumeration; ``attribute`` is ``@name``, empty for element text.
    """
    match simple:
        case "boolean":
            fixed = values.boolean(given)
            if fixed is None:
                return _bad(context, node, given, attribute)
            if given.strip() not in ("true", "false", "1", "0"):
                context.repairs.add("schema/boolean", node, detail=attribute + given)
            return given.strip() if given.strip() in ("true", "false", "1", "0") else fixed
        case "dateTime" | "moment":
            return _moment(context, node, given, attribute, spans=simple == "moment")
        case "positiveInteger":
            return given.strip() if values.is_positive(given) else _bad(context, node, given, attribute)
        case "NMTOKEN":
            if not given.strip() and schema.local(node) != "MessageID":
                return _bad(context, node, given, attribute)
            if not values.is_nmtoken(given):
                context.upgrade = True
                if schema.local(node) != "MessageID" or given.strip():  # of an empty one message_id tells
                    context.repairs.add("schema/value", node, detail=f"{given!r} is no NMTOKEN", action="noted")
            return given.strip() if schema.local(node) == "MessageID" else _string(context, node, given)
        case "ID":
            return given if values.is_nmtoken(given) else _bad(context, node, given, attribute)
    if listed:
        return _listed(context, node, given, listed)
    if attribute == "@addressCoding" and given not in ("encrypted", "obfuscated"):
        return _bad(context, node, given, attribute)
    return given if attribute else _string(context, node, given)


def _string(context: Context, node: etree._Element, given: str) -> str | None:
    """Text as it stands, but for blanks and control characters where they break an address, an id or a line."""
    name = schema.local(node)
    if name in ADDRESS_NAMES:
        return _address(context, node, given)
    if name == "SenderAddress" and not given.strip():
        return _bad(context, node, given, "")
    if name == "MessageID" and given != given.strip():
        context.repairs.add("schema/value", node, detail=given)
        return given.strip()
    if name == "Subject" and _CONTROL.search(given):
        context.repairs.add("sem/subject-control", node, detail=given)
        return _CONTROL.sub(" ", given)
    return given


def _address(context: Context, node: etree._Element, given: str) -> str | None:
    if not given.strip():
        return _bad(context, node, given, "")
    if node.get("addressCoding") is not None:  # of the coded text nothing is known but that it is one line
        fixed = _CONTROL.sub("", given)
        if fixed != given:
            context.repairs.add("sem/address-whitespace", node, detail=given)
        return fixed
    _address_form(context, node, given)
    fixed = _CONTROL.sub("", given.strip())
    if fixed != given:
        context.repairs.add("sem/address-whitespace", node, detail=given)
    return fixed


def _bad(context: Context, node: etree._Element, given: str, attribute: str) -> str | None:
    """Note a value that only a guess could mend; gives None for it."""
    if not given.strip() and not attribute:
        context.repairs.add("schema/empty-element", node)
    else:
        id = "schema/attribute" if attribute else "schema/value"
        context.repairs.add(id, node, detail=attribute + given, action="kept-raw")
    return None


def _moment(context: Context, node: etree._Element, given: str, attribute: str, *, spans: bool) -> str | None:
    text = given.strip()
    if values.is_moment(text, spans=spans):
        return text
    if not text:
        return _bad(context, node, given, attribute)
    fixed = values.moment(text, spans=spans)
    if values.in_schema(text, spans=spans) and fixed is not None:
        return fixed  # 24:00:00 is the schema's, not Python's
    if values.in_schema(text, spans=spans) and values.out_of_range(text):
        context.repairs.add("schema/date-range", node, detail=text, action="kept-raw")
        return None
    context.repairs.add("schema/date", node, detail=text, action="repaired" if fixed else "kept-raw")
    return fixed


def _listed(context: Context, node: etree._Element, given: str, listed: tuple[str, ...]) -> str | None:
    if given in listed:
        return given
    name = schema.local(node)
    if name == "MM7Version":
        context.repairs.add("version/listed" if given.strip() else "version/present", node, detail=given)
        return values.listed(given, listed)
    if not given.strip() and name == "MessageClass":
        return "Informational"  # the element default stands for it
    exact = values.listed(given, listed)
    if not given.strip():
        return _bad(context, node, given, "")
    if exact is None and name == "MMStatus":
        exact = values.mm_status(given, listed)
        if exact is not None:
            context.unparsed.append((name, given))
    wider = NAMESPACES[SUPERSET]
    if exact is None and context.namespace != SUPERSET and _listed_later(context, node, given):
        context.repairs.add(
            "schema/enumeration",
            node,
            detail=f"{given} is not in {context.profile.schema}, {wider.schema} has it",
            action="noted",
        )
        context.upgrade = True
        return given
    context.repairs.add("schema/enumeration", node, detail=given, action="repaired" if exact else "kept-raw")
    return exact


def _listed_later(context: Context, node: etree._Element, given: str) -> bool:
    kind = schema.model(SUPERSET).get(schema.local(schema.parent_of(node)))
    child = kind.child(schema.local(node)) if kind is not None else None
    return child is not None and given in child.type.values


def _address_form(context: Context, node: etree._Element, given: str) -> None:
    name = schema.local(node)
    number = given.strip().lstrip("+").replace("-", "").isdigit()
    odd = "/TYPE=" in given or (name == "RFC2822Address" and number) or (name == "Number" and "@" in given)
    if odd and "sem/address-plmn" not in context.repairs.counts:  # once: its sender writes all of them so
        context.repairs.add("sem/address-plmn", node, detail=given, action="noted")
