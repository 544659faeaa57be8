"""What an agent sends, as JSON text: one row at a time, so that the outbox never has to read it."""

from datetime import UTC, datetime

from pydantic import TypeAdapter

from collector.model.layer import Layer
from collector.model.run import Run
from collector.model.sample import Sample
from collector.model.session import SessionEvent
from probes.agent.outbox import Batch, Loss

_RUN = TypeAdapter(Run)
_SAMPLE = TypeAdapter(Sample)
_SESSION = TypeAdapter(SessionEvent)


def run_json(run: Run) -> str:
    """Write one run."""
    return _RUN.dump_json(run).decode()


def sample_json(sample: Sample) -> str:
    """Write one sample."""
    return _SAMPLE.dump_json(sample).decode()


def session_json(event: SessionEvent) -> str:
    """Write one event of a session held open."""
    return _SESSION.dump_json(event).decode()


def body(batch: Batch, *, now: datetime) -> bytes:
    """Write one request; from ``now`` the collector sees how far this clock is off."""
    sent_at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    rows = ",".join(batch.rows)
    head = f'"sequence":{batch.sequence},"sent_at":"{sent_at}"'
    return f'{{{head},"{batch.kind}":[{rows}]}}'.encode()


def own_sample(metric: str, value: float, *, site: str, endpoint: str, at: datetime, **labels: str) -> Sample:
    """Make a sample about the agent itself."""
    return Sample(
        site=site, component=endpoint, layer=Layer.ENDPOINT, metric=metric, at=at, value=value, labels=labels
    )  # fmt: skip


def loss_json(loss: Loss, *, site: str, endpoint: str) -> str:
    """Write what was dropped as a sample: missing data is a fact about the data."""
    sample = own_sample(
        "agent.outbox.dropped", float(loss.rows), site=site, endpoint=endpoint, at=loss.last,
        kind=str(loss.kind), since=loss.first.isoformat(),
    )  # fmt: skip
    return sample_json(sample)
