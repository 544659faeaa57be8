"""Every sampler keeps the contract: catalogued metrics, honest first reads, settings with their mistakes."""

import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import trustme

from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, WhichlayerError
from collector.model.sample import Sample
from collector.plugin import load, names
from deploy.lab import print_queue
from probes import samplers
from probes.drivers.remote.display import OwnDisplay
from probes.sampler import Active, Hindered, Opened, OpenSampler, Sampler
from probes.samplers.wifi import OpenWifi
from probes.windows.port import Windows
from probes.windows.spooler import Spooler
from tests.recordings.wifi import Recorded
from tests.sites import directory
from tests.sites.queue import queue_on_loopback
from tests.windows.recording import Recording
from tests.windows.spooler_recording import SpoolerRecording

RATES = ("1/s", "By/s")
WINDOWS = {"citrix", "spooler"}  # read over a recording of Windows


def settings(name: str, folder: Path) -> Mapping[str, Any]:
    pid_file = folder / "own.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    known: dict[str, Mapping[str, Any]] = {
        "citrix": {"network": "network_core"},
        "connect": {"rungs": [{"station": "app", "host": "127.0.0.1", "port": 9}]},
        "cups": {"printer": print_queue.NAME},
        "directory": {"url": "ldaps://localhost:9", "entry": directory.ENTRY},
        "hiccup": {},
        "host": {"role": "app_server"},
        "process": {"pid_file": str(pid_file)},
        "redraw": {},
        "resolve": {"name": "localhost"},
        "share": {"directory": str(folder)},
        "spooler": {"printer": "Ward*"},
        "volume": {"directory": str(folder)},
        "wifi": {"device": "wlan0"},
    }
    assert set(known) == set(names(samplers)), "a new sampler needs settings here"
    return known[name]


@pytest.fixture(scope="module")
def cups_server() -> Iterator[str]:
    with queue_on_loopback() as queue:
        yield f"ipp://{queue.server}"


@pytest.fixture(scope="module")
def directory_server(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Mapping[str, Any]]:
    folder = tmp_path_factory.mktemp("directory")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with directory.serving(folder, authority) as running:
        yield {"url": f"ldaps://localhost:{running.tls}", "ca_file": str(folder / "ca.pem")}


@pytest.fixture
def session(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    own = OwnDisplay("320x200", tmp_path_factory.mktemp("session"))
    monkeypatch.setenv("XAUTHORITY", str(own.authority))
    monkeypatch.setenv("DISPLAY", own.name)
    yield
    own.close()


def read(sampler: Opened) -> Sequence[Sample]:
    if isinstance(sampler, OpenSampler):
        return sampler.read()
    return sampler.sign_in({"user": directory.USER, "password": directory.PASSWORD}).samples


@pytest.fixture(params=names(samplers))
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    if request.param in WINDOWS and sys.platform != "win32":
        module = import_module(f"probes.samplers.{request.param}")
        monkeypatch.setattr(module, "this_machine", lambda: Windows(Recording()))
        if request.param == "spooler":
            monkeypatch.setattr(module, "this_spooler", lambda: Spooler(SpoolerRecording()))
    kind = load(samplers, request.param, Sampler)
    sampler: Opened
    if request.param == "wifi":  # few machines have a radio: what a real kernel said, again
        radio = Recorded("associated", "after traffic")
        sampler = OpenWifi(site="test", component="thing-1", device="wlan0", radio=radio)
    else:
        known = settings(request.param, tmp_path)
        if request.param == "cups":
            known = {**known, "server": request.getfixturevalue("cups_server")}
        if request.param == "redraw":
            request.getfixturevalue("session")
        if request.param == "directory":
            known = {**known, **request.getfixturevalue("directory_server")}
        sampler = kind.open(site="test", component="thing-1", settings=known)
    yield sampler
    sampler.close()


def some_work() -> None:
    sum(math.sqrt(number) for number in range(200_000))


def test_it_reads_catalogued_metrics_of_its_component(opened: Opened) -> None:
    read(opened)
    some_work()
    found = list(read(opened))
    assert found
    assert all(isinstance(sample, Sample) for sample in found)
    assert {sample.metric for sample in found} <= set(CATALOGUE)
    assert {(sample.site, sample.component.removesuffix(".app")) for sample in found} == {("test", "thing-1")}
    assert all(sample.value >= 0 or CATALOGUE[sample.metric].unit == "dBm" for sample in found)


def test_the_first_read_gives_no_rate(opened: Opened) -> None:
    assert [sample.metric for sample in read(opened) if CATALOGUE[sample.metric].unit in RATES] == []


def test_a_rate_says_over_which_period(opened: Opened) -> None:
    read(opened)
    some_work()
    rates = [sample for sample in read(opened) if CATALOGUE[sample.metric].unit in RATES]
    assert all(sample.period_seconds for sample in rates)


def test_closing_twice_and_leaving_nothing_behind(opened: Opened, tmp_path: Path) -> None:
    read(opened)
    opened.close()
    opened.close()
    assert [path.name for path in tmp_path.iterdir() if path.name != "own.pid"] == []


@pytest.mark.parametrize("name", names(samplers))
def test_an_unknown_setting_is_refused(name: str, tmp_path: Path) -> None:
    kind = load(samplers, name, Sampler)
    with pytest.raises(ConfigError, match="surprise: is not a known key"):
        kind.open(site="test", component="thing-1", settings={**settings(name, tmp_path), "surprise": 1})


@pytest.mark.skipif(sys.platform == "win32", reason="there it can be read")
@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_what_only_windows_can_tell_is_refused_elsewhere_when_it_is_read(name: str, tmp_path: Path) -> None:
    sampler = load(samplers, name, Sampler).open(site="test", component="thing-1", settings=settings(name, tmp_path))
    with pytest.raises(WhichlayerError, match="only Windows can be asked this"):
        read(sampler)


ACTIVE = ["connect", "directory", "redraw", "resolve", "share", "volume"]


@pytest.mark.parametrize("opened", ACTIVE, indirect=True)
def test_what_acts_states_its_cost_and_keeps_to_it(opened: Opened, request: pytest.FixtureRequest) -> None:
    kind = load(samplers, request.node.callspec.params["opened"], Sampler)
    assert isinstance(kind, Active)
    assert isinstance(opened, Hindered)
    read(opened)
    before = time.process_time()
    for _ in range(5):
        read(opened)
    assert (time.process_time() - before) / 5 < kind.cost.cpu_seconds


def test_every_probe_that_acts_is_held_to_its_cost() -> None:
    assert [name for name in names(samplers) if isinstance(load(samplers, name, Sampler), Active)] == ACTIVE
