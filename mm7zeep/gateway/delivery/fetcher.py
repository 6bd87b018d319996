"""One attempt to fetch all that a message names by URL, and to write the message anew with what came.

Whatever happens comes back as an ``Outcome``; changes no row. All URLs of a message together have the time of one
attempt, and the octets that the message may still have.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit

from sqlalchemy import Connection

from mm7zeep import exchange, status
from mm7zeep.errors import LocalError, StatusError
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.download import NotFetched, download
from mm7zeep.gateway.delivery.fetched_part import part_of
from mm7zeep.gateway.delivery.opted_out import opted_out
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.delivery.routing import OPTED_OUT
from mm7zeep.gateway.security.outbound import Egress
from mm7zeep.gateway.store import content, mapping, messages, remote_parts
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.remote_parts import RemotePart
from mm7zeep.gateway.store.rows import PENDING, CallRow, MessageRow, RawRow
from mm7zeep.messages import Part, SubmitReq

Check = Callable[[Sequence[Part], int, Application], None]
"""Judges the parts of a message of so many octets; raises ``StatusError`` for what is not taken."""

_REASON = 500  # characters of a reason that are kept


class Fetcher:
    """Fetches within the guard of ``egress``; ``check`` judges what a message has come to. Thread-safe."""

    def __init__(self, settings: Settings, database: Database, egress: Egress, check: Check) -> None:
        self._settings = settings
        self._database = database
        self.egress = egress
        self._check = check
        self._budget = _Budget(settings.capacity.uploads)

    def fetch(self, call: CallRow) -> Outcome:
        """Make a fetch call once. Raises ``StoreError`` where the message could not be looked up."""
        with self._database.read() as connection:
            message = messages.message(connection, call.message_id)
            raw = messages.raw(connection, call.message_id)
            wanted = message is None or self._is_wanted(connection, message)
        application = self._settings.application(call.owner)
        if message is None or raw is None:
            return Outcome(verdict="dead", reason="the message was deleted")
        if application is None:
            return Outcome(verdict="dead", reason=f"the application {call.owner} is no longer configured")
        if not wanted:
            return Outcome(verdict="dead", reason=OPTED_OUT, text=status.OPTED_OUT.text)
        remote = remote_parts.remote_parts_of(call)
        try:
            parts = self._parts(content.parts_of(raw), remote)
            made = self._written(raw, parts, application)
        except _Failed as failed:
            return failed.outcome
        except (LocalError, StatusError) as error:
            told = error.status.details if isinstance(error, StatusError) else str(error)
            words = f"with its media the message cannot be sent: {told}"[:_REASON]
            return Outcome(verdict="dead", reason=words, text=words)
        return Outcome(verdict="done", raw=made, summary=remote_parts.fetched(content.summary(parts), remote))

    def _is_wanted(self, connection: Connection, message: MessageRow) -> bool:
        """Whether not all recipients that wait for a message have opted out meanwhile."""
        waiting = [one for one in messages.recipients(connection, message.id) if one.state == PENDING]
        barred = opted_out(connection, self._settings, [(message, one) for one in waiting])
        return not waiting or len(barred) < len(waiting)

    def _parts(self, parts: Sequence[Part], remote: Sequence[RemotePart]) -> tuple[Part, ...]:
        """The parts of the message, with those that were placeholders. Raises ``_Failed``."""
        whole = self._settings.delivery.timeout
        until = time.monotonic() + whole
        awaited = {one.n: one for one in remote}
        left = self._settings.limits.body - sum(one.size for n, one in enumerate(parts) if n not in awaited)
        found = list(parts)
        with self._budget.share() as took:
            for one in remote:
                try:
                    came = download(one.url, self.egress, most=max(0, left), timeout=whole, until=until, took=took)
                    found[one.n] = part_of(one, came, parts[one.n])
                except NotFetched as error:
                    raise _Failed(one, error) from error
                except LocalError as error:
                    raise _Failed(one, NotFetched(str(error), lasting=True)) from error
                left -= len(came.octets)
        return tuple(found)

    def _written(self, raw: RawRow, parts: Sequence[Part], application: Application) -> RawRow:
        """The request as it would have been with these parts.

        Raises ``LocalError`` and ``StatusError`` for what cannot be sent.
        """
        unpacked = exchange.unpack(messages.wire_of(raw), policy="lenient", limits=content.ANY)
        asked = replace(cast(SubmitReq, unpacked.message), content_href=None, parts=tuple(parts))
        wire = exchange.pack(asked, profile=content.OWN_PROFILE)
        octets, most = wire.read(), self._settings.limits.body
        if len(octets) > most:
            raise LocalError(f"it comes to {len(octets)} octets; it may have {most}")
        self._check(parts, len(octets), application)
        return replace(raw, headers=mapping.headers_text(wire.headers), body=octets)


class _Failed(Exception):
    """One of the URLs could not be had."""

    def __init__(self, which: RemotePart, error: NotFetched) -> None:
        super().__init__()
        what = f"media_url of parts[{which.n}] could not be fetched"
        self.outcome = Outcome(
            verdict="dead" if error.lasting else "retry",
            reason=f"{what} from {urlsplit(which.url).hostname}: {error.reason}"[:_REASON],
            text=f"{what}: {error}"[:_REASON],
            http_status=error.http_status,
            retry_after=error.retry_after,
        )


class _Budget:
    """The octets that all attempts together may have in memory. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._left = most

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Takes octets, and raises ``NotFetched`` where there are no more; gives them back at the end."""
        taken = 0

        def take(octets: int) -> None:
            nonlocal taken
            with self._lock:
                if octets > self._left:
                    raise NotFetched("too much is being fetched just now", lasting=False)
                self._left -= octets
            taken += octets

        try:
            yield take
        finally:
            with self._lock:
                self._left += taken
