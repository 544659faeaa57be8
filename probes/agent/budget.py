"""What a plan costs the live system, held against what its owner allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from probes.agent.settings import Budget, JourneyEntry, SamplerEntry
from probes.journey.file import Action, Journey
from probes.sessions.settings import SessionEntry

HOUR = 3600.0
DAY = 24 * HOUR


Entries = Sequence[tuple[JourneyEntry, Journey]]
Held = Sequence[tuple[SessionEntry, Journey]]


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


def demands(plan: Entries, budget: Budget, sessions: Held = (), samplers: Sequence[SamplerEntry] = ()) -> list[Demand]:
    """Add up the whole plan, with sessions held open and samplers that sign in, for every endpoint that follows it."""
    sign_ins = [_every(entry, journey, HOUR, _sign_ins(journey)) for entry, journey in plan]
    sign_ins += [_again(entry, journey) for entry, journey in sessions]
    sign_ins += [_sampled(entry) for entry in samplers if entry.account is not None]
    writes = [_every(entry, journey, HOUR, _acts(journey, Action.WRITE)) for entry, journey in plan]
    writes += [_work(entry, journey) for entry, journey in sessions]
    pages = [_every(entry, journey, DAY, _acts(journey, Action.PRINT)) for entry, journey in plan]
    accounts = {entry.account for entry, _ in plan} | {entry.account for entry, _ in sessions}
    return [
        _demand("logons_per_hour", sign_ins, budget),
        _demand("writes_per_hour", writes, budget),
        _demand("pages_per_day", pages, budget),
        # One account is never in two runs at once, so it needs one licence.
        _demand("concurrent_licences", [(1.0, f"account {name}") for name in sorted(filter(None, accounts))], budget),
    ]


_Term = tuple[float, str]


def _demand(line: str, terms: Sequence[_Term], budget: Budget) -> Demand:
    asked = sum(count for count, _ in terms) * budget.endpoints
    words = [text for count, text in terms if count]
    return Demand(
        line=line, asked=asked, allowed=float(getattr(budget, line)), arithmetic=_sum(words, budget.endpoints)
    )


def _every(entry: JourneyEntry, journey: Journey, period: float, count: int) -> _Term:
    runs = period / entry.every
    return runs * count, f"{journey.name} every {entry.every:g} s = {runs:g} runs × {count}"


def _sampled(entry: SamplerEntry) -> _Term:
    logons = HOUR / entry.every
    return logons, f"{entry.sampler} of {entry.component} every {entry.every:g} s = {logons:g} logons"


def _again(entry: SessionEntry, journey: Journey) -> _Term:
    """Count the most log-ons there can be: each time it was thrown out at once."""
    most, count = HOUR / entry.again, _sign_ins(journey)
    return most * count, f"{journey.name} held open, again after {entry.again:g} s = at most {most:g} × {count}"


def _work(entry: SessionEntry, journey: Journey) -> _Term:
    """Count what the sentinel saves and leaves: every so often, and once more after each log-on."""
    if entry.sentinel is None:
        return 0.0, ""
    most, count = HOUR / min(entry.sentinel.every, entry.again), 1 if entry.sentinel.leave is None else 2
    return most * count, f"sentinel of {journey.name} = at most {most:g} × {count}"


def _sum(terms: Sequence[str], endpoints: int) -> str:
    total = " + ".join(terms) or "nothing"
    return f"({total}) × {endpoints} endpoints" if endpoints > 1 else total


def _sign_ins(journey: Journey) -> int:
    return sum(step.sign_in for step in journey.steps)


def _acts(journey: Journey, action: Action) -> int:
    return sum(step.action is action for step in journey.steps)
