"""Role vasp: what a VASP has to refuse, and what has to hold where it may do either (catalogue, suite B)."""

from __future__ import annotations

from dataclasses import replace

from mm7zeep.probe.accept import BAD_XML, CLOSED, FAULT, H4XX, MISSING, OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.deliver_package import picture_piece, presented, text_piece
from mm7zeep.probe.cases.families import either, refused
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.replies import plain
from mm7zeep.probe.stimulus import Stimulus, basic, request_line

_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_CANNOT_READ = (REF(2004, 2007, 4004), H(400))
_BLOCK = '<x:block xmlns:x="urn:x-mm7zeep" soap-env:mustUnderstand="1">x</x:block>'


def _cut(lab: Lab) -> Stimulus:
    """A body that ends inside its last part, and is as long as the head says."""
    made = presented(lab, lab.deliver())
    body = made.body()
    at = body.index(b"GIF89a") + 10
    return made.with_body(body[:at])


def _typo(lab: Lab) -> Stimulus:
    """An inner delimiter between two parts with a letter off."""
    made = presented(lab, lab.deliver(), "mixed")
    body = made.body()
    at = body.index(b"--mm7zeep-inner\r\nContent-Type: image/gif")
    return made.with_body(body[:at] + b"--mm7zeep-imner" + body[at + len(b"--mm7zeep-inner") :])


def _unclosed(lab: Lab) -> Stimulus:
    made = lab.deliver()
    return made.with_body(made.body().removesuffix(b"--mm7zeep-probe--\r\n"))


REFUSED = (
    refused(
        "deliver/txid-missing", "MUST", "8.7.2", "A message without TransactionID is refused.",
        lambda lab: lab.deliver().without("TransactionID").unread(), MISSING,
    ),
    refused(
        "deliver/sender-missing", "SHOULD", "XSD", "A message without Sender is refused.",
        lambda lab: lab.deliver().without("Sender"), REF(4004, 2007, 2002),
    ),
    refused(
        "deliver/cid-unresolved", "SHOULD", "SwA 3; RFC 2392",
        "A message whose Content names none of several parts is refused.",
        lambda lab: _dangling(lab), REF(2004, 2007, 4004),
    ),
    refused(
        "deliver/not-well-formed", "MUST", "SOAP 1.1 6.2", "An envelope that is no well-formed XML is refused.",
        lambda lab: lab.deliver().edit("</Sender>", "").unread(), *BAD_XML,
    ),
    refused(
        "deliver/mu-unknown", "MUST", "SOAP 1.1 4.2.3",
        "A header block that must be understood and is not is answered by a MustUnderstand fault.",
        lambda lab: lab.deliver().header_block(_BLOCK), FAULT("MustUnderstand"),
    ),
    refused(
        "deliver/envelope-12", "MUST", "SOAP 1.1 4.1.2", "An envelope of SOAP 1.2 is answered by VersionMismatch.",
        lambda lab: replace(lab.deliver(), envelope=lab.deliver().envelope.replace(_SOAP_11, _SOAP_12)).unread(),
        FAULT("VersionMismatch"),
    ),
    refused(
        "deliver/content-type-foreign", "SHOULD", "SOAP 1.1 6", "A request as application/json is refused.",
        lambda lab: lab.deliver().labelled("application/json").unread(), H(415, 400), REF(4004),
    ),
    refused(
        "deliver/get", "SHOULD", "RFC 9110 15.5.6", "GET on the callback is refused.",
        lambda lab: replace(
            lab.deliver(), line=request_line(lab.place, "GET"), raw=b"", content_type="", length="",
            transaction_id=None, namespace=None, mark="",
        ),
        H(405),
    ),
    refused(
        "callback/operation-unknown", "MUST", "8.7.6 UNSURE", "An operation that MM7 has not is refused.",
        lambda lab: _renamed(lab.deliver(), "xxxDeliverReq"), REF(4003, 4004),
    ),
    refused(
        "content/cut", "MUST", "RFC 9112 8; RFC 2046 5.1.1", "A body that ends inside its last part is refused.",
        _cut, *_CANNOT_READ,
    ),
    refused(
        "content/empty-href/empty", "SHOULD", "SwA 3", "Content with an empty href and two parts is refused.",
        lambda lab: _referring(lab, 'href=""'), REF(2004, 2007, 4004),
    ),
    refused(
        "content/empty-href/none", "SHOULD", "SwA 3; XSD", "Content without href and with two parts is refused.",
        lambda lab: _referring(lab, ""), REF(2004, 2007, 4004),
    ),
)  # fmt: skip


