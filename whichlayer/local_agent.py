"""The agent of the owner's own machine: a child process, enrolled by the owner, that ends with it."""

import contextlib
import ctypes
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import structlog

from collector.model.errors import WhichlayerError
from collector.registry import Registry, Scope
from probes.agent.settings import AgentSettings
from probes.credentials import Credentials, Enrolment, save

_LOG = structlog.get_logger("whichlayer.up")
_PATIENCE_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1


class LocalAgent:
    """``whichlayer agent run`` beside the collector. A context manager; ``check`` restarts it if it ended."""

    def __init__(self, file: Path, settings: AgentSettings, *, registry: Registry, url: str) -> None:
        """Get ready to run the agent section of ``file`` against the collector at ``url``."""
        self._command = [sys.executable, "-m", "whichlayer", "agent", "run", "--config", str(file)]
        if settings.collector is None:
            self._command += ["--collector", url]
        self._settings = settings
        self._registry = registry
        self._changing = threading.Lock()  # a child that is started while stopping would be nobody's
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Enrol it if need be, and start it."""
        self._enrol()
        self._child = self._start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End it, if ``stop`` did not."""
        self.stop()

    def stop(self) -> None:
        """Ask it to end, for good; end it if it does not. It hands over what it has, if the collector still answers."""
        with self._changing:
            child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            _LOG.warning("the local agent did not end in time and was killed", pid=child.pid)
            child.kill()
            child.wait()

    def check(self) -> None:
        """Start it again when it ended by itself."""
        with self._changing:
            if self._child is not None and self._child.poll() is not None:
                _LOG.error("the local agent ended and is started again", code=self._child.returncode)
                self._child = self._start()

    def _enrol(self) -> None:
        """Enrol it, also again when the file gives the endpoint another name: a token speaks for one endpoint."""
        with contextlib.suppress(WhichlayerError):
            known = self._registry.agent_of(Enrolment(self._settings.state).current().token)
            if known is not None and known.endpoint == self._settings.endpoint:
                return
        now = datetime.now(UTC)
        code = self._registry.invite(self._settings.endpoint, scope=Scope.AGENT, now=now)
        given = self._registry.enrol(code, now=now)
        assert given is not None
        save(self._settings.state, Credentials(agent_id=given.agent_id, token=given.token))

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C is for the owner, who then ends it in order.
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_follow_owner if sys.platform == "linux" else None,  # noqa: PLW1509  one call, no allocation
        )
        _LOG.info("local agent started", endpoint=self._settings.endpoint, pid=child.pid)
        return child


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _follow_owner() -> None:
    """Have the kernel end the child when the thread that started it ends, also by kill -9."""
    assert _LIBC is not None
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
