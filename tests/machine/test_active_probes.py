"""Active probes against a share that hangs and a path with a firewall on it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.model.errors import WhichlayerError
from probes.samplers.share import PLUGIN as SHARE
from probes.samplers.share import SIZE
from tests.machine.test_link_files import mounted
from tests.machine.test_link_firewall import ALONE, ROOT, why_not

pytestmark = pytest.mark.integration


def test_a_share_that_hangs_is_at_least_and_one_thread(tmp_path: Path) -> None:
    with mounted(tmp_path) as server:
        sampler = SHARE.open(
            site="test", component="share-1", settings={"directory": str(tmp_path / "share"), "timeout": 0.3}
        )
        assert {one.metric: one.value for one in sampler.read()}["probe.failed"] == 0.0
        assert [path.name for path in (tmp_path / "behind").iterdir()] == ["day.xml"]
        server.send_signal(19)
        first, second = sampler.read(), sampler.read()
        assert [dict(one.labels) for one in second] == [{"censored": "at_least"}, {"why": "timeout"}]
        assert 0.3 <= first[0].value <= second[0].value < 2
        server.send_signal(18)
        time.sleep(0.3)
        assert {one.metric: one.value for one in sampler.read()}["probe.failed"] == 0.0


def test_a_file_that_is_not_the_probes_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / ".whichlayer-share-1-share.probe"
    file.write_bytes(b"notes" * SIZE)
    sampler = SHARE.open(site="test", component="share-1", settings={"directory": str(tmp_path)})
    with pytest.raises(WhichlayerError, match="not a probe file"):
        sampler.read()
    assert file.read_bytes() == b"notes" * SIZE


def test_the_ladder_tells_loss_silence_and_refusal_apart() -> None:
    skipped = why_not()
    if skipped:
        pytest.skip(skipped)
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.links.ladder"], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = {one["situation"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert "may not send echoes" in told["forbidden"]["hindered"][0]
    assert "whether a firewall drops" in told["filtered"]["hindered"][0]
    assert told["refused"]["hindered"] == told["open"]["hindered"] == []
    values = {name: {row[2]: (row[3], row[4]) for row in one["rows"]} for name, one in told.items()}
    assert values["open"]["network.path.loss"][0] == 0
    assert values["lossy"]["network.path.loss"][0] == 0.25
    assert values["lossy"]["probe.failed"][0] == 0
    assert values["silent"]["network.path.roundtrip"] == (0.2, {"censored": "at_least"})
    assert values["filtered"]["network.path.connect"][1] == {"censored": "at_least"}
    assert values["filtered"]["probe.failed"] == (1, {"why": "timeout"})
    assert (values["refused"]["network.path.refused"][0], values["connected"]["network.path.refused"][0]) == (1, 0)
    assert values["refused"]["probe.failed"][0] == 0
    assert values["no such name"] == {"probe.failed": (1, {"why": "name"})}
