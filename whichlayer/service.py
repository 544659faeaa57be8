"""The owner process: collector, clockwork, analysis, pages and local agent around one store."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from prometheus_client import Histogram

from analysis.job import analyse
from collector import secret
from collector.api.workers import Workers
from collector.app import create
from collector.poll import Clockwork
from collector.registry import Registry
from collector.settings import CollectorSettings, is_loopback
from collector.store import Store
from dashboards.web.site import mount
from whichlayer import sockets
from whichlayer.data import local
from whichlayer.local_agent import LocalAgent
from whichlayer.owner import announced, operator_token, owning
from whichlayer.settings import Settings

_LOG = structlog.get_logger("whichlayer.up")
_PATIENCE_SECONDS = 10  # how long running requests may take to finish when the service is told to end

_LOOK_SECONDS = 10.0  # how often the local agent is looked after


class Exposed(Exception):
    """The service would be reachable from other machines without protection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What ``whichlayer up`` was told: the file, what it says, and who protects the address."""

    file: Path
    settings: Settings
    behind_proxy: bool = False


def serve(plan: Plan) -> None:
    """Serve until SIGTERM or SIGINT, then end cleanly. Raises Exposed and WhichlayerError."""
    settings = plan.settings
    with ExitStack() as stack:
        given = sockets.passed()
        for listener in given:
            stack.callback(listener.close)
        _protected(plan, given)
        stack.enter_context(owning(settings.collector.data))
        own = stack.enter_context(closing(sockets.bind(settings.collector.host, settings.collector.port)))
        listeners = [own, *given]
        store, registry = local(settings.collector)
        stack.callback(registry.close)
        stack.callback(store.close)
        secret.remember(operator_token(settings.collector.data, registry))
        app = create(
            store=store,
            registry=registry,
            settings=settings.collector,
            site=settings.site,
            behind_proxy=plan.behind_proxy,
        )
        mount(app, store=store, registry=registry, settings=settings.pages)
        clockwork = stack.enter_context(_clockwork(settings, store, registry, app))
        here = sockets.url(own, tls=settings.collector.tls is not None)
        stack.enter_context(announced(settings.collector.data, here))
        if settings.agent is not None:
            agent = stack.enter_context(LocalAgent(plan.file, settings.agent, registry=registry, url=here))
            clockwork.every(_LOOK_SECONDS, "local agent", agent.check)
        _LOG.info("serving", url=here, data=str(settings.collector.data), site=settings.site)
        _run(app, settings.collector, listeners, behind_proxy=plan.behind_proxy)
        _LOG.info("stopping")


def _protected(plan: Plan, given: list[socket.socket]) -> None:
    collector = plan.settings.collector
    if collector.tls is not None or plan.behind_proxy:
        return
    reachable = sockets.exposed(given) if is_loopback(collector.host) else collector.host
    if reachable is not None:
        raise Exposed(
            f"{reachable} can be reached from other machines and nothing protects it: set collector.tls with "
            "certificate and key, or say --behind-proxy if something in front of it does TLS"
        )


@contextmanager
def _clockwork(settings: Settings, store: Store, registry: Registry, app: FastAPI) -> Iterator[Clockwork]:
    clockwork = Clockwork()
    pool = Workers(1)
    flush = app.state.doors.meters.flush
    try:
        for number, entry in enumerate(settings.collector.sources):
            clockwork.read(number, entry, site=settings.site, store=store)
        clockwork.every(settings.collector.flush, "flush", _timed(flush, store.flush))
        clockwork.every(settings.collector.maintain, "maintain", lambda: store.maintain(datetime.now(UTC)))
        conclude = partial(analyse, store, registry, settings.analysis, pool=pool)
        clockwork.every(settings.analysis.interval_seconds, "analyse", lambda: conclude(now=datetime.now(UTC)))
        clockwork.start()
        yield clockwork
    finally:
        clockwork.stop()
        pool.shutdown()


def _timed(meter: Histogram, work: Callable[[], object]) -> Callable[[], None]:
    def timed() -> None:
        with meter.time():
            work()

    return timed


def _run(app: FastAPI, collector: CollectorSettings, listeners: list[socket.socket], *, behind_proxy: bool) -> None:
    tls = collector.tls
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=behind_proxy,
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _noted)  # uvicorn raises the signal again when it is done: that must not kill us
    uvicorn.Server(config).run(sockets=listeners)


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the server has its own handlers while it runs, and what follows is an orderly end."""
