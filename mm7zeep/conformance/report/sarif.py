"""The SARIF 2.1.0 report (OASIS), as code scanning services read it: one result per finding.

Places are octets of the file, where the message stands in it as it was sent, and paths in the envelope. Shows no
credential, and no telephone number unless asked to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from mm7zeep import __version__, json_text
from mm7zeep.conformance.input.traffic import Carried
from mm7zeep.conformance.report import view
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.findings import KINDS, Finding, Kind, Level

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

_LEVELS: Mapping[Level, str] = MappingProxyType({"MUST": "error", "SHOULD": "warning", "INFO": "note"})
_INDEX: Mapping[str, int] = MappingProxyType({id: index for index, id in enumerate(KINDS)})
_BYTE = re.compile(r"byte ([0-9]+)\Z")


def render(verdicts: Sequence[Verdict], *, show_numbers: bool = False) -> str:
    """The report on ``verdicts``: every kind of finding as a rule, every finding as a result."""
    run = {
        "tool": {
            "driver": {"name": "mm7zeep", "version": __version__, "rules": [_rule(one) for one in KINDS.values()]}
        },
        "invocations": [{"executionSuccessful": True}],
        "artifacts": _artifacts(verdicts),
        "results": [result for one in verdicts for result in _results(one, show_numbers)],
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text.as_json(log, indent=1) + "\n"


def _rule(kind: Kind) -> dict[str, Any]:
    help_text = f"Wanted: {kind.summary}. To do: {kind.fix}. Source: {kind.source}."
    tags = ["mm7", kind.id.partition("/")[0], *([kind.topic] if kind.topic else [])]
    return {
        "id": kind.id,
        "shortDescription": {"text": kind.summary},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": _LEVELS[kind.level]},
        "properties": {"tags": tags, "clause": kind.source, "topic": kind.topic},
    }


def _artifacts(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    files = dict.fromkeys(one.captured.file for one in verdicts)
    return [{"location": {"uri": uri(file)}, "roles": ["analysisTarget"]} for file in files]


def uri(file: str) -> str:
    """The name of a file as a URI reference (RFC 3986): relative where the name is, ``stdin`` for ``-``."""
    if file == "-":
        return "stdin"
    path = PurePath(file)
    try:
        octets = path.as_posix().encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, as some file systems allow
        octets = path.as_posix().encode("utf-8", "replace")
    return ("file://" if path.is_absolute() else "") + quote(octets, safe="/")


def _results(verdict: Verdict, show_numbers: bool) -> Iterator[dict[str, Any]]:
    message = view.message(verdict, show_numbers=show_numbers)
    seen: dict[str, int] = {}
    for found, line in zip(verdict.findings, message.lines, strict=True):
        key = "\0".join((view.plain(verdict.captured.name), found.id, line.where, line.met))
        seen[key] = seen.get(key, 0) + 1
        digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "backslashreplace")).hexdigest()
        yield {
            "ruleId": found.id,
            "ruleIndex": _INDEX[found.id],
            "level": _LEVELS[found.level],
            "message": {"text": line.sentence},
            "locations": [_location(verdict, found, message, line)],
            "partialFingerprints": {"mm7zeep/v1": digest[:32]},
            "properties": {
                "message": message.name,
                "exchange": message.carrier,
                "operation": message.operation,
                "verdict": message.word,
                "policy": message.policy,
                "action": line.action,
                "topic": found.topic,
                "clause": line.clause,
            },
        }


def _location(verdict: Verdict, found: Finding, message: view.Message, line: view.Line) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri(verdict.captured.file)}}
    offset = _offset(verdict, found)
    if offset is not None:
        place["region"] = {"byteOffset": offset}
        if line.excerpt:
            place["region"]["snippet"] = {"text": line.excerpt}
    logical: list[dict[str, str]] = [{"fullyQualifiedName": message.name, "kind": "module"}]
    if line.where.startswith("/"):
        kind = "attribute" if line.where.rpartition("/")[2].startswith("@") else "element"
        logical.insert(0, {"fullyQualifiedName": line.where, "kind": kind})
    elif line.where and _BYTE.match(line.where) is None and not line.where.startswith("line "):
        logical.insert(0, {"fullyQualifiedName": line.where, "kind": "member"})
    return {"physicalLocation": place, "logicalLocations": logical}


def _offset(verdict: Verdict, found: Finding) -> int | None:
    """The octet of the file that a finding speaks of, or None in a recording, whose octets lie scattered."""
    captured, package = verdict.captured, verdict.judgement.package
    if isinstance(captured, Carried):
        return None
    if not (found.where.startswith(("/", "line ")) or _BYTE.match(found.where)):
        return captured.offset  # of the head
    # Undone chunks have moved what stands in the body.
    if "chunked" in (captured.wire.header("transfer-encoding") or "").lower():
        return captured.body_offset
    root = package.root_node.body_offset if package is not None else 0
    octet = _BYTE.match(found.where)
    if octet is None or found.id.startswith("xml/"):
        return captured.body_offset + root + (int(octet[1]) if octet and package and not _coded(verdict) else 0)
    return captured.body_offset + int(octet[1])


def _coded(verdict: Verdict) -> bool:
    """Whether the envelope stands in the body in quoted-printable or base64, so that its octets are others."""
    package = verdict.judgement.package
    encoding = package.root_node.encoding if package is not None else None
    return (encoding or "").strip().lower() in ("quoted-printable", "base64")
