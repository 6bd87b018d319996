"""What others make of the vectors: the standard library, h11, xmlschema, libxml2, zeep, node-soap.

Each witness has a question of its own (is this HTTP? is this a package, and what is in it? is this envelope valid?);
a vector is right or wrong *to that question* by its statement, and the witness agrees or does not. None of them shares
code with our reader. ``python tests/vector_witnesses.py [FOLDER]`` prints the matrix; FOLDER holds node-soap.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from email import message_from_bytes
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import h11
import node_soap
import xmlschema
import zeep
from lxml import etree
from mutation_check import within
from schema_oracle import libxml2
from vector_policies import is_wrong

from mm7zeep import schema
from mm7zeep.findings import KINDS
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE
from mm7zeep.vectors.catalogue import AREAS, Vector, vectors
from mm7zeep.vectors.statements import Statement, stated

AGREES, ACCEPTS, REFUSES, SILENT = "agrees", "accepts though wrong", "refuses though right", "does not judge"
OUTCOMES = (AGREES, ACCEPTS, REFUSES, SILENT)

_BODY, _HEADER, _FAULT = (f"{{{SOAP_NAMESPACE}}}{name}" for name in ("Body", "Header", "Fault"))
ENDLESS = "does not end"
_PATIENCE = 1  # seconds for one envelope
_ENVELOPE = ("xml", "soap", "ns", "version", "schema")


class Seen(NamedTuple):
    """What a witness says of one vector: whether it takes it, and why not."""

    accepts: bool
    reason: str = ""


class Witness(NamedTuple):
    """One witness: its name and version, what it is asked, when a vector is wrong to that question, and what it says.

    It says nothing of what it cannot be shown.
    """

    name: str
    version: str
    asked: str
    wrong: Callable[[Statement], bool]
    look: Callable[[Vector, Statement], Seen | None]


@cache
def statements() -> dict[str, Statement]:
    """Every statement, by the id of its vector."""
    return {id: one for area in AREAS for id, one in stated(area).items()}


# --- HTTP: h11 --------------------------------------------------------------------------------------------------------


class Http(NamedTuple):
    """A message as h11 reads it: header fields in small letters, and the body without its chunks."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first of that name, or nothing."""
        return next((value for key, value in self.headers if key == name), "")


