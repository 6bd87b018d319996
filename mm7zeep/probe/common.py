"""The twenty assertions that every answer has to pass, whatever it answers; counted once each, over all cases.

Each looks at one exchange and says what is wrong with it, with the place. The clauses are those of the catalogue;
``UNSURE`` marks what TS 23.140 is only remembered to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml import etree

from mm7zeep import envelope, namespaces, profiles, schema, status
from mm7zeep.probe.reading import Said
from mm7zeep.probe.results import Level, Reason, Role
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.wire import Answer

_SOAP = f"{{{profiles.SOAP_NAMESPACE}}}"
_ERRORS = ("RSErrorRsp", "VASPErrorRsp")
_WORDS = ("VersionMismatch", "MustUnderstand", "Client", "Server")
_TO_MMSC = frozenset(envelope.element_name(one.request) for one in envelope.OPERATIONS if one.binding == "MmscBinding")
_TO_VASP = frozenset(envelope.element_name(one.request) for one in envelope.OPERATIONS if one.binding == "VaspBinding")
_LEAKS = re.compile(
    rb"Traceback \(most recent|\bat [\w$.]+\([\w$]+\.java:\d+\)|File \"[^\"\n]+\", line \d+|"
    rb"(?:^|[\s\"'>(])(?:/usr/|/home/|/opt/|/var/|/etc/|/srv/|/root/|[A-Z]:\\\\?(?:Users|inetpub|Program))|"
    rb"\bstack ?trace\b|java\.lang\.\w+(?:Exception|Error)|System\.\w+Exception|ORA-\d{5}|SQLSTATE|root:x:0:0",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, its answer and what it says; ``role`` is who answered, ``used`` are the TransactionIDs of all requests
    of the run, those that came later included.
    """

    role: Role
    stimulus: Stimulus
    answer: Answer
    said: Said
    used: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """One assertion; ``asks`` tells whether it can be asked of an exchange, ``check`` what is wrong there."""

    id: str
    level: Level
    clause: str
    requirement: str
    asks: Callable[[Exchange], bool]
    check: Callable[[Exchange], Iterator[Reason]]


def _whole(exchange: Exchange) -> bool:
    return exchange.answer.status is not None


def _mm7(exchange: Exchange) -> bool:
    return exchange.answer.complete and exchange.said.is_mm7


def _expects_xml(exchange: Exchange) -> bool:
    """An HTTP 200, or an answer that says it is XML: a plain HTTP refusal may have any body."""
    kind = (exchange.answer.field("content-type") or "").lower()
    is_xml = bool(re.match(r"(?:text|application)/(?:[\w.+-]+\+)?xml|multipart/related", kind))
    return exchange.answer.complete and (exchange.answer.status == 200 or (is_xml and bool(exchange.answer.body)))


def _faulty(exchange: Exchange) -> bool:
    return _mm7(exchange) and exchange.said.fault is not None


def _coded(exchange: Exchange) -> bool:
    return _mm7(exchange) and bool(exchange.said.all("StatusCode"))


def _echoes(exchange: Exchange) -> bool:
    return _mm7(exchange) and exchange.stimulus.transaction_id is not None


def _named(exchange: Exchange) -> bool:
    return _mm7(exchange) and exchange.stimulus.namespace is not None


def _at(exchange: Exchange, octets: str | bytes) -> int | None:
    """Where these octets stand in the answer."""
    sought = octets.encode() if isinstance(octets, str) else octets
    found = exchange.answer.raw.find(sought)
    return found if found >= 0 else None


def _broken(
    level: Level, text: str, exchange: Exchange, octets: str | bytes = b"", expected: str = "", actual: str = ""
) -> Reason:
    return Reason(
        level=level, text=text, expected=expected, actual=actual, offset=_at(exchange, octets) if octets else None
    )


# --- HTTP -------------------------------------------------------------------------------------------------------------


def _http_status(exchange: Exchange) -> Iterator[Reason]:
    wanted = 500 if exchange.said.fault is not None else 200
    got = exchange.answer.status
    if got != wanted:
        what = "a Fault" if wanted == 500 else f"a {exchange.said.operation or 'response'}"
        yield _broken("MUST", f"{what} comes with HTTP {got}", exchange, b"HTTP/", f"HTTP {wanted}", f"HTTP {got}")


