"""``whichlayer why --prometheus``: a real Prometheus with a labelled, synthetic past and a real blackbox_exporter."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from collector import estate, history
from collector.model.errors import ConfigError, SecretError, SourceError
from collector.model.run import Outcome, Phase, Run
from collector.sources.prometheus import OpenPrometheus, PrometheusSettings
from whichlayer.__main__ import APP

pytestmark = pytest.mark.integration
END = datetime.fromtimestamp(time.time() // 60 * 60, UTC) - timedelta(hours=3)  # of the synthetic past
BEGIN, FAULT = END - timedelta(minutes=80), END - timedelta(minutes=16)
TIMEOUT = 0.5  # of real probes: one second of Prometheus, less what blackbox_exporter keeps for itself
CASES, DROP, STRANGER = "https://cases.example/", "https://drop.example/", "https://other.example/"
MAP = f"""\
sites: [{{name: hall}}]
suppliers: [{{name: hosting}}]
endpoints: [{{name: desk, site: hall}}, {{name: laptop, site: hall}}, {{name: gone, site: hall}}]
components:
  - {{name: db-live, layer: storage, kind: host, environments: [live], called: [db01], supplied: [{{by: hosting}}]}}
probes:
  - {{instance: "{CASES}", job: hall, endpoint: desk, journey: cases, step: start, link: wired}}
  - {{instance: "{CASES}", job: wifi, endpoint: laptop, journey: cases, step: start, link: wifi}}
  - {{instance: "{DROP}", endpoint: desk, journey: drop, link: wired}}
  - {{instance: "https://gone.example/", endpoint: gone, journey: cases, step: start, link: wired}}
"""


class Site(BaseHTTPRequestHandler):
    """Answers after 50 ms, with an error, or not in time."""

    def do_GET(self) -> None:
        time.sleep(2 * TIMEOUT if self.path == "/hangs" else 0.05)
        self.send_response(500 if self.path == "/broken" else 401 if self.path.startswith("/api") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def past() -> str:
    """Write a quiet hour; in the last 16 minutes pages wait for a slow disk, and the file drop hangs."""
    noise, lines = np.random.default_rng(1), dict[str, list[str]]()
    operations = waited = 0.0
    for at in np.arange(BEGIN.timestamp(), END.timestamp(), 15):
        slow = at >= FAULT.timestamp()
        for job, instance in (("hall", CASES), ("wifi", CASES), ("hall", DROP), ("hall", STRANGER)):
            hangs = slow and instance == DROP
            processing = float(0.1 * noise.lognormal(0, 0.1)) + (0.8 if slow and instance == CASES else 0.0)
            labels = f'instance="{instance}",job="{job}"'
            phases = {"resolve": 0.002, "connect": 0.01, "tls": 0.02, "processing": processing, "transfer": 0.001}
            told = {"probe_success": 0.0 if hangs else 1.0, "probe_http_status_code": 0.0 if hangs else 200.0}
            told["probe_duration_seconds"] = 9.5 if hangs else sum(phases.values())
            for name, value in told.items():
                lines.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at + 3}")
            for phase, value in phases.items():
                name = "probe_http_duration_seconds"
                lines.setdefault(name, []).append(f'{name}{{{labels},phase="{phase}"}} {value} {at + 3}')
        operations += 300
        waited += 300 * (0.06 if slow else 0.002) * float(noise.lognormal(0, 0.1))
        disk = {"writes": operations, "write_latency_seconds": waited}
        for name, value in {f"windows_logical_disk_{name}_total": value for name, value in disk.items()}.items():
            for host in ("db01", "desk99"):
                labels = f'instance="{host}:9182",volume="D:"'
                lines.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at + 7}")
    kinds = {name: "counter" if name.endswith("_total") else "gauge" for name in lines}
    families = [f"# TYPE {name.removesuffix('_total')} {kinds[name]}\n" + "\n".join(lines[name]) for name in lines]
    return "\n".join(families) + "\n# EOF\n"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, site: str) -> Iterator[str]:
    """Prometheus with the synthetic past, which probes the site every second; gives its address."""
    absent = [name for name in ("prometheus", "promtool", "prometheus-blackbox-exporter") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"{absent[0]} is not installed")
    folder, port, blackbox = tmp_path_factory.mktemp("history"), free_port(), free_port()
    (folder / "past.txt").write_text(past())
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "past.txt"), str(folder / "data")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    (folder / "blackbox.yml").write_text("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}")
    (folder / "prometheus.yml").write_text(f"""
