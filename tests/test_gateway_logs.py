"""The logs of ``serve``: one record is one line, and nothing that should not be known stands in it."""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import pytest
from timing import least_seconds

from mm7zeep.gateway import logs

SECRET = "quietwhisper"
NUMBER = "+61412345678"
STYLES: tuple[Literal["text", "json"], ...] = ("text", "json")
LOG = logging.getLogger("mm7zeep.test")


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    """What ``set_up`` changes is put back.

    Before it, they pass on what they get: pytest puts its own handler, which raises where ours does not, on those that
    do not, and some test before may have left them so.
    """
    loggers = [logging.getLogger(name) for name in logs._LOGGERS]
    before = [(one, list(one.handlers), one.level, one.propagate) for one in loggers]
    for one in loggers:
        one.handlers.clear()
        one.propagate = True
    yield
    for one, handlers, level, propagate in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


class Sink(io.StringIO):
    """A stream, and the lines that were written to it."""

    @property
    def lines(self) -> list[str]:
        assert self.getvalue() == "" or self.getvalue().endswith("\n")
        return self.getvalue().split("\n")[:-1]


def sink(style: Literal["text", "json"], *, show_numbers: bool = False) -> Sink:
    """A stream that the loggers write to."""
    stream = Sink()
    logs.set_up(style, show_numbers=show_numbers, stream=stream)
    return stream


def fail(text: str) -> None:
    """Log an exception that says ``text``, caused by another one that says it, too."""
    try:
        try:
            raise ValueError(text)
        except ValueError as error:
            raise RuntimeError(f"no way: {text}") from error
    except RuntimeError:
        LOG.exception("a turn failed")


def test_json() -> None:
    """A line is an object with time and zone, level, logger, event, fields and exception."""
    stream = sink("json")
    LOG.warning(
        "calls to %s are paused", "tnn", extra={"fields": {"endpoint": "tnn", "calls": 3, "late": 0.5, "n": None}}
    )
    fail("gone")
    first, second = (json.loads(line) for line in stream.lines)
    moment = datetime.fromisoformat(first.pop("time"))
    assert moment.tzinfo is not None
    assert abs(moment.timestamp() - time.time()) < 60
    assert first == {
        "level": "WARNING", "logger": "mm7zeep.test", "event": "calls to tnn are paused",
        "endpoint": "tnn", "calls": 3, "late": 0.5, "n": None,
    }  # fmt: skip
    assert list(second) == ["time", "level", "logger", "event", "exception"]
    assert (second["exception"]["type"], second["exception"]["text"]) == ("RuntimeError", "no way: gone")
    assert "ValueError: gone\\n" in second["exception"]["traceback"]


def test_text() -> None:
    """A line has the same for people."""
    stream = sink("text")
    LOG.info("stopped", extra={"fields": {"calls": 3, "to": 'a "b"'}})
    fail("gone")
    first, second = stream.lines
    assert datetime.fromisoformat(first.partition(" ")[0]).tzinfo is not None
    assert first.partition(" ")[2] == r'INFO    mm7zeep.test: stopped calls=3 to="a \"b\""'
    assert second.partition(" ")[2].startswith(
        r"ERROR   mm7zeep.test: a turn failed | Traceback (most recent call last):\n"
    )
    assert second.endswith(r"\nRuntimeError: no way: gone")


class Account:
    """Something whose repr tells too much."""

    def __repr__(self) -> str:
        return f"Account(name='a', password='{SECRET}')"


LEAKS: dict[str, Any] = {
    "URL": f"no connection to https://us:{SECRET}@vasp.example/mo",
    "query": f"POST /mo?token={SECRET} failed",
    "header": f"sent Authorization: Basic {SECRET}",
    "cookie": f"Set-Cookie: {SECRET}",
    "repr": repr(Account()),
    "JSON": json.dumps({"password": SECRET}),
    "on its own line": f"head\r\nX-Api-Key: {SECRET}\r\nrest",
    "cut": "x" * 3990 + f" password={SECRET}",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("where", LEAKS)
def test_no_credential_gets_out(style: Literal["text", "json"], where: str) -> None:
    """In the message, its arguments, fields at any depth and exceptions; numbers shown or not."""
    text = LEAKS[where]
    for show_numbers in (False, True):
        stream = sink(style, show_numbers=show_numbers)
        LOG.error("%s", text)
        LOG.error(text.replace("%", "%%"))
        LOG.error("a", extra={"fields": {"note": text, "deep": [{"er": (text,)}], text: 1}})
        fail(text)
        assert len(stream.lines) == 4
        assert SECRET not in stream.getvalue()
        assert "***" in stream.getvalue() or where == "cut"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "name", ["password", "admin_password", "Authorization", "token", "api_key", "cookie", "secret"]
)
def test_fields_named_as_credentials(style: Literal["text", "json"], name: str) -> None:
    """A field that is called so is hidden whatever stands in it."""
    stream = sink(style)
    for value in (SECRET, 12345, {"a": SECRET}, [SECRET], SECRET.encode(), Account()):
        LOG.error("a", extra={"fields": {name: value, "in": {name: value}}})
    assert SECRET not in stream.getvalue()
    assert "12345" not in stream.getvalue()
    assert stream.getvalue().count("***") == 12


