"""Holds a session open inside one of the lab's namespaces, as an agent does but at the lab's pace.

``python -m deploy.lab.held FOLDER`` prints each session event as a line of JSON, and stops when its
standard input closes. ``--log-on`` logs on once with the same account, as a user elsewhere does, and ends.
FOLDER has ``session.yaml`` (an entry of ``agent.sessions``) and the secrets it names.
"""

import argparse
import sys
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

import structlog

from collector.document import read
from collector.model.access import Access, Link, Presentation
from collector.model.errors import WhichlayerError
from collector.model.run import MEASURED
from collector.model.session import SessionEvent
from collector.plugin import load
from probes import drivers
from probes.account import Accounts
from probes.agent.wire import session_json
from probes.driver import Driver, WalkContext
from probes.journey import file as journeys
from probes.journey import use
from probes.sessions.held import Tempo
from probes.sessions.keeper import Home, Keeper
from probes.sessions.plan import PlannedSession
from probes.sessions.settings import SessionEntry
from probes.walk import Place, perform

EVERY, GRACE, AGAIN, WORK = 0.4, 6.0, 0.3, 0.7  # seconds; a site looks every two minutes, and waits one
_PLACE = Place(
    site="lab",
    endpoint="wired-1",
    access=Access(link=Link.WIRED, presentation=Presentation.LOCAL, confidence=1.0),
    environment="lab",
)


def main() -> None:
    """Hold sessions until standard input closes, or log on once."""
    parser = argparse.ArgumentParser(prog="held", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--log-on", action="store_true", help="log on once, and end")
    parser.add_argument("--grace", type=float, default=GRACE, help="seconds in which a session may come back")
    chosen = parser.parse_args()
    planned = _planned(chosen.folder)
    secrets = use.resolve(planned.entry, planned.journey, chosen.folder)
    if chosen.log_on:
        _log_on(planned, secrets)
    else:
        _hold(planned, secrets, chosen.folder, chosen.grace)


def _planned(folder: Path) -> PlannedSession:
    entry = read(folder / "session.yaml", SessionEntry)
    driver = load(drivers, entry.driver, Driver).configured(entry.settings)
    planned = PlannedSession(entry=entry, journey=journeys.load(entry.file), driver=driver)
    wrong = [words for _, words in planned.mistakes()]
    if wrong:
        raise WhichlayerError("; ".join(wrong))
    return planned


def _hold(planned: PlannedSession, secrets: Mapping[str, str], folder: Path, grace: float) -> None:
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    stop = threading.Event()
    home = Home(
        place=lambda: _PLACE,
        accounts=Accounts(folder / "state" / "accounts", None),
        secrets=lambda: secrets,
        keep=_print,
    )
    tempo = Tempo(every=EVERY, grace=grace, again=AGAIN, work=WORK if planned.entry.sentinel else None)
    thread = threading.Thread(target=Keeper(planned, home, tempo).run, args=(stop,))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    thread.start()
    sys.stdin.read()
    stop.set()
    thread.join()


def _log_on(planned: PlannedSession, secrets: Mapping[str, str]) -> None:
    values = {**planned.journey.variables, **planned.entry.variables}
    known = {name: value for name, value in values.items() if value is not None}
    context = WalkContext(run_id=uuid.uuid4().hex, journey=planned.journey, values=known, secrets=secrets)
    opened = planned.driver.open(context)
    try:
        for step in planned.log_on:
            timing = perform(opened, step)
            if timing.outcome not in MEASURED:
                raise WhichlayerError(f"{step.step}: {timing.error}")
    finally:
        opened.close()


def _print(event: SessionEvent) -> None:
    sys.stdout.write(session_json(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
