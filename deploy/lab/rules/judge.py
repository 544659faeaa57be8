"""What a set of alerts says: which layer, and how soon. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_SEVERITIES = ("critical", "warning")  # what people look at first


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of one set of labels. ``fired`` are the evaluations at which it was firing, in order, never none."""

    name: str
    layer: str
    severity: str
    access: str | None = None
    fired: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A layer that is named. ``seconds`` is from the moment asked for until an alert of the layer first fired."""

    layer: str
    seconds: float
    alert: str
    access: str | None = None


def answered(
    alerts: Iterable[Alert], since: datetime, until: datetime | None = None, *, together: float
) -> list[Answer]:
    """Rank the layers whose alerts fired from a moment on, and before another if there is one; none when nothing fired.

    Alerts that fire within ``together`` seconds of the first are looked at as one notification (Alertmanager's
    ``group_wait``): the most severe is first, then the one that has fired longest. What fires later follows, in order.
    """
    found = [(alert, [at for at in alert.fired if at >= since and (until is None or at < until)]) for alert in alerts]
    firing = [(alert, later[0]) for alert, later in found if later]
    if not firing:
        return []
    noticed = min(at for _, at in firing) + timedelta(seconds=together)

    def place(one: tuple[Alert, datetime]) -> tuple[bool, int, datetime, str]:
        alert, at = one
        late = at > noticed
        return late, 0 if late else _SEVERITIES.index(alert.severity), min(alert.fired), alert.name

    named: dict[str, Answer] = {}
    for alert, at in sorted(firing, key=place):
        answer = Answer(layer=alert.layer, seconds=(at - since).total_seconds(), alert=alert.name, access=alert.access)
        named.setdefault(alert.layer, answer)
    return list(named.values())


def right(answers: Sequence[Answer], layer: str | None, access: str | None = None) -> bool:
    """Say whether the first answer is the true one; an alert that tells no access is not held to one."""
    if layer is None or not answers:
        return layer is None and not answers
    first = answers[0]
    return first.layer == layer and (access is None or first.access in {None, access})


def seconds_until(answers: Iterable[Answer], layer: str | None) -> float | None:
    """Give how long it took until the right layer first fired, first of all or not; None when it never did."""
    return next((answer.seconds for answer in answers if answer.layer == layer), None)
