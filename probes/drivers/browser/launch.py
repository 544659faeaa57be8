"""Starting a browser that is on this machine, and ending it with everything it started."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import psutil
from playwright.sync_api import Browser, Playwright, ProxySettings, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from collector import secret
from collector.model.errors import WhichlayerError
from probes import posix
from probes.drivers.browser.floor import NoiseFloor

START_SECONDS = 60.0
_QUIET = (  # what a browser would do for itself, beside what it is asked for
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
)
# "Preload pages: no". Else a connection is begun while the browser still gets ready to ask, and nobody can say when.
_NOTHING_AHEAD = {"net": {"network_prediction_options": 2}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a browser is started; runs with the same answers share one."""

    executable: Path
    headed: bool = False
    slow_milliseconds: float = 0.0
    proxy: str | None = None
    arguments: tuple[str, ...] = ()
    ca_file: Path | None = None
    ahead: bool = False
    idle_seconds: float = 900.0


@dataclass(slots=True, kw_only=True)
class Running:
    """What the owner thread has: only work handed to it may touch this."""

    playwright: Playwright
    browser: Browser
    pid: int
    user_agent: str
    floor: NoiseFloor = field(default_factory=NoiseFloor)


@contextmanager
def launched(launch: Launch) -> Iterator[Running]:
    """Start a browser; when left, it has ended. Raises WhichlayerError when it cannot start."""
    with _profile() as profile, _playwright(launch.ca_file) as playwright:
        try:
            running = _launch(playwright, launch, profile)
        except PlaywrightError as error:
            raise WhichlayerError(f"{launch.executable} does not start: {first_line(error)}") from None
        try:
            yield running
        finally:
            with suppress(PlaywrightError):  # it may have ended by itself
                running.browser.close()


@contextmanager
def _playwright(ca_file: Path | None) -> Iterator[Playwright]:
    try:
        with _authorities(ca_file):
            playwright = sync_playwright().start()
    except Exception as error:  # noqa: BLE001  its program has many ways to fail
        reason = first_line(error)
        raise WhichlayerError(
            f"Playwright's own program does not start ({reason}): on Debian and Ubuntu, apt-get install libatomic1"
        ) from None
    try:
        yield playwright
    finally:
        playwright.stop()


@contextmanager
def _authorities(ca_file: Path | None) -> Iterator[None]:
    """Make Playwright's own program trust what the system trusts; it learns that from its environment only."""
    wanted = {"NODE_USE_SYSTEM_CA": "1"} | ({"NODE_EXTRA_CA_CERTS": str(ca_file)} if ca_file else {})
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _profile() -> Iterator[Path]:
    """Give a user's profile that connects and loads nothing ahead of need: the only place where that can be said."""
    with tempfile.TemporaryDirectory(prefix="whichlayer-browser-", ignore_cleanup_errors=True) as folder:
        preferences = Path(folder) / "Default" / "Preferences"
        preferences.parent.mkdir()
        preferences.write_text(json.dumps(_NOTHING_AHEAD), encoding="utf-8")
        yield Path(folder)


def _launch(playwright: Playwright, launch: Launch, profile: Path) -> Running:
    browser = _started(playwright, launch, profile)
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    agent = session.send("Browser.getVersion")["userAgent"]
    session.detach()
    pid = next(int(one["id"]) for one in processes if one["type"] == "browser")
    return Running(playwright=playwright, browser=browser, pid=pid, user_agent=agent)


def _started(playwright: Playwright, launch: Launch, profile: Path) -> Browser:
    how: dict[str, Any] = {
        "executable_path": launch.executable,
        "headless": not launch.headed,
        "slow_mo": launch.slow_milliseconds,
        "proxy": _proxy(launch.proxy) if launch.proxy else None,
        # Chromium refuses its sandbox to root; nobody else goes without.
        "chromium_sandbox": not posix.is_root(),
        "args": [*_QUIET, *launch.arguments],
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
        "timeout": START_SECONDS * 1e3,
    }
    if launch.headed or launch.ahead:  # nobody measures, or it may do as it does by itself
        return playwright.chromium.launch(**how)
    own = playwright.chromium.launch_persistent_context(profile, **how)
    assert own.browser is not None
    return own.browser


def _proxy(address: str) -> ProxySettings:
    url = httpx2.URL(address)
    settings = ProxySettings(server=f"{url.scheme}://{url.netloc.decode()}")
    if url.userinfo:
        secret.remember(unquote(url.password))
        settings["username"], settings["password"] = unquote(url.username), unquote(url.password)
    return settings


def end(pid: int) -> None:
    """End the browser ``pid``, Playwright's own program above it, and all they started."""
    try:
        tree = _top(psutil.Process(pid))
        doomed = [*tree.children(recursive=True), tree]
    except psutil.NoSuchProcess:
        return
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(doomed, timeout=5)


def _top(process: psutil.Process) -> psutil.Process:
    """Give what this process started itself on the way down to ``process``."""
    own = os.getpid()
    for above in process.parents():
        if above.pid == own:
            break
        process = above
    else:
        raise psutil.NoSuchProcess(process.pid)  # not below us: somebody else's process has that number by now
    return process


def first_line(error: Exception) -> str:
    """Give what Playwright says, without its call log, in which filled texts stand."""
    return (str(error).splitlines() or [type(error).__name__])[0]