def _content_type(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.answer.field("content-type")
    if said is None:
        yield _broken("MUST", "the answer has no Content-Type", exchange, expected="text/xml; charset=utf-8")
        return
    kind = said.partition(";")[0].strip().lower()
    if kind == "multipart/related":
        if not re.search(r";\s*type\s*=\s*\"?text/xml\"?\s*(?:;|$)", said, re.IGNORECASE):
            yield _broken("MUST", 'multipart/related without type="text/xml"', exchange, said, actual=said)
        return
    if kind != "text/xml":
        yield _broken("MUST", f"the answer is labelled {kind}", exchange, said, "text/xml", said)
    elif not re.search(r";\s*charset\s*=", said, re.IGNORECASE):
        yield _broken("SHOULD", "text/xml without a charset", exchange, said, "text/xml; charset=utf-8", said)


def _length(exchange: Exchange) -> Iterator[Reason]:
    answer = exchange.answer
    for fault in answer.faults:
        yield _broken("MUST", f"the framing of the answer is wrong: {fault}", exchange)
    if answer.ended == "cut":
        yield _broken(
            "MUST", f"the answer ends after {len(answer.body)} octets of its body, before it should", exchange
        )


def _leak(exchange: Exchange) -> Iterator[Reason]:
    found = _LEAKS.search(exchange.answer.body)
    if found is not None and found[0].strip(b" \"'>(") not in exchange.stimulus.body():
        shown = found[0].decode("latin-1").strip()[:60]
        yield _broken("SHOULD", f"the answer tells of the server's inside: {shown!r}", exchange, found[0], actual=shown)


# --- XML and SOAP -----------------------------------------------------------------------------------------------------


def _well_formed(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said
    if not exchange.answer.body:
        yield _broken("MUST", f"HTTP {exchange.answer.status} with an empty body", exchange, expected="an envelope")
        return
    if said.tree is None:
        yield _broken("MUST", f"the body is no well-formed XML: {said.trouble}", exchange, exchange.answer.body[:40])
        return
    if said.tree.getroottree().docinfo.doctype:
        yield _broken("MUST", "the envelope has a document type declaration", exchange, b"<!DOCTYPE")
    if any(isinstance(one, etree._ProcessingInstruction) for one in _nodes(said.tree)):
        yield _broken("MUST", "the envelope has a processing instruction", exchange, actual="<?...?>")


def _nodes(tree: etree._Element) -> Iterator[object]:
    """Every node of the document, those before and behind the root included."""
    yield from tree.iter()
    yield from tree.itersiblings(preceding=True)
    yield from tree.itersiblings()


def _envelope(exchange: Exchange) -> Iterator[Reason]:
    tree = exchange.said.tree
    if tree is None:
        return
    if tree.tag != f"{_SOAP}Envelope":
        yield _broken(
            "MUST", f"the root is {_shown(tree)}", exchange, expected="Envelope of SOAP 1.1", actual=_shown(tree)
        )
        return
    children = [one for one in tree if isinstance(one.tag, str)]
    bodies = [one for one in children if one.tag == f"{_SOAP}Body"]
    if len(bodies) != 1:
        yield _broken("MUST", f"the Envelope has {len(bodies)} Body elements", exchange, expected="one")
    headers = [place for place, one in enumerate(children) if one.tag == f"{_SOAP}Header"]
    if headers not in ([], [0]):
        yield _broken("MUST", "the Header is not the one first child of the Envelope", exchange)
    if children and children[0].tag not in (f"{_SOAP}Header", f"{_SOAP}Body"):
        yield _broken("MUST", f"the Envelope begins with {_shown(children[0])}", exchange, expected="Header or Body")


def _shown(element: etree._Element) -> str:
    name = etree.QName(element)
    return f"{name.localname} in {name.namespace or 'no namespace'}"


def _schema(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said
    named = namespaces.bundled(exchange.stimulus.namespace) if exchange.stimulus.namespace else None
    judged = namespaces.bundled(_used(said)) or named
    if judged is None or said.tree is None or said.tree.tag != f"{_SOAP}Envelope":
        return
    for one in schema.violations(said.tree, judged):
        if one.where == "/Envelope/Header/TransactionID" and exchange.stimulus.transaction_id in said.transaction_ids:
            continue  # 8.7.1 wants it back even where it is no NMTOKEN
        if one.where.endswith("/Fault/faultcode"):
            continue  # answer/fault-code says it better
        yield _broken(
            "MUST", f"not valid in {judged.rpartition('/')[2]}: {one.where}: {one.reason}", exchange,
            "<" + one.where.rpartition("/")[2].partition("[")[0], expected="valid by the schema", actual=one.reason,
        )  # fmt: skip


# --- MM7 --------------------------------------------------------------------------------------------------------------


def _transaction_id(exchange: Exchange) -> Iterator[Reason]:
    wanted, got = exchange.stimulus.transaction_id, exchange.said.transaction_ids
    if not got:
        yield _broken("MUST", "the answer has no TransactionID", exchange, expected=str(wanted), actual="none")
    elif wanted is not None and all(one.strip() != wanted.strip() for one in got) and not _foreign_ids(exchange):
        yield _broken("MUST", "the answer has another TransactionID", exchange, "TransactionID", wanted, ", ".join(got))
    elif len(got) > 1:
        yield _broken("MUST", f"the answer has {len(got)} TransactionIDs", exchange, "TransactionID", str(wanted))


def _foreign_ids(exchange: Exchange) -> list[str]:
    wanted = exchange.stimulus.transaction_id
    return [one for one in exchange.said.transaction_ids if one != wanted and one in exchange.used]


def _foreign(exchange: Exchange) -> Iterator[Reason]:
    for one in _foreign_ids(exchange):
        yield _broken(
            "MUST", "the answer has the TransactionID of another request", exchange, one,
            exchange.stimulus.transaction_id or "", one,
        )  # fmt: skip


def _transaction_mu(exchange: Exchange) -> Iterator[Reason]:
    for one in exchange.said.all("TransactionID"):
        found = namespaces.profile_of(schema.namespace_of(one))
        if found is not None and found.transaction_attributes and one.get(f"{_SOAP}mustUnderstand") != "1":
            yield _broken("SHOULD", 'TransactionID has no mustUnderstand="1"', exchange, "TransactionID")


def _operation(exchange: Exchange) -> Iterator[Reason]:
    asked, got = exchange.stimulus.operation, exchange.said.operation
    if asked not in _TO_MMSC | _TO_VASP or exchange.said.fault is not None or got in (*_ERRORS, None):
        return
    wanted = asked.removesuffix("Req") + "Rsp"
    if got != wanted:
        yield _broken("MUST", f"a {asked} is answered by {got}", exchange, f"{got}", wanted, str(got))


def _used(said: Said) -> str | None:
    """The MM7 namespace that an answer is in, as it writes it."""
    used = (schema.namespace_of(one) for one in said.elements)
    return next((one for one in used if one and namespaces.bundled(one)), None)


def _namespace(exchange: Exchange) -> Iterator[Reason]:
    wanted, got = exchange.stimulus.namespace, _used(exchange.said)
    if got is None or wanted is None:
        return
    if namespaces.bundled(got) != namespaces.bundled(wanted):
        yield _broken(
            "SHOULD", f"the answer is in {got.rpartition('/')[2]}, the request in {wanted.rpartition('/')[2]}",
            exchange, got, wanted, got,
        )  # fmt: skip


def _version(exchange: Exchange) -> Iterator[Reason]:
    got = exchange.said.text("MM7Version")
    profile = namespaces.profile_of(exchange.stimulus.namespace)
    if got is None or profile is None or namespaces.bundled(_used(exchange.said)) != profile.namespace:
        return  # answer/namespace tells of another one
    asked = exchange.stimulus.version
    if asked in profile.versions and got != asked:
        yield _broken("SHOULD", f"MM7Version {got} answers {asked}", exchange, "MM7Version", str(asked), got)
    elif got not in profile.versions:
        yield _broken(
            "SHOULD", f"MM7Version {got} is none of {profile.schema}", exchange, "MM7Version",
            ", ".join(profile.versions), got,
        )  # fmt: skip


# --- Faults and Status ------------------------------------------------------------------------------------------------


def _fault_place(exchange: Exchange) -> Iterator[Reason]:
    faults = exchange.said.all("Fault")
    if len(faults) > 1:
        yield _broken("MUST", f"there are {len(faults)} Faults", exchange, "Fault", "one")
    for one in faults[:1]:
        parent = one.getparent()
        if one.tag != f"{_SOAP}Fault":
            yield _broken("MUST", f"the Fault is {_shown(one)}", exchange, "Fault", "Fault of SOAP 1.1")
        if parent is None or schema.local(parent) != "Body":
            yield _broken("MUST", "the Fault is no child of the Body", exchange, "Fault")
        elif len([child for child in parent if isinstance(child.tag, str)]) != 1:
            yield _broken("MUST", "the Fault is not alone in the Body", exchange, "Fault")


def _fault_children(exchange: Exchange) -> Iterator[Reason]:
    fault = exchange.said.fault
    if fault is None:
        return
    names = [one.tag for one in fault if isinstance(one.tag, str)]
    for name in ("faultcode", "faultstring"):
        if name not in names:
            odd = any(schema.local(one) == name for one in fault if isinstance(one.tag, str))
            text = f"{name} is qualified by a namespace" if odd else f"the Fault has no {name}"
            yield _broken("MUST", text, exchange, "Fault", f"{name}, unqualified")
    of_body = exchange.said.faultcode.partition(".")[0] not in ("VersionMismatch", "MustUnderstand")
    if of_body and "detail" not in names:
        odd = any(schema.local(one) == "detail" for one in fault if isinstance(one.tag, str))
        text = "detail is qualified by a namespace" if odd else "the Fault has no detail, though it is about the Body"
        yield _broken("MUST", text, exchange, "Fault", "detail")


def _fault_code(exchange: Exchange) -> Iterator[Reason]:
    found = next(iter(exchange.said.all("faultcode")), None)
    if found is None:
        return
    said = (found.text or "").strip()
    prefix, colon, name = said.rpartition(":")
    if not colon and None not in found.nsmap:
        yield _broken("MUST", f"faultcode {said!r} has no prefix", exchange, "faultcode", "a QName of SOAP 1.1", said)
        return
    bound = found.nsmap.get(prefix or None)
    if bound is None:
        yield _broken("MUST", f"the prefix of faultcode {said!r} is not bound", exchange, "faultcode", actual=said)
    elif bound != profiles.SOAP_NAMESPACE:
        yield _broken(
            "MUST", f"faultcode {said!r} is in {bound}", exchange, "faultcode", profiles.SOAP_NAMESPACE, bound
        )
    elif name.partition(".")[0] not in _WORDS:
        yield _broken("MUST", f"faultcode {said!r} is none of SOAP 1.1", exchange, "faultcode", ", ".join(_WORDS), said)


def _fault_detail(exchange: Exchange) -> Iterator[Reason]:
    detail = next(iter(exchange.said.all("detail")), None)
    if detail is None:
        return
    wanted = "VASPErrorRsp" if exchange.role == "vasp" else "RSErrorRsp"
    inside = {schema.local(one): one for one in detail.iter() if isinstance(one.tag, str)}
    if wanted not in inside:
        other = next((one for one in _ERRORS if one in inside), None)
        yield _broken("SHOULD", f"detail holds {other or 'no error element'}", exchange, "detail", wanted, other or "")
        return
    for name in ("MM7Version", "Status"):
        if name not in inside:
            yield _broken("SHOULD", f"{wanted} has no {name}", exchange, wanted, name)


def _fault_class(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said
    word = said.faultcode.partition(".")[0]
    if said.status is None or word not in ("Client", "Server"):
        return
    wanted = "Client" if said.status // 1000 == 2 else "Server"
    if word != wanted:
        yield _broken("INFO", f"faultcode {word} goes with {said.status}", exchange, "faultcode", wanted, word)


def _status_known(exchange: Exchange) -> Iterator[Reason]:
    for one in exchange.said.all("StatusCode"):
        said = (one.text or "").strip()
        code = int(said) if re.fullmatch(r"\d{1,9}", said) else None
        if code is None or not (status.known(code) or (1000 <= code <= 4999 and code % 1000 >= 500)):
            yield _broken(
                "SHOULD", f"StatusCode {said!r} is neither in the table nor x500 to x999", exchange, "StatusCode",
                actual=said,
            )  # fmt: skip


def _status_text(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said.text("StatusText")
    if said is None:
        yield _broken("MUST", "StatusText is missing", exchange, "StatusCode", "StatusText")
        return
    code = exchange.said.status
    row = status.STATUS_CODES.get(code) if code is not None else None
    if row is not None and said.strip().lower() != row.text.lower():
        yield _broken("INFO", f"StatusText {said!r} with {code}", exchange, "StatusText", row.text, said)


_MM7_INSIDE = "8.7.1-8.7.5"

COMMON: tuple[Common, ...] = (
    Common(id="answer/http-status", level="MUST", clause="SOAP 1.1 6.2", asks=_mm7, check=_http_status,
           requirement="A response comes with HTTP 200, a Fault with HTTP 500."),
    Common(id="answer/content-type", level="MUST", clause="SOAP 1.1 6; RFC 7303", asks=_mm7, check=_content_type,
           requirement="An answer is text/xml with a charset, or multipart/related with a text/xml root."),
    Common(id="answer/length", level="MUST", clause="RFC 9112 6", asks=_whole, check=_length,
           requirement="An answer is as long as its framing says."),
    Common(id="answer/well-formed", level="MUST", clause="SOAP 1.1 3", asks=_expects_xml, check=_well_formed,
           requirement="An answer is well-formed XML without document type declaration and processing instruction."),
    Common(id="answer/envelope", level="MUST", clause="SOAP 1.1 4", asks=_expects_xml, check=_envelope,
           requirement="An answer is a SOAP 1.1 Envelope with an optional Header first and one Body."),
    Common(id="answer/schema", level="MUST", clause="XSD", asks=_mm7, check=_schema,
           requirement="An answer is valid by the schema of its namespace."),
    Common(id="answer/transaction-id", level="MUST", clause=_MM7_INSIDE, asks=_echoes, check=_transaction_id,
           requirement="An answer carries the TransactionID of its request, once."),
    Common(id="answer/transaction-mu", level="SHOULD", clause="8.7.8.1 UNSURE", asks=_mm7, check=_transaction_mu,
           requirement="TransactionID carries mustUnderstand=\"1\" where its namespace has it."),
    Common(id="answer/operation", level="MUST", clause=_MM7_INSIDE, asks=_mm7, check=_operation,
           requirement="A response belongs to the request."),
    Common(id="answer/namespace", level="SHOULD", clause="UNSURE", asks=_named, check=_namespace,
           requirement="An answer is in the MM7 namespace of its request."),
    Common(id="answer/version", level="SHOULD", clause="XSD", asks=_named, check=_version,
           requirement="MM7Version is one of the namespace, and that of the request if it is."),
    Common(id="answer/fault-place", level="MUST", clause="SOAP 1.1 4.4", asks=_faulty, check=_fault_place,
           requirement="A Fault is the one child of the Body."),
    Common(id="answer/fault-children", level="MUST", clause="SOAP 1.1 4.4", asks=_faulty, check=_fault_children,
           requirement="A Fault has faultcode and faultstring, unqualified, and detail where the Body was at fault."),
    Common(id="answer/fault-code", level="MUST", clause="SOAP 1.1 4.4.1", asks=_faulty, check=_fault_code,
           requirement="faultcode is a QName of SOAP 1.1 with a bound prefix."),
    Common(id="answer/fault-detail", level="SHOULD", clause="8.7.6 UNSURE", asks=_faulty, check=_fault_detail,
           requirement="detail holds RSErrorRsp (of an MMSC) or VASPErrorRsp (of a VASP) with MM7Version and Status."),
    Common(id="answer/fault-class", level="INFO", clause="UNSURE", asks=_faulty, check=_fault_class,
           requirement="A code of class 2 goes with Client, one of class 3 or 4 with Server."),
    Common(id="answer/status-known", level="SHOULD", clause="8.7.8.3 UNSURE", asks=_coded, check=_status_known,
           requirement="StatusCode is one of the table, or x500 to x999."),
    Common(id="answer/status-text", level="MUST", clause="XSD", asks=_coded, check=_status_text,
           requirement="StatusText is there."),
    Common(id="answer/leak", level="SHOULD", clause="practice", asks=_whole, check=_leak,
           requirement="An answer tells nothing of the server's files, code and entities."),
    Common(id="answer/foreign", level="MUST", clause=_MM7_INSIDE, asks=_echoes, check=_foreign,
           requirement="An answer never carries the TransactionID of another request."),
)  # fmt: skip
"""The common assertions, in the order of the catalogue."""
