"""A queue that a real CUPS server gets after logon, is stopped, and goes on."""

import subprocess
from collections.abc import Iterator, Mapping

import pytest

from collector.model.errors import WhichlayerError
from collector.model.sample import Sample
from deploy.lab import print_queue, printer
from deploy.lab.print_queue import PrintQueue
from probes.samplers.cups import CupsSettings, OpenCups
from tests.sites.queue import queue_on_loopback

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def queue() -> Iterator[PrintQueue]:
    with queue_on_loopback() as made:
        yield made


def sampler(server: str, pattern: str, since: Iterator[float]) -> OpenCups:
    settings = CupsSettings(printer=pattern, server=f"ipp://{server}")
    return OpenCups(site="test", component="ward-3", settings=settings, since_logon=lambda: next(since))


def read(sampler: OpenCups) -> Mapping[str, Sample]:
    return {sample.metric: sample for sample in sampler.read()}


def test_a_queue_is_followed_from_logon_until_it_is_usable(queue: PrintQueue) -> None:
    watching = sampler(queue.server, "WARD-*", iter((1.0, 2.0, 3.0, 4.0)))
    missing = read(watching)
    assert {name: sample.value for name, sample in missing.items()} == {
        "printer.present": 0.0, "printer.awaited.after_logon": 1.0,
    }  # fmt: skip
    ward = PrintQueue(queue.server, queue.port, "ward-3")
    ward.manage("lpadmin", "-v", queue.uri, "-m", "raw")  # as a session that maps its printers: there, not yet enabled
    stopped = read(watching)
    assert stopped["printer.usable"].value == 0.0
    assert stopped["printer.present.after_logon"].value == pytest.approx(2.0, abs=1.5)
    assert "printer.usable.after_logon" not in stopped
    ward.manage("cupsenable")
    ward.manage("cupsaccept")
    usable = read(watching)
    assert usable["printer.usable"].value == 1.0, usable
    assert usable["printer.usable.after_logon"].value == pytest.approx(3.0, abs=1.5)
    ward.manage("cupsreject")
    assert read(watching)["printer.usable"].labels["state"] == "rejecting"


def test_a_server_that_is_not_there_is_said_and_is_no_missing_printer() -> None:
    with pytest.raises(WhichlayerError, match="CUPS cannot be asked"):
        sampler(f"localhost:{printer.free_port()}", "*", iter((1.0,))).read()


def test_a_server_without_any_queue_has_not_this_one(queue: PrintQueue) -> None:
    for name in ("ward-3", print_queue.NAME):
        subprocess.run(["lpadmin", "-h", queue.server, "-x", name], check=True, timeout=20)
    assert read(sampler(queue.server, "*", iter((1.0,))))["printer.present"].value == 0.0
