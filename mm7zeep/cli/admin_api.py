"""The REST API of a running gateway, as the commands that look into one ask it.

Talks to the admin listener, and to nothing else. Ends the program where no usable answer comes: exit status 1 where the
gateway refused, 3 where nothing came that is an answer of its API.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any, NoReturn

import click

from mm7zeep import json_text
from mm7zeep.cli import COULD_NOT_RUN, FAILURES
from mm7zeep.cli.options import ca_file, client_cert, credentials, tls

_TIMEOUT = (5.0, 60.0)  # seconds to connect, and without an octet
_ANSWER = 16 * 1024 * 1024  # octets of an answer that are read

Wanted = Mapping[str, Sequence[str]]
"""The members that an answer needs; one with members of its own is a list of objects that have these."""
_NOTHING: Wanted = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Listener:
    """A gateway's admin listener: its URL, as whom it is asked, and the files by which it is trusted and we are
    known (PEM).
    """

    url: str
    auth: tuple[str, str] | None = None
    ca_file: str | None = None
    client_cert: str | None = None

    def __str__(self) -> str:
        return self.url


def _base(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """An http or https URL without credentials and query, without its last slash."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(one in value for one in "@?# "):
        raise click.BadParameter("give a URL like http://127.0.0.1:8008; credentials go to --auth")
    return value.rstrip("/")


def options(environment: str, json_help: str = "Print the gateway's answer.") -> Callable[[Any], Any]:
    """The options of a command that asks: where and as whom, a ``Listener`` that it gets as ``admin``, and ``--json``.

    ``environment`` begins the names of their variables.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def asking(
            *, admin: str, auth: tuple[str, str] | None, ca_file: str | None, client_cert: str | None, **given: Any
        ) -> None:
            tls(ca_file, client_cert)  # requests would find out only when it connects
            function(admin=Listener(admin, auth, ca_file, client_cert), **given)

        url = click.option(
            "--admin",
            default="http://127.0.0.1:8008",
            show_default=True,
            envvar=f"{environment}_ADMIN",
            callback=_base,
            metavar="URL",
            help=f"The gateway's admin listener (or {environment}_ADMIN).",
        )
        auth = click.option(
            "--auth",
            envvar=f"{environment}_AUTH",
            callback=credentials,
            metavar="USER:PASS",
            help=f"Basic credentials, if it asks for them (or {environment}_AUTH).",
        )
        as_json = click.option("--json", "as_json", is_flag=True, help=json_help)
        return url(auth(ca_file()(client_cert()(as_json(asking)))))

    return decorate


def ask(
    command: str,
    method: str,
    admin: Listener,
    steps: Sequence[str],
    *,
    query: Mapping[str, object] | None = None,
    body: Mapping[str, Any] | None = None,
    wanted: Wanted = _NOTHING,
) -> dict[str, Any]:
    """What the API answers; of ``query`` and ``body`` it is told what was set. Ends the program where it did not, and
    where a member is missing that is ``wanted``.
    """
    from urllib.parse import quote

    import requests

    url = "/".join([admin.url, "api/v1", *(quote(step, safe="") for step in steps)])
    headers = {"Authorization": _basic(admin.auth)} if admin.auth is not None else {}
    content = b""
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor ~/.netrc has a say in this
            sent = session.request(
                method,
                url,
                params={name: str(value) for name, value in (query or {}).items() if value is not None},
                json=_set(body) if body is not None else None,
                headers=headers,
                timeout=_TIMEOUT,
                verify=admin.ca_file or True,
                cert=admin.client_cert,
                allow_redirects=False,
                stream=True,
            )
            with sent as answer:
                for piece in answer.iter_content(65536):
                    content += piece
                    if len(content) > _ANSWER:
                        break
    except requests.RequestException as error:
        end(command, f"{admin} did not answer: {_why(error, admin)}", COULD_NOT_RUN)
    try:
        said = json.loads(content)
    except ValueError:
        said = None  # shown below, with the status
    status = answer.status_code
    if status == 404 and not _explains(said):
        reason = "there is no such API here; --admin names the gateway's admin listener"
        end(command, f"{admin} answered 404: {reason}", COULD_NOT_RUN)
    if 400 <= status < 500:
        end(command, f"refused with {status}: {_reason(command, said, status)}", FAILURES)
    if not (200 <= status < 300 and isinstance(said, dict) and _has(said, wanted)):
        end(command, f"{admin} answered {status}, which is no answer of the gateway's API", COULD_NOT_RUN)
    return said


def newest(
    command: str,
    admin: Listener,
    *,
    query: Mapping[str, object],
    count: int,
    page: int,
    wanted: Wanted,
) -> Iterator[dict[str, Any]]:
    """The newest ``count`` rows of the list that is named like the command, the newest first; ``page`` of them at most
    with each request. Ends the program as ``ask`` does.
    """
    left, before = count, None
    while left:
        asked = {**query, "limit": min(page, left), "before": before}
        said = ask(command, "GET", admin, (command,), query=asked, wanted=wanted)
        found = said[command.replace("-", "_")]
        yield from found
        left, before = max(0, left - len(found)), said["next"]
        if before is None:
            return


def _why(error: Exception, admin: Listener) -> str:
    """Why no answer came, as far as it is known."""
    from mm7zeep.transport import reasons

    found = reasons.of(error, admin.url, files=reasons.Files(admin.ca_file, admin.client_cert))
    return found.words if found is not None else type(error).__name__


def _set(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value not in (None, (), [])}


def _basic(auth: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(auth).encode()).decode("ascii")  # RFC 7617 2.1: in UTF-8


def _has(said: dict[str, Any], wanted: Wanted) -> bool:
    return all(
        name in said
        and (not inner or (isinstance(said[name], list) and all(_is_row(one, inner) for one in said[name])))
        for name, inner in wanted.items()
    )


def _is_row(one: Any, members: Sequence[str]) -> bool:
    return isinstance(one, dict) and one.keys() >= set(members)


def _explains(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("error"), str)


def _reason(command: str, said: Any, status: int) -> str:
    reason = (
        str(said["error"]) if _explains(said) else "authentication required" if status == 401 else "no reason given"
    )
    if status != 401:
        return reason
    variable = f"MM7ZEEP_{command.replace('-', '_')}_AUTH".upper()
    return f"{reason}; give USER:PASS in {variable}, which no list of processes shows, or with --auth"


def line(text: str) -> str:
    """``text`` on one line: what a terminal might take for a command is written out."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def end(command: str, text: str, code: int) -> NoReturn:
    """End the program, and say why."""
    click.echo(line(f"mm7zeep {command}: {text}"), err=True)
    sys.exit(code)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest value; the last one as long as it is."""
    rows = [[line(one) for one in row] for row in rows]
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    return ["  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def tell(found: Sequence[dict[str, Any]], row: Callable[[dict[str, Any]], Sequence[str]], *, as_json: bool) -> None:
    """Print one JSON object a line, or a table of the ``row`` of each."""
    for text in [json_text.as_json(one) for one in found] if as_json else table([row(one) for one in found]):
        click.echo(text)


def size(octets: int) -> str:
    """A number of octets, for people."""
    return f"{octets} B" if octets < 1000 else f"{octets / 1000:.0f} kB" if octets < 10**6 else f"{octets / 1e6:.1f} MB"
