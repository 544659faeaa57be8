"""An agent whose machine is re-plugged while it walks: run in namespaces of its own, prints each run.

``unshare --user --map-root-user --net --mount -- python -m tests.agents.moved FOLDER``; one JSON run per line:
left alone, the cable out and in again, and the default route moved to another device.
"""

import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from probes.account import Accounts
from probes.agent import wire
from probes.agent.agent import Walker
from probes.agent.plan import Plan, Planned
from probes.agent.settings import AgentSettings, JourneyEntry
from probes.context.standing import Lookout
from probes.drivers.http.plugin import PLUGIN
from probes.journey.file import parse
from tests.sites import raw

JOURNEY = "name: day\nvariables: {{base_url: 'http://127.0.0.1:{port}'}}\nsteps: [{{step: a, requests: [{{path: /}}]}}]"


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


def plug_in() -> None:
    """Give this namespace a desk with two sockets, the first of them used."""
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # /sys shows the namespace it was mounted in
    ip("link set lo up")
    for number, device in enumerate(("desk0", "desk1")):
        ip(f"link add {device} type veth peer name wall{number}")
        ip(f"addr add 10.80.{number}.2/24 dev {device}")
        ip(f"link set {device} up")
        ip(f"link set wall{number} up")
    ip("route add default via 10.80.0.1")


def pull_and_plug() -> None:
    ip("link set wall0 down")
    ip("link set wall0 up")


def move() -> None:
    ip("route replace default via 10.80.1.1")


def main(folder: Path) -> None:
    plug_in()
    happens: list[Callable[[], None]] = []

    def answer(connection: socket.socket) -> None:
        raw.request_of(connection)
        for happen in happens:
            happen()
        connection.sendall(raw.ANSWER)

    with raw.serving(answer) as port:
        journey = parse(JOURNEY.format(port=port), folder / "day.yaml")
        entry = JourneyEntry(file=folder / "day.yaml")
        planned = Planned(entry=entry, journey=journey, driver=PLUGIN.configured({"proxy": "none"}))
        plan = Plan(site="test", settings=AgentSettings(endpoint="desk-1"), folder=folder, walks=(planned,))
        walker = Walker(plan, Accounts(folder / "accounts", None), Lookout())
        for happening in ([], [pull_and_plug], [move], []):
            happens[:] = happening
            sys.stdout.write(wire.run_json(walker.walk(planned, datetime.now(UTC), patience=0)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
