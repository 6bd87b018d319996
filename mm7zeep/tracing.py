"""Spans of what a gateway does, and the trace that goes along with a message (OpenTelemetry, W3C Trace Context).

``Tracing`` does nothing: so it is without the extra ``otel``, and where it is switched off. ``tracing`` gives one that
tells a provider of spans. The parent of a span is always named, by the header fields of a request or by what was kept
with a message: event loops and threads hand on more of a context, or less, than belongs to the work at hand.

Refuses what is no traceparent by beginning a new trace, as W3C wants it, and a span that cannot be begun or ended by
going on without. What an exception says stands in no span: it may quote a number.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mm7zeep import __version__

try:
    import opentelemetry.trace as api
    from opentelemetry.context import Context, attach, detach
except ImportError:  # without the extra
    IS_INSTALLED = False
else:
    IS_INSTALLED = True

if TYPE_CHECKING:
    from opentelemetry.trace import Span as ApiSpan
    from opentelemetry.trace import SpanContext, Tracer, TracerProvider

_LOG = logging.getLogger("mm7zeep.gateway")
KEY = "trace"
"""Where messages and calls keep the header fields of their trace."""
_NAMES = ("traceparent", "tracestate")
_RAW_NAMES = frozenset(one.encode() for one in _NAMES)
_NONE: Mapping[str, Any] = MappingProxyType({})
# W3C Trace Context 3.2.2, 3.3.1: what is written otherwise is none; of a version to come the first four fields count
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MEMBER = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)
_LONGEST = 512  # characters of a traceparent, and of a tracestate
_MEMBERS = 32
_FLAGS = 0x03  # sampled, random; the others are none of ours to pass on
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_TEXT = 200  # characters of an attribute that others have written

Values = Mapping[str, str | int | float | bool | None]
"""Attributes of a span by their names; None is not told."""


class Span:
    """Something that takes its time, of which nobody is told."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields by which another gateway goes on with this trace; none where there is no trace."""
        return _NONE

    @property
    def kept(self) -> Mapping[str, Any]:
        """The same as a message or call keeps it: under ``KEY``, or nothing."""
        return {KEY: dict(self.headers)} if self.headers else _NONE

    def rename(self, name: str) -> None:
        """Call it ``name``."""

    def set(self, values: Values) -> None:
        """Tell attributes."""

    def fail(self, kind: str | None) -> None:
        """Tell that it failed, and how in a word: a status code or the name of an exception (None: as was told)."""

    def link(self, kept: Mapping[str, Any]) -> None:
        """Tell that it is about the message that has kept this, where that is of another trace."""


class Storing(Span):
    """A request that waits to be kept, and is."""

    def begin(self, first: Storing, count: int) -> None:
        """Its transaction has begun, which is that of ``count`` requests; ``first`` is the first of them."""

    def end(self, error: str | None = None) -> None:
        """It is kept, or was not for the ``error``."""


class Tracing:
    """Tells nobody of spans. Thread-safe, as is every ``Tracing``."""

    on = False
    """Whether anybody may be told."""

    def request(self, name: str, fields: Iterable[tuple[str, str]]) -> AbstractContextManager[Span]:
        """The span of a request with these header ``fields``, which is ``current`` in the context."""
        return _NO_SPAN

    def asgi_request(self, name: str, fields: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Span]:
        """``request`` with header fields as ASGI has them."""
        return _NO_SPAN

    def call(self, name: str, kept: Mapping[str, Any] | None, values: Values) -> AbstractContextManager[Span]:
        """The span of a call to somebody else, which is ``current`` in the context: part of the trace that was
        ``kept``, or of the request that is current (None).
        """
        return _NO_SPAN

    def current(self) -> Span:
        """The span that work is now done for."""
        return _NOTHING

    def storing(self) -> Storing:
        """A span, part of the current one, of what is handed to the group commit."""
        return _NOTHING

    def stored(self) -> AbstractContextManager[Span]:
        """The same of a transaction that lasts as long as the context."""
        return _NO_SPAN


