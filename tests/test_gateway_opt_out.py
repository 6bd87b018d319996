"""Opt-outs: which words count, what is kept of them, what is refused for them, and what an operator does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from far_side import CLOSE, FarSide, proper
from gateway_room import CALLED, OTHER, SUBMIT, TEXT, Make, Room, rooms
from sqlalchemy import event

from mm7zeep import exchange
from mm7zeep.exchange import Received
from mm7zeep.gateway.config import opt_out as words
from mm7zeep.gateway.config.opt_out import OptOut, normal
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Retention
from mm7zeep.gateway.mm7.recall import Recall
from mm7zeep.gateway.mm7.requests import Intake
from mm7zeep.gateway.store import content, opt_outs
from mm7zeep.gateway.store.rows import OptOutRow
from mm7zeep.messages import (
    DeliverReq,
    DeliveryReportReq,
    Message,
    Number,
    Part,
    RFC2822Address,
    ShortCode,
    SubmitReq,
)
from mm7zeep.receiver import Call

TNN = replace(CALLED, short_codes=("111122", "444"), opt_out=OptOut())
ANN, BOB = Number("+61412345678"), Number("+61487654321")
TO_ANN = replace(SUBMIT, to=(ANN,))
TO_BOTH = replace(SUBMIT, to=(ANN,), cc=(BOB,))
FROM = ShortCode("111122")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


def text(words: str) -> Part:
    """A text part."""
    return Part(body=words.encode(), content_type="text/plain", parameters=(("charset", "utf-8"),))


def say(one: Room, words: str, sender: Any = ANN, to: str = "111122", application: str = "tnn") -> str:
    """A handset sends a text; the LinkedID of the MO."""
    return one.gateway.simulator.send_mo(application, sender, to, content=[text(words)]).message_id


def kept(one: Room) -> list[OptOutRow]:
    """Who has opted out, the oldest first."""
    with one.gateway.database.read() as connection:
        return opt_outs.listed(connection, limit=1000)[::-1]


def numbers(one: Room) -> set[str]:
    """The numbers that somebody has opted out of."""
    return {row.number for row in kept(one)}


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        *((word, "stop") for word in ("STOP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")),
        ("STOPALL", "stop_all"),
        ("START", "start"),
        ("UNSTOP", "start"),
        ("Stop.", "stop"),
        (" \r\n stop!!! \n", "stop"),
        ("“STOP”", "stop"),
        ("\uff33\uff34\uff2f\uff30", "stop"),
        ("stop\u200b", "stop"),
        ("STOP 🛑\ufe0f", "stop"),
        ("opt-out", "stop"),
        ("Opt out", "stop"),
        ("stop all", "stop_all"),
        ("stop" + " " * 400, "stop"),
        ("stop" + " " * 400 + "x" * 200, None),
        ("please stop the music", None),
        ("STOP please", None),
        ("stopped", None),
        ("st", None),
        ("", None),
        ("...", None),
        ("ABMELDEN", None),
    ],
)
def test_meaning(said: str, meaning: str | None) -> None:
    """A word counts as a whole text, in whatever case and whatever stands around it; nothing else does."""
    assert OptOut().meaning(said) == meaning


@pytest.mark.parametrize(
    ("language", "stop", "start"),
    [
        ("de", "Abmelden", "Anmelden"),
        ("es", "baja", "alta"),
        ("fr", "Arrêt", "reprendre"),
        ("it", "basta", "inizia"),
        ("nl", "afmelden", "aanmelden"),
        ("pt", "sair", "iniciar"),
    ],
)
def test_languages(language: Any, stop: str, start: str) -> None:
    """Each language has its list, in which STOP, STOPALL and START stand, too; accents do not matter."""
    found = OptOut(languages=(language,))
    assert [found.meaning(one) for one in (stop, start, "stop", "STOPALL", "Start", "QUIT")] == [
        "stop", "start", "stop", "stop_all", "start", None,
    ]  # fmt: skip
    both = OptOut(languages=("en", language))
    assert (both.meaning(stop), both.meaning("quit")) == ("stop", "stop")


def test_the_lists_do_not_contradict_each_other() -> None:
    """Whatever languages are chosen, a word asks one thing; and each is its own normal form."""
    asked: dict[str, str] = {}
    for one in words.WORDS.values():
        for meaning, word in one.meanings():
            assert asked.setdefault(word, meaning) == meaning
            assert normal(word) == word.lower()


def test_own_words() -> None:
    """Own words count besides those of the languages, and before them: STOPALL may mean this number only."""
    found = OptOut(languages=("de",), stop=("Raus hier!", "STOPALL", "रोकें"), start=("Rein",))
    assert [found.meaning(one) for one in ("raus hier", "RAUS", "stopall", "रोकें", "रोक", "rein", "start")] == [
        "stop", None, "stop", "stop", None, "start", "start",
    ]  # fmt: skip
    assert OptOut(languages=(), stop=("weg",)).meaning("STOP") is None


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "region", "same"),
    [
        (Number("+61412345678"), Number("61412345678"), None, True),
        (Number("+61412345678"), Number("tel:+61412345678"), None, True),
        (Number("+61412345678"), Number("+61412345678/TYPE=PLMN"), None, True),
        (Number("+61412345678"), Number("+61 (412) 345-678"), None, True),
        (Number("+61412345678"), Number("0412345678"), None, False),
        (Number("+61412345678"), Number("0412345678"), "AU", True),
        (Number("61412345678"), Number("0412 345 678"), "AU", True),
        (Number("0011 1 202 555 0123"), Number("12025550123"), "AU", True),
        (Number("+12025550123"), Number("0412345678"), "AU", False),
        (Number("111122"), ShortCode("111122"), "AU", True),
        (ShortCode("News"), ShortCode("NEWS"), None, True),
        (RFC2822Address("Ann@Example.org"), Number("ann@example.org"), None, True),
        (Number("AbC", coding="encrypted"), Number("AbC", coding="encrypted"), None, True),
        (Number("AbC", coding="encrypted"), Number("abc", coding="encrypted"), None, False),
        (Number("412", coding="encrypted"), Number("412"), None, False),
    ],
)
def test_keys(one: Any, other: Any, region: str | None, same: bool) -> None:
    """One subscriber has one key, however a carrier writes the number; a national form needs a numbering plan."""
    assert (opt_outs.key(one, region) == opt_outs.key(other, region)) is same


def test_a_key_is_one_that_a_database_takes() -> None:
    """A long address is compared by its digest."""
    assert len(opt_outs.key(RFC2822Address("x" * 500 + "@x"), None)) < 200
    assert len({opt_outs.key(Number("9" * 300 + end), None) for end in "123"}) == 3


# --- kept -------------------------------------------------------------------------------------------------------------


def test_stop_is_kept_and_passed_on(room: Make) -> None:
    """A STOP is kept with its MO: who, from which number, since when, by which word; the application gets it, too."""
    one = room(TNN, OTHER)
    id = say(one, "Stop.")
    assert kept(one) == [
        OptOutRow(
            subscriber="61412345678", number="111122", application="tnn", since=one.clock(), word="Stop.",
            message_id=id, seq=1,
        )
    ]  # fmt: skip
    one.gateway.run_pending()
    assert [part.read() for part in one.calls.of(DeliverReq)[0].parts] == [b"Stop."]
    assert one.states(id) == ["Delivered"]


def test_nobody_is_heard_without_opt_out(room: Make) -> None:
    """It is off unless configured: nothing is kept, nothing refused, and no statement asks."""
    one = room(CALLED, OTHER)
    say(one, "STOP")
    asked = watched(one)
    assert one.code(TO_ANN) == 1000
    one.gateway.run_pending()
    assert asked
    assert not [each for each in asked if "opt_out" in each]
    assert kept(one) == []


def watched(one: Room) -> list[str]:
    """The statements that are executed from now on."""
    said: list[str] = []

    def noted(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        said.append(" ".join(statement.split()))

    event.listen(one.gateway.database.engine, "before_cursor_execute", noted)
    return said


def test_the_first_text_or_the_subject(room: Make) -> None:
    """The first text that is not blank counts, whatever stands beside it; the subject, where there is no text."""
    one = room(TNN, OTHER)
    send = one.gateway.simulator.send_mo
    picture = Part(body=b"GIF89a" + bytes(20_000), content_type="image/gif")
    for n, (subject, parts) in enumerate(
        [
            ("hello", [picture, text("\n "), text("STOP"), text("sent from my phone")]),
            ("Unsubscribe", []),
            ("Re: STOP", [text("cancel")]),
            ("STOP", [text("\u200b"), picture]),
        ]
    ):
        send("tnn", f"+6140000000{n}", "111122", subject, parts)
        assert len(kept(one)) == n + 1, (subject, parts)
    for subject, parts in (("STOP", [text("hello")]), (None, [text("hello"), text("STOP")]), (None, [picture])):
        send("tnn", "+61400000009", "111122", subject, parts)
    assert len(kept(one)) == 4


def test_other_texts_are_not_read_again(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a message that begins with one of the words is taken apart, where others wait for the lock."""
    one = room(TNN, OTHER)
    read: list[object] = []
    parts_of = content.parts_of

    def noted(raw: Any) -> Any:
        read.append(raw)
        return parts_of(raw)

    monkeypatch.setattr(content, "parts_of", noted)
    looks = []
    for said in ("hello", "please stop the music", "stop the music", "stop"):
        before = len(read)
        say(one, said)
        looks.append(len(read) - before - 1)  # the simulator reads what it has written, too
    assert looks == [0, 0, 1, 1]


