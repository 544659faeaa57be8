"""The runs of one step, population and environment in time order, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.counting import RULES
from analysis.statistics import Floats
from collector.model.access import Link, Population, Presentation
from collector.model.run import Outcome

Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]

KEY = ["site", "journey", "step", "link", "presentation", "environment"]


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
class Series:
    """Runs that say something of the service, by slot; ``left_out`` counts those that do not.

    ``seconds`` is NaN when nothing was timed; with ``censored`` it is a lower bound. The runs are the
    rows at ``places`` of ``steps``, the window's frame.
    """

    key: Key
    slots: Times
    seconds: Floats
    censored: Bools
    bad: Bools
    target: Floats
    steps: pd.DataFrame
    places: npt.NDArray[np.intp]
    left_out: int

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def timed(self) -> Bools:
        """Say which rows have a duration: a sample, or the lower bound of a timeout."""
        return ~np.isnan(self.seconds)

    def knows(self, column: str, inside: Bools | None = None) -> bool:
        """Say whether any run, of all or of those ``inside``, has a number in ``column``."""
        numbers = self.steps[column].to_numpy(dtype=float, na_value=np.nan)
        return not bool(np.isnan(numbers[self._rows(inside)]).all())

    def words(self, column: str, inside: Bools | None = None) -> list[str]:
        """Give the different words the runs, all or those ``inside``, have in ``column``, in order."""
        return sorted(str(word) for word in pd.unique(self.steps[column].array.take(self._rows(inside))))

    def _rows(self, inside: Bools | None) -> npt.NDArray[np.intp]:
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


def split(steps: pd.DataFrame) -> list[Series]:
    """Give one series per step, population and environment, by key; rows come in key order."""
    return sorted(_split(steps), key=lambda series: series.key)


def _split(steps: pd.DataFrame) -> Iterator[Series]:
    outcome = steps["outcome"]
    usable = ~outcome.isin([str(one) for one in RULES.left_out]).to_numpy(dtype=bool)
    measured = outcome.isin([str(one) for one in RULES.measured]).to_numpy(dtype=bool)
    bad = outcome.isin([str(one) for one in RULES.bad]).to_numpy(dtype=bool)
    timeout = outcome.eq(str(Outcome.TIMEOUT)).to_numpy(dtype=bool)
    seconds = np.where(measured | timeout, steps["seconds"].to_numpy(dtype=float, na_value=np.nan), np.nan)
    target = steps["target_seconds"].to_numpy(dtype=float, na_value=np.nan)
    slots = steps["slot"].to_numpy(dtype="datetime64[us]")
    for values, rows in steps.groupby(KEY, sort=True, observed=True).indices.items():
        places = np.sort(rows)[usable[np.sort(rows)]]
        yield Series(
            key=key_of(values),
            slots=slots[places],
            seconds=seconds[places],
            censored=timeout[places],
            bad=bad[places],
            target=target[places],
            steps=steps,
            places=places,
            left_out=len(rows) - len(places),
        )
