"""The agent: walks what is due in each slot, samples its machine, and hands everything to the outbox.

Each journey and each sampler is a job of its own, so that a slow disk cannot hold up a journey. A walk
that still runs when its next slot comes makes that slot a missed one; missed slots are counted, told and
never caught up.
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from collector import secret
from collector.model.errors import SecretError
from collector.model.run import Outcome, Run, StepTiming
from collector.model.sample import Sample
from probes.account import Accounts, authenticated
from probes.agent import wire
from probes.agent.delivery import Delivery
from probes.agent.outbox import Kind, Outbox
from probes.agent.plan import Plan, Planned
from probes.agent.sampling import Sampling
from probes.agent.schedule import Schedule
from probes.agent.settings import SamplerEntry
from probes.agent.sign_in import SignIns
from probes.agent.slots import Slots, stagger
from probes.context.access import detect
from probes.context.standing import Lookout
from probes.doors import Doors
from probes.error_text import short
from probes.sampler import Opened
from probes.sessions.keeper import Keeper
from probes.walk import Place, walk

LISTEN_SECONDS = 1.0  # Windows hands over Ctrl-C only between two waits
STOP_SECONDS = 5.0  # how long a running walk may go on when the agent is told to stop
PATIENCE_SHARE = 0.4  # of the interval: how long a walk waits for its account
PATIENCE_MOST = 120.0
SKEW_EVERY = 60.0
KEEPER_PAUSE = 300.0  # before a keeper that failed by itself logs on again
SKEW_TOLD = 1.0  # seconds of clock difference a person should hear about
_log = structlog.get_logger("whichlayer.agent")


class Walker:
    """Walks the journeys of one plan, under the rules of their accounts."""

    def __init__(self, plan: Plan, accounts: Accounts, lookout: Lookout) -> None:
        self._plan = plan
        self._accounts = accounts
        self._lookout = lookout

    def walk(self, planned: Planned, slot: datetime, *, patience: float) -> Run:
        """Walk once. Without a secret or its account nothing is sent, and the run says why."""
        place = place_of(self._plan, planned.entry.driver)
        try:
            secrets = self._plan.secrets(planned)
        except SecretError as error:
            return _not_ready(planned, place, slot, kind="secret", reason=str(error))

        def go() -> Run:
            before, here = self._lookout.look(), replace(place, access=detect(self._plan.settings.access))
            run = walk(
                planned.journey, planned.driver, here, slot=slot, secrets=secrets, variables=planned.entry.variables
            )
            changed = self._lookout.look().changed(before)
            return _mixed(run, changed) if changed else run

        if planned.entry.account is None:
            return go()
        with self._accounts.use(planned.entry.account, seconds=planned.longest_seconds, patience=patience) as use:
            if use.refusal is not None:
                return _not_ready(planned, place, slot, kind=use.refusal, reason=use.reason)
            run = go()
            use.authenticated = authenticated(planned.journey, run)
            return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an agent is made of."""

    outbox: Outbox
    delivery: Delivery
    walker: Walker
    sign_ins: SignIns
    doors: Doors
    watchers: Sequence[Callable[[Run], None]] = ()
    keepers: Sequence[Keeper] = ()


