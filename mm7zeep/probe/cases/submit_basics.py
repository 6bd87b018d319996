"""Role mmsc: MM7_submit in its plain forms, and its ids (catalogue A6)."""

from __future__ import annotations

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK
from mm7zeep.probe.case import case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.told import WITHOUT_ID, named, reports, state


@case(
    "submit/minimal",
    "MUST",
    "8.7.1",
    f"One recipient and one text part are accepted, with a MessageID (which {WITHOUT_ID} has not).",
)
def minimal(lab: Lab) -> None:
    said = lab.must(lab.ask(lab.submit()), OK)
    has_ids = lab.profile.schema != WITHOUT_ID
    lab.require(bool(said.message_id) or not has_ids, "the SubmitRsp has no MessageID", shown=said)


@case("submit/message-id-unique", "MUST", "8.7.1", "Every accepted message has a MessageID of its own.")
def message_id_unique(lab: Lab) -> None:
    told = lab.together([lab.submit() for _ in range(100)])
    taken = [named(lab, said) for said in told if lab.expect(said, OK)]
    lab.require(
        len(set(taken)) == len(taken), "MessageIDs were issued twice", actual=f"{len(set(taken))} of {len(taken)}"
    )


@case(
    "txid/constant",
    "MUST",
    "8.7.1",
    "Two different messages under one TransactionID are two: both are accepted, have ids of their own, and arrive.",
)
def constant(lab: Lab) -> None:
    first = lab.submit()
    name = first.transaction_id or ""
    told = [lab.ask(one) for one in (first, lab.submit().transaction(name, name))]
    taken = [said.message_id for said in told if lab.expect(said, OK)]
    if len(taken) == len(told) and taken != [None, None]:
        lab.require(taken[0] != taken[1], "two messages have one MessageID", actual=str(taken[0]))


@case(
    "txid/repeated-request",
    "SHOULD",
    "8.7.1; 8.7.4",
    "A request that comes again at once is accepted under the same MessageID or as another message, and each MessageID"
    " is reported once.",
    needs=("numbers.good",),
)
def repeated(lab: Lab) -> None:
    made = lab.submit(to=m.Number(lab.good()), delivery_report=True)
    told = [lab.must(lab.ask(made), OK) for _ in range(2)]

    def look() -> None:
        for said in {one.message_id: one for one in told}.values():
            final = [one for one in reports(lab, said) if state(one) != "Deferred"]
            lab.require(
                len(final) <= 1, "one MessageID is reported more than once", actual=str(len(final)), level="SHOULD"
            )

    if lab.hears:
        lab.later(look)
