"""The command line: arguments and environment to options, results to lines and an exit status.

Names the commands and loads the module of one only when it runs, so that ``mm7zeep --help`` costs nothing. Refuses to
hold any judgement of its own: what a command decides, a room below decided.

Exit status: 0 clean, 1 failures, 2 wrong usage, 3 could not run or connect, 4 warnings under ``--fail-on warn``.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from mm7zeep import extras

FAILURES, COULD_NOT_RUN, WARNINGS = 1, 3, 4
"""Exit statuses besides 0 and click's 2 for wrong usage."""

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "Send a message there and back on this machine, with nothing set up.",
        "serve": "Run the gateway: an MMSC with a store, callbacks and handsets.",
        "send": "Submit a message to an MMSC.",
        "fit": "Make pictures fit into what a carrier takes.",
        "profiles": "List carriers, and what each wants and takes.",
        "listen": "Receive messages and reports, one JSON line each.",
        "trigger": "Have a running gateway send a message, a report, a read reply.",
        "messages": "List what a running gateway keeps, and follow what comes.",
        "show": "Show all that a running gateway knows of one message.",
        "callbacks": "List the calls of a running gateway, and what it gave up.",
        "replay": "Have a running gateway make calls again.",
        "keys": "List, make and revoke the keys of the JSON API.",
        "opt-outs": "List who has opted out, add somebody, remove somebody.",
        "export": "Write what became of each message and recipient, for billing.",
        "check": "Judge captured messages.",
        "load": "Load an MMSC at a fixed rate, and tell how it answers.",
        "samples": "Write sample media and a request to start from.",
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
        command: click.Command = import_module(f"mm7zeep.cli.{(self.name or '').replace('-', '_')}").command
        return command


class _Commands(click.Group):
    """The commands; what the system refuses on the way (a full disk, a lost terminal) is no verdict on a message.

    Nor is a library that is not installed: its extra is named.
    """

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
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
    context_settings={"auto_envvar_prefix": "MM7ZEEP", "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
def main() -> None:
    """MM7: send and receive MMS over SOAP with Attachments (3GPP TS 23.140), and judge those who do.

    Every option can be given in the environment, too: MM7ZEEP_SEND_AUTH for "send --auth", and so on.
    """
