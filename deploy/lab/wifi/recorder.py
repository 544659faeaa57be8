"""Runs inside the virtual machine: makes the station's life happen and prints what nl80211 said at each moment.

One line ``RECORD {json}`` a moment: its name, seconds since boot, and the kernel's replies as they came
(hexadecimal netlink datagrams). Last it prints what asking costs, through the product's own radio.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

DEVICE = "wlan1"
READS = 300
_NETLINK_GENERIC = 16
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DONE = 3  # NLMSG_DONE


def dump_stations() -> list[str]:
    """Ask for the stations of the device; give the datagrams of the answer."""
    from pyroute2 import IW  # noqa: PLC0415
    from pyroute2.netlink.nl80211 import NL80211_NAMES, nl80211cmd  # noqa: PLC0415

    with IW() as known:
        family = known.prid
    message = nl80211cmd()
    message["cmd"] = NL80211_NAMES["NL80211_CMD_GET_STATION"]
    message["attrs"] = [["NL80211_ATTR_IFINDEX", socket.if_nametoindex(DEVICE)]]
    message["header"]["type"] = family
    message["header"]["flags"] = _REQUEST_DUMP
    message["header"]["sequence_number"] = 1
    message.encode()
    replies = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_GENERIC) as asking:
        asking.bind((0, 0))
        asking.send(message.data)
        while True:
            reply = asking.recv(65536)
            replies.append(reply.hex())
            if int.from_bytes(reply[4:6], sys.byteorder) == _DONE:
                return replies


def record(moment: str) -> None:
    """Print one moment."""
    uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    told = {"moment": moment, "at": uptime, "replies": dump_stations()}
    sys.stdout.write(f"RECORD {json.dumps(told)}\n")
    sys.stdout.flush()


def run(*command: str) -> str:
    """Run a program of the lab; give what it said."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def send() -> None:
    """Send datagrams to the access point's side; nobody has to listen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for _ in range(50):
            sending.sendto(b"x" * 500, ("10.79.0.1", 9))
            time.sleep(0.02)


def wait_for(words: str) -> None:
    """Wait until the station's link says ``words``."""
    until = time.monotonic() + 60
    while words not in run("iw", "dev", DEVICE, "link"):
        if time.monotonic() > until:
            raise TimeoutError(words)
        time.sleep(0.1)


def main() -> None:
    """Associate, send, roam, associate anew, lose the access point."""
    wait_for("tx bitrate")
    record("associated")
    send()
    record("after traffic")
    cost()
    here = run("iw", "dev", DEVICE, "link").split()[2]
    there = next(
        found for line in run("wpa_cli", "-p", "/run/wpa", "-i", DEVICE, "scan_results").splitlines()
        if (found := line.split("\t")[0]).count(":") == 5 and found != here
    )  # fmt: skip
    run("wpa_cli", "-p", "/run/wpa", "-i", DEVICE, "roam", there)
    wait_for(there)
    wait_for("tx bitrate")
    record("roamed")
    time.sleep(2)
    record("stayed")
    run("wpa_cli", "-p", "/run/wpa", "-i", DEVICE, "reassociate")
    time.sleep(0.5)
    wait_for("tx bitrate")
    record("associated anew")
    run("pkill", "hostapd")
    wait_for("Not connected")
    record("access point gone")


def cost() -> None:
    """Print what one reading costs here, where every instruction is translated."""
    from probes.context.radio import KernelRadio  # noqa: PLC0415

    radio = KernelRadio()
    radio.association(DEVICE)
    process = psutil.Process()
    before, began = process.cpu_times(), time.perf_counter()
    for _ in range(READS):
        radio.association(DEVICE)
    after, took = process.cpu_times(), time.perf_counter() - began
    used = after.user + after.system - before.user - before.system
    radio.close()
    sys.stdout.write(f"COST of one reading: {took / READS:.6f} s, of it processor {used / READS:.6f} s\n")


if __name__ == "__main__":
    main()
