"""The pages in a real Chromium: one server and one browser for all of these tests."""

import shutil
import threading
import time
from collections.abc import Iterator
from ctypes.util import find_library

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from analysis.drops import refresh
from analysis.settings import AnalysisSettings
from collector.registries.database import DatabaseRegistry
from collector.store import Batch
from collector.stores.memory import MemoryStore
from tests.browser.alerts import alerts
from tests.browser.edges import edge_runs, lives
from tests.browser.estate import council, estate_samples
from tests.browser.scene import NOW, site

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")  # not longer: an open Playwright keeps an event loop running, and others need theirs
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: install the package chromium to run these tests")
    if find_library("atomic") is None:
        pytest.skip("Playwright's driver cannot start: install the package libatomic1 to run these tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the scene and its edges on loopback; give where."""
    folder = tmp_path_factory.mktemp("scene")
    store, registry = MemoryStore(), DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
    store.append(Batch(batch_id="edges:1", sender="edges", sessions=tuple(lives())))
    store.append(Batch(batch_id="estate:1", sender="estate", samples=tuple(estate_samples())))
    registry.put_estate(council())
    alerts(registry)
    refresh(store, registry, AnalysisSettings(), now=NOW)
    with site(folder, extra=tuple(edge_runs()), store=store, registry=registry) as app:
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
                assert thread.is_alive()
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield made
    made.close()
