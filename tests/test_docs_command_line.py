"""docs/command_line.md is made of the commands and the models of the settings, and names each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete
from made_docs import made_by

from mm7zeep.cli import _COMMANDS, main
from mm7zeep.gateway.config import environment

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS.joinpath("command_line.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def make_command_line() -> Iterator[ModuleType]:
    """What makes the page."""
    with made_by("make_command_line") as module:
        yield module


def commands(
    command: click.Command = main, above: click.Context | None = None
) -> Iterator[tuple[click.Context, click.Command]]:
    """Every command that can be run, and those they belong to."""
    loaded: click.Command = command.load() if hasattr(command, "load") else command
    name, settings = ("mm7zeep", main.context_settings) if command is main else (command.name, {})
    context = click.Context(loaded, info_name=name, parent=above, **settings)
    if command is not main:
        yield context, loaded
    for inner in getattr(loaded, "commands", {}).values():
        yield from commands(inner, context)


EVERY = list(commands())
OPTIONS = [(context, one) for context, command in EVERY for one in command.params if isinstance(one, click.Option)]


def test_page_is_up_to_date(make_command_line: ModuleType) -> None:
    """The page is what the commands and the models say."""
    assert make_command_line.text() == PAGE, "run docs/make_command_line.py"


def test_page_names_everything() -> None:
    """Each command, each option with its variable, each setting with its own."""
    assert [name for name in _COMMANDS if f"\n### mm7zeep {name}\n" not in PAGE] == []
    rows = re.findall(r"(?m)^\| `([^`]+)` \| `(MM7ZEEP_\w+)` \|", PAGE)
    assert len(rows) == len(OPTIONS) + len(environment.every_setting())
    named = {(written.split(",")[-1].split()[0], variable) for written, variable in rows}
    assert {(one.opts[-1], str(one.envvar)) for _, one in OPTIONS} <= named
    assert {(one.name, one.variable) for one in environment.every_setting()} <= named


def test_options_and_settings_share_no_variable() -> None:
    """A variable means one thing; --admin and --auth of the three triggers are the only ones that several have."""
    settings = {one.variable for one in environment.every_setting()}
    options = [str(one.envvar) for _, one in OPTIONS]
    assert settings.isdisjoint(options)
    assert {one for one in options if options.count(one) > 1} == {"MM7ZEEP_TRIGGER_ADMIN", "MM7ZEEP_TRIGGER_AUTH"}


@pytest.mark.parametrize(("context", "option"), OPTIONS, ids=lambda one: getattr(one, "envvar", ""))
def test_every_option_has_a_variable(
    context: click.Context, option: click.Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is called like the option, and is looked at; an empty one says nothing."""
    name = next((one for one in option.opts if one.startswith("--")), option.opts[0]).lstrip("-")
    path = context.command_path.removeprefix("mm7zeep ").replace("-", " ").split()
    full = "_".join(["MM7ZEEP", *path, *name.split("-")]).upper()
    shared = "_".join(["MM7ZEEP", path[0], *name.split("-")]).upper()
    assert option.envvar in (full, shared)
    monkeypatch.setenv(str(option.envvar), "")
    assert option.value_from_envvar(context) is None
    monkeypatch.setenv(str(option.envvar), "1")
    value = option.value_from_envvar(context)
    if not option.is_flag:
        assert value in ("1", ["1"])
        return
    assert option.type_cast_value(context, value) is True
    monkeypatch.setenv(str(option.envvar), "false")
    assert not option.type_cast_value(context, option.value_from_envvar(context))


def test_repeated_options_take_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text may hold blanks, so several values stand one a line."""
    context, command = next((c, one) for c, one in EVERY if c.command_path == "mm7zeep send")
    option = next(one for one in command.params if one.name == "texts")
    monkeypatch.setenv("MM7ZEEP_SEND_TEXT", "Hello there\nand again")
    assert option.value_from_envvar(context) == ["Hello there", "and again"]


def test_version_of_an_image_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """MM7ZEEP_VERSION is what an image calls the version that it holds."""
    from click.testing import CliRunner

    done = CliRunner().invoke(main, ["explain", "2004"], env={"MM7ZEEP_VERSION": "1.0"})
    assert (done.exit_code, done.output.startswith("2004 ")) == (0, True)


@pytest.mark.parametrize(("context", "command"), EVERY, ids=lambda one: getattr(one, "name", None) or "-")
def test_every_help_has_its_exit_statuses(context: click.Context, command: click.Command) -> None:
    """Who writes a script finds there what to expect."""
    told = " ".join(command.get_help(context).split())
    assert re.search(r"Exit status(?: of each)?: 0 ", told)
    assert " 2 " in told.partition("Exit status")[2]


@pytest.mark.parametrize("shell", [BashComplete, ZshComplete, FishComplete])
def test_completion(shell: type[ShellComplete]) -> None:
    """The page's lines are those of each shell; commands, options, values, profiles and findings are completed."""
    assert f"_MM7ZEEP_COMPLETE={shell.name}_source mm7zeep > " in PAGE
    completing = shell(main, {}, "mm7zeep", "_MM7ZEEP_COMPLETE")
    assert f"_MM7ZEEP_COMPLETE={shell.name}_complete" in completing.source_template % completing.source_vars()
    for words, begun, found in (
        ([], "se", ["serve", "send"]),
        (["send"], "--from", ["--from-stdin"]),
        (["send", "--priority"], "N", ["Normal"]),
        (["trigger"], "re", ["read-reply", "report"]),
        (["send", "--profile"], "opt", ["optus"]),
        (["check", "--ignore"], "sch", ["schema/"]),
        (["check", "--ignore"], "schema/ord", ["schema/order"]),
        (["explain"], "xml/no-d", ["xml/no-dtd"]),
    ):
        assert sorted(one.value for one in completing.get_completions(words, begun)) == sorted(found), words
