"""Facts to put into a store."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from collector.model.access import Access, Link, Presentation
from collector.model.host_event import HostEvent, HostLog
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.model.session import EndCause, Kept, SessionEvent, SessionEventKind
from collector.store import Batch, Slice

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVER = Slice(start=T0 - timedelta(days=400), end=T0 + timedelta(days=400))


def step(
    seconds: float | None = 1.0, outcome: Outcome = Outcome.OK, name: str = "save", target: float | None = 2.0
) -> StepTiming:
    return StepTiming(
        step=name,
        outcome=outcome,
        seconds=seconds,
        censored=outcome is Outcome.TIMEOUT,
        phases={Phase.PROCESSING: seconds / 2} if seconds else {},
        target_seconds=target,
    )


def run(number: int, *steps: StepTiming, at: datetime = T0, link: Link = Link.WIFI, endpoint: str = "desk-1") -> Run:
    return Run(
        run_id=f"{number:032x}",
        site="north",
        endpoint=endpoint,
        access=Access(link=link, presentation=Presentation.LOCAL, confidence=1.0),
        journey="case-record",
        journey_hash="0123456789abcdef",
        slot=at,
        started_at=at + timedelta(seconds=1),
        seconds=2.0,
        outcome=Outcome.OK,
        steps=steps or (step(),),
        facts={"release": "3.58"},
    )


def sample(value: float, at: datetime = T0, component: str = "lun-7") -> Sample:
    return Sample(
        site="north",
        component=component,
        layer=Layer.STORAGE,
        metric="storage.write.latency",
        at=at,
        value=value,
        labels={"volume": "wal"},
    )


def ended(at: datetime = T0) -> SessionEvent:
    return SessionEvent(
        session_id="s-1",
        site="north",
        endpoint="desk-1",
        access=Access(link=Link.WIRED, presentation=Presentation.CITRIX),
        at=at,
        kind=SessionEventKind.ENDED,
        open_seconds=3600.0,
        cause=EndCause.NETWORK,
        journey="case-record",
    )


def read_back(at: datetime = T0 + timedelta(minutes=5)) -> SessionEvent:
    return SessionEvent(
        session_id="s-1",
        site="north",
        endpoint="desk-1",
        access=Access(link=Link.WIRED, presentation=Presentation.CITRIX),
        at=at,
        kind=SessionEventKind.READ_BACK,
        open_seconds=3600.0,
        saved_work=Kept.KEPT,
        unsaved_work=Kept.LOST,
        at_risk_seconds=41.5,
    )


def logged(at: datetime = T0) -> HostEvent:
    return HostEvent(
        site="north",
        host="ts01",
        at=at,
        log=HostLog.SESSIONS,
        event_number=40,
        said="disconnected: idle time limit (reason 3)",
        cause=EndCause.IDLE,
        code=3489661057,
        session=4,
    )


def batch(number: int, *runs: Run, samples: tuple[Sample, ...] = ()) -> Batch:
    return Batch(batch_id=f"agent-1:{number}", sender="agent-1", runs=runs, samples=samples)


def run_ids(rows: pa.Table) -> list[int]:
    return [int(value, 16) for value in rows.column("run_id").to_pylist()]