def test_for_this_number_only(room: Make) -> None:
    """STOP is for the number it was sent to, STOPALL for all of the application's and those to come; START for one."""
    one = room(TNN, OTHER)
    say(one, "STOP", to="444")
    assert numbers(one) == {"444"}
    assert one.code(replace(TO_ANN, sender_address=FROM)) == 1000
    assert one.code(replace(TO_ANN, sender_address=ShortCode("444"))) == 2610
    say(one, "START", to="111122")
    assert numbers(one) == {"444"}
    say(one, "STOPALL", to="111122")
    assert numbers(one) == {"444", "111122", "*"}
    assert one.code(replace(TO_ANN, sender_address=FROM)) == 2610
    say(one, "START", to="111122")
    assert numbers(one) == {"444"}
    assert one.code(replace(TO_ANN, sender_address=FROM)) == 1000
    say(one, "unstop", to="444")
    assert kept(one) == []


def test_a_number_that_is_nobodys(room: Make) -> None:
    """An MO that names none of the application's numbers is about all of them, and so is its START."""
    one = room(TNN, OTHER)
    say(one, "STOP", to="+61499999999")
    assert numbers(one) == {"444", "111122", "*"}
    say(one, "START", to="+61499999999")
    assert kept(one) == []


def test_said_again(room: Make) -> None:
    """A STOP that is said again changes nothing of the first; after a START it is a new one."""
    one = room(TNN, OTHER)
    first = say(one, "STOP")
    one.clock.move(hours=1)
    say(one, "END", sender=Number("61412345678/TYPE=PLMN"))
    [row] = kept(one)
    assert (row.message_id, row.word, row.since) == (first, "STOP", one.clock() - 3600)
    say(one, "START")
    say(one, "QUIT")
    assert [each.word for each in kept(one)] == ["QUIT"]


