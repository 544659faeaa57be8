"""What alerts say now, as metrics: how many in which state, when they were worked out, what waits to be told."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client.core import GaugeMetricFamily

from collector.model.alert import Alert, AlertState, Notice, NoticeState


def families(alerts: Sequence[Alert], notices: Sequence[Notice]) -> Sequence[GaugeMetricFamily]:
    """Give the gauges; without an alert nothing is known, so there is no 0."""
    states = GaugeMetricFamily("whichlayer_alerts", "rules and steps by what is said of them", labels=("rule", "state"))
    counted = Counter((alert.rule, alert.state) for alert in alerts)
    for rule in sorted({alert.rule for alert in alerts}):
        for state in AlertState:
            states.add_metric((rule, str(state)), counted[rule, state])
    when = GaugeMetricFamily("whichlayer_alerts_evaluated_timestamp_seconds", "when they were worked out last")
    if alerts:
        when.add_metric((), max(alert.at for alert in alerts).timestamp())
    waiting = GaugeMetricFamily("whichlayer_alert_messages", "messages not sent", labels=("channel", "state"))
    left = Counter((one.channel, str(one.state)) for one in notices if one.state is not NoticeState.SENT)
    for labels, number in sorted(left.items()):
        waiting.add_metric(labels, number)
    return (states, when, waiting)
