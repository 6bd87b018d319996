"""Role mmsc: the SOAP envelope, its header block and its XML (catalogue A4)."""

from __future__ import annotations

import re
from dataclasses import replace

from mm7zeep import messages as m
from mm7zeep.probe.accept import BAD_XML, FAULT, H4XX, MISSING, OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import carries
from mm7zeep.probe.replies import plain
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE

_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_SOAP_TYPO = "http://schemas.xmlsoap.org/soap/soap-envelope"
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_DECLARED = "<?xml version='1.0' encoding='UTF-8'?>"
_LETTERS = "Ångström"
_SIGNS = "&<\"'!#$%()*+,-./:;=?@[]^_`{|}~"
_DEPTH = 10_000

# --- prefixes ---------------------------------------------------------------------------------------------------------


def _other_prefixes(made: Stimulus, namespace: str) -> Stimulus:
    """The same envelope with SOAP as its default namespace and MM7 as a prefix."""
    declared, _, rest = made.envelope.partition("\n")
    rest = re.sub(r' xmlns(?::soap-env)?="[^"]*"', "", rest).replace(" soap-env:", " s:")
    rest = re.sub(r"<(/?)(?!soap-env:)(\w)", r"<\1MM7:\2", rest)
    bound = f'<Envelope xmlns="{SOAP_NAMESPACE}" xmlns:s="{SOAP_NAMESPACE}" xmlns:MM7="{namespace}"'
    rest = rest.replace("soap-env:", "").replace("<Envelope", bound, 1)
    return replace(made, envelope=f"{declared}\n{rest}")


@case(
    "soap/prefix-free", "MUST", "Namespaces in XML 3", "Prefixes may be any: SOAP as default namespace, MM7 as prefix."
)
def prefix_free(lab: Lab) -> None:
    lab.expect(lab.ask(_other_prefixes(lab.submit(), lab.profile.namespace)), OK)


@case("soap/encoding-style", "SHOULD", "SOAP 1.1 4.1.1; XSD", "encodingStyle on TransactionID does no harm.")
def encoding_style(lab: Lab) -> None:
    made = lab.submit().edit("<TransactionID ", f'<TransactionID soap-env:encodingStyle="{_ENCODING}" ')
    lab.expect(lab.ask(made), OK)


# --- TransactionID ----------------------------------------------------------------------------------------------------


@case("soap/txid-echo", "MUST", "8.7.1", "A TransactionID of 64 printable characters is echoed exactly.")
def txid_echo(lab: Lab) -> None:
    value = _SIGNS + lab.word() + "x" * 64
    value = value[:64]
    written = value.replace("&", "&amp;").replace("<", "&lt;")
    said = lab.must(lab.ask(lab.submit().transaction(written, value)), OK)
    lab.require(
        value in said.transaction_ids,
        "the TransactionID is not echoed exactly",
        expected=value,
        actual=", ".join(said.transaction_ids),
        shown=said,
    )


@case("soap/txid-whitespace", "SHOULD", "8.7.1; XSD", "A TransactionID between line breaks is accepted and echoed.")
def txid_whitespace(lab: Lab) -> None:
    made = lab.submit()
    said = lab.must(lab.ask(made.transaction(f"\n{made.transaction_id}\n", made.transaction_id)), OK)
    told = [one.strip() for one in said.transaction_ids]
    lab.require(made.transaction_id in told, "the TransactionID is not echoed", actual=", ".join(told), shown=said)


@case("soap/txid-missing", "MUST", "8.7.1", "A request without TransactionID is refused.")
def txid_missing(lab: Lab) -> None:
    lab.expect(lab.ask(replace(lab.submit().without("TransactionID"), transaction_id=None)), MISSING)


@case("soap/header-missing", "MUST", "8.7.1", "A request without a Header is refused.")
def header_missing(lab: Lab) -> None:
    lab.expect(lab.ask(replace(lab.submit().without("soap-env:Header"), transaction_id=None)), MISSING)


@case("soap/txid-empty", "SHOULD", "8.7.1", "An empty TransactionID is refused.")
def txid_empty(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().transaction("", None)), REF(4004, 2007))


@case(
    "soap/txid-repeated",
    "INFO",
    "8.7.1",
    "A second message under the TransactionID of another is accepted whole under its own MessageID, or refused.",
)
def txid_repeated(lab: Lab) -> None:
    first = lab.submit()
    name = first.transaction_id or ""
    taken = lab.must(lab.ask(first), OK, level="MUST")
    said = lab.ask(lab.submit().transaction(name, name))
    lab.any(said, OK, REF(2007, 4004))
    if said.accepted and said.message_id:
        lab.require(said.message_id != taken.message_id, "two messages have one MessageID", shown=said)


