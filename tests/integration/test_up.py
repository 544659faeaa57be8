"""``whichlayer up`` as a process: one owner, an orderly end, nothing lost, nothing left."""

import json
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme

from collector.registry import Scope
from collector.store import Slice
from tests.agents.rig import wait_until
from tests.doors.knock import run
from tests.doors.owner import alive, children, configuration, owner
from whichlayer.data import opened
from whichlayer.owner import OPERATOR, OWNER
from whichlayer.settings import load

pytestmark = pytest.mark.integration
EVER = Slice(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))


def token(config: Path) -> str:
    now = datetime.now(UTC)
    with opened(load(config).collector) as (_store, registry):
        given = registry.enrol(registry.invite("ward-3-pc", scope=Scope.AGENT, now=now), now=now)
    assert given is not None
    return given.token


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "whichlayer", *words], capture_output=True, text=True, check=False)


def run_ids(config: Path) -> list[str]:
    with opened(load(config).collector) as (store, _registry):
        found: list[str] = store.scan("runs", EVER, columns=["run_id"]).column("run_id").to_pylist()
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_in_order(tmp_path: Path, number: int) -> None:
    config = configuration(tmp_path)
    with owner(config) as running:
        url = running.ready()
        for private in (OWNER, OPERATOR):
            assert stat.S_IMODE((running.data / private).stat().st_mode) == 0o600
        headers = {"Authorization": f"Bearer {token(config)}"}
        body = {"sequence": 1, "runs": [run(1)]}
        assert httpx2.post(f"{url}/v1/runs", json=body, headers=headers).status_code == 204
        otlp: dict[str, list[str]] = {"resourceMetrics": []}
        assert httpx2.post(f"{url}/v1/metrics", json=otlp, headers=headers, timeout=30).status_code == 200
        assert httpx2.get(url).raise_for_status().headers["content-type"].startswith("text/html")
        below = children(running.process.pid)
        assert below
        assert running.stop(number) == 0
        assert not (running.data / OWNER).exists()
        assert alive(below) == set()
    assert run_ids(config) == [run(1)["run_id"]]
    assert running.log.read_text().count(headers["Authorization"].split()[1]) == 0


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with owner(config) as running:
        url = running.ready()
        second = command("up", "--config", str(config))
        assert second.returncode == 1
        assert f"is served by process {running.process.pid} at {url}" in second.stderr
        assert httpx2.get(f"{url}/healthz").status_code == 200
        assert running.stop() == 0


def test_it_refuses_to_be_reachable_without_protection(tmp_path: Path) -> None:
    config = configuration(tmp_path, host="0.0.0.0")
    refused = command("up", "--config", str(config))
    assert refused.returncode == 2
    assert "0.0.0.0 can be reached" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_behind_a_proxy_it_may_be_reachable(tmp_path: Path) -> None:
    config = configuration(tmp_path, host="0.0.0.0")
    with owner(config, "--behind-proxy") as running:
        url = running.ready()
        assert httpx2.get(f"{url}/metrics").status_code == 401
        assert running.stop() == 0


def test_with_a_certificate_it_speaks_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    config = configuration(tmp_path, host="0.0.0.0", tls="{certificate: both.pem, key: both.pem}")
    with owner(config) as running:
        deadline = time.monotonic() + 60
        while not (running.data / OWNER).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        url = json.loads((running.data / OWNER).read_text())["url"]
        assert url.startswith("https://")
        trust = ssl.create_default_context(cafile=tmp_path / "authority.pem")
        with httpx2.Client(verify=trust, trust_env=False) as client:
            assert client.get(f"{url}/healthz").json() == {"status": "ok"}
        assert token(config)
        assert running.stop() == 0


def test_it_takes_over_sockets_it_is_given(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    words = [sys.executable, "-m", "whichlayer", "up", "--config", str(config)]
    script = (
        f"import os; os.dup2({listener.fileno()}, 3); os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))"
    )
    script += f"; os.execv({words[0]!r}, {words!r})"
    process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[listener.fileno()])
    listener.close()
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
        assert answer.json() == {"status": "ok"}
        own = json.loads((tmp_path / "data" / OWNER).read_text())["url"]
        assert httpx2.get(f"{own}/healthz").status_code == 200
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_a_configuration_with_mistakes_is_refused_with_all_of_them(tmp_path: Path) -> None:
    config = configuration(tmp_path, port=-1, colour="blue")
    refused = command("up", "--config", str(config))
    assert refused.returncode == 2
    assert "whichlayer.yaml:4:" in refused.stderr
    assert "colour: is not a known key" in refused.stderr


