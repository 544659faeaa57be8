"""After each analysis: what every rule says now, kept together with the messages that tell of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from analysis.alerting import budget
from analysis.alerting.judge import Now, audible, by_subject, judged, of_verdicts, open_verdict
from analysis.alerting.observe import limit
from analysis.alerting.planned import Span, spans
from analysis.alerting.rule import Rule
from analysis.alerting.settings import AlertSettings
from analysis.alerting.sighting import Seen, Sighting
from analysis.alerting.turns import Turn, Write, at_rest, notices, turned
from collector.model.alert import Alert, AlertState, Subject, Tally
from collector.model.change import Change
from collector.model.verdict import Verdict
from collector.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What is the same for all rules at one time."""

    now: datetime
    seen: Seen
    sightings: Mapping[tuple[str, Subject], Sighting]
    said: Mapping[Subject, Sequence[Verdict]]
    planned: Sequence[Span]
    before: Mapping[str, Alert]


@dataclass(slots=True, kw_only=True)
class Alerting:
    """The alerts of one collector; ``write`` puts changes into words. Not for several threads at once."""

    settings: AlertSettings
    write: Write
    _kept: dict[tuple[str, datetime], tuple[float, float]] = field(default_factory=dict)

    def conclude(
        self, registry: Registry, seen: Seen, verdicts: Sequence[Verdict], changes: Sequence[Change], now: datetime
    ) -> list[Turn]:
        """Work out every state, keep what changed with its messages in one transaction, and give the changes."""
        before = {alert.key: alert for alert in registry.alerts()}
        scene = _Scene(
            now=now,
            seen=seen,
            sightings=_sightings(registry, seen, now),
            said=by_subject(verdicts),
            planned=spans(self.settings.maintenance, changes, now, now + timedelta(microseconds=1)),
            before=before,
        )
        told = [self._alert(scene, rule, one) for rule in self.settings.rules for one in self._subjects(rule, scene)]
        current = {alert.key for alert, _ in told}
        gone = [alert for key, alert in before.items() if key not in current]
        turns = [turn for _, turn in told if turn is not None]
        turns += [_ended(alert) for alert in gone if alert.told is not AlertState.OK]
        tallies = self._new(seen)
        registry.put_alerts(
            [alert for alert, _ in told],
            notices=notices(turns, self.settings.to, self.write, now),
            gone=[alert.key for alert in gone],
            tallies=tallies,
            now=now,
        )
        self._kept.update({(one.budget, one.start): (one.units, one.bad) for one in tallies})
        return turns

    def _alert(self, scene: "_Scene", rule: Rule, subject: Subject) -> tuple[Alert, Turn | None]:
        """Give what a rule says of a subject, and the change of word if there is one."""
        said = scene.said.get(replace(subject, endpoint=None), ())
        sighting, verdict = scene.sightings.get((rule.name, subject)), open_verdict(said)
        if rule.verdict is not None:
            sighting, worst = of_verdicts(rule, rule.verdict, subject, said)
            verdict = worst or verdict
        heard = scene.seen.heard.get(subject)
        known = Now(
            at=scene.now,
            heard=heard,
            sighting=sighting,
            planned=any(span.concerns(subject) for span in scene.planned),
            patience=limit(heard.interval if heard else None, self.settings),
            verdict=verdict,
        )
        alert = judged(rule, subject, known, scene.before.get(f"{rule.name}:{subject}"), self.settings)
        word = audible(alert, rule)
        if word is alert.told:
            return alert, None
        turn = Turn(alert=turned(alert, word, scene.now), before=alert.told, verdict=verdict)
        return at_rest(turn.alert), turn

    def _subjects(self, rule: Rule, scene: "_Scene") -> Iterator[Subject]:
        """Give what a rule watches: everything of its kind that was heard, or that had a state, not too long ago."""
        by_place = any(
            way is not None and way.by == "place" and not getattr(way, "places", None)
            for way in (rule.runs, rule.silence)
        )
        known = {alert.subject: alert.heard_at for alert in scene.before.values() if alert.rule == rule.name}
        lately: dict[Subject, datetime | None] = {
            **known,
            **{one: heard.last for one, heard in scene.seen.heard.items()},
        }
        for subject in sorted(lately, key=str):
            last = lately[subject]
            right = (subject.step is None) == (rule.silence is not None) and (subject.endpoint is not None) == by_place
            recent = last is not None and scene.now - last <= timedelta(seconds=self.settings.gone_after)
            if right and recent and rule.watches(subject):
                yield subject

    def _new(self, seen: Seen) -> list[Tally]:
        """Give the counts that are not kept yet as they are, and forget about those too old to change."""
        self._kept = {key: value for key, value in self._kept.items() if key[1] >= seen.cut}
        told = [one for spent in seen.spent for one in spent.quarters]
        return [one for one in told if self._kept.get((one.budget, one.start)) != (one.units, one.bad)]


def _sightings(registry: Registry, seen: Seen, now: datetime) -> Mapping[tuple[str, Subject], Sighting]:
    """Give what was seen of the runs, with the budgets that need counts of before."""
    read: dict[datetime, dict[str, Tally]] = {}

    def stored(start: datetime) -> dict[str, Tally]:
        if start not in read:
            read[start] = {tally.budget: tally for tally in registry.tallied(start, seen.cut)}
        return read[start]

    budgets = [budget.sighting(one, stored, cut=seen.cut, now=now) for one in seen.spent]
    return {(one.rule, one.subject): one for one in (*seen.sightings, *budgets)}


def _ended(alert: Alert) -> Turn:
    """Give the last word of what is no longer watched."""
    return Turn(alert=replace(alert, told=AlertState.OK), before=alert.told, ended=True)
