"""Is the processing phase right? Measures known waits, in turn with curl's ``time_starttransfer``.

``python -m deploy.bench.phase_accuracy [--json]``. Required: the median error is at most 1 ms or 1 %
of the wait, whichever is more. Exit code 1 if it is not.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from collector.model.access import Access, Link, Presentation
from collector.model.run import MEASURED, Phase
from deploy.bench import exact_server
from probes.drivers.http.plugin import PLUGIN
from probes.journey.file import Journey, parse
from probes.walk import Place, walk

PLAN = {0: 30, 50: 30, 250: 20, 1000: 8}  # wait in milliseconds: number of requests of each client
ALLOWED_SECONDS, ALLOWED_SHARE = 0.001, 0.01

_PLACE = Place(site="bench", endpoint="bench", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
_JOURNEY = """
name: wait
variables: {base_url: "", milliseconds: "0"}
steps:
  - step: wait
    connection: new
    requests: [{path: "/wait/{milliseconds}"}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One wait: median error (signed and absolute) and 90th percentile of whichlayer and of curl, in ms."""

    wait_ms: int
    requests: int
    median_error_ms: float
    median_absolute_error_ms: float
    p90_absolute_error_ms: float
    median_uncertainty_ms: float
    curl_median_error_ms: float | None
    curl_median_absolute_error_ms: float | None
    curl_p90_absolute_error_ms: float | None
    allowed_ms: float

    @property
    def right(self) -> bool:
        """Say whether the error is within what is required."""
        return self.median_absolute_error_ms <= self.allowed_ms


def measure() -> list[Row]:
    """Walk and curl in turn, so that both meet the same moments of a busy machine."""
    rows = []
    with exact_server.running() as port:
        base = f"http://127.0.0.1:{port}"
        journey = parse(_JOURNEY.replace('base_url: ""', f"base_url: {base}"), Path("phase_accuracy.yaml"))
        for milliseconds, count in PLAN.items():
            own, uncertainties, curled = [], [], []
            for _ in range(count):
                seconds, uncertainty = _walked(journey, milliseconds)
                own.append(seconds - milliseconds / 1000)
                uncertainties.append(uncertainty)
                if shutil.which("curl"):
                    curled.append(_curled(f"{base}/wait/{milliseconds}") - milliseconds / 1000)
            rows.append(_row(milliseconds, own, uncertainties, curled))
    return rows


def _walked(journey: Journey, milliseconds: int) -> tuple[float, float]:
    run = walk(
        journey,
        PLUGIN,
        _PLACE,
        slot=datetime.now(UTC),
        secrets={},
        variables={"milliseconds": str(milliseconds)},
    )
    step = run.steps[0]
    if step.outcome not in MEASURED or step.uncertainty_seconds is None:
        raise SystemExit(f"the bench's own server did not answer: {step.error}")
    return step.phases[Phase.PROCESSING], step.uncertainty_seconds


def _curled(url: str) -> float:
    """Give what curl says of the same phase: first byte minus the moment it was ready to send."""
    command = [
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "--noproxy",
        "*",
        "-w",
        "%{time_starttransfer} %{time_pretransfer}",
        url,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    first_byte, ready = map(float, done.stdout.split())
    return first_byte - ready


def _row(milliseconds: int, own: Sequence[float], uncertainties: Sequence[float], curled: Sequence[float]) -> Row:
    absolute, curl_absolute = sorted(map(abs, own)), sorted(map(abs, curled))
    return Row(
        wait_ms=milliseconds,
        requests=len(own),
        median_error_ms=1000 * statistics.median(own),
        median_absolute_error_ms=1000 * statistics.median(absolute),
        p90_absolute_error_ms=1000 * _p90(absolute),
        median_uncertainty_ms=1000 * statistics.median(uncertainties),
        curl_median_error_ms=1000 * statistics.median(curled) if curled else None,
        curl_median_absolute_error_ms=1000 * statistics.median(curl_absolute) if curled else None,
        curl_p90_absolute_error_ms=1000 * _p90(curl_absolute) if curled else None,
        allowed_ms=max(1000 * ALLOWED_SECONDS, ALLOWED_SHARE * milliseconds),
    )


def _p90(ordered: Sequence[float]) -> float:
    return ordered[int(0.9 * (len(ordered) - 1))]


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title="error of the processing phase, ms", title_justify="left", box=None)
    for heading in ("wait", "n", "median", "|med|", "|p90|", "±", "curl", "|curl|", "|p90|", "allowed"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        numbers = list(asdict(row).values())[2:]
        shown = ["–" if number is None else f"{number:.3f}" for number in numbers]
        table.add_row(str(row.wait_ms), str(row.requests), *shown, "right" if row.right else "WRONG")
    return table


def main() -> int:
    """Print the measurement; 0 if every wait was measured as required."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="print for machines")
    as_json: bool = arguments.parse_args().json
    rows = measure()
    if as_json:
        sys.stdout.write(json.dumps([{**asdict(row), "right": row.right} for row in rows]) + "\n")
    else:
        Console().print(_table(rows))
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
