"""The part of the lab's printer that puts ink on paper: run by ippeveprinter for every job.

``print_engine.py SOCKET FILE``. It tells the printer's owner what it was given, is told how to behave,
and says when it is done. It imports nothing of the lab, so that it starts quickly.
"""

import hashlib
import json
import socket
import sys
import time
from pathlib import Path


def main(address: str, document: str) -> int:
    """Print one document; gives the exit code: 0 is a job completed, anything else one aborted."""
    with socket.socket(socket.AF_UNIX) as owner, owner.makefile("rw") as lines:
        owner.connect(address)
        lines.write(hashlib.sha256(Path(document).read_bytes()).hexdigest() + "\n")
        lines.flush()
        manner = json.loads(lines.readline())
        if manner["reason"]:
            sys.stderr.write(f"STATE: +{manner['reason']}\n")
            sys.stderr.flush()
            lines.readline()  # until somebody has brought paper
            sys.stderr.write(f"STATE: -{manner['reason']}\n")
        time.sleep(manner["seconds"])
        if manner["sides"] is not None:
            sys.stderr.write(f"ATTR: job-impressions-completed={manner['sides']}\n")
        lines.write("done\n")
    return int(manner["exit"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