_NOTHING = Storing()
_NO_SPAN: AbstractContextManager[Span] = nullcontext(_NOTHING)


def tracing(on: bool, provider: TracerProvider | None = None) -> Tracing:
    """What tells ``provider``, by default OpenTelemetry's own, where it is ``on`` and the extra is installed."""
    if not (on and IS_INSTALLED):
        return Tracing()
    return _Telling((provider or api.get_tracer_provider()).get_tracer("mm7zeep", __version__))


def is_set_up() -> bool:
    """Whether this process has a provider of spans already, as ``opentelemetry-instrument`` makes one."""
    return IS_INSTALLED and not isinstance(api.get_tracer_provider(), api.ProxyTracerProvider)


# --- what is kept -----------------------------------------------------------------------------------------------------


def kept_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What ``fields`` of a message keep of its trace, for a call about it."""
    return {KEY: fields[KEY]} if KEY in fields else {}


def kept_of_event(fields: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a call about an ``event`` of the message: the event's own place in the trace, where it is in it."""
    told = kept_of(event)
    return told if told and _trace_id(told) == _trace_id(fields) else kept_of(fields) or told


def _trace_id(kept: Mapping[str, Any]) -> str | None:
    found = kept.get(KEY)
    return str(found.get("traceparent"))[3:35] if isinstance(found, Mapping) else None


