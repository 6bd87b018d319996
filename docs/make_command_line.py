"""Write docs/command_line.md: every command with its options, variables and exit statuses, and every setting's variable.

Made of the commands and of the models of the settings themselves: ``python -P docs/make_command_line.py``. A test fails
where the file is out of date.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import click

from mm7zeep.cli import main
from mm7zeep.gateway.config import environment, errors, field_types
from mm7zeep.gateway.config.environment import Setting
from mm7zeep.gateway.config.field_types import Place

TARGET = Path(__file__).with_name("command_line.md")

_HEAD = """# Command line and environment

Every command with its options, every variable of the environment, every exit status. This file is made by
`docs/make_command_line.py` from the commands and from the models of the settings; `mm7zeep COMMAND --help` tells the same.

`python -m mm7zeep` is the same as `mm7zeep`, where that is not on the path.

## Exit statuses

| Status | Means |
|---|---|
| 0 | done; for `send`: accepted for every recipient; for `check`: no message was rejected; for `probe`: nothing failed beyond the baseline; for `load`: all well; for `compare`: nothing is worse, or more than two reports |
| 1 | answered with a refusal, or accepted for some recipients only; a message was rejected; for `probe`: FAIL or HANG (with `--strict` WARN), or a baseline's entry that is expired or not needed; for `load`: requests failed, reports did not come exactly once, or the rate was not reached; for `compare`: the second report is worse |
| 2 | wrong usage, or a configuration that cannot be used: nothing was done; for `probe` also: every case was skipped; for `compare` also: a file that is no report |
| 3 | could not be done (a file cannot be read or written, an extra is not installed), or no answer came, or none that can be read: what was asked may have been done all the same, and `send` says whether the message may have been accepted; for `probe`: ERROR alone |
| 4 | `check --fail-on warn` alone: warnings |
| 130, 143 | interrupted by Ctrl-C (SIGINT); `send` and `probe` also by SIGTERM. `serve`, `listen` and what follows (`--follow`) are ended so, with 0 |

Results stand on standard output, errors and remarks on standard error. `--json` prints results for programs; the object of
`send --json` stands on standard output whatever became of the message.

## Ctrl-C

`send` ends within a second of Ctrl-C or SIGTERM, whatever it waits for, and says what is open: whether nothing had gone out, some of
the request, or all of it, in which case *it may have been accepted all the same*. The TransactionID is named, by which the MMSC can
be asked. `serve` and `listen` end in good order: what is under way is finished first.

## Variables

An option that is not given is looked up in the environment: `--priority` of `mm7zeep send` in `MM7ZEEP_SEND_PRIORITY`. A variable that
is empty says nothing. Switches take `true` or `1`, options that may be repeated take one value a line. What stands in a variable is in
no list of processes and in no history of a shell, so passwords and keys belong there, or into files that a setting names:

```sh
export MM7ZEEP_SEND_AUTH=tnn:secret
mm7zeep send https://mmsc.example/mm7 --vaspid TNN --to +61412345678 --text Hello
```

