"""The common assertions about the form of an answer: its HTTP, its XML, its SOAP envelope."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from mm7zeep import namespaces, schema
from mm7zeep.probe.assertion import SOAP, Common, Exchange, broken, expects_xml, is_mm7, shown, used, whole
from mm7zeep.probe.results import Reason
from mm7zeep.probe.wire import MAX_ANSWER

_LEAKS = re.compile(
    rb"Traceback \(most recent|\bat [\w$.]+\([\w$]+\.java:\d+\)|File \"[^\"\n]+\", line \d+|"
    rb"(?:^|[\s\"'>(])(?:/usr/|/home/|/opt/|/var/|/etc/|/srv/|/root/|[A-Z]:\\\\?(?:Users|inetpub|Program))|"
    rb"\bstack ?trace\b|java\.lang\.\w+(?:Exception|Error)|System\.\w+Exception|ORA-\d{5}|SQLSTATE|root:x:0:0",
    re.IGNORECASE,
)


# --- HTTP -------------------------------------------------------------------------------------------------------------


def _http_status(exchange: Exchange) -> Iterator[Reason]:
    wanted = 500 if exchange.said.fault is not None else 200
    got = exchange.answer.status
    if got != wanted:
        what = "a Fault" if wanted == 500 else f"a {exchange.said.operation or 'response'}"
        yield broken("MUST", f"{what} comes with HTTP {got}", exchange, b"HTTP/", f"HTTP {wanted}", f"HTTP {got}")


def _content_type(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.answer.field("content-type")
    if said is None:
        yield broken("MUST", "the answer has no Content-Type", exchange, expected="text/xml; charset=utf-8")
        return
    kind = said.partition(";")[0].strip().lower()
    if kind == "multipart/related":
        if not re.search(r";\s*type\s*=\s*\"?text/xml\"?\s*(?:;|$)", said, re.IGNORECASE):
            yield broken("MUST", 'multipart/related without type="text/xml"', exchange, said, actual=said)
        return
    if kind != "text/xml":
        yield broken("MUST", f"the answer is labelled {kind}", exchange, said, "text/xml", said)
    elif not re.search(r";\s*charset\s*=", said, re.IGNORECASE):
        yield broken("SHOULD", "text/xml without a charset", exchange, said, "text/xml; charset=utf-8", said)


def _length(exchange: Exchange) -> Iterator[Reason]:
    answer = exchange.answer
    for fault in answer.faults:
        yield broken("MUST", f"the framing of the answer is wrong: {fault}", exchange)
    if answer.ended == "cut":
        yield broken("MUST", f"the answer ends after {len(answer.body)} octets of its body, before it should", exchange)
    if answer.ended == "large":
        yield broken("MUST", f"the answer is larger than {MAX_ANSWER:,} octets", exchange)


def _leak(exchange: Exchange) -> Iterator[Reason]:
    found = _LEAKS.search(exchange.answer.body)
    if found is not None and found[0].strip(b" \"'>(") not in exchange.stimulus.body():
        piece = found[0].decode("latin-1").strip()[:60]
        yield broken("SHOULD", f"the answer tells of the server's inside: {piece!r}", exchange, found[0], actual=piece)


# --- XML and SOAP -----------------------------------------------------------------------------------------------------


def _well_formed(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said
    if not exchange.answer.body:
        yield broken("MUST", f"HTTP {exchange.answer.status} with an empty body", exchange, expected="an envelope")
        return
    if said.tree is None:
        yield broken("MUST", f"the body is no well-formed XML: {said.trouble}", exchange, exchange.answer.body[:40])
        return
    if said.tree.getroottree().docinfo.doctype:
        yield broken("MUST", "the envelope has a document type declaration", exchange, b"<!DOCTYPE")
    if any(isinstance(one, etree._ProcessingInstruction) for one in _nodes(said.tree)):
        yield broken("MUST", "the envelope has a processing instruction", exchange, actual="<?...?>")


def _nodes(tree: etree._Element) -> Iterator[object]:
    """Every node of the document, those before and behind the root included."""
    yield from tree.iter()
    yield from tree.itersiblings(preceding=True)
    yield from tree.itersiblings()


def _envelope(exchange: Exchange) -> Iterator[Reason]:
    tree = exchange.said.tree
    if tree is None:
        return
    if tree.tag != f"{SOAP}Envelope":
        yield broken(
            "MUST", f"the root is {shown(tree)}", exchange, expected="Envelope of SOAP 1.1", actual=shown(tree)
        )
        return
    children = [one for one in tree if isinstance(one.tag, str)]
    bodies = [one for one in children if one.tag == f"{SOAP}Body"]
    if len(bodies) != 1:
        yield broken("MUST", f"the Envelope has {len(bodies)} Body elements", exchange, expected="one")
    headers = [place for place, one in enumerate(children) if one.tag == f"{SOAP}Header"]
    if headers not in ([], [0]):
        yield broken("MUST", "the Header is not the one first child of the Envelope", exchange)
    if children and children[0].tag not in (f"{SOAP}Header", f"{SOAP}Body"):
        yield broken("MUST", f"the Envelope begins with {shown(children[0])}", exchange, expected="Header or Body")


def _schema(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said
    named = namespaces.bundled(exchange.stimulus.namespace) if exchange.stimulus.namespace else None
    judged = namespaces.bundled(used(said)) or named
    if judged is None or said.tree is None or said.tree.tag != f"{SOAP}Envelope":
        return
    for one in schema.violations(said.tree, judged):
        if one.where == "/Envelope/Header/TransactionID" and exchange.stimulus.transaction_id in said.transaction_ids:
            continue  # 8.7.1 wants it back even where it is no NMTOKEN
        if one.where.endswith("/Fault/faultcode"):
            continue  # answer/fault-code says it better
        yield broken(
            "MUST", f"not valid in {judged.rpartition('/')[2]}: {one.where}: {one.reason}", exchange,
            "<" + one.where.rpartition("/")[2].partition("[")[0], expected="valid by the schema", actual=one.reason,
        )  # fmt: skip


FORM: tuple[Common, ...] = (
    Common(id="answer/http-status", level="MUST", clause="SOAP 1.1 6.2", asks=is_mm7, check=_http_status,
           requirement="A response comes with HTTP 200, a Fault with HTTP 500."),
    Common(id="answer/content-type", level="MUST", clause="SOAP 1.1 6; RFC 7303", asks=is_mm7, check=_content_type,
           requirement="An answer is text/xml with a charset, or multipart/related with a text/xml root."),
    Common(id="answer/length", level="MUST", clause="RFC 9112 6", asks=whole, check=_length,
           requirement="An answer is as long as its framing says."),
    Common(id="answer/well-formed", level="MUST", clause="SOAP 1.1 3", asks=expects_xml, check=_well_formed,
           requirement="An answer is well-formed XML without document type declaration and processing instruction."),
    Common(id="answer/envelope", level="MUST", clause="SOAP 1.1 4", asks=expects_xml, check=_envelope,
           requirement="An answer is a SOAP 1.1 Envelope with an optional Header first and one Body."),
    Common(id="answer/schema", level="MUST", clause="XSD", asks=is_mm7, check=_schema,
           requirement="An answer is valid by the schema of its namespace."),
)  # fmt: skip
"""The assertions about its HTTP, XML and envelope, in the order of the catalogue."""

LEAK = Common(id="answer/leak", level="SHOULD", clause="practice", asks=whole, check=_leak,
           requirement="An answer tells nothing of the server's files, code and entities.")  # fmt: skip
