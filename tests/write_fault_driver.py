"""One submit and its report in a gateway of one thread, for a tracer that has one system call of it fail.

``python tests/write_fault_driver.py FILE [--checkpoint]`` prints one JSON line: what the submit and its repetition were
answered, and the TransactionIDs of the reports that were made. With ``--checkpoint`` each commit is followed by a
checkpoint. Ends without closing anything, as a process that is killed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from gateway_room import CALLED, ONE, basic
from sqlalchemy import event
from sqlalchemy.pool import Pool

from mm7zeep import exchange
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store.database import StoreError

TRIES = 6


def main() -> None:
    """The program."""
    file, checkpoint = sys.argv[1], "--checkpoint" in sys.argv
    if checkpoint:
        event.listen(Pool, "connect", _checkpoint)
    made: list[str] = []
    settings = Settings(applications=(CALLED,), database=f"sqlite:///{file}", allow_internal=True)
    now = time.time()

    def deliver(url: str, message: object, transaction_id: str) -> None:
        made.append(transaction_id)

    # a lease that a failed turn leaves behind has ended by the next attempt
    clock = iter(now + 61 * n for n in range(10_000))
    present = [now]
    gateway = _tried(lambda: Gateway(settings, deliver=deliver, clock=lambda: present[0]))
    answers = [_submit(gateway) for _ in range(2)]
    for _ in range(TRIES):
        present[0] = next(clock)
        try:
            gateway.run_pending()
        except StoreError:
            continue
    sys.stdout.write(json.dumps({"answers": answers, "made": made}) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _checkpoint(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA wal_autocheckpoint=1")


def _tried(work: Any) -> Any:
    for _ in range(TRIES):
        try:
            return work()
        except StoreError:
            continue
    raise SystemExit("the database could not be opened")


def _submit(gateway: Gateway) -> list[object]:
    wire = exchange.pack(replace(ONE, delivery_report=True), transaction_id="the-one")
    answer = gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
    if answer.status != 200:
        return [answer.status, None, None]
    message: Any = exchange.unpack(answer).message
    return [answer.status, message.status.code, message.message_id]


if __name__ == "__main__":
    main()
