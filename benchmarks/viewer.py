"""What the viewer and the APIs ask the store for, with 100,000 messages in it: each has 200 ms, with all that is made
of it.

    python -m benchmarks --only viewer
    python -m benchmarks.viewer [--engine sqlite|postgresql] [--messages N]

Rows are as wide as those of real messages: fields, parts and findings of 1 to 2 kB each, 1.2 copies. A page is 50
messages with their copies. What does not occur, or only in the oldest message, is looked for in all of them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from storm import database_of

from benchmarks.figures import Figure
from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.store import conversations, endpoint_health, messages, search, versions, viewed
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.messages import Kept
from mm7zeep.gateway.store.rows import READY, CallRow, MessageRow, RawRow, RecipientRow
from mm7zeep.gateway.store.search import Search
from mm7zeep.gateway.store.tables import OUTBOX

MOST = 200
"""Milliseconds."""
_RUNS = 7
_AT_ONCE = 5_000
_STATES = ("Retrieved",) * 70 + ("Rejected",) * 12 + ("Deferred",) * 8 + ("Indeterminate",) * 8 + ("Forwarded",) * 2
_TYPES = ("image/jpeg", "image/gif", "text/plain", "audio/amr")
_WORDS = (
    "science news parcel weather sport results order code delivery tonight final score photo holiday beach train bus "
    "ticket alert bank notice meeting family party song winner goal match summer garden recipe market price flight"
).split()
_OLDEST = Search(words=("needle",))
SEARCHES = {
    "the first page": Search(),
    "of an application": Search(application="bank"),
    "MO": Search(direction="mo"),
    "to, a piece": Search(to="6140001"),
    "to, nobody": Search(to="+6499"),
    "from, nobody": Search(from_="+6499"),
    "subject, nothing": Search(subject="zzz"),
    "a word, frequent": Search(words=("parcel",)),
    "a word, nowhere": Search(words=("tickle",)),
    "a word, in the oldest only": _OLDEST,
    "three words, nowhere together": Search(words=("parcel", "winner", "zzz")),
    "has an image": Search(has=("image",)),
    "has a video: the oldest only": Search(has=("video",)),
    "has video/mp4: nowhere": Search(has=("video/mp4",)),
    "larger, none": Search(larger=10**9),
    "smaller, none": Search(smaller=1),
    "a state, frequent": Search(states=("retrieved",)),
    "a state, in the older half only": Search(states=("expired",), subject="needle"),
    "a state, nowhere": Search(states=("cancelled",)),
    "before all": Search(before=1e9),
    "after all": Search(after=2e9),
    "unopened, all": Search(unopened=True),
    "opened, none": Search(unopened=False),
    "a number": Search(number="+61400012345", application="news"),
    "a number, nowhere": Search(number="+6499", application="news"),
    "REST, to nobody": search.exact(to="+6499"),
    "REST, from nobody": search.exact(from_="+6499"),
    "API, to nobody": search.exact(to="+6499", application="bank", planned=False),
}


def text(chance: random.Random, size: int) -> str:
    """Words, so many characters."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < size:
        words.append(chance.choice(_WORDS))
    return " ".join(words)[:size]


def kept(chance: random.Random, n: int, count: int) -> Kept:
    """The ``n``-th message of ``count``."""
    id, mo, number = f"{chance.getrandbits(128):032x}", chance.random() < 0.2, f"+614{chance.randrange(20_000):08}"
    types = [chance.choice(_TYPES) for _ in range(chance.choice((3, 5, 7)))] if n else ["video/3gpp"]
    parts = [
        {
            "n": place, "content_type": kind, "charset": None, "content_id": f"part-{place}@mm7zeep.example",
            "name": f"part-{place}", "size": 9000, "sha256": f"{chance.getrandbits(256):064x}",
        }
        for place, kind in enumerate(types)
    ]  # fmt: skip
    classes = dict.fromkeys(word for kind in types for word in (kind.partition("/")[0], kind))
    fields = {"vaspid": "TNN", "vasid": "News", "service_code": "gold", "aux_applic_info": text(chance, 900)}
    finding = {"id": "sem.rule", "level": "warning", "where": "Envelope/Body/SubmitReq", "detail": text(chance, 200)}
    message = MessageRow(
        id=id,
        direction="mo" if mo else "mt",
        application=chance.choice(("news",) * 6 + ("shop",) * 3 + ("bank",)),
        transaction_id=f"{chance.getrandbits(128):032x}",
        sender_kind="Number" if mo else "ShortCode",
        sender=number if mo else "111122",
        subject=text(chance, 30) if n else "a needle",
        excerpt=text(chance, chance.choice((40, 120, 200, 500))),
        accepted=1.7e9 + n,
        size=9000 * len(parts),
        fields=json.dumps(fields),
        parts=json.dumps(parts),
        findings=json.dumps([finding] * chance.choice((3, 6))),
        media=" ".join(("", *classes, "")),
    )
    copy = RecipientRow(
        message_id=id,
        n=0,
        place="to",
        kind="ShortCode" if mo else "Number",
        address="111122" if mo else number,
        destination=Destination.parse(f"application:{message.application}" if mo else "handset"),
        state="Expired" if n < count / 2 else chance.choice(_STATES),
        changed=1.7e9 + n,
    )
    second = replace(copy, n=1, address=f"+614{chance.randrange(20_000):08}")
    copies = [copy] if mo or chance.random() < 0.75 else [copy, second]
    return Kept(message, RawRow(message_id=id, n=0, received=1.7e9, headers="[]", body=b""), copies)


