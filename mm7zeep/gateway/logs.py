"""What ``serve`` says on standard error while it runs: one record is one line, as text or as JSON.

Every text (message, fields, exception) goes through ``masking``: credentials never get out, telephone numbers and mail
addresses only where asked for; control characters are escaped. Refuses nothing: what cannot be said is said to be so.
"""

from __future__ import annotations

import logging
import math
import re
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TextIO

from mm7zeep import masking
from mm7zeep.json_text import as_json

_LOGGERS = ("mm7zeep", "uvicorn.error", "asyncio")  # asyncio tells of exceptions that nobody waits for
_LONGEST = 4000  # characters of one text; a traceback may have eight times as many
_FRAMES = 30  # of a traceback, the innermost
_DEEPEST = 4  # levels of fields inside each other
_MOST = 50  # fields, or values of one field
_NAMES = 1024  # of fields, of which is remembered whether they name a secret
# Ids that the gateway made; no telephone number has letters, and a masked id could not be searched for.
_NUMBERS = re.compile(r"0x[0-9a-f]{1,16}|[0-9]+")
_ID = re.compile(r"(?<!\w)(?=[0-9]{0,31}[a-f])[0-9a-f]{32}(?!\w)")
# One word with too few digits for a telephone number: nothing that ``masking`` hides has this form.
_WORD = re.compile(r"(?!(?:[^0-9]*[0-9]){7})[A-Za-z0-9_-]{1,64}")


def set_up(style: Literal["text", "json"], *, show_numbers: bool, stream: TextIO | None = None) -> None:
    """Log to ``stream`` (default: standard error) from INFO on, replacing what an earlier call set up.

    Takes the loggers of mm7zeep, and of uvicorn and asyncio what goes wrong there.
    """
    handler = _Handler(stream if stream is not None else sys.stderr)
    handler.setFormatter((JsonFormatter if style == "json" else TextFormatter)(show_numbers=show_numbers))
    handler.addFilter(Seldom())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        for old in [one for one in logger.handlers if isinstance(one, _Handler)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO if name == "mm7zeep" else logging.WARNING)
        logger.propagate = False


def restrain() -> None:
    """Have the loggers themselves leave out what comes too often, for who does not ``set_up`` a log of their own."""
    for name in ("mm7zeep.gateway", *_LOGGERS[1:]):
        logger = logging.getLogger(name)
        if not any(isinstance(one, Seldom) for one in logger.filters):
            logger.addFilter(Seldom())


class _Handler(logging.StreamHandler[TextIO]):
    """A handler whose own failures repeat nothing of the record; logging's would print its arguments as they are."""

    def handleError(self, record: logging.LogRecord) -> None:
        kind = getattr(sys.exc_info()[0], "__name__", "error")
        try:
            self.stream.write(f"a record of {record.name} could not be written: {kind}\n")
        except (OSError, ValueError):
            return  # the stream itself is gone: there is nowhere left to say so


