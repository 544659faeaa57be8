"""Runs as OpenTelemetry traces and metrics, to any OTLP/HTTP receiver. Loaded only when it is configured."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import Status, StatusCode, Tracer, set_span_in_context

from collector.model.run import MEASURED, Run, StepTiming
from probes.journey.file import Journey

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds
_SYNTHETIC = {"user_agent.synthetic.type": "test"}
_PERIOD_MS = 10_000
_WAIT_SECONDS = 3


class RunIds(IdGenerator):
    """Gives the next trace the id of its run."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.run_id = "0" * 32

    def generate_span_id(self) -> int:
        """Give any span id."""
        return self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        """Give the run's id."""
        return int(self.run_id, 16)


class Telemetry:
    """One exporter of one agent. A run is the root span, its steps are the children."""

    def __init__(self, endpoint: str, *, headers: Mapping[str, str], site: str, name: str) -> None:
        base = endpoint.rstrip("/")
        resource = Resource.create({"service.name": "whichlayer-agent", "whichlayer.site": site, "host.name": name})
        self._ids = RunIds()
        self._traces = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        spans = OTLPSpanExporter(endpoint=f"{base}/v1/traces", headers=dict(headers), timeout=_WAIT_SECONDS)
        self._traces.add_span_processor(BatchSpanProcessor(spans))
        self._tracer: Tracer = self._traces.get_tracer("whichlayer")
        metrics = OTLPMetricExporter(endpoint=f"{base}/v1/metrics", headers=dict(headers), timeout=_WAIT_SECONDS)
        reader = PeriodicExportingMetricReader(metrics, export_interval_millis=_PERIOD_MS)
        self._meters = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)
        self._durations = self._meters.get_meter("whichlayer").create_histogram(
            "whichlayer.journey.step.duration",
            unit="s",
            description="duration of a step that was measured; timeouts are not in it",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    def export(self, run: Run, journey: Journey) -> None:
        """Queue one run; it is sent in the background."""
        self._ids.run_id = run.run_id
        places = {
            "whichlayer.journey.name": run.journey,
            "whichlayer.endpoint": run.endpoint,
            "whichlayer.access.link": str(run.access.link),
            "whichlayer.access.presentation": str(run.access.presentation),
        }
        spans = list(_starts(run, journey))
        end = max((start + _length(step) for step, start in spans), default=run.started_at)
        root = self._tracer.start_span(
            run.journey, start_time=_nanoseconds(run.started_at),
            attributes={**_SYNTHETIC, **places, "whichlayer.outcome": str(run.outcome)},
        )  # fmt: skip
        inside = set_span_in_context(root)
        for step, start in spans:
            span = self._tracer.start_span(
                step.step, context=inside, start_time=_nanoseconds(start), attributes=_attributes(step)
            )
            if step.outcome not in MEASURED:
                span.set_status(Status(StatusCode.ERROR, step.error or str(step.outcome)))
            elif step.seconds is not None:
                self._durations.record(
                    step.seconds, {**places, "whichlayer.step.name": step.step, "whichlayer.outcome": str(step.outcome)}
                )
            span.end(_nanoseconds(start + _length(step)))
        if run.outcome not in MEASURED:
            root.set_status(Status(StatusCode.ERROR, str(run.outcome)))
        root.end(_nanoseconds(end))

    def close(self) -> None:
        """Send what is queued, for a few seconds at most."""
        self._traces.shutdown()
        self._meters.shutdown(_WAIT_SECONDS * 1000)


def _starts(run: Run, journey: Journey) -> "list[tuple[StepTiming, datetime]]":
    """Give each step with its start: the pauses between steps are those the journey declares."""
    pauses = {step.step: step.think for step in journey.steps}
    at, found = run.started_at, []
    for step in run.steps:
        at += timedelta(seconds=pauses.get(step.step, 0.0))
        found.append((step, at))
        at += _length(step)
    return found


def _attributes(step: StepTiming) -> dict[str, str | int | float]:
    found: dict[str, str | int | float] = {**_SYNTHETIC, "whichlayer.outcome": str(step.outcome)}
    found |= {f"whichlayer.phase.{phase}": seconds for phase, seconds in step.phases.items()}
    if step.http_status is not None:
        found["http.response.status_code"] = step.http_status
    if step.error_kind is not None:
        found["error.type"] = step.error_kind
    return found


def _length(step: StepTiming) -> timedelta:
    return timedelta(seconds=step.seconds or 0.0)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
