"""A worker that is frozen longer than its lease: what it wakes up with must not undo what another one did.

``python tests/frozen.py [--engine sqlite|postgresql] [--lease 60] [--frozen 90]``

Gateway A makes the calls for three messages and is stopped before it reads the answers, which tell it to give up. B, on
the same database, waits for the lease to end, makes the calls again and is answered well. Then A wakes. Prints what was
seen; exit status 1 for any deviation.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import audit
import sqlalchemy as sa
from callback_sink import CallbackSink, Trouble
from gateway_process import AUTH, GatewayProcess, eventually
from load import Prepared, ask, ask_until_taken
from storm import database_of

from mm7zeep.gateway.store.tables import OUTBOX

MESSAGES = 3
_GIVE_UP = Trouble(hang=0.3, mm7=2007)  # a status that buries a call at once


def freeze(folder: Path, database: str | None = None, *, lease: float = 2.0, frozen: float = 3.0) -> list[str]:
    """Let it happen, with a lease of so many seconds; the deviations. A is frozen ``frozen`` seconds or longer."""
    prepared = Prepared(size=4_000)
    tables = {"delivery": {"lease": lease, "timeout": lease / 2, "waits": [0.1] * 12}}
    with ExitStack() as stack:
        sink = stack.enter_context(CallbackSink(_GIVE_UP))
        first = stack.enter_context(GatewayProcess(folder / "a", callback=sink.url, database=database, tables=tables))
        answers = [ask(first.url, AUTH, prepared, n) for n in range(MESSAGES)]
        eventually(lambda: len(sink.calls) == MESSAGES, "the calls of A")
        first.signal(signal.SIGSTOP)
        since = time.monotonic()
        sink.troubles = ()
        second = stack.enter_context(
            GatewayProcess(folder / "b", callback=sink.url, database=first.database, tables=tables)
        )
        eventually(lambda: _rows(first.database, "done"), "B has made the calls", timeout=2 * lease + 15)
        taken = time.monotonic() - since
        time.sleep(max(0.0, frozen - taken))
        before = _rows(first.database)
        first.signal(signal.SIGCONT)
        # a message that A itself takes and reports shows that it is awake, and was so for a while
        late = ask_until_taken(first.url, AUTH, prepared, MESSAGES)
        eventually(lambda: len(sink.kept()) >= MESSAGES + 1, "the report on what A took when it was awake")
        time.sleep(0.5)
        after = [row for row in _rows(first.database) if row.message_id != late.message_id]
        statuses = [second.stop(), first.stop()]
    deviations = [f"{old} became {new}" for old, new in zip(before, after, strict=True) if old != new]
    deviations += [f"{row} was claimed {row.epoch} times, not twice" for row in after if row.epoch != 2]
    if [one.code for one in (*answers, late)] != [1000] * (MESSAGES + 1):
        deviations.append(f"submits were answered {[one.code for one in (*answers, late)]}")
    if taken < lease * 0.9:
        deviations.append(f"B made the calls after {taken:.1f} s, within the lease of {lease:.1f} s")
    if statuses != [0, 0]:
        deviations.append(f"the gateways ended with {statuses}")
    calls = sorted((one.message_id, one.transaction_id) for one in sink.calls if one.message_id != late.message_id)
    if calls != sorted([(row.message_id, row.transaction_id) for row in after] * 2):
        deviations.append(f"the calls were not two for each message, with its TransactionID: {calls}")
    with audit.looking(first.database) as connection:
        accepted = {n: str(one.message_id) for n, one in enumerate((*answers, late))}
        deviations += audit.messages(connection, prepared, accepted).lines()
    return deviations


def _rows(database: str, state: str | None = None) -> list[sa.Row[tuple[object, ...]]]:
    """The calls as the database has them; with ``state``, none unless all are in it."""
    names = ("id", "message_id", "transaction_id", "state", "epoch", "holder", "ended", "reason", "attempts")
    with audit.looking(database) as connection:
        rows = list(connection.execute(sa.select(*(OUTBOX.c[name] for name in names)).order_by(OUTBOX.c.id)))
    return rows if state is None or all(row.state == state for row in rows) else []


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Freeze a worker for longer than its lease.")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--lease", type=float, default=60.0, help="seconds")
    parser.add_argument("--frozen", type=float, default=90.0, help="seconds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mm7zeep-frozen-") as folder, database_of(given.engine) as database:
        deviations = freeze(Path(folder), database, lease=given.lease, frozen=given.frozen)
    for one in deviations:
        sys.stdout.write(f"DEVIATION   {one}\n")
    told = "FAILED" if deviations else "it changed nothing when it woke; every call kept its TransactionID"
    sys.stdout.write(f"{given.engine}, lease {given.lease:.0f} s, frozen {given.frozen:.0f} s: {told}\n")
    return int(bool(deviations))


if __name__ == "__main__":
    sys.exit(main())
