"""The whole way: a real fault, real runs over real links, and a stored verdict that names the layer."""

from pathlib import Path

import psutil
import pytest

from collector.model.layer import Layer
from deploy.lab import demo
from deploy.lab.narrator import Spoken
from deploy.lab.site import Pace
from deploy.lab.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
QUICK = Pace(runs=3, samples=2, analysis=5, baseline_runs=20, seasonal=False)


def test_slow_storage_is_named_and_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    before = set(Path("/var/tmp").glob("whichlayer-lab-*"))
    wish = demo.Wish(pace=QUICK, faults=("storage",), seed=5)
    (trial,) = demo.run(wish, Spoken())
    if trial.skipped:
        pytest.skip(trial.skipped)
    assert isinstance(trial, Trial)
    assert trial.verdict is not None, capsys.readouterr().out
    assert trial.verdict.blamed[0].layer is Layer.STORAGE
    assert trial.verdict.step in {"login", "save"}  # the steps that commit
    assert trial.right
    said = capsys.readouterr().out
    assert "whichlayer says" in said
    assert "The truth: the storage" in said
    assert set(Path("/var/tmp").glob("whichlayer-lab-*")) == before
    left = [child.name() for child in psutil.Process().children(recursive=True)]
    assert [name for name in left if "postgres" in name or "Xvnc" in name] == []
