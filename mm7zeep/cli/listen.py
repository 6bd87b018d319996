"""``mm7zeep listen``: a VASP's receiver that prints each message, report and read reply, for people or as a JSON line.

Each is saved, forwarded and printed before it is acknowledged, so that the MMSC sends again what was not; what is
refused is a line on standard error. Files get names of ours, never a sender's. Needs the extra ``gateway`` for its HTTP
server.
"""

from __future__ import annotations

import base64
import logging
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mm7zeep import masking
from mm7zeep.cli import COULD_NOT_RUN, options
from mm7zeep.json_text import as_json

if TYPE_CHECKING:
    from mm7zeep.exchange import Received
    from mm7zeep.messages import Message, Part
    from mm7zeep.receiver import Receiver

_FORWARD_TIMEOUT = (5.0, 20.0)  # seconds to connect, and without an octet


@click.command("listen")
@click.option(
    "--bind", callback=options.address, default="127.0.0.1:8009", show_default=True, metavar="HOST:PORT", help="Where."
)
@click.option("--auth", callback=options.credentials, metavar="USER:PASS", help="What the MMSC has to show.")
@click.option("--save", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write the parts there.")
@click.option("--forward-to", metavar="URL", help="POST each as JSON, its parts in base64, before acknowledging it.")
@options.profile(shown="The carrier whose habits are to be expected: optus, fibernetics, ...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line each, with every field.")
def command(
    bind: tuple[str, int],
    auth: tuple[str, str] | None,
    save: Path | None,
    forward_to: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Receive MO messages, delivery reports and read replies, and print them on standard output.

    Each is told with its texts, the sizes of its parts, and where they went; what is refused is a line on standard
    error.

    Exit status: 0 after Ctrl-C or SIGTERM, 2 wrong usage, 3 the address cannot be listened on, or DIR not be made.
    """
    from mm7zeep.gateway.server.listener import serve_in_thread
    from mm7zeep.receiver import Receiver

    host, port = bind
    if auth is None and not options.loopback(host):
        click.echo(f"mm7zeep listen: without --auth, everybody who reaches {host} may send", err=True)
    try:
        receiver = Receiver(auth=dict([auth]) if auth else None, profile=profile)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if forward_to is not None and not _postable(forward_to):
        raise click.BadParameter("give an http or https URL", param_hint="--forward-to")
    if save is not None:
        _prepare(save)
    register(receiver, Sink(print_line=_print_line, save=save, forward_to=forward_to, as_json=as_json))
    from mm7zeep.gateway.logs import restrain

    restrain()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    try:
        with refusals_told(), serve_in_thread(receiver.asgi, host, port) as url:
            click.echo(f"listening on {url}", err=True)
            while not stopped.wait(1.0):
                pass
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    except OSError as error:
        click.echo(f"mm7zeep listen: {host}:{port}: {error.strerror or error}", err=True)
        sys.exit(COULD_NOT_RUN)


def _postable(url: str) -> bool:
    """Whether a request can go there: found out before the first message is lost on it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        click.echo(f"mm7zeep listen: {directory}: {error.strerror}", err=True)
        sys.exit(COULD_NOT_RUN)


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def refusals_told(command: str = "listen") -> Iterator[None]:
    """Print what a receiver says of each refusal, one line on standard error, masked and escaped; of who is not let in,
    one line of a kind and second. ``command`` is whose listener it is.
    """
    from mm7zeep.gateway.logs import Seldom, TextFormatter

    formatter = TextFormatter()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = formatter.exception(record)
            why = f": {error['type']}: {error['text']}" if error is not None else ""
            told = "".join(f"; {name} {value}" for name, value in formatter.fields(record).items())
            click.echo(f"mm7zeep {command}: {formatter.event(record)}{why}{told}", err=True)

    logger, handler = logging.getLogger("mm7zeep.receiver"), Told(logging.INFO)
    handler.addFilter(Seldom())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@dataclass
class Sink:
    """Where what was received goes: into files, to a webhook, and at last, as a sign that all was done, onto the
    screen or on a line of JSON.
    """

    print_line: Callable[[str], None]
    save: Path | None = None
    forward_to: str | None = None
    as_json: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, message: Message, received: Received) -> None:
        """Save, forward and print one message.

        Raises ``StatusError`` (4006) where the webhook did not take it, ``OSError`` where it cannot be saved.
        """
        record = as_record(message, received)
        if self.save is not None:
            _save(received.parts, record["parts"], self.save)
        if self.forward_to is not None:
            _forward(record, received.parts, self.forward_to)
        text = as_json(record) if self.as_json else self._for_people(record, received.parts)
        with self._lock:
            self.print_line(text)

    def _for_people(self, record: dict[str, Any], parts: tuple[Part, ...]) -> str:
        from mm7zeep.cli.listen_view import as_text

        return as_text(record, parts, self.forward_to)


def register(receiver: Receiver, sink: Sink) -> None:
    """Have ``receiver`` hand everything it gets to ``sink``."""

    def take(message: Message, received: Received) -> None:
        sink.take(message, received)

    for on in (receiver.on_deliver, receiver.on_delivery_report, receiver.on_read_reply):
        on(take)


def as_record(message: Message, received: Received) -> dict[str, Any]:
    """One received message as plain values: its fields that are set, its parts without content, what was noticed."""
    record: dict[str, Any] = {
        "type": received.operation.removesuffix("Req"),
        "received": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "transaction_id": received.transaction_id,
        "namespace": received.namespace,
    }
    for name in message.__dataclass_fields__:
        value = getattr(message, name)
        if name not in ("parts", "extensions", "unparsed") and value not in (None, ()):
            record[name] = _plain(value)
    record["addresses"] = list(_carrying(message))
    record["extensions"] = [{"parent": one.parent, "name": one.name, "xml": one.xml} for one in message.extensions]
    record["unparsed"] = dict(message.unparsed)
    record["parts"] = [_part(one) for one in received.parts]
    record["findings"] = [masking.credentials(str(one)) for one in received.findings]
    return record


def _carrying(message: Message) -> Iterator[dict[str, Any]]:
    """The addresses that carry more than their value, which is all that the other fields show."""
    from mm7zeep.messages import Address

    for name in message.__dataclass_fields__:
        value = getattr(message, name)
        for one in value if isinstance(value, tuple) else (value,):
            one = getattr(one, "address", one)  # of who sent it before
            if isinstance(one, Address) and (one.coding or one.id or one.display_only):
                carried = {"display_only": one.display_only, "coding": one.coding, "id": one.id}
                yield {"field": name, "kind": one.kind, "value": one.value, **carried}


def _part(part: Part) -> dict[str, Any]:
    return {
        "content_id": part.content_id,
        "content_type": part.content_type,
        "name": part.name,
        "size": part.size,
        "sha256": part.sha256(),
    }


def _plain(value: object) -> object:
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value)


