"""Prometheus remote write into rows of ``samples``. Runs in worker processes: the loop holds the interpreter.

Labels are read once per series, not per sample: the bytes of a series that comes again are known. Nearly every
series of a body is labels and one sample, and then its last bytes are that sample. That is certain, not a guess,
once the bytes before are a message of labels by themselves: a protobuf message is its fields one after the other.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from collector.api.book import Book
from collector.api.inflate import inflated_snappy
from collector.api.remote_write_messages import Request, TimeSeries, WriteRequest
from collector.api.translation import Part, Translation
from collector.mapping import MetricMapping

_ONE_SAMPLE = b"\x12\x10\x09"  # field 2 of 16 bytes, which begins with a double; then 0x10 and six bytes of time
_NO_VALUE = b"\x12\x07\x10"  # the same where the value is zero, which is not written
_LONG, _SHORT, _TIME = 18, 9, 0x10
_GOES_ON = 0x80  # on each byte of a number but its last
_NO_TIME = "the time of a sample is not one: it is milliseconds since 1970"
_STALE = 0x7FF0000000000002  # the NaN that says that a series has ended
_LATEST_MILLISECONDS = 7_258_118_400_000  # the year 2200
_MOST_SERIES = 50_000  # whose labels are remembered


class Protocol(StrEnum):
    """Which message a body is."""

    ONE = "prometheus.WriteRequest"
    TWO = "io.prometheus.write.v2.Request"


class NotRemoteWrite(ValueError):
    """The body is not a request of remote write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a counter, or of a gauge that is divided by another: a part of a sample. Microseconds since 1970."""

    part: Part
    at: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Rows that are complete, points of counters, and how many samples (``outcomes``) became what.

    ``lost`` counts those of known series whose values were not finite.
    """

    digest: str
    rows: pa.Table
    points: Sequence[Point]
    outcomes: Counter[str]
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A series that was seen: the numbers of what is kept of it in the book, and the parts it gives."""

    kept: Sequence[int]
    parts: Sequence[Part]


@dataclass(slots=True)
class _Samples:
    """Samples of one body: of each the place of its series, its value and its time in milliseconds."""

    places: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    of_tails: list[int] = field(default_factory=list)  # places of series, and their
    tails: list[bytes] = field(default_factory=list)  # values and times as they were sent
    others: Counter[str] = field(default_factory=Counter)

    def fit(self) -> bool:
        """Say whether all tails are what they seemed to be: one sample each."""
        joined = b"".join(self.tails)
        if len(joined) != _LONG * len(self.tails):
            return False
        sent = np.frombuffer(joined, np.uint8).reshape(-1, _LONG)
        return bool((sent[:, :3] == np.frombuffer(_ONE_SAMPLE, np.uint8)).all() and (sent[:, 11] == _TIME).all())

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give places of series, values and times of all of them. Raises NotRemoteWrite."""
        sent = np.frombuffer(b"".join(self.tails), dtype=np.uint8).reshape(-1, _LONG)
        if (sent[:, 12:17] < _GOES_ON).any() or (sent[:, 17] >= _GOES_ON).any():  # six bytes are 1971 to 2109
            raise NotRemoteWrite(_NO_TIME)
        values = np.ascontiguousarray(sent[:, 3:11]).view("<f8").ravel()
        times = (sent[:, 12:].astype(np.int64) & 0x7F) @ (1 << np.arange(0, 42, 7, dtype=np.int64))
        return (
            np.array(self.of_tails + self.places, np.int32),
            np.concatenate((values, np.array(self.values, dtype=np.float64))),
            np.concatenate((times, np.array(self.times, dtype=np.int64))),
        )


