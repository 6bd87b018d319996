"""Where spans go by the environment: each process of ``mm7zeep serve`` sets itself up, and serves in any case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_process import AUTH, GatewayProcess
from gateway_room import ONE
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import ProxyTracerProvider

from mm7zeep import VaspClient, tracing
from mm7zeep.gateway.server import span_export


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, which says nothing of OpenTelemetry."""
    for name in ("EXPORTER_OTLP_PROTOCOL", "RESOURCE_ATTRIBUTES", "SDK_DISABLED", "SERVICE_NAME", "TRACES_EXPORTER"):
        monkeypatch.delenv(f"OTEL_{name}", raising=False)
    return monkeypatch


@pytest.fixture
def made() -> Iterator[list[Any]]:
    """Providers, which are shut down at the end."""
    found: list[Any] = []
    yield found
    for one in found:
        one.shutdown()


@pytest.mark.parametrize("asked", [None, "", "none", " , none"])
def test_nobody_asks(asked: str | None, environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Without OTEL_TRACES_EXPORTER, or with none, no provider is made, and nothing is said."""
    if asked is not None:
        environment.setenv("OTEL_TRACES_EXPORTER", asked)
    assert span_export.provider_of_environment() is None
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("given", "service"),
    [({}, "mm7zeep"), ({"SERVICE_NAME": "gw"}, "gw"), ({"RESOURCE_ATTRIBUTES": "service.name=r"}, "r")],
    ids=str,
)
def test_exporter_of_the_environment(
    given: dict[str, str], service: str, environment: pytest.MonkeyPatch, made: list[Any]
) -> None:
    """The exporters that it names are set up, under the name of the service that it gives."""
    environment.setenv("OTEL_TRACES_EXPORTER", "console")
    for name, value in given.items():
        environment.setenv(f"OTEL_{name}", value)
    provider = span_export.provider_of_environment()
    assert isinstance(provider, TracerProvider)
    made.append(provider)
    assert provider.resource.attributes["service.name"] == service


def test_exporter_that_is_not_there(environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The log says which one, and which there are."""
    environment.setenv("OTEL_TRACES_EXPORTER", "quiet\nferry")
    assert span_export.provider_of_environment() is None
    [line] = caplog.messages
    assert re.match(r"OTEL_TRACES_EXPORTER names 'quiet\\nferry', which no installed package brings; .*console", line)


def test_exporter_of_a_protocol(environment: pytest.MonkeyPatch) -> None:
    """OTLP is what its protocol says, or else what there is."""
    assert span_export._meant("otlp") == ("otlp_proto_grpc", "otlp_proto_http")
    environment.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    assert span_export._meant("otlp") == ("otlp_proto_http",)
    assert span_export._meant("console") == ("console",)


def test_not_installed(environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Spans that are asked for in vain are a line in the log."""
    environment.setenv("OTEL_TRACES_EXPORTER", "console")
    environment.setattr(tracing, "IS_INSTALLED", False)
    environment.setattr(span_export.extras, "find_spec", lambda name: None)
    assert span_export.provider_of_environment() is None
    said = 'opentelemetry is not installed; pip install "mm7zeep[otel]"'
    assert caplog.messages == [f"OTEL_TRACES_EXPORTER asks for spans, and there are none: {said}"]


@pytest.mark.parametrize("error", [ModuleNotFoundError("x", name="opentelemetry.sdk"), RuntimeError("no")], ids=repr)
def test_no_exporter_to_be_had(
    error: Exception, environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is wrong with it: it is logged, and the gateway serves."""
    environment.setenv("OTEL_TRACES_EXPORTER", "console")

    def broken(exporters: Any) -> Any:
        raise error

    environment.setattr(span_export, "_provider", broken)
    assert span_export.provider_of_environment() is None
    assert caplog.messages[0].startswith("OTEL_TRACES_EXPORTER asks for spans, and there are none")


def test_set_up_before(environment: pytest.MonkeyPatch) -> None:
    """A process that has a provider, as opentelemetry-instrument makes one, keeps it."""
    environment.setenv("OTEL_TRACES_EXPORTER", "console")
    environment.setattr(tracing.api, "get_tracer_provider", TracerProvider)
    assert tracing.is_set_up()
    assert span_export.provider_of_environment() is None
    environment.setattr(tracing.api, "get_tracer_provider", ProxyTracerProvider)
    assert not tracing.is_set_up()


@pytest.mark.processes
@pytest.mark.parametrize("workers", [1, 2])
def test_spans_of_each_process(workers: int, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What each worker did is told, also what was done last: a process that ends sends what it has."""
    environment.setenv("OTEL_TRACES_EXPORTER", "console")
    with GatewayProcess(tmp_path, workers=workers) as gateway:
        for _ in range(20):
            with VaspClient(gateway.url, auth=AUTH, vaspid="TNN") as client:
                client.send(ONE)
        assert gateway.stop() == 0
        said = gateway.out.read_text(encoding="utf-8")
    assert said.count('"name": "MM7 submit"') == 20
    assert said.count('"name": "store"') == 20
