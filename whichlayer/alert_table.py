"""Alerts on the terminal: a table for people, a list for programs, and what a test of the channels gave."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.alerting.settings import AlertSettings
from collector.model.alert import Alert, AlertState, Notice, NoticeState, notice_id, public_alert
from collector.model.errors import NotifyError
from collector.secret import hide
from dashboards import alert_words
from whichlayer.alerting import opened
from whichlayer.settings import Places

_STYLE = {AlertState.CRITICAL: "bold red", AlertState.WARNING: "yellow", AlertState.OK: "green"}


def print_json(alerts: Sequence[Alert]) -> None:
    """Print the list for machines."""
    rows = [public_alert(alert) | {"evidence": alert_words.ground(alert)} for alert in _sorted(alerts)]
    json.dump(rows, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def print_table(alerts: Sequence[Alert], notices: Sequence[Notice]) -> None:
    """Print what is not ok, worst first, then how many are, and the messages that did not get through."""
    console = Console(highlight=False)
    if not alerts:
        console.print(f"{alert_words.NOTHING} {alert_words.WHAT_TO_DO}")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("state")
    table.add_column("since (UTC)", no_wrap=True)
    table.add_column("what", overflow="fold")
    for alert in _sorted(alerts):
        if alert.state is not AlertState.OK:
            state = Text(alert_words.STATE[alert.state], style=_STYLE.get(alert.state, ""))
            table.add_row(state, f"{alert.since.astimezone(UTC):%Y-%m-%d %H:%M}", _what(alert))
    if table.row_count:
        console.print(table)
    fine = sum(alert.state is AlertState.OK for alert in alerts)
    console.print(f"{fine} ok. Worked out {max(alert.at for alert in alerts).astimezone(UTC):%Y-%m-%d %H:%M} UTC.")
    for notice in notices:
        if notice.state is not NoticeState.SENT:
            console.print(f"{notice.channel}: {notice.message.title}: {alert_words.delivery(notice)}", markup=False)


def try_channels(settings: AlertSettings | None, places: Places) -> bool:
    """Send a test by each channel, one after the other; say whether all took it. Raises ConfigError."""
    if settings is None or not settings.to:
        print(f"There is no channel to test. {alert_words.WHAT_TO_DO}")
        return False
    well = True
    for channel, notifier in opened(settings.to, places):
        message = alert_words.trial(channel.called, datetime.now(UTC))
        number = notice_id(channel.called, message)
        notice = Notice(notice_id=number, channel=channel.called, message=message, site="test", created_at=message.at)
        try:
            remark = notifier.send(notice)
        except NotifyError as error:
            well = False
            print(f"{channel.called}: not sent: {hide(str(error))}")
        else:
            print(f"{channel.called}: sent{f', but {remark}' if remark else ''} (id {number})")
    return well


def _sorted(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=alert_words.order)


def _what(alert: Alert) -> Text:
    said = Text(alert_words.about(alert.subject))
    seen = f", {alert.acknowledged_by} looks after it" if alert.acknowledged_by else ""
    ground = alert_words.ground(alert)
    said.append(f"\n{ground} " if ground else "\n", style="dim")
    said.append(f"({alert.counting}{seen})\n{alert.key}", style="dim")
    return said
