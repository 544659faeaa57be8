"""A sender that is killed at any station loses no message, and sends none twice but where nobody can know."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from collector.model.alert import Notice, NoticeState
from collector.notifiers import email, webhook
from collector.notify import Sender
from collector.registries.database import DatabaseRegistry
from tests.doubles.mail import mailbox
from tests.doubles.receiver import receiver
from tests.worlds.alerts import NOW, notice

pytestmark = pytest.mark.integration
STATIONS = {  # how often it then arrives, and whether one attempt is unsure
    "before it is kept": (0, 0),
    "before the claim": (1, 0),
    "after the claim": (1, 1),
    "while it is taken": (2, 1),  # the server has it, and its 250 reaches nobody
    "after it was taken": (2, 1),
    "after the settling": (1, 0),
}


class Place:
    """Both servers, the registry, and the process whose children are killed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.file = folder / "registry.sqlite"
        self.mail = stack.enter_context(mailbox())
        self.http = stack.enter_context(receiver())
        command = [
            sys.executable,
            "-m",
            "tests.doubles.killed_sender",
            str(self.file),
            str(self.mail.port),
            self.http.url,
        ]
        self.process = stack.enter_context(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
            )
        )
        stack.callback(self.process.terminate)

    def killed(self, channel: str, number: int, station: str) -> int:
        """Let a child go as far as the station; give the signal that ended it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.mail.answer = self.kill if station == "while it is taken" else lambda: "250 OK"
        self.http.answer = (lambda: (int(self.kill()[:3]), {})) if station == "while it is taken" else lambda: (204, {})
        self.process.stdin.write(f"{channel} {number} {station}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def kill(self) -> str:
        """Kill the child that hands a message over now, from within the server's answer."""
        for child in psutil.Process(self.process.pid).children():
            os.kill(child.pid, signal.SIGKILL)
        return "250 OK"

    def arrived(self, channel: str, number: str) -> int:
        if channel == "email":
            return sum(number in str(mail["Message-ID"]) for mail in self.mail.mails)
        return sum(headers["webhook-id"] == number for _, headers, _ in self.http.requests)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("outbox"), stack)


@pytest.mark.parametrize(
    ("channel", "station"),
    [("email", station) for station in STATIONS]
    + [("webhook", "while it is taken"), ("webhook", "after it was taken")],
)
def test_killed(place: Place, channel: str, station: str) -> None:
    number = 1 + list(STATIONS).index(station)
    sent = notice(number, channel)
    ended = place.killed(channel, number, station)
    assert ended == signal.SIGKILL
    place.mail.answer, place.http.answer = lambda: "250 OK", lambda: (204, {})
    registry = DatabaseRegistry(f"sqlite:///{place.file}")
    for _ in range(2):
        after(registry, channel, place)
    arrivals, unsure = STATIONS[station]
    assert place.arrived(channel, sent.notice_id) == arrivals
    kept: list[Notice] = [one for one in registry.notices() if one.notice_id == sent.notice_id]
    assert [(one.state, one.unsure) for one in kept] == ([(NoticeState.SENT, unsure)] if arrivals else [])
    registry.close()


def after(registry: DatabaseRegistry, channel: str, place: Place) -> None:
    """Start up again and hand over what is there."""
    mail = {"host": "127.0.0.1", "port": place.mail.port, "security": "none", "sender": "a@b.test", "to": ["c@d.test"]}
    notifier = email.PLUGIN.open(mail) if channel == "email" else webhook.PLUGIN.open({"url": place.http.url})
    Sender(registry=registry, channel=channel, notifier=notifier, give_up_after=timedelta(days=9), clock=lambda: NOW)()
