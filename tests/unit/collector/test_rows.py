"""Durations are kept as finely as they were measured, and no finer."""

import pytest

from collector.model.run import Outcome, Phase, StepTiming
from collector.rows import run_tables
from tests.stores.facts import run


@pytest.mark.parametrize(
    ("uncertainty", "seconds", "kept", "said"),
    [
        (0.000412345, 1.234567891, 1.23457, 0.00042),
        (0.0012, 1.234567891, 1.2346, 0.0012),
        (0.05, 1.234567891, 1.235, 0.05),
        (3.2, 61.28, 61.3, 3.2),
        (20.0, 61.28, 61.0, 20.0),
        (0.0, 1.2345678912, 1.234567891, 0.0),
        (None, 1.2345678912, 1.234567891, None),
    ],
)
def test_a_duration_loses_what_is_below_a_tenth_of_its_uncertainty(
    uncertainty: float | None, seconds: float, kept: float, said: float | None
) -> None:
    step = StepTiming(
        step="save",
        outcome=Outcome.OK,
        seconds=seconds,
        phases={Phase.PROCESSING: seconds},
        uncertainty_seconds=uncertainty,
    )
    (row,) = run_tables([run(1, step)])["steps"].to_pylist()
    assert (row["seconds"], row["processing"], row["uncertainty_seconds"]) == (kept, kept, said)
    assert abs(row["seconds"] - seconds) <= (uncertainty or 1e-8) / 10