@cache
def http(vector: Vector) -> Http | str:
    """The message, or why h11 refuses it."""
    server = vector.is_request
    connection = h11.Connection(h11.SERVER if server else h11.CLIENT)
    try:
        if not server:
            connection.send(h11.Request(method="POST", target="/", headers=[("Host", "x"), ("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
        connection.receive_data(vector.octets)
        connection.receive_data(b"")
        head, body = None, b""
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.Request | h11.Response):
                head = event
            else:
                return f"no message, but {event!r}"
    except h11.RemoteProtocolError as error:
        return str(error)
    if head is None:
        return "no head"
    if connection.trailing_data[0]:
        return f"{len(connection.trailing_data[0])} octets too many"
    return Http(tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers), body)


def _of_h11(vector: Vector, statement: Statement) -> Seen:
    read = http(vector)
    return Seen(False, read) if isinstance(read, str) else Seen(True)


def _not_http(statement: Statement) -> bool:
    """By RFC 9112, which is all that a reader of HTTP alone can go by; where a body is refused as cut, it was whole."""
    return any(
        one.level == "MUST" and KINDS[one.id].clause.startswith("RFC 9112") and one.action != "refused"
        for one in statement.findings
    )


# --- the package: email -----------------------------------------------------------------------------------------------


@cache
def package(vector: Vector) -> Message | None:
    """The body as ``email`` reads it; None where the HTTP message cannot be read, or names no type."""
    read = http(vector)
    if isinstance(read, str) or not read.header("content-type"):
        return None
    head = f"Content-Type: {read.header('content-type')}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1")
    return message_from_bytes(head + read.body)


def _leaves(found: Message) -> list[Message]:
    return [one for one in found.walk() if not one.is_multipart()]


def _content_id(one: Message) -> str | None:
    value = one["Content-ID"]
    return None if value is None else str(value).strip().removeprefix("<").removesuffix(">")


def root(vector: Vector) -> bytes | None:
    """The SOAP part by RFC 2387: the one that start names, or the first; None where there is none to be found."""
    found = package(vector)
    if found is None:
        return None
    if not found.is_multipart():
        read = http(vector)
        return None if isinstance(read, str) else read.body
    inside = [one for one in found.get_payload() if isinstance(one, Message)]
    start = str(found.get_param("start", "")).strip().removeprefix("<").removesuffix(">")
    chosen = next((one for one in inside if _content_id(one) == start), inside[0])
    data = None if chosen.is_multipart() else chosen.get_payload(decode=True)
    return data if isinstance(data, bytes) else None


def digests(vector: Vector) -> list[tuple[str, str | None, str]] | None:
    """Media type, Content-ID and SHA-256 of each leaf besides the SOAP part; None where there is no multipart."""
    found, soap = package(vector), root(vector)
    if found is None or not found.is_multipart() or soap is None:
        return None
    rows = []
    for one in _leaves(found):
        data = one.get_payload(decode=True)
        assert isinstance(data, bytes)
        rows.append((one.get_content_type(), _content_id(one), hashlib.sha256(data).hexdigest()))
    rows.remove(next(row for row in rows if row[2] == hashlib.sha256(soap).hexdigest()))
    return rows


def _of_email(vector: Vector, statement: Statement) -> Seen | None:
    found = package(vector)
    if found is None or found.get_content_maintype() != "multipart":
        return None
    defects = [type(defect).__name__ for one in found.walk() for defect in one.defects]
    if defects:
        return Seen(False, ", ".join(sorted(set(defects))))
    if statement.parts is not None:
        wanted = [(one["content_type"], one["content_id"], one["sha256"]) for one in statement.parts]
        if digests(vector) != wanted:
            return Seen(False, "other parts")
    return Seen(True)


# --- the envelope: xmlschema, libxml2, zeep, node-soap ----------------------------------------------------------------


_UNSEEN = {"http/content-type-matches-body", "http/empty-body", "http/response-body"}


def _has_envelope(statement: Statement) -> bool:
    """Whether there is an envelope to be asked about: the package is right, and there is a body."""
    return not is_wrong(statement, "mime") and not any(one.id in _UNSEEN for one in statement.findings)


def _tree(data: bytes) -> etree._Element | str:
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        return str(error)


def operation(tree: etree._Element) -> etree._Element | None:
    """The MM7 element: the first in the Body, or in the detail of a Fault."""
    body = tree.find(_BODY)
    found = next((one for one in body.iterchildren("*")), None) if body is not None else None
    if found is not None and found.tag == _FAULT:
        return next((one for one in found.iterfind("detail/*")), None)
    return found


def _schema_of(tree: etree._Element) -> str | None:
    element = operation(tree)
    named = etree.QName(element).namespace if element is not None else None
    return named.removeprefix(NAMESPACE_PREFIX) if named in NAMESPACES else None


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="mm7-")


@cache
def folder() -> Path:
    """A folder with the WSDL and the schemas of each namespace, as others are given them; removed at the end."""
    place = Path(_temporary().name)
    for one in NAMESPACES.values():
        base = schema.wsdl_location(one.namespace).removesuffix("mm7.wsdl")
        inside = place / one.schema
        inside.mkdir()
        for name in ("mm7.wsdl", f"{one.schema}.xsd", "soap-envelope.xsd"):
            inside.joinpath(name).write_bytes(schema.load(base + name))
        imports = "".join(
            f'<xsd:import namespace="{uri}" schemaLocation="{name}"/>'
            for uri, name in ((SOAP_NAMESPACE, "soap-envelope.xsd"), (one.namespace, f"{one.schema}.xsd"))
        )
        inside.joinpath("both.xsd").write_text(
            f'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">{imports}</xsd:schema>', encoding="utf-8"
        )
    return place


@cache
def _xmlschema(name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(folder() / name / "both.xsd"))


@cache
def _zeep(name: str) -> zeep.Client:
    return zeep.Client(str(folder() / name / "mm7.wsdl"))


def _of_schema(valid: Callable[[str, bytes], str]) -> Callable[[Vector, Statement], Seen | None]:
    """A witness of the envelope: it takes what parses, is of a namespace that is known, and is ``valid``.

    A Fault that names no error of MM7 is no business of an MM7 schema.
    """

    def look(vector: Vector, statement: Statement) -> Seen | None:
        data = root(vector)
        if data is None or not _has_envelope(statement):
            return None
        tree = _tree(data)
        if isinstance(tree, str):
            return Seen(False, tree)
        name = _schema_of(tree)
        if name is None:
            return None if tree.find(f"{_BODY}/{_FAULT}") is not None else Seen(False, "no MM7 namespace that is known")
        reason = valid(name, data)
        return Seen(not reason, reason)

    return look


def _by_xmlschema(name: str, data: bytes) -> str:
    try:
        error = next(_xmlschema(name).iter_errors(io.BytesIO(data)), None)
    except (xmlschema.XMLSchemaException, ElementTree.ParseError, ValueError) as raised:  # as for an unknown xsi:type
        return str(raised)
    return "" if error is None else str(error.reason)


