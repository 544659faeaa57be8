"""Results of another tool as runs: from which endpoint is said by who imports them, what was slow by the tool.

Names, seconds and outcomes are kept; messages, arguments and output are not: they may hold secrets. The ± of a time is
half of the last digit the tool writes: its resolution, not how well it measures.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from collector.importer import NOT_SAID, Asked
from collector.model.checks import as_name
from collector.model.errors import ConfigError, Mistake
from collector.model.facts import Facts
from collector.model.run import Outcome, Run, StepTiming

MOST_MISTAKES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as a report has it."""

    name: str
    seconds: float
    uncertainty_seconds: float
    failed: str | None = None  # one bounded word, if it did


@dataclass(slots=True)
class Report:
    """The runs of one file on their way to facts, and what is wrong or has to be known of it."""

    path: Path
    asked: Asked
    driver: str
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    _runs: list[Run] = field(default_factory=list)

    def wrong(self, what: str, line: int, column: int = 1) -> None:
        """Note a mistake with its place."""
        self.mistakes.append(Mistake(file=str(self.path), line=line, column=column, message=what))

    def time(self, written: str, line: int, column: int = 1) -> datetime | None:
        """Read an ISO time, of the zone that was given if it says none; None and a mistake when it cannot be."""
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            self.wrong("has no time as 2026-11-26T10:40:00: without one it cannot be compared", line, column)
            return None
        if found.tzinfo is None and self.asked.zone is None:
            self.wrong("does not say its time zone: give --zone, for example Europe/London", line, column)
            return None
        return (found if found.tzinfo else found.replace(tzinfo=self.asked.zone)).astimezone(UTC)

    def add(self, journey: str, started_at: datetime, steps: Sequence[Step], line: int) -> None:
        """Add one run. Its id is made of what it says: the same result is the same run, whoever sends it again."""
        if not as_name(journey) or not all(as_name(step.name) for step in steps):
            self.wrong("has a name of which nothing can stay: it needs letters or digits", line)
            return
        endpoint = self.asked.endpoint or ""  # its absence is told once, by facts()
        said = repr((self.asked.site, endpoint, self.driver, journey, started_at.isoformat(), tuple(steps)))
        self._runs.append(
            Run(
                run_id=hashlib.sha256(said.encode()).hexdigest()[:32],
                site=self.asked.site,
                endpoint=endpoint or "unnamed",
                access=self.asked.access,
                journey=as_name(journey),
                journey_hash=hashlib.sha256(repr([step.name for step in steps]).encode()).hexdigest(),
                slot=started_at,
                started_at=started_at,
                seconds=sum(step.seconds for step in steps),
                outcome=Outcome.FAILED if any(step.failed for step in steps) else Outcome.OK,
                steps=_timings(steps),
                driver=self.driver,
            )
        )

    def facts(self) -> Facts:
        """Give the runs. Raises ConfigError with every mistake."""
        if self.asked.endpoint is None:
            self.mistakes.insert(0, Mistake(file=str(self.path), line=1, column=1, message=_NO_ENDPOINT))
        if self.mistakes:
            raise ConfigError(self.mistakes[:MOST_MISTAKES])
        return Facts(runs=tuple(self._runs))

    def told(self) -> list[str]:
        """Give what has to be known, each with how often."""
        told = [f"{what}: {number} times" for what, number in self.warnings.items()]
        if self.asked.access == NOT_SAID:
            told.append("from which access these are is not known: give --link and --presentation")
        return told


_NO_ENDPOINT = "does not say from where it was measured: give --endpoint with a name"


def _timings(steps: Sequence[Step]) -> tuple[StepTiming, ...]:
    """Make steps of a run; what is done a second time has its number behind its name."""
    seen: Counter[str] = Counter()
    timings = []
    for step in steps:
        name = as_name(step.name)
        seen[name] += 1
        timings.append(
            StepTiming(
                step=name if seen[name] == 1 else f"{name}-{seen[name]}",
                outcome=Outcome.FAILED if step.failed else Outcome.OK,
                seconds=step.seconds,
                uncertainty_seconds=step.uncertainty_seconds,
                error_kind=step.failed,
            )
        )
    return tuple(timings)


def seconds(written: str) -> tuple[float, float]:
    """Read seconds as a report writes them, and the half of their last digit. Raises ValueError."""
    plain = written.replace(",", "")  # JUnit's writers put a mark between thousands
    value = float(plain)
    if not 0.0 <= value < 1e9:
        raise ValueError("is no duration")
    return value, 0.5 * 10.0 ** -len(plain.partition(".")[2])
