"""A keeper as an agent runs it, quick enough for tests, holding a session of the casebook of ``tests/sites``."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.document import parse
from collector.model.access import Access, Link, Presentation
from collector.model.session import EndCause, SessionEvent, SessionEventKind
from probes.account import Accounts
from probes.driver import Driver
from probes.drivers.http.plugin import PLUGIN
from probes.journey import file as journeys
from probes.sessions.held import Tempo
from probes.sessions.keeper import Home, Keeper
from probes.sessions.plan import PlannedSession
from probes.sessions.settings import SessionEntry
from probes.walk import Place
from tests.agents.rig import wait_until
from tests.sites.casebook import PASSWORD, SAFE

JOURNEY = """\
name: held
variables: {base_url: , safe_record: "WHICHLAYER SAFE RECORD"}
secrets: {username: , password: }
steps:
  - step: login
    sign_in: true
    timeout: 5 s
    requests:
      - path: /login
        capture: {csrf_token: {form_field: csrf_token}}
      - method: POST
        path: /login
        form: {username: "{username}", password: "{password}", csrf_token: "{csrf_token}"}
        expect: {status: 200}
  - step: look
    timeout: 1 s
    requests: [{path: /cases, query: {q: smith}, expect: {text: Smith}}]
  - step: open
    timeout: 1 s
    requests:
      - path: /cases/2
        expect: {text: "{safe_record}"}
  - step: save
    action: write
    safe_record: "{safe_record}"
    timeout: 1 s
    requests: [{method: POST, path: /cases/2/notes, form: {note: "kept {run_id}"}}]
    verify_saved: {path: /cases/2, marker: "kept {run_id}"}
  - step: draft
    action: write
    safe_record: "{safe_record}"
    timeout: 1 s
    requests: [{method: POST, path: /cases/2/draft, form: {note: "left {run_id}"}}]
"""
ENTRY = """\
file: held.yaml
account: probe-held
active: look
hours: 00:00-24:00
days: [mon, tue, wed, thu, fri, sat, sun]
secrets: {username: env:WL_USER, password: env:WL_PASSWORD}
ended_by:
  idle: {text: signed out after inactivity}
  replaced: {text: signed in elsewhere}
  admin: {text: an administrator ended, status: 440}
"""
SENTINEL = f'sentinel: {{safe_record: "{SAFE}", open: open, save: save, leave: draft}}\n'
HTTP = PLUGIN.configured({"proxy": "none"})
QUICK = Tempo(every=0.1, grace=0.6, again=0.1, work=0.25)


def planned(url: str, *, entry: str = ENTRY, journey: str = JOURNEY, driver: Driver = HTTP) -> PlannedSession:
    read = parse(entry + f"variables: {{base_url: '{url}'}}\n", Path("whichlayer.yaml"), SessionEntry)
    known = journeys.parse(journey, Path("held.yaml"))
    return PlannedSession(entry=read, journey=known, driver=driver)


@dataclass
class Watched:
    """A keeper at work, and what it told."""

    events: list[SessionEvent] = field(default_factory=list)

    def of(self, *kinds: SessionEventKind) -> list[SessionEvent]:
        return [event for event in list(self.events) if event.kind in kinds]

    def causes(self) -> list[EndCause | None]:
        return [event.cause for event in self.of(SessionEventKind.ENDED)]

    def wait_for(self, kind: SessionEventKind, number: int = 1) -> SessionEvent:
        wait_until(lambda: len(self.of(kind)) >= number)
        return self.of(kind)[number - 1]


@contextmanager
def keeping(folder: Path, url: str, *, tempo: Tempo = QUICK, **plan: Any) -> Iterator[Watched]:
    """Hold sessions of a site at ``url`` until the block ends."""
    with holding(folder, planned(url, **plan), tempo) as watched:
        yield watched


@contextmanager
def holding(folder: Path, plan: PlannedSession, tempo: Tempo = QUICK) -> Iterator[Watched]:
    """Run a keeper until the block ends, then stop it as an agent does."""
    watched, stop = Watched(), threading.Event()
    place = Place(site="north", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
    home = Home(
        place=lambda: place,
        accounts=Accounts(folder / "state" / "accounts", None),
        secrets=lambda: {"username": "probe", "password": PASSWORD},
        keep=watched.events.append,
    )
    keeper = Keeper(plan, home, tempo)
    thread = threading.Thread(target=keeper.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
