"""What one pass over a message keeps: the extensions, the raw values, and whether a later release is needed.

Takes out of the mended tree what no schema has a place for; never without keeping it. Refuses more of that than a
message can have by mistake.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import LimitError
from mm7zeep.messages import Extension
from mm7zeep.profiles import NAMESPACES, REL_6_MM7_1_4
from mm7zeep.tolerance import soap

SUPERSET = REL_6_MM7_1_4.namespace  # the release that has everything the earlier ones have, under its names
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ADDRESS_NAMES = schema.ADDRESS_NAMES
MOST_EXTENSIONS = 1000
PLACEHOLDER_DATE = "1970-01-01T00:00:00Z"  # stands for a mandatory date that cannot be read; the message then has None

# one element under two names, by release (5/1-0 -> 5/1-1, 5/1-3 -> 5/1-4, 6/1-0 -> 6/1-1)
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "Date": "TimeStamp",
        "TimeStamp": "Date",
        "DistributionProtection": "DistributionIndicator",
        "DistributionIndicator": "DistributionProtection",
        "Detail": "Details",
    }
)


class TooMany(Exception):
    """Ends a pass that has met more than it will look at; the refusal is noted already."""


class Context:
    """One pass over the message with the model of one namespace: what it has met, and what it does with what it must
    take out of the mended tree.
    """

    def __init__(self, repairs: soap.Repairs, namespace: str) -> None:
        self.repairs = repairs
        self.namespace = namespace
        self.own = f"{{{namespace}}}"
        self.profile = NAMESPACES[namespace]
        self.extensions: list[Extension] = []
        self.unparsed: list[tuple[str, str]] = []
        self.details: str | None = None
        self.upgrade = False
        self.unread: list[str] = []  # what only the second pass, with a later release, can look into
        self.refused: set[tuple[str, str]] = set()  # (holder, name) of the mandatory elements that were refused already

    def later(self, node: etree._Element) -> None:
        """Leave ``node`` to the second pass."""
        self.upgrade = True
        self.unread.append(schema.path(node))

    def unknown(self, child: etree._Element, index: int) -> None:
        """Take out what no release knows, as an extension."""
        self.repairs.add("schema/unknown-element", child, detail=schema.local(child), action="kept-raw")
        nested = next((one for one in child if schema.local(one) == "SenderAddress"), None)
        if nested is not None and schema.local(child) == "Sender":
            self.repairs.add("schema/address-name", nested, detail="SenderAddress inside Sender", action="noted")
        self.extension(child, index)
        schema.parent_of(child).remove(child)

    def extension(self, child: etree._Element, index: int) -> None:
        """Keep ``child``, which stands at ``index``, with all that is in it."""
        if len(self.extensions) >= MOST_EXTENSIONS:
            raise self.too_many("unknown elements", child)
        parent = schema.parent_of(child)
        xml = _as_sent(child)
        self.extensions.append(Extension(parent=schema.local(parent), index=index, name=schema.local(child), xml=xml))

    def drop(self, node: etree._Element, keep: str | None = None) -> None:
        """Take an unreadable optional element out of the mended tree."""
        parent = schema.parent_of(node)
        if keep is not None:
            self.extension(node, parent.index(node))
        parent.remove(node)

    def too_many(self, what: str, where: etree._Element) -> TooMany:
        """Refuse the message; raise what this gives."""
        self.repairs.refuse(
            f"more than {MOST_EXTENSIONS} {what}", "xml/limit", where, detail=what, status=2007, kind=LimitError
        )
        return TooMany()

    def mandatory(self, node: etree._Element) -> bool:
        """Whether the schema wants ``node`` where it stands."""
        holder = schema.local(schema.parent_of(node))
        kind = schema.model(self.namespace).get(holder)
        child = kind.child(schema.local(node)) if kind is not None else None
        return child.min > 0 if child is not None else schema.local(node) == "StatusCode"


def _as_sent(element: etree._Element) -> str:
    """The XML of ``element`` with the namespaces that it uses, in names or in values such as ``xsi:type``."""
    alone = copy.deepcopy(element)
    text = etree.tostring(alone, encoding="unicode", with_tail=False)
    used = set(re.findall(r"[\"'>\s]([\w.\-]+):", text)) & {prefix for prefix in alone.nsmap if prefix}
    etree.cleanup_namespaces(alone, keep_ns_prefixes=list(used))
    return etree.tostring(alone, encoding="unicode", with_tail=False)