def test_national_and_international(room: Make) -> None:
    """Where the application has a numbering plan, the national form of a number is the same subscriber."""
    one = room(replace(TNN, numbers="AU"), OTHER)
    say(one, "STOP", sender="0412345678")
    assert one.code(TO_ANN) == one.code(replace(SUBMIT, to=(Number("0412 345 678".replace(" ", "")),))) == 2610


def test_who_is_not_known(room: Make) -> None:
    """An MO whose sender is coded is compared as it was sent."""
    one = room(TNN, OTHER)
    say(one, "STOP", sender=Number("x9", coding="encrypted"))
    assert one.code(replace(SUBMIT, to=(Number("x9", coding="encrypted"),))) == 2610
    assert one.code(replace(SUBMIT, to=(ShortCode("x9"),))) == 1000


def test_retention_leaves_them(room: Make) -> None:
    """An opt-out stays when its MO is deleted by retention."""
    one = room(TNN, OTHER, retention=Retention(days=1))
    say(one, "STOP")
    one.gateway.run_pending()
    one.clock.move(days=400)
    assert one.gateway.confirm_clock() in (True, False)
    assert one.gateway.housekeeper.sweep() == 1
    assert one.messages == []
    assert one.code(TO_ANN) == 2610


def test_one_that_fails_is_not_kept(room: Make) -> None:
    """The opt-out stands or falls with its MO."""
    one = room(TNN, OTHER)

    def fail(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO outbox"):
            raise KeyError("outbox")

    event.listen(one.gateway.database.engine, "before_cursor_execute", fail)
    with pytest.raises(KeyError):
        say(one, "STOP")
    event.remove(one.gateway.database.engine, "before_cursor_execute", fail)
    assert (kept(one), one.messages) == ([], [])


# --- refused ----------------------------------------------------------------------------------------------------------


def test_refused_with_its_own_code(room: Make) -> None:
    """A submit to who has opted out is refused with a code of its own that says who, keeps nothing, and is no fault of
    the server; the same request is taken after the START.
    """
    one = room(TNN, OTHER)
    say(one, "STOP")
    before = len(one.messages)
    status = one.ask(TO_ANN, transaction_id="t").message.error.status  # type: ignore[attr-defined, union-attr]
    assert (status.code, status.text, status.temporary) == (2610, "Recipient opted out", False)
    assert "+61412345678" in status.details
    assert len(one.messages) == before
    say(one, "START")
    assert one.code(TO_ANN, transaction_id="t") == 1000
    assert one.code(replace(TO_ANN, vaspid="OTH", vasid=None), user="other") == 1000


def test_refused_in_part(room: Make) -> None:
    """The others are served: 1100, and the copy that is not sent says why; displayOnly recipients are not judged."""
    one = room(replace(TNN, numbers="AU"), OTHER)
    say(one, "STOP")
    wrong = Number("+6141")
    shown = replace(ANN, display_only=True)
    answer = one.ask(replace(SUBMIT, to=(ANN, BOB), cc=(wrong, shown))).message
    assert answer.status.code == 1100  # type: ignore[attr-defined]
    copies = one.copies(answer.message_id)  # type: ignore[attr-defined]
    assert [(copy.state, copy.detail, str(copy.destination)) for copy in copies] == [
        ("Refused", "the recipient has opted out", "none"),
        ("Pending", None, "handset"),
        ("Refused", "no address that can be served", "none"),
        ("DisplayOnly", None, "none"),
    ]
    one.gateway.run_pending()
    assert one.states(answer.message_id) == ["Refused", "Retrieved", "Refused", "DisplayOnly"]  # type: ignore[attr-defined]
    assert one.code(replace(SUBMIT, to=(BOB, shown))) == 1000
    assert one.code(replace(SUBMIT, to=(ANN, wrong))) == 2610


def test_a_sender_that_is_not_known(room: Make) -> None:
    """Without a SenderAddress, or with one that is no short code of the application, any opt-out counts."""
    one = room(TNN, OTHER)
    say(one, "STOP", to="444")
    assert one.code(TO_ANN) == 2610
    assert one.code(replace(TO_ANN, sender_address=ShortCode("News"))) == 2610
    assert one.code(replace(TO_ANN, sender_address=Number("111122/TYPE=PLMN"))) == 1000


def test_other_applications_are_not_concerned(room: Make) -> None:
    """An opt-out is from one application's messages; a number that moves keeps its opt-outs."""
    one = room(TNN, replace(OTHER, opt_out=OptOut()))
    say(one, "STOPALL")
    to_ann = replace(TO_ANN, vaspid="OTH", vasid=None)
    assert one.code(to_ann, user="other") == 1000
    origin = opt_outs.Origin.of(replace(OTHER, short_codes=("444",), opt_out=OptOut()), None)
    with one.gateway.database.read() as connection:
        assert opt_outs.barred(connection, [(origin, "61412345678"), (origin, "61487654321")]) == [True, False]


def test_a_number_that_is_given_up(room: Make) -> None:
    """An opt-out from a number that the application no longer has counts where no number is named."""
    one = room(TNN, OTHER)
    say(one, "STOP", to="444")
    fewer = replace(TNN, short_codes=("111122",))
    asked = [opt_outs.Origin.of(fewer, sender) for sender in (None, ShortCode("News"), ShortCode("444"), FROM)]
    with one.gateway.database.read() as connection:
        told = opt_outs.barred(connection, [(origin, "61412345678") for origin in asked])
    assert told == [True, True, True, False]


def test_a_thousand_recipients_cost_one_statement(room: Make) -> None:
    """All recipients are looked up in one statement, along the key."""
    one = room(TNN, OTHER)
    say(one, "STOP")
    everybody = tuple(Number(f"+614{n:08d}") for n in range(12345178, 12346178))
    asked = watched(one)
    answer = one.ask(replace(SUBMIT, to=everybody)).message
    assert answer.status.code == 1100  # type: ignore[attr-defined]
    assert len([each for each in asked if "FROM opt_out" in each]) == 1
    assert [copy.address for copy in one.copies(answer.message_id) if copy.state == "Refused"] == ["+61412345678"]  # type: ignore[attr-defined]
    if one.gateway.database.sqlite:
        with one.gateway.database.read() as connection:
            plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {opt_outs._LOOK_SQLITE}"), {"asked": "[]"}).all()
        assert any("SEARCH opt_out USING INDEX" in row[3] for row in plan), plan


def test_stop_that_was_committed_before_counts_together(room: Make) -> None:
    """Of many submits that are kept in one transaction, those to who opted out before are refused, the others kept."""
    one = room(TNN, OTHER)
    say(one, "STOP")
    say(one, "STOP", sender=BOB, to="444")
    wanted = [replace(TO_ANN, sender_address=FROM), TO_BOTH, replace(SUBMIT, to=(Number("+61400"),))]
    asked = watched(one)
    futures = [soon(one, message) for message in wanted * 8]
    codes = [came.exception(10).status.code if came.exception(10) else came.result(0).status.code for came in futures]  # type: ignore[union-attr]
    assert codes == [2610, 2610, 1000] * 8
    assert len([message for message in one.messages if message.direction == "mt"]) == 8
    assert len([each for each in asked if each.startswith("INSERT INTO message")]) < 8


def soon(one: Room, message: Message) -> Future[Any]:
    """A submit that waits for the next commit with others."""
    wire = exchange.pack(message)
    received: Received = exchange.unpack(wire)
    call = Call(message=received.message, received=received, raw=wire.read(), user="tnn")
    return intake(one).submit_soon(call)


def intake(one: Room) -> Intake:
    """What takes submits, without the endpoint around it."""
    gateway = one.gateway
    return Intake(
        settings=one.settings,
        handsets=gateway.handsets,
        database=gateway.database,
        clock=gateway.clock,
        group=gateway._group,
        wake=lambda: None,
        repeated=lambda request, done: None,
        recall=Recall(database=gateway.database, upstream=gateway._caller.change),
    )


def test_a_stop_of_another_process(room: Make) -> None:
    """A submit that is just being kept waits for nobody: an opt-out that was committed meanwhile, by another process or
    thread, is seen when the copy is due.
    """
    one = room(TNN, OTHER)
    looked, go = threading.Event(), threading.Event()
    refused = opt_outs.Look.refused

    def slow(look: opt_outs.Look, connection: Any, now: float) -> Any:
        found = refused(look, connection, now)
        looked.set()
        assert go.wait(10)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opt_outs.Look, "refused", slow)
        submit = soon(one, replace(TO_ANN, delivery_report=True))
        assert looked.wait(10)
        stop = threading.Thread(target=say, args=(one, "STOP"))
        stop.start()
        if not one.gateway.database.sqlite:  # SQLite has one writer at a time
            stop.join(10)
        go.set()
        assert submit.result(10).status.code == 1000
    stop.join(10)
    assert numbers(one) == {"111122"}
    one.gateway.run_pending()
    assert one.states(submit.result(0).message_id) == ["Rejected"]


