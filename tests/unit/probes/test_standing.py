"""What changes under a walk is seen: a pulled cable, another device, another gateway, a roam, a lost access point."""

import sys
from pathlib import Path

import pytest

from probes.context.standing import Lookout, Standing
from tests.recordings.wifi import Recorded
from tests.unit.probes.test_access import HEAD, machine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")


def desk(root: Path) -> Path:
    machine(root, "enp3s0", marks=("device",))
    set_carrier(root, 3)
    return root


def set_carrier(root: Path, changes: int) -> None:
    (root / "sys/class/net/enp3s0/carrier_changes").write_text(f"{changes}\n")


def set_route(root: Path, device: str, gateway: str) -> None:
    (root / "proc/net/route").write_text(f"{HEAD}{device}\t00000000\t{gateway}\t0003\t0\t0\t100\t00000000\t0\t0\t0\n")


def test_nothing_changes_when_nothing_changes(tmp_path: Path) -> None:
    lookout = Lookout(root=desk(tmp_path))
    before = lookout.look()
    assert before.device == "enp3s0"
    assert lookout.look().changed(before) == ()
    assert "0102A8C0" not in repr(before)


def test_a_pulled_cable(tmp_path: Path) -> None:
    lookout = Lookout(root=desk(tmp_path))
    before = lookout.look()
    set_carrier(tmp_path, 5)
    assert lookout.look().changed(before) == ("carrier",)


def test_another_gateway_and_another_device(tmp_path: Path) -> None:
    lookout = Lookout(root=desk(tmp_path))
    before = lookout.look()
    set_route(tmp_path, "enp3s0", "FE02A8C0")
    assert lookout.look().changed(before) == ("gateway",)
    other = tmp_path / "sys/class/net/wlp2s0"
    (other / "phy80211").mkdir(parents=True)
    set_route(tmp_path, "wlp2s0", "FE02A8C0")
    assert lookout.look().changed(before) == ("device", "link", "gateway")
    (tmp_path / "proc/net/route").write_text(HEAD)
    assert lookout.look().changed(before) == ("device", "link", "gateway")


@pytest.mark.parametrize(
    ("moments", "changed"),
    [
        (("associated", "after traffic"), ()),
        (("after traffic", "roamed"), ("access_point",)),
        (("stayed", "associated anew"), ("access_point",)),
        (("associated anew", "access point gone"), ("access_point",)),
        (("access point gone", "access point gone"), ()),
    ],
)
def test_what_happens_to_the_radio(tmp_path: Path, moments: tuple[str, str], changed: tuple[str, ...]) -> None:
    radio = Recorded(*moments)
    lookout = Lookout(root=machine(tmp_path, "wlan1", marks=("phy80211", "device")), radio=radio)
    before = lookout.look()
    assert before.asked
    assert lookout.look().changed(before) == changed
    lookout.close()
    assert radio.closed


def test_a_radio_that_cannot_be_asked_changes_nothing() -> None:
    heard = Standing(device="wlan0", link="wifi", asked=True)
    assert heard.changed(Standing(device="wlan0", link="wifi")) == ()
