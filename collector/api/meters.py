"""What the collector counts about itself, and the last values of each journey, for Prometheus."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.model.run import MEASURED, Phase, Run, StepTiming

_MOST_SERIES = 2000
_LABELS = ("site", "environment", "journey", "step", "link", "presentation")
_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class LastRuns(Collector):
    """The last timing of each step of each population; the least recently heard goes first."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, ...], tuple[Run, StepTiming]] = OrderedDict()
        self._lock = Lock()

    def heard(self, runs: Iterable[Run]) -> None:
        """Remember what ``runs`` say, unless something later is known."""
        with self._lock:
            for run in runs:
                place = (str(run.access.link), str(run.access.presentation))
                for timing in run.steps:
                    key = (run.site, run.environment, run.journey, timing.step, *place)
                    known = self._last.pop(key, None)
                    later = known is not None and known[0].started_at > run.started_at
                    self._last[key] = known if known is not None and later else (run, timing)
            while len(self._last) > _MOST_SERIES:
                self._last.popitem(last=False)

    def collect(self) -> Iterator[Metric]:
        """Give the gauges; boards read the store instead, since a scrape sees only the last run."""
        with self._lock:
            last = list(self._last.items())
        good = GaugeMetricFamily("whichlayer_step_success", "1 when the last run of the step was ok", labels=_LABELS)
        when = GaugeMetricFamily("whichlayer_step_last_run_timestamp_seconds", "start of that run", labels=_LABELS)
        took = GaugeMetricFamily("whichlayer_step_duration_seconds", "its duration, if it was timed", labels=_LABELS)
        phases = GaugeMetricFamily("whichlayer_step_phase_seconds", "its phases", labels=(*_LABELS, "phase"))
        for key, (run, timing) in last:
            good.add_metric(key, float(timing.outcome in MEASURED))
            when.add_metric(key, run.started_at.timestamp())
            if timing.seconds is not None and not timing.censored:
                took.add_metric(key, timing.seconds)
            for phase in Phase:
                if phase in timing.phases:
                    phases.add_metric((*key, str(phase)), timing.phases[phase])
        yield from (good, when, took, phases)


class Meters:
    """Counters of one collector; each app has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.batches = Counter("whichlayer_batches", "batches acknowledged", ["door", "known"], registry=self.registry)
        self.rows = Counter("whichlayer_rows", "facts acknowledged", ["door"], registry=self.registry)
        self.rejected = Counter("whichlayer_rejected", "requests refused", ["reason"], registry=self.registry)
        self.written = Counter(
            "whichlayer_remote_write_samples", "samples of Prometheus by outcome", ["outcome"], registry=self.registry
        )
        self.early = Counter("whichlayer_rows_in_the_future", "facts dated in the future", registry=self.registry)
        self.foreign = Counter(
            "whichlayer_spans_foreign", "spans of no step of a run, let go of unstored", registry=self.registry
        )
        self.seconds = Histogram(
            "whichlayer_request_duration_seconds",
            "time to answer",
            ["method", "status"],
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.flush = Histogram(
            "whichlayer_flush_duration_seconds", "time to commit to the lake", registry=self.registry
        )
        self.last = LastRuns()
        self.registry.register(self.last)
