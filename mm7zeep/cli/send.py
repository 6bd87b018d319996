"""``mm7zeep send``: submit one message to an MMSC and say what became of it (``outcomes``).

Exit status 0 where it was accepted for everybody, 1 where it was refused or accepted in part only (1100, or some of the
recipients of a split message), 2 for a message that cannot be built, 3 where no answer came, or none that can be read,
130 and 143 after signals.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mm7zeep.cli import interrupts, options

if TYPE_CHECKING:
    from mm7zeep.cli.dry_run import DryRun
    from mm7zeep.cli.wire_view import WireView
    from mm7zeep.client import Submitted, VaspClient
    from mm7zeep.credentials import Auth
    from mm7zeep.messages import Part
    from mm7zeep.profiles import Profile
    from mm7zeep.transport import Timeouts

_LARGE = 256 * 1024  # octets of an upload from which on a bar is shown
_MOST_PIPED = 64 * 1024 * 1024  # octets of standard input, which is kept in memory
_SPAN = re.compile(r"([0-9]{1,6})([smhdw])\Z")
# What a profile has from the carrier, and not from the schema (profiles.Profile).
_CARRIER = (
    "prefix", "policy", "split", "max_message", "max_content", "max_part", "max_parts", "max_subject",
    "max_recipients", "max_content_id", "media_types", "sources", "smil", "empty_ack", "submit_as_deliver",
    "fault_refusals", "fault_status", "answer_schema", "report_schema", "encoding", "headers",
    "oversize_http", "recipients_status",
)  # fmt: skip
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _headers(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """NAME:VALUE, several."""
    found: dict[str, str] = {}
    for one in value:
        name, colon, text = one.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter("give NAME:VALUE")  # never repeats what was given: it may be a key
        if name.strip().lower() in [other.lower() for other in found]:
            raise click.BadParameter(f"{name.strip()} is given twice; give it once")
        if name.strip().lower() == "authorization":
            raise click.BadParameter("give --auth, --digest or --bearer for Authorization")
        found[name.strip()] = text.strip()
    return found


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | datetime | None:
    """A span (30m, 12h, 2d, 1w) or a point in time with its zone."""
    if value is None:
        return None
    if span := _SPAN.match(value):
        return timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("give a span like 12h or 2d, or a time like 2030-01-31T12:00:00+10:00") from None
    if moment.tzinfo is None:
        raise click.BadParameter("the time needs a zone, like 2030-01-31T12:00:00+10:00")
    return moment


@click.command("send")
@click.argument("url")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.auth("SEND")
@click.option("--digest", is_flag=True, help="Show them by Digest (RFC 7616), never by Basic.")
@options.bearer("SEND")
@click.option(
    "--header",
    "headers",
    multiple=True,
    callback=_headers,
    metavar="NAME:VALUE",
    help="A header field of each request; may be repeated.",
)
@options.vaspid()
@options.vasid()
@click.option("--to", multiple=True, metavar="ADDRESS", help="A recipient; may be repeated.")
@click.option("--cc", multiple=True, metavar="ADDRESS", help="A recipient of a copy; may be repeated.")
@click.option(
    "--bcc", multiple=True, metavar="ADDRESS", help="A recipient that the others do not see; may be repeated."
)
@click.option("--subject", help="The subject.")
@click.option("--text", "texts", multiple=True, help="A text part; may be repeated. Texts come before files.")
@click.option("--from-stdin", is_flag=True, help="A part from standard input: a text or a picture, behind the texts.")
@click.option(
    "--charset",
    help="What the texts among the FILEs are in, where that is neither UTF-8 nor marked: windows-1252",
)
@options.profile("carrier")
@click.option("--fit", is_flag=True, help="Make pictures fit into what the carrier takes (extra fit).")
@click.option("--limit", callback=options.octets, metavar="SIZE", help="The same, into so much: 300k, 1M, or octets.")
@click.option("--namespace", help="Another MM7 schema than the profile's: REL-5-MM7-1-3, ...")
@click.option("--delivery-report", is_flag=True, help="Ask to be told what becomes of it.")
@click.option("--read-reply", is_flag=True, help="Ask to be told when it is read.")
@click.option("--expiry", callback=_moment, metavar="SPAN", help="How long it may wait: 12h, 2d, or a time with zone.")
@click.option("--priority", type=click.Choice(["Low", "Normal", "High"]), help="Its priority.")
@click.option("--service-code", help="What the service is billed under.")
@click.option(
    "--transaction-id",
    metavar="ID",
    help="The TransactionID (else a new one): send again under the one of a request without answer, the rest alike.",
)
@options.ca_file()
@options.client_cert()
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86_400, min_open=True),
    metavar="SECONDS",
    help="For the whole exchange.  [default: 300]",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Send nothing: write the request, without the credentials, to standard output; to a terminal as -v shows it.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where --dry-run writes the request, octet by octet: a .http file that mm7zeep check reads.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show on standard error what goes out and comes in: heads and envelopes, without credentials and numbers.",
)
@click.option(
    "--show-numbers",
    is_flag=True,
    help="Do not hide telephone numbers and mail addresses in what -v shows and in the pages of errors.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, whatever became of it.")
def command(
    url: str,
    files: tuple[Path, ...],
    auth: tuple[str, str] | None,
    digest: bool,
    bearer: str | None,
    headers: dict[str, str],
    timeout: float | None,
    dry_run: bool,
    output: Path | None,
    from_stdin: bool,
    verbose: bool,
    show_numbers: bool,
    vaspid: str | None,
    vasid: str | None,
    carrier: str | None,
    namespace: str | None,
    ca_file: str | None,
    client_cert: str | None,
    texts: tuple[str, ...],
    charset: str | None,
    fit: bool,
    limit: int | None,
    as_json: bool,
    **fields: Any,
) -> None:
    """Submit a message to the MMSC at URL.

    The content is the texts, standard input (--from-stdin) and the FILEs in this order; several parts get a
    presentation where the profile says so. Credentials are best given in the environment, which no list of processes
    shows: MM7ZEEP_SEND_AUTH, MM7ZEEP_SEND_BEARER.

    What was accepted is told on standard output, everything else on standard error; --json always prints its object on
    standard output. Where no answer came, or Ctrl-C ended the wait for it, the TransactionID is named, and whether the
    message may have been accepted. The same command with that --transaction-id sends it again: our gateway, and an MMSC
    that recognises repeats, answers as it did the first time, and brings the message once.

    Exit status: 0 accepted for every recipient, 1 refused, or accepted for some only (they are named as far as the
    answer tells), 2 wrong usage, or not sent (it exceeds a limit, say), 3 no answer came, or none that can be read: it
    may have been accepted, if that is said, 130 interrupted by Ctrl-C, 143 by SIGTERM.
    """
    if output is not None and not dry_run:
        raise click.UsageError("--output is where --dry-run writes; give both")
    _need_recipients(fields)
    with interrupts.sigterm_as_interrupt():
        from mm7zeep.cli.outcomes import Teller
        from mm7zeep.cli.watched import Watched
        from mm7zeep.client import VaspClient
        from mm7zeep.errors import LocalError, Mm7Error

        to_terminal = dry_run and output is None and sys.stdout.isatty()
        view = _view(headers, err=verbose, show_numbers=show_numbers) if verbose or to_terminal else None
        dry = _dry_run(headers, view) if dry_run else None
        watched, tell, requests = Watched(view), Teller(as_json=as_json, show_numbers=show_numbers), 1
        try:
            client = VaspClient(
                url,
                vaspid=vaspid,
                vasid=vasid,
                auth=_auth(auth, bearer, digest=digest),
                headers=headers,
                profile=_profile(carrier, namespace),
                ca_file=ca_file,
                client_cert=client_cert,
                adapter=dry or watched,
                timeouts=_timeouts(timeout),
            )
            requests = _count(fields) if client.split else 1
            content, size = _content(texts, files, charset, from_stdin=from_stdin)
            sent = _submit(client, content, fields, fit=limit or fit, size=size if view is None else 0)
        except LocalError as error:
            tell.not_sent(error)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        except Mm7Error as error:
            tell.failed(error, watched.exchanges)
        except KeyboardInterrupt as error:
            watched.stop()
            tell.interrupted(error, watched.exchanges, requests)
    if dry is None:
        tell.accepted(sent)
    if not to_terminal:
        _write(dry, output)


def _content(
    texts: Sequence[str], files: Sequence[Path], charset: str | None, *, from_stdin: bool
) -> tuple[tuple[str | Part, ...], int]:
    """The texts, standard input and the files, in this order; and the octets of all but the texts."""
    from mm7zeep.client import part_of

    piped = [_piped()] if from_stdin else []
    size = sum(file.stat().st_size for file in files) + sum(map(len, piped))
    parts = [part_of(one, charset=charset) for one in piped]
    parts += [part_of(one, charset=charset) for one in files]
    return (*texts, *parts), size


def _submit(
    client: VaspClient, content: tuple[str | Part, ...], fields: dict[str, Any], *, fit: bool | int, size: int
) -> Submitted:
    """Send it and close the client; what Ctrl-C interrupts. A bar is shown for an upload of ``size`` octets."""

    def submit() -> Submitted:
        with client:
            return client.submit(content=content, progress=bar, fit=fit, **_given(fields))

    with _bar(size) as bar:
        return interrupts.interruptible(submit)


def _write(dry: DryRun, output: Path | None) -> None:
    """The requests that were not sent, into a file or to standard output."""
    if output is None:
        dry.write(sys.stdout.buffer)
        return
    with output.open("wb") as file:
        dry.write(file)


def _view(headers: Mapping[str, str], *, err: bool, show_numbers: bool) -> WireView:
    """What shows requests and answers, on standard error or output."""
    from mm7zeep.cli.wire_view import WireView

    return WireView(partial(click.echo, err=err), hidden=tuple(headers), show_numbers=show_numbers)


def _piped() -> bytes:
    """What comes on standard input."""
    if sys.stdin.isatty():
        click.echo("mm7zeep send: reading from the terminal, to the end of input (Ctrl-D; on Windows Ctrl-Z)", err=True)
    data = sys.stdin.buffer.read(_MOST_PIPED + 1)
    if not data:
        raise click.UsageError("--from-stdin: nothing came on standard input")
    if len(data) > _MOST_PIPED:
        raise click.UsageError(f"--from-stdin: more than {_MOST_PIPED} octets came; name a FILE instead")
    return data


def _auth(auth: tuple[str, str] | None, bearer: str | None, *, digest: bool) -> Auth:
    """What is shown to the MMSC. Raises ``LocalError`` for what cannot be shown."""
    from mm7zeep.credentials import Bearer, Digest

    if bearer is not None:
        if auth is not None or digest:
            raise click.UsageError("--bearer stands beside --auth or --digest; give one of them")
        return Bearer(bearer)
    if digest and auth is None:
        raise click.UsageError("--digest needs --auth USER:PASS")
    return Digest(*auth) if digest and auth is not None else auth


def _timeouts(seconds: float | None) -> Timeouts:
    """All within ``seconds``: connecting, waiting and reading, too; the usual ones for None."""
    from mm7zeep.transport import Timeouts

    usual = Timeouts()
    if seconds is None:
        return usual
    return Timeouts(
        connect=min(usual.connect, seconds), read=min(max(usual.read, seconds), 86_400), reply=seconds, total=seconds
    )


def _dry_run(headers: Mapping[str, str], view: WireView | None) -> DryRun:
    from mm7zeep.cli.dry_run import DryRun

    return DryRun(tuple(headers), view)


def _need_recipients(fields: Mapping[str, Any]) -> None:
    if not _count(fields):
        raise click.UsageError("give at least one recipient with --to, --cc or --bcc")


def _count(fields: Mapping[str, Any]) -> int:
    """How many recipients were given."""
    return sum(len(fields[name]) for name in ("to", "cc", "bcc"))


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of the message by the client's names, without those nobody set."""
    named = {"expiry_date" if name == "expiry" else name: value for name, value in fields.items()}
    return {"to": (), **{name: value for name, value in named.items() if value not in (None, (), False)}}


def _profile(carrier: str | None, namespace: str | None) -> Profile:
    """The carrier's profile; with ``namespace``, what the carrier wants, in another schema. Raises ``ValueError``."""
    from mm7zeep import profiles

    chosen = profiles.profile(carrier)
    if namespace is None:
        return chosen
    schema = profiles.profile(namespace)
    if carrier is None:
        return schema
    version = chosen.mm7_version if chosen.mm7_version in schema.versions else schema.mm7_version
    wants = {name: getattr(chosen, name) for name in _CARRIER}
    return replace(schema, name=chosen.name, mm7_version=version, **wants)


@contextmanager
def _bar(size: int) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error while an upload of ``size`` octets runs, if that is large and somebody looks at it."""
    if size < _LARGE or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("upload", total=size)
        yield lambda sent, total: bar.update(task, completed=sent, total=total)
