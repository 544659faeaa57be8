"""One session to be held open, with the journey that logs on, checked before anything is sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from probes.driver import Driver
from probes.journey import placeholder, references
from probes.journey.file import Action, Journey, Step
from probes.sessions.hours import BusinessHours, Hours
from probes.sessions.settings import SentinelEntry, SessionEntry

Key = tuple[str, ...]
Found = Iterator[tuple[Key, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    """One entry of ``agent.sessions`` with the journey it names and the driver that does its steps."""

    entry: SessionEntry
    journey: Journey
    driver: Driver

    @property
    def log_on(self) -> Sequence[Step]:
        """Give the steps that log on: the first up to the last that signs in."""
        steps = self.journey.steps
        last = max((place for place, step in enumerate(steps) if step.sign_in), default=-1)
        return steps[: last + 1]

    @property
    def hours(self) -> BusinessHours:
        """Give when it is held open."""
        return BusinessHours(Hours.read(self.entry.hours), frozenset(self.entry.days))

    def step(self, name: str) -> Step:
        """Give a step by its name, which ``mistakes`` has checked."""
        return next(step for step in self.journey.steps if step.step == name)

    def mistakes(self) -> Found:
        """Give what is wrong with it: the key it stands at, and the words."""
        if not self.log_on:
            yield ("file",), f"file: no step of {self.journey.name} signs in, so there is no session to hold"
        acting = [step.step for step in self.log_on if step.acts]
        if acting:
            yield ("file",), f"file: {', '.join(acting)} acts before the session is open: log on with reading steps"
        unknown = list(self._unknown_steps())
        yield from unknown
        if unknown:
            return
        if self.step(self.entry.active).acts:
            yield ("active",), f"active: {self.entry.active} acts: a step that is repeated all day may only read"
        if self.entry.sentinel is not None:
            yield from self._sentinel_mistakes(self.entry.sentinel)
        yield from self._unknown_names()

    def _named(self) -> Iterator[tuple[Key, str | None]]:
        yield ("active",), self.entry.active
        sentinel = self.entry.sentinel
        if sentinel is not None:
            for key in ("open", "save", "leave"):
                yield ("sentinel", key), getattr(sentinel, key)
        yield ("sign_out",), self.entry.sign_out

    def _unknown_steps(self) -> Found:
        usable = [step.step for step in self.journey.steps if step not in self.log_on]
        for key, name in self._named():
            if name is not None and name not in usable:
                had = ", ".join(usable) or "none"
                yield key, f"{'.'.join(key)}: {self.journey.name} has no step {name} after the log-on: it has {had}"

    def _sentinel_mistakes(self, sentinel: SentinelEntry) -> Found:
        if self.step(sentinel.open).acts:
            yield ("sentinel", "open"), f"sentinel.open: {sentinel.open} acts: the record is opened by reading"
        save = self.step(sentinel.save)
        if save.language == "requests" and save.verify_saved is None:
            needs = "needs verify_saved: what was never saved would count as lost"
            yield ("sentinel", "save"), f"sentinel.save: {sentinel.save} {needs}"
        for key in ("save", "leave"):
            name = getattr(sentinel, key)
            words = None if name is None else self._writes_wrongly(self.step(name), sentinel.safe_record)
            if words is not None:
                yield ("sentinel", key), f"sentinel.{key}: {name} {words}"

    def _writes_wrongly(self, step: Step, safe_record: str) -> str | None:
        if step.action is not Action.WRITE:
            return "is no step with action: write"
        values = {name: value for name, value in self._values().items() if value is not None}
        try:
            seen = placeholder.fill(step.safe_record or "", values)
        except KeyError:
            return None  # a variable without a value: said elsewhere
        if seen != safe_record:
            return "does not act on this safe record: its safe_record must say the same"
        if "{run_id}" not in step.model_dump_json(exclude={"verify_saved"}):
            return "must write {run_id}: by that its text is found again"
        return None

    def _values(self) -> dict[str, str | None]:
        return {**self.journey.variables, **self.entry.variables}

    def _unknown_names(self) -> Found:
        """Find names that a step uses and no step before it in this session has captured."""
        order = [*self.log_on, *(self.step(name) for _, name in self._named() if name is not None)]
        steps = list({step.step: step for step in order}.values())
        journey = self.journey.model_copy(update={"steps": tuple(steps)})
        tree = journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for place, words in references.check(tree):
            if place[0] == "steps" and "is not known here" in words:
                yield ("file",), f"file: step {steps[int(place[1])].step}: {words.partition(':')[0]} in this session"
