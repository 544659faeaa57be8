"""How one supplier's table is to be read: what its columns are, written once as YAML and used for every file."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from collector import document
from collector.document import Document
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.metric import MetricKind
from collector.model.unit import factor

_OVER_A_PERIOD = {MetricKind.MEAN, MetricKind.MAXIMUM, MetricKind.RATE}


class Time(Document):
    """Where the time of a row stands, and how it is written."""

    columns: tuple[str, ...] = Field(min_length=1, max_length=2, description="its heading; or date and time of day")
    format: str = Field(default="iso", description="iso, unix, unix ms, excel (days since 1900), or as %d.%m.%Y %H:%M")
    zone: str | None = Field(default=None, description="zone of times that do not say theirs: Europe/London")

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str | None) -> str | None:
        try:
            _ = zone and ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is no time zone: write one like Europe/London") from None
        return zone


class Component(Document):
    """What a row speaks of: the text of a column, or the same for the whole file."""

    column: str | None = Field(default=None, description="heading of the column that names it")
    constant: str | None = Field(default=None, description="its name, when the whole file is about one thing")
    fill_down: bool = Field(default=False, description="an empty cell is as the one above: merged cells")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Component":
        if (self.column is None) == (self.constant is None):
            raise ValueError("write either column or constant")
        if self.fill_down and self.column is None:
            raise ValueError("fill_down is about a column")
        return self


class Measure(Document):
    """One metric of the table."""

    name: str = Field(description="the column's heading; in a long table, what stands in the column of names")
    metric: str = Field(description="name in the catalogue")
    unit: str = Field(description="unit the table gives it in")
    component: str | None = Field(default=None, description="what this column speaks of, if not what its row does")

    @property
    def factor(self) -> float:
        """Say what one of the table's unit is in the catalogue's."""
        return factor(self.unit, CATALOGUE[self.metric].unit)

    @model_validator(mode="after")
    def _fits(self) -> "Measure":
        if self.metric not in CATALOGUE:
            raise ValueError(f"{self.metric} is not in the catalogue: docs/reference.md lists what is")
        _ = self.factor
        return self


class Long(Document):
    """A table with one value in a row: a column says which metric, another one its value."""

    name: str = Field(description="heading of the column that names the metric")
    value: str = Field(description="heading of the column of values")


class Layout(Document):
    """The mapping of one kind of table."""

    product: str = Field(description="whose table this is")
    time: Time = Field(description="the time of a row")
    component: Component | None = Field(default=None, description="what a row speaks of; --component if absent")
    long: Long | None = Field(default=None, description="for one value in a row; absent: a column for each metric")
    metrics: tuple[Measure, ...] = Field(description="its metrics")
    period: document.Seconds | None = Field(default=None, description="the span its means, rates and maxima cover")
    layer: Layer | None = Field(default=None, description="the layer of all of them, where it is not the catalogue's")
    delimiter: str | None = Field(default=None, min_length=1, max_length=1, description="of CSV; found if absent")
    encoding: str | None = Field(default=None, description="of CSV; UTF-8, UTF-16 or Western if absent")
    decimal: Literal[".", ","] = Field(default=".", description="decimal mark")
    thousands: Literal[".", ",", " ", "'"] | None = Field(default=None, description="mark between thousands")
    blank: tuple[str, ...] = Field(default=(), description="texts that mean: no value")
    totals: tuple[str, ...] = Field(default=(), description="how the first cell of a row begins that is not read")
    sheet: str | None = Field(default=None, description="of Excel; the first if absent")

    @model_validator(mode="after")
    def _is_whole(self) -> "Layout":
        if not self.metrics:
            raise ValueError("metrics has no row: nothing of the table would be kept")
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same mark")
        if self.period is None and any(CATALOGUE[one.metric].kind in _OVER_A_PERIOD for one in self.metrics):
            raise ValueError("period is missing: write the span that a mean, rate or maximum covers, as 5 min")
        if len({one.name for one in self.metrics}) != len(self.metrics):
            raise ValueError("a name is mapped twice")
        return self

    @cached_property
    def number(self) -> re.Pattern[str]:
        """Give how its numbers are written."""
        grouped = rf"|\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+" if self.thousands else ""
        return re.compile(rf"[-+]?(?:\d+{grouped})(?:{re.escape(self.decimal)}\d*)?(?:[eE][-+]?\d+)?")

    def needs(self) -> Sequence[str]:
        """Name the headings without which the table cannot be read."""
        of_values = [self.long.name, self.long.value] if self.long else [one.name for one in self.metrics]
        named = [self.component.column] if self.component and self.component.column else []
        return [*self.time.columns, *named, *of_values]