def fill(database: Database, count: int, *, calls: int = 0) -> None:
    """Put so many messages into a database, and calls that wait for an endpoint."""
    chance = random.Random(14)  # noqa: S311  the same rows each time
    for first in range(0, count, _AT_ONCE):
        with database.write() as connection:
            messages.keep(connection, [kept(chance, n, count) for n in range(first, min(first + _AT_ONCE, count))])
    call = CallRow(
        kind="report", owner="news", endpoint="news http://a.example/dlr", message_id="", n=0, transaction_id="t",
        state=READY, due=1.7e9, expires=2e9, created=1.7e9,
    )  # fmt: skip
    for first in range(0, calls, _AT_ONCE):
        planned = [replace(call, message_id=f"{n:032x}") for n in range(first, min(first + _AT_ONCE, calls))]
        with database.write() as connection:
            connection.execute(
                sa.insert(OUTBOX),
                [{name: getattr(one, name) for name in OUTBOX.c.keys() if name != "id"} for one in planned],  # noqa: SIM118
            )
    if not database.sqlite:
        analysed(database)


def analysed(database: Database) -> None:
    """Do in PostgreSQL what autovacuum does, sooner or later."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def page(wanted: Search) -> Callable[[Connection], object]:
    """A page of what fits, with the copies."""

    def run(connection: Connection) -> object:
        rows = search.found(connection, wanted, limit=50)
        return messages.recipients_of(connection, [one.id for one in rows]), viewed.among(
            connection, [one.id for one in rows]
        )

    return run


def runs() -> dict[str, tuple[Callable[[Connection], object], float]]:
    """What is timed, and how many milliseconds it may take."""
    found: dict[str, tuple[Callable[[Connection], object], float]] = {
        name: (page(wanted), MOST) for name, wanted in SEARCHES.items()
    }
    found["conversations"] = (conversations.listed, MOST)
    found["conversations, further down"] = (lambda connection: conversations.listed(connection, before=20_000), MOST)
    found["health of the endpoints"] = (endpoint_health.health, MOST)
    found["unopened, counted"] = (lambda connection: viewed.unopened(connection, None), MOST)
    found["version"] = (versions.version, 1)
    return found


def timed(database: Database, run: Callable[[Connection], object]) -> list[float]:
    """Milliseconds of a few runs, each a transaction of its own."""
    taken = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        with database.read() as connection:
            run(connection)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def view_all(database: Database) -> None:
    """Mark every message as read."""
    before = None
    while True:
        with database.write() as connection:
            rows = search.found(connection, Search(), limit=_AT_ONCE, before=before)
            if not rows:
                break
            viewed.mark(connection, [one.id for one in rows], 1.7e9)
        before = rows[-1].seq
    if not database.sqlite:
        analysed(database)


def of(engine: str, count: int) -> Iterator[Figure]:
    """The figures of one engine."""
    with ExitStack() as stack:
        url = stack.enter_context(database_of(engine))
        if url is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-bench-"))
            url = f"sqlite:///{folder}/viewer.db"
        database = Database(url)
        stack.callback(database.close)
        fill(database, count, calls=2 * count)
        what = f"{engine}, {count:,} messages"
        for name, (run, most) in runs().items():
            yield Figure.of(f"{what}: {name}", timed(database, run), "ms", "less", most)
        view_all(database)
        for name, wanted in (("unopened, none", Search(unopened=True)), ("opened, all", Search(unopened=False))):
            yield Figure.of(f"{what}: {name}", timed(database, page(wanted)), "ms", "less", MOST)
        counted = timed(database, lambda connection: viewed.unopened(connection, "news"))
        yield Figure.of(f"{what}: unopened of an application, counted, none", counted, "ms", "less", MOST)


def measure(count: int = 100_000, engines: Sequence[str] = ("sqlite", "postgresql")) -> list[Figure]:
    """The figures of each engine."""
    return [figure for engine in engines for figure in of(engine, count)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Time what the viewer asks the store for.")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="default: both")
    parser.add_argument("--messages", type=int, default=100_000)
    given = parser.parse_args()
    for engine in given.engine or ("sqlite", "postgresql"):
        for figure in of(engine, given.messages):
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
