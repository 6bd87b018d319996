"""Role mmsc: the recipients of MM7_submit (catalogue A6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK, PARTIAL, REF
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import about, carries
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import bare, delivered, on, on_report, recipient, reports, shown, state

NEWEST = "REL-6-MM7-1-4"
RELEASE_6 = ("numbers.good", f"can.ns/{NEWEST}")
REPORTED = ("listen", "can.reports", "numbers.good")
NO_ADDRESS = REF(4004, 2002, 2007, 2000)
THOUSAND = 1000


# --- whether there is anybody ---------------------------------------------------------------------------------------


@case("submit/recipients/none", "MUST", "8.7.1; XSD", "A submit without Recipients is refused.")
def none(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().without("Recipients")), NO_ADDRESS)


@case("submit/recipients/empty", "MUST", "XSD", "A submit whose Recipients name nobody is refused.")
def empty(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().instead("Recipients", "<Recipients></Recipients>")), NO_ADDRESS)


@case(
    "submit/recipients/empty-to",
    "SHOULD",
    "XSD",
    "A To that holds nobody beside a good one is refused, or the message reaches the good one.",
)
def empty_to(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().before("To", "<To></To>")), OK, REF(4004, 2002, 2007))


def _last(lab: Lab, place: str, **others: list[m.Number]) -> Stimulus:
    """A submit to these and, last in ``place``, to the own short code, so that it comes back where there is one."""
    loop = lab.settings.numbers.loop
    to = m.ShortCode(loop) if loop else m.Number(lab.good())
    given: dict[str, Any] = {**others, place: [*others.get(place, []), to]}
    return replace(lab.submit(**given), looped=bool(loop))


# --- how many --------------------------------------------------------------------------------------------------------


@case(
    "submit/recipients/many-to",
    "MUST",
    "8.7.1",
    "Twenty To elements with an address each are accepted, and the last is served, or refused as too many.",
    needs=("numbers.good",),
)
def many_to(lab: Lab) -> None:
    made = _last(lab, "to")
    many = "".join(f"<To><Number>{one}</Number></To>" for one in lab.several(19))
    lab.expect(lab.ask(made.before("To", many)), OK, REF(3003))


@case(
    "submit/recipients/many-in-one-to",
    "MUST",
    "8.7.1",
    "Twenty addresses in one To are accepted, and the last is served, or refused as too many.",
    needs=("numbers.good",),
)
def many_in_one_to(lab: Lab) -> None:
    made = _last(lab, "to", to=[m.Number(one) for one in lab.several(19)])
    lab.expect(lab.ask(made), OK, REF(3003))


@case(
    "submit/recipients/thousand",
    "SHOULD",
    "8.7.1",
    "A thousand addresses are accepted, in part or whole, or refused as too many, and what follows is served.",
    needs=("numbers.many",),
)
def thousand(lab: Lab) -> None:
    to = [m.Number(one) for one in lab.several(THOUSAND)]
    lab.any(lab.ask(lab.submit(to=to)), OK, PARTIAL, REF(3003, 2002))


@case(
    "recipients/thousand",
    "SHOULD",
    "8.7.4",
    "Of a thousand accepted recipients each is reported, and once.",
    needs=(*REPORTED, "numbers.many"),
    alone=True,
)
def thousand_reports(lab: Lab) -> None:
    to = [m.Number(one) for one in lab.several(THOUSAND)]
    said = lab.ask(lab.submit(to=to, delivery_report=True))
    if not lab.expect(said, OK, PARTIAL, REF(3003, 2002)) or not said.accepted or said.status == 1100:
        return
    sought = (said.message_id or "").encode()
    lab.calls(lambda one: bool(sought) and sought in one.raw, THOUSAND, within=10 * lab.settings.window)

    def look() -> None:
        told = [bare(at) for one in reports(lab, said) if (at := recipient(one)) is not None]
        missing = {bare(one) for one in to} - set(told)
        lab.require(not missing, f"{len(missing)} of {THOUSAND} recipients were never reported", level="SHOULD")
        lab.require(
            len(told) == len(set(told)), f"{len(told) - len(set(told))} reports came more than once", level="SHOULD"
        )

    if lab.hears:
        lab.later(look)


# --- in which place --------------------------------------------------------------------------------------------------


def _placed(lab: Lab, place: str, *others: m.Address) -> Stimulus:
    """A submit to somebody good in To and, in ``place``, to the others, that asks for reports."""
    given: dict[str, Any] = {"to": [m.Number(lab.good(0))]}
    given[place] = [*given.get(place, []), *others]
    return lab.submit(**given, delivery_report=True)


@case(
    "submit/recipients/cc-bcc",
    "MUST",
    "8.7.1",
    "To, Cc and Bcc are accepted, and who stands in Bcc gets the message.",
    needs=("numbers.good",),
)
def cc_bcc(lab: Lab) -> None:
    lab.expect(lab.ask(_last(lab, "bcc", to=[m.Number(lab.good(0))], cc=[m.Number(lab.good(1))])), OK)


@case(
    "submit/recipients/bcc-only",
    "SHOULD",
    "8.7.1; XSD",
    "A submit whose only recipient stands in Bcc is accepted, and comes to him.",
    needs=("numbers.good",),
)
def bcc_only(lab: Lab) -> None:
    lab.expect(lab.ask(_last(lab, "bcc")), OK)


@case(
    "submit/recipients/order",
    "MUST",
    "XSD",
    "Bcc may stand before To, and who stands in To gets the message.",
    needs=("numbers.good",),
)
def order(lab: Lab) -> None:
    bcc = f"<Bcc><Number>{lab.good()}</Number></Bcc>"
    lab.expect(lab.ask(_last(lab, "to").before("To", bcc)), OK)


def _kinds(place: str) -> Case:
    @case(
        f"recipients/kinds-by-place/{place}",
        "MUST",
        "8.7.1; 8.7.8.2 UNSURE",
        f"A number, a mail address and a short code in {place.capitalize()} are served and reported as what they are"
        + ("; no message that the callback gets names those in Bcc." if place == "bcc" else "."),
        needs=(*REPORTED, "numbers.mail", "numbers.loop"),
    )
    def kinds(lab: Lab) -> None:
        numbers = lab.settings.numbers
        loop = m.ShortCode(numbers.loop)
        others = (m.Number(lab.good(1)), m.RFC2822Address(numbers.mail), loop)
        made = _placed(lab, place, *others)
        said = lab.must(lab.ask(made), OK)

        def look() -> None:
            came = delivered(lab, made)
            lab.require(bool(came), f"the short code in {place.capitalize()} never got the message")
            for one in came if place == "bcc" else ():
                for hidden in others[:-1]:
                    lab.require(hidden.value.encode() not in one.raw, "the message names who stands in Bcc", shown=one)
            found = reports(lab, said)
            if not on(found, m.Number(lab.good(0))):
                return  # no reports at all: that is what report/per-recipient is about
            for wanted in others:
                told = on(found, wanted)
                lab.require(bool(told), f"{shown(wanted)} in {place.capitalize()} is not reported", expected="a report")
                for one in told:
                    _same(lab, wanted, recipient(one), one)

        lab.later(look)

    return kinds


def _same(lab: Lab, wanted: m.Address, got: m.Address | None, at: Arrived) -> None:
    """A report's Recipient is of the kind, the value, the id and the coding that the submit gave it."""
    lab.require(
        got is not None and (got.kind, bare(got), got.coding) == (wanted.kind, bare(wanted), wanted.coding),
        "the report names the recipient as another kind of address",
        expected=shown(wanted),
        actual=shown(got),
        shown=at,
    )


