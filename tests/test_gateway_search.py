"""What a search finds: every filter on both engines, in pages, whoever's the message is, and after it has changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gateway_room import ONE, Make, rooms, sqlite_url
from stored import NOW, keep, kept

from mm7zeep.gateway.store import content, messages, migrations, search, tables, viewed
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.remote_parts import RemotePart, awaited, placeholder
from mm7zeep.gateway.store.search import Search, found, newer
from mm7zeep.messages import Part, ReplaceReq

GIF = Part(body=b"GIF89a" + bytes(20), content_type="image/gif", content_id="g@x")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each engine."""
    on_server = request.param == "postgresql"
    made = Database(request.getfixturevalue("postgres_url") if on_server else sqlite_url(tmp_path))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


def ids(database: Database, **wanted: Any) -> list[str]:
    """The ids of what a search finds."""
    with database.read() as connection:
        return [one.id for one in found(connection, Search(**wanted), limit=100)]


@pytest.fixture
def filled(database: Database) -> Database:
    """A handful of messages, each different."""
    keep(
        database,
        kept("plain", subject="News for today", excerpt="Science and Sport", sender="111122", size=100),
        kept("many", to=("+61411", "61422/TYPE=PLMN", "Jo.Citizen@Example.org"), subject="50% off_now", size=2000),
        kept("mo", direction="mo", to=("111122",), sender="+61400/TYPE=PLMN", excerpt="Straße ÉTÉ", accepted=NOW + 10),
        kept("other", application="other", to=("+61400",), state="Expired", types=("IMAGE/GIF", "video/3gpp"), size=0),
        kept("jpg", types=("image/jpg", "audio/amr"), state="Rejected", accepted=NOW + 20, subject="a\\b"),
    )
    with database.write() as connection:
        viewed.mark(connection, ["mo", "jpg", "nobody"], NOW)
    return database


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "everything": ({}, "jpg other mo many plain"),
    "of an application": ({"application": "tnn"}, "jpg mo many plain"),
    "direction": ({"direction": "mo"}, "mo"),
    "to: a piece": ({"to": "140"}, "jpg other plain"),
    "to: whole": ({"to": "+61411"}, "many"),
    "to: the beginning, not a piece": ({"to": "+1400"}, ""),
    "to: plus or not": ({"to": "+61422"}, "many"),
    "to: no TYPE": ({"to": "PLMN"}, ""),
    "to: any case": ({"to": "jo.citizen@example"}, "many"),
    "to: not across two": ({"to": "61411\n61422"}, ""),
    "from: a piece": ({"from_": "1112"}, "plain"),
    "from: plus": ({"from_": "+614"}, "mo"),
    "from: without": ({"from_": "61400"}, "mo"),
    "from: the beginning, not a piece": ({"from_": "+1400"}, ""),
    "subject": ({"subject": "NEWS for"}, "plain"),
    "subject: not the text": ({"subject": "science"}, ""),
    "subject: wildcards stand for themselves": ({"subject": "%"}, "many"),
    "subject: _ is no wildcard": ({"subject": "f_n"}, "many"),
    "subject: _ is no wildcard either": ({"subject": "N_ws"}, ""),
    "subject: backslash": ({"subject": "a\\b"}, "jpg"),
    "a word of the subject": ({"words": ("today",)}, "plain"),
    "a word of the text": ({"words": ("SPORT",)}, "plain"),
    "a word: other letters in any case": ({"words": ("été",)}, "mo"),
    "words: each": ({"words": ("science", "news")}, "plain"),
    "words: each, else nothing": ({"words": ("science", "off")}, ""),
    "a word: an address": ({"words": ("citizen",)}, "many"),
    "a word: the sender": ({"words": ("111122",)}, "mo plain"),
    "a word: a number with its plus": ({"words": ("+61422",)}, "many"),
    "a word: an id": ({"words": ("plain",)}, "plain"),
    "a word: not a piece of an id": ({"words": ("plai",)}, ""),
    "a word: wildcards stand for themselves": ({"words": ("0% o",)}, "many"),
    "a word: nowhere": ({"words": ("zzz",)}, ""),
    "blank words": ({"words": ("",)}, "jpg other mo many plain"),
    "has a class": ({"has": ("image",)}, "jpg other"),
    "has a class, any case": ({"has": ("VIDEO",)}, "other"),
    "has both": ({"has": ("image", "audio")}, "jpg"),
    "has a type": ({"has": ("image/gif",)}, "other"),
    "has a type under another name": ({"has": ("image/jpeg",)}, "jpg"),
    "has: no piece of a type": ({"has": ("gif",)}, ""),
    "has: wildcards": ({"has": ("%",)}, ""),
    "larger": ({"larger": 100}, "many"),
    "smaller": ({"smaller": 100, "application": "other"}, "other"),
    "larger than anything": ({"larger": 10**30}, ""),
    "smaller than anything": ({"smaller": -(10**30)}, ""),
    "a state": ({"states": ("expired",)}, "other"),
    "one of two states": ({"states": ("EXPIRED", "rejected")}, "jpg other"),
    "no such state": ({"states": ("zzz",)}, ""),
    "a state and more": ({"states": ("expired",), "application": "tnn"}, ""),
    "after": ({"after": NOW + 10}, "jpg mo"),
    "before": ({"before": NOW + 10}, "other many plain"),
    "unopened": ({"unopened": True}, "other many plain"),
    "opened": ({"unopened": False}, "jpg mo"),
    "number": ({"number": "+61400"}, "jpg other mo plain"),
    "number of an application": ({"number": "61400", "application": "tnn"}, "jpg mo plain"),
    "number: whole": ({"number": "6140"}, ""),
    "number: any of several": ({"number": "+61422"}, "many"),
    "number: not across two": ({"number": "61411\n61422"}, ""),
    "recipient: whole": ({"recipient": "+61400"}, "jpg other plain"),
    "recipient: as it was given": ({"recipient": "61400"}, ""),
    "recipient: no piece": ({"recipient": "+6140"}, ""),
    "recipient: without its type": ({"recipient": "61422"}, "many"),
    "recipient: with its type": ({"recipient": "61422/TYPE=PLMN"}, "many"),
    "recipient: another type": ({"recipient": "61422/TYPE=IPv4"}, ""),
    "recipient: in its case": ({"recipient": "jo.citizen@example.org"}, ""),
    "recipient: wildcards": ({"recipient": "+6140%"}, ""),
    "sender: whole": ({"sender": "+61400/TYPE=PLMN"}, "mo"),
    "sender: no piece": ({"sender": "+61400"}, ""),
    "a word: an address with its type": ({"words": ("61422/TYPE=PLMN",)}, "many"),
    "a word: spaces": ({"words": ("news   FOR",)}, "plain"),
    "no planned": ({"planned": False}, "jpg other mo many plain"),
    "everything together": (
        {"application": "tnn", "direction": "mt", "to": "400", "subject": "news", "words": ("sport",), "has": ("text",),
         "larger": 99, "smaller": 101, "states": ("retrieved",), "after": NOW, "before": NOW + 1, "unopened": True},
        "plain",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "expected"), CASES.values(), ids=CASES.keys())
