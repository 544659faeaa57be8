"""Prometheus remote write into rows of ``samples``. Runs in worker processes: the loop holds the interpreter.

Labels are read once per series, not per sample: the bytes of a series that comes again are known. Nearly every
series of a body is labels and one sample, and then its last bytes are that sample. That is certain, not a guess,
once the bytes before are a message of labels by themselves: a protobuf message is its fields one after the other.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import cramjam
import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from collector.api.remote_write_messages import Request, TimeSeries, WriteRequest
from collector.api.translation import Meaning, Part, Series, Translation
from collector.mapping import MetricMapping
from collector.tables import SAMPLES

_ONE_SAMPLE = b"\x12\x10\x09"  # field 2 of 16 bytes, which begins with a double; then 0x10 and six bytes of time
_NO_VALUE = b"\x12\x07\x10"  # the same where the value is zero, which is not written
_LONG, _SHORT, _TIME = 18, 9, 0x10
_GOES_ON = 0x80  # on each byte of a number but its last
_NO_TIME = "the time of a sample is not one: it is milliseconds since 1970"
_STALE = 0x7FF0000000000002  # the NaN that says that a series has ended
_LATEST_MILLISECONDS = 7_258_118_400_000  # the year 2200
_MOST_SERIES = 50_000  # whose labels are remembered
_HIGHEST_RATIO = 22  # what snappy can reach: 64 bytes of 3


class Protocol(StrEnum):
    """Which message a body is."""

    ONE = "prometheus.WriteRequest"
    TWO = "io.prometheus.write.v2.Request"


class NotRemoteWrite(ValueError):
    """The body is not a request of remote write."""


class TooLarge(ValueError):
    """The body inflates to more than is allowed."""


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


@dataclass(slots=True)
class _Samples:
    """Samples of one body: of each what its series is, and its value and time in milliseconds."""

    series: list[Series] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    tails: list[bytes] = field(default_factory=list)  # values and times as they were sent,
    of_tails: list[Series] = field(default_factory=list)  # and their series
    others: Counter[str] = field(default_factory=Counter)

    def columns(self) -> tuple[list[Series], np.ndarray, np.ndarray]:
        """Give series, values and times of all of them. Raises NotRemoteWrite."""
        sent = np.frombuffer(b"".join(self.tails), dtype=np.uint8).reshape(-1, _LONG)
        if (sent[:, 12:17] < _GOES_ON).any() or (sent[:, 17] >= _GOES_ON).any():  # six bytes are 1971 to 2109
            raise NotRemoteWrite(_NO_TIME)
        values = np.ascontiguousarray(sent[:, 3:11]).view("<f8").ravel()
        times = (sent[:, 12:].astype(np.int64) & 0x7F) @ (1 << np.arange(0, 42, 7, dtype=np.int64))
        found = np.concatenate((values, np.array(self.values, dtype=np.float64)))
        return self.of_tails + self.series, found, np.concatenate((times, np.array(self.times, dtype=np.int64)))


class Decoder:
    """Decodes bodies for one collector; remembers the series it has seen."""

    def __init__(self, translation: Translation, *, site: str) -> None:
        self._translation = translation
        self._site = site
        self._known: dict[Hashable, Series] = {}

    def decode(self, packed: bytes, protocol: Protocol, *, limit: int) -> Decoded:
        """Decode one body of at most ``limit`` bytes inflated. Raises NotRemoteWrite, TooLarge."""
        body = _inflated(packed, limit)
        samples = _Samples()
        try:
            if protocol is Protocol.ONE:
                self._first(body, samples)
            else:
                self._second(body, samples)
        except (DecodeError, UnicodeDecodeError, IndexError) as error:
            what = f"the body is not a {protocol} ({type(error).__name__})"
            raise NotRemoteWrite(what) from None
        return _decoded(self._site, hashlib.sha256(body).hexdigest(), samples)

    def _first(self, body: bytes, samples: _Samples) -> None:
        for raw in WriteRequest.FromString(body).timeseries:
            tail = raw[-_LONG:]
            if tail[:3] == _ONE_SAMPLE and tail[-7] == _TIME:
                series = self._headed(raw[:-_LONG])
            elif tail[-_SHORT:-6] == _NO_VALUE:
                series = self._headed(raw[:-_SHORT])
                tail = _ONE_SAMPLE + bytes(8) + tail[-7:]
            else:
                series = None
            if series is not None:
                samples.tails.append(tail)
                samples.of_tails.append(series)
            else:
                message = TimeSeries.FromString(raw)
                self._whole(_pairs(message.labels), message, samples)

    def _second(self, body: bytes, samples: _Samples) -> None:
        request = Request.FromString(body)
        symbols = list(request.symbols)
        if symbols[:1] != [""]:
            raise NotRemoteWrite("the first symbol is not empty")
        for message in request.timeseries:
            words = [symbols[place] for place in message.labels_refs]
            if len(words) % 2:
                raise NotRemoteWrite("a series has a label without a value")
            self._whole(tuple(zip(words[::2], words[1::2], strict=True)), message, samples)

    def _headed(self, head: bytes) -> Series | None:
        """Give what the series is whose labels are ``head``; None when more than labels is in it, or less."""
        series = self._known.get(head)
        if series is None:
            try:
                message = TimeSeries.FromString(head)
            except (DecodeError, UnicodeDecodeError):
                return None
            if message.samples or message.histograms or message.exemplars:
                return None
            series = self._remember(head, _pairs(message.labels))
        return series

    def _whole(self, labels: tuple[tuple[str, str], ...], message: Any, samples: _Samples) -> None:  # noqa: ANN401
        series = self._known.get(labels) or self._remember(labels, labels)
        for sample in message.samples:
            samples.series.append(series)
            samples.values.append(sample.value)
            samples.times.append(sample.timestamp)
        samples.others["histogram"] += len(message.histograms)
        samples.others["exemplar"] += len(message.exemplars)

    def _remember(self, key: Hashable, labels: Iterable[tuple[str, str]]) -> Series:
        pairs = list(labels)
        named = dict(pairs)
        if len(named) < len(pairs) or "" in named or not named.get("__name__"):
            raise NotRemoteWrite("a series has no __name__, or a label that is empty or comes twice")
        if len(self._known) >= _MOST_SERIES:
            self._known.clear()
        self._known[key] = series = self._translation.of(named)
        return series


def _inflated(packed: bytes, limit: int) -> bytes:
    """Inflate a snappy block, unless the size it declares is too large, or more than its bytes can become."""
    size = 0
    for place, byte in enumerate(packed[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < _GOES_ON:
            break
    if limit < size <= len(packed) * _HIGHEST_RATIO:
        raise TooLarge(f"the body inflates to more than {limit} bytes: send smaller batches")
    if size > limit:
        raise NotRemoteWrite("the body is not a block of snappy")
    try:
        return bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError:
        raise NotRemoteWrite("the body is not a block of snappy") from None


def _pairs(labels: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401
    return tuple((label.name, label.value) for label in labels)


def _decoded(site: str, digest: str, samples: _Samples) -> Decoded:
    found, values, times = samples.columns()
    if len(times) and not 0 < times.min() <= times.max() < _LATEST_MILLISECONDS:
        raise NotRemoteWrite(_NO_TIME)
    finite, stale = np.isfinite(values), values.view(np.uint64) == _STALE
    outcomes = samples.others + Counter(stale=int(stale.sum()), not_finite=int((~finite & ~stale).sum()))
    places, meanings = [], []
    points: list[Point] = []
    lost = 0
    for place, (series, usable) in enumerate(zip(found, finite.tolist(), strict=True)):
        if not usable:
            lost += bool(series.kept or series.parts) and not stale[place]
            continue
        for meaning in series.kept:
            places.append(place)
            meanings.append(meaning)
        at, value = int(times[place]) * 1000, float(values[place])
        points += [Point(part=part, at=at, value=value) for part in series.parts]
        outcomes["kept" if series.kept or series.parts else "unknown"] += 1
    rows = _table(site, meanings, values[places], times[places]) if places else SAMPLES.empty_table()
    return Decoded(digest=digest, rows=rows, points=points, outcomes=outcomes, lost=lost)


def _table(site: str, meanings: Sequence[Meaning], values: np.ndarray, times: np.ndarray) -> pa.Table:
    scaled = values * np.fromiter((meaning.factor for meaning in meanings), np.float64, len(meanings))
    left = np.fromiter((meaning.one_minus for meaning in meanings), np.bool_, len(meanings))
    columns = {
        "at": pa.array(times * 1000).cast(pa.timestamp("us")),
        "site": pa.DictionaryArray.from_arrays(np.zeros(len(meanings), np.int32), [site]),
        "component": [meaning.component for meaning in meanings],
        "layer": [meaning.layer for meaning in meanings],
        "metric": [meaning.metric for meaning in meanings],
        "value": np.where(left, 1.0 - scaled, scaled),
        "period_seconds": pa.array([meaning.period_seconds for meaning in meanings], pa.float64()),
        "labels": [meaning.labels for meaning in meanings],
    }
    return pa.table(columns).cast(SAMPLES)


_DECODER: list[Decoder] = []  # of this worker process


def prepare(mappings: Sequence[MetricMapping], components: Mapping[str, str], site: str) -> None:
    """Get a worker process ready."""
    _DECODER[:] = [Decoder(Translation(mappings, components), site=site)]


def decode(packed: bytes, protocol: Protocol, *, limit: int) -> Decoded:
    """Decode one body in a worker process that was prepared; see ``Decoder.decode``."""
    return _DECODER[0].decode(packed, protocol, limit=limit)
