"""Prometheus and its exporters beside a site: started inside the lab's namespaces, asked there, gone with it.

All of them listen on the loopback of the server's namespace only. The exporter that probes from an access is run
in that access's namespace and takes over a socket of the server's, so that a bad link never disturbs what is told
of it: the same as for the lab's own agents.
"""

import hashlib
import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from deploy.lab import postgres
from deploy.lab.far_end import AUTHORITY
from deploy.lab.namespace import LabError
from deploy.lab.program import Program, module, wait_until
from deploy.lab.rules.configuration import configure
from deploy.lab.rules.judge import Alert, Answer, Said, answered, judged
from deploy.lab.trials.trial import Trial
from deploy.lab.world import URL, World

_BLACKBOX = {"wired": 9115, "wifi": 9116}
_URL = "http://127.0.0.1:9090"
_PROGRAMS = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
}
_ACCOUNT = "probe-visitor"
_START_TIMEOUT = 30.0
_SETTLE, _SETTLE_SCRAPES = 90.0, 12  # seconds, or as many scrapes, until alerts of a fault that is over have ended


def missing() -> str | None:
    """Say what is not installed; None when the rules can be run."""
    lost = sorted({package for program, package in _PROGRAMS.items() if shutil.which(program) is None})
    return f"not installed: {', '.join(lost)}" if lost else None


@dataclass(slots=True)
class Monitoring:
    """A Prometheus with its exporters, scraping every ``interval`` seconds. Start it once; ``stop`` ends all of it."""

    world: World
    interval: float
    _targets: int = 0
    _programs: list[Program] = field(default_factory=list)

    def start(self, folder: Path) -> None:
        """Start everything and wait until every target has been scraped. Raises LabError."""
        problem = missing()
        if problem is not None:
            raise LabError(problem)
        folder.mkdir(mode=0o700)
        printer = self.world.beyond.printer
        self._targets = configure(
            folder,
            every=self.interval,
            url=URL,
            session=_session(self.world),
            authority=self.world.far_end / AUTHORITY,
            printer=None if printer is None else printer.uri,
        )
        self._start_exporters(folder)
        flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        flags += ["--storage.tsdb.retention.time=1d", f"--web.listen-address={_URL.removeprefix('http://')}"]
        self._run("prometheus", self.world.server().run(["prometheus", *flags]))
        wait_until(self._scraped, _START_TIMEOUT + 2 * self.interval, lambda: "Prometheus scrapes not all its targets")

    def stop(self) -> None:
        """End it."""
        while self._programs:
            self.world.programs.stop(self._programs.pop())

    def alerts(self, since: datetime) -> list[Alert]:
        """List the alerts that fired at any evaluation since a moment, with when. Raises LabError."""
        seconds = max(1, round((datetime.now(UTC) - since).total_seconds()))
        told = self._query(f'ALERTS{{alertstate="firing", layer!=""}}[{seconds}s]')
        return [
            Alert(
                name=series["metric"]["alertname"],
                layer=series["metric"]["layer"],
                severity=series["metric"]["severity"],
                access=series["metric"].get("access"),
                fired=tuple(datetime.fromtimestamp(float(at), UTC) for at, _ in series["values"]),
            )
            for series in told
        ]

    def answer(self, since: datetime, until: datetime | None = None) -> list[Answer]:
        """Rank the layers that are named from a moment on, to another or to now. Raises LabError."""
        return answered(self.alerts(since), since, until, together=2 * self.interval)

    def said_of(self, trial: Trial) -> Said:
        """Say what the rules said from the beginning of a trial until its faults were off. Raises LabError."""
        spans = [span for one in trial.injected for span in one.spans if span is not one.alone]
        guilty = [span.begin for one in trial.injected if one.truth for span in one.spans if span is not one.alone]
        since = min(guilty, default=min(span.begin for span in (*trial.off[-1:], *spans)))
        until = max((span.end for span in spans if span.end is not None), default=None)
        latest = (max(guilty) - since).total_seconds() if guilty else 0.0
        return judged(self.answer(since, until), trial.truths, latest=latest)

    def settle(self) -> str | None:
        """Wait until no alert is even pending; gives those that still are, None when none is. Raises LabError."""
        deadline = time.monotonic() + max(_SETTLE, _SETTLE_SCRAPES * self.interval)
        while left := {series["metric"]["alertname"] for series in self._query('ALERTS{layer!=""}')}:
            if time.monotonic() > deadline:
                return ", ".join(sorted(left))
            time.sleep(self.interval)
        return None

    def _start_exporters(self, folder: Path) -> None:
        server = self.world.server()
        for access, port in _BLACKBOX.items():
            command = ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml", "--web.systemd-socket"]
            command += [f"--web.external-url=http://127.0.0.1:{port}/"]
            with server.listen(port) as listener:
                taking_over = [*module("activation"), str(listener.fileno()), "--", *command]
                inside = self.world.namespaces[access].run(taking_over)
                self._run(f"blackbox-{access}", inside, descriptors=[listener.fileno()])
        self._run("node", server.run(["prometheus-node-exporter", "--web.listen-address=127.0.0.1:9100"]))
        database = {"DATA_SOURCE_NAME": f"{postgres.conninfo(self.world.sockets)} sslmode=disable"}
        command = ["prometheus-postgres-exporter", "--web.listen-address=127.0.0.1:9187"]
        command += ["--disable-settings-metrics", f"--extend.query-path={folder}/postgres.yml"]
        self._run("postgres-exporter", server.run(command), environment=database)

    def _run(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: dict[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        started = self.world.programs.start(f"rules-{name}", command, environment=environment, descriptors=descriptors)
        self._programs.append(started)

    def _scraped(self) -> bool:
        ended = [program for program in self._programs if program.process.poll() is not None]
        if ended:
            raise LabError(f"{ended[0].name} has ended: {ended[0].last_words()}")
        try:
            up = self._query("up")
        except LabError:
            return False
        return len(up) == self._targets and all(float(series["value"][1]) == 1 for series in up)

    def _query(self, expression: str) -> list[dict[str, Any]]:
        command = self.world.server().run(["promtool", "query", "instant", "--format=json", _URL, expression])
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"Prometheus does not answer: {done.stderr.strip()[-300:]}")
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told


def _session(world: World) -> str:
    """Give monitoring a session of its own, as the application's owners would hand one out: its token is a secret."""
    token = secrets.token_urlsafe(24)
    with Connection.connect(postgres.conninfo(world.sockets)) as connection:
        hashed = hashlib.sha256(token.encode()).hexdigest()
        connection.execute("INSERT INTO session (token_hash, account) VALUES (%s, %s)", (hashed, _ACCOUNT))
    return token