@pytest.mark.parametrize(
    ("more", "collector", "expected"),
    [
        (
            "agent: {endpoint: here-1, journeys: [{file: none.yaml}]}",
            {},
            ["none.yaml:1:1 there is no such file"],
        ),
        (
            "",
            {"tls": "{certificate: whichlayer.yaml, key: whichlayer.yaml}"},
            ["whichlayer.yaml:5:3 collector.tls: certificate and key cannot be used"],
        ),
        (
            "",
            {"sources": "[{kind: postgresql, component: a, settings: {dsnn: x}},\n    {kind: none, component: b}]"},
            [
                "whichlayer.yaml:5:46 collector.sources.0.settings.dsn: is missing",
                "whichlayer.yaml:5:57 collector.sources.0.settings.dsnn: is not a known key",
                "whichlayer.yaml:6:6 collector.sources.1.kind: 'none' is not one of",
            ],
        ),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    tmp_path: Path, more: str, collector: dict[str, str], expected: list[str]
) -> None:
    refused = command("up", "--config", str(configuration(tmp_path, more, **collector)))
    assert refused.returncode == 2, refused.stderr
    found = [line for line in refused.stderr.splitlines() if line.startswith(str(tmp_path))]
    assert [
        line[len(str(tmp_path)) + 1 :][: len(words)] for line, words in zip(found, expected, strict=True)
    ] == expected


class Senders:
    """Threads that send batches until told to stop, and remember which were acknowledged."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.acknowledged: list[int] = []
        self.unsure: list[int] = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(number,)) for number in range(4)]

    def body(self, sequence: int) -> dict[str, Any]:
        return {"sequence": sequence, "runs": [run(sequence * 3 + extra) for extra in range(3)]}

    def _send(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        sequence = number
        with httpx2.Client(base_url=self.url, headers=headers, trust_env=False) as client:
            while not self.stop.is_set():
                try:
                    answer = client.post("/v1/runs", json=self.body(sequence))
                except httpx2.HTTPError:
                    self.unsure.append(sequence)
                    return
                assert answer.status_code == 204, answer.text
                self.acknowledged.append(sequence)
                sequence += len(self.threads)


def test_kill_9_under_load_loses_nothing_acknowledged_and_keeps_nothing_twice(tmp_path: Path) -> None:
    config = configuration(tmp_path, flush="200 ms")
    sent: list[int] = []
    unsure: list[int] = []
    for _ in range(2):
        with owner(config) as running:
            url = running.ready()
            senders = Senders(url, token(config))
            offset = 10_000 * (1 + len(sent))
            senders.body = lambda sequence, offset=offset: {  # type: ignore[method-assign,misc]
                "sequence": sequence,
                "runs": [run(offset + sequence * 3 + extra) for extra in range(3)],
            }
            for thread in senders.threads:
                thread.start()
            wait_until(lambda: len(senders.acknowledged) > 40, seconds=60)  # noqa: B023  # asked at once
            time.sleep(0.5)  # several flushes, at any moment of which it is killed
            below = children(running.process.pid)
            assert running.stop(signal.SIGKILL) == -signal.SIGKILL
            senders.stop.set()
            for thread in senders.threads:
                thread.join(30)
        assert len(senders.acknowledged) > 40
        sent += [offset + sequence * 3 + extra for sequence in senders.acknowledged for extra in range(3)]
        unsure += [offset + sequence * 3 + extra for sequence in senders.unsure for extra in range(3)]
        assert alive(below) == set()
    kept = run_ids(config)
    assert len(kept) == len(set(kept)), "something was stored twice"
    assert set(kept) >= {f"{number:032x}" for number in sent}, "something acknowledged was lost"
    assert set(kept) <= {f"{number:032x}" for number in sent + unsure}


def test_a_batch_sent_again_after_kill_9_is_stored_once(tmp_path: Path) -> None:
    config = configuration(tmp_path, flush="1 h")
    given = ""
    for _ in range(2):
        with owner(config) as running:
            url = running.ready()
            given = given or token(config)
            headers = {"Authorization": f"Bearer {given}"}
            answer = httpx2.post(f"{url}/v1/runs", json={"sequence": 1, "runs": [run(7)]}, headers=headers)
            assert answer.status_code == 204
            running.stop(signal.SIGKILL)
    assert run_ids(config) == [run(7)["run_id"]]


def test_a_full_spool_answers_503_and_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    config = configuration(tmp_path, flush="1 h", spool_bytes=20_000)
    with owner(config) as running:
        url = running.ready()
        headers = {"Authorization": f"Bearer {token(config)}"}
        kept: list[str] = []
        body: dict[str, Any] = {}
        answer = httpx2.Response(204)
        for sequence in range(200):
            kept += [found["run_id"] for found in body.get("runs", [])]
            body = {"sequence": sequence, "runs": [run(sequence * 10 + extra) for extra in range(10)]}
            answer = httpx2.post(f"{url}/v1/runs", json=body, headers=headers)
            if answer.status_code != 204:
                break
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"
        assert sorted(run_ids(config)) == sorted(kept)
        httpx2.post(f"{url}/v1/flush", headers={"Authorization": f"Bearer {running.token()}"}).raise_for_status()
        assert httpx2.post(f"{url}/v1/runs", json=body, headers=headers).status_code == 204
        assert running.stop() == 0
