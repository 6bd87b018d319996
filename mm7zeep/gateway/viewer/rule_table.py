"""A table of rules that a form edits: a row for each, and an empty one at the end for a new rule.

The fields of a row are named ``0.outcome``, ``1.outcome`` and so on. A row is left out whose ``remove`` is ticked. The
last one counts where something was filled in, or where its button, ``add``, was pressed. Refuses, with ``Refusal``
(400), what is no number where one is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mm7zeep.gateway.viewer.forms import Form
from mm7zeep.receiver import Refusal

_MOST = 1001
_PLACE = re.compile(r"(?:rules|handsets)\[([0-9]{1,4})\](?:\.([a-z0-9_]+)|:)?(?: |(?=:)|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The fields of a rule by their kinds, what the ``empty`` one says, and what a rule is called."""

    noun: str
    texts: Sequence[str]
    numbers: Sequence[str] = ()
    whole: Sequence[str] = ()
    ticks: Sequence[str] = ()
    empty: Mapping[str, Any]

    def typed(self, form: Form) -> list[dict[str, Any]]:
        """The rows of a form as they were typed, those that are removed left out, the last being the new one."""
        count = form.text("rows") or "0"
        rows = min(int(count), _MOST) if count.isascii() and count.isdigit() and len(count) < 6 else 0
        return [self._row(form, n) for n in range(rows) if form.text(f"{n}.remove") is None]

    def _row(self, form: Form, n: int) -> dict[str, Any]:
        names = (*self.texts, *self.numbers, *self.whole)
        typed: dict[str, Any] = {name: form.text(f"{n}.{name}") or "" for name in names}
        return typed | {name: form.text(f"{n}.{name}") is not None for name in self.ticks}

    def rules(self, form: Form) -> list[dict[str, Any]]:
        """The rules that a form says: of each row what was filled in. Raises ``Refusal`` (400)."""
        rows = self.typed(form)
        if rows and form.text("add") is None and self._is_empty(rows[-1]):
            del rows[-1]
        return [self._rule(n, row) for n, row in enumerate(rows)]

    def _is_empty(self, row: Mapping[str, Any]) -> bool:
        return all(self._same(name, row[name]) for name in row)

    def _same(self, name: str, typed: Any) -> bool:
        """Whether a field says what that of the empty rule does, or nothing."""
        usual = self.empty.get(name, "")
        if typed == "":
            return True
        try:
            return bool(float(typed) == float(usual)) if name in self.numbers else bool(typed == usual)
        except ValueError:
            return False

    def _rule(self, n: int, row: Mapping[str, Any]) -> dict[str, Any]:
        rule = {name: row[name] for name in self.texts if row[name]} | {name: row[name] for name in self.ticks}
        for name, kind in (*((one, float) for one in self.numbers), *((one, int) for one in self.whole)):
            if row[name]:
                rule[name] = self._number(n, name, row[name], kind)
        return rule

    def _number(self, n: int, name: str, text: str, kind: type[int] | type[float]) -> int | float:
        try:
            return kind(text)
        except ValueError:
            what = "whole number" if kind is int else "number"
            raise Refusal(400, f"{self.noun} {n + 1}: {_in_words(name)} is {text[:40]!r}, which is no {what}") from None

    def complaint(self, error: Refusal) -> str:
        """What is wrong, where the REST API says it of a list: ``rules[0].delay is 400`` is of rule 1."""
        found = _PLACE.match(str(error))
        if found is None:
            return str(error)
        rest = str(error)[found.end() :]
        words = (_in_words(found[2]) + (rest if rest.startswith(":") else f" {rest}")) if found[2] else rest
        return f"{self.noun} {int(found[1]) + 1}: {words}"


def _in_words(name: str) -> str:
    """A field as its label has it."""
    return {"http_status": "HTTP status", "mm7_status": "MM7 StatusCode"}.get(name, name.replace("_", " "))
