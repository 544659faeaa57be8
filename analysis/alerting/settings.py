"""Section ``alerts:`` of whichlayer.yaml: who is told, by which rules, and what planned maintenance counts as."""

from collections import Counter
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from analysis.alerting.rule import USUAL, Rule
from collector.document import Document, PluginSettings, Seconds, read
from collector.model.alert import AlertState, severity

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Choice = Literal["count", "ignore", "show"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone: write one like Europe/London") from None
    return name


class Channel(Document):
    """One way to tell people or programs."""

    kind: str = Field(description="which channel: the name of a file in collector/notifiers")
    name: str | None = Field(default=None, description="what it is called in lists; its kind unless told")
    least: Literal["warning", "critical"] = Field(
        default="warning", description="told of this and worse, of silence, and of recovery from what it was told of"
    )
    rules: tuple[str, ...] = Field(default=(), description="told only of these rules; of all if empty")
    settings: PluginSettings = Field(default_factory=dict, description="what this kind of channel needs to know")

    @property
    def called(self) -> str:
        """Give its name."""
        return self.name or self.kind

    def hears(self, rule: str) -> bool:
        """Say whether it is told of this rule."""
        return not self.rules or rule in self.rules

    def view(self, told: AlertState) -> AlertState:
        """Give a state as this channel knows it: what is below its least is well."""
        if told is AlertState.STALE or severity(told) >= severity(AlertState(self.least)):
            return told
        return AlertState.OK


class Weekly(Document):
    """A weekly time of maintenance, in local time; one that ends before it begins goes past midnight."""

    days: tuple[Day, ...] = Field(min_length=1, description="days on which it begins")
    start: time = Field(description='when it begins: "22:00"')
    end: time = Field(description='when it ends: "02:00"')
    zone: Annotated[str, AfterValidator(_zone)] = Field(default="UTC", description="time zone of both")
    site: str | None = Field(default=None, description="only of this site")
    journey: str | None = Field(default=None, description="only of this journey")


class Maintenance(Document):
    """What planned maintenance counts as. Windows are these, and changes declared with ``--maintenance``."""

    choice: Choice = Field(
        default="ignore",
        description="count: as if it were none; show: counted and shown, told of only what is left after it; "
        "ignore: in no count",
    )
    weekly: tuple[Weekly, ...] = Field(default=(), description="windows that come back every week")


class AlertSettings(Document):
    """Who is told of what. With ``to`` alone the usual rules hold."""

    to: tuple[Channel, ...] = Field(default=(), description="channels; without one alerts are only listed and shown")
    address: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="where the pages are for who reads a message; the collector's own address unless told",
    )
    rules: tuple[Rule, ...] = Field(default=USUAL, description="what is watched; the usual rules unless told")
    rules_file: Path | None = Field(default=None, description="a file with `rules:`, in place of those")
    maintenance: Maintenance = Field(default=Maintenance(), description="planned maintenance")
    stale_after: Seconds = Field(default=900.0, gt=0, description="without a run for so long it is stale …")
    stale_after_intervals: float = Field(
        default=3.0, ge=1.5, description="… and for so many of its usual intervals, if that is longer"
    )
    gone_after: Seconds = Field(
        default=7 * 86400.0, gt=0, description="what is not heard for so long is no longer watched, which is told"
    )
    give_up_after: Seconds = Field(
        default=2 * 86400.0, gt=0, description="a message that no attempt could hand over for so long is given up"
    )

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        _once((channel.called for channel in self.to), "channels")
        _once((rule.name for rule in self.rules), "rules")
        if self.rules_file is not None and "rules" in self.model_fields_set:
            raise ValueError("rules and rules_file are both given: keep one")
        return self

    def beside(self, folder: Path) -> "AlertSettings":
        """Give the same settings with the rules of ``rules_file``, a path from ``folder``. Raises ConfigError."""
        if self.rules_file is None:
            return self
        file = folder / self.rules_file.expanduser()
        return self.model_copy(update={"rules_file": file, "rules": read(file, RulesFile).rules})


class RulesFile(Document):
    """The file that ``rules_file`` names."""

    rules: tuple[Rule, ...] = Field(description="what is watched")

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        _once((rule.name for rule in self.rules), "rules")
        return self


def _once(names: object, what: str) -> None:
    for name, times in Counter(names).items():  # type: ignore[call-overload]
        if times > 1:
            raise ValueError(f"{times} {what} are called {name!r}: give each a name of its own")