def test_filters(filled: Database, wanted: dict[str, Any], expected: str) -> None:
    """Each filter finds what fits and nothing else, the newest first."""
    assert ids(filled, **wanted) == expected.split()


def test_what_is_planned_is_left_out_if_wanted(filled: Database) -> None:
    """What a handset is yet to send is found, unless who asks is not to know of it; MT have no such thing."""
    with filled.write() as connection:
        for id in ("mo", "plain"):
            [copy] = messages.recipients(connection, id)
            messages.move(connection, copy, due=NOW)
    assert ids(filled, application="tnn") == ["jpg", "mo", "many", "plain"]
    for wanted in ({}, {"subject": ""}, {"after": NOW}, {"sender": "+61400/TYPE=PLMN"}, {"states": ("retrieved",)}):
        assert "mo" in ids(filled, **wanted)
        assert ids(filled, **wanted, planned=False) == [one for one in ids(filled, **wanted) if one != "mo"]


ODD = ("\0", "\ud800", "%" * 3000, "\\", "é" * 100_000, "'; DROP TABLE message; --", "[", "*", "\n", "+", "+%")


@pytest.mark.parametrize("text", ODD, ids=lambda one: repr(one[:6]))
def test_odd_texts(filled: Database, text: str) -> None:
    """Whatever is looked for makes no statement fail, and matches itself at most."""
    for name in ("application", "direction", "to", "from_", "subject", "number", "recipient", "sender"):
        if text != "+":
            assert [one for one in ids(filled, **{name: text}) if not (name == "subject" and text == "\\")] == []
    for name in ("words", "has", "states"):
        assert set(ids(filled, **{name: (text,) * 1000})) <= {"many", "mo", "plain", "other", "jpg"}


