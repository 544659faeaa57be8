"""Hands messages over and is killed at a station: forks once for each line of standard input, so that it starts once.

usage: python -m tests.doubles.killed_sender REGISTRY SMTP_PORT WEBHOOK_URL
"""

import os
import signal
import sys
from datetime import timedelta

from collector.model.alert import Notice
from collector.notifiers import email, webhook
from collector.notify import Sender
from collector.registries.database import DatabaseRegistry
from tests.worlds.alerts import NOW, notice


def die() -> None:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class _Registry(DatabaseRegistry):
    station = ""

    def claim_notice(self, channel: str, **given: object) -> Notice | None:
        if self.station == "before the claim":
            die()
        found = super().claim_notice(channel, **given)  # type: ignore[arg-type]
        if self.station == "after the claim":
            die()
        return found

    def settle_notice(self, notice_id: str, **given: object) -> None:
        if self.station == "after it was taken":
            die()
        super().settle_notice(notice_id, **given)  # type: ignore[arg-type]
        if self.station == "after the settling":
            die()


def work(given: tuple[str, str, str], station: str, channel: str, number: int) -> None:
    """Keep a message, then hand it over, and be killed on the way; the servers kill at the stations of their own."""
    registry, port, url = given
    kept = _Registry(f"sqlite:///{registry}")
    if station == "before it is kept":
        die()
    kept.put_alerts([], notices=[notice(number, channel)], now=NOW)
    kept.station = station
    mail = {"host": "127.0.0.1", "port": int(port), "security": "none", "sender": "a@b.test", "to": ["c@d.test"]}
    notifier = email.PLUGIN.open(mail) if channel == "email" else webhook.PLUGIN.open({"url": url})
    sender = Sender(
        registry=kept, channel=channel, notifier=notifier, give_up_after=timedelta(days=9), clock=lambda: NOW
    )
    sender()


def main() -> None:
    """Work off the lines, each in a process of its own."""
    for line in sys.stdin:
        channel, number, station = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if not child:
            sys.stdout.close()
            registry, port, url = sys.argv[1:4]
            work((registry, port, url), station, channel, int(number))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
