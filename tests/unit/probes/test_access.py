"""Access detection reads what the kernel says of the default route's device, and says how it knew."""

import sys
from pathlib import Path

import pytest

from collector.model.access import Link, Presentation
from probes.context.access import AccessLabels, detect, find_link, find_presentation

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")


def machine(root: Path, device: str, *, arphrd: str = "1", marks: tuple[str, ...] = (), devtype: str = "") -> Path:
    """Lay out the files of /proc and /sys as a kernel with this default device shows them."""
    folder = root / "sys/class/net" / device
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{arphrd}\n")
    (folder / "uevent").write_text(f"DEVTYPE={devtype}\nINTERFACE={device}\n" if devtype else f"INTERFACE={device}\n")
    for mark in marks:
        (folder / mark).mkdir()
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/route").write_text(
        HEAD
        + "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        + "slow0\t00000000\t0102A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n"
        + f"{device}\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    )
    return root


@pytest.mark.parametrize(
    ("device", "layout", "link", "how"),
    [
        ("wlp2s0", {"marks": ("phy80211", "device")}, Link.WIFI, "nl80211"),
        ("wlan0", {"marks": ("wireless", "device")}, Link.WIFI, "wireless extensions"),
        ("enp3s0", {"marks": ("device",)}, Link.WIRED, "Ethernet hardware"),
        ("veth7", {}, Link.WIRED, "virtual"),
        ("wg0", {"arphrd": "65534", "devtype": "wireguard"}, Link.VPN, "device kind"),
        ("tun0", {"arphrd": "65534", "marks": ("tun_flags",)}, Link.VPN, "device kind"),
        ("ppp0", {"arphrd": "512"}, Link.VPN, "device type"),
        ("wwan0", {"arphrd": "65534", "devtype": "wwan"}, Link.MOBILE, "device kind"),
        ("can0", {"arphrd": "280"}, Link.UNKNOWN, "no known kind"),
    ],
)
def test_the_device_of_the_default_route_decides(
    tmp_path: Path, device: str, layout: dict[str, object], link: Link, how: str
) -> None:
    found = find_link(machine(tmp_path, device, **layout))  # type: ignore[arg-type]
    assert found.what == link
    assert how in found.source
    assert device in found.source


def test_old_drivers_are_in_the_wireless_table(tmp_path: Path) -> None:
    root = machine(tmp_path, "ra0", marks=("device",))
    (root / "proc/net/wireless").write_text(
        "Inter-| sta-|   Quality\n face | tus | link\n   ra0: 0000   54.  -56.  -256\n"
    )
    assert find_link(root).what == Link.WIFI


def test_without_a_default_route_it_is_unknown_and_not_guessed(tmp_path: Path) -> None:
    found = find_link(tmp_path)
    assert (found.what, found.confidence) == (Link.UNKNOWN, 0.0)


def test_ipv6_only_machines_have_a_default_route_too(tmp_path: Path) -> None:
    root = machine(tmp_path, "enp3s0", marks=("device",))
    (root / "proc/net/route").write_text(HEAD)
    zero = "0" * 32
    (root / "proc/net/ipv6_route").write_text(
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        f"{zero} 00 {zero} 00 {'f' * 32} 00000400 00000001 00000000 00000003   enp3s0\n"
    )
    assert find_link(root).what == Link.WIRED


@pytest.mark.parametrize(
    ("environment", "presentation"),
    [
        ({"SESSIONNAME": "ICA-TCP#12"}, Presentation.CITRIX),
        ({"SESSIONNAME": "RDP-Tcp#3"}, Presentation.RDP),
        ({"SESSIONNAME": "Console"}, Presentation.LOCAL),
        ({"XRDP_SESSION": "1"}, Presentation.RDP),
        ({"VNCDESKTOP": "host:1 (probe)"}, Presentation.VNC),
        ({"CITRIX_SESSION_ID": "7"}, Presentation.CITRIX),
        ({}, Presentation.LOCAL),
    ],
)
def test_a_remote_session_leaves_traces(environment: dict[str, str], presentation: Presentation) -> None:
    assert find_presentation(environment).what == presentation


def test_the_name_of_a_session_is_a_hint_because_it_can_be_old() -> None:
    assert (
        find_presentation({"SESSIONNAME": "ICA-CGP#4"}).confidence < find_presentation({"VNCDESKTOP": "x"}).confidence
    )


def test_no_trace_is_weaker_than_a_trace() -> None:
    assert find_presentation({}).confidence < find_presentation({"XRDP_SESSION": "1"}).confidence


@linux
def test_a_label_wins_and_says_what_was_detected(tmp_path: Path) -> None:
    root = machine(tmp_path, "enp3s0", marks=("device",))
    access = detect(AccessLabels(link=Link.WIFI), root=root, environment={})
    assert access.link is Link.WIFI
    assert access.link_source == "label in whichlayer.yaml; detected: wired (Ethernet hardware on enp3s0)"
    assert access.presentation is Presentation.LOCAL
    assert access.confidence == pytest.approx(0.6)


@linux
def test_this_machine_has_an_access() -> None:
    access = detect(AccessLabels())
    assert access.link_source != "not detected"
    assert access.presentation_source != "not detected"
