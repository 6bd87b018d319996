"""``mm7zeep export``: records of a gateway that received MT and MO, as CSV and JSON lines, once and followed."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gateway_room import ONE, SUBMIT, Make, Room, rooms

from mm7zeep.cli import export, main
from mm7zeep.errors import StatusError
from mm7zeep.gateway.cdr import walk
from mm7zeep.gateway.cdr.columns import COLUMNS
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.delivery.retry import Outcome, judge
from mm7zeep.gateway.store import details, messages
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.messages import DeliverReq, Number, RFC2822Address, ShortCode

FAR = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us", callback_username="up", callback_password="u")
AWAY: dict[str, Any] = {"upstreams": (FAR,), "routes": (Route(prefix="+64", via="far"),)}
RICH = replace(
    SUBMIT,
    to=(Number("+61412345678"),),
    cc=(RFC2822Address("jo.citizen@example.org"),),
    bcc=(Number("+6421123456"),),
    sender_address=ShortCode("111122"),
    service_code="gold",
    charged_party="ThirdParty",
    charged_party_id="+61298765432",
    message_class="Advertisement",
    priority="High",
    distribution_indicator=False,
    earliest_delivery_time=datetime(2026, 3, 1, 13, tzinfo=UTC),
    expiry_date=timedelta(days=1),
    delivery_report=True,
    subject="nobody's business",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Room]:
    """A gateway on SQLite."""
    with rooms(tmp_path) as make:
        yield make()


def run(one: Room, *words: str) -> Result:
    """Export from the database of a gateway."""
    return CliRunner().invoke(main, ["export", "--database", one.settings.database, *words])


def table(one: Room, *words: str) -> list[dict[str, str]]:
    """The rows of CSV."""
    done = run(one, *words)
    assert (done.exit_code, done.stderr) == (0, "")
    return list(csv.DictReader(io.StringIO(done.stdout_bytes.decode(), newline="")))


def objects(one: Room, *words: str) -> list[dict[str, Any]]:
    """The JSON lines."""
    done = run(one, "--format", "jsonl", *words)
    assert (done.exit_code, done.stderr) == (0, "")
    return [json.loads(text) for text in done.stdout.splitlines()]


# --- what stands in it ------------------------------------------------------------------------------------------------


def test_sent_to_several(room: Make) -> None:
    """Each recipient of an MT has a line with all that the request and the network said of it."""
    one = room(**AWAY)
    id = one.submitted(RICH, transaction_id="t-1")
    one.clock.move(hours=1)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle([call for call in calls if call.kind == "submit"], Outcome(verdict="done", message_id="far-1"))
    rows = sorted(table(one), key=lambda row: row["n"])
    expected = dict.fromkeys(COLUMNS, "") | {
        "message_id": id,
        "n": "0",
        "direction": "mt",
        "application": "tnn",
        "sender": "111122",
        "sender_kind": "ShortCode",
        "recipient": "+61412345678",
        "recipient_kind": "Number",
        "place": "to",
        "accepted_at": "2026-03-01T12:00:00.000Z",
        "earliest_at": "2026-03-01T13:00:00.000Z",
        "expires_at": "2026-03-02T12:00:00.000Z",
        "changed_at": "2026-03-01T13:00:00.000Z",
        "size": "5",
        "parts": "1",
        "state": "Retrieved",
        "mm_status": "Retrieved",
        "destination": "handset",
        "transaction_id": "t-1",
        "delivery_report": "true",
        "read_reply": "false",
        "vaspid": "TNN",
        "vasid": "News",
        "service_code": "gold",
        "charged_party": "ThirdParty",
        "charged_party_id": "+61298765432",
        "message_class": "Advertisement",
        "priority": "High",
        "distribution_indicator": "false",
    }
    assert rows[0] == expected
    assert [(row["recipient"], row["recipient_kind"], row["place"]) for row in rows[1:]] == [
        ("jo.citizen@example.org", "RFC2822Address", "cc"),
        ("+6421123456", "Number", "bcc"),
    ]
    there = {name: rows[2][name] for name in ("state", "mm_status", "destination", "upstream", "remote_id")}
    assert there == {
        "state": "Sent",
        "mm_status": "",
        "destination": "upstream:far",
        "upstream": "far",
        "remote_id": "far-1",
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def test_same_in_both_formats(room: Make) -> None:
    """JSON lines hold what CSV holds, with numbers, truth values and null for what is not there."""
    one = room()
    one.submitted(RICH)
    one.gateway.simulator.send_mo("tnn", "+61400", "111122", "Re: s")
    found, rows = objects(one), table(one)
    assert len(found) == 4
    for each, row in zip(found, rows, strict=True):
        assert list(each) == list(row) == list(COLUMNS)
        assert {name: _text(value) for name, value in each.items()} == row
    assert [type(found[0][name]) for name in ("n", "size", "parts", "read_reply", "linked_id")] == [
        int, int, int, bool, type(None),
    ]  # fmt: skip
    assert "business" not in json.dumps(found)


def test_brought(room: Make) -> None:
    """An MO of a handset, of an upstream and of another application has a line that says where it came from."""
    one = room(**AWAY)
    one.gateway.simulator.send_mo("tnn", "+61400", "111122", "Re: s")
    brought = DeliverReq(sender=Number("+64211"), to=(ShortCode("111122"), Number("+61444")), linked_id="their-1")
    assert one.code(brought, user="up", transaction_id="b") == 1000
    id = one.submitted(replace(ONE, to=(ShortCode("333"),)), transaction_id="c")
    one.clock.move(seconds=1)
    one.gateway.run_pending()
    names = ("direction", "application", "sender", "recipient", "state", "destination", "upstream", "origin_id")
    found = {(row["direction"], row["application"], row["upstream"], row["n"]): row for row in table(one)}
    told = {key: tuple(row[name] for name in names[2:]) for key, row in found.items()}
    assert told == {
        ("mo", "tnn", "", "0"): ("+61400", "111122", "Delivered", "application:tnn", "", ""),
        ("mo", "tnn", "far", "0"): ("+64211", "111122", "Delivered", "application:tnn", "far", ""),
        ("mo", "tnn", "far", "1"): ("+64211", "+61444", "DisplayOnly", "none", "far", ""),
        ("mt", "tnn", "", "0"): ("", "333", "Retrieved", "application:other", "", ""),
        ("mo", "other", "", "0"): ("111122", "333", "Delivered", "application:other", "", id),
    }
    mt, mo = found["mt", "tnn", "", "0"], found["mo", "other", "", "0"]
    assert (mt["remote_id"], found["mo", "tnn", "far", "0"]["linked_id"]) == (mo["message_id"], "their-1")


def test_refused(room: Make) -> None:
    """What a far side refused with is told: its StatusCode and its words."""
    one = room(**AWAY)
    one.submitted(replace(ONE, to=(Number("+64211"),)))
    one.gateway.dispatcher.run_once(claiming=False)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle(calls, judge(StatusError(2004, "no such picture")))
    [row] = objects(one)
    told = {name: row[name] for name in ("state", "mm_status", "status_code", "detail")}
    assert told == {
        "state": "Rejected",
        "mm_status": "Rejected",
        "status_code": 2004,
        "detail": "StatusError: 2004 no such picture",
    }


def test_repetition_counts_once(room: Make) -> None:
    """The same request again has no line of its own."""
    one = room()
    assert one.submitted(ONE, transaction_id="t") == one.submitted(ONE, transaction_id="t")
    assert len(table(one)) == 1


def test_masked(room: Make) -> None:
    """With --mask no number and no mail address stands anywhere; ids and short codes do."""
    one = room()
    odd = RFC2822Address('"jo citizen"@example.org')
    id = one.submitted(replace(RICH, cc=(*RICH.cc, odd), aux_applic_info="call +61 412 345 678"))
    with one.gateway.database.write() as connection:
        messages.move(connection, one.copies(id)[0], detail="StatusError: 2002 +61412345678 is unknown")
    said = run(one, "--mask").stdout
    for secret in ("61412345678", "412 345", "citizen", "298765432"):
        assert secret not in said
    rows = {row["n"]: row for row in table(one, "--mask")}
    assert [rows[n]["recipient"] for n in "0123"] == [
        "+*********78",
        "***@example.org",
        "***@example.org",
        "+********56",
    ]
    assert (rows["0"]["sender"], rows["0"]["message_id"]) == ("111122", id)
    assert rows["0"]["detail"] == "StatusError: 2002 +*********78 is unknown"
    assert any("citizen" in row["recipient"] for row in table(one))


def test_nothing_is_a_formula(plain: Room) -> None:
    """In CSV no text is a formula for a spreadsheet, and the value can be had again; numbers are as they were."""
    values = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'plain", "\uff1d1", "fine", "-12", "+61"]
    for n, value in enumerate(values):
        plain.submitted(replace(ONE, service_code=value), transaction_id=f"t{n}")
        plain.clock.move(seconds=1)
    found = [row["service_code"] for row in table(plain)]
    assert found == [
        "'=1+1", "'+cmd|' /C calc'!A0", "'-2+3", "'@SUM(A1)", "'\\x09=1", "''plain", "'\uff1d1", "fine", "-12", "+61",
    ]  # fmt: skip
    assert [row["service_code"] for row in objects(plain)] == values
    assert {row["recipient"] for row in table(plain)} == {"+61400"}


def test_nothing_is_a_command_for_the_terminal(plain: Room) -> None:
    """What a sender wrote does not reach the terminal as it is; a comma, a quote and a line end cut no row."""
    plain.submitted(replace(ONE, service_code='a\u202eb,"c"\nd'))
    done = run(plain)
    assert done.stdout_bytes.count(b"\r\n") == 2
    assert done.stdout_bytes.decode().replace("\r\n", "").isprintable()
    assert [row["service_code"] for row in table(plain)] == ['a\\x202eb,"c"\\x0ad']
    said = run(plain, "--format", "jsonl").stdout
    assert "\u202e" not in said
    assert json.loads(said)["service_code"] == 'a\u202eb,"c"\nd'


# --- which ------------------------------------------------------------------------------------------------------------


def test_since_and_until(plain: Room) -> None:
    """By changes or by acceptance, from a time on and before another, in ISO 8601 or seconds."""
    ids = []
    for n in range(3):
        ids.append(plain.submitted(ONE, transaction_id=f"t{n}"))
        plain.clock.move(days=1)
    with plain.gateway.database.write() as connection:
        messages.move(connection, plain.copies(ids[0])[0], state="Retrieved", changed=plain.clock())

    def which(*words: str) -> list[int]:
        return [ids.index(row["message_id"]) for row in table(plain, *words)]

    assert which() == [1, 2, 0]
    assert which("--by", "accepted") == [0, 1, 2]
    assert which("--since", "2026-03-02", "--until", "2026-03-04T12:00:00Z") == [1, 2]
    assert which("--since", "2026-03-04T14:00:00+02:00") == [0]
    assert which("--since", "1772366400", "--until", "2026-03-02T12:00:00Z", "--by", "accepted") == [0]
    assert which("--until", "2026-03-01") == []


def test_until_that_is_not_over(plain: Room) -> None:
    """Who asks for what may still come is told so, and gets what there is."""
    plain.submitted(ONE)
    done = run(plain, "--until", f"{time.time() + 60:.0f}")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 2)
    assert done.stderr == "mm7zeep export: --until is so late that what belongs before it may still come\n"


def test_many(plain: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more than a page is written page by page."""
    monkeypatch.setattr(walk, "PAGE", 3)
    for n in range(4):
        plain.submitted(transaction_id=f"t{n}")
    assert len({(row["message_id"], row["n"]) for row in table(plain)}) == 8


