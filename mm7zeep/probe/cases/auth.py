"""Role mmsc: who may submit, and in whose name (catalogue A2)."""

from __future__ import annotations

import re
from dataclasses import replace

from mm7zeep import messages as m
from mm7zeep.probe.accept import ANSWERED, OK, REF, H
from mm7zeep.probe.case import case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.reading import Said
from mm7zeep.probe.settings import Account
from mm7zeep.probe.stimulus import Stimulus, basic

_FOREIGN = REF(4001, 4007, 2001)
_CREDENTIALS = ("authenticated",)
_LONG = 10_000  # characters of an id


def _with(lab: Lab, authorization: str) -> Stimulus:
    """A sound submit with this Authorization."""
    return lab.submit().with_header("Authorization", authorization)


def _as(lab: Lab, account: Account) -> Stimulus:
    """A sound submit in the name of ``account``, with the credentials of our own; it comes back if it is accepted."""
    own = lab.settings.account
    made = lab.submit(account=replace(account, username=own.username, password=own.password))
    return replace(made, looped=bool(lab.settings.numbers.loop))


def _challenges(said: Said) -> list[str]:
    return [value for name, value in said.answer.fields if name.lower() == "www-authenticate"]


def _challenged(lab: Lab, said: Said) -> None:
    """A 401 says how to be let in (RFC 9110 11.6.1)."""
    if said.answer.status == 401:
        lab.require(bool(_challenges(said)), "HTTP 401 without WWW-Authenticate", shown=said)


# --- credentials ------------------------------------------------------------------------------------------------------


@case(
    "auth/none",
    "MUST",
    "RFC 9110 11.6.1; 8.7 UNSURE",
    "Who shows no credentials where they are wanted is refused, and by 401 told which.",
    needs=_CREDENTIALS,
)
def none(lab: Lab) -> None:
    said = lab.ask(lab.submit().without_header("Authorization"))
    lab.expect(said, H(401), REF(4001, 4007))
    _challenged(lab, said)


@case("auth/basic-good", "MUST", "RFC 7617 2", "Who shows the right credentials is served.", needs=_CREDENTIALS)
def basic_good(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit()), OK)


@case(
    "auth/basic-wrong",
    "MUST",
    "RFC 7617 2",
    "Who shows a wrong password is refused, and by 401 told what is wanted.",
    needs=_CREDENTIALS,
)
def basic_wrong(lab: Lab) -> None:
    own = lab.settings.account
    said = lab.ask(_with(lab, basic(own.username, own.password + "x")))
    lab.expect(said, H(401, 403), REF(4001, 4007))
    _challenged(lab, said)


@case("auth/basic-garbage", "MUST", "RFC 7617 2", "Credentials that are no base64 are refused.", needs=_CREDENTIALS)
def basic_garbage(lab: Lab) -> None:
    lab.expect(lab.ask(_with(lab, "Basic %%%")), H(400, 401))


@case(
    "auth/basic-utf8",
    "INFO",
    "RFC 7617 2.1",
    "A user-id in UTF-8 that nobody has is refused like any other.",
    needs=_CREDENTIALS,
)
def basic_utf8(lab: Lab) -> None:
    said = lab.ask(_with(lab, basic("prøve", "mm7zeep")))
    lab.any(said, H(400, 401, 403), REF(4001, 4007))


@case("auth/scheme-case", "MUST", "RFC 9110 11.1", "The scheme may be written basic.", needs=_CREDENTIALS)
def scheme_case(lab: Lab) -> None:
    own = lab.settings.account
    lab.expect(lab.ask(_with(lab, basic(own.username, own.password).replace("Basic", "basic"))), OK)


@case("auth/unknown-scheme", "SHOULD", "RFC 9110 11.6.1", "A scheme that nobody knows is refused.", needs=_CREDENTIALS)
def unknown_scheme(lab: Lab) -> None:
    lab.expect(lab.ask(_with(lab, "Foo x")), H(401))


@case(
    "auth/challenge-form",
    "MUST",
    "RFC 7617 2; RFC 9110 11.6.1",
    "A 401 is a whole answer, and names the realm of each Basic challenge.",
    needs=_CREDENTIALS,
)
def challenge_form(lab: Lab) -> None:
    said = lab.ask(lab.submit().without_header("Authorization"))
    if not lab.bench.dry and said.answer.status != 401:
        lab.skip("the endpoint refuses without HTTP 401")
    lab.require(said.answer.complete, f"the 401 is not whole: {said.summary}", shown=said)
    for one in _challenges(said):
        named = re.search(r'\bBasic\b.*\brealm\s*=\s*(?:"[^"]+"|[\w.-]+)', one, re.IGNORECASE)
        lab.require(
            named is not None or "basic" not in one.lower(),
            "the Basic challenge has no realm",
            expected='Basic realm="..."',
            actual=one,
            shown=said,
        )


# --- names ------------------------------------------------------------------------------------------------------------


@case("auth/vaspid-unknown", "SHOULD", "8.7.1", "A VASPID that is not provisioned is refused.")
def vaspid_unknown(lab: Lab) -> None:
    account = replace(lab.settings.account, vaspid="mm7zeep-nobody")
    lab.expect(lab.ask(_as(lab, account)), _FOREIGN, H(401, 403))


@case("auth/vasid-unknown", "SHOULD", "8.7.1", "An unknown VASID of a known VASPID is accepted whole, or refused.")
def vasid_unknown(lab: Lab) -> None:
    lab.any(lab.ask(_as(lab, replace(lab.settings.account, vasid="mm7zeep-nothing"))), OK, _FOREIGN)


@case(
    "auth/vaspid-other",
    "SHOULD",
    "8.7.1",
    "The VASPID of another account is refused.",
    needs=("second", *_CREDENTIALS),
)
def vaspid_other(lab: Lab) -> None:
    lab.expect(lab.ask(_as(lab, lab.settings.second or lab.settings.account)), _FOREIGN)


@case("auth/identification-empty", "INFO", "XSD", "An empty SenderIdentification is accepted whole, or refused.")
def identification_empty(lab: Lab) -> None:
    made = lab.submit().instead("SenderIdentification", "<SenderIdentification/>")
    lab.any(lab.ask(made), OK, REF(4001, 4004, 4007))


# --- SenderAddress ----------------------------------------------------------------------------------------------------


@case("auth/sender-not-owned", "INFO", "8.7.1", "A SenderAddress that nobody owns is accepted whole, or refused.")
def sender_not_owned(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit(sender_address=m.ShortCode("9999999"))), ANSWERED)


@case(
    "auth/own-addresses",
    "SHOULD",
    "8.7.1",
    "The SenderAddress of another VASP is refused.",
    needs=("numbers.others",),
)
def own_addresses(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit(sender_address=m.ShortCode(lab.settings.numbers.others))), REF(4001, 2002))


@case(
    "sender/id-too-long",
    "SHOULD",
    "XSD; 8.7.8.2 UNSURE",
    "A SenderAddress with an id of 10,000 characters is accepted whole, or refused in MM7.",
    needs=("numbers.sender", "can.ns/REL-6-MM7-1-4"),
)
def id_too_long(lab: Lab) -> None:
    sender = lab.settings.numbers.sender
    made = lab.submit(sender_address=m.ShortCode(sender), namespace="REL-6-MM7-1-4")
    plain = f"<SenderAddress><ShortCode>{sender}</ShortCode>"
    made = made.edit(plain, plain.replace("<ShortCode>", f'<ShortCode id="{"i" * _LONG}">'))
    lab.expect(lab.ask(made), OK, REF(2002, 2004, 2007, 4001, 4004, 3000))
    lab.alive()
