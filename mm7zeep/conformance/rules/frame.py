"""Rules for the XML of the envelope and the SOAP frame: what ``tolerance`` has no need to mend, but should be known."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import cast

from lxml import etree

from mm7zeep import namespaces
from mm7zeep.conformance.rules.subject import Rule, Subject
from mm7zeep.findings import Finding, finding

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# Vendors whose additions are published or met often; of others schema/unknown-element tells.
_VENDORS: Mapping[str, str] = MappingProxyType(
    {
        "CPID": "Korean gateways",
        "CallBack": "Korean gateways",
        "KisaOrigCode": "Korean gateways",
        "ResellerCode": "Korean gateways",
        "SenderVisibility": "Ericsson",
        "PreferredChannels": "Ericsson",
    }
)
_VENDOR_PREFIXES: Mapping[str, str] = MappingProxyType({"X-SKT": "SK Telecom", "X-Kmms": "Korean gateways"})


def _charset_missing(subject: Subject) -> Iterator[Finding]:
    # RFC 3023 3.1 took us-ascii where no charset was given; RFC 7303 3 looks into the document
    package = subject.package
    if package is None or package.root_content_type.get("charset") is not None or package.root.isascii():
        return
    labelled = package.root_content_type.media_type == "text/xml" and package.root_node.header("content-type")
    # Where bytes and declaration differ, xml/charset-agrees has said so.
    if labelled and not package.root.startswith(_MARKS) and not subject.reported("xml/charset-agrees"):
        offset = package.root_node.offset
        yield finding("xml/charset-missing", f"byte {offset}" if offset else "Content-Type")


def _relative_namespace(subject: Subject) -> Iterator[Finding]:
    tree, sketch = subject.judgement.tree, subject.judgement.sketch
    if tree is None:
        return
    # Of the envelope's own and the message's namespace soap/version-mismatch and ns/known have reported it.
    seen = {"", namespaces.as_sent(etree.QName(tree).namespace or ""), sketch.namespace or ""}
    for _, declared in etree.iterwalk(tree, events=("start-ns",)):
        _, uri = cast("tuple[str, str]", declared)
        named = namespaces.as_sent(uri)
        known = namespaces.profile_of(named) is not None or namespaces.is_soap(named)
        if named not in seen and not known and not (_SCHEME.match(named) and named == uri):
            yield finding("xml/relative-namespace", "/Envelope", detail=named)
        seen.add(named)


def _direction(subject: Subject) -> Iterator[Finding]:
    operation = subject.operation or ""
    answer = operation.endswith(("Rsp", "Fault"))
    if operation and (subject.is_request if answer else subject.is_response):
        came = "a request" if subject.is_request else "an answer"
        yield finding("soap/operation-direction", f"/Envelope/Body/{operation}", detail=f"{operation} in {came}")


def _newest(subject: Subject) -> Iterator[Finding]:
    """A version that is not listed is reported by version/listed."""
    profile, version = subject.profile, subject.judgement.sketch.mm7_version
    if profile is not None and version in profile.versions and version != profile.versions[-1]:
        where = f"/Envelope/Body/{subject.operation}/MM7Version"
        yield finding("version/newest", where, detail=f"{version}; {profile.schema} has {profile.versions[-1]}")


def _vendor(subject: Subject) -> Iterator[Finding]:
    """Takes the place of schema/unknown-element, which it makes more exact; under strict that is what refuses."""
    for one in subject.judgement.findings if subject.judgement.policy != "strict" else ():
        vendor = _vendor_of(one.detail) if one.id == "schema/unknown-element" else None
        if vendor is not None:
            more = finding("schema/vendor-extension", one.where, detail=f"{one.detail} of {vendor}")
            yield replace(more, action=one.action)


def _vendor_of(name: str) -> str | None:
    return _VENDORS.get(name) or next((who for start, who in _VENDOR_PREFIXES.items() if name.startswith(start)), None)


RULES = (
    Rule("xml/charset-missing", _charset_missing),
    Rule("xml/relative-namespace", _relative_namespace),
    Rule("soap/operation-direction", _direction),
    Rule("version/newest", _newest),
    Rule("schema/vendor-extension", _vendor),
)
