"""``whichlayer why --prometheus``: a real Prometheus with a labelled, synthetic past and a real blackbox_exporter."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector import estate, history
from collector.model.errors import ConfigError, SecretError, SourceError
from collector.model.run import Outcome, Phase, Run
from collector.sources.prometheus import OpenPrometheus, PrometheusSettings
from tests.peers.monitoring import TIMEOUT, Monitoring, free_port
from tests.peers.past import CASES, DROP, END, FAULT, STRANGER
from whichlayer.__main__ import APP

pytestmark = pytest.mark.integration
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


@pytest.fixture
def told(tmp_path: Path) -> str:
    path = tmp_path / "estate.yaml"
    path.write_text(MAP)
    return str(path)


def asked(url: str, told: str, end: datetime, *more: str) -> Result:
    window = ["--end", f"{end:%Y-%m-%dT%H:%M:%S}", "--last", "14m", "--hours", "2"]
    return CliRunner().invoke(APP, ["why", "--prometheus", url, "--map", told, *window, *more])


@pytest.fixture(scope="module")
def answer(monitoring: Monitoring, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What is said of the last minutes of the synthetic past, asked in a folder that stays as it was."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "estate.yaml").write_text(MAP)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = asked(monitoring.prometheus, "estate.yaml", END, "--json")
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


def test_real_probes_become_runs_with_their_phases(monitoring: Monitoring, tmp_path: Path) -> None:
    prometheus, site = monitoring.prometheus, monitoring.site
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
    fine = [
        run for run in runs["fine"] if run.outcome is not Outcome.TIMEOUT
    ]  # half a second is short when all is busy
    assert fine
    for run in fine:
        step = run.steps[0]
        assert (run.outcome, step.http_status) == (Outcome.OK, 200)
        assert 0.05 <= step.phases[Phase.PROCESSING] <= (step.seconds or 0.0)
        assert Phase.TLS not in step.phases
    broken = {(run.outcome, run.steps[0].error_kind) for run in runs["broken"]}
    assert broken - {(Outcome.TIMEOUT, None)} == {(Outcome.FAILED, "status")}
    assert {(run.outcome, run.steps[0].censored) for run in runs["hangs"]} == {(Outcome.TIMEOUT, True)}
    assert all((run.seconds or 0.0) >= 0.99 * TIMEOUT for run in runs["hangs"])


def test_what_cannot_be_asked_says_why(
    monitoring: Monitoring, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prometheus, site = monitoring.prometheus, monitoring.site

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


def test_a_map_is_drafted_from_what_prometheus_scrapes_and_probes(monitoring: Monitoring, tmp_path: Path) -> None:
    asked = ["estate", "draft", "--prometheus", monitoring.prometheus, "--mapping", "node_exporter"]
    done = CliRunner().invoke(APP, asked)
    assert done.exit_code == 0, done.output
    (tmp_path / "estate.yaml").write_text(done.stdout)
    drawn = estate.read(tmp_path / "estate.yaml")
    assert [(one.name, one.kind) for one in drawn.components] == [("127.0.0.1", "host")]
    assert {one.labels["instance"] for one in drawn.probes} >= {f"{monitoring.site}/", f"{monitoring.site}/hangs"}
    assert {one.endpoint for one in drawn.probes} == {"blackbox"}


def test_a_password_in_an_address_and_a_missing_map_are_refused(told: str) -> None:
    done = asked("http://a:canary-7731@127.0.0.1:9/", told, END)
    assert done.exit_code == 2
    assert "give --user and --password" in " ".join(done.output.replace("│", "").split())
    assert "canary-7731" not in done.output
    done = CliRunner().invoke(APP, ["why", "--prometheus", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "--map" in done.output
