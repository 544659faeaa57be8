"""The whole way: a real fault, real runs over real links, and a stored verdict that names the layer."""

import pytest

from collector.model.layer import Layer
from deploy.lab import demo
from deploy.lab.pace import Pace
from deploy.lab.site import Site
from deploy.lab.trials.narrator import Spoken
from deploy.lab.trials.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
QUICK = Pace(runs=3, samples=2, analysis=5, baseline_runs=20, seasonal=False)


class Remembering(Spoken):
    """Speaks as always, and keeps the world to look at when it is gone."""

    def watching(self, site: Site) -> None:
        self.world = site.world
        Spoken.watching(self, site)


def test_slow_storage_is_named_and_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    wish = demo.Wish(pace=QUICK, faults=("storage",), seed=5)
    narrator = Remembering()
    (trial,) = demo.run(wish, narrator)
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
    assert narrator.world.leftovers() == []