# --- followed ---------------------------------------------------------------------------------------------------------


def test_followed(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes and changes is written once for each state, until somebody asks it to end; the exit status is 0."""
    one = room()
    one.clock.now = datetime.now(UTC)
    id = one.submitted(ONE)
    looks = []

    def pause(stop: export._Stop, seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            one.gateway.run_pending()
            one.submitted(ONE, transaction_id="b")
        if len(looks) == 4:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.asked

    monkeypatch.setattr(export._Stop, "wait", pause)
    before = signal.getsignal(signal.SIGINT)
    done = run(one, "--follow")
    assert (done.exit_code, done.stderr, len(looks)) == (0, "", 4)
    rows = list(csv.DictReader(io.StringIO(done.stdout_bytes.decode(), newline="")))
    assert [(row["message_id"] == id, row["state"]) for row in rows[:1]] == [(True, "Pending")]
    assert sorted((row["message_id"] == id, row["state"]) for row in rows[1:]) == [
        (False, "Pending"),
        (True, "Retrieved"),
    ]
    assert signal.getsignal(signal.SIGINT) is before


def test_followed_while_the_database_is_away(plain: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stops answering is told once, and waited for; one that never did ends the program."""
    plain.clock.now = datetime.now(UTC)
    plain.submitted(ONE)
    by_change, looks = details.by_change, []

    def away(*args: Any, **options: Any) -> Any:
        raise StoreError("it went away")

    def pause(stop: export._Stop, seconds: float) -> None:
        looks.append(seconds)
        monkeypatch.setattr(details, "by_change", away if len(looks) in (1, 2) else by_change)
        if len(looks) == 3:
            plain.submitted(ONE, transaction_id="b")
        stop.asked = len(looks) == 4

    monkeypatch.setattr(export._Stop, "wait", pause)
    done = run(plain, "--follow", "--format", "jsonl")
    assert (done.exit_code, len(done.stdout.splitlines()), done.stderr.count("it went away")) == (0, 2, 1)
    monkeypatch.setattr(details, "by_change", away)
    assert run(plain, "--follow").exit_code == 3


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_process(plain: Room) -> None:
    """Ctrl-C ends --follow quietly after a whole line; so does a reader that reads no more."""
    plain.clock.now = datetime.now(UTC)
    plain.submitted(ONE)
    words = [sys.executable, "-P", "-m", "mm7zeep", "export", "--database", plain.settings.database]
    with subprocess.Popen([*words, "--follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as following:
        assert following.stdout is not None
        first = [following.stdout.readline() for _ in range(2)]
        following.send_signal(signal.SIGINT)
        rest, said = following.communicate(timeout=20)
    assert (following.returncode, rest, said) == (0, b"", b"")
    assert all(text.endswith(b"\r\n") for text in first)
    with subprocess.Popen([*words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
        assert one.stdout is not None
        one.stdout.close()
        assert one.stderr is not None
        assert one.stderr.read() == b""


# --- where ------------------------------------------------------------------------------------------------------------


def test_output(plain: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gets its name once it is whole; where the export fails, the one that was there stays."""
    plain.submitted(ONE)
    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "cdr.csv"
    done = run(plain, "--output", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    whole = file.read_bytes()
    assert whole == run(plain).stdout_bytes

    def broken(*args: Any, **options: Any) -> Any:
        raise StoreError("broken")

    monkeypatch.setattr(details, "by_change", broken)
    assert run(plain, "--output", str(file)).exit_code == 3
    assert (os.listdir(folder), file.read_bytes()) == (["cdr.csv"], whole)
    missing = run(plain, "--output", str(tmp_path / "nowhere" / "x"))
    assert (missing.exit_code, "No such file" in missing.stderr) == (3, True)


def test_config(plain: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is that of the configuration, unless the command line or the environment names another."""
    plain.submitted(ONE)
    file = tmp_path / "gateway.toml"
    file.write_text(f'[gateway]\ndatabase = "{plain.settings.database}"\n')
    assert len(CliRunner().invoke(main, ["export", "--config", str(file)]).stdout.splitlines()) == 2
    file.write_text('[gateway]\ndatabase = "sqlite:///nowhere.db"\n')
    monkeypatch.setenv("MM7ZEEP_EXPORT_DATABASE", plain.settings.database)
    monkeypatch.setenv("MM7ZEEP_EXPORT_FORMAT", "jsonl")
    [said] = CliRunner().invoke(main, ["export", "--config", str(file)]).stdout.splitlines()
    assert json.loads(said)["recipient"] == "+61400"


WRONG = {
    "since": (("--since", "yesterday"), "give a time like 2026-11-27T15:00:00Z, or seconds since 1970"),
    "order": (("--since", "2026-03-02", "--until", "2026-03-01"), "--until has to be later than --since"),
    "endless": (("--follow", "--until", "2026-03-02"), "--follow goes by changes and has no end"),
    "followed by acceptance": (("--follow", "--by", "accepted"), "--follow goes by changes and has no end"),
    "format": (("--format", "xml"), "'xml' is not one of 'csv', 'jsonl'"),
    "engine": (("--database", "mysql://x/y"), "mm7zeep export: --database: names another database than SQLite"),
    "config": (("--config", "nowhere.toml"), "nowhere.toml: cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage(words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be meant is told with what to write instead; the exit status is 2."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["export", *words])
    assert (done.exit_code, said in done.stderr, done.stdout) == (2, True, "")


def test_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is not there is named; the exit status is 3, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["export"])
    assert (done.exit_code, done.stdout) == (3, "")
    path = tmp_path / "mm7zeep.db"
    assert done.stderr.startswith(f"mm7zeep export: database error: {path}: there is no such file; name the database")
    assert os.listdir(tmp_path) == []


def test_columns_are_documented() -> None:
    """Each column stands in the table of the documentation, in its order, and no other."""
    text = Path(__file__).resolve().parent.parent.joinpath("docs", "gateway.md").read_text(encoding="utf-8")
    section = text.partition("\n## Records for billing\n")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    assert [name.strip(" `") for row in rows for name in row.split(",")] == list(COLUMNS)
