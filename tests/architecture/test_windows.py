"""The agent loads on Windows: what only POSIX has stands in one module, and nothing else needs it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
SYSTEM = ("os", "signal", "socket")
NAMES = {  # of these
    "AF_UNIX", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "chown", "chroot", "fchmod", "fdatasync", "fork", "getegid",
    "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getuid", "killpg", "mkfifo", "nice", "openpty",
    "pidfd_open", "posix_fadvise", "pread", "pwrite", "sched_getaffinity", "setsid", "setuid", "statvfs",
    "sysconf", "uname", "wait4",
}  # fmt: skip
WINDOWS = {"ctypes", "msvcrt", "winreg", "_winapi", "win32api", "win32print", "win32pdh"}
WINDOWS_PORT = "probes/windows/"
POSIX_PORT = "probes/posix.py"
LINUX_PACKAGES = ("pyroute2", "Xlib", "secretstorage", "jeepney")


def agent_files() -> Iterator[tuple[str, ast.Module]]:
    shared = ("plugin", "document", "secret")
    paths = [
        *sorted((ROOT / "probes").rglob("*.py")),
        *sorted((ROOT / "collector" / "model").glob("*.py")),
        *(ROOT / "collector" / f"{name}.py" for name in shared),
        *(ROOT / "whichlayer" / f"{name}.py" for name in ("__main__", "agent", "logs", "settings")),
        ROOT / "whichlayer" / "commands" / "agent.py",
    ]
    for path in paths:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def used(tree: ast.Module) -> set[str]:
    """Name the modules a file imports anywhere in it, and the attributes it takes of os, signal and socket."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            taken = {name.name for name in node.names} if module in SYSTEM else set()
            found |= {module.partition(".")[0], *taken}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {node.attr} if node.value.id in SYSTEM else set()
    return found


def is_windows_port(name: str) -> bool:
    return name.startswith(WINDOWS_PORT)


@pytest.mark.parametrize(("name", "tree"), [pytest.param(*one, id=one[0]) for one in agent_files()])
def test_each_system_has_its_one_port(name: str, tree: ast.Module) -> None:
    found = used(tree)
    posix = found & (MODULES | NAMES)
    assert name == POSIX_PORT or not posix, f"{sorted(posix)} exists on POSIX only: it belongs into {POSIX_PORT}"
    windows = found & WINDOWS
    assert is_windows_port(name) or not windows, f"{sorted(windows)}: it belongs into {WINDOWS_PORT}"


def test_what_the_rule_looks_for_is_seen() -> None:
    seen = used(ast.parse("def f():\n import fcntl\n from os import geteuid\n return os.killpg, signal.SIGKILL"))
    assert seen & (MODULES | NAMES) == {"fcntl", "geteuid", "killpg", "SIGKILL"}
    assert used(ast.parse("from probes import posix\nposix.end_group(1)")) == {"probes"}


def test_every_command_loads_without_posix_modules_and_linux_packages() -> None:
    """Windows has none of them; the standard library and psutil, which have a Windows side, are loaded before."""
    missing = sorted(MODULES | set(LINUX_PACKAGES))
    code = f"""
import sys, asyncio, multiprocessing, shutil, subprocess, getpass, psutil
for name in {missing!r}:
    sys.modules[name] = None
import whichlayer.__main__, whichlayer.agent, probes.agent.agent
from collector.plugin import names
from importlib import import_module
from probes import samplers
for name in names(samplers):
    import_module("probes.samplers." + name)
print("loaded")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["loaded"], done.stderr
