"""Is an interval of 95 % for the effect of a change really one? Changes whose truth is known, all synthetic.

    python -m tests.worlds.changes [--worlds N] [--json]

Days of a run every 15 minutes, with hours and a weekend of their own, log-normal noise of a sigma of 0.15 to 0.5, one
run in thirty 2 to 5 times as long, some timeouts, a day or two without data, and one of five ways for days to move: not
at all, with a memory of days, as a random walk, along a line, and with single bad days.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from rich.table import Table

from analysis.changes.days import DAY, Measure, Runs
from analysis.changes.impact import Answer, Effect, impact
from analysis.statistics import Floats, rate_interval
from analysis.survival import Lives, log_rank
from tests.worlds.bench import drawn, run

A_DAY = 96
LIMIT = 30.0  # seconds, after which a run is given up
MOVES = ("still", "remembering", "wandering", "drifting", "bad days")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A world of ``days`` on either side of midnight; ``shift`` and ``narrowing`` are factors of level and scatter."""

    seed: int
    days: int = 28
    shift: float = 1.0
    narrowing: float = 1.0
    common: float = 1.0  # a factor of everything after the change, whatever it touched

    @property
    def moves(self) -> str:
        return MOVES[self.seed % len(MOVES)]

    @property
    def at(self) -> float:
        return self.days * DAY

    def draw(self, *, touched: bool = True) -> Runs:
        """Walk the world; ``touched`` False: a group beside it that shares its days, and not the change."""
        shared = np.random.default_rng(self.seed)
        sigma, count = (0.15, 0.3, 0.5)[self.seed // len(MOVES) % 3], 2 * self.days
        days = self._days(shared, count)
        own = np.random.default_rng([self.seed, int(touched)])
        at = (np.arange(count * A_DAY) + own.uniform(0, 1, count * A_DAY)) * (DAY / A_DAY)
        hour, late = at % DAY / 3600, at >= self.at
        scatter = own.normal(0, sigma, len(at)) * np.where(late & touched, self.narrowing, 1.0)
        long = np.where(own.random(len(at)) < 1 / 30, own.uniform(2, 5, len(at)), 1.0)
        level = 1.5 + 0.2 * np.sin((hour - 9) / 24 * 2 * np.pi) + np.repeat(days, A_DAY)
        factor = np.where(late, self.common * (self.shift if touched else 1.0), 1.0)
        seconds = np.exp(level + scatter) * long * factor
        kept = ~np.isin(np.floor(at / DAY), shared.integers(0, count, 2)) & (own.random(len(at)) < 0.97)
        given_up = seconds > LIMIT
        return Runs(at=at, seconds=np.minimum(seconds, LIMIT), at_least=given_up).of(kept)

    def _days(self, draw: np.random.Generator, count: int) -> Floats:
        """Give the logarithm of what each day is slower than usual."""
        scatter = draw.normal(0, 0.02, count) - 0.06 * (np.arange(count) % 7 >= 5)
        memory = np.zeros(count)
        for day in range(1, count):
            memory[day] = 0.7 * memory[day - 1] + draw.normal(0, 0.02)
        moved = {
            "still": np.zeros(count),
            "remembering": memory,
            "wandering": np.cumsum(draw.normal(0, 0.008, count)),
            "drifting": np.linspace(0, draw.normal(0, 0.1), count),
            "bad days": np.where(draw.random(count) < 0.05, draw.uniform(0.2, 1.0, count), 0.0),
        }
        return np.asarray(scatter + moved[self.moves])


@dataclass(slots=True, kw_only=True)
class Row:
    """One figure: how many of so many; ``asked`` says what would be right."""

    question: str
    asked: str
    found: int = 0
    of: int = 0
    width: float = float("nan")

    @property
    def share(self) -> float:
        return self.found / self.of if self.of else float("nan")


def counted(question: str, asked: str, found: Iterable[bool], widths: Iterable[float] = ()) -> Row:
    """Count one question."""
    answers, wide = list(found), list(widths)
    width = float(np.median(wide)) if wide else float("nan")
    return Row(question=question, asked=asked, found=sum(answers), of=len(answers), width=width)


def measure(worlds: int) -> Iterator[Row]:
    """Answer all questions, the main ones with so many worlds, the others with a quarter."""
    few = max(20, worlds // 4)
    yield from shifted(worlds, Measure.LEVEL)
    for move in range(len(MOVES)):
        yield _held(_told(Change(seed=seed) for seed in range(move, 5 * (few // 5), 5)), f"  days {MOVES[move]}")
    yield from shifted(few, Measure.TAIL)
    yield from narrowed(worlds)
    yield from compared(few)
    yield from short(few)
    yield labels(10 * worlds)


def shifted(worlds: int, measure: Measure) -> Iterator[Row]:
    """Shift nothing, and a tenth."""
    quiet = _told((Change(seed=seed) for seed in range(worlds)), measure=measure)
    yield _held(quiet, f"{measure}: nothing changed, 0 held")
    yield counted(f"{measure}: alarms", "<= 0.06", (_alarmed(one) for one in quiet))
    slower = _told((Change(seed=seed, shift=1.1) for seed in range(worlds)), measure=measure)
    yield _held(slower, f"{measure}: 10 % slower, 10 % held", 1.1)
    yield counted(f"{measure}: 10 % slower, called worse", ">= 0.80", (one.answer is Answer.WORSE for one in slower))


def narrowed(worlds: int) -> Iterator[Row]:
    """Narrow the scatter by a fifth: the spread falls, the level does not."""
    quiet = _told((Change(seed=seed) for seed in range(worlds)), measure=Measure.SPREAD)
    yield counted("spread: alarms when nothing changed", "<= 0.06", (_alarmed(one) for one in quiet))
    changes = [Change(seed=seed, narrowing=0.8) for seed in range(worlds)]
    found = _told(changes, measure=Measure.SPREAD)
    held = [_holds(one, _narrow(change)) for one, change in zip(found, changes, strict=True)]
    yield counted("spread: 20 % less scatter, held", "0.93-0.97", held, _widths(found))
    yield counted("spread: called improved", ">= 0.80", (one.answer is Answer.IMPROVED for one in found))


def compared(worlds: int) -> Iterator[Row]:
    """A tenth for everybody, and a tenth for those the change touched, against those it did not."""
    changes = [Change(seed=seed, common=1.1) for seed in range(worlds)]
    found = _told(changes, compare=True)
    yield _held(found, "compared: 10 % for everybody, 0 held")
    touched = _told((replace(change, shift=1.1) for change in changes), compare=True)
    yield _held(touched, "compared: and 10 % for some, 10 % held", 1.1)
    off = [100 * (one.ratio.estimate - 1) for one in found if one.ratio]
    row = counted("compared: mean of what remains, in % (asked <= 1)", "", ())
    row.width = abs(float(np.mean(off)))
    yield row
    yield counted("compared: called worse", ">= 0.80", (one.answer is Answer.WORSE for one in touched))


def short(worlds: int) -> Iterator[Row]:
    """Two days before and one after: the rule for little history."""
    found = []
    for seed in drawn(worlds, "short"):
        change = Change(seed=seed, days=10)  # a Tuesday to a Thursday: two days cannot know of weekends
        runs = change.draw()
        near = runs.of((runs.at >= change.at - 2 * DAY) & (runs.at < change.at + DAY))
        found.append(impact(near, start=change.at))
    yield _held([one for one in found if one.ratio], "two days before, one after: 0 held")


def labels(permutations: int) -> Row:
    """Deal the labels of the same lives out anew: log-rank should alarm once in twenty."""
    draw = np.random.default_rng(1)
    lives = Lives(seconds=np.ceil(draw.exponential(50, 120)), ended=draw.random(120) < 0.6)
    after = np.arange(120) < 60
    alarms = [log_rank(lives, draw.permutation(after)).p < 0.05 for _ in range(permutations)]
    return counted("log-rank: alarms of labels dealt out anew", "0.04-0.06", alarms)


def _told(changes: Iterable[Change], measure: Measure = Measure.LEVEL, *, compare: bool = False) -> list[Effect]:
    worlds = list(changes)
    return [
        impact(
            worlds[place].draw(),
            start=worlds[place].at,
            measure=measure,
            others=worlds[place].draw(touched=False) if compare else None,
        )
        for place in drawn(len(worlds), str(measure))
    ]


def _narrow(change: Change) -> float:
    """Give the true ratio of the spread: of very many runs, which the long ones and rounding are part of."""
    draw = np.random.default_rng(0)
    sigma = (0.15, 0.3, 0.5)[change.seed // len(MOVES) % 3]
    noise, long = (
        draw.normal(0, sigma, 200_000),
        np.where(draw.random(200_000) < 1 / 30, draw.uniform(2, 5, 200_000), 1.0),
    )
    spreads = [np.subtract(*np.quantile(np.exp(noise * by) * long, [0.75, 0.25])) for by in (change.narrowing, 1.0)]
    return float(spreads[0] / spreads[1])


def _holds(effect: Effect, truth: float) -> bool:
    return effect.ratio is not None and effect.ratio.low <= truth <= effect.ratio.high


def _alarmed(effect: Effect) -> bool:
    return effect.answer in {Answer.WORSE, Answer.IMPROVED}


def _widths(effects: Iterable[Effect]) -> list[float]:
    return [one.ratio.high - one.ratio.low for one in effects if one.ratio]


def _held(effects: list[Effect], question: str, truth: float = 1.0) -> Row:
    return counted(question, "0.93-0.97", (_holds(one, truth) for one in effects), _widths(effects))


def table(rows: Iterable[Row], title: str) -> Table:
    """Lay out rows."""
    found = Table(box=None, title=title, title_justify="left")
    for heading in ("", "found", "of", "share", "95 % of it", "median width", "asked"):
        found.add_column(heading, justify="left" if not heading else "right")
    for row in rows:
        exact = rate_interval(row.found, row.of, 0.95) if row.of else None
        between = f"{exact.low:.3f}-{exact.high:.3f}" if exact else ""
        found.add_row(
            row.question, str(row.found), str(row.of), f"{row.share:.3f}", between, f"{row.width:.3f}", row.asked
        )
    return found


def main() -> None:
    """Print the table."""
    run(
        measure,
        lambda rows: table(rows, "synthetic changes of known truth"),
        words=__doc__,
        worlds=100,
        of="of each main kind; a quarter of the others",
    )


if __name__ == "__main__":
    main()
