"""The common assertions about what an answer says: whose answer it is, its namespace, its Fault and its Status."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mm7zeep import envelope, namespaces, profiles, schema, status
from mm7zeep.probe.assertion import (
    SOAP,
    Common,
    Exchange,
    broken,
    echoes,
    has_code,
    is_faulty,
    is_mm7,
    names_namespace,
    shown,
    used,
)
from mm7zeep.probe.results import Reason

_ERRORS = ("RSErrorRsp", "VASPErrorRsp")
_WORDS = ("VersionMismatch", "MustUnderstand", "Client", "Server")
_TO_MMSC = frozenset(envelope.element_name(one.request) for one in envelope.OPERATIONS if one.binding == "MmscBinding")
_TO_VASP = frozenset(envelope.element_name(one.request) for one in envelope.OPERATIONS if one.binding == "VaspBinding")


# --- MM7 --------------------------------------------------------------------------------------------------------------


def _transaction_id(exchange: Exchange) -> Iterator[Reason]:
    wanted, got = exchange.stimulus.transaction_id, exchange.said.transaction_ids
    if not got:
        yield broken("MUST", "the answer has no TransactionID", exchange, expected=str(wanted), actual="none")
    elif wanted is not None and all(one.strip() != wanted.strip() for one in got) and not _foreign_ids(exchange):
        yield broken("MUST", "the answer has another TransactionID", exchange, "TransactionID", wanted, ", ".join(got))
    elif len(got) > 1:
        yield broken("MUST", f"the answer has {len(got)} TransactionIDs", exchange, "TransactionID", str(wanted))


def _foreign_ids(exchange: Exchange) -> list[str]:
    wanted = exchange.stimulus.transaction_id
    return [one for one in exchange.said.transaction_ids if one != wanted and one in exchange.used]


def _foreign(exchange: Exchange) -> Iterator[Reason]:
    for one in _foreign_ids(exchange):
        yield broken(
            "MUST", "the answer has the TransactionID of another request", exchange, one,
            exchange.stimulus.transaction_id or "", one,
        )  # fmt: skip


def _transaction_mu(exchange: Exchange) -> Iterator[Reason]:
    for one in exchange.said.all("TransactionID"):
        found = namespaces.profile_of(schema.namespace_of(one))
        if found is not None and found.transaction_attributes and one.get(f"{SOAP}mustUnderstand") != "1":
            yield broken("SHOULD", 'TransactionID has no mustUnderstand="1"', exchange, "TransactionID")


def _operation(exchange: Exchange) -> Iterator[Reason]:
    asked, got = exchange.stimulus.operation, exchange.said.operation
    if asked not in _TO_MMSC | _TO_VASP or exchange.said.fault is not None or got in (*_ERRORS, None):
        return
    wanted = asked.removesuffix("Req") + "Rsp"
    if got != wanted:
        yield broken("MUST", f"a {asked} is answered by {got}", exchange, f"{got}", wanted, str(got))


def _namespace(exchange: Exchange) -> Iterator[Reason]:
    wanted, got = exchange.stimulus.namespace, used(exchange.said)
    if got is None or wanted is None:
        return
    if namespaces.bundled(got) != namespaces.bundled(wanted):
        yield broken(
            "SHOULD", f"the answer is in {got.rpartition('/')[2]}, the request in {wanted.rpartition('/')[2]}",
            exchange, got, wanted, got,
        )  # fmt: skip


def _version(exchange: Exchange) -> Iterator[Reason]:
    got = exchange.said.text("MM7Version")
    profile = namespaces.profile_of(exchange.stimulus.namespace)
    if got is None or profile is None or namespaces.bundled(used(exchange.said)) != profile.namespace:
        return  # answer/namespace tells of another one
    asked = exchange.stimulus.version
    if asked in profile.versions and got != asked:
        yield broken("SHOULD", f"MM7Version {got} answers {asked}", exchange, "MM7Version", str(asked), got)
    elif got not in profile.versions:
        yield broken(
            "SHOULD", f"MM7Version {got} is none of {profile.schema}", exchange, "MM7Version",
            ", ".join(profile.versions), got,
        )  # fmt: skip


# --- Faults and Status ------------------------------------------------------------------------------------------------


def _fault_place(exchange: Exchange) -> Iterator[Reason]:
    faults = exchange.said.all("Fault")
    if len(faults) > 1:
        yield broken("MUST", f"there are {len(faults)} Faults", exchange, "Fault", "one")
    for one in faults[:1]:
        parent = one.getparent()
        if one.tag != f"{SOAP}Fault":
            yield broken("MUST", f"the Fault is {shown(one)}", exchange, "Fault", "Fault of SOAP 1.1")
        if parent is None or schema.local(parent) != "Body":
            yield broken("MUST", "the Fault is no child of the Body", exchange, "Fault")
        elif len([child for child in parent if isinstance(child.tag, str)]) != 1:
            yield broken("MUST", "the Fault is not alone in the Body", exchange, "Fault")


def _fault_children(exchange: Exchange) -> Iterator[Reason]:
    fault = exchange.said.fault
    if fault is None:
        return
    names = [one.tag for one in fault if isinstance(one.tag, str)]
    for name in ("faultcode", "faultstring"):
        if name not in names:
            odd = any(schema.local(one) == name for one in fault if isinstance(one.tag, str))
            text = f"{name} is qualified by a namespace" if odd else f"the Fault has no {name}"
            yield broken("MUST", text, exchange, "Fault", f"{name}, unqualified")
    of_body = exchange.said.faultcode.partition(".")[0] not in ("VersionMismatch", "MustUnderstand")
    if of_body and "detail" not in names:
        odd = any(schema.local(one) == "detail" for one in fault if isinstance(one.tag, str))
        text = "detail is qualified by a namespace" if odd else "the Fault has no detail, though it is about the Body"
        yield broken("MUST", text, exchange, "Fault", "detail")


def _fault_code(exchange: Exchange) -> Iterator[Reason]:
    found = next(iter(exchange.said.all("faultcode")), None)
    if found is None:
        return
    said = (found.text or "").strip()
    prefix, colon, name = said.rpartition(":")
    if not colon and None not in found.nsmap:
        yield broken("MUST", f"faultcode {said!r} has no prefix", exchange, "faultcode", "a QName of SOAP 1.1", said)
        return
    bound = found.nsmap.get(prefix or None)
    if bound is None:
        yield broken("MUST", f"the prefix of faultcode {said!r} is not bound", exchange, "faultcode", actual=said)
    elif bound != profiles.SOAP_NAMESPACE:
        yield broken("MUST", f"faultcode {said!r} is in {bound}", exchange, "faultcode", profiles.SOAP_NAMESPACE, bound)
    elif name.partition(".")[0] not in _WORDS:
        yield broken("MUST", f"faultcode {said!r} is none of SOAP 1.1", exchange, "faultcode", ", ".join(_WORDS), said)


def _fault_detail(exchange: Exchange) -> Iterator[Reason]:
    detail = next(iter(exchange.said.all("detail")), None)
    if detail is None:
        return
    wanted = "VASPErrorRsp" if exchange.role == "vasp" else "RSErrorRsp"
    inside = {schema.local(one): one for one in detail.iter() if isinstance(one.tag, str)}
    if wanted not in inside:
        other = next((one for one in _ERRORS if one in inside), None)
        yield broken("SHOULD", f"detail holds {other or 'no error element'}", exchange, "detail", wanted, other or "")
        return
    for name in ("MM7Version", "Status"):
        if name not in inside:
            yield broken("SHOULD", f"{wanted} has no {name}", exchange, wanted, name)


def _fault_class(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said
    word = said.faultcode.partition(".")[0]
    if said.status is None or word not in ("Client", "Server"):
        return
    wanted = "Client" if said.status // 1000 == 2 else "Server"
    if word != wanted:
        yield broken("INFO", f"faultcode {word} goes with {said.status}", exchange, "faultcode", wanted, word)


def _status_known(exchange: Exchange) -> Iterator[Reason]:
    for one in exchange.said.all("StatusCode"):
        said = (one.text or "").strip()
        code = int(said) if re.fullmatch(r"\d{1,9}", said) else None
        if code is None or not (status.known(code) or (1000 <= code <= 4999 and code % 1000 >= 500)):
            yield broken(
                "SHOULD", f"StatusCode {said!r} is neither in the table nor x500 to x999", exchange, "StatusCode",
                actual=said,
            )  # fmt: skip


def _status_text(exchange: Exchange) -> Iterator[Reason]:
    said = exchange.said.text("StatusText")
    if said is None:
        yield broken("MUST", "StatusText is missing", exchange, "StatusCode", "StatusText")
        return
    code = exchange.said.status
    row = status.STATUS_CODES.get(code) if code is not None else None
    if row is not None and said.strip().lower() != row.text.lower():
        yield broken("INFO", f"StatusText {said!r} with {code}", exchange, "StatusText", row.text, said)


_MM7_INSIDE = "TS 23.140 8.7.1-8.7.5"

CONTENT: tuple[Common, ...] = (
    Common(id="answer/transaction-id", level="MUST", clause=_MM7_INSIDE, asks=echoes, check=_transaction_id,
           requirement="An answer carries the TransactionID of its request, once."),
    Common(id="answer/transaction-mu", level="SHOULD", clause="TS 23.140 8.7.8.1 UNSURE", asks=is_mm7,
           check=_transaction_mu, requirement="TransactionID carries mustUnderstand=\"1\" where its namespace has it."),
    Common(id="answer/operation", level="MUST", clause=_MM7_INSIDE, asks=is_mm7, check=_operation,
           requirement="A response belongs to the request."),
    Common(id="answer/namespace", level="SHOULD", clause="UNSURE", asks=names_namespace, check=_namespace,
           requirement="An answer is in the MM7 namespace of its request."),
    Common(id="answer/version", level="SHOULD", clause="XSD", asks=names_namespace, check=_version,
           requirement="MM7Version is one of the namespace, and that of the request if it is."),
    Common(id="answer/fault-place", level="MUST", clause="SOAP 1.1 4.4", asks=is_faulty, check=_fault_place,
           requirement="A Fault is the one child of the Body."),
    Common(id="answer/fault-children", level="MUST", clause="SOAP 1.1 4.4", asks=is_faulty, check=_fault_children,
           requirement="A Fault has faultcode and faultstring, unqualified, and detail where the Body was at fault."),
    Common(id="answer/fault-code", level="MUST", clause="SOAP 1.1 4.4.1", asks=is_faulty, check=_fault_code,
           requirement="faultcode is a QName of SOAP 1.1 with a bound prefix."),
    Common(id="answer/fault-detail", level="SHOULD", clause="TS 23.140 8.7.6 UNSURE", asks=is_faulty,
           check=_fault_detail,
           requirement="detail holds RSErrorRsp (of an MMSC) or VASPErrorRsp (of a VASP) with MM7Version and Status."),
    Common(id="answer/fault-class", level="INFO", clause="UNSURE", asks=is_faulty, check=_fault_class,
           requirement="A code of class 2 goes with Client, one of class 3 or 4 with Server."),
    Common(id="answer/status-known", level="SHOULD", clause="TS 23.140 8.7.8.3 UNSURE", asks=has_code,
           check=_status_known, requirement="StatusCode is one of the table, or x500 to x999."),
    Common(id="answer/status-text", level="MUST", clause="XSD", asks=has_code, check=_status_text,
           requirement="StatusText is there."),
)  # fmt: skip
"""The assertions about its MM7, Fault and Status, in the order of the catalogue."""

FOREIGN = Common(id="answer/foreign", level="MUST", clause=_MM7_INSIDE, asks=echoes, check=_foreign,
           requirement="An answer never carries the TransactionID of another request.")  # fmt: skip