@case(
    "soap/txid-wrong-namespace",
    "INFO",
    "XSD",
    "A TransactionID in another MM7 namespace than the Body is echoed where the message is accepted.",
)
def txid_wrong_namespace(lab: Lab) -> None:
    made = lab.submit()
    other = next(one for one in NAMESPACES if one != lab.profile.namespace)
    said = lab.ask(
        made.edit(f'<TransactionID xmlns="{lab.profile.namespace}"', f'<TransactionID xmlns="{other}"').unread()
    )
    lab.any(said)
    lab.require(
        not said.accepted or made.transaction_id in said.transaction_ids,
        "accepted, and the TransactionID is not echoed",
        expected=made.transaction_id or "",
        actual=", ".join(said.transaction_ids) or "none",
        shown=said,
    )


# --- other header blocks ----------------------------------------------------------------------------------------------


def _block(attributes: str) -> str:
    return f'<p:block xmlns:p="urn:mm7zeep:probe" {attributes}/>'


@case(
    "soap/mu-unknown",
    "MUST",
    "SOAP 1.1 4.2.3, 4.4.1",
    "An unknown header block that has to be understood is answered by a MustUnderstand Fault.",
)
def mu_unknown(lab: Lab) -> None:
    made = lab.submit().header_block(_block('soap-env:mustUnderstand="1"'))
    lab.expect(lab.ask(made), FAULT("MustUnderstand"))


@case("soap/mu-unknown-zero", "MUST", "SOAP 1.1 4.2.3", 'An unknown header block with mustUnderstand="0" is ignored.')
def mu_unknown_zero(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().header_block(_block('soap-env:mustUnderstand="0"'))), OK)


@case("soap/mu-other-actor", "MUST", "SOAP 1.1 4.2.2", "A header block for another actor is ignored.")
def mu_other_actor(lab: Lab) -> None:
    block = _block('soap-env:mustUnderstand="1" soap-env:actor="urn:mm7zeep:other"')
    lab.expect(lab.ask(lab.submit().header_block(block)), OK)


@case("soap/deep", "SHOULD", "security", "A header block of 10,000 nested elements is answered in time.")
def deep(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().header_block("<x>" * _DEPTH + "</x>" * _DEPTH).unread()))


# --- Envelope and Body ------------------------------------------------------------------------------------------------


def _soap(lab: Lab, namespace: str) -> Stimulus:
    return lab.submit().edit(f'xmlns:soap-env="{SOAP_NAMESPACE}"', f'xmlns:soap-env="{namespace}"').unread()


@case("soap/envelope-12", "MUST", "SOAP 1.1 4.1.2", "A SOAP 1.2 envelope is answered by a VersionMismatch Fault.")
def envelope_12(lab: Lab) -> None:
    lab.expect(lab.ask(_soap(lab, _SOAP_12)), FAULT("VersionMismatch"))


@case(
    "soap/envelope-foreign",
    "SHOULD",
    "SOAP 1.1 4.1.2",
    "An envelope in the misspelt namespace of TS 23.140's example is refused by VersionMismatch, or accepted whole.",
)
def envelope_foreign(lab: Lab) -> None:
    lab.any(lab.ask(_soap(lab, _SOAP_TYPO)), FAULT("VersionMismatch"), OK)


@case("soap/body-missing", "MUST", "SOAP 1.1 4.1", "An envelope without a Body is refused.")
def body_missing(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().without("soap-env:Body").unread()), FAULT(), REF(4004))


@case("soap/body-empty", "MUST", "SOAP 1.1 4.3", "An envelope with an empty Body is refused.")
def body_empty(lab: Lab) -> None:
    made = replace(lab.submit().instead("soap-env:Body", "<soap-env:Body/>"), namespace=None, version=None)
    lab.expect(lab.ask(made), FAULT(), REF(4004, 4003))


@case(
    "soap/body-two",
    "SHOULD",
    "8.7.8.1 UNSURE",
    "Of two messages in one Body the first is accepted and no other, or all is refused.",
)
def body_two(lab: Lab) -> None:
    made, mark = lab.submit(), lab.word()
    second = made.element("SubmitReq").replace(made.mark, mark)
    lab.any(lab.ask(made.after("SubmitReq", second)), OK, REF(4004))
    if lab.bench.listener is not None:
        lab.no_call(lambda one: mark in one.subject, "the second message of the Body", level="MUST")


@case("soap/operation-unknown", "MUST", "8.7.6 UNSURE", "An operation that MM7 does not have is refused.")
def operation_unknown(lab: Lab) -> None:
    made = lab.submit()
    renamed = made.envelope.replace("SubmitReq", "xxxSubmitReq")
    lab.expect(lab.ask(replace(made, envelope=renamed, operation="xxxSubmitReq")), REF(4003, 4004))


@case("soap/operation-wrong-direction", "SHOULD", "8.7.2", "A DeliverReq, which an MMSC sends, is refused by it.")
def operation_wrong_direction(lab: Lab) -> None:
    lab.expect(lab.ask(lab.deliver()), REF(4003, 4004))