def _by_libxml2(name: str, data: bytes) -> str:
    judge = libxml2(name)
    return "" if judge.validate(etree.fromstring(data)) else str(judge.error_log[0].message)


def _by_zeep(name: str, data: bytes) -> str:
    client = _zeep(name)
    try:
        within(_PATIENCE, lambda: _read_by_zeep(client, data))
    except TimeoutError:  # what a list of lists does not know, it reads for ever
        return ENDLESS
    except (zeep.exceptions.Error, LookupError, ValueError, TypeError) as error:
        return str(error) or type(error).__name__
    return ""


def _read_by_zeep(client: zeep.Client, data: bytes) -> None:
    element = operation(zeep.loader.parse_xml(data, None, settings=zeep.Settings()))
    if element is None:
        raise ValueError("no element in the Body")
    client.get_element(element.tag).parse(element, client.wsdl.types)


def wrong_envelope(statement: Statement) -> bool:
    """Whether anything is wrong with the envelope, from its XML to the values in it."""
    return is_wrong(statement, *_ENVELOPE)


def of_node(place: Path) -> Witness:
    """node-soap, in the folder ``place``, which is asked once for all."""
    shown: dict[str, dict[str, str]] = {}
    for vector in vectors():
        read, statement = http(vector), statements()[vector.id]
        if isinstance(read, str):
            continue
        fields = statement.fields or {}
        named = fields.get("namespace")
        namespace = named if named in NAMESPACES else NAMESPACE_PREFIX + "REL-6-MM7-1-4"
        body = base64.b64encode(read.body).decode()
        kind = read.header("content-type")
        shown[vector.id] = {"id": vector.id, "namespace": namespace, "content_type": kind, "body": body}
    wsdls = {one.namespace: folder() / one.schema / "mm7.wsdl" for one in NAMESPACES.values()}
    said = node_soap.read(place, wsdls, shown.values())

    def look(vector: Vector, statement: Statement) -> Seen | None:
        if vector.id not in said or not _has_envelope(statement):
            return None
        answer = said[vector.id]
        if "reason" in answer:
            return Seen(False, answer["reason"])
        fields = statement.fields or {}
        wanted = fields.get("operation"), fields.get("transaction_id")
        got = answer["operation"], answer.get("transaction")
        if statement.fields is not None and got != wanted:
            return Seen(False, f"read as {got[0]} of {got[1]!r}")
        return Seen(True)

    package_json = json.loads(place.joinpath("node_modules", "soap", "package.json").read_text(encoding="utf-8"))
    return Witness("node-soap", package_json["version"], "envelope", wrong_envelope, look)


HTTP_AND_MIME = (
    Witness("h11", h11.__version__, "HTTP", _not_http, _of_h11),
    Witness("email", "Python {}.{}".format(*sys.version_info), "package", lambda one: is_wrong(one, "mime"), _of_email),
)
"""Those that cost nothing."""
ENVELOPES = (
    Witness("xmlschema", xmlschema.__version__, "envelope", wrong_envelope, _of_schema(_by_xmlschema)),
    Witness("libxml2", ".".join(map(str, etree.LIBXML_VERSION)), "envelope", wrong_envelope, _of_schema(_by_libxml2)),
    Witness("zeep", zeep.__version__, "envelope", wrong_envelope, _of_schema(_by_zeep)),
)
"""Those that build schemas first."""


class Judged(NamedTuple):
    """What became of one vector before one witness."""

    outcome: str
    reason: str


def judge(witness: Witness) -> dict[str, Judged]:
    """What ``witness`` says of every vector, against its statement."""
    found = {}
    for vector in vectors():
        statement = statements()[vector.id]
        seen, wrong = witness.look(vector, statement), witness.wrong(statement)
        if seen is None:
            found[vector.id] = Judged(SILENT, "")
        elif seen.accepts == wrong:
            found[vector.id] = Judged(ACCEPTS if wrong else REFUSES, seen.reason)
        else:
            found[vector.id] = Judged(AGREES, seen.reason)
    return found


def row(witness: Witness, judged: Mapping[str, Judged]) -> str:
    """One row of the matrix, as the documentation has it."""
    counts = Counter(one.outcome for one in judged.values())
    return (
        " | ".join([f"| {witness.name}", witness.version, witness.asked, *(str(counts[one]) for one in OUTCOMES)])
        + " |"
    )


HEADING = f"| Witness | Version | Asked about | {' | '.join(OUTCOMES)} |\n|---|---|---|{'---|' * len(OUTCOMES)}"


