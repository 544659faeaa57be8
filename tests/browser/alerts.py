"""What rules of alerting say in the scene, worked out by themselves, and messages in every state."""

from dataclasses import replace
from datetime import timedelta

from collector.model.access import Link, Population, Presentation
from collector.model.alert import AlertState, ChangeKind, Ground, NoticeState
from collector.registry import Registry
from dashboards import alert_words
from tests.browser.scene import HOSTILE, NOW, SLOW_SINCE, WIFI, slow
from tests.worlds.alerts import alert, message, notice, subject

VPN = Population(link=Link.VPN, presentation=Presentation.LOCAL)
WIRED = Population(link=Link.WIRED, presentation=Presentation.LOCAL)
WELL = {"state": AlertState.OK, "held": AlertState.OK, "told": AlertState.OK, "opened_at": None, "verdict_id": None}


def alerts(registry: Registry) -> None:
    """Fill a registry."""
    now = {"at": NOW, "since": SLOW_SINCE, "opened_at": SLOW_SINCE + timedelta(minutes=1), "heard_at": NOW}
    verdict = alert(**now, rule="verdicts", ground=Ground(kind="verdict"), subject=subject(population=WIFI))
    burning = Ground(
        kind="budget", bad=41, runs=2016, burn=17.2, short_burn=20.0, long_seconds=3600.0, short_seconds=300.0,
        goal=0.99, unit="runs", budget_left=-0.37, counted_since=NOW - timedelta(days=9),
    )  # fmt: skip
    silent = now | {"since": NOW - timedelta(minutes=40), "heard_at": NOW - timedelta(minutes=40)}
    told = [
        verdict,
        alert(**now, rule="saving", state=AlertState.WARNING),
        alert(**now, rule="promise", ground=burning, acknowledged_by="kim", acknowledged_at=NOW),
        alert(**silent, rule="silence", state=AlertState.STALE, held=AlertState.OK, told=AlertState.STALE,
              ground=Ground(kind="silence"), subject=subject(population=VPN, step=None), verdict_id=None),
        alert(**now | WELL, rule="saving", subject=subject(population=WIRED)),
        alert(**now | WELL | {"state": AlertState.MAINTENANCE}, rule="saving", subject=subject(step="open")),
    ]  # fmt: skip
    changed = [(verdict, AlertState.OK, slow())]
    words = alert_words.message(ChangeKind.OPENED, AlertState.CRITICAL, changed, NOW, address="http://pages.test")
    sent, waiting, lost = notice(1), replace(notice(2, "webhook"), message=words), notice(3, "hostile", title=HOSTILE)
    registry.put_alerts(told, notices=[sent, waiting, lost, replace(notice(4), message=message(4))], now=NOW)
    registry.claim_notice("email", holder="a", now=NOW)
    registry.claim_notice("email", holder="b", now=NOW)
    registry.settle_notice(sent.notice_id, state=NoticeState.SENT, now=NOW)
    registry.claim_notice("webhook", holder="b", now=NOW)
    later = NOW + timedelta(minutes=5)
    registry.settle_notice(
        waiting.notice_id, state=NoticeState.WAITING, now=NOW, not_before=later, remark="the webhook answers 503"
    )
    registry.claim_notice("hostile", holder="b", now=NOW)
    registry.settle_notice(lost.notice_id, state=NoticeState.GIVEN_UP, now=NOW, remark=HOSTILE)
