"""What one row of Monitor says, as facts: pure, so that the same row always says the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collector.model.access import Access, Link, Presentation
from collector.model.catalogue import CATALOGUE
from collector.model.sample import Sample
from collector.model.session import EndCause, SessionEvent, SessionEventKind
from collector.pseudonym import Pseudonyms
from collector.sources.citrix.wire import Row, moment

Fact = tuple[str, Sample | SessionEvent]  # what it is of its row, and the fact: each is told once
_MS = 1e-3
_TOGETHER = timedelta(seconds=5)  # a session that ends takes its connection with it
_NO_FAILURE = {0, 1}
_FAILURES = {  # SessionFailureCode, of those that a session which was there can end with: name, who did it
    3: ("RegistrationTimeout", EndCause.HOST),
    4: ("ConnectionTimeout", EndCause.UNKNOWN),
    9: ("MaintenanceMode", EndCause.ADMIN),
    18: ("SpinUpFailed", EndCause.HOST),
    23: ("CommunicationError", EndCause.HOST),
    101: ("MachineNotFunctional", EndCause.HOST),
}
_PHASES = (  # metric, start and end
    ("session.logon.machine.start", "VMStartStartDate", "VMStartEndDate"),
    ("session.logon.hdx", "HdxStartDate", "HdxEndDate"),
    ("session.logon.policies", "GpoStartDate", "GpoEndDate"),
    ("session.logon.scripts", "LogOnScriptsStartDate", "LogOnScriptsEndDate"),
    ("session.logon.profile", "ProfileLoadStartDate", "ProfileLoadEndDate"),
    ("session.logon.interactive", "InteractiveStartDate", "InteractiveEndDate"),
)
_DURATIONS = (  # metric, milliseconds, and when
    ("session.logon.brokering", "BrokeringDuration", "BrokeringDate"),
    ("session.logon.authentication", "AuthenticationDuration", "LogOnStartDate"),
)
_CITRIX = Access(link=Link.UNKNOWN, presentation=Presentation.CITRIX, presentation_source="Citrix Monitor")
SESSION_FIELDS = "SessionKey,StartDate,EndDate,LogOnDuration,ExitCode,FailureDate,UserId,MachineId,ModifiedDate"
CONNECTION_FIELDS = ",".join(
    ("Id", "SessionKey", "IsReconnect", "ClientName", "EstablishmentDate", "ModifiedDate", "CreatedDate")
    + tuple(field for _, *fields in (*_PHASES, *_DURATIONS) for field in fields)
)
METRIC_FIELDS = "Id,SessionId,CollectedDate,IcaRttMS,IcaLatency,ModifiedDate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A machine and its delivery group, by their names here."""

    machine: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is the same for all rows of a reading. ``places`` is by machine id."""

    site: str
    environment: str
    places: Mapping[str, Place]
    nowhere: Place
    pseudonyms: Pseudonyms
    names: bool

    def place(self, machine: str | None) -> Place:
        """Say where a machine is; one that Citrix has forgotten is the source itself."""
        return self.places.get(machine or "", self.nowhere)

    def known_as(self, kind: str, name: object) -> dict[str, str]:
        """Give the label of a person or a client; none when there is no name."""
        if name in (None, ""):
            return {}
        return {kind: str(name) if self.names else self.pseudonyms.of(kind, str(name))}

    def sample(self, metric: str, at: datetime, seconds: float, place: Place, labels: Mapping[str, str]) -> Sample:
        """Make a sample of a machine."""
        return Sample(
            site=self.site,
            component=place.machine,
            layer=CATALOGUE[metric].layer,
            metric=metric,
            at=at,
            value=seconds,
            labels={"product": "citrix", "group": place.group, **labels},
        )

    def event(self, session: Row, kind: SessionEventKind, at: datetime, **more: Any) -> SessionEvent:  # noqa: ANN401
        """Make an event of a session that somebody worked in."""
        started = moment(session["StartDate"]) or at
        return SessionEvent(
            session_id=f"citrix-{self.pseudonyms.of('session', str(session['SessionKey']))}",
            site=self.site,
            endpoint=self.place(session["MachineId"]).machine,
            access=_CITRIX,
            at=at,
            kind=kind,
            open_seconds=max((at - started).total_seconds(), 0.0),
            environment=self.environment,
            synthetic=False,
            **more,
        )


def of_session(row: Row, frame: Frame) -> Iterator[Fact]:
    """Tell when a session started and ended, and how long its whole logon took."""
    started, ended, took = moment(row["StartDate"]), moment(row["EndDate"]), row["LogOnDuration"]
    if started is None or (row["FailureDate"] is not None and took is None):  # it never came to be: a failure
        return
    yield "started", frame.event(row, SessionEventKind.STARTED, started)
    if took is not None and took >= 0:
        labels = frame.known_as("user", _user(row, frame))
        place = frame.place(row["MachineId"])
        yield "logon", frame.sample("session.logon.duration", started, took * _MS, place, labels)
    if ended is not None:
        cause, detail = _why(row, ended)
        yield "ended", frame.event(row, SessionEventKind.ENDED, ended, cause=cause, detail=detail)


def of_connection(row: Row, frame: Frame) -> Iterator[Fact]:
    """Tell the parts of a logon that are over, and that a session was taken up again."""
    session = row["Session"] or {"StartDate": None, "MachineId": None, "UserId": None, "SessionKey": row["SessionKey"]}
    place, again = frame.place(session["MachineId"]), bool(row["IsReconnect"])
    labels = frame.known_as("user", _user(session, frame)) | frame.known_as("client", row["ClientName"])
    if again:
        labels["reconnect"] = "yes"
    for metric, first, last in _PHASES:
        start, end = moment(row[first]), moment(row[last])
        if start is not None and end is not None and end >= start:
            yield metric, frame.sample(metric, end, (end - start).total_seconds(), place, labels)
    for metric, field, when in _DURATIONS:
        at, took = moment(row[when]) or moment(row["CreatedDate"]), row[field]
        if took is not None and took >= 0 and at is not None:
            yield metric, frame.sample(metric, at, took * _MS, place, labels)
    established = moment(row["EstablishmentDate"])
    if again and established is not None and session["StartDate"] is not None:
        yield "reconnected", frame.event(session, SessionEventKind.RECONNECTED, established)


def of_metric(row: Row, frame: Frame) -> Iterator[Fact]:
    """Tell both ICA times: the round trip has the host's part in it, the latency has not."""
    at = moment(row["CollectedDate"])
    place = frame.place((row["Session"] or {}).get("MachineId"))
    labels = {"session": frame.pseudonyms.of("session", str(row["SessionId"]))}
    for metric, field in (("session.ica.roundtrip", "IcaRttMS"), ("session.ica.latency", "IcaLatency")):
        took = row.get(field)  # an older Monitor has no IcaLatency
        if at is not None and took is not None and took >= 0:
            yield metric, frame.sample(metric, at, took * _MS, place, labels)


def _user(row: Row, frame: Frame) -> object:
    return ((row.get("User") or {}).get("UserName") if frame.names else None) or row["UserId"]


def _why(row: Row, ended: datetime) -> tuple[EndCause, str]:
    """Say why a session ended, by what is documented: neither exit nor disconnect codes are, so they are only told."""
    code = (row.get("Failure") or {}).get("ConnectionFailureEnumValue")
    last = row.get("CurrentConnection") or {}
    exits = f"exit code {row['ExitCode']}"
    if code is not None and code not in _NO_FAILURE:
        name, cause = _FAILURES.get(code, ("failure", EndCause.UNKNOWN))
        return cause, f"Citrix: {name} ({code}), {exits}"
    gone = moment(last.get("DisconnectDate"))
    if last and (gone is None or gone >= ended - _TOGETHER):
        return EndCause.USER, f"logged off while connected, {exits}"
    if gone is not None:
        away = (ended - gone).total_seconds()
        return (
            EndCause.UNKNOWN,
            f"ended {away:.0f} s after it was disconnected (code {last['DisconnectCode']}), {exits}",
        )
    return EndCause.UNKNOWN, f"ended while nobody was connected, {exits}"
