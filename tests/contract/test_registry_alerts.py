"""Alerts in every registry: a state and its messages are kept together, a message is claimed by one and settled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from collector.model.alert import AlertState, NoticeState, Tally
from collector.registry import Registry
from tests.worlds.alerts import NOW, alert, notice, subject

MINUTE = timedelta(minutes=1)


def test_alerts_are_replaced_and_removed(registry: Registry) -> None:
    first, second = alert(), alert(subject=subject(step="open"))
    registry.put_alerts([second, first], now=NOW)
    assert registry.alerts() == [second, first]
    better = replace(first, state=AlertState.OK, held=AlertState.OK, told=AlertState.OK, opened_at=None)
    registry.put_alerts([better], gone=[second.key], now=NOW)
    assert registry.alerts() == [better]


def test_who_looks_after_an_alert_is_kept_for_its_life(registry: Registry) -> None:
    registry.put_alerts([alert()], now=NOW)
    seen = registry.acknowledge(alert().key, by="kim", now=NOW)
    assert (seen.acknowledged_by, seen.acknowledged_at) == ("kim", NOW)
    registry.put_alerts([alert(at=NOW + MINUTE)], now=NOW)
    assert registry.alerts()[0].acknowledged_by == "kim"
    registry.put_alerts([alert(opened_at=NOW + MINUTE)], now=NOW)
    assert registry.alerts()[0].acknowledged_by is None
    with pytest.raises(LookupError, match="no open alert"):
        registry.acknowledge("another", by="kim", now=NOW)


def test_a_message_is_claimed_once_in_order_and_settled(registry: Registry) -> None:
    first, second = notice(1), notice(2)
    registry.put_alerts([], notices=[first, second, notice(1, "hook")], now=NOW)
    registry.put_alerts([], notices=[first], now=NOW)
    assert len(registry.notices()) == 3
    claimed = registry.claim_notice("email", holder="a", now=NOW)
    assert claimed == replace(first, state=NoticeState.SENDING, attempts=1)
    assert registry.claim_notice("email", holder="a", now=NOW) is None, "it is being handed over, and nothing overtakes"
    later = NOW + 5 * MINUTE
    registry.settle_notice(
        first.notice_id, state=NoticeState.WAITING, now=NOW, not_before=later, remark="the server is away"
    )
    assert registry.claim_notice("email", holder="a", now=NOW + MINUTE) is None
    again = registry.claim_notice("email", holder="a", now=later)
    assert again is not None
    assert (again.attempts, again.unsure, again.remark) == (2, 0, "the server is away")
    left = registry.claim_notice("email", holder="b", now=later)  # whoever held it is gone
    assert left is not None
    assert (left.attempts, left.unsure) == (3, 1)
    registry.settle_notice(first.notice_id, state=NoticeState.SENT, now=later)
    following = registry.claim_notice("email", holder="b", now=later)
    assert following is not None
    assert following.notice_id == second.notice_id
    registry.settle_notice(second.notice_id, state=NoticeState.GIVEN_UP, now=later, remark="no")
    states = [(one.channel, one.state) for one in registry.notices()]
    assert states == [
        ("hook", NoticeState.WAITING), ("email", NoticeState.GIVEN_UP), ("email", NoticeState.SENT)
    ]  # fmt: skip
    registry.put_alerts([], now=later + timedelta(days=101))
    assert [one.channel for one in registry.notices()] == ["hook"]


def test_tallies_are_summed_by_budget(registry: Registry) -> None:
    tallies = [
        Tally(budget=f"promise@1:{site}/x", start=NOW + number * MINUTE, units=10.0, bad=float(number))
        for number in range(4)
        for site in ("a", "b")
    ]
    registry.put_alerts([], tallies=tallies, now=NOW)
    registry.put_alerts([], tallies=[replace(tallies[2], bad=5.0)], now=NOW)
    found = registry.tallied(NOW + MINUTE, NOW + 3 * MINUTE)
    assert found == [
        Tally(budget="promise@1:a/x", start=NOW + MINUTE, units=20.0, bad=7.0),
        Tally(budget="promise@1:b/x", start=NOW + MINUTE, units=20.0, bad=3.0),
    ]


def test_a_site_that_is_forgotten_leaves_no_alert(registry: Registry) -> None:
    tally = Tally(budget="promise@1:town/x", start=NOW, units=1.0, bad=0.0)
    registry.put_alerts([alert()], notices=[notice()], tallies=[tally], now=NOW)
    registry.forget("town", now=NOW, dry_run=True)
    assert registry.alerts()
    registry.forget("town", now=NOW)
    assert (registry.alerts(), registry.notices(), registry.tallied(NOW, NOW + MINUTE)) == ([], [], [])
