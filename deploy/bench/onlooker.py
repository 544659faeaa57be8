"""Somebody who looks at pages while a bench runs: a process of its own, so that senders do not hold it up.

usage: python -m deploy.bench.onlooker HOST:PORT PATH..., until its standard input ends; then writes JSON: of each
path the milliseconds to the first byte of every answer.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PAUSE_SECONDS = 0.5  # a page that refreshes itself asks less often
Seen = Mapping[str, list[float]]


def main() -> None:
    """Look until told to end."""
    address, *paths = sys.argv[1:]
    ended = threading.Event()
    threading.Thread(target=_wait_for, args=(ended,), daemon=True).start()
    seen: dict[str, list[float]] = {path: [] for path in paths}
    connection = http.client.HTTPConnection(address, timeout=60)
    while not ended.is_set():
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            seen[path].append((time.perf_counter() - began) * 1000)
            answer.read()
        time.sleep(_PAUSE_SECONDS)
    print(json.dumps(seen))  # noqa: T201


def _wait_for(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


@contextmanager
def looking(url: str, *paths: str) -> Iterator[dict[str, list[float]]]:
    """Look at ``paths`` while the block runs; what was seen is given when it has ended."""
    seen: dict[str, list[float]] = {}
    command = [sys.executable, "-m", "deploy.bench.onlooker", url.removeprefix("http://"), *paths]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        time.sleep(0.3)  # it starts
        try:
            yield seen
        finally:
            written, _ = process.communicate()
            seen.update(json.loads(written))


if __name__ == "__main__":
    main()
