"""For the tests of people who speak MM7: ``assert_mm7_valid``, and ``mm7_gateway``, an MMSC to test against.

Loads nothing but pytest until it is called, since pytest loads every installed plugin at every start. Refuses, with
``AssertionError``, a message that the policy refuses, and says all that was found in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from mm7zeep.conformance.input.capture import Captured
    from mm7zeep.conformance.verdict import Verdict
    from mm7zeep.exchange import Wire
    from mm7zeep.gateway.testing import Trial
    from mm7zeep.profiles import Policy

__all__ = ["HttpResponse", "assert_mm7_valid"]


class HttpResponse(Protocol):
    """What requests, httpx and the test clients built on them give as a response."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> _Headers: ...
    @property
    def content(self) -> bytes: ...


class _Headers(Protocol):
    def items(self) -> Iterable[tuple[str, str]]: ...


def assert_mm7_valid(wire: Wire | bytes | HttpResponse, *, policy: Policy = "strict") -> None:
    """Raise ``AssertionError`` unless ``wire`` is accepted under ``policy``; the text lists every finding with its fix.

    ``wire`` is an ``mm7zeep.Wire``, the octets of one or more HTTP messages, MIME packages or envelopes as
    ``mm7zeep check`` reads them, or a response of requests or httpx. Raises ``TypeError`` for anything else.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    from mm7zeep.conformance import verdict

    refused = [one for one in (verdict.judge(each, policy=policy) for each in _captured(wire)) if not one.accepted]
    if refused:
        raise AssertionError("\n\n".join(_told(one) for one in refused))


@pytest.fixture(name="assert_mm7_valid", scope="session")
def _assert_mm7_valid() -> Callable[..., None]:
    """``assert_mm7_valid(wire, policy="strict")``: fails unless ``wire`` is a valid MM7 message, and says why."""
    return assert_mm7_valid


@pytest.fixture(name="mm7_gateway")
def _mm7_gateway(tmp_path: Path) -> Iterator[Trial]:
    """A running gateway on a free port, with one application (name, password, VASPID ``demo``): an ``mm7zeep`` MMSC.

    ``mm7_gateway.url`` is where to send; ``start(callback=...)``, called first, has it call your receiver back. Needs
    the extra ``gateway``.
    """
    from mm7zeep import extras

    try:
        from mm7zeep.gateway.testing import Trial
    except ModuleNotFoundError as error:
        instruction = extras.missing(error)
        if instruction is None:
            raise
        pytest.fail(f"mm7_gateway: {instruction}", pytrace=False)  # no skip: nobody would miss the tests
    trial = Trial(tmp_path)
    try:
        yield trial
    finally:
        trial.close()


def _captured(wire: Wire | bytes | HttpResponse) -> list[Captured]:
    from mm7zeep.conformance.input import capture
    from mm7zeep.errors import LimitError
    from mm7zeep.exchange import Wire

    if isinstance(wire, bytes | bytearray | memoryview):
        try:
            return capture.messages("message", bytes(wire))
        except LimitError as error:
            raise AssertionError(f"refused: {error}") from error
    if not isinstance(wire, Wire):
        if not all(hasattr(wire, name) for name in ("status_code", "headers", "content")):
            raise TypeError(f"{type(wire).__name__} is no Wire, no bytes and no HTTP response with its content")
        # httpx keeps fields that repeat only in multi_items()
        fields = getattr(wire.headers, "multi_items", wire.headers.items)()
        wire = Wire(headers=tuple((str(k), str(v)) for k, v in fields), body=wire.content, status=wire.status_code)
    kind: capture.CaptureKind = "request" if wire.status is None else "response"
    # Read once: the judgement looks at the body more than once, and an iterator has only one go.
    whole = Wire(headers=wire.headers, body=wire.read(), status=wire.status, method=wire.method, target=wire.target)
    return [capture.Captured(file="message", index=0, kind=kind, wire=whole)]


def _told(judged: Verdict) -> str:
    """Why a message was refused, and each finding: level, id, place, what was met, what to do, and by which clause."""
    from mm7zeep.findings import KINDS

    operation = judged.judgement.sketch.operation or "no operation"
    lines = [f"{judged.captured.name} ({operation}) is not valid MM7 under the {judged.policy} policy: {judged.reason}"]
    for one in judged.findings:
        kind = KINDS[one.id]
        lines.append(f"  {one.level:<6} {one.id}" + (f"  {one.where}" if one.where else ""))
        lines.append(f"         wanted  {kind.summary}  [{one.clause}]")
        if one.detail:
            lines.append(f"         met     {one.detail}")
        lines.append(f"         to do   {kind.fix}")
    return "\n".join(lines)