@case("soap/response-as-request", "SHOULD", "8.7", "A SubmitRsp that comes as a request is refused.")
def response_as_request(lab: Lab) -> None:
    made = lab.of(m.SubmitRsp(status=m.Status(1000), message_id=lab.word()))
    lab.expect(lab.ask(made), REF(4003, 4004), H(400))


# --- XML --------------------------------------------------------------------------------------------------------------


@case("soap/not-well-formed", "MUST", "SOAP 1.1 6.2", "An envelope that is no well-formed XML is refused.")
def not_well_formed(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().edit("</Recipients>", "").unread()), *BAD_XML)


def _typed(made: Stimulus, inside: str) -> Stimulus:
    """With a document type declaration, behind which the peer need not read."""
    return made.edit(_DECLARED, f"{_DECLARED}\n<!DOCTYPE soap-env:Envelope{inside}>").unread()


@case("soap/dtd", "SHOULD", "SOAP 1.1 3", "An envelope with a document type declaration is refused.")
def dtd(lab: Lab) -> None:
    lab.expect(lab.ask(_typed(lab.submit(), "")), FAULT(), REF(4004))


@case(
    "soap/entity-external",
    "MUST",
    "SOAP 1.1 3; security",
    "An external entity is neither fetched nor echoed, and its envelope is refused.",
    needs=("listen",),
)
def entity_external(lab: Lab) -> None:
    path, secret = lab.word(), lab.word()
    made = lab.submit().transaction("&mm7zeep;", None)
    made = _typed(made, f' [<!ENTITY mm7zeep SYSTEM "{lab.own_url(path)}">]')
    with lab.answering(lambda one: path.encode() in one.raw, plain(200, secret.encode(), "text/xml")):
        said = lab.ask(made)
    lab.expect(said, FAULT(), REF(4004, 2007))
    lab.require(secret.encode() not in said.answer.body, "the answer holds what the entity stands for", shown=said)
    lab.no_call(lambda one: path.encode() in one.raw, "a request for the external entity")


@case(
    "soap/entity-bomb",
    "MUST",
    "SOAP 1.1 3; security",
    "An entity that would grow to 10 GB is refused in time.",
)
def entity_bomb(lab: Lab) -> None:
    entities = '<!ENTITY a0 "aaaaaaaaaa">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    made = _typed(lab.submit().transaction("&a9;", None), f" [{entities}]")
    lab.expect(lab.ask(made), FAULT(), REF(4004, 2007), H4XX)
    lab.alive()


@case("soap/pi", "INFO", "SOAP 1.1 3", "An envelope with a processing instruction is accepted whole, or refused.")
def pi(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().before("Recipients", "<?probe now?>")))


# --- encodings --------------------------------------------------------------------------------------------------------


def _encoded(made: Stimulus, charset: str, declared: str, label: str) -> Stimulus:
    """The SOAP part in ``charset``, with what its XML declaration and its Content-Type say."""
    head = tuple(
        (name, f"text/xml; charset={label}" if name == "Content-Type" else value) for name, value in made.root_head
    )
    return replace(made.edit("encoding='UTF-8'", f"encoding='{declared}'"), charset=charset, root_head=head)


def _intact(lab: Lab, made: Stimulus, subject: str) -> None:
    """The subject of what comes back is this one, where something comes back."""
    if made.looped and lab.bench.listener is not None:
        came = lab.call(lambda one: one.operation == "DeliverReq" and carries(one, made), "MM7_deliver", level="MUST")
        lab.require(
            came.subject == subject, "another Subject arrived", expected=subject, actual=came.subject, shown=came
        )


def _encoding(name: str, clause: str, charset: str, label: str) -> Case:
    @case(f"soap/{name}", "SHOULD", clause, f"An envelope in {label} is accepted, and its Subject arrives intact.")
    def encoding(lab: Lab) -> None:
        mark = lab.word()
        subject = f"Probe {mark} {_LETTERS}"
        made = lab.submit(mark=mark, subject=subject)
        lab.must(lab.ask(_encoded(made, charset, label, label)), OK)
        _intact(lab, made, subject)

    return encoding


ENCODINGS = (
    _encoding("utf16", "XML 1.0 2.2", "utf-16", "utf-16"),
    _encoding("latin1", "XML 1.0 4.3.3", "iso-8859-1", "iso-8859-1"),
)


@case(
    "soap/charset-conflict",
    "INFO",
    "RFC 7303 8",
    "An envelope that is utf-8 by its Content-Type and iso-8859-1 by its declaration is accepted whole, or refused.",
)
def charset_conflict(lab: Lab) -> None:
    mark = lab.word()
    made = lab.submit(mark=mark, subject=f"Probe {mark} {_LETTERS}")
    lab.any(lab.ask(_encoded(made, "utf-8", "iso-8859-1", "utf-8")))


@case("soap/bom", "SHOULD", "XML 1.0 4.3.3, F", "An envelope in UTF-8 with a byte order mark is accepted.")
def bom(lab: Lab) -> None:
    lab.expect(lab.ask(_encoded(lab.submit(), "utf-8-sig", "UTF-8", "utf-8")), OK)
