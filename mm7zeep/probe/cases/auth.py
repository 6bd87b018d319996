"""Role mmsc: credentials and who may say that he is whom (catalogue A2 and its additions)."""

from __future__ import annotations

from dataclasses import replace

from mm7zeep.messages import Number, ShortCode
from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab, written
from mm7zeep.probe.results import Level
from mm7zeep.probe.settings import Account
from mm7zeep.probe.stimulus import Stimulus, basic

_DENIED = (H(401, 403), REF(4001, 4007))
_NOT_YOURS = (REF(4001, 4007, 2001), H(401, 403))


def _with(lab: Lab, value: str | None) -> Stimulus:
    """A submit with these credentials (None: with none), of which the peer need not say that it read it."""
    account = replace(lab.settings.account, username=lab.settings.account.username or "mm7zeep")
    made = replace(lab.submit(account=account).unread(), looped=False)
    return made.without_header("Authorization") if value is None else made.with_header("Authorization", value)


def _denied(id: str, level: Level, clause: str, requirement: str, value: str | None, *statuses: int) -> Case:
    """A case of credentials that may not be taken."""

    @case(f"auth/{id}", level, clause, requirement, needs=("authenticated",))
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(_with(lab, value)), *((H(*statuses), REF(4001, 4007)) if statuses else _DENIED))

    return run


DENIED = (
    _denied("none", "MUST", "RFC 9110 11.6.1; 8.7 UNSURE", "A request without credentials is refused.", None),
    _denied(
        "basic-wrong", "MUST", "RFC 7617 2", "A request with a wrong password is refused.", basic("mm7zeep-x", "wrong")
    ),
    _denied(
        "basic-garbage", "MUST", "RFC 7617 2", "Credentials that are no Base64 are refused.", "Basic %%%", 400, 401
    ),
    _denied("unknown-scheme", "SHOULD", "RFC 9110 11", "A scheme that nobody knows is refused.", "Foo x", 401, 400),
)


@case(
    "auth/basic-wrong/password",
    "MUST",
    "RFC 7617 2",
    "The account's name with another password is refused.",
    needs=("authenticated",),
)
def wrong_password(lab: Lab) -> None:
    account = lab.settings.account
    lab.expect(lab.ask(_with(lab, basic(account.username, account.password + "x"))), *_DENIED)


@case("auth/basic-good", "MUST", "RFC 7617 2", "The right credentials are taken.")
def good(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit()), OK)


@case(
    "auth/scheme-case",
    "MUST",
    "RFC 9110 11.1",
    "The scheme's name is understood in lower case.",
    needs=("authenticated",),
)
def scheme_case(lab: Lab) -> None:
    account = lab.settings.account
    value = basic(account.username, account.password).replace("Basic", "basic")
    lab.expect(lab.ask(lab.submit().with_header("Authorization", value)), OK)


@case(
    "auth/basic-utf8",
    "INFO",
    "RFC 7617 2.1",
    "A user name with letters beyond ASCII, in UTF-8, is refused like any other that is unknown.",
    needs=("authenticated",),
)
def utf8(lab: Lab) -> None:
    lab.any(lab.ask(_with(lab, basic("\u00e4rte-\u4f60", "\u00fc"))), *_DENIED, H(400))


@case(
    "auth/challenge-form",
    "MUST",
    "RFC 7617 2",
    "A 401 has a challenge with a realm, and a complete body.",
    needs=("authenticated",),
)
def challenge(lab: Lab) -> None:
    said = lab.must(lab.ask(_with(lab, None)), *_DENIED)
    if said.answer.status != 401:
        lab.note(f"refused otherwise than by 401: {said.summary}", said)
        return
    value = said.answer.field("www-authenticate") or ""
    lab.require("realm=" in value.lower(), "a 401 without a challenge that names a realm", actual=value, shown=said)
    lab.require(said.answer.complete, "the 401 is not complete", shown=said)


# --- VASPID and VASID -------------------------------------------------------------------------------------------------


def _as(lab: Lab, **fields: str) -> Stimulus:
    """A submit under the account's credentials that says it is somebody else."""
    made = lab.submit(account=replace(lab.settings.account, **fields))
    return replace(made, looped=False)


@case("auth/vaspid-unknown", "SHOULD", "8.7.1", "A VASPID that is not provisioned is refused.")
def vaspid_unknown(lab: Lab) -> None:
    lab.expect(lab.ask(_as(lab, vaspid="mm7zeep-nobody")), *_NOT_YOURS)


@case("auth/vasid-unknown", "SHOULD", "8.7.1", "A VASID that is not provisioned is refused, or taken as a label.")
def vasid_unknown(lab: Lab) -> None:
    lab.any(lab.ask(_as(lab, vasid="mm7zeep-nothing")), OK, *_NOT_YOURS)


@case("auth/vaspid-other", "SHOULD", "8.7.1", "The VASPID of another account is refused.", needs=("second",))
def vaspid_other(lab: Lab) -> None:
    other = lab.settings.second or Account()
    lab.expect(lab.ask(_as(lab, vaspid=other.vaspid)), *_NOT_YOURS)


@case(
    "auth/identification-empty",
    "INFO",
    "XSD",
    "An empty SenderIdentification is taken for the account's own, or refused.",
)
def identification_empty(lab: Lab) -> None:
    made = lab.submit().instead("SenderIdentification", "<SenderIdentification/>")
    lab.any(lab.ask(made), OK, REF(4001, 4004, 4007, 2001))


# --- sender addresses -------------------------------------------------------------------------------------------------


@case(
    "auth/sender-not-owned",
    "INFO",
    "8.7.1",
    "A SenderAddress that was assigned to nobody is taken, or refused.",
)
def not_owned(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit(sender_address=ShortCode("99999"))), OK, REF(4001, 4007, 2001, 2002))


@case(
    "auth/own-addresses",
    "SHOULD",
    "8.7.1",
    "The SenderAddress of another account is refused, and the account's own taken.",
    needs=("numbers.others", "numbers.sender"),
)
def own_addresses(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit(sender_address=ShortCode(lab.settings.numbers.sender))), OK)
    lab.expect(lab.ask(lab.submit(sender_address=ShortCode(lab.settings.numbers.others))), REF(4001, 2002, 4007, 2001))


@case(
    "sender/id-too-long",
    "SHOULD",
    "practice",
    "An id of 10 kB at the SenderAddress is taken or refused by MM7, never by a broken server.",
    needs=("can.ns/REL-6-MM7-1-4",),
)
def id_too_long(lab: Lab) -> None:
    sender = Number(written("+15550100", lab.profile)) if not lab.settings.numbers.sender else None
    made = lab.submit(namespace="REL-6-MM7-1-4", sender_address=sender or ShortCode(lab.settings.numbers.sender))
    kind = "Number" if sender else "ShortCode"
    inside = made.element("SenderAddress")
    lab.any(
        lab.ask(made.edit(inside, inside.replace(f"<{kind}", f'<{kind} id="i{"d" * 10_000}"'))),
        OK,
        REF(2002, 2007, 4004),
    )
