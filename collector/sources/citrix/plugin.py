"""The ``citrix`` source: what was modified since the last reading, each fact of each row told once.

Sets are asked for by ``ModifiedDate``, some minutes further back than the last reading came, since Citrix writes rows
late and changes them: a logon gains its phases, a session its end. Failures are counted when their period is over.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.document import validate
from collector.model.catalogue import CATALOGUE
from collector.model.checks import as_name
from collector.model.errors import SourceError
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.model.session import SessionEvent
from collector.pseudonym import Pseudonyms
from collector.sources.citrix import rows
from collector.sources.citrix.memory import Memory, Progress
from collector.sources.citrix.rows import Frame, Place
from collector.sources.citrix.settings import CitrixSettings
from collector.sources.citrix.wire import Monitor, Row, moment, written

_MOST_AT_ONCE = timedelta(hours=6)  # after an outage: a reading that fails starts again
_FAILURES = "ConnectionFailureLogs"
_PLACES_LAST = timedelta(minutes=10)
_PERIOD = timedelta(minutes=5)  # of a rate of failures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """A set that is asked for by ModifiedDate. ``forget`` is how long after that a row may still change."""

    name: str
    key: str
    query: Mapping[str, str]
    facts: Callable[[Row, Frame], Iterator[rows.Fact]]
    forget: timedelta


def _sets(*, names: bool) -> tuple[_Set, ...]:
    who = ",User($select=UserName)" if names else ""
    failure = "Failure($select=ConnectionFailureEnumValue)"
    last = "CurrentConnection($select=DisconnectCode,DisconnectDate)"
    inner = "($select=SessionKey,StartDate,UserId,MachineId" + (";$expand=User($select=UserName))" if names else ")")
    long, brief = timedelta(days=30), timedelta(days=1)
    asked = (
        ("Sessions", "SessionKey", rows.SESSION_FIELDS, f"{failure},{last}{who}", rows.of_session, long),
        ("Connections", "Id", rows.CONNECTION_FIELDS, f"Session{inner}", rows.of_connection, long),
        ("SessionMetrics", "Id", rows.METRIC_FIELDS, "Session($select=MachineId)", rows.of_metric, brief),
    )
    return tuple(
        _Set(name=name, key=key, query={"$select": fields, "$expand": more}, facts=facts, forget=forget)
        for name, key, fields, more, facts, forget in asked
    )


@dataclass(slots=True, kw_only=True)
class OpenCitrix:
    """Remembers in its memory; without ``resume`` only until it is closed."""

    site: str
    component: str
    settings: CitrixSettings
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _memory: Memory = field(default_factory=Memory)
    _pseudonyms: Pseudonyms = field(default_factory=Pseudonyms.passing)
    _monitor: Monitor | None = None
    _places: dict[str, Place] = field(default_factory=dict)
    _groups: set[str] = field(default_factory=set)
    _look_for_places: datetime | None = None
    _name: str = ""

    def resume(self, data: Path) -> None:
        """Go on where it was: with the memory and the key in the collector's data folder."""
        self._memory.close()
        self._memory = Memory(data / "sources" / f"citrix-{self.component}.sqlite")
        self._pseudonyms = Pseudonyms.of_site(data)

    def read(self) -> Facts:
        """Give what is new; the same again until ``kept`` was called. Raises SourceError: then nothing was lost."""
        if self._memory.given() is None:
            self._look()
        name, facts = self._memory.given() or ("", Facts())
        self._name = name
        return facts

    def name(self) -> str:
        """Name what ``read`` gave last: the same facts have the same name, also after a restart."""
        return self._name

    def kept(self) -> None:
        """Take note that what ``read`` gave last is on disk."""
        self._memory.kept()

    def close(self) -> None:
        """Let go of the connection and the memory."""
        self._hang_up()
        self._memory.close()

    def _look(self) -> None:
        now = self.clock()
        progress = Progress()
        found: list[Sample | SessionEvent] = []
        try:
            monitor = self._monitor = self._monitor or Monitor(self.settings)
            if self._look_for_places is None or now >= self._look_for_places:
                self._find_places(monitor)
                self._look_for_places = now + _PLACES_LAST
            for one in _sets(names=self.settings.names):
                found += self._modified(monitor, one, progress, now)
            found += self._failures(monitor, progress, now)
        except SourceError:
            self._hang_up()
            raise
        samples = tuple(fact for fact in found if isinstance(fact, Sample))
        sessions = tuple(fact for fact in found if isinstance(fact, SessionEvent))
        self._memory.give(Facts(samples=samples, sessions=sessions), progress, now=now)

    def _hang_up(self) -> None:
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.close()

    def _modified(
        self, monitor: Monitor, one: _Set, progress: Progress, now: datetime
    ) -> Iterator[Sample | SessionEvent]:
        mark = self._memory.mark(one.name) or now - timedelta(seconds=self.settings.since)
        end = mark + _MOST_AT_ONCE
        wanted = f"ModifiedDate ge {written(mark - timedelta(seconds=self.settings.overlap))}"
        if end < now:
            wanted += f" and ModifiedDate lt {written(end)}"
        frame, newest = self._frame(), mark
        for page in monitor.pages(one.name, {"$filter": wanted, "$orderby": "ModifiedDate", **one.query}):
            keys = [self._pseudonyms.of(one.name, str(_of(row, one.key, one.name))) for row in page]
            told = self._memory.told(keys)
            for key, row in zip(keys, page, strict=True):
                at = _modified_at(row, one.name)
                newest = max(newest, at)
                known = progress.told[key][0] if key in progress.told else told.get(key, frozenset())
                fresh = [(kind, fact) for kind, fact in _facts(one, row, frame) if kind not in known]
                if fresh or known:  # what changes again is remembered for longer
                    progress.told[key] = known | {kind for kind, _ in fresh}, max(at, now) + one.forget
                yield from (fact for _, fact in fresh)
        progress.marks[one.name] = end if end < now else newest

    def _failures(self, monitor: Monitor, progress: Progress, now: datetime) -> Iterator[Sample]:
        """Count the failures of each delivery group in periods that Citrix has had the time to write up."""
        seconds = _PERIOD.total_seconds()
        settled = now.timestamp() - self.settings.overlap
        mark = self._memory.mark(_FAILURES)
        end = datetime.fromtimestamp(settled // seconds * seconds, UTC)
        start = mark or end - timedelta(seconds=self.settings.since // seconds * seconds)
        end = min(end, start + _MOST_AT_ONCE)
        progress.marks[_FAILURES] = max(start, end)
        if end <= start:
            return
        counts = dict.fromkeys(
            ((slot, group) for slot in range(int((end - start) / _PERIOD)) for group in self._groups), 0
        )
        frame = self._frame()
        wanted = f"FailureDate ge {written(start)} and FailureDate lt {written(end)}"
        for page in monitor.pages(_FAILURES, {"$filter": wanted, "$select": "Id,FailureDate,MachineId"}):
            for row in page:
                at = moment(_of(row, "FailureDate", _FAILURES))
                if at is not None and start <= at < end:
                    key = (int((at - start) / _PERIOD), frame.place(_of(row, "MachineId", _FAILURES)).group)
                    counts[key] = counts.get(key, 0) + 1
        for (slot, group), count in sorted(counts.items()):
            yield Sample(
                site=self.site,
                component=group,
                layer=CATALOGUE["session.failures"].layer,
                metric="session.failures",
                at=start + (slot + 1) * _PERIOD,
                value=count / seconds,
                period_seconds=seconds,
                labels={"product": "citrix"},
            )

    def _find_places(self, monitor: Monitor) -> None:
        """Learn the names of machines and delivery groups, all of them: a new one has none for some minutes."""
        groups = {
            str(_of(row, "Id", "DesktopGroups")): as_name(str(_of(row, "Name", "DesktopGroups"))) or self.component
            for page in monitor.pages("DesktopGroups", {"$select": "Id,Name", "$filter": "LifecycleState eq 0"})
            for row in page
        }
        for page in monitor.pages("Machines", {"$select": "Id,Name,DesktopGroupId"}):
            for row in page:
                name = str(_of(row, "Name", "Machines")).rpartition("\\")[2]
                group = groups.get(str(row["DesktopGroupId"]), self.component)
                self._places[str(row["Id"])] = Place(machine=as_name(name) or self.component, group=group)
        self._groups = set(groups.values())

    def _frame(self) -> Frame:
        return Frame(
            site=self.site,
            environment=self.settings.environment,
            places=self._places,
            nowhere=Place(machine=self.component, group=self.component),
            pseudonyms=self._pseudonyms,
            names=self.settings.names,
        )


class _Citrix:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenCitrix:
        """Open with CitrixSettings; connects at the first reading. Raises ConfigError."""
        checked = validate(settings, CitrixSettings, file="collector.sources")
        return OpenCitrix(site=site, component=component, settings=checked)


PLUGIN = _Citrix()


def _facts(one: _Set, row: Row, frame: Frame) -> list[rows.Fact]:
    try:
        return list(one.facts(row, frame))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"a row of {one.name} is not as documented: {type(error).__name__}") from None


def _of(row: Row, name: str, where: str) -> Any:  # noqa: ANN401  as it came
    try:
        return row[name]
    except (KeyError, TypeError):
        raise SourceError(f"a row of {where} has no {name}") from None


def _modified_at(row: Row, where: str) -> datetime:
    try:
        at = moment(_of(row, "ModifiedDate", where))
    except (TypeError, ValueError):
        at = None
    if at is None:
        raise SourceError(f"a row of {where} has no ModifiedDate that is a time")
    return at
