"""An answer in kind: in the namespaces, version and prefix of the request that it answers.

Refuses nothing: a version that its namespace does not list is answered in one that it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import namespaces, profiles
from mm7zeep.exchange.wire import Received
from mm7zeep.profiles import Profile


def answer_profile(request: Received) -> Profile:
    """The profile to answer ``request`` in: its namespace as read, its version where that is listed, its prefix."""
    base = namespaces.profile_of(request.namespace) or request.profile
    version = request.mm7_version if request.mm7_version in base.versions else base.mm7_version
    prefix = request.dialect.prefix if request.dialect.prefix != soap.SOAP_PREFIX else None  # zeep's own for SOAP
    return replace(base, mm7_version=version or base.mm7_version, prefix=prefix)


def in_kind(tree: etree._Element, request: Received, profile: Profile) -> etree._Element:
    """The answer in the namespaces of the request, where its sender writes aliases (``https:`` for ``http:``)."""
    dialect = request.dialect
    names = {profiles.SOAP_NAMESPACE: dialect.soap_namespace}
    if dialect.namespace is not None and profile.namespace == answer_profile(request).namespace:
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
