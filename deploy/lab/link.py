"""A network link between two namespaces whose delay, loss and rate can be changed while it carries traffic.

Two TUN devices joined by this process. Per direction: a bounded queue in front of a rate limit, a
constant delay plus exponential jitter (never reordering), and Gilbert-Elliott loss (a good and a
bad state, so that loss comes in bursts as on radio). For both together: standstills, as of a client that
moves between access points; and one TCP port whose packets may take longer than all others. Settings come as JSON
lines on standard input and nowhere else, so that nothing on the machine can read what the lab does.

``python -m deploy.lab.link PID_A ADDRESS_A PID_B ADDRESS_B [--cable [--route NETWORK]]``
"""

import argparse
import ctypes
import fcntl
import heapq
import json
import os
import random
import selectors
import socket
import struct
import sys
import time
from dataclasses import dataclass, field, replace

TUN = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001  # IFF_TUN | IFF_NO_PI
_CLONE_NEWNET = 0x40000000
_PR_SET_TIMERSLACK = 29
_MTU = 1400


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the link does to packets, each way. Delays in milliseconds, loss as a probability, rate in kbit/s.

    ``to_bad`` and ``to_good`` are the chances, per packet, to enter and to leave the bad state. ``beyond_*``
    is what the way behind the link adds, the same for every link that leads there. A standstill lasts ``stall``
    seconds and the next begins ``stall_gap`` seconds later, both half as much or half as much again; what is sent
    meanwhile waits for its end, or is lost with the chance ``stall_loss``. ``late`` is for the packets from or to
    the TCP port ``late_port`` alone.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    bad_loss: float = 0.0
    to_bad: float = 0.0
    to_good: float = 0.25
    rate: float = 0.0  # 0: as fast as it goes
    queue: float = 200.0  # longest wait for the rate limit
    beyond_delay: float = 0.0
    beyond_loss: float = 0.0
    stall: float = 0.0
    stall_gap: float = 1.0
    stall_loss: float = 0.0
    late_port: float = 0
    late: float = 0.0


@dataclass(slots=True)
class Standstill:
    """When a link stands still, for both of its directions."""

    draw: random.Random = field(default_factory=random.Random)
    _begins: float = 0.0
    _ends: float = 0.0

    def until(self, now: float, conditions: Conditions) -> float:
        """Give when what is sent now goes on its way: now, or the end of the standstill."""
        if not conditions.stall:
            self._begins = self._ends = now
            return now
        while now >= self._ends:
            self._begins = self._ends + conditions.stall_gap * self.draw.uniform(0.5, 1.5)
            self._ends = self._begins + conditions.stall * self.draw.uniform(0.5, 1.5)
        return self._ends if now >= self._begins else now


@dataclass(slots=True)
class Direction:
    """One direction: decides for each packet when it leaves, or that it never does."""

    conditions: Conditions
    draw: random.Random = field(default_factory=random.Random)
    standstill: Standstill = field(default_factory=Standstill)
    _bad: bool = False
    _busy_until: float = 0.0
    _last_out: dict[bool, float] = field(default_factory=lambda: {False: 0.0, True: 0.0})

    def release_at(self, now: float, size: int, *, late: bool = False) -> float | None:
        """Give the time a packet of ``size`` bytes leaves (same clock as ``now``); None when it is lost.

        ``late`` packets are those of the port that takes longer: none overtakes another of its kind.
        """
        conditions = self.conditions
        begins = self.standstill.until(now, conditions)
        if self._lost(standing=begins > now):
            return None
        leaves = begins
        if conditions.rate:
            turn = max(begins, self._busy_until)
            if (turn - begins) * 1e3 > conditions.queue:
                return None
            leaves = self._busy_until = turn + size * 8 / (conditions.rate * 1e3)
        leaves += (conditions.delay + conditions.beyond_delay + (conditions.late if late else 0.0)) / 1e3
        if conditions.jitter:
            leaves += self.draw.expovariate(1e3 / conditions.jitter)
        self._last_out[late] = max(leaves, self._last_out[late])
        return self._last_out[late]

    def _lost(self, *, standing: bool) -> bool:
        conditions, draw = self.conditions, self.draw.random
        self._bad = draw() >= conditions.to_good if self._bad else draw() < conditions.to_bad
        if draw() < (conditions.bad_loss if self._bad else conditions.loss):
            return True
        if conditions.beyond_loss and draw() < conditions.beyond_loss:
            return True
        return standing and draw() < conditions.stall_loss


