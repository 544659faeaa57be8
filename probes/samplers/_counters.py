"""Counters of the system into rates: a rate needs two readings, and a counter that went back gives none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from collector.document import Document, place
from collector.model.errors import ConfigError, Mistake

M = TypeVar("M", bound=Document)


@dataclass(slots=True)
class Counters:
    """The last reading of some counters, and when it was taken (monotonic seconds)."""

    at: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    def advance(self, at: float, values: Mapping[str, float]) -> "Growth":
        """Take a new reading; give what grew since the last one."""
        before, since = self.values, self.at
        self.at, self.values = at, dict(values)
        if since is None or at <= since:
            return Growth(seconds=0.0, by={})
        grown = {name: value - before[name] for name, value in values.items() if name in before}
        return Growth(seconds=at - since, by={name: delta for name, delta in grown.items() if delta >= 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much counters grew over ``seconds``; a counter without a usable difference is absent."""

    seconds: float
    by: Mapping[str, float]

    def rate(self, name: str) -> float | None:
        """Give the growth per second, or None."""
        delta = self.by.get(name)
        return None if delta is None or self.seconds <= 0 else delta / self.seconds

    def mean(self, total: str, count: str) -> float | None:
        """Give growth of ``total`` per growth of ``count``; None when nothing was counted."""
        numerator, denominator = self.by.get(total), self.by.get(count)
        return None if numerator is None or not denominator else numerator / denominator


def settings_of(kind: type[M], given: Mapping[str, Any]) -> M:
    """Read the settings of one sampler. Raises ConfigError; whoever knows the file fills its name in."""
    try:
        return kind.model_validate(dict(given))
    except ValidationError as errors:
        found = []
        for error in errors.errors(include_input=False, include_url=False):
            line, column = place(given, error["loc"])
            where = ".".join(str(part) for part in error["loc"])
            message = str(error["msg"]).removeprefix("Value error, ")
            found.append(Mistake(file="agent.samplers", line=line, column=column, message=f"{where}: {message}"))
        raise ConfigError(found) from None
