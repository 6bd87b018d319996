"""Runs cases against one endpoint: several at a time, each in a ``Lab`` of its own, and gives the ``Report``.

Whatever goes wrong in the tool or on the way to the endpoint is ERROR and blamed on nobody. A case that is stopped
leaves no result.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

from mm7zeep import __version__ as _version
from mm7zeep import masking
from mm7zeep.probe.asking import Bench
from mm7zeep.probe.assertion import Common, Exchange
from mm7zeep.probe.case import Case, Ended, Skip
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.listener import Listener
from mm7zeep.probe.needs import NEEDS
from mm7zeep.probe.results import Reason, Report, Result, Role, Transmission, verdict_of
from mm7zeep.probe.settings import Settings
from mm7zeep.probe.wire import Answer, Connection, Refused

_SHOWN = 20  # answers that one common assertion shows of those that broke it


def run(
    cases: Sequence[Case],
    settings: Settings,
    *,
    on_result: Callable[[Result], None] | None = None,
    on_asked: Callable[[Case], None] | None = None,
    stop: threading.Event | None = None,
    context: ssl.SSLContext | None = None,
) -> Report:
    """Run ``cases`` and judge.

    ``on_asked`` hears, from several threads, of each case that has asked; ``on_result`` of each result as soon as it is
    known, which is when all have asked and the window for calls after them is over. With ``stop`` set, no further case
    is begun, and those that were are judged. Raises ``Refused`` where nobody takes connections at
    the URL, ``OSError`` where the listener's place cannot be had, ``ValueError`` for a case of another role.
    """
    odd = next((one for one in cases if one.role != settings.role), None)
    if odd is not None:
        raise ValueError(f"{odd.id} is a case of role {odd.role}, and the endpoint's is {settings.role}")
    stop = stop or threading.Event()
    started, began = datetime.now(UTC), time.monotonic()
    Connection(urlsplit(settings.url), settings.timeout, context).close()  # that nobody is there is said once
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(settings.listen)) if settings.listen else None
        bench = Bench(settings=settings, opens=Connection, listener=listener, context=context, began=began)
        labs = _run_all(cases, bench, stop, on_asked)
        if listener is not None and labs:
            _wait_until_quiet(listener, settings, stop)
        until = time.monotonic() + settings.patience
        results = [_settled(one, until, on_result) for one in labs]
    common = [_guarded_common(one, bench, settings.role) for one in COMMON]
    for one in common:
        if on_result is not None:
            on_result(one)
    return Report(
        url=masking.url(settings.url),
        role=settings.role,
        started=started.isoformat(timespec="seconds"),
        took=time.monotonic() - began,
        seed=settings.seed,
        version=_version,
        results=(*results, *common),
        options={"namespace": settings.namespace, "unsupported": ", ".join(sorted(settings.unsupported))},
    )


def _wait_until_quiet(listener: Listener, settings: Settings, stop: threading.Event) -> None:
    """Wait out the window, and as long as calls still come one after the other, but not beyond our patience."""
    stop.wait(settings.window)
    until = time.monotonic() + settings.patience
    while not stop.is_set() and (rest := listener.quiet(settings.window, until)) > 0:
        stop.wait(rest)


class _Run:
    """One case under way: its lab, or the result that it has already."""

    def __init__(self, case: Case, bench: Bench) -> None:
        self.case, self.lab = case, Lab(case, bench)
        self.skipped = ""
        self.error = ""
        self.took = 0.0

    def begin(self) -> None:
        began = time.monotonic()
        lacking = next((NEEDS[one][1] for one in self.case.needs if not NEEDS[one][0](self.lab.settings)), None)
        if lacking is not None:
            self.skipped = lacking
            return
        self._guarded(lambda: self.case.run(self.lab))
        self.took = time.monotonic() - began

    def settle(self, until: float) -> None:
        if not self.skipped and not self.error:
            self._guarded(lambda: self.lab.settle(until))

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Skip as skip:
            self.skipped = str(skip)
        except Ended:
            pass
        except Refused as refused:
            self.error = str(refused)
        except Exception as error:  # noqa: BLE001  a fault of the tool is told as such, never blamed on the peer
            self.error = _told(error)

    def result(self) -> Result:
        case, lab = self.case, self.lab
        reasons = tuple(lab.reasons)
        verdict = verdict_of(reasons)
        if self.error and verdict not in ("FAIL", "HANG"):
            verdict = "ERROR"
            reasons = (Reason(level="INFO", text=self.error), *reasons)
        elif self.skipped and not reasons:
            verdict = "SKIP"
        return Result(
            id=case.id,
            role=case.role,
            level=case.level,
            clause=case.clause,
            requirement=case.requirement,
            verdict=verdict,
            reasons=reasons,
            skipped=self.skipped if verdict == "SKIP" else "",
            transmissions=tuple(lab.transmissions),
            took=self.took,
        )


def _run_all(
    cases: Sequence[Case], bench: Bench, stop: threading.Event, on_asked: Callable[[Case], None] | None
) -> list[_Run]:
    """Begin all cases, those that want to be alone after the others; those begun, in their order."""

    def begin(case: Case) -> _Run | None:
        if stop.is_set():
            return None
        one = _Run(case, bench)
        one.begin()
        if on_asked is not None:
            on_asked(case)
        return one

    beside = [one for one in cases if not one.alone]
    with ThreadPoolExecutor(bench.settings.parallel, thread_name_prefix="probe") as pool:
        found = {one.case.id: one for one in pool.map(begin, beside) if one is not None}
    for case in (one for one in cases if one.alone):
        if (one := begin(case)) is not None:
            found[case.id] = one
    return [found[one.id] for one in cases if one.id in found]


def _settled(one: _Run, until: float, on_result: Callable[[Result], None] | None) -> Result:
    one.settle(until)
    result = one.result()
    if on_result is not None:
        on_result(result)
    return result


# --- the common assertions --------------------------------------------------------------------------------------------


def _guarded_common(common: Common, bench: Bench, role: Role) -> Result:
    """The same as ``_common``; a fault of the tool in it is ERROR, and costs no other result."""
    try:
        return _common(common, bench, role)
    except Exception as error:  # noqa: BLE001  a fault of the tool is told as such, never blamed on the peer
        return Result(
            id=common.id,
            role=role,
            level=common.level,
            clause=common.clause,
            requirement=common.requirement,
            verdict="ERROR",
            reasons=(Reason(level="INFO", text=_told(error)),),
            common=True,
        )


def _told(error: Exception) -> str:
    """A fault of the tool, with its place."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({where.filename.rpartition('/')[2]}:{where.lineno})"


