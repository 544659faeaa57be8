"""The programs the lab has started: each with its log, and none left when the lab ends."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from deploy.lab.namespace import LabError

_READY_TIMEOUT = 20.0  # seconds
_STOP_TIMEOUT = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Program:
    """One running program. What it is told goes through its standard input only."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    def tell(self, settings: Mapping[str, Any]) -> None:
        """Send one line of settings. Raises LabError when the program is gone."""
        try:
            _pipe(self.process.stdin).write(json.dumps(settings).encode() + b"\n")
            _pipe(self.process.stdin).flush()
        except (BrokenPipeError, ValueError):
            raise LabError(f"{self.name} has ended: {self.last_words()}") from None

    def wait_ready(self) -> None:
        """Wait for the line that says the program is ready. Raises LabError."""
        readable, _, _ = select.select([_pipe(self.process.stdout)], [], [], _READY_TIMEOUT)
        if not readable or _pipe(self.process.stdout).readline().strip() != b"ready":
            raise LabError(f"{self.name} did not start: {self.last_words()}")

    def last_words(self) -> str:
        """Give the last line of the log, for people."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        """Ask the program to end, make it end, and its children too."""
        children = _family(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _end(children)


class Programs:
    """Everything that was started, in order; stopped in the reverse order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Program] = []

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        told: bool = False,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        descriptors: Sequence[int] = (),
    ) -> Program:
        """Start a program in its own process group; ``told`` ones have pipes to be told and to say ready."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE if told else subprocess.DEVNULL,
                stdout=subprocess.PIPE if told else out,
                stderr=out,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                pass_fds=tuple(descriptors),
            )
        program = Program(name, process, log, stop_signal)
        self._running.append(program)
        return program

    def stop(self, program: Program) -> None:
        """Stop one program before its time."""
        self._running.remove(program)
        program.stop()

    def running(self) -> tuple[Program, ...]:
        """List what was started and not stopped, in order."""
        return tuple(self._running)

    def dead(self) -> list[Program]:
        """List the programs that ended by themselves, which none should."""
        return [program for program in self._running if program.process.poll() is not None]

    def stop_all(self) -> None:
        """Stop everything, last started first."""
        while self._running:
            self._running.pop().stop()


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _end(processes: Sequence[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=5)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)


def module(name: str) -> list[str]:
    """Give the command of one of the lab's own programs."""
    return [sys.executable, "-m", f"deploy.lab.{name}"]


def wait_until(condition: Callable[[], bool], seconds: float, problem: Callable[[], str]) -> None:
    """Wait for a condition, looking ten times a second. Raises LabError that says ``problem()``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(problem())
        time.sleep(0.1)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