# --- before it leaves -------------------------------------------------------------------------------------------------


def test_who_opts_out_before_it_is_due(room: Make) -> None:
    """A message that waits is not sent to who opts out meanwhile: the copy is Rejected, which is reported; the others
    get theirs.
    """
    one = room(TNN, OTHER)
    later = replace(TO_BOTH, delivery_report=True, earliest_delivery_time=timedelta(hours=1))
    id = one.submitted(later)
    say(one, "STOP")
    one.gateway.run_pending()
    assert one.states(id) == ["Pending", "Pending"]
    one.clock.move(hours=2)
    assert one.gateway.confirm_clock() in (True, False)
    one.gateway.run_pending()
    assert [(copy.state, copy.detail) for copy in one.copies(id)] == [
        ("Rejected", "the recipient has opted out"),
        ("Retrieved", None),
    ]
    told = {report.recipient.value: report for report in one.calls.of(DeliveryReportReq)}
    assert (told[ANN.value].mm_status, told[ANN.value].status_text) == ("Rejected", "Recipient opted out")
    assert told[BOB.value].mm_status == "Retrieved"


def test_who_opts_out_before_it_leaves_for_an_upstream(room: Make) -> None:
    """What waits in the outbox for an upstream that was away is not sent to who opted out meanwhile."""
    away: Any = lambda request: [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]  # noqa: E731
    with FarSide(away, proper) as far:
        upstream = Upstream(name="far", url=far.url, vaspid="WE")
        one = room(TNN, OTHER, upstreams=(upstream,), routes=(Route(prefix="+61", via="far"),))
        id = one.submitted(replace(TO_ANN, delivery_report=True))
        one.gateway.run_pending()
        assert one.states(id) == ["Pending"]
        say(one, "STOP")
        one.clock.move(seconds=30)
        one.gateway.run_pending()
        assert [(copy.state, copy.detail) for copy in one.copies(id)] == [("Rejected", "the recipient has opted out")]
        assert len(far.requests) == 1
    assert [(call.state, call.reason) for call in one.outbox() if call.kind == "submit"] == [
        ("dead", "the recipient has opted out")
    ]
    assert [report.status_text for report in one.calls.of(DeliveryReportReq)] == ["Recipient opted out"]


