"""``mm7zeep load``: requests to an MMSC at a fixed rate, and how it answered.

Exit status 0 all well, 1 requests failed, or reports did not come exactly once, or the rate was not reached, 2 wrong
usage, 3 what was asked for could not be begun or written.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mm7zeep import json_text
from mm7zeep.cli import COULD_NOT_RUN, FAILURES, options

if TYPE_CHECKING:
    from mm7zeep.load import Plan
    from mm7zeep.load.crew import News
    from mm7zeep.load.ledger import Ledger
    from mm7zeep.load.result import Result

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _span(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """Seconds: 30, 30s, 5m, 1h."""
    number, unit = (value[:-1], value[-1:]) if value[-1:] in _UNITS else (value, "s")
    try:
        found = float(number) * _UNITS[unit]
    except ValueError:
        found = -1.0
    if not 0 <= found <= 7 * 86_400:
        raise click.BadParameter("give seconds, or a span like 30s, 5m or 1h, up to a week")
    return found


def _numbers(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The numbers as they are given; those in a file for @FILE."""
    if value is None or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{value[1:]}: {getattr(error, 'strerror', None) or 'no ASCII text'}") from error


def _sizes(context: click.Context, parameter: click.Parameter, value: str) -> tuple[tuple[int, float], ...]:
    """text=3,30k=1 as octets of the picture (0 for text alone) with their weights."""
    from mm7zeep.errors import LocalError
    from mm7zeep.load.plan import weights

    try:
        given = weights(value)
    except LocalError as error:
        raise click.BadParameter(str(error)) from error
    return tuple(
        (0 if name == "text" else options.octets(context, parameter, name) or 0, weight) for name, weight in given
    )


