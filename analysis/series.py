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

    ``seconds`` is NaN when nothing was timed; with ``censored`` it is a lower bound. ``frame`` has
    the same rows with all columns of STEPS.
    """

    key: Key
    slots: Times
    seconds: Floats
    censored: Bools
    bad: Bools
    target: Floats
    frame: pd.DataFrame
    left_out: int

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def timed(self) -> Bools:
        """Say which rows have a duration: a sample, or the lower bound of a timeout."""
        return ~np.isnan(self.seconds)

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
    for values, rows in steps.groupby(KEY, sort=True, observed=True):
        yield _series(key_of(values), rows)


def _series(key: Key, rows: pd.DataFrame) -> Series:
    usable = rows[~rows["outcome"].isin([str(outcome) for outcome in RULES.left_out])]
    timeout = usable["outcome"].eq(str(Outcome.TIMEOUT)).to_numpy(dtype=bool)
    measured = usable["outcome"].isin([str(outcome) for outcome in RULES.measured]).to_numpy(dtype=bool)
    seconds = usable["seconds"].to_numpy(dtype=float, na_value=np.nan)
    return Series(
        key=key,
        slots=usable["slot"].to_numpy(dtype="datetime64[us]"),
        seconds=np.where(measured | timeout, seconds, np.nan),
        censored=timeout,
        bad=usable["outcome"].isin([str(outcome) for outcome in RULES.bad]).to_numpy(dtype=bool),
        target=usable["target_seconds"].to_numpy(dtype=float, na_value=np.nan),
        frame=usable,
        left_out=len(rows) - len(usable),
    )
