"""The owner process: collector, clockwork, analysis, pages and local agent around one store."""

import asyncio
import signal
import socket
import ssl
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

from analysis import drops
from analysis.alerting.job import Alerting
from analysis.job import analyse
from collector import estate, secret
from collector.api.workers import Workers
from collector.app import create
from collector.model.errors import ConfigError, Mistake, PluginError
from collector.model.estate import Estate
from collector.poll import Clockwork
from collector.quality.every_minute import SECONDS, EveryMinute
from collector.registry import Registry
from collector.settings import CollectorSettings, is_loopback
from collector.store import Store
from dashboards.clock import Clock
from dashboards.web.site import mount
from whichlayer import sockets
from whichlayer.agent import check_plan
from whichlayer.alerting import SEND_SECONDS, alerting, senders
from whichlayer.data import local
from whichlayer.local_agent import LocalAgent
from whichlayer.owner import announced, operator_token, owning
from whichlayer.settings import Settings, places

_LOG = structlog.get_logger("whichlayer.up")
DROPS_EVERY = 5  # analyses: it reads 30 days
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
        _check(plan)
        stack.enter_context(owning(settings.collector.data))
        own = stack.enter_context(closing(sockets.bind(settings.collector.host, settings.collector.port)))
        listeners = [own, *given]
        store, registry = local(settings.collector)
        stack.callback(registry.close)
        stack.callback(store.close)
        registry.put_estate(_estate(settings.collector))
        secret.remember(operator_token(settings.collector.data, registry))
        app = create(
            store=store,
            registry=registry,
            settings=settings.collector,
            site=settings.site,
            behind_proxy=plan.behind_proxy,
        )
        mount(app, store=store, registry=registry, settings=settings.pages)
        here = sockets.url(own, tls=settings.collector.tls is not None)
        clockwork = stack.enter_context(_clockwork(plan, store, registry, app, here))
        stack.enter_context(announced(settings.collector.data, here))
        server = _Server(_server(app, settings.collector, behind_proxy=plan.behind_proxy))
        if settings.agent is not None:
            agent = stack.enter_context(LocalAgent(plan.file, settings.agent, registry=registry, url=here))
            clockwork.every(_LOOK_SECONDS, "local agent", agent.check)
            server.first = agent.stop
        _LOG.info("serving", url=here, data=str(settings.collector.data), site=settings.site)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _noted)  # uvicorn raises the signal again when it is done: that must not kill us
        server.run(sockets=listeners)
        _LOG.info("stopping")


def _estate(settings: CollectorSettings) -> Estate | None:
    return None if settings.estate is None else estate.read(settings.estate)


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


def _check(plan: Plan) -> None:
    """Look at what would fail only later, and again and again. Raises ConfigError."""
    _estate(plan.settings.collector)
    tls = plan.settings.collector.tls
    if tls is not None:
        try:
            # An empty passphrase makes OpenSSL fail where it would ask at the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, password="")
        except OSError as error:
            reason = error.strerror or "they are not a PEM certificate and its key, or the key has a passphrase"
            message = f"collector.tls: certificate and key cannot be used: {reason}"
            raise ConfigError([places(plan.file).at(("collector", "tls"), message)]) from None
    if plan.settings.agent is not None:
        check_plan(plan.file, with_secrets=False)


@contextmanager
def _clockwork(plan: Plan, store: Store, registry: Registry, app: FastAPI, here: str) -> Iterator[Clockwork]:
    settings = plan.settings
    clockwork = Clockwork()
    pool = Workers(1)
    flush = app.state.doors.meters.flush
    try:
        _open_sources(plan, clockwork, store)
        clockwork.every(settings.collector.flush, "flush", _timed(flush, store.flush))
        clockwork.every(settings.collector.maintain, "maintain", lambda: store.maintain(datetime.now(UTC)))
        look = EveryMinute(store=store, site=settings.site, notes=app.state.doors.notes)
        clockwork.every(SECONDS, "data quality", look)
        alerts = _alerting(plan, clockwork, registry, here)
        conclude = partial(analyse, store, registry, settings.analysis, pool=pool, alerting=alerts)
        clockwork.every(settings.analysis.interval_seconds, "analyse", lambda: conclude(now=datetime.now(UTC)))
        recount = partial(drops.refresh, store, registry, settings.analysis)
        clockwork.every(
            DROPS_EVERY * settings.analysis.interval_seconds, "drops", lambda: recount(now=datetime.now(UTC))
        )
        clockwork.start()
        yield clockwork
    finally:
        clockwork.stop()
        pool.shutdown()


def _alerting(plan: Plan, clockwork: Clockwork, registry: Registry, here: str) -> Alerting | None:
    """Let every channel send by itself; give what works out the alerts. Raises ConfigError."""
    settings = plan.settings.alerts
    if settings is None:
        return None
    for sender in senders(settings, places(plan.file), registry):
        clockwork.every(SEND_SECONDS, f"alerts by {sender.channel}", sender)
    return alerting(settings, url=here, clock=Clock(zone=plan.settings.pages.zone()))


def _open_sources(plan: Plan, clockwork: Clockwork, store: Store) -> None:
    """Open every source. Raises ConfigError with the mistakes of all of them."""
    mistakes: list[Mistake] = []
    find = places(plan.file)
    for number, entry in enumerate(plan.settings.collector.sources):
        spot = ("collector", "sources", number)
        try:
            clockwork.read(number, entry, site=plan.settings.site, store=store, data=plan.settings.collector.data)
        except ConfigError as errors:
            mistakes += find.of_settings((*spot, "settings"), errors)
        except PluginError as error:
            mistakes.append(find.at((*spot, "kind"), f"collector.sources.{number}.kind: {error}"))
    if mistakes:
        raise ConfigError(mistakes)


def _timed(meter: Histogram, work: Callable[[], object]) -> Callable[[], None]:
    def timed() -> None:
        with meter.time():
            work()

    return timed


class _Server(uvicorn.Server):
    """Does ``first`` while it still answers, when it is told to end: the local agent has rows to hand over."""

    first: Callable[[], None] | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order."""
        if self.first is not None:
            await asyncio.to_thread(self.first)
        await super().shutdown(sockets)


def _server(app: FastAPI, collector: CollectorSettings, *, behind_proxy: bool) -> uvicorn.Config:
    tls = collector.tls
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=behind_proxy,
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the server has its own handlers while it runs, and what follows is an orderly end."""
