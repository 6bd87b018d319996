"""The command line: arguments and environment to options, results to lines and an exit status.

Names the commands and loads the module of one only when it runs, so that ``mm7zeep --help`` costs nothing. Refuses to
hold any judgement of its own: what a command decides, a room below decided.

Exit status: 0 clean, 1 failures, 2 wrong usage, 3 could not run or connect, 4 warnings under ``--fail-on warn``, 130
interrupted by Ctrl-C, 143 (of ``send`` and ``probe``) by SIGTERM.
"""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from mm7zeep import extras

FAILURES, COULD_NOT_RUN, WARNINGS = 1, 3, 4
"""Exit statuses besides 0 and click's 2 for wrong usage."""
PREFIX = "MM7ZEEP"
"""How the names of environment variables begin."""

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "Send a message there and back on this machine, with nothing set up.",
        "serve": "Run the gateway: an MMSC with a store, callbacks and handsets.",
        "send": "Submit a message to an MMSC.",
        "fit": "Make pictures fit into what a carrier takes.",
        "profiles": "List carriers, and what each wants and takes.",
        "listen": "Receive messages and reports, and print them.",
        "trigger": "Have a running gateway send a message, a report, a read reply.",
        "messages": "List what a running gateway keeps, and follow what comes.",
        "show": "Show all that a running gateway knows of one message.",
        "callbacks": "List the calls of a running gateway, and what it gave up.",
        "replay": "Have a running gateway make calls again.",
        "keys": "List, make and revoke the keys of the JSON API.",
        "opt-outs": "List who has opted out, add somebody, remove somebody.",
        "export": "Write what became of each message and recipient, for billing.",
        "check": "Judge captured messages.",
        "probe": "Examine a live MMSC or VASP.",
        "compare": "Compare reports of probe.",
        "load": "Load an MMSC at a fixed rate, and tell how it answers.",
        "samples": "Write sample media and a request to start from.",
        "vectors": "Write test vectors for other implementations.",
        "explain": "Tell a finding or a status code in plain words.",
    }
)


class _Deferred(click.Command):
    """A command that is imported when it runs: ``mm7zeep.cli.NAME`` has a click command called ``command``.

    What is a dash in its name is an underscore in that of the module.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        return self.load().make_context(info_name, args, parent=parent, **extra)

    def load(self) -> click.Command:
        """The command itself."""
        module = (self.name or "").replace("-", "_")
        command: click.Command = import_module(f"mm7zeep.cli.{module}").command
        _name_variables(command, f"{PREFIX}_{module}".upper())
        return command


class _Lines(click.types.StringParamType):
    """Texts of an option that may be repeated: in a variable, one a line, since a text may hold blanks."""

    envvar_list_splitter = "\n"


def _name_variables(command: click.Command, prefix: str) -> None:
    """Give each option a variable that is called like it: ``--from-stdin`` is ``..._FROM_STDIN``."""
    for one in command.params:
        if not isinstance(one, click.Option) or one.envvar is not None:
            continue
        names = [name for name in one.opts if name.startswith("--")] or one.opts
        one.envvar = f"{prefix}_{names[0].lstrip('-').replace('-', '_')}".upper()
        if one.multiple and isinstance(one.type, click.types.StringParamType):
            one.type = _Lines()
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _name_variables(inner, f"{prefix}_{name.replace('-', '_')}".upper())


class _Commands(click.Group):
    """The commands; what the system refuses on the way (a full disk, a lost terminal) is no verdict on a message.

    Nor is a library that is not installed: its extra is named. Nor is Ctrl-C.
    """

    def invoke(self, ctx: click.Context) -> object:
        _print_anything()
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as error:
            from mm7zeep.cli import interrupts

            ended = error if isinstance(error, KeyboardInterrupt) else KeyboardInterrupt()
            click.echo(f"mm7zeep {ctx.invoked_subcommand}: {interrupts.word(ended)}", err=True)
            ctx.exit(interrupts.exit_status(ended))
        except OSError as error:
            if error.errno == errno.EPIPE:  # click knows what to do when nobody reads on
                raise
            place = f"{error.filename}: " if error.filename else ""
            reason = f"{place}{error.strerror or error}"
        except ModuleNotFoundError as error:
            instruction = extras.missing(error)
            if instruction is None:
                raise
            reason = instruction
        click.echo(f"mm7zeep {ctx.invoked_subcommand}: {reason}", err=True)
        _drop_output()
        ctx.exit(COULD_NOT_RUN)


def _print_anything() -> None:
    """Have standard output take every text: what its encoding has no character for is written as JSON escapes it.

    A console of Windows that is redirected, or a POSIX locale without UTF-8, knows some hundred characters; a message
    of a stranger must not end the command that prints it.
    """
    codecs.register_error("mm7zeep.escape", _escape)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="mm7zeep.escape")


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _drop_output() -> None:
    """Drop output that cannot be written: at exit, Python would try once more and end with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from mm7zeep import __version__

        click.echo(f"mm7zeep {__version__}")
        context.exit()


@click.group(
    cls=_Commands,
    commands={name: _Deferred(name, short_help=help, help=help) for name, help in _COMMANDS.items()},
    context_settings={"auto_envvar_prefix": PREFIX, "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    allow_from_autoenv=False,  # MM7ZEEP_VERSION is what images and scripts call the version that they want
    help="Show the version and exit.",
)
def main() -> None:
    """MM7: send and receive MMS over SOAP with Attachments (3GPP TS 23.140), and judge those who do.

    Every option can be given in the environment, too: MM7ZEEP_SEND_AUTH for "send --auth", and so on; of an option
    that may be repeated, one value a line.

    Exit status of all commands: 2 for wrong usage, 3 where a command could not do its work, or does not know whether it
    was done since no answer came that can be read, 130 after Ctrl-C; what else there is, the help of each says.
    """
