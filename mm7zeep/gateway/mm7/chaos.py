"""Trouble on purpose, for those who test their clients: delays, refusals, answers that never come, or come spoilt.

Rules stand in the database, so that all processes of a gateway know them a second later. Without rules nothing is
changed and nothing costs. What was accepted stays accepted, whatever becomes of the answer. Refuses rules that it does
not understand.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import pydantic
from pydantic import ConfigDict, Field, TypeAdapter

from mm7zeep.errors import StatusError
from mm7zeep.gateway.config.field_types import Text
from mm7zeep.gateway.mm7.spoilt import Malformed
from mm7zeep.gateway.store import messages
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.receiver import Call, Gone, Handler, Refusal

_LOG = logging.getLogger("mm7zeep.gateway")
_SETTING = "chaos"
_FRESH = 1.0  # seconds that a process goes by the rules it has read


class Rule(pydantic.BaseModel):
    """One kind of trouble, for a share of the requests in its scope.

    ``reset`` (the connection is cut), ``http_status`` or ``mm7_status``, the first that is set, follows the delay.
    ``malformed`` and ``dribble`` change whatever is answered: where none of those is set, the answer to work that was
    done.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    probability: float = Field(1.0, ge=0, le=1, allow_inf_nan=False)
    delay: float = Field(0.0, ge=0, le=300, allow_inf_nan=False, description="seconds")
    http_status: int | None = Field(None, ge=400, le=599)
    mm7_status: int | None = Field(None, ge=1000, le=9999, description="the StatusCode of the answer")
    reset: bool = Field(False, description="the connection is cut")
    dribble: float = Field(
        0.0, ge=0, le=300, allow_inf_nan=False, description="seconds in which the answer arrives, octet by octet"
    )
    malformed: Malformed | None = Field(
        None, description="cut in half, no XML, a boundary that is not there, a wrong media type, HTML, or no body"
    )
    when: Literal["before", "after"] = Field("before", description="after: only the answer is lost, the work is done")
    application: Text | None = Field(None, description="whose requests; without it, of all")
    operation: Text | None = Field(None, description="which requests, such as SubmitReq; without it, all")

    def fits(self, call: Call) -> bool:
        """Whether a request is in the scope."""
        return self.application in (None, call.user) and self.operation in (None, type(call.message).__name__)

    def strike(self) -> None:
        """The trouble itself. Raises what answers so."""
        if self.reset:
            raise Gone
        if self.http_status is not None:
            raise Refusal(self.http_status, "trouble on purpose")
        if self.mm7_status is not None:
            raise StatusError(self.mm7_status)


_RULES = TypeAdapter(tuple[Rule, ...])


@dataclass(slots=True)
class Answering:
    """One answer that is being made, and the ``rule`` that it meets, once that is known."""

    rule: Rule | None = None

    def how(self) -> tuple[Malformed | None, float]:
        """What is malformed, and the seconds in which it arrives."""
        return (None, 0.0) if self.rule is None else (self.rule.malformed, self.rule.dribble)


_ANSWERING: ContextVar[Answering] = ContextVar("mm7zeep.chaos")


class Chaos:
    """The rules of one gateway. ``chance`` gives numbers from 0 to 1. Thread-safe."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._rules: tuple[Rule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules as the database holds them. Raises ``StoreError``."""
        with self._lock:
            self._read()
            return self._rules

    def set(self, rules: Iterable[Rule]) -> None:
        """Put ``rules`` in the place of those there are. Raises ``StoreError``."""
        rules = tuple(rules)
        with self._database.write() as connection:
            # processes of an older version read what uses nothing new
            messages.set_setting(connection, _SETTING, _RULES.dump_python(rules, mode="json", exclude_defaults=True))
        with self._lock:
            self._rules, self._read_at = rules, self._clock()

    def _read(self) -> None:
        with self._database.read() as connection:
            given = messages.setting(connection, _SETTING) or []
        try:
            # each with all of its fields, also those that were kept as usual
            self._rules = tuple(Rule(**one.model_dump()) for one in _RULES.validate_python(tuple(given)))
        except pydantic.ValidationError as error:  # a newer version has set them: no trouble is made
            what = "the rules of trouble on purpose are not understood"
            _LOG.error("%s: %d errors", what, error.error_count(), extra={"seldom": what})
            self._rules = ()
        self._read_at = self._clock()

    def _present(self) -> tuple[Rule, ...]:
        """The rules as of a second ago at most; none where the database does not answer."""
        with self._lock:
            if self._read_at is None or self._clock() - self._read_at > _FRESH:
                try:
                    self._read()
                except StoreError:
                    self._rules, self._read_at = (), self._clock()
            return self._rules

    @property
    def active(self) -> bool:
        """Whether there are rules, as of a second ago at most."""
        return bool(self._present())

    def quiet(self) -> bool:
        """Whether it is known, without asking the database, that there are no rules just now."""
        return not self._rules and self._read_at is not None and self._clock() - self._read_at <= _FRESH

    @contextmanager
    def answering(self) -> Iterator[Answering]:
        """What the answer that is made within the context meets, for who writes it."""
        mine = Answering()
        token = _ANSWERING.set(mine)
        try:
            yield mine
        finally:
            _ANSWERING.reset(token)

    def wrap(self, handler: Handler) -> Handler:
        """``handler``, with trouble around it where a rule says so."""

        def wrapped(call: Call) -> object:
            rules = [one for one in self._present() if one.fits(call) and self._chance() < one.probability]
            return self._troubled(handler, call, rules[0]) if rules else handler(call)

        return wrapped

    async def _troubled(self, handler: Handler, call: Call, rule: Rule) -> object:
        answering = _ANSWERING.get(None)
        if answering is not None:
            answering.rule = rule
        await asyncio.sleep(rule.delay)
        if rule.when == "before":
            rule.strike()
        result = await asyncio.to_thread(handler, call)
        if inspect.isawaitable(result):
            result = await result
        rule.strike()
        return result
