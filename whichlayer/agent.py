"""What ``whichlayer agent`` does: the configuration file into a plan, the plan into a working agent."""

import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from collector import secret
from collector.model.errors import WhichlayerError
from collector.model.run import Run
from collector.model.session import SessionEvent
from probes.account import Accounts
from probes.agent import plan as plans
from probes.agent import wire
from probes.agent.agent import Agent, Parts, Walker, place_of, state_lock
from probes.agent.budget import Demand
from probes.agent.delivery import Delivery, Sender
from probes.agent.outbox import Kind, Outbox
from probes.agent.plan import Plan
from probes.agent.settings import AgentSettings
from probes.agent.sheet import Sheet, describe
from probes.agent.sign_in import SignIns
from probes.agent.slots import Slots
from probes.context.standing import Lookout
from probes.credentials import Credentials, Enrolment, save
from probes.doors import Doors
from probes.lock import held
from probes.sessions.keeper import Home, Keeper
from whichlayer.settings import agent_of, places

ACCOUNTS = "accounts"
ONCE_PATIENCE_SECONDS = 30.0


def check_plan(config: Path, *, with_secrets: bool = True) -> list[Demand]:
    """Check everything, secrets too unless told; give what the plan asks of the system. Raises ConfigError."""
    plan = _plan(config, with_secrets=with_secrets)
    _close(plan)
    return plan.demands()


def describe_plan(config: Path) -> Sheet:
    """Write the sheet for change control of a plan. Raises ConfigError."""
    plan = _plan(config)
    try:
        return describe(plan, version=version("whichlayer"), python=platform.python_version())
    finally:
        _close(plan)


def walk_plan(config: Path, only: Path | None = None) -> Iterator[Run]:
    """Walk each journey of the plan now, under the same account rules as the agent."""
    plan = _plan(config)
    try:
        walks = [one for one in plan.walks if only is None or one.entry.file.resolve() == only.resolve()]
        if not walks:
            what = (
                "names no journey"
                if only is None
                else f"does not name {only}: it has " + ", ".join(str(one.entry.file) for one in plan.walks)
            )
            raise WhichlayerError(f"{config} {what}")
        with ExitStack() as stack:
            accounts = Accounts(plan.settings.state / ACCOUNTS, _doors_if_enrolled(plan.settings, stack))
            walker = Walker(plan, accounts, stack.enter_context(closing(Lookout())))
            for planned in walks:
                slot = Slots(planned.entry.every).at(datetime.now(UTC))
                yield walker.walk(planned, slot, patience=ONCE_PATIENCE_SECONDS)
    finally:
        _close(plan)


def enrol_agent(config: Path, code: str, *, url: str | None = None) -> Path:
    """Enrol the agent of ``config``; give where its token is kept."""
    _, settings = agent_of(config)
    doors = Doors(_url(settings, url), ca_file=_ca_file(settings))
    try:
        agent_id, token = doors.enrol(code, endpoint=settings.endpoint)
    finally:
        doors.close()
    return save(settings.state, Credentials(agent_id=agent_id, token=token))


def resume_account(config: Path, account: str) -> None:
    """Forget the failed sign-ins this machine counted."""
    _, settings = agent_of(config)
    Accounts(settings.state / ACCOUNTS, None).forget(account)


def run_agent(config: Path, *, url: str | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(config, url=url) as agent:
        agent.run(stop)


@contextmanager
def running(config: Path, *, url: str | None = None) -> Iterator[Agent]:
    """Make an agent ready to run; everything it opened is closed afterwards."""
    plan = _plan(config)
    settings = plan.settings
    with ExitStack() as stack:
        stack.callback(_close, plan)
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not stack.enter_context(held(state_lock(settings.state), 0.0)):
            raise WhichlayerError(f"another agent runs with the state folder {settings.state}: stop it, or use another")
        enrolment = Enrolment(settings.state)
        enrolment.current()
        doors = Doors(_url(settings, url), token=lambda: enrolment.current().token, ca_file=_ca_file(settings))
        stack.callback(doors.close)
        outbox = Outbox(settings.state, limit_bytes=settings.outbox.limit_bytes)
        stack.callback(outbox.close)
        delivery = Delivery(
            outbox,
            lambda: Sender(agent_id=enrolment.current().agent_id, doors=doors),
            describe_loss=lambda loss: wire.loss_json(loss, site=plan.site, endpoint=settings.endpoint),
        )
        accounts = Accounts(settings.state / ACCOUNTS, doors)
        lookout = stack.enter_context(closing(Lookout()))
        yield Agent(
            plan,
            Parts(
                outbox=outbox,
                delivery=delivery,
                walker=Walker(plan, accounts, lookout),
                sign_ins=SignIns(accounts=accounts, folder=plan.folder),
                doors=doors,
                watchers=tuple(_watchers(plan, outbox, stack)),
                keepers=tuple(_keepers(plan, accounts, outbox, delivery)),
            ),
        )


def _keepers(plan: Plan, accounts: Accounts, outbox: Outbox, delivery: Delivery) -> Iterator[Keeper]:
    def keep(event: SessionEvent) -> None:
        outbox.put(Kind.SESSIONS, [wire.session_json(event)])
        delivery.wake()

    for planned in plan.sessions:
        place = partial(place_of, plan, planned.entry.driver)
        yield Keeper(planned, Home(place=place, accounts=accounts, secrets=partial(plan.secrets, planned), keep=keep))


def _watchers(plan: Plan, outbox: Outbox, stack: ExitStack) -> Iterator[Callable[[Run], None]]:
    settings = plan.settings
    if settings.metrics is not None:
        from probes.agent.exposition import Exposition

        try:
            page = Exposition(settings.metrics.port, outbox)
        except OSError as error:
            port = settings.metrics.port
            raise WhichlayerError(f"cannot listen on port {port}: {error.strerror}; set agent.metrics.port") from None
        stack.callback(page.close)
        print(f"metrics: http://127.0.0.1:{page.port}/metrics", file=sys.stderr)
        yield page.observe
    if settings.telemetry is not None:
        from probes.agent.telemetry import Telemetry

        headers = {name: secret.resolve(ref, base=plan.folder) for name, ref in settings.telemetry.headers.items()}
        telemetry = Telemetry(str(settings.telemetry.endpoint), headers=headers, site=plan.site, name=settings.endpoint)
        stack.callback(telemetry.close)
        journeys = {one.journey.hash: one.journey for one in plan.walks}
        yield lambda run: telemetry.export(run, journeys[run.journey_hash])


def _plan(config: Path, *, with_secrets: bool = False) -> Plan:
    whole, settings = agent_of(config)
    find = places(config).mistake
    return plans.make(whole.site, settings, config.absolute().parent, find, with_secrets=with_secrets)


def _doors_if_enrolled(settings: AgentSettings, stack: ExitStack) -> Doors | None:
    if settings.collector is None:
        return None
    enrolment = Enrolment(settings.state)
    try:
        enrolment.current()
    except WhichlayerError:
        return None
    doors = Doors(_url(settings, None), token=lambda: enrolment.current().token, ca_file=_ca_file(settings))
    stack.callback(doors.close)
    return doors


def _url(settings: AgentSettings, given: str | None) -> str:
    if given is not None:
        return given
    if settings.collector is None:
        raise WhichlayerError("no collector is known: add agent.collector.url to the file, or give --collector URL")
    return str(settings.collector.url)


def _ca_file(settings: AgentSettings) -> Path | None:
    return settings.collector.ca_file if settings.collector else None


def _close(plan: Plan) -> None:
    for _, sampler in plan.samplers:
        sampler.close()