@click.command("load")
@click.argument("url")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1e6, min_open=True),
    default=10.0,
    show_default=True,
    metavar="N",
    help="Requests a second, whatever the answers.",
)
@click.option("--duration", callback=_span, default="10s", show_default=True, metavar="SPAN", help="For how long.")
@click.option(
    "--ramp",
    callback=_span,
    default="0s",
    show_default=True,
    metavar="SPAN",
    help="In which the rate rises from nothing; part of the duration.",
)
@click.option(
    "--mix",
    default="submit",
    show_default=True,
    metavar="MIX",
    help="Operations with weights: submit=8,cancel=1,replace=1.",
)
@click.option(
    "--sizes",
    callback=_sizes,
    default="text",
    show_default=True,
    metavar="SIZES",
    help="Contents with weights: text=3,30k=1; a size is that of the picture.",
)
@click.option(
    "--to",
    callback=_numbers,
    metavar="NUMBERS",
    help="Recipients to draw from: +1555...,FIRST..LAST or @FILE.  [default: those allowed]",
)
@click.option(
    "--recipients",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Recipients of each submit.",
)
@click.option(
    "--allow-send",
    callback=_numbers,
    metavar="NUMBERS",
    help="Numbers that may be sent to. Needed for a host that is not this machine.",
)
@options.auth("LOAD")
@options.bearer("LOAD")
@options.vaspid()
@options.vasid()
@options.profile()
@options.ca_file()
@options.client_cert()
@click.option(
    "--connections",
    type=click.IntRange(1, 20_000),
    default=32,
    show_default=True,
    metavar="N",
    help="Kept connections in all; each carries one request at a time.",
)
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="Sender processes."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.01, 3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For an answer.",
)
@click.option(
    "--max-late",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How much later than due a request may be sent before the rate counts as not reached.",
)
@click.option(
    "--listen",
    callback=lambda context, parameter, value: value and options.address(context, parameter, value),
    metavar="HOST:PORT",
    help="Take delivery reports there, ask for them, and check that each comes once.",
)
@click.option(
    "--listen-auth", callback=options.credentials, metavar="USER:PASS", help="What the MMSC has to show there."
)
@click.option(
    "--settle",
    callback=_span,
    default="30s",
    show_default=True,
    metavar="SPAN",
    help="How long to wait for reports at the end.",
)
@click.option(
    "--every",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="N",
    help="Judge each Nth answer by the full reader; whatever looks odd is in any case.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Of what is drawn by chance.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write a page with charts.",
)
def command(
    url: str,
    mix: str,
    auth: tuple[str, str] | None,
    bearer: str | None,
    listen: tuple[str, int] | None,
    listen_auth: tuple[str, str] | None,
    settle: float,
    as_json: bool,
    html: Path | None,
    **more: Any,
) -> None:
    """Send requests to the MMSC at URL at a fixed rate, and tell how it answers.

    The rate is kept whatever the answers: latency counts from when a request was due, so that a server that stalls is
    charged for all that should have been sent meanwhile. An interrupt ends in order and reports; a second one does not
    wait.

    Exit status: 0 all well, 1 requests failed, reports did not come exactly once, or the rate was not reached, 2 wrong
    usage, 3 it could not be run.
    """
    from mm7zeep.errors import LocalError

    if listen_auth is not None and listen is None:
        raise click.UsageError("--listen-auth needs --listen HOST:PORT")
    if html is not None and not html.parent.is_dir():
        raise click.BadParameter(f"{html.parent} is no folder", param_hint="--html")
    try:
        plan = _plan(url, mix, _authorization(auth, bearer), reports=listen is not None, **more)
        result = _run(plan, listen, listen_auth, settle)
    except (LocalError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    except RuntimeError as error:
        click.echo(f"mm7zeep load: {error}", err=True)
        sys.exit(COULD_NOT_RUN)
    if as_json:
        click.echo(json_text.as_json(result.as_dict()))
    else:
        _tell(result)
    if html is not None:  # after the figures, which would be lost with a file that cannot be written
        from mm7zeep.load import page

        html.write_text(page.render(result), encoding="utf-8")
    sys.exit(FAILURES if result.faults else 0)


def _authorization(auth: tuple[str, str] | None, bearer: str | None) -> str | None:
    """The value of the header field. Raises ``LocalError`` for what cannot be shown."""
    from mm7zeep.credentials import Basic, Bearer

    if auth is not None and bearer is not None:
        raise click.UsageError("--bearer stands beside --auth; give one of them")
    if bearer is not None:
        return f"Bearer {Bearer(bearer).token}"
    if auth is None:
        return None
    shown = Basic(*auth)
    return "Basic " + base64.b64encode(f"{shown.user}:{shown.password}".encode()).decode()


def _plan(
    url: str,
    mix: str,
    authorization: str | None,
    *,
    rate: float,
    duration: float,
    ramp: float,
    to: str | None,
    allow_send: str | None,
    **more: Any,
) -> Plan:
    """The plan. Raises ``LocalError`` or ``ValueError`` for what cannot be sent, or may not."""
    from mm7zeep.load import Plan, Schedule
    from mm7zeep.load.plan import OPERATIONS, recipients, resolved, weights

    where, here = resolved(url)
    return Plan(
        url=url,
        address=where,
        schedule=Schedule(rate=rate, duration=duration, ramp=ramp),
        mix=weights(mix, OPERATIONS),
        numbers=recipients(to, allow_send, loopback=here),
        authorization=authorization,
        **more,
    )


def _run(plan: Plan, listen: tuple[str, int] | None, auth: tuple[str, str] | None, settle: float) -> Result:
    """Do it. Raises ``LocalError``, ``RuntimeError``; ``OSError`` where the listener's address is taken."""
    from mm7zeep.load.crew import Crew
    from mm7zeep.load.ledger import Ledger
    from mm7zeep.load.result import Result

    ledger = Ledger() if listen is not None else None
    with ExitStack() as stack:
        if ledger is not None and listen is not None:
            stack.enter_context(_listening(ledger, *listen, auth))
        live = stack.enter_context(_progress(plan, ledger))
        crew = stack.enter_context(Crew(plan, ledger, live.watch if live is not None else None))
        began = datetime.now(UTC)
        tally = crew.run()
        if ledger is not None:
            crew.settle(ledger, settle, live.waits if live is not None else None)
        return Result(
            plan=plan,
            tally=tally,
            began=began,
            account=ledger.account(unanswered=tally.unanswered_submits) if ledger is not None else None,
            interrupted=crew.interrupts > 0,
        )


@contextmanager
def _listening(ledger: Ledger, host: str, port: int, auth: tuple[str, str] | None) -> Iterator[None]:
    from mm7zeep.cli.listen import refusals_told
    from mm7zeep.gateway.logs import restrain
    from mm7zeep.load.callbacks import listening

    if auth is None and not options.loopback(host):
        click.echo(f"mm7zeep load: without --listen-auth, everybody who reaches {host} may report", err=True)
    restrain()
    with refusals_told("load"), listening(ledger, host, port, auth) as url:
        click.echo(f"listening on {url}", err=True)
        yield


class _Live:
    """The live line, ``said``: what the senders told last, and what the ledger knows."""

    def __init__(self, show: Callable[[int, str], object], ledger: Ledger | None) -> None:
        self._show, self._ledger = show, ledger
        self._latest: dict[int, News] = {}
        self.said = ""

    def watch(self, news: News) -> None:
        """News of one sender."""
        self._latest[news.number] = news
        self._tell()

    def waits(self, seconds: float) -> None:
        """All is sent, and reports are waited for, for so many seconds yet."""
        left = self._ledger.outstanding() if self._ledger is not None else 0
        waiting = f"waiting up to {seconds:.0f} s for {left:,} more"
        self._tell(waiting if left else "all are there; waiting for what comes twice")

    def _tell(self, more: str = "") -> None:
        sent, answered, failed = (
            sum(getattr(one, name) for one in self._latest.values()) for name in ("sent", "answered", "failed")
        )
        said = f"{answered:,} answered, {failed:,} failed"
        if self._ledger is not None:
            said += f", {self._ledger.reported:,} reported"
        self.said = f"{said}; {more}" if more else said
        self._show(sent, self.said)


@contextmanager
def _progress(plan: Plan, ledger: Ledger | None) -> Iterator[_Live | None]:
    """One live line on standard error, if somebody looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.completed:,}/{task.total:,} sent"), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=plan.schedule.total)
        yield _Live(lambda sent, said: bar.update(task, completed=sent, description=said), ledger)


def _tell(result: Result) -> None:
    """The figures on standard output, in colours on a terminal."""
    from rich.console import Console
    from rich.text import Text

    from mm7zeep.load import report

    console = Console(highlight=False, soft_wrap=True)
    for line, style in report.lines(result):
        console.print(Text(line, style=style))
