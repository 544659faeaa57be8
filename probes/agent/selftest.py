"""A page an endpoint's owner sends back: what was detected here, by which way, how sure, and how long each read took.

It holds no names and no addresses: of what was found only kinds, counts, numbers and reasons are told. Nothing is
sent, and everything it writes it removes.
"""

import os
import platform
import re
import sqlite3
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keyring

from collector.model.errors import WhichlayerError
from probes.agent.outbox import Kind, Outbox
from probes.context.access import find_link
from probes.context.presentation import Found, of_environment, of_windows
from probes.lock import held
from probes.samplers.citrix import INPUT_DELAY, LATENCY, own
from probes.samplers.host import PLUGIN as HOST
from probes.windows.port import Windows, this_machine
from probes.windows.spooler import Spooler, code, this_spooler

Facts = Mapping[str, Any]
_PRINTERS = 10  # that are asked: one of a print server that is away takes long


def report(
    version: str,
    windows: Windows | None = None,
    environment: Mapping[str, str] = os.environ,
    spooler: Spooler | None = None,
) -> dict[str, Any]:
    """Make every read once, in order; a read that fails says so and the next one goes on."""
    if windows is None and sys.platform == "win32":
        windows, spooler = this_machine(), this_spooler()
    reads = {
        **_everywhere(environment),
        **({} if windows is None else _on_windows(windows, environment)),
        **({} if spooler is None else {"printers": lambda: _printers(spooler)}),
    }
    return {
        "whichlayer": version,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": _system(),
        "reads": [_timed(what, read) for what, read in reads.items()],
    }


def _system() -> Facts:
    return {
        "name": platform.system(),
        "release": platform.release(),
        "version": platform.version(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "sqlite": sqlite3.sqlite_version,
        "tls": ssl.OPENSSL_VERSION,
        "clock_step_seconds": time.get_clock_info("perf_counter").resolution,
    }


def _timed(what: str, read: Callable[[], Facts]) -> dict[str, Any]:
    """Give the answer of one read, or the kind of its failure: the words of an error may hold names."""
    started = time.perf_counter()
    try:
        answer, error = dict(read()), None
    except (OSError, WhichlayerError, RuntimeError, ValueError, sqlite3.Error) as failure:
        code = getattr(failure, "winerror", None) or getattr(failure, "errno", None)
        answer, error = {}, f"{type(failure).__name__} {code}" if code else type(failure).__name__
    seconds = round(time.perf_counter() - started, 6)
    return {"what": what, "seconds": seconds, "answer": answer, "error": error}


def _everywhere(environment: Mapping[str, str]) -> dict[str, Callable[[], Facts]]:
    reads: dict[str, Callable[[], Facts]] = {
        "environment": lambda: _found(of_environment(environment)),
        "host sampler": _host,
        "outbox": _outbox,
        "keyring": lambda: {"backend": type(keyring.get_keyring()).__name__},
        "trust store": _trust,
    }
    if sys.platform == "linux":
        reads = {"link": lambda: _found(find_link(Path("/"))), **reads}
    return reads


def _on_windows(windows: Windows, environment: Mapping[str, str]) -> dict[str, Callable[[], Facts]]:
    name = environment.get("SESSIONNAME", "")
    return {
        "presentation": lambda: _presentation(windows, name),
        "since logon": lambda: {"seconds": windows.seconds_since_logon()},
        "counters": lambda: _counters(windows, name),
        "wifi": lambda: asdict(facts) if (facts := windows.wifi()) else {"connected": False},
    }


def _found(found: Found) -> Facts:
    """Tell how it is known without the device it was seen on."""
    return {"what": str(found.what), "way": re.sub(r" on \S+$", "", found.source), "sure": found.confidence}


def _presentation(windows: Windows, name: str) -> Facts:
    answers = windows.session(name)
    asked = {"wts": answers.wts, "citrix": answers.citrix, "registry": answers.registry}
    kind = re.sub(r"[^A-Za-z-].*", "", name)  # ICA-tcp#12 is ICA-tcp
    return {**_found(of_windows(answers)), "answers": {**asked, "name": kind}, "unable": dict(answers.unable)}


def _counters(windows: Windows, name: str) -> Facts:
    """Tell which counters there are, how many instances, and whether this session's value can be told from others'."""
    counters, session = windows.counters(LATENCY, INPUT_DELAY), windows.session_id()
    try:
        values = counters.read()
    finally:
        counters.close()
    return {
        "missing": list(counters.missing),
        "instances": {path: len(found) for path, found in values.items()},
        "own": {path: own(found, session, name) for path, found in values.items()},
        "milliseconds": True,
    }


def _printers(spooler: Spooler) -> Facts:
    """Tell how each of this session's printers is and how bytes would reach it, in the order of names not told."""
    names = spooler.names()
    return {"in_this_session": len(names), "printers": [_printer(spooler, name) for name in names[:_PRINTERS]]}


def _printer(spooler: Spooler, name: str) -> Facts:
    told: dict[str, Any] = {}
    try:
        state = spooler.state(name)
        told = {
            "usable": state.usable,
            "state": list(state.words),
            "jobs": state.jobs,
            "keeps_printed": state.keeps,
            "named_for_a_session": bool(re.search(r" session \d+$", name)),
        }
        told["datatype"] = spooler.datatype(name)
    except OSError as failure:
        told["unable"] = f"{type(failure).__name__} {code(failure)}"
    return told


def _host() -> Facts:
    sampler = HOST.open(site="selftest", component="selftest", settings={})
    try:
        first, second = sampler.read(), sampler.read()
    finally:
        sampler.close()
    return {"metrics": sorted({sample.metric for sample in (*first, *second)})}


def _outbox() -> Facts:
    """Keep one row for good, as a run is kept, and find it again."""
    with tempfile.TemporaryDirectory() as folder, held(Path(folder) / "agent.lock", 0.0) as locked:
        outbox = Outbox(Path(folder), limit_bytes=1 << 16)
        try:
            started = time.perf_counter()
            outbox.put(Kind.SAMPLES, ["{}"])
            seconds = time.perf_counter() - started
            return {"locked": locked, "kept": outbox.waiting(), "write_seconds": round(seconds, 6)}
        finally:
            outbox.close()


def _trust() -> Facts:
    import truststore  # noqa: PLC0415  5 MB that only this and https need

    truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return {"library": "truststore"}


def lines(made: Mapping[str, Any]) -> Iterator[str]:
    """Give the report for people: one line a read."""
    system = made["system"]
    yield f"whichlayer {made['whichlayer']}, Python {system['python']}, {system['name']} {system['release']}"
    for read in made["reads"]:
        told = read["error"] or ", ".join(f"{key} {value}" for key, value in read["answer"].items())
        yield f"{read['what']}: {told} ({read['seconds'] * 1000:.1f} ms)"
