"""How often the lab measures, and how long that takes to learn what is usual."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things happen, in seconds, and how many runs are learnt from."""

    runs: float
    samples: float
    analysis: float
    baseline_runs: int
    seasonal: bool

    @property
    def probes(self) -> float:
        """How often something is touched to see whether it answers, in seconds: not as often as a counter is read."""
        return max(self.samples, 5.0)

    @property
    def learning_seconds(self) -> float:
        """Give how long it takes to learn what is usual."""
        return (self.baseline_runs + 2) * self.runs + 2 * self.analysis


FAST = Pace(runs=5, samples=2, analysis=10, baseline_runs=30, seasonal=False)
USUAL = Pace(runs=60, samples=10, analysis=60, baseline_runs=30, seasonal=True)


def at_every(seconds: float) -> Pace:
    """Give a pace for scenarios: a run so often, samples and analysis as often as FAST and USUAL have them."""
    return Pace(
        runs=seconds,
        samples=min(10.0, max(FAST.samples, seconds / 6)),
        analysis=min(60.0, max(5.0, 2 * seconds)),
        baseline_runs=30,
        seasonal=False,
    )
