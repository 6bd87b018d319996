"""Write docs/reference/mm7/*.md: MM7 in one page for each operation, with a request and its answer made by the library.

``python -P docs/make_mm7.py``. Ids and boundaries, which are random, are replaced by fixed ones of the same length, so that
a test can compare the pages.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import mm7zeep
from mm7zeep.envelope.fields import APART, paths
from mm7zeep.envelope.operations import OPERATIONS, Operation, element_name
from mm7zeep.exchange import Wire
from mm7zeep.messages import Message
from mm7zeep.profiles import NAMESPACES

FOLDER = Path(__file__).parent / "reference" / "mm7"
_RELEASE = "REL-6-MM7-1-4"
_MEANINGS = {
    "to": "`Recipients/To`", "cc": "`Recipients/Cc`", "bcc": "`Recipients/Bcc`",
    "previously_sent": "`Previouslysentby`, `Previouslysentdateandtime`", "parts": "the parts that `Content` points to",
    "content_href": "`Content`, its `href`", "allow_adaptations": "`Content`, its `allowAdaptations`",
    "extensions": "elements of other namespaces", "unparsed": "what could not be read, as sent",
    "service_code_attributes": "`ServiceCode`, its other attributes",
}  # fmt: skip


class Page(NamedTuple):
    """What a page says besides the tables: who asks whom, what it is for, and a request and an answer as Python."""

    name: str
    asks: str
    says: str
    request: str
    response: str


_NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PAGES: Mapping[str, Page] = MappingProxyType({one.name: one for one in (
    Page(
        "submit", "VASP to MMSC",
        "The VASP hands over a message for one or more recipients. The answer's MessageID is what reports, cancel and replace"
        " refer to; 1000 says that it was accepted, not that it was delivered.",
        'SubmitReq(vaspid="TNN", vasid="News", to=["+61412345678"], subject="News for today", delivery_report=True,\n'
        '          time_stamp=datetime(2026, 6, 1, 12, 0, tzinfo=UTC), parts=[part_of("Saturn has rings")])',
        'SubmitRsp(message_id="0a9626cbf0766024")',
    ),
    Page(
        "deliver", "MMSC to VASP",
        "The MMSC hands over what a subscriber sent. The answer says that the VASP has it; without one it comes again.",
        'DeliverReq(mms_relay_server_id="mmsc.example", linked_id="cfbeb0692f50f67c", sender="+61412345678", to="111122",\n'
        '           subject="My cat", time_stamp=datetime(2026, 6, 1, 12, 0, tzinfo=UTC), priority="Normal",\n'
        '           parts=[part_of("Look!")])',
        "DeliverRsp()",
    ),
    Page(
        "cancel", "VASP to MMSC", "The VASP takes back a message that was not delivered yet. 3001 says that it is too late.",
        'CancelReq(vaspid="TNN", vasid="News", message_id="0a9626cbf0766024")', "CancelRsp()",
    ),
    Page(
        "replace", "VASP to MMSC", "The VASP puts another content in the place of one that was not delivered yet.",
        'ReplaceReq(vaspid="TNN", vasid="News", message_id="0a9626cbf0766024", parts=[part_of("Saturn has more rings")])',
        "ReplaceRsp()",
    ),
    Page(
        "extended_cancel", "VASP to MMSC",
        "Cancels by an id of the VASP's own (CancelID). REL-6-MM7-1-4 alone has it; few MMSCs serve it (4003).",
        'ExtendedCancelReq(vaspid="TNN", vasid="News", cancel_id="news-2026-06-01")', "ExtendedCancelRsp()",
    ),
    Page(
        "extended_replace", "VASP to MMSC",
        "Replaces by an id of the VASP's own (ReplaceID). REL-6-MM7-1-4 alone has it; few MMSCs serve it (4003).",
        'ExtendedReplaceReq(vaspid="TNN", vasid="News", replace_id="news-2026-06-01", parts=[part_of("Saturn has rings")])',
        'ExtendedReplaceRsp(message_id="0a9626cbf0766024")',
    ),
    Page(
        "delivery_report", "MMSC to VASP",
        "What became of a submitted message at one recipient, if DeliveryReport was asked for: one report each.",
        'DeliveryReportReq(mms_relay_server_id="mmsc.example", message_id="0a9626cbf0766024", recipient="+61412345678",\n'
        '                  sender="111122", date=datetime(2026, 6, 1, 12, 0, tzinfo=UTC), mm_status="Retrieved")',
        "DeliveryReportRsp()",
    ),
    Page(
        "read_reply", "MMSC to VASP", "A recipient has read the message, or deleted it unread, if ReadReply was asked for.",
        'ReadReplyReq(mms_relay_server_id="mmsc.example", message_id="0a9626cbf0766024", recipient="+61412345678",\n'
        '             sender="111122", time_stamp=datetime(2026, 6, 1, 12, 0, tzinfo=UTC), mm_status="Read")',
        "ReadReplyRsp()",
    ),
)})  # fmt: skip


def text(name: str) -> str:
    """The page of one operation."""
    page = PAGES[name]
    operation = next(one for one in OPERATIONS if _snake(one.name) == name)
    request, response = _value(page.request), _value(page.response)
    if (type(request), type(response)) != (operation.request, operation.response):
        raise ValueError(f"{name}: the examples are {type(request).__name__} and {type(response).__name__}")
    asked = mm7zeep.pack(request, profile=_RELEASE, transaction_id="3715009fe141d012")
    octets = asked.read()
    received = mm7zeep.unpack(dataclasses.replace(asked, body=octets))
    answered = mm7zeep.pack(response, reply_to=received)
    lines = [
        f"# MM7_{name}", "", f"*{page.asks}.* {page.says}", "",
        f"{_summary(operation.request)} Its answer is `{element_name(operation.response)}`, or a Fault with"
        f" `{operation.error.__name__}`. {_served(operation)}", "",
        "## Request", "", *_fields(operation.request), "",
        "Made by the library and valid by the schema; the lines are broken between the elements here, which changes nothing:", "",
        "```python", f"from datetime import UTC, datetime\n\nfrom mm7zeep import {_imported(page.request)}\n",
        f"request = {_indented(page.request)}", f'wire = pack(request, profile="{_RELEASE}")', "```", "",
        "```http", *_http(f"{name} request", dataclasses.replace(asked, body=octets), "/mm7"), "```", "",
        "## Answer", "", *_fields(operation.response), "",
        "```http", *_http(f"{name} answer", answered), "```", "",
    ]  # fmt: skip
    return "\n".join(lines)


def index() -> str:
    """The page above: the operations, the namespaces, and what every message has."""
    lines = [
        "# MM7, operation by operation", "",
        "MM7 is SOAP 1.1 with attachments over HTTP (3GPP TS 23.140, 8.7). Every request and answer has a TransactionID in its"
        " SOAP Header, by which they belong together, and an MM7Version in its Body. Requests of the VASP go to one URL of the"
        " MMSC, those of the MMSC to one URL of the VASP. Each example in these pages was made by this library.", "",
        "| Operation | Who asks | Request | Answer |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, page in PAGES.items():
        found = next(one for one in OPERATIONS if _snake(one.name) == name)
        names = f"`{element_name(found.request)}` | `{element_name(found.response)}`"
        lines.append(f"| [MM7_{name}]({name}.md) | {page.asks} | {names} |")
    lines += [
        "", "## Namespaces", "",
        "A schema is named in its namespace. What differs from the one before it is seldom visible in a message, but an MMSC may"
        " refuse another than its own:", "",
        "| Schema | Namespace | MM7Version that are valid | DeliveryReport says | Operations |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for uri, one in NAMESPACES.items():
        versions = ", ".join(one.versions)
        lines.append(f"| {one.schema} | `{uri}` | {versions} | {one.report_date} | {8 if one.extended else 6} |")
    lines += ["", "```{toctree}", ":hidden:", "", *PAGES, "```", ""]
    return "\n".join(lines)


def pages() -> Mapping[Path, str]:
    """Every file of the folder, with what it should hold."""
    return {FOLDER / "index.md": index(), **{FOLDER / f"{name}.md": text(name) for name in PAGES}}


def _value(source: str) -> Message:
    names: dict[str, Any] = {"datetime": datetime, "UTC": UTC, **{name: getattr(mm7zeep, name) for name in _names(source)}}
    made = eval(source, names)
    assert isinstance(made, Message)
    return made


def _names(source: str) -> list[str]:
    return sorted({word for word in re.findall(r"\b(?:[A-Z]\w+(?:Req|Rsp)|part_of)\b", source)})


def _imported(source: str) -> str:
    return ", ".join(sorted([*_names(source), "pack"], key=str.lower))


def _indented(source: str) -> str:
    return source.replace("\n", "\n" + " " * len("request = "))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: f"_{m[1].lower()}", name)


def _summary(kind: type[Message]) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _served(operation: Operation) -> str:
    return "Every schema has it." if not operation.name.startswith("extended") else "`REL-6-MM7-1-4` alone has it."


def _fields(kind: type[Message]) -> Iterator[str]:
    yield f"| `{kind.__name__}` | Element |"
    yield "|---|---|"
    for one in dataclasses.fields(kind):
        if one.name in ("unparsed", "extensions"):
            continue
        needed = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        where = _MEANINGS[one.name] if one.name in APART else " or ".join(f"`{path}`" for path in paths(one.name))
        yield f"| `{one.name}`{' (needed)' if needed else ''} | {where} |"


def _http(salt: str, wire: Wire, target: str | None = None) -> list[str]:
    """A message as HTTP carries it, the envelope's lines broken between its elements."""
    body = wire.read().decode("utf-8")
    first = f"POST {target} HTTP/1.1\nHost: mmsc.example" if target else f"HTTP/1.1 {wire.status or 200} OK"
    heads = "\n".join(f"{name}: {value}" for name, value in wire.headers if name.lower() != "content-length")
    whole = f"{first}\n{heads}\n\n{_broken(body)}".replace("\r\n", "\n").rstrip("\n")
    return _fixed(salt, whole).split("\n")


def _broken(body: str) -> str:
    return re.sub(r"><(?!/)", ">\n<", body)


def _fixed(salt: str, whole: str) -> str:
    """``whole`` with each random id replaced by one that is always the same, of the same length."""

    def same(found: re.Match[str]) -> str:
        return hashlib.sha256(f"{salt} {order.setdefault(found[0], len(order))}".encode()).hexdigest()[: len(found[0])]

    order: dict[str, int] = {}
    return re.sub(r"(?<=[-.])[0-9a-f]{16,32}\b", same, whole)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
