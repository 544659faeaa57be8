"""A page of metrics as exporters write it: text format 0.0.4 of Prometheus, or OpenMetrics 1.0."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as of_open_metrics
from prometheus_client.parser import text_string_to_metric_families as of_text

ACCEPTED = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
_OPEN_METRICS = "application/openmetrics-text"
_NAMED = re.compile(r"(?:# (?:HELP|TYPE|UNIT) )?([a-zA-Z_:][a-zA-Z0-9_:]*)[{ \t]")
_WRONG = (ValueError, KeyError, IndexError)  # what the parsers raise for lines that are none

Labels = tuple[tuple[str, str], ...]
Page = Mapping[str, Mapping[Labels, "Point"]]


class NoPage(ValueError):
    """The text is no page of metrics."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value; ``at`` in seconds since 1970, when it was read unless the exporter says when."""

    value: float
    at: float


def parse(text: str, content_type: str, wanted: Collection[str], *, at: float) -> Page:
    """Give the points of the ``wanted`` metrics, by name and labels. Raises NoPage, which repeats nothing of the text.

    A text of OpenMetrics has to end with its mark, so that half of one is none. Lines of other metrics are not read.
    """
    families = of_open_metrics if content_type.startswith(_OPEN_METRICS) else of_text
    found: dict[str, dict[Labels, Point]] = {}
    try:
        for family in families("\n".join(_lines(text, wanted))):
            _take(family, wanted, found, at)
    except _WRONG as error:
        raise NoPage(f"no page of metrics ({type(error).__name__} where it is read)") from None
    return found


def _lines(text: str, wanted: Collection[str]) -> Iterator[str]:
    """Leave out lines that are certainly of other metrics: reading them all takes most of the time."""
    names = {form for name in wanted for form in (name, f"{name}_total", name.removesuffix("_total"))}
    for line in text.split("\n"):
        found = _NAMED.match(line)
        if found is None or found[1] in names:
            yield line


def _take(family: Metric, wanted: Collection[str], found: dict[str, dict[Labels, Point]], at: float) -> None:
    for sample in family.samples:
        # Counters without _total get it: from the parser in a text, from the exporter in OpenMetrics.
        name = sample.name if sample.name in wanted else sample.name.removesuffix("_total")
        if name in wanted:
            told = at if sample.timestamp is None else float(sample.timestamp)
            found.setdefault(name, {})[tuple(sorted(sample.labels.items()))] = Point(sample.value, told)