class Link:
    """Two ends and what lies between them."""

    def __init__(self, end_a: int, end_b: int) -> None:
        both = Standstill()
        there, back = (Direction(Conditions(), standstill=both) for _ in range(2))
        self._out = {end_a: (there, end_b), end_b: (back, end_a)}
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._sequence = 0

    def set(self, changed: dict[str, float]) -> None:
        """Change the conditions of both directions; what is not named stays."""
        for direction, _ in self._out.values():
            direction.conditions = replace(direction.conditions, **changed)

    def carry(self) -> None:
        """Carry packets until standard input closes."""
        with selectors.DefaultSelector() as selector:
            for end in self._out:
                selector.register(end, selectors.EVENT_READ)
            selector.register(0, selectors.EVENT_READ)
            while True:
                wait = max(0.0, self._waiting[0][0] - time.perf_counter()) if self._waiting else None
                for key, _ in selector.select(wait):
                    if key.fd != 0:
                        self._take(key.fd)
                    elif line := sys.stdin.readline():
                        self.set(json.loads(line))
                    else:
                        return
                self._give()

    def _take(self, end: int) -> None:
        direction, other = self._out[end]
        for _ in range(64):
            try:
                packet = os.read(end, 2048)
            except BlockingIOError:
                return
            port = direction.conditions.late_port
            late = port > 0 and port in ports_of(packet)
            leaves = direction.release_at(time.perf_counter(), len(packet), late=late)
            if leaves is not None:
                self._sequence += 1
                heapq.heappush(self._waiting, (leaves, self._sequence, other, packet))

    def _give(self) -> None:
        now = time.perf_counter()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, end, packet = heapq.heappop(self._waiting)
            try:
                os.write(end, packet)
            except OSError:
                continue  # that end is going down, or full: real links drop then too


def ports_of(packet: bytes) -> tuple[int, ...]:
    """Give both TCP ports of an IPv4 packet; nothing of any other."""
    size = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < size + 4 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
        return ()
    return struct.unpack_from("!2H", packet, size)


def open_end(pid: int, name: str, address: str, *, default_route: bool) -> int:
    """Create the TUN device ``name`` in the network namespace of ``pid``; give its file descriptor."""
    _enter(pid)
    end = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER))
    _configure(name, address, default_route=default_route)
    return end


def plug_cable(near: tuple[int, str], far: tuple[int, str], name: str, route: str | None = None) -> None:
    """Join two namespaces by a plain cable (a veth pair); the near one sends what is for ``route`` to the far one.

    It cannot be made bad: what is left where there is no TUN device.
    """
    from pyroute2 import IPRoute  # noqa: PLC0415

    (near_pid, near_address), (far_pid, far_address) = near, far
    _enter(near_pid)
    with IPRoute() as routes:
        routes.link("add", ifname=name, kind="veth", peer={"ifname": name, "net_ns_pid": far_pid})
    _configure(name, near_address, default_route=False)
    if route is not None:
        with IPRoute() as routes:
            routes.route("add", dst=route, gateway=far_address.partition("/")[0])
    _enter(far_pid)
    _configure(name, far_address, default_route=True)


def _enter(pid: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net") as namespace:  # noqa: PTH123  a descriptor is what is needed
        if library.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _configure(name: str, address: str, *, default_route: bool) -> None:
    from pyroute2 import IPRoute  # noqa: PLC0415  after setns, so that its socket is in there

    host, _, prefix = address.partition("/")
    with IPRoute() as routes:
        index = routes.link_lookup(ifname=name)[0]
        routes.addr("add", index=index, address=host, prefixlen=int(prefix))
        routes.link("set", index=index, mtu=_MTU, state="up")
        if default_route:
            routes.route("add", family=socket.AF_INET, dst="0.0.0.0/0", oif=index)


def main() -> None:
    """Open both ends, say so, carry."""
    parser = argparse.ArgumentParser(prog="link", description=__doc__)
    parser.add_argument("near_pid", type=int, help="a process in the near namespace")
    parser.add_argument("near_address", help="its address, as 10.77.1.1/30")
    parser.add_argument("far_pid", type=int, help="a process in the far namespace, whose default route this becomes")
    parser.add_argument("far_address")
    parser.add_argument("--cable", action="store_true", help="a plain cable that cannot be made bad; ends at once")
    parser.add_argument("--route", metavar="NETWORK", help="what lies behind the far end of a cable")
    chosen = parser.parse_args()
    name = f"lab{chosen.far_pid}"
    if chosen.cable:
        plug_cable((chosen.near_pid, chosen.near_address), (chosen.far_pid, chosen.far_address), name, chosen.route)
        return
    near = open_end(chosen.near_pid, name, chosen.near_address, default_route=False)
    far = open_end(chosen.far_pid, name, chosen.far_address, default_route=True)
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)  # wake on time, not 50 µs late
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    Link(near, far).carry()


if __name__ == "__main__":
    main()