def test_who_opts_out_after_an_attempt_without_an_answer(room: Make) -> None:
    """Where an attempt may have reached the upstream, it is not made again, and the reason says that it may have."""
    with FarSide(lambda request: [CLOSE], proper) as far:  # the request is read, and the connection closed
        upstream = Upstream(name="far", url=far.url, vaspid="WE")
        one = room(TNN, OTHER, upstreams=(upstream,), routes=(Route(prefix="+61", via="far"),))
        id = one.submitted(TO_ANN)
        one.gateway.run_pending()
        say(one, "STOP")
        one.clock.move(seconds=30)
        one.gateway.run_pending()
        detail = "the recipient has opted out; an attempt before that may have reached far"
        assert [(copy.state, copy.detail) for copy in one.copies(id)] == [("Rejected", detail)]
        assert len(far.requests) == 1


# --- the one answer ---------------------------------------------------------------------------------------------------


def test_the_confirmation(room: Make) -> None:
    """The message that answers the STOP, by its LinkedID, is let through, once, and until it has left."""
    one = room(TNN, OTHER)
    stop = say(one, "STOP")
    other = say(one, "hello", sender=BOB)
    assert one.code(replace(TO_ANN, linked_id=other)) == 2610
    answer = replace(TO_ANN, linked_id=stop, sender_address=FROM)
    id = one.submitted(answer)
    assert kept(one)[0].confirmed == one.clock()
    one.gateway.run_pending()
    assert one.states(id) == ["Retrieved"]
    assert one.code(replace(answer, subject="once more")) == 2610
    assert one.code(TO_ANN) == 2610


