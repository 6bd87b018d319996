"""Trouble on purpose, for those who test their clients: delays, refusals, answers that never come.

Rules stand in the database, so that all processes of a gateway know them a second later. Without rules nothing is
changed and nothing costs. Refuses rules that it does not understand.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

from mm7zeep.errors import StatusError
from mm7zeep.gateway.store import messages
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.receiver import Call, Gone, Handler, Refusal

_SETTING = "chaos"
_FRESH = 1.0  # seconds that a process goes by the rules it has read
_LONGEST = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of trouble, for a share of the requests in its scope.

    ``probability`` 0 to 1; ``delay`` in seconds; then ``reset`` (the connection is cut), ``http_status`` (400 to 599)
    or ``mm7_status``, the first that is set. ``when`` ``after`` does the work first, so that only the answer is lost.
    ``application`` and ``operation`` (``SubmitReq``) are the scope; None is any.
    """

    probability: float = 1.0
    delay: float = 0.0
    http_status: int | None = None
    mm7_status: int | None = None
    reset: bool = False
    when: Literal["before", "after"] = "before"
    application: str | None = None
    operation: str | None = None

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


_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType({
    "probability": (int, float), "delay": (int, float), "http_status": (int, type(None)),
    "mm7_status": (int, type(None)), "reset": (bool,), "when": (str,), "application": (str, type(None)),
    "operation": (str, type(None)),
})  # fmt: skip


def rule_of(given: object, place: str) -> Rule:
    """The rule that JSON says. Raises ``ValueError`` that says what is wrong with it, and where."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{place} is no object")
    unknown = set(given) - {one.name for one in fields(Rule)}
    if unknown:
        raise ValueError(f"{place} has no {sorted(unknown)[0]!r}; it takes {', '.join(_TYPES)}")
    for name, value in given.items():
        kinds = _TYPES[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{place}.{name} is a {kinds[0].__name__}, not {type(value).__name__}")
    rule = Rule(**given)
    bounds = (
        ("probability", 0 <= rule.probability <= 1, "between 0 and 1"),
        ("delay", 0 <= rule.delay <= _LONGEST, f"between 0 and {_LONGEST:.0f} seconds"),
        ("http_status", rule.http_status is None or 400 <= rule.http_status <= 599, "between 400 and 599"),
        ("mm7_status", rule.mm7_status is None or 1000 <= rule.mm7_status <= 9999, "between 1000 and 9999"),
        ("when", rule.when in ("before", "after"), "before or after"),
    )
    for name, good, words in bounds:
        if not good:
            raise ValueError(f"{place}.{name} has to be {words}")
    return rule


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
    def rules(self) -> list[dict[str, Any]]:
        """The rules, as JSON holds them. Raises ``StoreError``."""
        with self._lock:
            self._read()
            return [asdict(one) for one in self._rules]

    def set(self, given: object) -> None:
        """Put ``given`` in the place of the rules. Raises ``ValueError`` for what is none, ``StoreError``."""
        if not isinstance(given, list):
            raise ValueError("give a list of rules; an empty one ends all trouble")
        rules = tuple(rule_of(one, f"rules[{n}]") for n, one in enumerate(given))
        with self._database.write() as connection:
            messages.set_setting(connection, _SETTING, [asdict(one) for one in rules])
        with self._lock:
            self._rules, self._read_at = rules, self._clock()

    def _read(self) -> None:
        with self._database.read() as connection:
            given = messages.setting(connection, _SETTING) or []
        self._rules = tuple(rule_of(one, "rule") for one in given)
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

    def wrap(self, handler: Handler) -> Handler:
        """``handler``, with trouble around it where a rule says so."""

        def wrapped(call: Call) -> object:
            rules = [one for one in self._present() if one.fits(call) and self._chance() < one.probability]
            return self._troubled(handler, call, rules[0]) if rules else handler(call)

        return wrapped

    async def _troubled(self, handler: Handler, call: Call, rule: Rule) -> object:
        await asyncio.sleep(rule.delay)
        if rule.when == "before":
            rule.strike()
        result = await asyncio.to_thread(handler, call)
        if inspect.isawaitable(result):
            result = await result
        rule.strike()
        return result
