"""The examiner finds faults: of broken servers exactly the cases turn red that state what is broken.

All of them, with all cases, are asked by ``python tests/probe_mutants.py``; here some of each table, with a selection.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import pytest
from breaks import (
    Answered,
    Asked,
    Break,
    answering,
    configured,
    edited,
    examine,
    patched,
    patching,
    refusal,
    success,
    written,
)
from examined import CONFIG
from made_docs import is_current
from mutants import CONTROL, Baseline, Before, Mutant, baseline, judged
from mutants_table import MUTANTS

from mm7zeep.probe.cases import ALL
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.results import Reason, Report, Result, Role, Word, verdict_of

EVERY = 38
"""One in so many, of the table in the order of names, is asked here."""
SOME = [one.title for one in islice(sorted(MUTANTS, key=lambda one: one.title), 0, None, EVERY)]

# --- the table --------------------------------------------------------------------------------------------------------

KNOWN = {role: {one.id for one in ALL if one.role == role} | {one.id for one in COMMON} for role in ("mmsc", "vasp")}


def test_every_mutant_is_found_by_something_that_there_is() -> None:
    """Ids of its own role, and beginnings that some case has."""
    unknown = {one.title: one.ids - KNOWN[one.role] for one in MUTANTS if one.ids - KNOWN[one.role]}
    assert not unknown
    assert not [one.title for one in MUTANTS if not one.ids]
    for one in MUTANTS:
        for word in one.near:
            assert any(id.startswith(word) for id in KNOWN[one.role]), f"{one.title}: nothing begins with {word}"


def test_control_set_is_of_cases_that_there_are() -> None:
    """Of its own role."""
    for role, ids in CONTROL.items():
        assert ids <= KNOWN[role]


def test_every_common_assertion_has_a_mutant_in_either_role() -> None:
    """None of the twenty is unproved."""
    for role in ("mmsc", "vasp"):
        found = {id for one in MUTANTS if one.role == role for id in one.ids}
        assert {one.id for one in COMMON} <= found


def test_every_area_has_a_mutant() -> None:
    """The first steps of ids, in either role."""
    found = {(one.role, id.partition("/")[0]) for one in MUTANTS for id in one.ids}
    assert {(one.role, one.area) for one in ALL} <= found


def test_mutants_are_described_and_named_once() -> None:
    """One sentence each."""
    assert [name for name, count in Counter(one.title for one in MUTANTS).items() if count > 1] == []
    assert [one.title for one in MUTANTS if not one.what.endswith(".") or ". " in one.what] == []


def test_page_of_the_table_is_up_to_date() -> None:
    """docs/mutants.md is what docs/make_mutants.py makes of the table as it is now."""
    assert is_current("make_mutants"), "run docs/make_mutants.py"


# --- judging can fail -------------------------------------------------------------------------------------------------


def _report(**verdicts: Word) -> Report:
    """A report with these verdicts; "_" in a name stands for "/"."""
    results = []
    for name, verdict in verdicts.items():
        level = {"FAIL": "MUST", "WARN": "SHOULD", "INFO": "INFO"}.get(verdict)
        reasons = (Reason(level=level, text="broken"),) if level else ()  # type: ignore[arg-type]
        assert verdict_of(reasons) == verdict or verdict == "SKIP"
        results.append(
            Result(
                id=name.replace("_", "/"), role="mmsc", level="MUST", clause="1", requirement="It works.",
                verdict=verdict, reasons=reasons, common=name.startswith("answer"),
            )
        )  # fmt: skip
    return Report(url="", role="mmsc", started="", took=0.0, seed=0, version="", results=tuple(results), options={})


BEFORE = {id: Before("PASS", frozenset()) for id in ("a/one", "a/two", "answer/leak")}
MUTANT = Mutant(name="it", role="mmsc", what="It is broken.", breaks=Break(), found_by=frozenset({"a/one"}))


def test_found_by_exactly_what_states_it() -> None:
    """The plain case."""
    found = judged(MUTANT, _report(a_one="FAIL", a_two="PASS"), BEFORE)
    assert found.found
    assert str(found).startswith("found")


def test_broken_and_not_found() -> None:
    """A case that cannot fail is told."""
    found = judged(MUTANT, _report(a_one="PASS", a_two="PASS"), BEFORE)
    assert not found.found
    assert "not found by a/one" in str(found)


def test_skipped_or_not_asked_is_not_found() -> None:
    """Only a red verdict finds a fault."""
    assert judged(MUTANT, _report(a_one="SKIP"), BEFORE).missed
    assert judged(MUTANT, _report(a_two="PASS"), BEFORE).missed
    assert judged(MUTANT, _report(a_one="INFO"), BEFORE).missed


@pytest.mark.parametrize("verdict", ["FAIL", "WARN"])
def test_another_case_turned_red(verdict: Word) -> None:
    """A case that is too broad is told."""
    found = judged(MUTANT, _report(a_one="FAIL", a_two=verdict), BEFORE)
    assert not found.found
    assert "also red: a/two" in str(found)


def test_what_was_red_before_is_no_other() -> None:
    """The fault has not made it red."""
    before = {**BEFORE, "a/two": Before("FAIL", frozenset())}
    assert judged(MUTANT, _report(a_one="FAIL", a_two="FAIL"), before).found


def test_remarks_of_common_assertions_count_where_they_are_new() -> None:
    """What can only be INFO is found by its reason."""
    noting = replace(MUTANT, found_by=frozenset(), noted=frozenset({"answer/leak"}))
    report = _report(a_one="PASS", answer_leak="INFO")
    report = replace(
        report, results=(report.results[0], replace(report.results[1], reasons=(Reason(level="INFO", text="x: new"),)))
    )
    assert judged(noting, report, BEFORE).found
    assert not judged(replace(noting, noted=frozenset()), report, BEFORE).found
    known = {**BEFORE, "answer/leak": Before("INFO", frozenset({"new"}))}
    assert not judged(noting, report, known).found


# --- breaking ---------------------------------------------------------------------------------------------------------


def test_what_changes_nothing_is_no_break() -> None:
    """A change of text or of a name that is not there any more."""
    with pytest.raises(ValueError, match="does not stand"):
        examine("mmsc", [], configured(("no such text", "another")))
    with pytest.raises(AttributeError):
        examine("mmsc", [], patched("mm7zeep.gateway.delivery.retry.no_such_name", lambda one: one))


def test_what_is_broken_is_there() -> None:
    """Names of the product that mutants replace, and texts of the configuration: a change of ours is noticed here."""
    for one in MUTANTS:
        written(CONFIG, one.breaks.config)
        for name, make in one.breaks.patches:
            with patching(name, make):
                pass


def test_octets_beyond_ascii_survive_an_edit() -> None:
    """Bodies are edited as text, and are not."""
    assert edited(b"\x00\xff\xe2\x82\xac<a>", "<a>", "<b>") == b"\x00\xff\xe2\x82\xac<b>"


def test_answers_that_are_made_are_sound() -> None:
    """They carry the request's TransactionID, namespace and version, so that only what they say is at fault."""
    body = (
        b'<Envelope><TransactionID xmlns="http://x/REL-6-MM7-1-4">t1</TransactionID><Body><CancelReq '
        b'xmlns="http://x/REL-6-MM7-1-4"><MM7Version>6.8.0</MM7Version></CancelReq></Body></Envelope>'
    )
    asked = Asked(method="POST", headers=(), body=body)
    for answer, wanted in ((success(asked), "<CancelRsp "), (refusal(asked, 2005), "e:Client<")):
        assert isinstance(answer, Answered)
        for text in (wanted, ">t1<", 'xmlns="http://x/REL-6-MM7-1-4"', "<MM7Version>6.8.0<"):
            assert text.encode() in answer.body
    assert b"Server" in refusal(asked, 4004).body


