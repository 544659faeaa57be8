"""``/healthz``: the process answers. ``/readyz``: it can keep facts. ``/metrics``: in numbers."""

from collections.abc import Iterable
from datetime import UTC

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from collector.api import alert_gauges, standing
from collector.api.doors import Doors, Here, authenticated
from collector.api.intake import refused
from collector.api.problem import Problem, respond
from collector.model.errors import WhichlayerError
from collector.settings import is_loopback

ROUTER = APIRouter(tags=["health"])
_HEADROOM = 0.05  # of the spool: below this the next minutes may be refused


@ROUTER.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@ROUTER.get("/readyz", responses=refused(503))
def readyz(here: Here) -> JSONResponse:
    """Say whether facts can be kept: store, registry and room in the spool, each by itself."""
    checks = {"store": _store(here), "registry": _registry(here)}
    wrong = [value for value in checks.values() if value != "ok"]
    if wrong:
        return respond(Problem(503, "; ".join(wrong), more=checks))
    return JSONResponse({"status": "ok", **checks})


@ROUTER.get("/metrics", response_class=Response, responses=refused(401))
async def metrics(request: Request, here: Here) -> Response:
    """Give the collector's own metrics; from another machine only with a token."""
    peer = request.client.host if request.client else ""
    if request.app.state.behind_proxy or not is_loopback(peer):
        await authenticated(request, here)
    text = await run_in_threadpool(_exposition, here)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _store(here: Doors) -> str:
    try:
        status = here.store.status()
    except WhichlayerError as error:
        return str(error)
    if status.spool_limit_bytes and status.spool_bytes > status.spool_limit_bytes * (1 - _HEADROOM):
        return "the spool is almost full: the lake cannot be written, or the disk is too slow"
    if status.flush_failing_since is not None:  # of what may name files: that is in the log
        since = status.flush_failing_since.astimezone(UTC).isoformat(timespec="seconds")
        return f"the lake takes no rows since {since}, they wait in the spool: the log of the collector says why"
    return "ok"


def _registry(here: Doors) -> str:
    try:
        here.registry.accounts()
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, it is not ready
        return f"the registry does not answer: {type(error).__name__}"
    return "ok"


def _exposition(here: Doors) -> bytes:
    status = here.store.status()
    since = status.flush_failing_since
    gauges = {
        "whichlayer_store_snapshot": ("number of the newest snapshot of the lake", status.snapshot),
        "whichlayer_store_hot_rows": ("facts acknowledged but not yet in the lake", status.hot_rows),
        "whichlayer_spool_bytes": ("bytes in the spool", status.spool_bytes),
        "whichlayer_spool_lost_records": ("records damaged on the disk: lost", status.spool_lost_records),
        "whichlayer_spool_limit_bytes": ("room of the spool", status.spool_limit_bytes),
        "whichlayer_store_flush_failing_since_timestamp_seconds": (
            "since when the lake takes no rows; 0 when it does",
            since.timestamp() if since else 0,
        ),
        "whichlayer_store_bytes_kept_by_pins": (
            "bytes on the disk only because a verdict's snapshot needs them",
            status.bytes_kept_by_pins,
        ),
        "whichlayer_store_batches": ("batches kept", status.batches),
        "whichlayer_store_duplicates": ("batches that came again", status.duplicates),
    }
    families = [GaugeMetricFamily(name, text, value=float(value)) for name, (text, value) in gauges.items()]
    labels = ("endpoint", "agent")
    seen = GaugeMetricFamily("whichlayer_agent_last_seen_timestamp_seconds", "when it was heard", labels=labels)
    skew = GaugeMetricFamily("whichlayer_agent_skew_seconds", "its clock minus the collector's", labels=labels)
    for agent in here.registry.agents():
        if agent.seen_at is not None and agent.revoked_at is None:
            seen.add_metric((agent.endpoint, agent.agent_id), agent.seen_at.timestamp())
            if agent.skew_seconds is not None:
                skew.add_metric((agent.endpoint, agent.agent_id), agent.skew_seconds)
    now = CollectorRegistry(auto_describe=False)
    concluded = standing.families(here.registry.standing(), here.clock())
    alerts = alert_gauges.families(here.registry.alerts(), here.registry.notices(limit=1000))
    now.register(_Given([*families, seen, skew, *concluded, *alerts]))
    return generate_latest(here.meters.registry) + generate_latest(now)


class _Given(Collector):
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