class Seldom(logging.Filter):
    """Lets one record of a kind pass in ``every`` seconds; the next one says how many were left out meanwhile.

    Of a kind are records that name the same one, as ``extra={"seldom": kind}``, and from WARNING on those of the server
    and the event loop with the same text but for numbers: a client can bring them about as often as it likes.
    ``clock`` gives seconds. Kinds are few; where they are not, the one longest unseen is forgotten.
    """

    def __init__(self, every: float = 1.0, *, kept: int = 200, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every = every
        self._kept = kept
        self._clock = clock
        self._kinds: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()  # when it last passed, how many since
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether ``record`` is written; where others were not, it gets the field ``suppressed``."""
        kind = self._kind(record)
        if kind is None:
            return True
        with self._lock:
            passed, left_out = self._kinds.get(kind, (None, 0))
            now = self._clock()
            writes = passed is None or now - passed >= self._every
            self._kinds[kind] = (now, 0) if writes or passed is None else (passed, left_out + 1)
            self._kinds.move_to_end(kind)
            if len(self._kinds) > self._kept:
                self._kinds.popitem(last=False)
        if writes and left_out:
            given = getattr(record, "fields", None)
            record.fields = {**(given if isinstance(given, Mapping) else {}), "suppressed": left_out}
        return writes

    def _kind(self, record: logging.LogRecord) -> Hashable | None:
        named = getattr(record, "seldom", None)
        if named is not None:
            return (record.name, str(named))
        if record.name.startswith("mm7zeep") or record.levelno < logging.WARNING:
            return None
        first = str(record.msg).partition("\n")[0]
        what = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] is not None else ""
        return (record.name, _NUMBERS.sub("", first)[:60], what)


class _Formatter(logging.Formatter):
    """What both styles share: the texts of a record, made fit to be passed on."""

    def __init__(self, *, show_numbers: bool = False) -> None:
        super().__init__()
        self._show_numbers = show_numbers
        self._is_secret = lru_cache(_NAMES)(_names_a_secret)

    def fit(self, text: str, longest: int = _LONGEST) -> str:
        """``text`` on one line of at most ``longest`` characters, masked and escaped."""
        if _WORD.fullmatch(text):
            return text
        if len(text) > longest:
            text = text[:longest] + "..."
        return "".join(c if c.isprintable() else _escaped(c) for c in self._masked(text))

    def _masked(self, text: str) -> str:
        text = masking.credentials(text)
        if self._show_numbers:
            return text
        pieces, at = [], 0
        for found in _ID.finditer(text):
            pieces += [masking.masked(text[at : found.start()]), found[0]]
            at = found.end()
        return "".join([*pieces, masking.masked(text[at:])])

    def event(self, record: logging.LogRecord) -> str:
        """The message; where its arguments do not fit, the message without them."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = f"{record.msg} (its arguments do not fit)"
        return self.fit(text)

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What was given as ``extra={"fields": {...}}``."""
        given = getattr(record, "fields", None)
        if not isinstance(given, Mapping):
            return {}
        return {self.fit(str(name)): self._value(str(name), value) for name, value in list(given.items())[:_MOST]}

    def _value(self, name: str, value: object, depth: int = 0) -> Any:
        if value is not None and self._is_secret(name):
            return masking.HIDDEN
        if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, Mapping) and depth < _DEEPEST:
            inner = list(value.items())[:_MOST]
            return {self.fit(str(key)): self._value(str(key), one, depth + 1) for key, one in inner}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
            return [self._value(name, one, depth + 1) for one in list(value)[:_MOST]]
        if isinstance(value, bytes | bytearray | memoryview):
            return f"{len(value)} octets"  # never what they are
        return self.fit(str(value))

    def exception(self, record: logging.LogRecord) -> dict[str, str] | None:
        """Type, text and traceback of the record's exception."""
        if not record.exc_info or record.exc_info[1] is None:
            return None
        error = record.exc_info[1]
        whole = "".join(traceback.format_exception(error, limit=-_FRAMES))
        kind = type(error)
        return {
            "type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
            "text": self.fit(_text(error)),
            "traceback": self.fit(whole.rstrip("\n"), 8 * _LONGEST),
        }


def _names_a_secret(name: str) -> bool:
    """Whether, by its name, what stands in a field is a credential."""
    line = f"{name}: x"
    return masking.credentials(line) != line


def _text(error: BaseException) -> str:
    """What it says, without its type and notes."""
    first = next(traceback.TracebackException.from_exception(error).format_exception_only())
    return first.partition(": ")[2].rstrip("\n")


def _escaped(character: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    code = ord(character)
    return known or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class JsonFormatter(_Formatter):
    """One JSON object a line: time, level, logger, event, what the fields say, and ``exception`` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "event": self.event(record),
        }
        exception = self.exception(record)
        if exception is not None:
            said["exception"] = exception
        return as_json({**said, **self.fields(record), **said})  # no field replaces what is said


class TextFormatter(_Formatter):
    """One line for people: time, level, logger, event, the fields as name=value, and what the exception says."""

    def format(self, record: logging.LogRecord) -> str:
        words = [_moment(record), record.levelname.ljust(7), f"{record.name}:", self.event(record)]
        words += [f"{name}={as_json(value)}" for name, value in self.fields(record).items()]
        exception = self.exception(record)
        if exception is not None:
            words.append(f"| {exception['traceback']}")
        return " ".join(words)