kinds_by_place = tuple(_kinds(place) for place in ("to", "cc", "bcc"))


# --- the same twice, and who is only shown ----------------------------------------------------------------------------


@case(
    "submit/recipients/duplicate",
    "INFO",
    "8.7.1",
    "A number that stands twice among the recipients is accepted, and reported once or twice.",
    needs=("numbers.good",),
)
def duplicate(lab: Lab) -> None:
    twice, control = m.Number(lab.good(0)), m.Number(lab.good(1))
    said = lab.ask(lab.submit(to=[twice, twice, control], delivery_report=True))
    lab.any(said, OK)

    def look() -> None:
        found = reports(lab, said)
        final = [one for one in on(found, twice) if state(one) != "Deferred"]
        if on(found, control):
            lab.require(bool(final), "the number that stood twice is not reported at all", expected="1 or 2 reports")
        lab.require(len(final) <= 2, "the number is reported too often", expected="1 or 2", actual=str(len(final)))

    if lab.hears and twice != control:
        lab.later(look)


@case(
    "submit/recipients/display-only",
    "SHOULD",
    "8.7.1",
    "A recipient who is only displayed is no recipient: the message is accepted, and nothing is reported of him.",
    needs=RELEASE_6,
)
def display_only(lab: Lab) -> None:
    displayed = m.Number(lab.good(1, NEWEST), display_only=True)
    to = [displayed, m.Number(lab.good(0, NEWEST))]
    if to[0].value == to[1].value:
        lab.skip("two numbers are needed (numbers.good)")
    said = lab.ask(lab.submit(to=to, delivery_report=True, namespace=NEWEST))
    lab.expect(said, OK)
    if lab.hears:
        lab.no_call(
            lambda one: about(said.message_id, "DeliveryReportReq")(one) and bool(on([one], displayed)),
            "a report on a recipient who is only displayed",
        )


