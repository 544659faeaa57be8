"""Climbs a ladder inside a network namespace of its own, where a user may send echoes; prints what each rung gave.

``unshare --user --map-root-user --net -- python -m tests.links.ladder``; one JSON object per situation.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

from collector.model.errors import WhichlayerError
from probes.samplers.connect import PLUGIN
from tests.links.walled import put_up

RULES = {
    "open": "counter",
    "lossy": "icmp type echo-request icmp sequence 1 drop",
    "silent": "icmp type echo-request drop",
}


def main() -> None:
    for command in ("link set lo up", "route add default via 127.0.0.1 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    rungs: list[dict[str, object]] = [
        {"station": "gateway"},
        {"station": "app", "host": "127.0.0.1", "port": 9, "layer": "app_server"},
    ]
    tell("forbidden", rungs)
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 0")
    for situation, rule in RULES.items():
        put_up(rule)
        tell(situation, rungs[:1])
    put_up("tcp flags syn drop")
    tell("filtered", rungs[1:])
    put_up("counter")
    tell("refused", rungs[1:])
    with socket.create_server(("127.0.0.1", 9)):
        tell("connected", rungs[1:])
    tell("no such name", [{"station": "far", "host": "nobody.invalid", "port": 9}])


def tell(situation: str, rungs: list[dict[str, object]]) -> None:
    ladder = PLUGIN.open(site="test", component="pc-1", settings={"rungs": rungs, "timeout": 0.2})
    hindered = list(ladder.hindrances())
    try:
        found = ladder.read()
    except WhichlayerError:
        found = []
    rows = [(one.component, one.layer, one.metric, one.value, dict(one.labels)) for one in found]
    sys.stdout.write(json.dumps({"situation": situation, "hindered": hindered, "rows": rows}) + "\n")


if __name__ == "__main__":
    main()
