"""Changes and verdicts of the registry as lines of JSON. Nothing else of the registry ever leaves by this way."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from collector.model.change import Change
from collector.model.verdict import Verdict
from collector.registry import Registry

RECORDS: dict[str, TypeAdapter[Change] | TypeAdapter[Verdict]] = {
    "changes": TypeAdapter(Change),
    "verdicts": TypeAdapter(Verdict),
}
_AT_ONCE = 1000  # verdicts; one is up to 20 kB
_SHORT = timedelta(hours=1)
_Ask = Callable[[datetime, datetime, int], Sequence[Verdict]]


def lines(registry: Registry, part: str, start: datetime, end: datetime, sites: Sequence[str]) -> Iterator[bytes]:
    """Give each change, or each verdict, that overlaps the period as one line; of all sites when none is named."""
    found = registry.changes(start, end) if part == "changes" else _verdicts(registry, start, end)
    for record in found:
        if not sites or record.site in sites:
            yield RECORDS[part].dump_json(record)  # type: ignore[arg-type]  # each kind meets its own shape


def _verdicts(registry: Registry, start: datetime, end: datetime) -> Iterator[Verdict]:
    """Give each verdict once, though one that overlaps several periods is read in each of them."""
    seen: set[str] = set()
    for verdict in halved(lambda a, b, limit: registry.verdicts(a, b, limit=limit), start, end):
        if verdict.id not in seen:
            seen.add(verdict.id)
            yield verdict


def halved(ask: _Ask, start: datetime, end: datetime, limit: int = _AT_ONCE) -> Iterator[Verdict]:
    """Ask for a period, and for its halves when the answer is as long as it may be."""
    found = ask(start, end, limit)
    if len(found) < limit:
        yield from found
    elif end - start <= _SHORT:
        yield from halved(ask, start, end, limit * 10)
    else:
        middle = start + (end - start) / 2
        yield from halved(ask, start, middle, limit)
        yield from halved(ask, middle, end, limit)
