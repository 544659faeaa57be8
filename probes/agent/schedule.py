"""When things happen: APScheduler in UTC, with slots for a trigger and daemon threads to run on."""

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from probes.agent.slots import Slots

LATE_SHARE = 0.5  # of the interval: a job that could not start by then is missed, not made up for


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # no types
    """Fires at each slot of the clock."""

    __slots__ = ("_slots",)

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Give the next start after ``now``; a slot that has gone by does not come back."""
        after = now if previous_fire_time is None else max(previous_fire_time, now)
        return self._slots.next_start(after)


class DaemonExecutor(BaseExecutor):  # type: ignore[misc]  # no types
    """One thread per running job, none of which can hold up the end of the process."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:  # noqa: ANN401  no types
        threading.Thread(target=self._work, args=(job, run_times), name=job.id, daemon=True).start()

    def _work(self, job: Any, run_times: list[datetime]) -> None:  # noqa: ANN401  no types
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        except BaseException as error:  # noqa: BLE001  the scheduler must learn that the job is over
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, events)


class Schedule:
    """Jobs at slots. One job never runs twice at once; what is late by half its interval is missed."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": DaemonExecutor()})

    def add(self, name: str, slots: Slots, job: Callable[[], None]) -> None:
        """Run ``job`` in every slot."""
        self._scheduler.add_job(
            job,
            SlotTrigger(slots),
            id=name,
            name=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=max(math.ceil(slots.every * LATE_SHARE), 1),
        )

    def start(self) -> None:
        """Begin with the next slot."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start no more jobs; do not wait for those that run."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