class Agent:
    """Runs one plan until it is told to stop."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self._plan = plan
        self._parts = parts
        self._schedule = Schedule()
        self._walking = 0
        self._quiet = threading.Condition()
        self._holding: list[threading.Thread] = []

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; then let walks finish for a few seconds, and leave the rest undone."""
        for number, planned in enumerate(self._plan.walks):
            self._add_walk(f"{planned.journey.name}-{number}", planned)
        for entry, sampler in self._plan.samplers:
            self._add_sampler(entry, sampler)
        self._schedule.add("clock-skew", self._slots(SKEW_EVERY), self._tell_skew)
        self._parts.delivery.start()
        self._schedule.start()
        self._hold_sessions(stop)
        _log.info("running", endpoint=self._plan.settings.endpoint, journeys=len(self._plan.walks),
                  sessions=len(self._holding))  # fmt: skip
        while not stop.wait(LISTEN_SECONDS):
            pass
        self._finish()

    def _hold_sessions(self, stop: threading.Event) -> None:
        for keeper in self._parts.keepers:
            thread = threading.Thread(target=self._hold, args=(keeper, stop), name=f"hold {keeper.name}", daemon=True)
            thread.start()
            self._holding.append(thread)

    @staticmethod
    def _hold(keeper: Keeper, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                keeper.run(stop)
            except Exception:  # noqa: BLE001  a bug here must not cost what else the agent measures
                _log.exception("holding a session failed", journey=keeper.name)
                stop.wait(KEEPER_PAUSE)

    def _slots(self, every: float) -> Slots:
        return Slots(every, stagger(self._plan.settings.endpoint, every))

    def _add_walk(self, name: str, planned: Planned) -> None:
        slots = self._slots(planned.entry.every)
        patience = min(slots.every * PATIENCE_SHARE, PATIENCE_MOST)
        last: list[datetime] = []

        def job() -> None:
            slot = slots.at(datetime.now(UTC))
            if last and slot <= last[0]:
                return  # the clock was set back: this slot has had its run
            missed = slots.between(last[0], slot) if last else 0
            last[:] = [slot]
            if missed:
                self._tell_missed(planned, missed, slot)
            self._walk(planned, slot, patience)

        self._schedule.add(f"walk {name}", slots, job)

    def _walk(self, planned: Planned, slot: datetime, patience: float) -> None:
        with self._quiet:
            self._walking += 1
        try:
            run = self._parts.walker.walk(planned, slot, patience=patience)
            self._parts.outbox.put(Kind.RUNS, [wire.run_json(run)])
            self._parts.delivery.wake()
            _log.info("walked", journey=run.journey, outcome=run.outcome, seconds=run.seconds, run_id=run.run_id)
            self._tell_watchers(run)
        finally:
            with self._quiet:
                self._walking -= 1
                self._quiet.notify_all()

    def _tell_watchers(self, run: Run) -> None:
        for watcher in self._parts.watchers:
            try:
                watcher(run)
            except Exception:  # noqa: BLE001  an export that fails must not cost the measurement
                _log.exception("a run could not be exported", run_id=run.run_id)

    def _add_sampler(self, entry: SamplerEntry, sampler: Opened) -> None:
        job = Sampling(entry, partial(self._parts.sign_ins.read, entry, sampler), keep=self._keep, own=self._own_now)
        self._schedule.add(f"sample {entry.sampler} {entry.component}", self._slots(entry.every), job)

    def _keep(self, samples: Sequence[Sample]) -> None:
        if samples:
            self._parts.outbox.put(Kind.SAMPLES, [wire.sample_json(sample) for sample in samples])

    def _tell_missed(self, planned: Planned, missed: int, slot: datetime) -> None:
        name = planned.journey.name
        _log.warning("slots missed: the walk before took too long, or the machine slept", journey=name, slots=missed)
        self._keep([self._own("agent.slots.missed", float(missed), slot, journey=name)])

    def _tell_skew(self) -> None:
        skew = self._parts.doors.skew
        if skew is None:
            return
        if abs(skew.seconds) - skew.uncertainty_seconds > SKEW_TOLD:
            _log.warning("this clock and the collector's differ", ahead_seconds=round(skew.seconds, 3))
        self._keep([self._own("agent.clock.skew", skew.seconds, datetime.now(UTC),
                              uncertainty_seconds=f"{skew.uncertainty_seconds:.6f}")])  # fmt: skip

    def _own(self, metric: str, value: float, at: datetime, **labels: str) -> Sample:
        return wire.own_sample(
            metric, value, site=self._plan.site, endpoint=self._plan.settings.endpoint, at=at, **labels
        )

    def _own_now(self, metric: str, value: float, **labels: str) -> Sample:
        return self._own(metric, value, datetime.now(UTC), **labels)

    def _finish(self) -> None:
        self._schedule.stop()
        until = time.monotonic() + STOP_SECONDS
        with self._quiet:
            while self._walking and (left := until - time.monotonic()) > 0:
                self._quiet.wait(left)
            if self._walking:
                _log.warning("a walk was abandoned: its account is free again when its lease ends", walks=self._walking)
        for thread in self._holding:
            thread.join(max(until - time.monotonic(), 0.0))
            if thread.is_alive():
                _log.warning("a held session was abandoned: its end is not told", thread=thread.name)
        self._parts.delivery.stop(wait_seconds=2.0)
        for _, sampler in self._plan.samplers:
            sampler.close()
        waiting = self._parts.outbox.waiting()
        _log.info("stopped", rows_kept=waiting)


def place_of(plan: Plan, driver: str) -> Place:
    """Say where something is done now: laptops move, so the access is looked at each time."""
    settings = plan.settings
    return Place(
        site=plan.site,
        endpoint=settings.endpoint,
        access=detect(settings.access),
        environment=settings.environment,
        driver=driver,
    )


def state_lock(state: Path) -> Path:
    """Name the file that keeps a second agent out of a state folder."""
    return state / "agent.lock"


def _mixed(run: Run, changed: Sequence[str]) -> Run:
    """Say that the access changed on the way: what was measured stays as it is, and belongs to no access."""
    return replace(run, mixed=True, facts={**run.facts, "context_changed": ", ".join(changed)})


def _not_ready(planned: Planned, place: Place, slot: datetime, *, kind: str, reason: str) -> Run:
    """Say that nothing was sent, and why."""
    first = StepTiming(
        step=planned.journey.steps[0].step,
        outcome=Outcome.NOT_READY,
        error_kind=str(kind),
        error=short(secret.hide(reason)),
    )
    return Run(
        run_id=uuid.uuid4().hex,
        site=place.site,
        endpoint=place.endpoint,
        access=place.access,
        environment=place.environment,
        journey=planned.journey.name,
        journey_hash=planned.journey.hash,
        slot=slot,
        started_at=datetime.now(UTC),
        seconds=None,
        outcome=Outcome.NOT_READY,
        steps=(first,),
        driver=place.driver,
    )
