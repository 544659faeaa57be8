"""What a step is answered that would act on a record nobody declared safe: the same words from every web driver."""

from collector.model.run import Outcome, StepTiming
from probes.driver import WalkContext
from probes.error_text import short
from probes.journey.file import Step


def refused(step: Step, context: WalkContext) -> StepTiming:
    """Say that the page before ``step`` does not show its safe record, and that nothing was sent."""
    marker = context.fill(step.safe_record or "")
    return StepTiming(
        step=step.step,
        outcome=Outcome.NOT_READY,
        target_seconds=step.target,
        error_kind="safe_record",
        error=short(f"the page before this step does not show the safe record {marker!r}: nothing was sent"),
    )
