"""Ordinary people at work in casebook, coming and going: traffic that is nobody's fault.

``python -m deploy.lab.trials.users`` is told on standard input where, who, how many, and works until that ends.
Each of them signs in once, then searches, opens, saves and prints as people do, with pauses. Their number
swings from the fewest to the most and back; who is at work takes memory on the machine.
"""

import json
import math
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx2

from deploy.lab.program import module
from deploy.lab.trials.scenario import Load
from deploy.lab.world import URL, World

_THINKING = 1.0  # seconds between two things a person does, on average
_SURNAMES = ("smith", "jones", "brown", "taylor", "wilson", "davies")
_CASES = 400  # people open one of the first so many
_MEBIBYTE = 1 << 20


@contextmanager
def at_work(world: World, load: Load | None) -> Iterator[None]:
    """Have people work, over the cable, while the block runs. Raises LabError when they cannot."""
    if load is None:
        yield
        return
    command = world.namespaces["wired"].run(module("trials.users"))
    people = world.programs.start("users", command, told=True)
    people.tell({
        "url": URL, "account": "probe-visitor", "password": world.passwords["visitor"],
        "fewest": load.users[0], "most": load.users[1], "swing": load.swing, "memory": load.memory,
    })  # fmt: skip
    try:
        people.wait_ready()
        yield
    finally:
        world.programs.stop(people)


def wanted(fewest: int, most: int, swing: float, seconds: float) -> int:
    """Give how many are at work so many seconds after the beginning: the fewest first, the most half a swing later."""
    return round(fewest + (most - fewest) * (1 - math.cos(2 * math.pi * seconds / swing)) / 2)


class _Person:
    """One of them; at work whenever fewer than wanted are."""

    def __init__(self, told: Mapping[str, Any], number: int, at_work: Callable[[int], bool]) -> None:
        self._told, self._number, self._at_work = told, number, at_work
        self._draw = random.Random(number)
        self._memory: list[bytes] = []

    def live(self) -> None:
        """Come and go, for ever. What goes wrong in the application is the application's affair."""
        while True:
            self._memory = []
            while not self._at_work(self._number):
                time.sleep(0.5)
            self._memory = [os.urandom(4096) * (_MEBIBYTE // 4096) for _ in range(int(self._told["memory"]))]
            with (
                suppress(httpx2.HTTPError, LookupError),
                httpx2.Client(base_url=self._told["url"], timeout=30, trust_env=False, follow_redirects=True) as client,
            ):
                self._sign_in(client)
                while self._at_work(self._number):
                    self._one_case(client)
            self._think()

    def _sign_in(self, client: httpx2.Client) -> None:
        form = {"username": self._told["account"], "password": self._told["password"]}
        client.post("/login", data=form | {"csrf_token": _csrf(client.get("/login"))}).raise_for_status()

    def _one_case(self, client: httpx2.Client) -> None:
        self._think()
        client.get("/cases", params={"q": self._draw.choice(_SURNAMES)}).raise_for_status()
        self._think()
        place = f"/cases/{self._draw.randint(1, _CASES)}"
        token = _csrf(client.get(place).raise_for_status())
        self._think()
        if self._draw.random() < 0.5:
            client.post(f"{place}/notes", data={"csrf_token": token, "note": "seen"}).raise_for_status()
        else:
            client.get(f"{place}/print").raise_for_status()

    def _think(self) -> None:
        time.sleep(min(5 * _THINKING, self._draw.expovariate(1 / _THINKING)))


def _csrf(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    if found is None:
        raise LookupError("the page has no form")
    return found[1]


def main() -> None:
    """Work until standard input ends."""
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    began = time.monotonic()

    def at_work(number: int) -> bool:
        return number < wanted(told["fewest"], told["most"], told["swing"], time.monotonic() - began)

    for number in range(told["most"]):
        threading.Thread(target=_Person(told, number, at_work).live, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