@case(
    "submit/recipients/all-display-only",
    "SHOULD",
    "8.7.1",
    "A submit all of whose recipients are only displayed is refused.",
    needs=RELEASE_6,
)
def all_display_only(lab: Lab) -> None:
    to = m.Number(lab.good(0, NEWEST), display_only=True)
    lab.expect(lab.ask(lab.submit(to=to, namespace=NEWEST)), REF(2002, 4004, 2000))


# --- how reports name them --------------------------------------------------------------------------------------------


def _as_sent(name: str, what: str, make: Callable[[Lab], m.Address], needs: tuple[str, ...] = ()) -> Case:
    @case(
        f"report/recipient-kind/{name}",
        "MUST",
        "8.7.4; XSD",
        f"A report names a recipient given as {what} as the same.",
        needs=(*REPORTED, f"can.ns/{NEWEST}", *needs),
    )
    def as_sent(lab: Lab) -> None:
        wanted = make(lab)
        said = lab.ask(lab.submit(to=wanted, delivery_report=True, namespace=NEWEST))
        if said.refused and name in ("coded", "mail"):
            lab.must(said, REF(2002, 2001))
            lab.skip(f"{what} is refused here, as it may be: {said.summary}")
        lab.must(said, OK)

        def judge(found: Arrived) -> None:
            got = recipient(found)
            _same(lab, wanted, got, found)
            if wanted.id is not None:
                lab.require(
                    got is not None and got.id == wanted.id,
                    "the report gives the recipient another id",
                    expected=wanted.id,
                    actual=(got.id if got is not None else None) or "none",
                    shown=found,
                )

        on_report(lab, said, judge)

    return as_sent


recipient_kind = (
    _as_sent("number", "a Number", lambda lab: m.Number(lab.good(0, NEWEST))),
    _as_sent(
        "mail", "an RFC2822Address", lambda lab: m.RFC2822Address(lab.settings.numbers.mail), needs=("numbers.mail",)
    ),
    _as_sent("shortcode", "a ShortCode", lambda lab: m.ShortCode(lab.settings.numbers.loop), needs=("numbers.loop",)),
    _as_sent("id", "a Number with an id", lambda lab: m.Number(lab.good(0, NEWEST), id="a1")),
    _as_sent(
        "coded", "an address that is coded", lambda lab: m.Number("c2VjcmV0LW51bWJlcg", coding="obfuscated", id="a1")
    ),
)


def _coded(coding: str) -> Case:
    @case(
        f"recipients/coded/{coding}",
        "SHOULD",
        "8.7.1; XSD",
        f"An address with addressCoding {coding} is passed on or refused, never taken for what it spells.",
        needs=("numbers.loop", f"can.ns/{NEWEST}"),
    )
    def coded(lab: Lab) -> None:
        to = m.ShortCode(lab.settings.numbers.loop, coding=coding)
        made = lab.submit(to=to, namespace=NEWEST)
        said = lab.ask(made)
        lab.any(said, OK, REF(2002))
        if lab.hears and said.accepted:
            lab.no_call(
                lambda one: one.operation == "DeliverReq" and carries(one, made),
                "the message, at the short code that the coded address spells,",
                level="MUST",
            )

    return coded


coded = tuple(_coded(coding) for coding in ("obfuscated", "encrypted"))
