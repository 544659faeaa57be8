"""Eighty minutes of a synthetic past for Prometheus: quiet, and at its end pages that wait for a slow disk."""

import time
from datetime import UTC, datetime, timedelta

import numpy as np

END = datetime.fromtimestamp(time.time() // 60 * 60, UTC) - timedelta(hours=3)
BEGIN, FAULT = END - timedelta(minutes=80), END - timedelta(minutes=16)
CASES, DROP, STRANGER = "https://cases.example/", "https://drop.example/", "https://other.example/"


def past() -> str:
    """Write a quiet hour; in the last 16 minutes pages wait for a slow disk, and the file drop hangs."""
    noise, lines = np.random.default_rng(1), dict[str, list[str]]()
    operations = waited = 0.0
    for at in np.arange(BEGIN.timestamp(), END.timestamp(), 15):
        slow = at >= FAULT.timestamp()
        for job, instance in (("hall", CASES), ("wifi", CASES), ("hall", DROP), ("hall", STRANGER)):
            hangs = slow and instance == DROP
            processing = float(0.1 * noise.lognormal(0, 0.1)) + (0.8 if slow and instance == CASES else 0.0)
            labels = f'instance="{instance}",job="{job}"'
            phases = {"resolve": 0.002, "connect": 0.01, "tls": 0.02, "processing": processing, "transfer": 0.001}
            told = {"probe_success": 0.0 if hangs else 1.0, "probe_http_status_code": 0.0 if hangs else 200.0}
            told["probe_duration_seconds"] = 9.5 if hangs else sum(phases.values())
            for name, value in told.items():
                lines.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at + 3}")
            for phase, value in phases.items():
                name = "probe_http_duration_seconds"
                lines.setdefault(name, []).append(f'{name}{{{labels},phase="{phase}"}} {value} {at + 3}')
        operations += 300
        waited += 300 * (0.06 if slow else 0.002) * float(noise.lognormal(0, 0.1))
        disk = {"writes": operations, "write_latency_seconds": waited}
        for name, value in {f"windows_logical_disk_{name}_total": value for name, value in disk.items()}.items():
            for host in ("db01", "desk99"):
                labels = f'instance="{host}:9182",volume="D:"'
                lines.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at + 7}")
    kinds = {name: "counter" if name.endswith("_total") else "gauge" for name in lines}
    families = [f"# TYPE {name.removesuffix('_total')} {kinds[name]}\n" + "\n".join(lines[name]) for name in lines]
    return "\n".join(families) + "\n# EOF\n"