def test_the_confirmation_of_all(room: Make) -> None:
    """Of a STOPALL there is one answer, too, and only to who said it; one that is refused for another reason has not
    been given.
    """
    one = room(TNN, OTHER)
    stop = say(one, "STOPALL")
    say(one, "STOP", sender=BOB)
    assert one.code(replace(SUBMIT, to=(BOB,), linked_id=stop)) == 2610
    assert one.code(replace(TO_ANN, linked_id="unknown")) == 2006
    assert one.code(replace(SUBMIT, to=(ANN,), cc=(ANN, BOB), linked_id=stop)) == 1100
    [message] = [each for each in one.messages if each.direction == "mt"]
    assert one.states(message.id) == ["Pending", "Pending", "Refused"]
    assert one.code(replace(TO_ANN, linked_id=stop, subject="again")) == 2610


def test_two_confirmations_at_the_same_moment(room: Make) -> None:
    """Of two answers that were both looked up before either was taken, one is let through."""
    one = room(TNN, OTHER)
    look = opt_outs.Look.of(TNN, FROM, [ANN], linked_id=say(one, "STOP"))
    with one.gateway.database.write() as connection, pytest.MonkeyPatch.context() as patch:
        stale = opt_outs._of(connection, {"61412345678"})
        patch.setattr(opt_outs, "_of", lambda connection, subscribers: stale)
        assert [look.refused(connection, now) for now in (1.0, 2.0)] == [(), (ANN,)]
    assert kept(one)[0].confirmed == 1.0