Every setting of the gateway has [a variable, too](#settings-of-the-gateway). Of several places the first counts that says
something: the option (`--workers`), the variable of the option (`MM7ZEEP_SERVE_WORKERS`), the variable of the setting
(`MM7ZEEP_GATEWAY_WORKERS`), the configuration file, the default.

## Completion

A shell completes commands, options, their values, names of profiles and ids of findings. Once, and in a new shell from then on:

```sh
_MM7ZEEP_COMPLETE=bash_source mm7zeep > ~/.mm7zeep-complete.bash && echo '. ~/.mm7zeep-complete.bash' >> ~/.bashrc
_MM7ZEEP_COMPLETE=zsh_source mm7zeep > ~/.mm7zeep-complete.zsh && echo '. ~/.mm7zeep-complete.zsh' >> ~/.zshrc
_MM7ZEEP_COMPLETE=fish_source mm7zeep > ~/.config/fish/completions/mm7zeep.fish
```

## Windows

Commands and library use nothing that only POSIX has: a test imports every module without `fcntl`, `resource`, `pwd`, `grp` and `termios`.
Write requests with `send --dry-run -o FILE`: PowerShell changes octets that are redirected. Ctrl-C works; SIGTERM and SIGHUP do not
exist there, so a gateway is ended with Ctrl-C and started again to read its configuration anew. The gateway itself is tested on
Linux alone.
"""

_SETTINGS_HEAD = """## Settings of the gateway

`mm7zeep serve --config FILE` reads them from a file ([gateway.toml](gateway.toml) shows all); each may come from the environment
instead, which goes before the file. Without a file, those of the environment are all: where there is no application among them, the
one of the demo is served. N counts the tables that may be repeated, from 1 on, those of the file first: `MM7ZEEP_APPLICATION_1_NAME`.

- Lists are written with commas (`a,b`) or as in TOML (`["a", "b"]`), tables as in TOML (`{ "X-Name" = "value" }`), durations as in
  the file (`500ms`, `2s`, `5m`, `1h`, `2d`).
- An empty variable says nothing; `""` is the empty text, `[]` the empty list. *None*, below, is what is not given.
- Files are named from the folder of the configuration file, without one from the working directory.
- A variable of one of these tables that is no setting is refused, with the one that may have been meant. What Kubernetes adds for
  a service of such a name (`MM7ZEEP_GATEWAY_SERVICE_HOST`, `MM7ZEEP_GATEWAY_PORT`) is passed over.
- `mm7zeep serve --check-config` says what would be served; no value of a secret is ever shown.
"""


def text() -> str:
    """The whole file."""
    root = click.Context(main, info_name="mm7zeep", **main.context_settings)
    lines = [_HEAD, "## Commands", ""]
    for name in main.commands:
        lines += _command(name, root)
    lines += [_SETTINGS_HEAD, *_settings()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).rstrip() + "\n")


# --- commands ---------------------------------------------------------------------------------------------------------


def _command(name: str, above: click.Context) -> Iterator[str]:
    found = above.command.get_command(above, name)  # type: ignore[attr-defined]
    command = found.load() if hasattr(found, "load") else found
    context = click.Context(command, info_name=name, parent=above)
    yield from (f"{'#' * (2 + len(context.command_path.split()) - 1)} {context.command_path}", "")
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield from ("```text", " ".join(usage.split()), "```", "", *_help(command.help or ""), "")
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        yield from ("| Option | Variable | Default | What it does |", "|---|---|---|---|")
        yield from (_option(one, context) for one in options)
        yield ""
    for inner in getattr(command, "commands", ()):
        yield from _command(inner, context)


def _help(written: str) -> Iterator[str]:
    r"""The paragraphs of a help text; one with click's mark \b is kept as it is."""
    for paragraph in inspect.cleandoc(written).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("```sh", *paragraph.splitlines()[1:], "```", "")
        else:
            said = _plain(" ".join(paragraph.split()))
            yield from (re.sub(r"^(Exit status(?: of each)?:)", r"**\1**", said), "")


def _option(one: click.Option, context: click.Context) -> str:
    assert isinstance(one.envvar, str), one
    record = one.get_help_record(context)
    assert record is not None, one
    written, said = record
    default, rest, remarks = "", said, []
    while found := re.search(r"  ?\[([^\[\]]*)\]\Z", rest):  # click's own remarks stand at the end
        for remark in found[1].split("; "):
            if remark.startswith("default: "):
                default = _code(remark.removeprefix("default: "))
            elif remark == "required":
                default = "needed"
            else:
                remarks.append(remark)
        rest = rest[: found.start()]
    rest += f" ({'; '.join(remarks)})" if remarks else ""
    cells = (_code(written.replace(" RANGE", "")), _code(one.envvar), default, _plain(rest))
    return f"| {' | '.join(cells)} |"


def _plain(said: str) -> str:
    """Text in which nothing means something to Markdown that is meant as it stands."""
    return re.sub(r"([*_|<>\[\]])", r"\\\1", said)


def _code(written: str) -> str:
    return f"`{written}`".replace("|", "\\|")


# --- settings ---------------------------------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    table = None
    for one in environment.every_setting():
        if one.table != table:
            table = one.table
            yield from ("", f"### {_title(table)}", "", *_told(table))
            yield from ("| Setting | Variable | Written as | Default |", "|---|---|---|---|")
        yield f"| `{one.name}` | `{one.variable}` | {_form(one)} | {_default(one)} |"


def _title(table: str) -> str:
    name = table.replace("[]", "")
    return f"`[[{name}]]`" if table.endswith("[]") else f"`[{name}]`"


def _model(table: str) -> type:
    """The dataclass of a table."""
    found: type = environment.File
    for step in re.findall(r"\w+", table):
        found = next(errors.tables_in(errors.settings_of(found)[step]))
    return found


def _told(table: str) -> Iterator[str]:
    """What the model says of its settings."""
    told = inspect.getdoc(_model(table)) or ""
    for paragraph in told.removeprefix("``[gateway]``. ").split("\n\n"):
        yield from (re.sub(r"``(\([^`]*\)|[^`]*)``", r"`\1`", " ".join(paragraph.split())), "")


_SPANS = (field_types.Seconds, field_types.Lasting, field_types.WholeSeconds, field_types.Delay, field_types.Hours)
_FORMS = {
    "switch": "`true`, `false`",
    "whole number": "whole number",
    "number": "number",
    "list": "list",
    "table": "table",
    "text": "text",
}


def _form(one: Setting) -> str:
    hint = _given(one.hint)
    values = get_args(hint) if get_origin(hint) is Literal else ()
    if values:
        return ", ".join(f"`{value}`" for value in values)
    if _is_span(one):
        return "list of durations" if one.kind == "list" else "duration"
    if hint in (field_types.Limit, field_types.WholeLimit):
        return f"{_FORMS[one.kind]}, or `unlimited`"
    if hint == field_types.Listening:
        return "`HOST:PORT`"
    if hint == field_types.FileName or one.name.endswith("_file"):
        return "name of a file"
    return f"{_FORMS[one.kind]}, secret" if field_types.is_secret(one.name) else _FORMS[one.kind]


def _given(hint: Any) -> Any:
    """The type of a setting where it is given."""
    inner = [one for one in get_args(hint) if one is not NoneType]
    return inner[0] if NoneType in get_args(hint) and len(inner) == 1 else hint


def _is_span(one: Setting) -> bool:
    """Whether a setting is a duration: of that type, or a number that takes "7s" and no other text."""
    if _given(one.hint) in _SPANS:
        return True
    return one.kind in ("list", "number") and not _refused(one, "7s") and _refused(one, "x")


def _refused(one: Setting, written: str) -> bool:
    overlay = environment.overlaid({}, {one.variable.replace("_N_", "_1_"): written})
    [where] = overlay.variables
    _, problems = errors.read(overlay.raw, Path())
    return any(errors.is_within(problem.where, [where]) for problem in problems)


def _default(one: Setting) -> str:
    if one.name.endswith("_file"):
        return ""
    field = next(each for each in dataclasses.fields(_model(one.table)) if each.name == one.name)
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        return "needed"
    value = field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore[misc]
    hours = _given(one.hint) == field_types.Hours
    shown = _shown(value * 3600 if hours and value is not None else value, span=_is_span(one))
    return f"`{shown}`" if shown else ""


def _shown(value: Any, *, span: bool) -> str:
    """A value as it is written in a variable."""
    if isinstance(value, Place):
        return str(value)
    if isinstance(value, tuple):
        return ",".join(_shown(one, span=span) for one in value)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if span and value is not None:
        unit, size = next(((u, n) for u, n in _UNITS if value and value % n == 0), ("ms", 0.001))
        return f"{value / size:g}{unit}" if value else "0s"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in (None, {}) else f"{value:g}" if isinstance(value, float) else str(value)


_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