def test_long_addresses_are_found_whole(database: Database) -> None:
    """An address that differs from another behind its first hundreds of characters is another one."""
    long = "a" * 400
    keep(database, kept("one", to=(f"{long}1@x",)), kept("two", to=(f"{long}2@x",)))
    assert ids(database, number=f"{long}1@x") == ["one"]


@pytest.mark.parametrize("near", [(200, 2000), (2, 3)], ids=["near", "far"])
def test_pages(database: Database, monkeypatch: pytest.MonkeyPatch, near: tuple[int, int]) -> None:
    """Pages follow one another down and up again, with a search for states too: of few messages, and of all."""
    monkeypatch.setattr(search, "_NEAR", near)
    states = ("Expired", "Retrieved", "Rejected")
    keep(database, *(kept(f"m{n:02}", state=states[n % 3], subject="x" if n % 2 else "y") for n in range(60)))
    wanted = Search(states=("expired",), subject="x")
    expected = [f"m{n:02}" for n in reversed(range(60)) if n % 3 == 0 and n % 2]
    with database.read() as connection:
        down, pages, before = [], [], None
        while page := found(connection, wanted, limit=4, before=before):
            pages.append([one.id for one in page])
            down += pages[-1]
            before = page[-1].seq
        assert down == expected
        assert [len(page) for page in pages] == [4, 4, 2]
        back = newer(connection, wanted, limit=4, after=page_end(connection, pages[1][0]))
        assert [one.id for one in back] == pages[0]
        plain = newer(connection, Search(), limit=3, after=page_end(connection, "m10"))
        assert [one.id for one in plain] == ["m13", "m12", "m11"]


def page_end(connection: sa.Connection, id: str) -> int:
    """The ``seq`` of a message."""
    row = messages.message(connection, id)
    assert row is not None
    assert row.seq is not None
    return row.seq


def test_a_state_that_changes_is_found_as_it_is(filled: Database) -> None:
    """States are those that the copies have at the moment, whoever has changed them."""
    with filled.write() as connection:
        [copy] = messages.recipients(connection, "plain")
        messages.move(connection, copy, state="Forwarded", changed=NOW)
    assert ids(filled, states=("forwarded",)) == ["plain"]
    assert ids(filled, states=("retrieved",)) == ["mo", "many"]


def test_deleted_messages_are_not_found(filled: Database) -> None:
    """What was deleted is found no more, and nothing is left of it where searches look."""
    with filled.write() as connection:
        assert messages.delete(connection, ["plain", "mo"]) == 2
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.VIEWED)) == 1
    assert ids(filled) == ["jpg", "other", "many"]
    assert ids(filled, words=("science",)) == ids(filled, unopened=False, direction="mo") == []