def _dangling(lab: Lab) -> Stimulus:
    made = lab.deliver()
    return made.carrying(text_piece(made.mark), picture_piece(made.mark), href="cid:nothing@mm7zeep").arriving()


def _referring(lab: Lab, attribute: str) -> Stimulus:
    made = lab.deliver()
    return made.carrying(text_piece(made.mark), picture_piece(made.mark)).arriving().edit(made.reference(), attribute)


def _renamed(made: Stimulus, name: str) -> Stimulus:
    return replace(made, envelope=made.envelope.replace("DeliverReq", name), operation=name)


EITHER = (
    either(
        "deliver/closing-missing", "SHOULD", "RFC 2046 5.1.1",
        "A body without its closing delimiter is taken whole, or refused.", _unclosed, *_CANNOT_READ,
    ),
    either(
        "deliver/version-missing", "SHOULD", "XSD", "A message without MM7Version is refused, or taken whole.",
        lambda lab: replace(lab.deliver().without("MM7Version"), version=None), MISSING,
    ),
    either(
        "deliver/version-unknown", "SHOULD", "UNSURE", "A message in version 9.9.9 is refused as such, or taken whole.",
        lambda lab: replace(
            lab.deliver().instead("MM7Version", "<MM7Version>9.9.9</MM7Version>"), version=None
        ),
        REF(4002, 4004),
    ),
    either(
        "content/delimiter-typo", "MUST", "RFC 2046 5.1.1",
        "A message with a misspelt inner delimiter is refused, or arrives with all its parts.", _typo, *_CANNOT_READ,
    ),
    either(
        "callback/wrong-direction", "INFO", "8.7",
        "A SubmitReq sent to a VASP is refused as an operation that it does not serve, or understood as a message.",
        lambda lab: lab.submit(), REF(4003, 4004), H4XX,
    ),
)  # fmt: skip


@case(
    "deliver/entity-external",
    "MUST",
    "SOAP 1.1 3; security",
    "An external entity is neither fetched nor repeated; a document type declaration is refused.",
    role="vasp",
    needs=("listen",),
)
def entity_external(lab: Lab) -> None:
    name, secret = lab.word(), lab.word()
    declared = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{lab.own_url(name)}">]>'
    made = lab.deliver()
    made = made.edit("<soap-env:Envelope ", f"{declared}<soap-env:Envelope ").instead(
        "Subject", "<Subject>&e;</Subject>"
    )
    with lab.answering(lambda one: name.encode() in one.raw, plain(200, secret.encode(), "text/xml")):
        said = lab.ask(made.unread())
    lab.expect(said, *BAD_XML, CLOSED)
    lab.require(secret.encode() not in said.answer.body, "the answer holds what the entity stands for", shown=said)
    lab.no_call(lambda one: name.encode() in one.raw, "a request for the external entity")
    lab.alive()


# --- credentials ------------------------------------------------------------------------------------------------------


def _credentials(id: str, requirement: str, value: str | None) -> Case:
    @case(f"callback/auth-basic/{id}", "SHOULD", "RFC 7617 2", requirement, role="vasp", needs=("authenticated",))
    def run(lab: Lab) -> None:
        made = lab.deliver()
        made = made.without_header("Authorization") if value is None else made.with_header("Authorization", value)
        said = lab.ask(made.unread())
        lab.must(said, H(401, 403), REF(4001, 4007))
        if said.answer.status == 401 and not said.answer.field("www-authenticate"):
            lab.require(False, "a 401 without WWW-Authenticate (RFC 9110 15.5.2)", level="SHOULD", shown=said)

    return run


CREDENTIALS = (
    _credentials("wrong", "A wrong password is refused with a challenge.", basic("mm7zeep-nobody", "wrong")),
    _credentials("missing", "A request without credentials is refused with a challenge.", None),
    _credentials("garbage", "Credentials that are no Base64 are refused.", "Basic %%%"),
)


@case(
    "callback/auth-basic/right",
    "SHOULD",
    "RFC 7617 2",
    "The right credentials are taken, whatever the case of the scheme's name.",
    role="vasp",
)
def right_credentials(lab: Lab) -> None:
    made, account = lab.deliver(), lab.settings.account
    if not account.username:
        lab.skip("no credentials are given ([account])")
    value = basic(account.username, account.password).replace("Basic", "basic")
    lab.expect(lab.ask(made.with_header("Authorization", value)), OK)
