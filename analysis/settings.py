"""What a site may choose about the analysis."""

from pydantic import Field

from collector.document import Document
from collector.model.verdict import Reference


class AnalysisSettings(Document):
    """Section ``analysis:`` of whichlayer.yaml. What counts as slow is not here: see counting.py."""

    interval_seconds: float = Field(default=60.0, gt=0, description="How often new data are analysed, in seconds.")
    references: tuple[Reference, ...] = Field(
        default=(Reference.EXPECTED, Reference.TARGET),
        min_length=1,
        description="What the regular analysis holds steps against: expected, target, reference.",
    )
    history_seconds: float = Field(
        default=6 * 3600.0, gt=0, description="How far back single runs are read to learn what is usual, in seconds."
    )
    history_rows: int = Field(
        default=150_000, gt=0, description="At about so many step rows in one reading, history gets shorter."
    )
    seasonal: bool = Field(
        default=True, description="Learn hours of the day and of the week. Off, the verdict says so (demo --fast)."
    )
    baseline_runs: int = Field(
        default=30, ge=8, description="Measured runs needed before a step has an expectation of its own."
    )
    same_slot_runs: int = Field(
        default=10, ge=5, description="Measured runs needed before other accesses in the same slots can stand in."
    )
    baseline_recent_runs: int = Field(
        default=300, ge=30, description="At most so many of the latest quiet runs form the pooled expectation."
    )
    false_alarm: float = Field(
        default=0.001,
        gt=0,
        lt=0.5,
        description="Chance that one look at quiet runs is taken for an episode, when one run in seven is an outlier.",
    )
    minimum_seconds: float = Field(
        default=15.0, ge=0, description="An episode lasts at least so long, in seconds, or it is an outlier."
    )
    level: float = Field(default=0.9, gt=0.5, lt=1, description="Confidence level of every interval.")
    stale_seconds: float = Field(
        default=900.0, gt=0, description="Without a run for so long, in seconds, the verdict says data are missing."
    )
