"""Debian's Prometheus scrapes node_exporter and writes to a real ``whichlayer up``."""

import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.registry import Scope
from collector.store import Slice
from tests.doors.owner import configuration, owner
from whichlayer.data import opened
from whichlayer.settings import load

pytestmark = pytest.mark.integration
WANTED = {"system.memory.available", "system.cpu.utilization", "system.network.retransmits"}
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{node}']}}]}}
remote_write:
  - url: {url}/api/v1/write
    authorization: {{credentials_file: {token}}}
    queue_config: {{batch_send_deadline: 1s}}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_real_prometheus_writes_what_it_scrapes(tmp_path: Path) -> None:
    for name in ("prometheus", "prometheus-node-exporter"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    config = configuration(tmp_path, "", remote_write='{components: {"127.0.0.1": app-1}}')
    node, port, token = free_port(), free_port(), tmp_path / "token"
    with owner(config) as running, ExitStack() as stack:
        url = running.ready()
        with opened(load(config).collector) as (store, registry):
            now = datetime.now(UTC)
            given = registry.enrol(registry.invite("prometheus", scope=Scope.AGENT, now=now), now=now)
            assert given is not None
            token.write_text(given.token)
            (tmp_path / "prometheus.yml").write_text(CONFIG.format(node=node, url=url, token=token))
            flags = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
            commands = [
                ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node}"],
                ["prometheus", *flags, f"--web.listen-address=127.0.0.1:{port}"],
            ]
            for command in commands:
                log = stack.enter_context((tmp_path / f"{command[0]}.log").open("wb"))
                process = subprocess.Popen(command, stdout=log, stderr=log)
                stack.callback(process.wait, 20)
                stack.callback(process.terminate)
            period = Slice(start=now - timedelta(hours=1), end=now + timedelta(hours=1))
            deadline = time.monotonic() + 40
            rows: list[dict[str, Any]] = []
            while time.monotonic() < deadline and not {row["metric"] for row in rows} >= WANTED:
                time.sleep(0.5)
                rows = store.scan("samples", period).to_pylist()
    assert {row["metric"] for row in rows} >= WANTED, (tmp_path / "prometheus.log").read_text()
    busy = [row for row in rows if row["metric"] == "system.cpu.utilization"]
    assert all(-0.01 <= row["value"] <= 1.0 for row in busy)
    assert {row["component"] for row in busy} == {"app-1"}
    assert given.token not in running.log.read_text()