def test_what_a_gateway_keeps_is_found(room: Make) -> None:
    """A submit is found by what it says and has; once it is replaced, by what it says then."""
    one = room()
    submit = replace(ONE, subject="Holiday", parts=(*ONE.parts, GIF), delivery_condition=None)
    first = one.submitted(submit)
    database = one.gateway.database
    for wanted in ({"words": ("hello", "holiday")}, {"has": ("image/gif", "text")}, {"to": "+61400"}):
        assert ids(database, application="tnn", **wanted) == [first]
        assert ids(database, application="other", **wanted) == []
    text = Part(body=b"another text", content_type="text/plain", content_id="n@x")
    assert one.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=first, parts=(text,))) == 1000
    assert ids(database, words=("another", "holiday", "+61400")) == [first]
    assert ids(database, words=("hello",)) == ids(database, has=("image",)) == []


def test_parts_to_come_are_found_by_what_they_are_to_be() -> None:
    """A part that is still to be fetched has the type that was asked for; without one it has none."""
    wished = [RemotePart(1, "http://x/1", "Image/PNG; x=y"), RemotePart(2, "http://x/2")]
    parts = [*ONE.parts, *map(placeholder, wished)]
    assert awaited(content.summary(parts), wished).media == " text text/plain image image/png "


def test_what_an_older_version_kept_is_found(database: Database) -> None:
    """The migration says of the messages that are there what a search looks through, as it is said of new ones."""
    long = ["x/" + "y" * 90 + str(n) for n in range(20)]
    keep(
        database,
        kept("old", to=("+61400/TYPE=PLMN", "+61400", "a@B"), subject="News\n2", excerpt="É", sender="+1/TYPE=PLMN"),
        kept("long", types=long, to=()),
    )
    with database.write() as connection:
        parts = [{"content_type": "IMAGE/gif"}, {"content_type": None}, {"content_type": "text/plain"}]
        messages.change(connection, "old", parts=json.dumps(parts))
        before = {row["id"]: dict(row) for row in connection.execute(sa.select(tables.MESSAGE)).mappings()}
        steps = len(migrations.STEPS)
        for statement in undone(database.sqlite):
            connection.exec_driver_sql(statement)
        connection.execute(sa.delete(tables.MIGRATION).where(tables.MIGRATION.c.version >= steps - 1))
        assert migrations.migrate(connection) == steps
        after = {row["id"]: dict(row) for row in connection.execute(sa.select(tables.MESSAGE)).mappings()}
    names = ("addresses", "words")
    assert {id: [row[name] for name in names] for id, row in after.items()} == {
        id: [row[name] for name in names] for id, row in before.items()
    }
    assert set(after["old"]["media"].split()) == {"image", "image/gif", "text", "text/plain"}
    assert ids(database, has=("image/gif",), words=("news", "é")) == ["old"]


def undone(sqlite: bool) -> Iterator[str]:
    """What takes the last two steps of the migrations back."""
    yield "ALTER TABLE outbox DROP COLUMN tried"
    if sqlite:
        yield "DROP INDEX message_search"
    yield from ("DROP TABLE session", "DROP TABLE viewed", "ALTER TABLE heartbeat DROP COLUMN changes")
    yield from (f"ALTER TABLE message DROP COLUMN {name}" for name in ("media", "addresses", "words"))


def test_sqlite_reads_the_narrow_index_alone(tmp_path: Path) -> None:
    """Whatever is looked for, and however selective another index may seem, only the rows of a page are read."""
    path = tmp_path / "store.db"
    made, asked = Database(f"sqlite:///{path}"), []
    keep(made, kept("one"))
    sa.event.listen(made.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    for wanted, _ in CASES.values():
        ids(made, **wanted)
    made.close()
    with closing(sqlite3.connect(path)) as connection:
        for statement, values in asked:
            if "searched" in statement:
                plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
                ways = [one for one in plan if one.startswith(("SCAN message", "SEARCH message"))]
                assert ways
                assert all("COVERING INDEX message_search" in one or "(id=?)" in one for one in ways), plan
                assert not [one for one in plan if "TEMP B-TREE" in one], plan
