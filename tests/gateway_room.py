"""A gateway for tests: on a file of its own, with a clock that stands still and a seam where calls end."""

from __future__ import annotations

import base64
import functools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mm7zeep import exchange
from mm7zeep.exchange import Received
from mm7zeep.gateway.config.parties import Application, Callback
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import search
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.rows import CallRow, MessageRow, RecipientRow
from mm7zeep.messages import Message, Part, SubmitReq

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TNN = Application(name="tnn", password="t", vaspid="TNN", vasids=("News", "Sport"), short_codes=("111122",))
OTHER = Application(
    name="other",
    password="o",
    vaspid="OTH",
    short_codes=("333",),
    callback=Callback(deliver="http://other/mo", username="x", password="y"),
)
CALLED = replace(TNN, callback=Callback(deliver="http://tnn/mo", report="http://tnn/dlr", username="x", password="y"))
TEXT = Part(body=b"hello", content_type="text/plain", content_id="t@x")
SUBMIT = SubmitReq(vaspid="TNN", vasid="News", to=["+61400", "+61411"], subject="s", parts=[TEXT])  # type: ignore[arg-type]
ONE = replace(SUBMIT, to=("+61400",))  # type: ignore[arg-type]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now.timestamp()

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


class Calls:
    """A seam that keeps what it is given, and may refuse it."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []
        self.ids: list[str] = []
        self.refuse: Exception | None = None

    def __call__(self, url: str, message: Message, transaction_id: str) -> None:
        self.made.append((url, message))
        self.ids.append(transaction_id)
        if self.refuse is not None:
            raise self.refuse

    def of(self, kind: type[Message]) -> list[Any]:
        """The messages of one kind."""
        return [one for _, one in self.made if isinstance(one, kind)]


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Database(f"sqlite:///{folder}/gateway.db").close()
        [file] = Path(folder).iterdir()
        return file.read_bytes()


def sqlite_url(folder: Path) -> str:
    """The database in ``folder``, made if need be with all tables: to copy a file is far quicker than to make one."""
    file = folder / "gateway.db"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(_migrated())
    return f"sqlite:///{file}"


class Room:
    """One gateway with its clock and its calls; closed by whoever made it."""

    def __init__(
        self,
        folder: Path,
        *applications: Application,
        database: str | None = None,
        tracer_provider: Any = None,
        **options: Any,
    ) -> None:
        self.clock, self.calls = Clock(), Calls()
        self.settings = Settings(
            applications=applications or (CALLED, OTHER),
            database=database or sqlite_url(folder),
            allow_internal=True,
            **options,
        )
        self.gateway = Gateway(self.settings, deliver=self.calls, clock=self.clock, tracer_provider=tracer_provider)
        for _ in range(10):  # on a machine that is busy the first look may have been given up
            if self.gateway.admission.full:
                self.gateway.admission.look()

    def ask(self, message: Message, user: str = "tnn", *, peer: str | None = None, **options: Any) -> Received:
        """The gateway's answer to a request, as its sender reads it."""
        wire = exchange.pack(message, **options)
        answer = self.gateway.answer(replace(wire, headers=(*wire.headers, basic(user))), peer=peer)
        return exchange.unpack(answer, policy="strict")

    def code(self, message: Message, user: str = "tnn", **options: Any) -> int:
        """The status that the gateway answers with."""
        status: int = self.ask(message, user, **options).message.status.code  # type: ignore[attr-defined]
        return status

    def submitted(self, message: SubmitReq = SUBMIT, user: str = "tnn", **options: Any) -> str:
        """The MessageID of an accepted submit."""
        answer = self.ask(message, user, **options).message
        assert answer.status.ok  # type: ignore[attr-defined]
        message_id: str = answer.message_id  # type: ignore[attr-defined]
        return message_id

    @property
    def messages(self) -> list[MessageRow]:
        """What is kept, the oldest first."""
        with self.gateway.database.read() as connection:
            return search.found(connection, search.Search(), limit=1000)[::-1]

    def copies(self, message_id: str) -> list[RecipientRow]:
        """The copies of a message."""
        with self.gateway.database.read() as connection:
            return store.recipients(connection, message_id)

    def states(self, message_id: str) -> list[str]:
        """The states of the copies of a message."""
        return [one.state for one in self.copies(message_id)]

    def settle(self, calls: Iterable[CallRow], outcome: Outcome) -> None:
        """Have the next turn settle claimed calls."""
        self.gateway.dispatcher._results.extend((call, outcome) for call in calls)
        self.gateway.dispatcher.run_once(claiming=False)

    def outbox(self, **which: Any) -> list[CallRow]:
        """Calls, the oldest first."""
        from mm7zeep.gateway.store import outbox

        with self.gateway.database.read() as connection:
            return outbox.listed(connection, limit=1000, **which)[::-1]

    def texts(self, message_id: str) -> list[bytes]:
        """The texts that a handset has of a message."""
        parts = self.gateway.simulator.retrieved(message_id)
        return [one.read() for one in parts if one.content_type == "text/plain"]


Make = Callable[..., Room]
"""Makes gateways: of applications (default: two) and settings."""


@contextmanager
def rooms(folder: Path, fresh: Callable[[], str] | None = None) -> Iterator[Make]:
    """Makes gateways, each on a database of its own and closed at the end: a file in ``folder``, or ``fresh``."""
    with ExitStack() as stack:

        def make(*applications: Application, **options: Any) -> Room:
            own = folder / str(len(list(folder.iterdir())))
            own.mkdir()
            made = Room(own, *applications, database=fresh() if fresh is not None else None, **options)
            stack.callback(made.gateway.close)
            return made

        yield make


PASSWORDS: Mapping[str, str] = {"bare": "b", "tnn": "t", "other": "o", "up": "u"}


def basic(user: str) -> tuple[str, str]:
    """The Authorization field of a user."""
    return "Authorization", "Basic " + base64.b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode()
