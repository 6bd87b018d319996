"""Call detail records as lines: CSV as RFC 4180 has it, or JSON lines, in UTF-8.

JSON is exact. In CSV nothing is a formula for a spreadsheet, and nothing a command for a terminal.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from mm7zeep import json_text
from mm7zeep.cli.admin_api import line
from mm7zeep.gateway.cdr.columns import COLUMNS, Value, record
from mm7zeep.gateway.store.details import Detail

Format = Literal["csv", "jsonl"]
_NUMBER = re.compile(r"[+-]?[0-9*]+(?:/TYPE=[A-Za-z0-9]+)?")  # masked or not
# what spreadsheets take for the beginning of a formula, also at full width; and our own mark
_MARKED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


class Lines:
    """Copies as lines in UTF-8."""

    def __init__(self, form: Format, mask: bool) -> None:
        self._csv, self._mask = form == "csv", mask

    def head(self) -> bytes:
        """The header row of CSV."""
        return _csv([list(COLUMNS)]) if self._csv else b""

    def of(self, copies: Sequence[Detail]) -> bytes:
        """A line for each copy."""
        records = [record(one, mask=self._mask) for one in copies]
        if self._csv:
            return _csv([_cell(value) for value in one.values()] for one in records)
        return "".join(f"{json_text.as_json(one)}\n" for one in records).encode()


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as RFC 4180 has them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Value) -> str:
    """A value as a program reads it, and as no spreadsheet takes for a formula: such text has an apostrophe before it.

    So has text that begins with one, so that to take one away gives the value again. A telephone number is left as it
    is. What steers a terminal is written out.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    guard = value.startswith(_MARKED) and not _NUMBER.fullmatch(value)
    return line(f"'{value}" if guard else value)
