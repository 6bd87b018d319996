"""Three ways into the library for octets of any kind, each with what must hold whatever they are.

``mime`` is the reader under any Content-Type and chunking, ``unpack`` the whole pipeline under the three policies,
``dump`` a captured file judged and reported. Only an error of the library's own tree may leave; no input takes a
second; what is accepted is valid; what was read can be written and read again. A breach is an ``AssertionError``.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple, get_args
from urllib.parse import quote

import fuzz_seeds
from lxml import etree

from mm7zeep import exchange, mime, profiles, schema
from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.conformance.report import text_json
from mm7zeep.errors import LocalError, RemoteError
from mm7zeep.messages import Fault, Part

POLICIES: tuple[profiles.Policy, ...] = get_args(profiles.Policy)
SECONDS = 1.0
"""Processor time that no input may take."""
GROWTH = 256 * 1024
"""KiB by which no input may raise the high-water mark of memory over that of a warm process."""


class Target(NamedTuple):
    """One way in: what it does with an input, and the inputs to start from."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], tuple[bytes, ...]]


# --- mime -------------------------------------------------------------------------------------------------------------


def mime_target(data: bytes) -> None:
    """Read in one piece and in chunks: the same comes out, and what came out can be written and read again."""
    step, content_type, body = fuzz_seeds.split(data)
    headers = [("Content-Type", content_type)] if content_type else []
    whole, pieces = _read(headers, body, len(body)), _read(headers, body, max(step, 1 + len(body) // 100))
    if isinstance(whole, RemoteError):
        assert (type(whole), str(whole), whole.findings) == (type(pieces), str(pieces), getattr(pieces, "findings", ()))
        return
    assert isinstance(pieces, mime.Package)
    assert _shown(whole) == _shown(pieces)
    assert whole.findings == pieces.findings
    for node in whole.tree.walk():
        assert 0 <= node.offset <= node.body_offset <= node.body_offset + node.size_encoded <= len(body)
        assert node.content_id is None or whole.find(f"cid:{node.content_id}") is not None or _unfound(whole, node)
    _written_again(whole.root, whole.parts)


def _read(headers: list[tuple[str, str]], body: bytes, step: int) -> mime.Package | RemoteError:
    reader = mime.Reader(headers)
    try:
        for at in range(0, len(body), step or 1):
            reader.feed(body[at : at + step])
            if step < len(body):
                reader._run(final=False)  # it would gather 16 KiB first, and see most inputs in one piece
        return reader.finish()
    except RemoteError as error:
        return error


def _shown(package: mime.Package) -> tuple[object, ...]:
    nodes = [replace(node, part=None, children=()) for node in package.tree.walk()]
    return (package.root, package.root_content_type, nodes, [_label(one) for one in package.parts])


def _label(part: Part) -> tuple[object, ...]:
    return (part.content_type, part.content_id, part.content_location, part.name, part.read())


def _unfound(package: mime.Package, node: mime.Node) -> bool:
    """Whether a node is one that no reference may find, or has a name that no reference can be made of."""
    bare = (node.content_id or "").strip().removeprefix("<").removesuffix(">").strip()
    return node is package.root_node or node is package.tree or not bare or bare != node.content_id


def _written_again(root: bytes, parts: tuple[Part, ...]) -> None:
    """Parts that were read are written, or refused with ``LocalError``; written ones come out as they went in."""
    if any(one.content_type.startswith("multipart/") for one in parts):
        return  # what calls itself a multipart and is none
    try:
        content = exchange.compose(parts, replace(profiles.GENERIC_6_8_0, smil="never"))
        headers, stream = exchange.enclose(root, content)
    except LocalError:
        return
    body = stream.read()
    assert len(body) == len(stream)
    again = mime.read(headers, body, fuzz_seeds.ROOMY)
    assert again.root == root
    if content is None:
        return
    expected = [one for one in (content.presentation, *content.parts) if one is not None]
    assert [_label(one) for one in again.parts] == [_as_written(one) for one in expected]
    blocking = {one.id for one in again.findings if one.level == "MUST"}
    assert blocking <= _OF_THE_SENDER, f"written with {sorted(blocking - _OF_THE_SENDER)}"


def _as_written(part: Part) -> tuple[object, ...]:
    """The labels as they come back: what is no character of a URL goes out escaped (RFC 3986 2)."""
    location = part.content_location and quote(part.content_location, safe=_URL)
    return (part.content_type, part.content_id, location, part.name, part.read())


_URL = "%:/?#[]@!$&'()*+,;=-._~"
# What a part may say of itself that is passed on as it is: its text, its odd labels.
# the last one: a part that was read as a whole may hold the header of another, and is then written as it is
_OF_THE_SENDER = frozenset(
    {"mime/text-bare-cr", "mime/content-id-syntax", "mime/content-id-unique", "mime/delimiter-missing"}
)


# --- unpack -----------------------------------------------------------------------------------------------------------


def unpack_target(data: bytes) -> None:
    """Under each policy a message or an error of ours; what a stricter policy takes, a milder one takes too."""
    _, content_type, body = fuzz_seeds.split(data)
    headers = (("Content-Type", content_type),) if content_type else ()
    wire = exchange.Wire(headers=headers, body=body, method="POST")
    taken: dict[str, bool] = {}
    for policy in POLICIES:
        try:
            received: exchange.Received | RemoteError = exchange.unpack(wire, policy=policy)
        except RemoteError as error:
            received = error
        taken[policy] = isinstance(received, exchange.Received)
        if isinstance(received, RemoteError):
            assert received.findings, f"a refusal without a finding: {received}"
        elif policy == "interop":
            _is_valid(wire)
            _written_again(received.envelope, received.parts)
            if len(data) % 4 == 0:  # zeep is slow
                _answered(received)
    assert taken["interop"] or not taken["strict"], "strict takes what interop refuses"
    assert taken["lenient"] or not taken["interop"], "interop takes what lenient refuses"


def _is_valid(wire: exchange.Wire) -> None:
    """The mended tree, written out and parsed afresh, is valid."""
    judgement = exchange.examine(wire)
    assert judgement.accepted, "unpack takes what examine refuses"
    assert judgement.repaired is not None
    again = etree.fromstring(etree.tostring(judgement.repaired.envelope))
    left = schema.violations(again, judgement.repaired.read_as)
    assert not left, f"accepted, and not valid: {left[0]}"


def _answered(received: exchange.Received) -> None:
    """What was read can be packed anew in its own dialect, or is refused by ``LocalError``."""
    try:
        wire = exchange.pack(received.message, profile=received.profile)
    except LocalError:
        return
    again = exchange.unpack(wire).message
    # An error answer that came without a SOAP Fault goes out in one.
    inner = again.error if isinstance(again, Fault) and not isinstance(received.message, Fault) else again
    assert type(inner) is type(received.message)


# --- dump -------------------------------------------------------------------------------------------------------------


def dump_target(data: bytes) -> None:
    """A file is judged and reported without any error but that of a limit."""
    try:
        found = capture.messages("x.http", data)
    except RemoteError:
        return
    assert found
    entries = []
    for number, one in enumerate(found[:5]):
        assert one.index == number
        assert 0 <= one.offset <= one.body_offset <= len(data)
        judged = verdict.judge(one, policy=POLICIES[len(data) % len(POLICIES)])
        assert judged.accepted or judged.reason
        entries.append(text_json.entry(judged))
    shown = json.loads(text_json.as_json(entries).encode("utf-8"))
    assert len(shown["files"]) == len(entries)
    if len(data) % 8 == 0:  # rich is slow
        assert "\x1b" not in text_json.as_text(entries)


# --- the harness ------------------------------------------------------------------------------------------------------

TARGETS = (
    Target("mime", mime_target, fuzz_seeds.wires),
    Target("unpack", unpack_target, fuzz_seeds.wires),
    Target("dump", dump_target, fuzz_seeds.dumps),
)


@cache
def warm() -> int:
    """Load every schema, so that no input pays for it; give the high-water mark of memory in KiB."""
    for namespace in profiles.NAMESPACES:
        text = f'<x:Envelope xmlns:x="{profiles.SOAP_NAMESPACE}"/>'
        schema.violations(etree.fromstring(text), namespace)
    for target in TARGETS:
        for seed in target.seeds()[::4]:
            target.run(seed)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def check(target: Target, data: bytes) -> None:
    """Run one input. Raises ``AssertionError`` if it takes too long or too much memory, or breaks what must hold."""
    before = warm()
    start = time.process_time()
    target.run(data)
    took = time.process_time() - start
    assert took < SECONDS, f"{target.name} took {took:.2f} s for {len(data)} octets"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < GROWTH, f"{target.name} took {grown} KiB more than a warm process"
