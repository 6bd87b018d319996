"""Role mmsc: MM7_submit in its plain forms (catalogue A6)."""

from __future__ import annotations

from mm7zeep.probe.accept import MISSING, OK
from mm7zeep.probe.case import case
from mm7zeep.probe.lab import Lab


@case("submit/minimal", "MUST", "8.7.1", "One recipient and one text part are accepted, with a MessageID.")
def minimal(lab: Lab) -> None:
    said = lab.must(lab.ask(lab.submit()), OK)
    lab.require(said.message_id is not None, "the SubmitRsp has no MessageID", shown=said)


@case("submit/message-id-unique", "MUST", "8.7.1", "Every accepted message has a MessageID of its own.")
def message_id_unique(lab: Lab) -> None:
    told = lab.together([lab.submit() for _ in range(100)])
    taken = [said.message_id for said in told if lab.expect(said, OK)]
    lab.require(
        len(set(taken)) == len(taken), "MessageIDs were issued twice", actual=f"{len(set(taken))} of {len(taken)}"
    )


@case("submit/recipients/none", "MUST", "8.7.1; XSD", "A submit without Recipients is refused.")
def recipients_none(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().without("Recipients")), MISSING)
