"""What a plan costs the live system, held against what its owner allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from probes.journey import Action, Journey
from probes.settings import Budget, JourneyEntry

HOUR = 3600.0
DAY = 24 * HOUR


Entries = Sequence[tuple[JourneyEntry, Journey]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the plan asks of one line of the budget, and the sum that leads to it."""

    line: str
    asked: float
    allowed: float
    arithmetic: str

    @property
    def exceeds(self) -> bool:
        """Say whether it is more than allowed; a rounding error is not."""
        return self.asked > self.allowed * (1 + 1e-9)

    def __str__(self) -> str:
        return f"{self.line}: the plan asks {self.asked:g}, {self.allowed:g} are allowed: {self.arithmetic}"


def demands(plan: Entries, budget: Budget) -> list[Demand]:
    """Add up the whole plan, for every endpoint that follows it."""
    return [
        _rate("logons_per_hour", plan, budget, HOUR, [_sign_ins(journey) for _, journey in plan]),
        _rate("writes_per_hour", plan, budget, HOUR, [_acts(journey, Action.WRITE) for _, journey in plan]),
        _rate("pages_per_day", plan, budget, DAY, [_acts(journey, Action.PRINT) for _, journey in plan]),
        _licences(plan, budget),
    ]


def _rate(line: str, plan: Entries, budget: Budget, period: float, counts: Sequence[int]) -> Demand:
    terms, asked = [], 0.0
    for (entry, journey), count in zip(plan, counts, strict=True):
        if count:
            runs = period / entry.every
            asked += runs * count * budget.endpoints
            terms.append(f"{journey.name} every {entry.every:g} s = {runs:g} runs × {count}")
    arithmetic = _sum(terms, budget.endpoints)
    return Demand(line=line, asked=asked, allowed=float(getattr(budget, line)), arithmetic=arithmetic)


def _licences(plan: Entries, budget: Budget) -> Demand:
    """Count accounts: one account is never in two runs at once, so it needs one licence."""
    accounts = sorted({entry.account for entry, _ in plan if entry.account})
    return Demand(
        line="concurrent_licences",
        asked=float(len(accounts) * budget.endpoints),
        allowed=float(budget.concurrent_licences),
        arithmetic=_sum([f"account {name}" for name in accounts], budget.endpoints),
    )


def _sum(terms: Sequence[str], endpoints: int) -> str:
    total = " + ".join(terms) or "nothing"
    return f"({total}) × {endpoints} endpoints" if endpoints > 1 else total


def _sign_ins(journey: Journey) -> int:
    return sum(step.sign_in for step in journey.steps)


def _acts(journey: Journey, action: Action) -> int:
    return sum(step.action is action for step in journey.steps)
