"""How old, how big and how long: what was delivered, held against its limits."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from collector.document import seconds
from collector.model.run import Outcome
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.page import Fill, Page, find
from probes.journey.link import Limits, Report
from probes.journey.request import Capture

AHEAD_SECONDS = 300.0  # a delivery dated further into the future has no age: two clocks differ
_CLOCK = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_WEIGHTS = (86400.0, 3600.0, 60.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The last delivery. ``age_seconds`` is negative when its clock is ahead; ``size`` is in bytes."""

    age_seconds: float
    size: int
    took_seconds: float | None = None

    @property
    def facts(self) -> Mapping[str, str]:
        """Give it as a run keeps it."""
        facts = {"age": f"{self.age_seconds:.0f} s", "size": f"{self.size} By"}
        return facts if self.took_seconds is None else {**facts, "took": f"{self.took_seconds:g} s"}

    def judge(self, limits: Limits) -> None:
        """Hold it against the limits. Raises StepEnded with the first that it breaks."""
        if self.age_seconds < -AHEAD_SECONDS:
            raise StepEnded(
                Outcome.NOT_READY,
                "clock",
                f"dated {-self.age_seconds:.0f} s in the future: clocks differ, no age known",
            )
        for kind, message in self._broken(limits):
            raise StepEnded(Outcome.FAILED, kind, message)

    def _broken(self, limits: Limits) -> Iterator[tuple[str, str]]:
        age, took = self.age_seconds, self.took_seconds
        if age > limits.oldest:
            yield "stale", f"the newest is {_span(age)} old, at most {_span(limits.oldest)} is expected"
        if limits.smallest is not None and self.size < limits.smallest:
            yield "small", f"the newest has {self.size} bytes, at least {limits.smallest} are expected"
        if limits.largest is not None and self.size > limits.largest:
            yield "large", f"the newest has {self.size} bytes, at most {limits.largest} are expected"
        longest = limits.longest if isinstance(limits, Report) else None
        if longest is not None and took is not None and took > longest:
            yield "long", f"the job took {_span(took)}, at most {_span(longest)} is expected"


def delivery(
    report: Report, page: Page, fill: Fill, *, size: int, now: datetime, changed: datetime | None = None
) -> Delivery:
    """Find the delivery in what a report says; ``size`` and ``changed`` are those of its file. Raises StepEnded.

    The age of an answer is counted to the ``Date`` of the same answer: both are of one clock.
    """
    finished = _finished(report, page, fill, changed)
    told = _time(page.headers.get("date"), report) if changed is None else None
    took = _number(report.took, page, fill, "took", _duration)
    if took is None and report.started is not None:
        took = (finished - _moment(report.started, report, page, fill, "started")).total_seconds()
        if took < 0:
            raise _unclear("finished", "lies before started: correct them, or the job is running")
    told_size = _number(report.size, page, fill, "size", _bytes)
    return Delivery(
        age_seconds=((told or now) - finished).total_seconds(),
        size=size if told_size is None else round(told_size),
        took_seconds=took,
    )


def _finished(report: Report, page: Page, fill: Fill, changed: datetime | None) -> datetime:
    if report.finished is not None:
        return _moment(report.finished, report, page, fill, "finished")
    found = changed or _time(page.headers.get("last-modified"), report)
    if found is None:
        raise _unclear("Last-Modified", "is not in the answer: say where the time stands with finished")
    return found


def _moment(capture: Capture, report: Report, page: Page, fill: Fill, name: str) -> datetime:
    written = find(page, capture, fill)
    found = _time(written, report)
    if found is None:
        raise _unclear(name, "is not there" if written is None else "is not a time: give its time_format")
    return found


def _time(written: str | None, report: Report) -> datetime | None:
    """Read a time; None if it is none. Those without a zone are of the report's."""
    text = (written or "").strip()
    if not text:
        return None
    zone = ZoneInfo(report.zone)
    for read in (_formatted, _unix, _iso, _http):
        try:
            found = read(text, report.time_format)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            return found if found.tzinfo is not None else found.replace(tzinfo=zone)
    return None


def _formatted(text: str, form: str | None) -> datetime | None:
    return datetime.strptime(text, form) if form is not None else None  # noqa: DTZ007  the zone follows


def _unix(text: str, _form: str | None) -> datetime | None:
    return datetime.fromtimestamp(float(text), UTC) if re.fullmatch(r"\d{9,11}(\.\d+)?", text) else None


def _iso(text: str, _form: str | None) -> datetime | None:
    return datetime.fromisoformat(text)


def _http(text: str, _form: str | None) -> datetime | None:
    return parsedate_to_datetime(text)


def _number(capture: Capture | None, page: Page, fill: Fill, name: str, read: Callable[[str], float]) -> float | None:
    if capture is None:
        return None
    written = find(page, capture, fill)
    if written is None:
        raise _unclear(name, "is not there")
    try:
        return read(written)
    except ValueError:
        raise _unclear(name, "cannot be read") from None


def _duration(written: str) -> float:
    """Read a duration as jobs write it. Raises ValueError."""
    text = written.strip()
    if match := _CLOCK.fullmatch(text):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    if (match := _ISO.fullmatch(text)) and any(match.groups()):
        return sum(weight * float(part or 0) for weight, part in zip(_WEIGHTS, match.groups(), strict=True))
    try:
        return seconds(float(text))
    except ValueError:
        return seconds(text)


def _bytes(written: str) -> float:
    """Read a size in bytes. Raises ValueError."""
    size = float(written)
    if not math.isfinite(size) or size < 0:
        raise ValueError("is no size")
    return size


def _unclear(name: str, message: str) -> StepEnded:
    return StepEnded(Outcome.BROKEN, "capture", f"{name} {message}")


def _span(value: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if value >= 2 * size:
            return f"{value / size:.1f} {unit}"
    return f"{value:.0f} s"
