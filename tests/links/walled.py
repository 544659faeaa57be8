"""A link with a firewall on it: run in a network namespace of its own, prints what the driver made of each fault.

``unshare --user --map-root-user --net -- python -m tests.links.walled FOLDER``; one JSON object per fault.
The firewall is the kernel's own, and sits between two ends of one loopback.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.links.far_end import HELLO, look
from tests.sites import raw

CLIENT_HELLO = "meta length > 100"  # the handshake of TCP is shorter, whatever an application says is longer
RULES = {
    "open": "counter",
    "filtered": "tcp flags syn drop",
    "refused": "reject with tcp reset",
    "unreachable": "reject with icmpx type admin-prohibited",
    "reset": f"{CLIENT_HELLO} reject with tcp reset",
    "swallowed": f"{CLIENT_HELLO} drop",
}


def main(folder: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for fault, rule in RULES.items():
        for scheme in ("http", "https") if fault in {"reset", "swallowed"} else ("http",):
            with raw.serving(raw.answering(HELLO)) as port:
                put_up(f"tcp dport {port} {rule}")
                check = f"endpoint: {{url: '{scheme}://127.0.0.1:{port}/{'x' * 100}'}}"
                (step,) = look(folder, check, timeout="600 ms").steps
            told = {
                "fault": f"{fault} {scheme}",
                "outcome": step.outcome,
                "kind": step.error_kind,
                "error": step.error,
                "phases": sorted(step.phases),
                "seconds": step.seconds,
            }
            sys.stdout.write(json.dumps(told) + "\n")


def put_up(rule: str) -> None:
    wall = "inet wall in"
    rules = (
        "add table inet wall",
        f"add chain {wall} {{ type filter hook input priority 0; }}",
        f"flush chain {wall}",
        f"add rule {wall} {rule}",
    )
    subprocess.run(["nft", "-f", "-"], input="\n".join(rules) + "\n", text=True, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
