"""The benchmark's ruler: it never answers early, and it answers."""

import time

import httpx2
import pytest

from deploy.bench import exact_server

pytestmark = pytest.mark.integration


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    with exact_server.running() as port, httpx2.Client(trust_env=False) as client:
        for milliseconds in (0, 30, 1):
            started = time.perf_counter()
            answer = client.get(f"http://127.0.0.1:{port}/wait/{milliseconds}")
            assert time.perf_counter() - started >= milliseconds / 1000
            assert (answer.status_code, answer.text) == (200, "waited\n")
