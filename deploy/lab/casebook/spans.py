"""What casebook tells of its time by OpenTelemetry: a span per transaction, below FastAPI's own of the request.

Where they go and whose requests are recorded is said by the SDK's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``,
``OTEL_TRACES_SAMPLER``). Without ``start`` nothing is recorded and nothing is sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

_TRACER = trace.get_tracer("casebook")
_PROVIDERS: list[TracerProvider] = []


def start() -> None:
    """Begin to record and to send; ``end`` sends what is left."""
    provider = TracerProvider(resource=Resource.create({"service.name": "casebook"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _PROVIDERS.append(provider)


def end() -> None:
    """Send what is left."""
    if _PROVIDERS:
        _PROVIDERS.pop().shutdown()


@contextmanager
def transaction() -> Iterator[None]:
    """Record a block as work of the database for the request under way."""
    database = {"db.system.name": "postgresql"}
    with _TRACER.start_as_current_span("transaction", kind=SpanKind.CLIENT, attributes=database):
        yield
