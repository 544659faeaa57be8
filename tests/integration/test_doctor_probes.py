"""``whichlayer doctor`` tries the active probes of a configuration, and says of each what is in its way."""

import gc
import socket
import sys
from pathlib import Path

import pytest

from probes.samplers.volume import PLUGIN as VOLUME
from whichlayer.probe_checkups import examine, print_words

pytestmark = pytest.mark.integration

CANARY = "canary-7310-doctor"
CONFIG = """\
site: test
agent:
  endpoint: desk-1
  state: {folder}/state
  samplers:
    - {{sampler: host, component: desk-1}}
    - {{sampler: volume, component: lun-7, settings: {{directory: {folder}/data}}}}
    - {{sampler: share, component: share-1, settings: {{directory: {folder}/nowhere}}}}
    - {{sampler: resolve, component: dns, every: 1 s, settings: {{name: localhost}}}}
    - {{sampler: connect, component: path, settings: {{rungs: [{{station: app, host: 127.0.0.1, port: {port}}}]}}}}
    - {{sampler: redraw, component: session, settings: {{display: ":4711"}}}}
    - sampler: directory
      component: dc-1
      every: 60 s
      account: probe-1
      secrets: {{user: env:WL_USER, password: env:WL_PASSWORD}}
      settings: {{url: "ldaps://127.0.0.1:9", entry: "dc=example", surprise: 1}}
    - sampler: directory
      component: dc-2
      every: 60 s
      account: probe-1
      secrets: {{user: env:WL_USER, password: env:WL_NOWHERE}}
      settings: {{url: "ldaps://127.0.0.1:9", entry: "dc=example"}}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WL_USER", "probe")
    monkeypatch.setenv("WL_PASSWORD", CANARY)
    (tmp_path / "data").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    (tmp_path / "whichlayer.yaml").write_text(CONFIG.format(folder=tmp_path, port=port))
    return tmp_path / "whichlayer.yaml"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib, when nobody answers it
@pytest.mark.skipif(sys.platform != "linux", reason="draws with X")
def test_each_probe_says_whether_it_could_run_and_what_to_do(config: Path) -> None:
    found = examine(config)
    words = {one.component: one.hindrances for one in found}
    assert list(words) == ["lun-7", "share-1", "dns", "path", "session", "dc-1", "dc-2"], "host only looks"
    assert [one.component for one in found if one.ready] == ["lun-7", "path"], "a refusal crossed the path"
    assert CANARY not in str(words)
    for name, what in [
        ("share-1", "cannot be probed: No such file or directory"),
        ("dns", "resolve would ask up to 7200 operations an hour, 1440 are allowed: write 5 s or more"),
        ("session", "the display :4711 cannot be used"),
        ("dc-1", "surprise: is not a known key"),
        ("dc-1", "the plan asks 120, 60 are allowed"),
        ("dc-2", "the secret env:WL_NOWHERE is not set"),
        ("dc-2", "check url, and the firewall for this port"),
    ]:
        assert any(what in one for one in words[name]), (name, words[name])
    assert len(words["dns"]) == len(words["session"]) == 1
    gc.collect()  # the warnings belong to this test


def test_a_running_agent_is_not_disturbed_and_nothing_stays(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = VOLUME.open(site="test", component="lun-7", settings={"directory": str(config.parent / "data")})
    running.read()
    only = config.read_text().split("    - {sampler: share")[0]
    config.write_text(only)
    print_words(examine(config))
    assert "volume of lun-7: could run here" in capsys.readouterr().out
    assert [path.name for path in (config.parent / "data").iterdir()] == [".whichlayer-lun-7.scratch"]
    assert len(running.read()) == 2
    running.close()
    assert not (config.parent / "state").exists()
