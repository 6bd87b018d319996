"""Where the spans of a process go: to the exporters that its environment names, unless a provider was set up before.

``opentelemetry-instrument`` sets up the process that it starts, and, in older versions, none that this one starts; so
each worker reads the environment for itself. The SDK and the exporters are not ours: neither is loaded where nobody
asks for spans. Refuses nothing: what cannot be had is logged, and the gateway serves without.
"""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from mm7zeep import extras, tracing

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

_LOG = logging.getLogger("mm7zeep.gateway")
_ASKED = "OTEL_TRACES_EXPORTER"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_GROUP = "opentelemetry_traces_exporter"
_SERVICE = "mm7zeep"  # where OTEL_SERVICE_NAME says nothing


def provider_of_environment() -> TracerProvider | None:
    """A provider of spans for this process; None where it has one, nobody asks for one, or it cannot be had."""
    names = [one.strip() for one in os.environ.get(_ASKED, "").split(",") if one.strip() not in ("", "none")]
    if not names:
        return None
    if not tracing.IS_INSTALLED:
        _LOG.warning("%s asks for spans, and there are none: %s", _ASKED, extras.wanting("otel"))
        return None
    if tracing.is_set_up():
        return None
    try:
        exporters = [one for name in names if (one := _exporter(name)) is not None]
        return _provider(exporters) if exporters else None
    except ModuleNotFoundError as error:
        _LOG.warning("%s asks for spans, and there are none: %s is not installed", _ASKED, error.name)
    except Exception:  # noqa: BLE001  logged; whoever is told of spans is no reason not to serve
        _LOG.exception("%s asks for spans, and there are none", _ASKED)
    return None


def _exporter(name: str) -> Any:
    """The exporter of that name; None, which is logged, where no package that is installed brings it."""
    there = {one.name: one for one in entry_points(group=_GROUP)}
    found = next((there[one] for one in _meant(name) if one in there), None)
    if found is None:
        known = ", ".join(sorted(there)) or "none"
        _LOG.warning("%s names %a, which no installed package brings; there are: %s", _ASKED, name[:100], known)
        return None
    return found.load()()


def _meant(name: str) -> tuple[str, ...]:
    """What packages may call an exporter: that of OTLP by its protocol."""
    if name != "otlp":
        return (name,)
    protocol = next((os.environ[one].strip() for one in _PROTOCOLS if os.environ.get(one)), None)
    return (_OTLP.get(protocol, protocol),) if protocol is not None else tuple(_OTLP.values())


def _provider(exporters: list[Any]) -> TracerProvider:
    # not ours to require, and slow to load
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: _SERVICE}))
    provider = SdkProvider(resource=resource)  # which sends what is left when the process ends
    for one in exporters:
        provider.add_span_processor(BatchSpanProcessor(one))
    return provider
