"""What ``mm7zeep probe`` is told on the command line, in files and in an earlier report, as ``Settings``.

Decides which numbers may be used, and that nothing goes to another machine without somebody having named them.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from mm7zeep.probe.results import Report
    from mm7zeep.probe.settings import Settings

_DIRECT = (
    "role",
    "listen",
    "timeout",
    "patience",
    "window",
    "parallel",
    "seed",
)  # options that are settings by the same name
_COMMANDS = ("trigger", "state", "seen")
_SENDERS = ("sender", "others")  # numbers that messages come from; to every other one they go
_FICTION = ("+61491570156", "+61491570157", "+61491570158", "+61491570159")  # that Australia keeps for fiction
_NOT_RUN_AGAIN = ("PASS", "SKIP")


def read_user(context: click.Context, parameter: click.Parameter, value: Path | None) -> tuple[str, str] | None:
    """USER:PASSWORD from the first line of a file."""
    from mm7zeep.cli.options import credentials

    if value is None:
        return None
    lines = value.read_text(encoding="utf-8").splitlines()
    return credentials(context, parameter, lines[0] if lines else "")


def numbers(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers, each by itself or several with commas."""
    return tuple(dict.fromkeys(word for one in value for word in one.replace(",", " ").split()))


def settings(url: str | None, options: Mapping[str, Any], earlier: Report | None) -> Settings:
    """The settings for a run: those of the file, of the earlier report, of the command line, the later the stronger.

    Raises ``click.UsageError`` saying what is missing or cannot be.
    """
    from mm7zeep.probe.settings import from_mapping, from_toml, with_account

    over = {name: options[name] for name in _DIRECT} | {"url": url, "namespace": _namespace(options["namespace"])}
    over |= {name: _words(name, options[name]) for name in _COMMANDS}
    if earlier is not None:
        then = {"url": earlier.url, "role": earlier.role, "seed": earlier.seed}
        then |= {"namespace": earlier.options.get("namespace") or None}
        over = {name: then.get(name) if value is None else value for name, value in over.items()}
    path: Path | None = options["config"]
    try:
        made = from_toml(path, **over) if path is not None else from_mapping({}, **over)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    user = _user(options)
    if over["seed"] is None and made.seed == 0:
        made = replace(made, seed=secrets.randbelow(2**31 - 1) + 1)
    try:
        made = with_account(
            made,
            username=user[0] if user else None,
            password=user[1] if user else None,
            vaspid=options["vaspid"],
            vasid=options["vasid"],
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    made = allowed(made, options["allow_send"])
    if not made.numbers.good and (is_here(made.url) or options["dry_run"]):
        made = replace(made, numbers=replace(made.numbers, good=_FICTION))
    return made


def _user(options: Mapping[str, Any]) -> tuple[str, str] | None:
    if options["user"] is not None and options["user_file"] is not None:
        raise click.UsageError("--user stands beside --user-file; give one of them")
    found: tuple[str, str] | None = options["user"] or options["user_file"]
    return found


def _namespace(name: str | None) -> str | None:
    """A namespace that may be given by its last step."""
    from mm7zeep.profiles import NAMESPACE_PREFIX

    return name if name is None or "/" in name else NAMESPACE_PREFIX + name


def _words(name: str, command: str | None) -> tuple[str, ...] | None:
    """A command as words, as a shell would take it apart. Raises ``click.UsageError``."""
    if command is None:
        return None
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"--{name}-cmd: {error}") from error


# --- who may be sent to -----------------------------------------------------------------------------------------------


def is_here(url: str) -> bool:
    """Whether the host of ``url`` is this machine: ``localhost`` or a loopback address. No name is looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(settings: Settings, given: Sequence[str]) -> Settings:
    """The settings with no other recipients than those ``given`` by ``--allow-send``, which become the good ones unless
    they are named as something else. As they were without any.
    """
    if not given:
        return settings
    known = settings.numbers
    others = {one.name: getattr(known, one.name) for one in fields(known) if one.name not in ("good", *_SENDERS)}
    kept = {name: value if value in given else "" for name, value in others.items()}
    kept["many"] = ""  # a thousand numbers, of which the first alone would be named
    dropped = [f"numbers.{name}" for name, value in others.items() if value and not kept[name]]
    if dropped:
        click.echo(
            f"mm7zeep probe: {', '.join(dropped)}: not among --allow-send, so the cases that need it are skipped",
            err=True,
        )
    good = tuple(one for one in given if one not in kept.values())
    return replace(settings, numbers=replace(known, good=good, **kept))


def demand_leave(settings: Settings, given: Sequence[str]) -> None:
    """Raise ``click.UsageError`` where something would go to another machine, and nobody has said to which numbers."""
    if given or is_here(settings.url):
        return
    host = urlsplit(settings.url).hostname
    raise click.UsageError(
        f"{host} is not this machine: what is sent there may reach people and cost money. Name the numbers that may be "
        "used with --allow-send NUMBER[,NUMBER...]; until then, --list and --dry-run work"
    )


# --- an earlier report ------------------------------------------------------------------------------------------------


def read_report(path: Path) -> Report:
    """The report of a file that ``--format json`` wrote. Raises ``click.UsageError``."""
    from mm7zeep.probe.results import from_dict

    try:
        return from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{path}: {error}") from error


def to_run_again(report: Report, known: Iterable[str]) -> tuple[list[str], list[str]]:
    """The ids of what was neither passed nor skipped, and of these those that are not ``known`` any more.

    Of a common assertion that was broken, the cases in which it was: its reasons begin with their ids.
    """
    found: dict[str, None] = {}
    for one in report.results:
        if one.verdict in _NOT_RUN_AGAIN:
            continue
        if not one.common:
            found[one.id] = None
        else:
            found |= dict.fromkeys(reason.text.partition(":")[0] for reason in one.reasons)
    ids = set(known)
    return [one for one in found if one in ids], [one for one in found if one not in ids]