def _common(common: Common, bench: Bench, role: Role) -> Result:
    """One common assertion over every exchange of the run."""
    asked = [one for one in bench.exchanges if common.asks(one[1])]
    shown: list[Transmission] = []
    reasons: list[Reason] = []
    for case_id, exchange in asked:
        found = list(common.check(exchange))
        for one in found[:3]:
            place = None
            if len(shown) < _SHOWN:
                if one is found[0]:
                    shown.append(_transmission(exchange, bench, case_id))
                place = len(shown) - 1
            reasons.append(replace(one, text=f"{case_id}: {one.text}", exchange=place))
    return Result(
        id=common.id,
        role=role,
        level=common.level,
        clause=common.clause,
        requirement=common.requirement,
        verdict=verdict_of(reasons) if asked else "SKIP",
        skipped="" if asked else "no answer that it could be asked of",
        reasons=tuple(reasons),
        transmissions=tuple(shown),
        common=True,
        seen=len(asked),
    )


def _transmission(exchange: Exchange, bench: Bench, note: str) -> Transmission:
    answer = exchange.answer
    return Transmission(
        by="tool",
        sent=answer.sent,
        received=answer.raw,
        ended=answer.ended,
        started=answer.started - bench.began,
        took=answer.took,
        note=note,
    )


# --- without sending --------------------------------------------------------------------------------------------------


def dry_run(cases: Iterable[Case], settings: Settings, write: Callable[[str, bytes], None]) -> None:
    """Give ``write`` the id and the octets of every request that the cases would send; nothing is sent.

    What follows from an answer is shown as if every request had been accepted, and nothing had been called back.
    """
    for case in cases:
        if any(not NEEDS[one][0](settings) for one in case.needs):
            continue
        bench = Bench(settings=settings, opens=_DryConnection, dry=True)
        lab = Lab(case, bench)
        with suppress(Skip, Ended):
            case.run(lab)
        for one in lab.transmissions:
            if one.sent:
                write(case.id, one.sent)


class _DryConnection(Connection):
    """Takes everything, and says that every request was accepted."""

    def __init__(self, place: SplitResult, timeout: float, context: ssl.SSLContext | None = None) -> None:
        self._said = bytearray()
        self._pending: list[bytes] = []

    def close(self) -> None:
        """Nothing is open."""

    abort = finish = close

    def send(self, octets: bytes) -> bool:
        self._said += octets
        return True

    def send_slowly(self, pieces: Iterable[bytes], pause: float) -> bool:
        for one in pieces:
            self.send(one)
        return True

    def speaks(self, within: float) -> bool:
        return False

    def is_closed(self, within: float) -> bool:
        return True

    def read(self, timeout: float | None = None, method: str = "POST") -> Answer:
        sent, self._said = bytes(self._said), bytearray()
        return dry_answer(sent)


def dry_answer(sent: bytes) -> Answer:
    """The answer that a dry run takes for given: success."""
    found = re.search(rb"<TransactionID[^>]*>([^<]*)<", sent)
    name = re.search(rb"Body>\s*<(?:\w+:)?(\w+)Req\b[^>]*xmlns=\"([^\"]*)\"", sent)
    operation, namespace = (name[1].decode(), name[2].decode()) if name else ("Submit", "")
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<TransactionID xmlns="{namespace}" e:mustUnderstand="1">{found[1].decode() if found else ""}</TransactionID>'
        f'</e:Header><e:Body><{operation}Rsp xmlns="{namespace}"><MM7Version>6.8.0</MM7Version><Status><StatusCode>1000'
        "</StatusCode><StatusText>Success</StatusText></Status><MessageID>dry</MessageID>"
        f"</{operation}Rsp></e:Body></e:Envelope>"
    ).encode()
    return Answer(
        sent=sent,
        raw=b"HTTP/1.1 200 OK\r\n\r\n" + body,
        version="1.1",
        status=200,
        fields=(("Content-Type", "text/xml; charset=utf-8"),),
        body=body,
        framing="length",
    )


def selected(cases: Iterable[Case], role: Role) -> Iterator[Case]:
    """Those of one role."""
    return (one for one in cases if one.role == role)
