"""whichlayer itself, watching the lab: one collector, and an agent at each endpoint.

Agents send over the loopback of their own namespace, where the collector listens too, so that a bad
link never disturbs what is reported about it.
"""

import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from collector.model.verdict import Verdict
from collector.stores.remote import RemoteStore
from deploy.lab import postgres, screen, session
from deploy.lab.namespace import LabError
from deploy.lab.pace import Pace
from deploy.lab.program import Program, module, wait_until
from deploy.lab.span import Span
from deploy.lab.world import ADDRESS, World
from probes.credentials import Credentials, save

NAME = "lab"
USUAL_PORT = 8620
BANNER = "Synthetic data: the lab of make demo, not a live system"
_START_TIMEOUT = 120.0  # seconds; a busy machine takes its time
_VERDICTS = TypeAdapter(list[Verdict])
_JOURNEY = Path(__file__).with_name("journey.yaml")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place a probe runs: its namespace, the link it is on, and whether inside a session."""

    name: str
    namespace: str
    account: str
    link: str
    inside: bool = False


ENDPOINTS = (
    Endpoint("wired-1", "wired", "wired", "wired"),
    Endpoint("wifi-1", "wifi", "wifi", "wifi"),
    Endpoint("session-1", "server", "session", "wired", inside=True),
)


@dataclass(slots=True)
class Site:
    """A collector and its agents, with their own data: a fresh site knows nothing of an earlier one."""

    world: World
    folder: Path
    pace: Pace
    port: int
    skipped: dict[str, str] = field(default_factory=dict)
    quiet: list[Span] = field(default_factory=list)  # when nothing was injected and all was as usual
    _programs: list[Program] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def accesses(self) -> int:
        """Give how many accesses are measured."""
        return sum(endpoint.name not in self.skipped for endpoint in ENDPOINTS)

    def start(self) -> None:
        """Start collector and agents. Raises LabError."""
        self.folder.mkdir(mode=0o700)
        self._start_collector()
        self._start_sampler()
        for endpoint in ENDPOINTS:
            problem = session.missing() if endpoint.inside else None
            if problem is None:
                self._start_endpoint(endpoint)
            else:
                self.skipped[endpoint.name] = problem
        self._start_desk()
        self._start_screen()

    def stop(self) -> None:
        """Stop agents and collector."""
        self.world.agents.clear()
        while self._programs:
            self.world.programs.stop(self._programs.pop())

    def verdicts(self, start: datetime, end: datetime) -> list[Verdict]:
        """List the slow and failing verdicts that overlap a period, as they are stored."""
        period = {"start": start.isoformat(), "end": end.isoformat()}
        return _VERDICTS.validate_python(self._ask("GET", "/v1/verdicts", params=period))

    def standing(self) -> list[Verdict]:
        """List what is said now of each step and population."""
        return _VERDICTS.validate_python(self._ask("GET", "/v1/standing"))

    def store(self) -> RemoteStore:
        """Give the collector's store, to read runs from; whoever asks closes it."""
        return RemoteStore(self.url, self._token())

    @property
    def _token_file(self) -> Path:
        return self.folder / "data" / "operator.token"

    def _token(self) -> str:
        return self._token_file.read_text().strip()

    def _ask(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401  JSON is anything
        headers = {"Authorization": f"Bearer {self._token()}"}
        with httpx2.Client(base_url=self.url, timeout=20, trust_env=False) as client:
            try:
                answer = client.request(method, path, headers=headers, **more)
            except httpx2.HTTPError as error:
                raise LabError(f"the collector does not answer: {error!r}; {self._collector_words()}") from None
        if answer.is_error:
            raise LabError(f"the collector answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        return answer.json()

    def _collector_words(self) -> str:
        return self._programs[0].last_words() if self._programs else "it is not running"

    def _start_collector(self) -> None:
        config = self.folder / "whichlayer.yaml"
        database = {"dsn": postgres.conninfo(self.world.sockets), "statements": 0}  # it has no pg_stat_statements
        source = {"kind": "postgresql", "component": "casebook-db", "every": self.pace.samples, "settings": database}
        _write(config, {
            "site": NAME,
            "collector": {"data": "data", "port": self.port, "sources": [source]},
            "analysis": {
                "interval_seconds": self.pace.analysis,
                "baseline_runs": self.pace.baseline_runs,
                "seasonal": self.pace.seasonal,
            },
            "pages": {"banner": BANNER, "recent_minutes": 20},
        })  # fmt: skip
        listeners = [namespace.listen(self.port) for namespace in self.world.namespaces.values()]
        descriptors = [listener.fileno() for listener in listeners]
        command = [*module("activation"), *map(str, descriptors), "--", "setpriv", "--pdeathsig", "TERM", "--"]
        command += [*_whichlayer(), "up", "--config", str(config)]
        collector = self.world.programs.start(f"{self.folder.name}-collector", command, descriptors=descriptors)
        self._programs.append(collector)
        for listener in listeners:
            listener.close()
        wait_until(self._answers, _START_TIMEOUT, lambda: f"the collector did not start: {collector.last_words()}")

    def _answers(self) -> bool:
        if self._programs[0].process.poll() is not None:
            raise LabError(f"the collector ended: {self._programs[0].last_words()}")
        if not self._token_file.exists():  # who answers at our port is somebody else
            return False
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/readyz", trust_env=False, timeout=5).is_success
        return False

    def _start_sampler(self) -> None:
        """Start the agent that reads the server: host, the application's process, the database's volume."""
        every = {"every": self.pace.samples}
        command_line = {"name": f"--documents {self.world.documents}"}
        samplers = [
            {"sampler": "host", "component": "app-server", "settings": {"role": "app_server"}, **every},
            {"sampler": "hiccup", "component": "app-server", **every},
            {"sampler": "process", "component": "casebook", "settings": command_line, **every},
        ]
        if self.world.volume is not None:
            scratch = self.world.volume_path / "scratch"
            volume = {"directory": str(scratch)}
            samplers.append({"sampler": "volume", "component": "db-volume", "settings": volume, **every})
        config = self._configure("server-1", {"samplers": samplers})
        self._run("server-1", self.world.server().run(_agent(config)))

    def _start_endpoint(self, endpoint: Endpoint) -> None:
        config = self._configure(endpoint.name, self._journeys(endpoint))
        command = _agent(config)
        if endpoint.inside:
            hosted = self.world.server().run(module("session"), "host", str(session.PORT), *command)
            self._run(endpoint.name, hosted)
            viewer = self.world.namespaces[endpoint.link].run(module("session"), "view", ADDRESS, str(session.PORT))
            self._run(f"{endpoint.name}-viewer", viewer)
        else:
            self._run(endpoint.name, self.world.namespaces[endpoint.namespace].run(command))

    def _start_desk(self) -> None:
        """Start the agent that prints and looks outside: not the one that walks the application, which would wait."""
        walked = self.world.beyond.journeys(self.pace.runs, self.world.far_end)
        access = {"link": "wired", "presentation": "local"}
        budget = {"pages_per_day": 24 * 3600 / self.pace.runs}
        ladder = self.world.beyond.ladder(self.pace.probes, "desk-1")
        more = {"access": access, "journeys": walked, "budget": budget, "samplers": ladder}
        self._run("desk-1", self.world.namespaces["wired"].run(_agent(self._configure("desk-1", more))))

    def _start_screen(self) -> None:
        """Start the agent that looks at the session from outside, where there is one and this machine can."""
        problem = screen.missing()
        if problem is not None:
            self.skipped[screen.ENDPOINT] = problem
            return
        inside = self.folder / "inside"
        furniture = screen.furnish(self.world, self.folder.name, inside)
        self._programs += furniture
        self.world.agents["session-1"] += furniture
        config = self._configure(screen.ENDPOINT, screen.agent(self.pace.runs, self.pace.probes, inside))
        self._run(screen.ENDPOINT, self.world.namespaces["wired"].run(_agent(config)))

    def _journeys(self, endpoint: Endpoint) -> dict[str, Any]:
        folder = self.folder / endpoint.name
        folder.mkdir(mode=0o700)
        account = f"probe-{endpoint.account}"
        for name, value in (("username", account), ("password", self.world.passwords[endpoint.account])):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(value)
        an_hour = 3600 / self.pace.runs
        itself = {"own": True, "layer": "remote_session" if endpoint.inside else "endpoint"}
        return {
            "samplers": [
                {"sampler": "process", "component": endpoint.name, "settings": itself, "every": self.pace.samples}
            ],
            "access": {"link": endpoint.link} | ({} if endpoint.inside else {"presentation": "local"}),
            "journeys": [{
                "file": str(_JOURNEY),
                "every": self.pace.runs,
                "account": account,
                "secrets": {"username": "file:username", "password": "file:password"},
                "variables": {"base_url": self.world.url},
            }],
            "budget": {"logons_per_hour": an_hour, "writes_per_hour": an_hour, "pages_per_day": an_hour * 24},
        }  # fmt: skip

    def _configure(self, name: str, more: dict[str, Any]) -> Path:
        """Write an agent's file and enrol it."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        address = {"url": f"http://127.0.0.1:{self.port}"}
        agent = {"endpoint": name, "environment": "lab", "state": "state", "collector": address, **more}
        _write(folder / "whichlayer.yaml", {"site": NAME, "agent": agent})
        invitation = self._ask("POST", "/v1/invitations", json={"endpoint": name, "scope": "agent"})
        given = self._ask("POST", "/v1/enrol", json=invitation)
        save(folder / "state", Credentials(agent_id=given["agent_id"], token=given["token"]))
        return folder / "whichlayer.yaml"

    def _run(self, name: str, command: list[str]) -> None:
        direct = {"NO_PROXY": "*", "no_proxy": "*"}
        started = self.world.programs.start(f"{self.folder.name}-{name}", command, environment=direct)
        self._programs.append(started)
        self.world.agents[name] = [started]


def free_port(wanted: int | None) -> int:
    """Give the port asked for (0: any), or the usual one if it is free, or any. Raises LabError when it is taken."""
    for port in (USUAL_PORT, 0) if wanted is None else (wanted,):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    raise LabError(f"port {wanted} is taken: choose another with --port")


def _agent(config: Path) -> list[str]:
    return [*_whichlayer(), "agent", "run", "--config", str(config)]


def _whichlayer() -> list[str]:
    return [sys.executable, "-m", "whichlayer"]


def _write(path: Path, content: dict[str, Any]) -> None:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    with path.open("w") as file:
        yaml.dump(content, file)