# --- the fields, by the standard library ------------------------------------------------------------------------------


def _local(one: ElementTree.Element) -> str:
    return str(one.tag).rpartition("}")[2]


def _below(parent: ElementTree.Element | None, name: str) -> ElementTree.Element | None:
    return next((one for one in parent if _local(one) == name), None) if parent is not None else None


def _text(parent: ElementTree.Element | None, name: str) -> str | None:
    found = _below(parent, name)
    return (found.text or None) if found is not None else None


def _addresses(holder: ElementTree.Element | None) -> list[dict[str, Any]]:
    return [
        {"kind": _local(one), "value": one.text, "display_only": one.get("displayOnly") in ("true", "1")}
        for one in (holder if holder is not None else ())
    ]


def fields(vector: Vector) -> dict[str, Any]:
    """What ElementTree reads of a right message: those fields that are there. Raises ``ValueError`` for no envelope."""
    data = root(vector)
    if data is None:
        raise ValueError(f"{vector.id}: no SOAP part")
    tree = ElementTree.fromstring(data)
    body, header = tree.find(_BODY), tree.find(_HEADER)
    assert body is not None
    element, fault = body[0], None
    if _local(element) == "Fault":
        fault = (element.findtext("faultcode") or "").rpartition(":")[2]
        detail = element.find("detail")
        element = detail[0] if detail is not None and len(detail) else element
    who, status = _below(element, "SenderIdentification"), _below(element, "Status")
    lists = _below(element, "Recipients")
    recipients = [
        {"list": _local(one).lower(), **address}
        for one in (lists if lists is not None else ())
        for address in _addresses(one)
    ]
    recipients.sort(key=lambda one: ("to", "cc", "bcc").index(one["list"]))
    sender = _below(element, "Sender") if _below(element, "Sender") is not None else _below(who, "SenderAddress")
    senders = _addresses(sender)
    if not senders and sender is not None:  # before REL-5-MM7-1-2 it is a text, of no kind that is told
        senders = [{"kind": None, "value": sender.text, "display_only": False}]
    code, content = _text(status, "StatusCode"), _below(element, "Content")
    held = {
        "operation": _local(element),
        "namespace": None if element.tag == _FAULT else str(element.tag)[1:].partition("}")[0],
        "mm7_version": _text(element, "MM7Version"),
        "transaction_id": _text(header, "TransactionID"),
        "message_id": _text(element, "MessageID"),
        "linked_id": _text(element, "LinkedID"),
        "vaspid": _text(who, "VASPID") or _text(element, "VASPID"),
        "vasid": _text(who, "VASID") or _text(element, "VASID"),
        "service_code": _text(element, "ServiceCode"),
        "subject": _text(element, "Subject"),
        "priority": _text(element, "Priority"),
        "mm_status": _text(element, "MMStatus"),
        "status_code": int(code) if code else None,
        "status_text": _text(element, "StatusText") or _text(status, "StatusText"),
        "fault_code": fault,
        "sender": senders[0] if senders else None,
        "recipients": [{"list": "recipient", **one} for one in _addresses(_below(element, "Recipient"))] or recipients,
        "content_href": content.get("href") if content is not None else None,
    }
    return {name: value for name, value in held.items() if value not in (None, [])}


def is_comparable(vector: Vector) -> bool:
    """Whether the standard library can read of it what is stated: right to strict, nothing mended, opened by h11."""
    statement = statements()[vector.id]
    if statement.verdicts["strict"] == "reject" or is_wrong(statement, "mime", *_ENVELOPE):
        return False
    as_sent = all(one.action not in ("repaired", "kept-raw") for one in statement.findings)
    return as_sent and root(vector) is not None


def comparable() -> int:
    """How many vectors that are."""
    return sum(map(is_comparable, vectors()))


def main(*words: str) -> int:
    """Print the matrix, and each vector on which a witness and its statement differ if ``-v`` is among ``words``."""
    place = next((word for word in words if word != "-v"), os.environ.get(node_soap.FOLDER))
    asked: Iterable[Witness] = (*HTTP_AND_MIME, *ENVELOPES, *((of_node(Path(place)),) if place else ()))
    lines, details = [HEADING], []
    for witness in asked:
        judged = judge(witness)
        lines.append(row(witness, judged))
        details += [
            f"{witness.name}: {one.outcome}: {id}: {one.reason}"
            for id, one in judged.items()
            if one.outcome in (ACCEPTS, REFUSES)
        ]
    sys.stdout.write("\n".join([*lines, *(details if "-v" in words else ())]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
