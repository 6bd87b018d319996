"""What a case works with: it makes stimuli (``making``), asks, judges the answers, and looks at what the other side
then sends.

One ``Lab`` for each run of a case. Every exchange is kept for the report and passes the common assertions. What needs
time (that nothing arrives of a refused message, that all arrives of an accepted one) is judged by ``settle``, when all
cases have asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from mm7zeep.probe import accept
from mm7zeep.probe.accept import Outcome
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.asking import Bench, Line
from mm7zeep.probe.assertion import Exchange
from mm7zeep.probe.case import Case, Ended, Skip
from mm7zeep.probe.commands import json_object, printed
from mm7zeep.probe.listener import Listener, Script
from mm7zeep.probe.making import Maker
from mm7zeep.probe.matching import carries
from mm7zeep.probe.needs import NEEDS
from mm7zeep.probe.reading import Said
from mm7zeep.probe.replies import Reply
from mm7zeep.probe.results import Level, Reason, Transmission
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.wire import Answer, Refused


class Lab(Maker):
    """The bench of one case. Not shared between cases; ``together`` may use threads of its own."""

    def __init__(self, case: Case, bench: Bench) -> None:
        super().__init__(bench.settings, f"{bench.settings.seed} {case.role} {case.id}")
        self.case, self.bench = case, bench
        self.reasons: list[Reason] = []
        self.transmissions: list[Transmission] = []
        self.place = urlsplit(bench.settings.url)
        self._met = False  # whether the peer has answered this case once
        self._of_answer: dict[int, int] = {}
        self._of_call: dict[int, int] = {}
        self._stimuli: dict[int, Stimulus] = {}
        self._accepted: list[tuple[Stimulus, Said]] = []
        self._refused: list[tuple[Stimulus, Said]] = []
        self._later: list[Callable[[], None]] = []

    # --- asking -------------------------------------------------------------------------------------------------------

    @contextmanager
    def line(self, timeout: float | None = None) -> Iterator[Line]:
        """A connection to the endpoint."""
        try:
            connection = self.bench.opens(self.place, timeout or self.settings.timeout, self.bench.context)
        except Refused as refused:
            if not self._met or not refused.by_peer:
                raise
            self.require(False, f"the endpoint takes connections no more: {refused}")
            raise Ended from refused
        with connection:
            yield Line(connection, self.place, self.heard)

    def ask(self, stimulus: Stimulus, *, timeout: float | None = None) -> Said:
        """Send it on a connection of its own, and what is said to it."""
        with self.line(timeout) as line:
            return line.ask(stimulus)

    def together(self, stimuli: Sequence[Stimulus], most: int = 16) -> list[Said]:
        """Send all at once on connections of their own; the answers in the same order."""
        with ThreadPoolExecutor(min(most, len(stimuli))) as pool:
            return list(pool.map(self.ask, stimuli))

    def heard(self, stimulus: Stimulus, answer: Answer) -> Said:
        """Keep an exchange: for the report, the common assertions, and what is judged later."""
        said = Said(answer)
        took = Transmission(
            by="tool",
            sent=answer.sent,
            received=answer.raw,
            ended=answer.ended,
            started=answer.started - self.bench.began,
            took=answer.took,
        )
        with self._lock:
            self._met = self._met or answer.status is not None
            self._of_answer[id(said)] = len(self.transmissions)
            self._stimuli[id(said)] = stimulus
            self.transmissions.append(took)
        with self.bench.lock:
            if stimulus.transaction_id:
                self.bench.transactions.add(stimulus.transaction_id)
            used = self.bench.transactions  # read when it is whole: the other request may be under way yet
            exchange = Exchange(role=self.case.role, stimulus=stimulus, answer=answer, said=said, used=used)
            self.bench.exchanges.append((self.case.id, exchange))
        return said

    # --- judging ------------------------------------------------------------------------------------------------------

    def expect(self, said: Said, *outcomes: Outcome, level: Level | None = None) -> bool:
        """Judge what came by what may come; the level is the case's unless given. True where it may.

        No answer at all, or none that ends, is a MUST at any level, unless the closing of the connection is one of the
        outcomes.
        """
        stimulus = self._stimuli[id(said)]
        wanted = " or ".join(one.name for one in outcomes)
        fit = accept.best(said, outcomes)
        hang = said.answer.hung
        if said.accepted:
            self._accepted.append((stimulus, said))
        elif not hang and said.answer.ended != "large":  # of what was not answered nobody knows
            self._refused.append((stimulus, said))
        if fit == "yes":
            return True
        if fit == "near":
            self._found("INFO", f"another code of the class: {said.summary}", wanted, said.summary, said)
            return True
        silent = said.answer.status is None or said.answer.ended == "large"
        self._found(
            "MUST" if hang or silent else level or self.case.level, said.summary, wanted, said.summary, said, hang=hang
        )
        return False

    def must(self, said: Said, *outcomes: Outcome, level: Level | None = None) -> Said:
        """The same, ending the case where it may not be."""
        if not self.expect(said, *outcomes, level=level):
            raise Ended
        return said

    def require(
        self,
        holds: bool,
        text: str,
        *,
        expected: str = "",
        actual: str = "",
        level: Level = "MUST",
        shown: Said | Arrived | None = None,
    ) -> bool:
        """Note ``text`` as what is wrong unless ``holds``."""
        if not holds:
            self._found(level, text, expected, actual, shown)
        return holds

    def note(self, text: str, shown: Said | Arrived | None = None) -> None:
        """Something worth telling that breaks nothing."""
        self._found("INFO", text, "", "", shown)

    def any(self, said: Said, *outcomes: Outcome) -> None:
        """What holds for every outcome of a stimulus that the texts leave open (the catalogue's ANY): a whole answer,
        one of ``outcomes`` if any are given, and the next request on a new connection is served. Always a MUST.
        """
        self.expect(said, *(outcomes or (accept.ANSWERED,)), level="MUST")
        self.alive()

    def alive(self) -> None:
        """The next request, a sound one on a new connection, is served (MUST)."""
        sound = self.submit() if self.case.role == "mmsc" else self.deliver()
        said = self.ask(sound)
        if not said.accepted:
            text = f"the next request is not served: {said.summary}"
            self._found("MUST", text, "OK", said.summary, said, hang=said.answer.hung)

    def skip(self, reason: str) -> None:
        """End the case as one that cannot be asked here."""
        raise Skip(reason)

    def _found(
        self,
        level: Level,
        text: str,
        expected: str,
        actual: str,
        shown: Said | Arrived | None = None,
        hang: bool = False,
    ) -> None:
        place = None
        if isinstance(shown, Said):
            place = self._of_answer.get(id(shown))
        elif isinstance(shown, Arrived):
            place = self._keep(shown)
        with self._lock:
            self.reasons.append(
                Reason(level=level, text=text, expected=expected, actual=actual, exchange=place, hang=hang)
            )

    # --- what the other side sends ------------------------------------------------------------------------------------

    @property
    def hears(self) -> bool:
        """Whether the peer's calls are taken, so that what it sends can be judged (never in a dry run)."""
        return self.bench.listener is not None

    def calls(self, matches: Callable[[Arrived], bool], count: int = 1, within: float | None = None) -> list[Arrived]:
        """The requests of the peer that match, as soon as there are ``count``, or what came while we had patience.

        Raises ``RuntimeError`` (the tool's trouble) where too few came and the listener failed to answer one, or could
        not keep all that came.
        """
        if self.bench.dry:
            return []
        found = self._listener.wait(matches, count, self.settings.patience if within is None else within)
        if len(found) < count and (within != 0 or self._listener.full):
            self._not_ours()
        for one in found:
            self._keep(one)
        return found

    def call(
        self, matches: Callable[[Arrived], bool], what: str, *, level: Level | None = None, within: float | None = None
    ) -> Arrived:
        """The first that matches. Where none comes, that is noted (``no`` and ``what``) and the case ends."""
        found = self.calls(matches, 1, within)
        if not found:
            self.require(
                False, f"no {what} within {within or self.settings.patience:g} s", level=level or self.case.level
            )
            raise Ended
        return found[0]

    def no_call(
        self, matches: Callable[[Arrived], bool], what: str, *, level: Level | None = None, until: float = 0.0
    ) -> None:
        """Judged when the window after the last case is over, and not before ``until`` (``time.monotonic``): nothing
        that matches has come.
        """

        def look() -> None:
            for one in self.calls(matches, 1, max(until - time.monotonic(), 0))[:1]:
                self.require(False, f"{what} came, which must not", level=level or self.case.level, shown=one)

        self.later(look)

    def later(self, judge: Callable[[], None]) -> None:
        """Have this judged when all cases have asked and the window after them is over."""
        self._later.append(judge)

    def sound(self, arrived: Arrived, level: Level = "MUST", ignore: Sequence[str] = ()) -> None:
        """A request of the peer breaks no MUST of ``mm7zeep check`` (but the rules of ``ignore``)."""
        verdict = arrived.verdict
        if verdict is None:
            self.require(False, "what came is no HTTP request", shown=arrived, level=level)
            return
        for one in verdict.findings:
            if one.level == "MUST" and one.id not in ignore:
                self.require(False, f"{arrived.operation or 'the request'} breaks {one}", shown=arrived, level=level)

    @contextmanager
    def answering(self, matches: Callable[[Arrived], bool], *replies: Reply) -> Iterator[Script]:
        """While the context lasts, what matches is answered by ``replies`` in turn, the last one again and again."""
        script = Script(matches, replies)
        if self.bench.dry:
            yield script
            return
        self._listener.add(script)
        try:
            yield script
        finally:
            self._listener.remove(script)

    def _not_ours(self) -> None:
        """What has not come is held against the peer only where our own listener answered whatever came."""
        if (trouble := self._listener.trouble) is not None:
            raise RuntimeError(f"the tool's listener failed: {type(trouble).__name__}: {trouble}")
        if (full := self._listener.full) is not None:
            raise RuntimeError(f"{full}, and the tool kept no more: what it lacks may have come")

    def own_url(self, path: str) -> str:
        """A URL at the tool's own listener; at a host that there is not (RFC 6761 6.4) where nothing listens."""
        listener = self.bench.listener
        return f"http://{listener.place if listener is not None else 'probe.invalid'}/{path}"

    @property
    def _listener(self) -> Listener:
        if self.bench.listener is None:
            raise Skip(NEEDS["listen"][1])
        return self.bench.listener

    def _keep(self, arrived: Arrived) -> int:
        with self._lock:
            if id(arrived) not in self._of_call:
                self._of_call[id(arrived)] = len(self.transmissions)
                self.transmissions.append(arrived.transmission(self.bench.began))
            return self._of_call[id(arrived)]

    # --- the drivers --------------------------------------------------------------------------------------------------

    def trigger(self, **values: str) -> Mapping[str, Any]:
        """Have the VASP submit, and what the command says of it: ``status`` is the code that the application was told.

        Raises ``RuntimeError`` (the tool's trouble) where the command fails.
        """
        return json_object(self.settings.trigger, self._run(self.settings.trigger, values)) or {}

    def state(self, **values: str) -> None:
        """Have the state made that the case needs."""
        self._run(self.settings.state, values)

    def seen(self, stimulus: Stimulus) -> Mapping[str, Any] | None:
        """What the VASP's application got of a message: ``parts`` (SHA-256 each), ``subject`` ...; None for nothing."""
        said = self._run(
            self.settings.seen,
            {"transaction_id": stimulus.transaction_id or "", "mark": stimulus.mark, "operation": stimulus.operation},
        )
        return json_object(self.settings.seen, said)

    def _run(self, command: tuple[str, ...], values: Mapping[str, str]) -> str:
        if self.bench.dry or not command:
            return ""
        given = {f"MM7ZEEP_PROBE_{name.upper()}": value for name, value in values.items()}
        given |= {"MM7ZEEP_PROBE_CASE": self.case.id}
        if self.bench.listener is not None:
            given["MM7ZEEP_PROBE_LISTEN"] = str(self.bench.listener.port)
        return printed(command, given)

    # --- the end ------------------------------------------------------------------------------------------------------

    def settle(self, until: float) -> None:
        """Judge what needed time: nothing of what was refused has come, and all of what was accepted and looped, which
        is waited for until ``until`` (``time.monotonic``).
        """
        for judge in self._later:
            judge()
        if self.bench.dry:
            return
        if self.case.role == "vasp":
            if self.settings.seen:
                self._settle_seen()
            return
        if self.bench.listener is None:
            return
        for stimulus, said in self._only_refused():
            if stimulus.mark:
                for one in self.calls(lambda one, of=stimulus: carries(one, of), 1, 0)[:1]:  # type: ignore[misc]
                    self.require(False, f"refused ({said.summary}), and it arrived all the same", shown=one)
        for stimulus, _ in self._accepted:
            if stimulus.looped and stimulus.operation == "SubmitReq":
                self._arrived_whole(stimulus, until - time.monotonic())

    def _only_refused(self) -> list[tuple[Stimulus, Said]]:
        """What was refused and never accepted: a message that was sent twice may have been accepted once."""
        taken = {stimulus.mark for stimulus, _ in self._accepted}
        return [one for one in self._refused if one[0].mark not in taken]

    def _arrived_whole(self, stimulus: Stimulus, within: float) -> None:
        came = self._listener.wait(lambda one: one.operation == "DeliverReq" and carries(one, stimulus), 1, within)
        if not came:
            self._not_ours()
            self.require(False, "accepted, and it never arrived at the callback", expected="MM7_deliver", level="MUST")
            return
        missing = [one for one in stimulus.digests if one not in came[0].digests]
        self.require(
            not missing,
            f"accepted, and {len(missing)} of {len(stimulus.digests)} parts did not arrive as they were sent",
            expected=", ".join(stimulus.digests),
            actual=", ".join(came[0].digests),
            shown=came[0],
        )

    def _settle_seen(self) -> None:
        for stimulus, said in self._accepted:
            if stimulus.operation == "DeliverReq":
                got = self.seen(stimulus)
                parts = list((got or {}).get("parts", ()))
                missing = [one for one in stimulus.digests if one not in parts]
                text = (
                    "accepted, and the application never got it" if got is None else "accepted, and parts are missing"
                )
                self.require(not missing and got is not None, text, expected=", ".join(stimulus.digests), shown=said)
        for stimulus, said in self._only_refused():
            if stimulus.mark and self.seen(stimulus) is not None:
                self.require(False, f"refused ({said.summary}), and the application got it all the same", shown=said)