def _save(parts: tuple[Part, ...], records: list[dict[str, Any]], directory: Path) -> None:
    """Write the parts into a new folder, under names made of type and place; it has its name once it is whole."""
    from mm7zeep import media

    if not parts:
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = directory / f"{stamp}-{secrets.token_hex(4)}"
    partial = folder.with_name(f".{folder.name}.partial")
    partial.mkdir(parents=True)
    try:
        names = [part.save(partial / media.safe_name(part.content_type, n)).name for n, part in enumerate(parts, 1)]
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    for record, name in zip(records, names, strict=True):
        record["file"] = str(folder / name)


def _forward(record: dict[str, Any], parts: tuple[Part, ...], url: str) -> None:
    import requests

    from mm7zeep.errors import StatusError

    whole = dict(record)
    whole["parts"] = [
        {**one, "data": base64.b64encode(part.read()).decode("ascii")}
        for one, part in zip(record["parts"], parts, strict=True)
    ]
    try:
        # A redirect would turn the POST into a GET.
        with requests.post(
            url, json=whole, timeout=_FORWARD_TIMEOUT, allow_redirects=False, stream=True
        ) as answer:  # its head says all: a body without end is not read
            pass
    except requests.RequestException as error:
        click.echo(f"mm7zeep listen: the webhook did not answer: {type(error).__name__}", err=True)
        raise StatusError(4006, "the message could not be handed on") from error
    if not answer.ok or answer.is_redirect:
        click.echo(f"mm7zeep listen: the webhook answered {answer.status_code}", err=True)
        raise StatusError(4006, "the message could not be handed on")
