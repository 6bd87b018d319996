"""What cases of the examiner share: rows of numbers, whose message arrived, and what is judged of reports."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from mm7zeep import messages as m
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.asking import Bench
from mm7zeep.probe.case import case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import carries
from mm7zeep.probe.reading import Said
from mm7zeep.probe.runner import dry_answer
from mm7zeep.probe.settings import Numbers, Settings
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import bare, distinct, never_retrieved, on, on_report, recipient, reported_as
from mm7zeep.probe.wire import Connection

PLACE = urlsplit("http://mmsc.example/mm7")


class FakeListener:
    """Has what came."""

    trouble = full = None

    def __init__(self, *came: Stimulus) -> None:
        self.came = [Arrived(raw=one.octets(PLACE), at=0.0, connection=1) for one in came]

    def wait(self, matches: object, count: int, within: float) -> list[Arrived]:
        return [one for one in self.came if matches(one)]  # type: ignore[operator]


def lab_of(numbers: Numbers, *came: Stimulus) -> Lab:
    """A lab whose callback got these."""

    @case("report/one", "MUST", "8.7.4", "There is a report.")
    def one(lab: Lab) -> None:
        """Asks nothing: the lab is looked at from outside."""

    settings = Settings(url="http://mmsc.example/mm7", numbers=numbers)
    return Lab(one, Bench(settings=settings, opens=Connection, listener=FakeListener(*came)))  # type: ignore[arg-type]


GOOD = Numbers(good=("+15550001", "+15550002"), loop="7779", sender="7777")


def judged(lab: Lab) -> list[tuple[str, str]]:
    """What was found when all had come."""
    lab.settle(0.0)
    return [(one.level, one.text) for one in lab.reasons]


def told(state: str, to: str = "+15550001") -> tuple[Lab, Said]:
    """A lab that got one report in this state on the message ``dry``, and the answer that named it."""
    report = lab_of(GOOD).report(message_id="dry", recipient=m.Number(to), mm_status=state)
    lab = lab_of(GOOD, report)
    return lab, Said(dry_answer(lab.submit().octets(PLACE)))


@pytest.mark.parametrize(
    ("many", "namespace", "wanted"),
    [
        ("", None, ["+15550001", "+15550002", "+15550001"]),
        ("+0998", None, ["+0998", "+0999", "+1000"]),
        ("+15559998", "REL-5-MM7-1-0", ["15559998", "15559999", "15560000"]),
    ],
)
def test_rows_of_numbers(many: str, namespace: str | None, wanted: list[str]) -> None:
    """So many from the first on, or the good ones in turn; as the namespace writes them."""
    assert lab_of(replace(GOOD, many=many)).several(3, namespace) == wanted


@pytest.mark.parametrize("many", ["+12", "one", "+1555 0001", "\u0661\u0662\u0663\u0664"])
def test_many_is_a_number(many: str) -> None:
    """What cannot be counted up from is refused."""
    with pytest.raises(ValueError, match="many is a number of at least four digits"):
        Settings(url="http://mmsc.example/mm7", numbers=Numbers(many=many))


def test_a_message_with_the_mark_of_another_is_not_taken_for_it() -> None:
    """Two messages with the same part are told apart by their marks."""
    lab = lab_of(GOOD)
    parts = [m.Part(body=b"the same in both", content_type="text/plain")]
    sent, other = lab.submit(parts=parts), lab.submit(parts=parts)

    def arrived(subject: str | None) -> Arrived:
        return Arrived(raw=lab.deliver(parts=parts, subject=subject).octets(PLACE), at=0.0, connection=1)

    assert carries(arrived(f"Probe {sent.mark}"), sent)
    assert not carries(arrived(f"Probe {other.mark}"), sent)
    assert carries(arrived(None), sent)  # by its part


def test_addresses_are_compared_however_they_are_written() -> None:
    """A + or a /TYPE=PLMN makes no other address."""
    lab, said = told("Retrieved", "15550001/TYPE=PLMN")
    [report] = lab.calls(lambda one: True, 1, 0)
    assert said.message_id == "dry"
    assert bare(recipient(report) or m.Number("none")) == "15550001"
    assert on([report], m.Number("+15550001")) == [report]
    assert on([report], m.Number("+15550002")) == []


def test_a_message_that_may_not_be_retrieved() -> None:
    """A report that it was is a finding."""
    for state, found in (("Retrieved", [("SHOULD", "it is reported as Retrieved")]), ("Expired", [])):
        lab, said = told(state)
        never_retrieved(lab, said, "it")
        assert judged(lab) == found


def test_a_state_that_is_wanted() -> None:
    """A report in another state is a finding."""
    for state, found in (("Retrieved", [("SHOULD", "it is not reported as Expired")]), ("Expired", [])):
        lab, said = told(state)
        reported_as(lab, said, "Expired", "it")
        assert judged(lab) == found


def test_no_state_is_wanted_of_what_was_refused() -> None:
    """Though the refusal carries a MessageID, as that of a SubmitRsp has to."""
    lab, said = told("Retrieved")
    refusal = Said(replace(said.answer, body=said.answer.body.replace(b">1000<", b">2007<")))
    assert (refusal.refused, refusal.message_id) == (True, "dry")
    reported_as(lab, refusal, "Expired", "it")
    assert judged(lab) == []


def test_a_report_that_has_to_come() -> None:
    """It is looked at, and missed at the level of the case."""
    lab, said = told("Retrieved")
    seen: list[Arrived] = []
    on_report(lab, said, seen.append)
    assert judged(lab) == []
    assert len(seen) == 1
    lab = lab_of(GOOD)
    on_report(lab, said, seen.append)
    assert judged(lab) == [("MUST", "accepted, and never reported")]
    assert len(seen) == 1


def test_another_attempt_is_no_other_report() -> None:
    """What comes again under its TransactionID, as after an answer that was late; but on each recipient by itself."""
    lab = lab_of(GOOD)
    first = lab.report(message_id="dry", recipient=m.Number("+15550001"))
    other = lab.report(message_id="dry", recipient=m.Number("+15550001"))
    second = lab.report(message_id="dry", recipient=m.Number("+15550002"))
    assert second.transaction_id is not None
    same_id = second.transaction(first.transaction_id or "", first.transaction_id)
    came = FakeListener(first, first, other, same_id).came
    assert distinct(came) == [came[0], came[2], came[3]]