def test_the_same_confirmation_again(room: Make) -> None:
    """A confirmation that comes again under its TransactionID is answered as before."""
    one = room(TNN, OTHER)
    answer = replace(TO_ANN, linked_id=say(one, "STOP"))
    assert one.submitted(answer, transaction_id="t") == one.submitted(answer, transaction_id="t")


# --- wherever an MO comes from ----------------------------------------------------------------------------------------


def test_brought_by_an_upstream(room: Make) -> None:
    """A STOP that another MMSC brings counts, for each of the short codes that it names, and is answered 1000."""
    upstream = Upstream(name="far", url="http://far/mm7", vaspid="WE", callback_username="up", callback_password="u")
    one = room(TNN, OTHER, upstreams=(upstream,))
    mo = DeliverReq(
        sender=Number("+61412345678/TYPE=PLMN"),
        to=(Number("444"),),
        cc=(Number("+61400"), ShortCode("111122")),
        parts=(TEXT, text("no")),
        subject="STOP",
    )
    assert one.code(mo, user="up") == 1000
    assert kept(one) == []
    assert one.code(replace(mo, parts=(text("unsubscribe"),)), user="up") == 1000
    assert numbers(one) == {"444", "111122"}
    assert one.code(TO_ANN) == 2610


def test_sent_by_another_application(room: Make) -> None:
    """A message of one application to another's short code opts nobody out: it may name any sender."""
    one = room(TNN, replace(OTHER, opt_out=OptOut()))
    for sender in (FROM, ANN):
        stop = replace(SUBMIT, to=(ShortCode("333"),), sender_address=sender, subject=None, parts=(text("Stop!"),))
        one.submitted(stop)
        one.gateway.run_pending()
    assert kept(one) == []
    assert one.code(SubmitReq(vaspid="OTH", to=(ANN,), subject="s", parts=(TEXT,)), user="other") == 1000


# --- what an operator does --------------------------------------------------------------------------------------------


def test_metrics(room: Make) -> None:
    """How many subscribers have opted out is counted by application, and refusals by their code."""
    one = room(TNN, OTHER)
    say(one, "STOPALL")
    say(one, "STOP", sender=BOB)
    assert one.code(TO_ANN) == 2610
    page = one.gateway.metrics.exposition(one.gateway.database)[0].decode()
    assert 'mm7_kept_opt_outs{application="tnn"} 2.0' in page
    assert 'status="2610"' in page
