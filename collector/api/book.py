"""The series a worker process has seen, by number: what their rows say besides time and value, written once."""

from array import array
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from collector.api.translation import Meaning
from collector.tables import SAMPLES

_FEW = 50
Numbers = np.ndarray  # of int32


class _Words:
    """One column of words: which word each series has."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._of_series = array("i")

    def add(self, word: str) -> None:
        self._of_series.append(self._places.setdefault(word, len(self._places)))

    def column(self, numbers: Numbers) -> pa.DictionaryArray:
        """Give the words of these series, each written once; a few that no row uses are quicker left in."""
        if len(self._places) <= _FEW:
            places = np.frombuffer(self._of_series, np.int32)[numbers]
            return pa.DictionaryArray.from_arrays(pa.array(places), list(self._places))
        used, places = np.unique(np.frombuffer(self._of_series, np.int32)[numbers], return_inverse=True)
        words = pa.array(list(self._places), pa.string()).take(pa.array(used))
        return pa.DictionaryArray.from_arrays(places.astype(np.int32), words)


class Book:
    """Grows by one series at a time; gives tables of rows from columns of numbers."""

    def __init__(self) -> None:
        self._words = {name: _Words() for name in ("component", "layer", "metric")}
        self._labels: list[str] = []
        self._factors = array("d")
        self._turned = array("b")
        self._periods = array("d")

    def __len__(self) -> int:
        return len(self._labels)

    def add(self, meaning: Meaning) -> int:
        """Give the number of a new series."""
        for name, words in self._words.items():
            words.add(getattr(meaning, name))
        self._labels.append(meaning.labels)
        self._factors.append(meaning.factor)
        self._turned.append(meaning.one_minus)
        self._periods.append(np.nan if meaning.period_seconds is None else meaning.period_seconds)
        return len(self._labels) - 1

    def rows(
        self, site: str, numbers: Numbers, *, at: np.ndarray, values: np.ndarray, periods: np.ndarray | None = None
    ) -> pa.Table:
        """Give one row of ``samples`` per number; ``at`` is microseconds since 1970, ``periods`` NaN where unknown.

        Without ``periods`` they are those of the series. Values are scaled as the series says.
        """
        if not len(numbers):
            return SAMPLES.empty_table()
        scaled = values * np.frombuffer(self._factors)[numbers]
        turned = np.frombuffer(self._turned, np.int8)[numbers] != 0
        seconds = np.frombuffer(self._periods)[numbers] if periods is None else periods
        words = {name: words.column(numbers) for name, words in self._words.items()}
        columns: dict[str, pa.Array | Sequence[float]] = {
            "at": pa.array(at.astype("datetime64[us]")),
            "site": pa.DictionaryArray.from_arrays(np.zeros(len(numbers), np.int32), [site]),
            **words,
            "value": pa.array(np.where(turned, 1.0 - scaled, scaled)),
            "period_seconds": pa.array(seconds, mask=np.isnan(seconds)),
            "labels": pa.array([self._labels[number] for number in numbers.tolist()], pa.string()),
        }
        return pa.table({name: columns[name] for name in SAMPLES.names})
