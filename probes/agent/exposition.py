"""The agent's own page for Prometheus, on loopback only, in the words of blackbox_exporter where it has them."""

from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from collector.model.run import MEASURED, Run
from probes.agent.outbox import Outbox

_STEP = ("journey", "step")


class Exposition:
    """What the last run of each journey showed. ``port`` says where it is served on 127.0.0.1."""

    def __init__(self, port: int, outbox: Outbox) -> None:
        registry = CollectorRegistry()
        self._success = Gauge("probe_success", "1 when the last run went well", ("journey",), registry=registry)
        self._whole = Gauge("probe_duration_seconds", "the last run without pauses", ("journey",), registry=registry)
        self._step = Gauge(
            "whichlayer_journey_step_last_seconds", "the last time the step was measured", _STEP, registry=registry
        )
        self._phase = Gauge(
            "probe_http_duration_seconds", "phases of the last run's steps", (*_STEP, "phase"), registry=registry
        )
        self._runs = Counter("whichlayer_journey_runs", "runs by outcome", ("journey", "outcome"), registry=registry)
        waiting = Gauge("whichlayer_agent_outbox_bytes", "kept until the collector has it", registry=registry)
        waiting.set_function(lambda: float(outbox.bytes))
        self._server: WSGIServer
        self._server, self._thread = start_http_server(port, addr="127.0.0.1", registry=registry)
        self.port = int(self._server.server_port)

    def observe(self, run: Run) -> None:
        """Show one run. A value that was not measured this time is absent, not 0 and not the old one."""
        self._runs.labels(run.journey, str(run.outcome)).inc()
        self._success.labels(run.journey).set(float(run.outcome in MEASURED))
        self._forget(run.journey)
        if run.seconds is not None and run.outcome in MEASURED:
            self._whole.labels(run.journey).set(run.seconds)
        for step in run.steps:
            if step.outcome in MEASURED and step.seconds is not None:
                self._step.labels(run.journey, step.step).set(step.seconds)
            for phase, seconds in step.phases.items():
                self._phase.labels(run.journey, step.step, str(phase)).set(seconds)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)

    def _forget(self, journey: str) -> None:
        for gauge in (self._whole, self._step, self._phase):
            gauge.remove_by_labels({"journey": journey})