class Decoder:
    """Decodes bodies for one collector; remembers the series it has seen."""

    def __init__(self, translation: Translation, *, site: str) -> None:
        self._translation = translation
        self._site = site
        self._forget()

    def decode(self, packed: bytes, protocol: Protocol, *, limit: int) -> Decoded:
        """Decode one body of at most ``limit`` bytes inflated. Raises NotRemoteWrite, NotEncoded, TooLarge."""
        if len(self._series) > _MOST_SERIES:
            self._forget()
        body = inflated_snappy(packed, limit)
        try:
            samples = self._first(body) if protocol is Protocol.ONE else self._second(body)
        except (DecodeError, UnicodeDecodeError, IndexError) as error:
            what = f"the body is not a {protocol} ({type(error).__name__})"
            raise NotRemoteWrite(what) from None
        return self._decoded(hashlib.sha256(body).hexdigest(), samples)

    def _forget(self) -> None:
        self._book = Book()
        self._known: dict[Hashable, int] = {}  # place of a series, by its labels as they were sent
        self._series: list[_Known] = []
        self._alone = array("i")  # of each series the number in the book, if it is one sample as it is,
        self._is_alone = array("b")  # or -1 if it is nothing; others give several, or parts

    def _first(self, body: bytes) -> _Samples:
        """Read a body of 1.0: all series at once that are known and seem to have a sample each, others one by one."""
        raws = list(WriteRequest.FromString(body).timeseries)
        places = [self._known.get(raw[:-_LONG]) for raw in raws]
        samples = _Samples(
            of_tails=[place for place in places if place is not None],
            tails=[raw[-_LONG:] for raw, place in zip(raws, places, strict=True) if place is not None],
        )
        if not samples.fit():
            samples, places = _Samples(), [None] * len(raws)
        for raw, place in zip(raws, places, strict=True):
            if place is None:
                self._one(raw, samples)
        return samples

    def _one(self, raw: bytes, samples: _Samples) -> None:
        tail, place = raw[-_LONG:], None
        if tail[:3] == _ONE_SAMPLE and tail[-7] == _TIME:
            place = self._headed(raw[:-_LONG])
        elif tail[-_SHORT:-6] == _NO_VALUE:
            place = self._headed(raw[:-_SHORT])
            tail = _ONE_SAMPLE + bytes(8) + tail[-7:]
        if place is not None:
            samples.tails.append(tail)
            samples.of_tails.append(place)
        else:
            message = TimeSeries.FromString(raw)
            self._whole(_pairs(message.labels), message, samples)

    def _second(self, body: bytes) -> _Samples:
        request = Request.FromString(body)
        samples, symbols = _Samples(), list(request.symbols)
        if symbols[:1] != [""]:
            raise NotRemoteWrite("the first symbol is not empty")
        for message in request.timeseries:
            words = [symbols[place] for place in message.labels_refs]
            if len(words) % 2:
                raise NotRemoteWrite("a series has a label without a value")
            self._whole(tuple(zip(words[::2], words[1::2], strict=True)), message, samples)
        return samples

    def _headed(self, head: bytes) -> int | None:
        """Give the place of the series whose labels are ``head``; None when more than labels is in it, or less."""
        place = self._known.get(head)
        if place is None:
            try:
                message = TimeSeries.FromString(head)
            except (DecodeError, UnicodeDecodeError):
                return None
            if message.samples or message.histograms or message.exemplars:
                return None
            place = self._remember(head, _pairs(message.labels))
        return place

    def _whole(self, labels: tuple[tuple[str, str], ...], message: Any, samples: _Samples) -> None:  # noqa: ANN401
        place = self._known.get(labels)
        if place is None:
            place = self._remember(labels, labels)
        for sample in message.samples:
            samples.places.append(place)
            samples.values.append(sample.value)
            samples.times.append(sample.timestamp)
        samples.others["histogram"] += len(message.histograms)
        samples.others["exemplar"] += len(message.exemplars)

    def _remember(self, key: Hashable, labels: Iterable[tuple[str, str]]) -> int:
        pairs = list(labels)
        named = dict(pairs)
        if len(named) < len(pairs) or "" in named or not named.get("__name__"):
            raise NotRemoteWrite("a series has no __name__, or a label that is empty or comes twice")
        series = self._translation.of(named)
        known = _Known(kept=[self._book.add(meaning) for meaning in series.kept], parts=series.parts)
        self._known[key] = place = len(self._series)
        self._series.append(known)
        self._alone.append(known.kept[0] if known.kept else -1)
        self._is_alone.append(len(known.kept) <= 1 and not known.parts)
        return place

    def _decoded(self, digest: str, samples: _Samples) -> Decoded:
        places, values, times = samples.columns()
        if len(times) and not 0 < times.min() <= times.max() < _LATEST_MILLISECONDS:
            raise NotRemoteWrite(_NO_TIME)
        finite, stale = np.isfinite(values), values.view(np.uint64) == _STALE
        outcomes = samples.others + Counter(stale=int(stale.sum()), not_finite=int((~finite & ~stale).sum()))
        numbers = _at(self._alone, np.int32, places)
        alone = finite & (_at(self._is_alone, np.int8, places) != 0)
        outcomes["unknown"] += int((alone & (numbers < 0)).sum())
        outcomes["kept"] += int((finite & ~alone).sum()) + int((alone & (numbers >= 0)).sum())
        known = (numbers >= 0) | (_at(self._is_alone, np.int8, places) == 0)
        lost = int((known & ~finite & ~stale).sum())
        single = np.flatnonzero(alone & (numbers >= 0))
        several, more, points = self._several(np.flatnonzero(finite & ~alone), places, values, times)
        rows = np.concatenate((single, np.array(several, single.dtype)))
        numbers = np.concatenate((numbers[single], np.array(more, np.int32)))
        table = self._book.rows(self._site, numbers, at=times[rows] * 1000, values=values[rows])
        return Decoded(digest=digest, rows=table, points=points, outcomes=outcomes, lost=lost)

    def _several(
        self, rows: np.ndarray, places: np.ndarray, values: np.ndarray, times: np.ndarray
    ) -> tuple[list[int], list[int], list[Point]]:
        """Take samples that give several rows, or parts: give which they are, their numbers in the book, the parts."""
        found: list[int] = []
        numbers: list[int] = []
        points: list[Point] = []
        for row in rows.tolist():
            series = self._series[places[row]]
            found += [row] * len(series.kept)
            numbers += series.kept
            at, value = int(times[row]) * 1000, float(values[row])
            points += [Point(part=part, at=at, value=value) for part in series.parts]
        return found, numbers, points


def _at(numbers: "array[int]", kind: type[np.number[Any]], places: np.ndarray) -> np.ndarray:
    return np.frombuffer(numbers, kind)[places] if numbers else np.empty(0, kind)


def _pairs(labels: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401
    return tuple((label.name, label.value) for label in labels)


_DECODER: list[Decoder] = []  # of this worker process


def prepare(mappings: Sequence[MetricMapping], components: Mapping[str, str], site: str) -> None:
    """Get a worker process ready."""
    _DECODER[:] = [Decoder(Translation(mappings, components), site=site)]


def decode(packed: bytes, protocol: Protocol, *, limit: int) -> Decoded:
    """Decode one body in a worker process that was prepared; see ``Decoder.decode``."""
    return _DECODER[0].decode(packed, protocol, limit=limit)
