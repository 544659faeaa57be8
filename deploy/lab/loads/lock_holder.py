"""Two workers of somebody else's job on casebook's database take turns at a lock on the notes: one always has it.

It is the lock that changing a table's rules takes: nobody can add a note meanwhile, reading goes on. Whoever saves
waits for the worker that has it and for the one before it in the queue. How long each holds it comes as JSON lines on
standard input and nowhere else. ``python -m deploy.lab.loads.lock_holder CONNINFO``
"""

import json
import signal
import sys
import threading
import time

from psycopg import Connection

_WORKERS = 2
_REST = 0.05  # seconds between two looks while there is nothing to do


class _Job:
    hold = 0.0  # seconds; 0 while there is nothing to do

    def work(self, connection: Connection) -> None:
        """Lock for ever; the lock goes with the connection when this ends."""
        while True:
            if not self.hold:
                time.sleep(_REST)
                continue
            with connection.transaction():
                connection.execute("LOCK TABLE note IN SHARE ROW EXCLUSIVE MODE")
                time.sleep(self.hold)


def main() -> None:
    """Work until SIGTERM or until standard input closes."""
    job = _Job()
    for _ in range(_WORKERS):
        connection = Connection.connect(sys.argv[1], application_name="nightly-job")
        threading.Thread(target=job.work, args=(connection,), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        job.hold = float(json.loads(line)["hold"])
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