scrape_configs:
  - job_name: blackbox
    scrape_interval: 1s
    scrape_timeout: 1s
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs: [{{targets: ["{site}/", "{site}/broken", "{site}/hangs"]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{blackbox}"}}
""")
    flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    commands = [["prometheus", *flags, f"--web.listen-address=127.0.0.1:{port}"]]
    exporter = [f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{blackbox}"]
    commands.append(["prometheus-blackbox-exporter", *exporter])
    with ExitStack() as stack:
        for command in commands:
            log = stack.enter_context((folder / f"{command[0]}.log").open("wb"))
            process = subprocess.Popen(command, stdout=log, stderr=log)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        url = f"http://127.0.0.1:{port}"
        wait_for_probes(url)
        yield url


def wait_for_probes(url: str) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            answer = httpx2.get(f"{url}/api/v1/query", params={"query": "min(count_over_time(probe_success[1m]))"})
            result = answer.json()["data"]["result"]
            if result and float(result[0]["value"][1]) >= 3:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("Prometheus has not probed")


@pytest.fixture
def told(tmp_path: Path) -> str:
    path = tmp_path / "estate.yaml"
    path.write_text(MAP)
    return str(path)


def asked(url: str, told: str, end: datetime, *more: str) -> Result:
    window = ["--end", f"{end:%Y-%m-%dT%H:%M:%S}", "--last", "14m", "--hours", "2"]
    return CliRunner().invoke(APP, ["why", "--prometheus", url, "--map", told, *window, *more])


@pytest.fixture(scope="module")
def answer(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What is said of the last minutes of the synthetic past, asked in a folder that stays as it was."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "estate.yaml").write_text(MAP)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = asked(prometheus, "estate.yaml", END, "--json")
    assert done.exit_code == 0, done.output
    assert [one.name for one in folder.iterdir()] == ["estate.yaml"]
    return done


def test_slow_pages_clear_the_access_and_point_at_the_slow_disk_from_history_alone(answer: Result) -> None:
    slow = [one for one in json.loads(answer.stdout) if one["journey"] == "cases"]
    assert {one["population"]["link"] for one in slow} == {"wired", "wifi"}
    assert {one["status"] for one in slow} == {"slow"}
    for one in slow:
        assert one["excess_seconds"]["estimate"] == pytest.approx(0.8, rel=0.1)
        storage = next(layer for layer in one["layers"] if layer["layer"] == "storage")
        assert storage["state"] == "inconclusive"  # without the server's own account, what is behind it stays together
        cleared = [layer["layer"] for layer in one["layers"] if layer["state"] == "cleared"]
        assert cleared == ["access_network"]
        assert "db01-d" in json.dumps(storage["evidence_for"])
        assert storage["supplier"] == "hosting"
        assert any("one request without signing in" in note for note in one["data_quality"])
        assert any("every 15 s" in note for note in one["data_quality"])
    wired = next(one for one in slow if one["population"]["link"] == "wired")
    assert any("no data of https://gone.example/ (gone)" in note for note in wired["data_quality"])


def test_what_map_and_prometheus_do_not_have_of_each_other_is_said(answer: Result) -> None:
    assert f"Probed and not in the map, so left out: {STRANGER}." in answer.stderr
    assert "In the map and without data: https://gone.example/ (gone)." in answer.stderr
    assert "Components with data and not in the map, so left out: desk99-d." in answer.stderr


def test_probes_that_took_their_whole_timeout_are_at_least_so_long(answer: Result) -> None:
    drop = [one for one in json.loads(answer.stdout) if one["journey"] == "drop"]
    assert drop[0]["status"] in {"slow", "failing"}
    assert drop[0]["censored"] == drop[0]["runs"] > 40
    assert any("timed out: their durations are lower bounds" in note for note in drop[0]["data_quality"])


def test_quiet_time_has_no_verdict_and_the_same_words_as_ever(prometheus: str, told: str) -> None:
    done = asked(prometheus, told, FAULT - timedelta(minutes=5))
    assert done.exit_code == 0, done.output
    assert "Nothing was slow or failing against" in done.stdout
    assert "3 steps by access: as usual." in done.stdout


def test_real_probes_become_runs_with_their_phases(prometheus: str, site: str, tmp_path: Path) -> None:
    path = tmp_path / "estate.yaml"
    names = {"": "fine", "broken": "broken", "hangs": "hangs"}
    probes = [
        f'  - {{instance: "{site}/{page}", endpoint: here, journey: {name}, timeout: 500 ms}}'
        for page, name in names.items()
    ]
    path.write_text("sites: [{name: s}]\nendpoints: [{name: here, site: s}]\nprobes:\n" + "\n".join(probes))
    drawn, now = estate.read(path), datetime.now(UTC) - timedelta(seconds=2)  # none is under way any more
    settings = PrometheusSettings.model_validate({"url": prometheus, "mappings": ["all"]})
    source = OpenPrometheus(site="s", component="prometheus", settings=settings, mappings=())
    begin = now - timedelta(minutes=2)
    first, again = (history.read(source, drawn, start=begin, sampled=now, end=now) for _ in range(2))
    source.close()
    assert {run.run_id for run in first.facts.runs} == {run.run_id for run in again.facts.runs}
    assert set(first.intervals.values()) == {1.0}
    runs: dict[str, list[Run]] = {name: [] for name in names.values()}
    for run in first.facts.runs:
        assert (run.driver, run.synthetic) == ("blackbox", True)
        runs[run.journey].append(run)
    assert all(len(found) >= 3 for found in runs.values())
    for run in runs["fine"]:
        step = run.steps[0]
        assert (run.outcome, step.http_status) == (Outcome.OK, 200)
        assert 0.05 <= step.phases[Phase.PROCESSING] <= (step.seconds or 0.0)
        assert Phase.TLS not in step.phases
    assert {(run.outcome, run.steps[0].error_kind) for run in runs["broken"]} == {(Outcome.FAILED, "status")}
    assert {(run.outcome, run.steps[0].censored) for run in runs["hangs"]} == {(Outcome.TIMEOUT, True)}
    assert all((run.seconds or 0.0) >= 0.99 * TIMEOUT for run in runs["hangs"])


def test_what_cannot_be_asked_says_why(
    prometheus: str, site: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(url: str, map_file: str, kind: type[Exception], words: str, *more: str) -> None:
        done = asked(url, map_file, END, *more)
        assert isinstance(done.exception, kind), done.output
        assert words in str(done.exception)
        assert "canary-7731" not in f"{done.output}{done.exception}"

    monkeypatch.setenv("PROMETHEUS_TOKEN", "canary-7731")
    refused(f"http://127.0.0.1:{free_port()}", told, SourceError, "does not answer: ConnectError")
    refused(f"{prometheus}/graph", told, SourceError, "does not answer as Prometheus")
    refused(site, told, SourceError, "refuses: check user, password or token", "--token", "env:PROMETHEUS_TOKEN")
    refused(prometheus, told, SecretError, "env:NO_SUCH is not set", "--token", "env:NO_SUCH")
    refused(prometheus, told, SecretError, "by reference", "--token", "canary-7731")
    refused(prometheus, told, ConfigError, "no mapping 'canary'", "--mapping", "canary")
    other = tmp_path / "other.yaml"
    other.write_text(MAP.replace(".example/", ".invalid/"))
    refused(prometheus, str(other), SourceError, "has no probe_success of any probe in")
    other.write_text(MAP.partition("probes:")[0])
    refused(prometheus, str(other), ConfigError, "other.yaml:1:1 has no probes")


def test_a_password_in_an_address_and_a_missing_map_are_refused(told: str) -> None:
    done = asked("http://a:canary-7731@127.0.0.1:9/", told, END)
    assert done.exit_code == 2
    assert "give --user and --password" in " ".join(done.output.replace("│", "").split())
    assert "canary-7731" not in done.output
    done = CliRunner().invoke(APP, ["why", "--prometheus", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "--map" in done.output
