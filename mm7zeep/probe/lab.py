"""What a case works with: it makes stimuli, asks, judges the answers, and looks at what the other side then sends.

One ``Lab`` for each run of a case. Every exchange is kept for the report and passes the common assertions. What needs
time (that nothing arrives of a refused message, that all arrives of an accepted one) is judged by ``settle``, when all
cases have asked.
"""

from __future__ import annotations

import json
import os
import random
import re
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import IO, Any
from urllib.parse import SplitResult, urlsplit

from mm7zeep import messages as m
from mm7zeep import profiles
from mm7zeep.messages import Message, Part
from mm7zeep.probe import accept
from mm7zeep.probe.accept import Outcome
from mm7zeep.probe.case import Case
from mm7zeep.probe.common import Exchange
from mm7zeep.probe.listener import Arrived, Listener, Reply, Script
from mm7zeep.probe.reading import Said
from mm7zeep.probe.results import Level, Reason, Transmission
from mm7zeep.probe.settings import FEATURES, LIMITS, Account, Numbers, Settings
from mm7zeep.probe.stimulus import Stimulus, of
from mm7zeep.probe.wire import Answer, Connection, Refused
from mm7zeep.profiles import NAMESPACES, Profile

_MARKED = re.compile(r"^Probe p[0-9a-f]{15}$")  # the Subject that a case gives its message by default
_NO_PLUS = ("REL-5-MM7-1-0", "REL-5-MM7-1-1")  # their Number is an NMTOKEN, and DeliverReq has a ReplyChargingID


class Skip(Exception):
    """The case cannot be asked here; the text says why."""


class Ended(Exception):
    """The case has its verdict and goes no further."""


def _given(value: object) -> bool:
    return bool(value)


