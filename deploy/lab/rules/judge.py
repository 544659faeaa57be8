"""What a set of alerts says: which layer, and how soon. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from deploy.lab.trials.judging import Truth

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the rules said of a trial, held against what was done, as ``trial.Trial`` does for whichlayer.

    ``seconds`` is from the start of the latest of the faults that are to blame until everybody who is had been named,
    first of all or not; None when somebody never was.
    """

    right: bool
    refused: bool
    named: frozenset[Truth]
    strangers: tuple[str, ...]
    seconds: float | None
    answers: tuple[Answer, ...]

    def json(self) -> dict[str, Any]:
        """Give the part of a line of ``lab run --json``."""
        return {
            "right": self.right,
            "refused": self.refused,
            "named": sorted(str(truth.layer) for truth in self.named),
            "strangers": list(self.strangers),
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "answers": [asdict(answer) for answer in self.answers],
        }


def judged(answers: Sequence[Answer], truths: Sequence[Truth], *, latest: float = 0.0) -> Said:
    """Hold answers against who is to blame; ``latest`` is when the latest fault began, in the answers' seconds.

    When one is to blame, the first answer counts; when several are, or nobody is, all of them do.
    """
    heard = answers[:1] if len(truths) == 1 else answers
    named = frozenset(truth for truth in truths if any(_explains(truth, answer) for answer in heard))
    strangers = [answer.layer for answer in heard if not any(_explains(truth, answer) for truth in truths)]
    first = [next((one.seconds for one in answers if _explains(truth, one)), None) for truth in truths]
    known = [seconds for seconds in first if seconds is not None]
    return Said(
        right=not strangers and named == frozenset(truths),
        refused=bool(truths) and not answers,
        named=named,
        strangers=tuple(strangers),
        seconds=max(0.0, max(known) - latest) if known and len(known) == len(first) else None,
        answers=tuple(answers),
    )


def _explains(truth: Truth, answer: Answer) -> bool:
    """Say whether the answer is right because of this; an alert that tells no access is not held to one."""
    return answer.layer == truth.layer and (truth.link is None or answer.access in {None, str(truth.link)})
