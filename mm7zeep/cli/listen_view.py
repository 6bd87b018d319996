"""What ``mm7zeep listen`` received as people read it: who to whom, the texts, what the parts are and where they went.

Takes the record that ``listen`` prints as JSON, and the parts. Leaves out what is the same in every message; shows
nothing that a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mm7zeep import masking, smil
from mm7zeep.cli import admin_api
from mm7zeep.messages import Part
from mm7zeep.transport.pages import escaped

_WORDS: Mapping[str, str] = MappingProxyType(
    {"Deliver": "message (MO)", "DeliveryReport": "delivery report", "ReadReply": "read reply"}
)
_SHOWN = (
    "sender", "to", "cc", "bcc", "recipient", "mm_status", "status_text", "subject", "message_id", "linked_id",
    "reply_charging_id", "transaction_id",
)  # fmt: skip
_LINES, _WIDTH, _READ = 20, 200, 64 * 1024  # lines of a text, characters of one, octets of a text that is shown at all


def as_text(record: Mapping[str, Any], parts: Sequence[Part], forwarded_to: str | None = None) -> str:
    """One received message, over several lines; ``forwarded_to`` is the webhook that has it, too."""
    return "\n".join(_lines(record, parts, forwarded_to))


def _lines(record: Mapping[str, Any], parts: Sequence[Part], forwarded_to: str | None) -> Iterator[str]:
    yield f"{_WORDS.get(record['type'], record['type'])}  {record['received'][:19]}Z"
    rows = [(name.replace("_", " "), _value(record[name])) for name in _SHOWN if name in record]
    rows += [("extension", one["name"]) for one in record["extensions"]]
    rows += [("noticed", one) for one in record["findings"]]
    rows += [("forwarded to", masking.url(forwarded_to))] if forwarded_to is not None else []
    yield from (f"  {name.ljust(14)}  {escaped(text)}" for name, text in rows)
    for said, part in zip(record["parts"], parts, strict=True):
        name = f"  {said['name']}" if said["name"] else ""
        where = f"  -> {said['file']}" if "file" in said else ""
        yield escaped(f"  {said['content_type'].ljust(14)}  {admin_api.size(said['size'])}{name}{where}")
        yield from (f"    | {escaped(line)}" for line in _text(part))


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _text(part: Part) -> list[str]:
    """The text of a part that people have written; of a long one the beginning."""
    if not part.content_type.startswith("text/") or smil.is_presentation(part) or part.size > _READ:
        return []
    lines = part.text().splitlines()
    more = [f"... {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return [line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..." for line in lines[:_LINES]] + more
