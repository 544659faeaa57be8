"""The runs of one step, population and environment in time order, as arrays."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.counting import RULES
from analysis.statistics import Floats
from collector.model.access import Link, Population, Presentation
from collector.model.run import Outcome, Phase

Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]
Rows = npt.NDArray[np.intp]

KEY = ["site", "journey", "step", "link", "presentation", "environment"]
WORDS = ("endpoint", "journey_hash")  # what a verdict's notes speak about


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """What a verdict speaks about, without the time."""

    site: str
    journey: str
    step: str
    population: Population
    environment: str

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Give what is the same for every population that can be held against this one."""
        return (self.site, self.journey, self.step, self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What is asked of any rows of a window: which phases were ``measured``, and words as numbers.

    ``words`` has per column a number for each row, and the word of each number.
    """

    measured: Mapping[str, Bools]
    words: Mapping[str, tuple[Rows, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Runs that say something of the service, by slot; ``left_out`` counts those that do not, ``mixed`` those that
    began on this access and did not stay on it.

    ``seconds`` is NaN when nothing was timed; with ``censored`` it is a lower bound. The runs are the
    rows at ``places`` of the window's ``columns``.
    """

    key: Key
    slots: Times
    seconds: Floats
    censored: Bools
    bad: Bools
    target: Floats
    columns: Columns
    places: Rows
    left_out: int
    mixed: int

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def timed(self) -> Bools:
        """Say which rows have a duration: a sample, or the lower bound of a timeout."""
        return ~np.isnan(self.seconds)

    def measures(self, phase: str, inside: Bools | None = None) -> bool:
        """Say whether ``phase`` was measured in any run, of all or of those ``inside``."""
        return bool(self.columns.measured[phase][self._places(inside)].any())

    def words(self, column: str, inside: Bools | None = None) -> list[str]:
        """Give the different words the runs, all or those ``inside``, have in ``column``, in order."""
        numbers, words = self.columns.words[column]
        return sorted(words[number] for number in np.flatnonzero(np.bincount(numbers[self._places(inside)])).tolist())

    def _places(self, inside: Bools | None) -> Rows:
        return self.places if inside is None else self.places[inside]

    def between(self, start: datetime, end: datetime) -> Bools:
        """Say which rows lie in ``start <= slot < end``."""
        return np.asarray((self.slots >= stamp(start)) & (self.slots < stamp(end)))


def stamp(value: datetime) -> np.datetime64:
    """Give the instant as the frames keep it: naive UTC microseconds."""
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")


def moment(value: np.datetime64) -> datetime:
    """Give a frame's time back as an aware one."""
    return pd.Timestamp(value).to_pydatetime().replace(tzinfo=UTC)


def key_of(values: Any) -> Key:  # noqa: ANN401  what groupby gives
    """Build the key from the values of the columns KEY."""
    site, journey, step, link, presentation, environment = map(str, values)
    population = Population(link=Link(link), presentation=Presentation(presentation))
    return Key(site=site, journey=journey, step=step, population=population, environment=environment)


def split(steps: pd.DataFrame, mixed: pd.DataFrame) -> list[Series]:
    """Give one series per step, population and environment, by key; rows come in key order."""
    return sorted(_split(steps, mixed), key=lambda series: series.key)


def _split(steps: pd.DataFrame, mixed: pd.DataFrame) -> Iterator[Series]:
    outcome = steps["outcome"]
    usable = ~outcome.isin([str(one) for one in RULES.left_out]).to_numpy(dtype=bool)
    measured = outcome.isin([str(one) for one in RULES.measured]).to_numpy(dtype=bool)
    bad = outcome.isin([str(one) for one in RULES.bad]).to_numpy(dtype=bool)
    timeout = outcome.eq(str(Outcome.TIMEOUT)).to_numpy(dtype=bool)
    seconds = np.where(measured | timeout, steps["seconds"].to_numpy(dtype=float, na_value=np.nan), np.nan)
    target = steps["target_seconds"].to_numpy(dtype=float, na_value=np.nan)
    slots = steps["slot"].to_numpy(dtype="datetime64[us]")
    columns = _columns(steps)
    apart = Counter({key_of(values): len(rows) for values, rows in mixed.groupby(KEY, observed=True).indices.items()})
    for values, found in steps.groupby(KEY, sort=True, observed=True).indices.items():
        rows = np.asarray(found)  # in the frame's order
        key, places = key_of(values), rows[usable[rows]]
        yield Series(
            key=key,
            slots=slots[places],
            seconds=seconds[places],
            censored=timeout[places],
            bad=bad[places],
            target=target[places],
            columns=columns,
            places=places,
            left_out=len(rows) - len(places),
            mixed=apart[key],
        )


def _columns(steps: pd.DataFrame) -> Columns:
    factorized = {name: pd.factorize(steps[name]) for name in WORDS}
    return Columns(
        measured={str(phase): steps[str(phase)].notna().to_numpy(dtype=bool) for phase in Phase},
        words={name: (numbers, [str(word) for word in words]) for name, (numbers, words) in factorized.items()},
    )