def _fields_of(kept: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = kept.get(KEY)
    return [(str(name), str(value)) for name, value in found.items()] if isinstance(found, Mapping) else []


def known_method(method: str) -> str:
    """A method of HTTP as spans have it; one of somebody's own is ``_OTHER`` there."""
    return method if method in _METHODS else "_OTHER"


# --- told to OpenTelemetry --------------------------------------------------------------------------------------------


def _context_of(fields: Iterable[tuple[str, str]]) -> SpanContext | None:
    """The span that header fields name; None where they name none, or not one."""
    given = [(name.lower(), value.strip(" \t")) for name, value in fields if name.lower() in _NAMES]
    parents = [value for name, value in given if name == "traceparent"]
    found = _TRACEPARENT.fullmatch(parents[0]) if len(parents) == 1 and len(parents[0]) <= _LONGEST else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    return api.SpanContext(
        int(found[2], 16),
        int(found[3], 16),
        is_remote=True,
        trace_flags=api.TraceFlags(int(found[4], 16) & _FLAGS),
        trace_state=api.TraceState(_members(",".join(value for name, value in given if name == "tracestate"))),
    )


def _members(state: str) -> list[tuple[str, str]]:
    """The members of a tracestate; none where it is too long, or one of them is wrong (W3C Trace Context 3.3.1)."""
    # judged here, since OpenTelemetry would log what it finds wrong as it came
    written = [one.strip(" \t") for one in state.split(",")] if len(state) <= _LONGEST else []
    found = [_MEMBER.fullmatch(one) for one in written if one]
    members = {one[1]: one[2] for one in found if one is not None}
    return list(members.items()) if len(members) == len(found) <= _MEMBERS else []


def _parent(context: SpanContext | None) -> Context:
    """Where a span stands: in this, or at the beginning of a trace."""
    return Context() if context is None else api.set_span_in_context(api.NonRecordingSpan(context), Context())


def _shown(values: Values) -> dict[str, str | int | float | bool]:
    """Values as attributes: texts, which others may have written, in one line of so many characters."""
    return {
        name: "".join(one if one.isprintable() else " " for one in value[:_TEXT]) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }


class _Told(Storing):
    """A span that is told."""

    def __init__(self, span: ApiSpan) -> None:
        self._span = span
        self._asked = time.monotonic()
        self._begun: float | None = None

    @property
    def is_there(self) -> bool:
        """Whether anybody is told of it, or it is a place in a trace."""
        return self._span.is_recording() or self._span.get_span_context().is_valid

    @property
    def headers(self) -> Mapping[str, str]:
        context = self._span.get_span_context()
        if not context.is_valid:
            return _NONE
        flags = context.trace_flags & _FLAGS
        found = {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"}
        state = context.trace_state.to_header()
        return {**found, "tracestate": state} if state and len(state) <= _LONGEST else found

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, values: Values) -> None:
        if self._span.is_recording():
            self._span.set_attributes(_shown(values))

    def fail(self, kind: str | None) -> None:
        if self._span.is_recording():
            self.set({"error.type": kind})
            self._span.set_status(api.StatusCode.ERROR)

    def link(self, kept: Mapping[str, Any]) -> None:
        context = _context_of(_fields_of(kept)) if self._span.is_recording() else None
        if context is not None and context.trace_id != self._span.get_span_context().trace_id:
            self._span.add_link(context)

    def begin(self, first: Storing, count: int) -> None:
        if self._begun is None and first is not self and isinstance(first, _Told):
            self._span.add_link(first._span.get_span_context())
        self._begun = time.monotonic()
        self.set({"mm7.store.waited": self._begun - self._asked, "mm7.store.requests": count})

    def end(self, error: str | None = None) -> None:
        if self._begun is not None:
            self.set({"mm7.store.written": time.monotonic() - self._begun})
        if error is not None:
            self.fail(error)
        try:
            self._span.end()
        except Exception:  # noqa: BLE001  logged; whoever is told of spans is no reason to refuse a message
            _LOG.exception("a span could not be ended", extra={"seldom": "span"})

    @contextmanager
    def within(self) -> Iterator[Span]:
        """It is current while the context lasts, and ends with it."""
        token = attach(api.set_span_in_context(self._span, Context()))
        try:
            yield self
        except Exception as error:
            self.fail(type(error).__name__)
            raise
        finally:
            detach(token)
            self.end()


class _Telling(Tracing):
    """Tells a ``tracer``."""

    on = True

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def request(self, name: str, fields: Iterable[tuple[str, str]]) -> AbstractContextManager[Span]:
        begun = self._begun(name, _parent(_context_of(fields)), api.SpanKind.SERVER)
        # without an SDK and without a trace that came there is nothing, unless something else is current here
        return begun.within() if begun.is_there or api.get_current_span() is not api.INVALID_SPAN else _NO_SPAN

    def asgi_request(self, name: str, fields: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Span]:
        found = [(one.decode("latin-1"), value.decode("latin-1")) for one, value in fields if one in _RAW_NAMES]
        return self.request(name, found)

    def call(self, name: str, kept: Mapping[str, Any] | None, values: Values) -> AbstractContextManager[Span]:
        parent = self._here() if kept is None else _parent(_context_of(_fields_of(kept)))
        span = self._begun(name, parent, api.SpanKind.CLIENT)
        span.set(values)
        return span.within()

    def current(self) -> Span:
        span = api.get_current_span()
        return _NOTHING if span is api.INVALID_SPAN else _Told(span)

    def storing(self) -> Storing:
        # where the request is not told of, neither is what is part of it
        return self._begun("store", self._here(), api.SpanKind.INTERNAL) if self._is_told else _NOTHING

    def stored(self) -> AbstractContextManager[Span]:
        return self._begun("store", self._here(), api.SpanKind.INTERNAL).within() if self._is_told else _NO_SPAN

    @property
    def _is_told(self) -> bool:
        return api.get_current_span().is_recording()

    def _here(self) -> Context:
        return api.set_span_in_context(api.get_current_span(), Context())

    def _begun(self, name: str, parent: Context, kind: api.SpanKind) -> _Told:
        try:
            span = self._tracer.start_span(name, parent, kind)
        except Exception:  # noqa: BLE001  logged; the trace goes on without this span
            _LOG.exception("a span could not be begun", extra={"seldom": "span"})
            span = api.INVALID_SPAN
        if span is not api.INVALID_SPAN:
            return _Told(span)
        # nor without an SDK, where older versions of the API make no place in the trace: the one before stands for it
        before = api.get_current_span(parent)
        return _Told(before if before is api.INVALID_SPAN else api.NonRecordingSpan(before.get_span_context()))
