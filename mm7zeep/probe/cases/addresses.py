"""Role mmsc: the addresses of MM7_submit, those it is for and the one it is from (catalogue A6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK, PARTIAL, REF
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.recipients import NEWEST, RELEASE_6, REPORTED
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import bare, never_retrieved, on, on_report, reports, sender, shown, state

# --- whom it is for ---------------------------------------------------------------------------------------------------


def _to(lab: Lab, xml: str, namespace: str | None = None) -> Stimulus:
    """A submit to one address, as XML writes it."""
    made = lab.submit(to=m.Number(lab.good(0, namespace)), namespace=namespace)
    return made.instead("To", f"<To>{xml}</To>")


@case(
    "submit/address/plus",
    "SHOULD",
    "8.7.8.2 UNSURE",
    "A number in its international form, with a +, is accepted.",
    needs=RELEASE_6,
)
def plus(lab: Lab) -> None:
    number = "+" + lab.good(0, NEWEST).removeprefix("+")
    lab.expect(lab.ask(lab.submit(to=m.Number(number), namespace=NEWEST)), OK)


@case(
    "submit/address/plmn",
    "INFO",
    "8.7.8.2 UNSURE",
    "A number with /TYPE=PLMN is accepted, and then is that number, or refused as an address.",
    needs=RELEASE_6,
)
def plmn(lab: Lab) -> None:
    number = lab.good(0, NEWEST)
    said = lab.ask(lab.submit(to=m.Number(f"{number}/TYPE=PLMN"), namespace=NEWEST, delivery_report=True))
    lab.any(said, OK, REF(2002))

    def look() -> None:
        for one in reports(lab, said):
            lab.require(
                bool(on([one], m.Number(number))), "the report names another number", expected=number, shown=one
            )

    if lab.hears:
        lab.later(look)


@case(
    "submit/address/mail",
    "SHOULD",
    "8.7.8.2 UNSURE",
    "A mail address is accepted, or refused as an address.",
    needs=("numbers.mail",),
)
def mail(lab: Lab) -> None:
    said = lab.ask(lab.submit(to=m.RFC2822Address(lab.settings.numbers.mail)))
    lab.any(said, OK, REF(2002, 2001))


@case(
    "submit/address/mail-in-number",
    "SHOULD",
    "XSD",
    "A mail address in a Number is refused as an address, or accepted.",
    needs=("numbers.mail", *RELEASE_6),
)
def mail_in_number(lab: Lab) -> None:
    made = _to(lab, f"<Number>{lab.settings.numbers.mail}</Number>", NEWEST)
    lab.any(lab.ask(made), REF(2002, 2007, 2001), OK)


@case(
    "submit/address/shortcode",
    "SHOULD",
    "8.7.1",
    "A short code as the recipient is accepted, and the message comes to it, or refused as an address.",
    needs=("numbers.loop",),
)
def shortcode(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit()), OK, REF(2002, 2003))


def _illegal(name: str, what: str, spoil: Callable[[str], str]) -> Case:
    @case(
        f"submit/address/illegal-characters/{name}",
        "SHOULD",
        "8.7.8.2 UNSURE",
        f"A Number with {what} is refused as an address, or accepted without harm to what follows.",
        needs=RELEASE_6,
    )
    def illegal(lab: Lab) -> None:
        made = _to(lab, f"<Number>{spoil(lab.good(0, NEWEST))}</Number>", NEWEST)
        lab.any(lab.ask(made), REF(2002, 2007), OK)

    return illegal


illegal_characters = (
    _illegal("letters", "letters in it", lambda number: f"{number}abc"),
    _illegal("pipe", "a pipe in it", lambda number: f"{number[:-2]}|{number[-2:]}"),
    _illegal("blank", "a blank in it", lambda number: f"{number[:-2]} {number[-2:]}"),
)


@case("submit/address/empty", "SHOULD", "XSD", "An empty Number is refused.", needs=("numbers.good",))
def empty(lab: Lab) -> None:
    lab.expect(lab.ask(_to(lab, "<Number></Number>")), REF(2002, 2007, 4004))


@case(
    "submit/address/unknown",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "A number that nobody has is refused, or accepted and never reported as retrieved.",
    needs=("numbers.unknown",),
)
def unknown(lab: Lab) -> None:
    said = lab.ask(lab.submit(to=_nobody(lab), delivery_report=True))
    lab.any(said, REF(2003, 2002), PARTIAL, OK)
    never_retrieved(lab, said, "a message to a number that nobody has")


def _nobody(lab: Lab) -> m.Number:
    """The number that nobody has, in the way of the namespace."""
    number = lab.settings.numbers.unknown
    return m.Number(number if lab.good(0).startswith("+") else number.removeprefix("+"))


@case(
    "submit/address/partial",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "Of a good number and one that nobody has, the good one is served, and the sender is told of the other: by 1100, or"
    " by 1000 and a report Rejected.",
    needs=("numbers.good", "numbers.unknown"),
)
def one_of_two(lab: Lab) -> None:
    good, bad = m.Number(lab.good(0)), _nobody(lab)
    said = lab.must(lab.ask(lab.submit(to=[good, bad], delivery_report=True)), PARTIAL, OK)

    def look() -> None:
        found = reports(lab, said)
        if said.status != 1100 and on(found, good):
            states = [state(one) for one in on(found, bad)]
            lab.require(
                "Rejected" in states,
                "the number that nobody has is not reported as Rejected",
                expected="Rejected",
                actual=", ".join(states) or "no report",
                level="SHOULD",
            )
        if on(found, bad):
            lab.require(bool(on(found, good)), "the good number beside it is not reported", level="SHOULD")

    if lab.hears:
        lab.later(look)


@case(
    "submit/address/coding",
    "INFO",
    "8.7.1; XSD",
    "A coded address with an id is accepted, or refused as an address that cannot be read.",
    needs=RELEASE_6,
)
def coding(lab: Lab) -> None:
    to = m.Number("c2VjcmV0LW51bWJlcg", coding="encrypted", id="a1")
    lab.any(lab.ask(lab.submit(to=to, namespace=NEWEST)), OK, REF(2002))


@case(
    "submit/address/duplicate-id",
    "SHOULD",
    "XSD xs:ID",
    "Two addresses with one id are refused.",
    needs=RELEASE_6,
)
def duplicate_id(lab: Lab) -> None:
    made = lab.submit(to=m.Number(lab.good(0, NEWEST), id="a1"), namespace=NEWEST)
    lab.expect(lab.ask(made.after("Number", f'<Number id="a1">{lab.good(1, NEWEST)}</Number>')), REF(4004, 2007))


# --- whom it is from --------------------------------------------------------------------------------------------------

_TEXT_SENDERS = ("REL-5-MM7-1-0", "REL-5-MM7-1-1")  # where SenderAddress is a text


def _sender(lab: Lab, kind: str) -> m.Address:
    """The short code that the account may send from, as an address of this kind."""
    if lab.profile.schema in _TEXT_SENDERS:
        lab.skip(f"SenderAddress has no kinds in {lab.profile.schema}")
    own = lab.settings.numbers.sender
    kinds: dict[str, Callable[[], m.Address]] = {
        "number": lambda: m.Number(own),
        "shortcode": lambda: m.ShortCode(own),
        "mail": lambda: m.RFC2822Address(f"{own}@example.com"),
    }
    return kinds[kind]()


def _senders(kind: str, what: str) -> Case:
    @case(
        f"submit/sender/{kind}",
        "SHOULD",
        "8.7.1",
        f"A SenderAddress that is {what} is accepted.",
        needs=("numbers.sender",),
    )
    def senders(lab: Lab) -> None:
        lab.expect(lab.ask(lab.submit(sender_address=_sender(lab, kind))), OK)

    return senders


_KINDS = (("number", "a Number"), ("shortcode", "a ShortCode"), ("mail", "an RFC2822Address"))
senders = tuple(_senders(*one) for one in _KINDS)


@case(
    "submit/sender/text",
    "SHOULD",
    "XSD",
    "A SenderAddress that is a bare text, which the schema has not from REL-5-MM7-1-2 on, is refused, or accepted.",
    needs=("numbers.sender",),
)
def text(lab: Lab) -> None:
    made = lab.submit(sender_address=_sender(lab, "shortcode"))
    own = lab.settings.numbers.sender
    lab.any(lab.ask(made.instead("SenderAddress", f"<SenderAddress>{own}</SenderAddress>")), REF(4004, 2007), OK)


@case(
    "submit/sender/two",
    "SHOULD",
    "XSD",
    "Two addresses in SenderAddress are refused.",
    needs=("numbers.sender",),
)
def two(lab: Lab) -> None:
    own = lab.settings.numbers.sender
    made = lab.submit(sender_address=_sender(lab, "shortcode"))
    both = f"<SenderAddress><ShortCode>{own}</ShortCode><Number>{own}</Number></SenderAddress>"
    lab.expect(lab.ask(made.instead("SenderAddress", both)), REF(4004, 2007, 2002))


# --- how reports name the sender --------------------------------------------------------------------------------------


def _reported(kind: str, what: str) -> Case:
    @case(
        f"report/sender-kind/{kind}",
        "MUST",
        "8.7.4; XSD",
        f"A report names as Sender the SenderAddress of the submit: {what}, with its value.",
        needs=(*REPORTED, "numbers.sender"),
    )
    def reported(lab: Lab) -> None:
        wanted = _sender(lab, kind)
        said = lab.ask(lab.submit(to=m.Number(lab.good()), sender_address=wanted, delivery_report=True))
        if said.refused:
            lab.must(said, REF(4001, 2002, 2001))
            lab.skip(f"the account may not send from {wanted}: {said.summary}")
        lab.must(said, OK)

        def judge(found: Arrived) -> None:
            got = sender(found)
            lab.require(
                got is not None and (got.kind, bare(got)) == (wanted.kind, bare(wanted)),
                "the report names another sender than the submit",
                expected=shown(wanted),
                actual=shown(got),
                shown=found,
            )

        on_report(lab, said, judge)

    return reported


sender_kind = tuple(_reported(*one) for one in _KINDS)


@case(
    "report/per-sender",
    "SHOULD",
    "8.7.4",
    "The reports on messages from two short codes of one VASP name each its own.",
    needs=(*REPORTED, "numbers.sender", "numbers.loop"),
)
def per_sender(lab: Lab) -> None:
    numbers = lab.settings.numbers
    if numbers.sender == numbers.loop:
        lab.skip("two short codes of the account are needed (numbers.sender, numbers.loop)")
    codes = (numbers.sender, numbers.loop)
    made = [lab.submit(to=m.Number(lab.good()), sender_address=m.ShortCode(one), delivery_report=True) for one in codes]
    told = lab.together(made)
    for code, said in zip(codes, told, strict=True):
        lab.must(said, OK)
        on_report(lab, said, partial(_names, lab, code))


def _names(lab: Lab, code: str, report: Arrived) -> None:
    """A report's Sender is this short code."""
    got = sender(report)
    lab.require(
        got is not None and bare(got) == code,
        "the report names another sender than its message",
        expected=code,
        actual=shown(got),
        level="SHOULD",
        shown=report,
    )
