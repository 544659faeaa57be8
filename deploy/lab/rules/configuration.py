"""Writes the files that Prometheus and its exporters are started with, from those beside this one."""

import json
import re
import shutil
from pathlib import Path
from string import Template

WRITTEN_FOR = 5.0  # seconds between two scrapes
_HERE = Path(__file__).parent
_SCALED = ("prometheus.yml", "usual.yml", "layers.yml")
_SECONDS = re.compile(r"\b(\d+)s\b")


def configure(folder: Path, *, every: float, url: str, session: str, authority: Path, printer: str | None) -> int:
    """Write them for a scrape every so many seconds; gives how many targets there are.

    ``url`` is the application's. ``session`` is monitoring's own session in it, a secret: only blackbox_exporter's file
    holds it, which nobody else can read. ``authority`` is the certificate that the service outside is trusted by,
    ``printer`` the printer's IPP URI.
    """
    for name in _SCALED:
        (folder / name).write_text(scaled((_HERE / name).read_text(), every / WRITTEN_FOR))
    prometheus = folder / "prometheus.yml"
    prometheus.write_text(Template(prometheus.read_text()).substitute(url=url))
    shutil.copy(_HERE / "postgres.yml", folder)
    probes = folder / "blackbox.yml"
    probes.touch(mode=0o600)
    given = {"session": session, "far_end": str(authority)}
    probes.write_text(Template((_HERE / "blackbox.yml").read_text()).substitute(given))
    labels = {"access": "wired", "__param_module": "printer"}
    page = printer and printer.replace("ipp://", "http://").removesuffix("ipp/print")
    printers = [{"targets": [page], "labels": labels}] if page else []
    (folder / "printer.json").write_text(json.dumps(printers))
    return prometheus.read_text().count("{targets:") + len(printers)


def scaled(text: str, factor: float) -> str:
    """Give one of the files with each of its durations, all in whole seconds, so many times as long."""
    return _SECONDS.sub(lambda found: f"{max(1, round(int(found[1]) * factor))}s", text)