@pytest.mark.parametrize("style", STYLES)
def test_objects_and_octets(style: Literal["text", "json"]) -> None:
    """Objects are told by their text, masked; octets by their number."""
    stream = sink(style)
    LOG.error("%r", Account(), extra={"fields": {"who": Account(), "body": SECRET.encode(), "part": float("nan")}})
    assert SECRET not in stream.getvalue()
    assert "12 octets" in stream.getvalue()
    if style == "json":
        assert json.loads(stream.lines[0])["part"] == "nan"


@pytest.mark.parametrize("style", STYLES)
def test_one_record_is_one_line(style: Literal["text", "json"]) -> None:
    """Line breaks, escape sequences and what turns or hides text are escaped, wherever they stand."""
    subject = 'a\r\n2026-01-01 ERROR forged\x1b[2J\x1b]0;x\x07 \x00\x7f\x85\x9b \u2028 \u202e \u2028 "q" ü'
    stream = sink(style)
    LOG.info("subject %s", subject)
    LOG.info("a", extra={"fields": {"subject": subject, subject: [subject]}})
    fail(subject)
    assert len(stream.lines) == 3
    assert all(line.isprintable() for line in stream.lines)
    assert stream.getvalue().encode()
    if style == "json":
        event = json.loads(stream.lines[0])["event"]
        assert event.startswith(
            r"subject a\r\n2026-01-01 ERROR forged\x1b[2J\x1b]0;x\x07 \x00\x7f\x85\x9b \u2028 \u202e \u2028"
        )
        assert event.endswith('"q" ü')


@pytest.mark.parametrize("style", STYLES)
def test_numbers(style: Literal["text", "json"]) -> None:
    """Telephone numbers and mail addresses are masked in all texts, unless asked for."""
    text = f"to {NUMBER}, jo@ferry.example"
    for show_numbers in (False, True):
        stream = sink(style, show_numbers=show_numbers)
        LOG.info(text, extra={"fields": {"to": [NUMBER, "jo@ferry.example"]}})
        fail(text)
        assert (NUMBER in stream.getvalue()) is show_numbers
        assert ("jo@" in stream.getvalue()) is show_numbers
        assert ("+*********78" in stream.getvalue()) is not show_numbers


def test_ids_stay_whole() -> None:
    """The ids that the gateway makes can be searched for, whatever digits they have; all-digit ones are masked."""
    ours = ["0123456789abcdef0123456789abcdef", "12345678901234567890123456789012"[:-1] + "f"]
    stream = sink("json")
    LOG.info(
        "message %s %s", *ours, extra={"fields": {"message_id": ours[1], "other": "12345678901234567890123456789012"}}
    )
    LOG.info("token=%s +%s", ours[0], NUMBER[1:])
    first, second = (json.loads(line) for line in stream.lines)
    assert first["event"] == f"message {ours[0]} {ours[1]}"
    assert (first["message_id"], first["other"]) == (ours[1], "*" * 30 + "12")
    assert second["event"] == "token=*** +*********78"


@pytest.mark.parametrize("style", STYLES)
def test_long_texts_are_cut(style: Literal["text", "json"], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody sends, a line stays short, and takes no time."""
    stream = sink(style)

    def log() -> None:
        LOG.info("a" * 1_000_000, extra={"fields": {str(n): "7" * 100_000 for n in range(100)}})
        fail("b" * 1_000_000)

    assert least_seconds(log, enough=1) < 2
    assert [len(line) < 250_000 for line in stream.lines[-2:]] == [True, True]


@pytest.mark.parametrize("style", STYLES)
def test_what_cannot_be_said(style: Literal["text", "json"], capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments that do not fit, and texts that raise, are told as such; nothing of them is printed elsewhere."""

    class Odd:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    stream = sink(style)
    LOG.info("%d %d", SECRET)
    LOG.info("a", extra={"fields": {"odd": Odd()}})
    LOG.info("a", extra={"fields": "no mapping"})
    first, second, third = stream.lines
    assert "%d %d (its arguments do not fit)" in first
    assert second == "a record of mm7zeep.test could not be written: RuntimeError"
    assert "no mapping" not in third
    assert SECRET not in stream.getvalue() + "".join(capsys.readouterr())
    stream.close()
    LOG.info("nobody reads on")
    assert capsys.readouterr() == ("", "")


def test_what_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    """One handler, however often it is set up, on standard error; INFO of mm7zeep, failures of the libraries."""
    for _ in range(3):
        logs.set_up("text", show_numbers=False)
    for name in logs._LOGGERS:
        ours = [one for one in logging.getLogger(name).handlers if isinstance(one.formatter, logs.TextFormatter)]
        assert len(ours) == 1
        logging.getLogger(name).info("info")
        logging.getLogger(name).error("error")
    LOG.debug("debug")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split()[1:3] for line in err.splitlines()] == [
        ["INFO", "mm7zeep:"],
        ["ERROR", "mm7zeep:"],
        ["ERROR", "uvicorn.error:"],
        ["ERROR", "asyncio:"],
    ]


def test_no_exception_to_tell() -> None:
    """``exc_info`` outside of an exception adds nothing."""
    stream = sink("json")
    assert sys.exc_info() == (None, None, None)
    LOG.error("a", exc_info=True)  # noqa: LOG014 - on purpose
    assert "exception" not in json.loads(stream.lines[0])