def test_a_body_that_stops_coming_is_for_ours_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came of it is not lost, and no piece is received twice; so ours can say 408, or see the client go."""
    monkeypatch.setattr("breaks._STALLED", 0.05)
    got: list[dict[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        while not got or got[-1].get("more_body", False):
            got.append(dict(await receive()))

    pieces = [(0.0, b"a", True), (0.3, b"b", True), (0.0, b"c", False)]

    async def receive() -> dict[str, Any]:
        pause, body, more = pieces.pop(0)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message: Any) -> None:
        raise AssertionError("nothing is answered here")

    around = answering(lambda one: False, success).around
    assert around is not None
    scope = {"type": "http", "method": "POST", "headers": []}
    asyncio.run(asyncio.wait_for(around(inner)(scope, receive, send), 5))  # type: ignore[arg-type]
    assert [one["body"] for one in got] == [b"a", b"b", b"c"]


# --- some of the table ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before() -> Callable[[Role], Baseline]:
    """What comes of the whole servers, asked all that some mutant of the role is asked here; once for each role."""

    @cache
    def of(role: Role) -> Baseline:
        some = [one for one in MUTANTS if one.title in SOME and one.role == role]
        asked = {case.id for one in some for case in one.cases()}
        return baseline(role, [one for one in ALL if one.role == role and one.id in asked])

    return of


@pytest.fixture
def quiet() -> Iterator[None]:
    """A broken server complains in the log."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("title", SOME)
def test_some_mutants(title: str, before: Callable[[Role], Baseline], quiet: None) -> None:
    """Found by the cases that state it, and no other of the selection is red."""
    mutant = next(one for one in MUTANTS if one.title == title)
    report = examine(mutant.role, mutant.cases(), mutant.breaks, mutant.window)
    found = judged(mutant, report, before(mutant.role))
    assert found.found, str(found)


@pytest.mark.once
def test_unbroken_and_wrongly_stated_mutants_are_not_found(quiet: None) -> None:
    """The run itself can fail: nothing is found in a server that is whole, and what is found elsewhere is told."""
    mutant = next(one for one in MUTANTS if one.title == "mmsc cancel-nameless")
    cases = [one for one in ALL if one.role == "mmsc" and one.id in ("cancel/no-id", "cancel/unknown-id")]
    before = baseline("mmsc", cases)
    whole = judged(replace(mutant, breaks=Break()), examine("mmsc", cases), before)
    assert whole.missed
    assert not whole.others
    wrong = replace(mutant, found_by=frozenset({"cancel/unknown-id"}))
    found = judged(wrong, examine("mmsc", cases, mutant.breaks), before)
    assert [one.partition(" ")[0] for one in found.missed] == ["cancel/unknown-id"]
    assert [one.partition(" ")[0] for one in found.others] == ["cancel/no-id"]