NEEDS: Mapping[str, tuple[Callable[[Settings], bool], str]] = MappingProxyType(
    {
        "listen": (lambda one: bool(one.listen), "no callback of ours is known to the peer (listen)"),
        "second": (lambda one: one.second is not None, "no second account is given ([second])"),
        "refuses": (
            lambda one: bool(one.account.refuses or (one.second is not None and one.second.refuses)),
            "no media type is known that is refused (account.refuses, second.refuses)",
        ),
        "authenticated": (
            lambda one: one.authenticated and bool(one.account.username),
            "the endpoint asks for no credentials (authenticated), or none are given (account.username)",
        ),
        "trigger": (lambda one: bool(one.trigger), "no command makes the VASP submit (trigger)"),
        "state": (lambda one: bool(one.state), "no command makes the state that is needed (state)"),
        "seen": (lambda one: bool(one.seen), "no command tells what the VASP got (seen)"),
        **{
            f"numbers.{name}": (
                lambda one, name=name: _given(getattr(one.numbers, name)),  # type: ignore[misc]
                f"no such number is given (numbers.{name})",
            )
            for name in (one.name for one in fields(Numbers))
        },
        **{
            f"limits.{name}": (
                lambda one, name=name: name in one.limits,  # type: ignore[misc]
                f"no such limit is given (limits.{name})",
            )
            for name in LIMITS
        },
        **{
            f"can.{name}": (
                lambda one, name=name: name not in one.unsupported,  # type: ignore[misc]
                f"declared as not supported: {what}",
            )
            for name, what in FEATURES.items()
        },
    }
)
"""What a case may need: whether the settings give it, and the reason of the SKIP where they do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all cases of a run share. ``opens`` makes a connection; ``dry`` tells that nothing is really sent."""

    settings: Settings
    opens: Callable[[SplitResult, float, ssl.SSLContext | None], Connection]
    listener: Listener | None = None
    context: ssl.SSLContext | None = None
    dry: bool = False
    began: float = field(default_factory=time.monotonic)
    transactions: set[str] = field(default_factory=set)
    exchanges: list[tuple[str, Exchange]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Lab:
    """The bench of one case. Not shared between cases; ``together`` may use threads of its own."""

    def __init__(self, case: Case, bench: Bench) -> None:
        self.case, self.bench, self.settings = case, bench, bench.settings
        self.random = random.Random(f"{bench.settings.seed} {case.role} {case.id}")  # noqa: S311  so that a seed repeats it
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
        self._lock = threading.RLock()

    # --- making -------------------------------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        """The profile of the namespace that the run uses."""
        return self.settings.profile

    def word(self) -> str:
        """A fresh word for TransactionID, MessageID or a mark: letters and digits."""
        with self._lock:
            return f"p{self.random.getrandbits(60):015x}"

    def good(self, place: int = 0, namespace: str | None = None) -> str:
        """A number that is served (``numbers.good``), the others in turn; as the namespace writes it."""
        known = self.settings.numbers.good
        if not known:
            raise Skip(NEEDS["numbers.good"][1])
        return written(known[place % len(known)], self._profile(namespace))

    def several(self, count: int, namespace: str | None = None) -> list[str]:
        """So many numbers that are served: those from ``numbers.many`` on where it is given, else the good in turn."""
        first = self.settings.numbers.many
        if not first:
            return [self.good(place, namespace) for place in range(count)]
        plus, digits = first[: first.startswith("+")], first.removeprefix("+")
        row = (f"{plus}{int(digits) + place:0{len(digits)}d}" for place in range(count))
        return [written(one, self._profile(namespace)) for one in row]

    def submit(
        self,
        *,
        parts: Sequence[Part] | None = None,
        namespace: str | None = None,
        account: Account | None = None,
        mark: str | None = None,
        **fields: Any,
    ) -> Stimulus:
        """A sound MM7_submit: one text part, to ``numbers.loop`` where there is one, else to a number that is served.

        ``fields`` are those of ``SubmitReq``. ``namespace`` is a name such as REL-5-MM7-1-2, or a whole URI. A message
        with an own ``to`` or ``earliest_delivery_time`` does not come back by itself (``looped``).
        """
        profile, account, mark = self._profile(namespace), account or self.settings.account, mark or self.word()
        looped = bool(self.settings.numbers.loop) and not {"to", "cc", "bcc", "earliest_delivery_time"} & set(fields)
        given: dict[str, Any] = {"vaspid": account.vaspid, "vasid": account.vasid, "subject": f"Probe {mark}"}
        if "to" not in fields and not ("cc" in fields or "bcc" in fields):
            given["to"] = [m.ShortCode(self.settings.numbers.loop)] if looped else [self.good(0, profile.schema)]
        parts = [text_part(f"Hello from the probe: {mark}")] if parts is None else parts
        made = self.of(m.SubmitReq(**{**given, **fields}), parts, namespace=profile.schema, account=account, mark=mark)
        return replace(made, looped=looped and account == self.settings.account)

    def cancel(self, message_id: str, *, namespace: str | None = None, account: Account | None = None) -> Stimulus:
        """A sound MM7_cancel."""
        who = account or self.settings.account
        message = m.CancelReq(vaspid=who.vaspid, vasid=who.vasid, message_id=message_id)
        return self.of(message, (), namespace=namespace, account=who)

    def replacement(
        self,
        message_id: str,
        *,
        parts: Sequence[Part] | None = None,
        namespace: str | None = None,
        account: Account | None = None,
        **fields: Any,
    ) -> Stimulus:
        """A sound MM7_replace, by default with one text part."""
        who, mark = account or self.settings.account, self.word()
        parts = [text_part(f"Replaced by the probe: {mark}")] if parts is None else parts
        message = m.ReplaceReq(vaspid=who.vaspid, vasid=who.vasid, message_id=message_id, **fields)
        return self.of(message, parts, namespace=namespace, account=who, mark=mark)

    def deliver(
        self,
        *,
        parts: Sequence[Part] | None = None,
        namespace: str | None = None,
        mark: str | None = None,
        **fields: Any,
    ) -> Stimulus:
        """A sound MM7_deliver to the VASP: one text part, from a number to the VASP's short code."""
        profile, mark = self._profile(namespace), mark or self.word()
        numbers = self.settings.numbers
        given: dict[str, Any] = {"reply_charging_id": self.word()} if profile.schema in _NO_PLUS else {}
        given |= {
            "sender": m.Number(written(next(iter(numbers.good), "+15550100"), profile)),
            "to": [m.ShortCode(numbers.sender or "7777")],
            "subject": f"Probe {mark}",
            "time_stamp": datetime.now(UTC).replace(microsecond=0),
        }
        parts = [text_part(f"Hello from the probe: {mark}")] if parts is None else parts
        message = m.DeliverReq(**{**given, **fields})
        return self.of(message, parts, namespace=profile.schema, account=self.settings.account, mark=mark)

    def report(self, *, namespace: str | None = None, **fields: Any) -> Stimulus:
        """A sound MM7_delivery_report: Retrieved, of a MessageID that was never issued unless given."""
        return self._told(m.DeliveryReportReq, "date", "Retrieved", namespace, fields)

    def read(self, *, namespace: str | None = None, **fields: Any) -> Stimulus:
        """A sound MM7_read_reply_report: Read."""
        return self._told(m.ReadReplyReq, "time_stamp", "Read", namespace, fields)

    def _told(self, kind: Any, moment: str, state: str, namespace: str | None, fields: Mapping[str, Any]) -> Stimulus:
        profile, numbers = self._profile(namespace), self.settings.numbers
        given: dict[str, Any] = {
            "message_id": self.word(),
            "recipient": m.Number(written(next(iter(numbers.good), "+15550100"), profile)),
            "sender": m.ShortCode(numbers.sender or "7777"),
            moment: datetime.now(UTC).replace(microsecond=0),
            "mm_status": state,
        }
        return self.of(kind(**{**given, **fields}), (), namespace=profile.schema, account=self.settings.account)

    def of(
        self,
        message: Message,
        parts: Sequence[Part] = (),
        *,
        namespace: str | None = None,
        account: Account | None = None,
        mark: str = "",
    ) -> Stimulus:
        """The sound request that carries any message."""
        return of(
            message,
            parts,
            profile=self._profile(namespace),
            transaction_id=self.word(),
            account=account or self.settings.account,
            mark=mark,
        )

    def _profile(self, namespace: str | None) -> Profile:
        if namespace is None:
            return self.settings.profile
        name = namespace if namespace in NAMESPACES else profiles.NAMESPACE_PREFIX + namespace
        return NAMESPACES[name]

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
            yield Line(self, connection)

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

        No answer at all is a MUST at any level, unless the closing of the connection is one of the outcomes.
        """
        stimulus = self._stimuli[id(said)]
        wanted = " or ".join(one.name for one in outcomes)
        fit = accept.best(said, outcomes)
        hang = said.answer.hung
        if said.accepted:
            self._accepted.append((stimulus, said))
        elif not hang:  # of what was not answered nobody knows
            self._refused.append((stimulus, said))
        if fit == "yes":
            return True
        if fit == "near":
            self._found("INFO", f"another code of the class: {said.summary}", wanted, said.summary, said)
            return True
        silent = said.answer.status is None
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

        Raises ``RuntimeError`` (the tool's trouble) where too few came and the listener failed to answer one.
        """
        if self.bench.dry:
            return []
        found = self._listener.wait(matches, count, self.settings.patience if within is None else within)
        if within != 0 and len(found) < count:
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

    def no_call(self, matches: Callable[[Arrived], bool], what: str, *, level: Level | None = None) -> None:
        """Judged when the window after the last case is over: nothing that matches has come."""

        def look() -> None:
            for one in self.calls(matches, 1, 0)[:1]:
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
        return _object(self.settings.trigger, self._run(self.settings.trigger, values)) or {}

    def state(self, **values: str) -> None:
        """Have the state made that the case needs."""
        self._run(self.settings.state, values)

    def seen(self, stimulus: Stimulus) -> Mapping[str, Any] | None:
        """What the VASP's application got of a message: ``parts`` (SHA-256 each), ``subject`` ...; None for nothing."""
        said = self._run(
            self.settings.seen,
            {"transaction_id": stimulus.transaction_id or "", "mark": stimulus.mark, "operation": stimulus.operation},
        )
        return _object(self.settings.seen, said)

    def _run(self, command: tuple[str, ...], values: Mapping[str, str]) -> str:
        if self.bench.dry or not command:
            return ""
        given = {f"MM7ZEEP_PROBE_{name.upper()}": value for name, value in values.items()}
        given |= {"MM7ZEEP_PROBE_CASE": self.case.id}
        if self.bench.listener is not None:
            given["MM7ZEEP_PROBE_LISTEN"] = str(self.bench.listener.port)
        # Files and no pipes: what the command leaves running would keep those open, and is not waited for.
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
            done = subprocess.run(  # noqa: S603  the user names it, and no shell reads it
                command,
                env={**os.environ, **given},
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=errors,
                timeout=30,
                check=False,
            )
            said, complained = (_text(stream) for stream in (told, errors))
        if done.returncode:
            raise RuntimeError(f"the command {command[0]} ended with {done.returncode}: {complained[-300:]}")
        return said

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
                for one in self._listener.wait(lambda one, of=stimulus: carries(one, of), 1, 0)[:1]:  # type: ignore[misc]
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


class Line:
    """A connection of a case: what is sent and read on it is kept."""

    def __init__(self, lab: Lab, connection: Connection) -> None:
        self._lab, self.connection = lab, connection

    def ask(self, stimulus: Stimulus, *, timeout: float | None = None) -> Said:
        """Send a request in one piece, and what is said to it."""
        self.connection.send(stimulus.octets(self._lab.place))
        return self.said_to(stimulus, timeout=timeout)

    def ask_chunked(self, stimulus: Stimulus, sizes: Sequence[int]) -> Said:
        """Send its body in chunks of these sizes, the last again and again (RFC 9112 7.1)."""
        body, at, turn = stimulus.body(), 0, 0
        octets = bytearray(stimulus.head(self._lab.place, "Transfer-Encoding: chunked"))
        while at < len(body):
            size = max(1, sizes[min(turn, len(sizes) - 1)])
            piece = body[at : at + size]
            octets += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
            at, turn = at + size, turn + 1
        self.connection.send(bytes(octets + b"0\r\n\r\n"))
        return self.said_to(stimulus)

    def send(self, octets: bytes) -> bool:
        """Write octets; False where the peer takes no more."""
        return self.connection.send(octets)

    def said_to(self, stimulus: Stimulus, *, timeout: float | None = None) -> Said:
        """The next answer, as that to ``stimulus``, whose octets were sent."""
        method = (stimulus.line or "POST").partition(" ")[0]
        return self._lab.heard(stimulus, self.connection.read(timeout, method))


def _text(stream: IO[bytes]) -> str:
    """What a command wrote."""
    stream.seek(0)
    return stream.read().decode("utf-8", "replace").strip()


def _object(command: tuple[str, ...], said: str) -> Mapping[str, Any] | None:
    """The JSON object that a command printed; None for null or nothing. Raises ``RuntimeError`` for anything else."""
    try:
        found = json.loads(said or "null")
    except ValueError:
        found = said
    if found is not None and not isinstance(found, dict):
        raise RuntimeError(f"the command {command[0]} prints one JSON object or null, not {said[:80]!r}")
    return found


# --- small things for cases -------------------------------------------------------------------------------------------


def text_part(text: str, **fields: Any) -> Part:
    """A text part in UTF-8."""
    return Part(body=text.encode(), content_type="text/plain", parameters=(("charset", "utf-8"),), **fields)


def written(number: str, profile: Profile) -> str:
    """A number as the namespace takes it: the oldest two have no + (XSD NMTOKEN)."""
    return number.removeprefix("+") if profile.schema in _NO_PLUS else number


def carries(arrived: Arrived, stimulus: Stimulus) -> bool:
    """Whether what arrived carries the message of ``stimulus``: its mark, or one of its parts where none is shown."""
    if arrived.operation == "SubmitReq" or not stimulus.mark:
        return False
    if stimulus.mark in arrived.subject or stimulus.mark.encode() in arrived.raw:
        return True
    if _MARKED.search(arrived.subject):
        return False  # another's, which may have the same parts
    return bool(set(stimulus.digests) & set(arrived.digests))


def step(profile: Profile) -> str:
    """A namespace as a step of an id: rel5-1-2."""
    return profile.schema.lower().replace("rel-", "rel").replace("-mm7", "")


def about(message_id: str | None, operation: str | None = None) -> Callable[[Arrived], bool]:
    """Matches the peer's requests that name this MessageID."""
    return lambda one: bool(message_id) and one.message_id == message_id and operation in (None, one.operation)
