"""What the metrics of a product are in the catalogue: a file of rows, shipped in ``mappings/`` or written by a site.

Products measure the same thing under other names and in other units (the latency of a LUN comes in µs, ms and s).
A row says which name it is here, in which unit the product gives it, and how values become samples: ``gauge`` as
they are, ``rate`` as a counter's growth per second, ``ratio`` as the growth of one counter by that of another, which
gives the mean of the operations in between.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from pydantic import Field, model_validator

from collector import document
from collector.document import Document
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, Mistake
from collector.model.layer import Layer
from collector.model.metric import MetricKind
from collector.model.unit import factor

_SHIPPED = files("collector") / "mappings"


class How(StrEnum):
    """How a product's values become samples."""

    GAUGE = "gauge"
    RATE = "rate"
    RATIO = "ratio"


_MEANT = {"1", "s", "dBm", "bit/s"}  # shares, times and signals; what is counted adds up
_FITTING = {
    How.GAUGE: {MetricKind.GAUGE, MetricKind.MEAN, MetricKind.MAXIMUM, MetricKind.RATE},  # the product made it a rate
    How.RATE: {MetricKind.RATE, MetricKind.MEAN},
    How.RATIO: {MetricKind.MEAN},
}


class Row(Document):
    """One metric of a product."""

    name: str = Field(description="name in the product")
    metric: str = Field(description="name in the catalogue")
    unit: str = Field(description="unit the product gives it in; of a rate or ratio, that of the counter")
    how: How = Field(default=How.GAUGE, description="gauge, rate or ratio")
    per: str | None = Field(default=None, description="of a ratio: the counter of operations")
    where: Mapping[str, str] = Field(default_factory=dict, description="labels it must have, for example read only")
    one_minus: bool = Field(default=False, description="the product gives what is left: idle for busy")
    over: str | None = Field(default=None, description="a gauge to divide it by (no ratio): what there is altogether")
    period: document.Seconds | None = Field(default=None, description="of a mean the product makes: its period")
    component: tuple[str, ...] = Field(
        default=(), description="labels that name the component; the mapping's if absent"
    )

    @property
    def factor(self) -> float:
        """Say what one of the product's unit is in the catalogue's."""
        return factor(self._written, CATALOGUE[self.metric].unit)

    @property
    def is_mean(self) -> bool:
        """Say whether several series of one component are put together as their mean, not as their sum."""
        return CATALOGUE[self.metric].unit in _MEANT

    @property
    def _written(self) -> str:
        if self.how is not How.RATE:
            return self.unit
        return {"s": "1", "ms": "ms/s", "1": "1/s", "By": "By/s"}.get(
            self.unit, self.unit
        )  # seconds per second are a share

    @model_validator(mode="after")
    def _fits(self) -> "Row":
        known = CATALOGUE.get(self.metric)
        if known is None:
            raise ValueError(f"{self.metric} is not in the catalogue: docs/reference.md lists what is")
        if known.kind not in _FITTING[self.how]:
            raise ValueError(f"a {self.how} gives no {known.kind}, and {self.metric} is one")
        if (self.how is How.RATIO) != (self.per is not None):
            raise ValueError("a ratio needs per, the counter of operations; nothing else has it")
        if self.how is How.RATIO and self.over is not None:
            raise ValueError("a ratio is divided by per already: leave over out")
        _ = self.factor
        return self


class MetricMapping(Document):
    """All rows of one product."""

    product: str = Field(description="whose metrics these are")
    component: tuple[str, ...] = Field(description="labels that together name the component")
    layer: Layer | None = Field(default=None, description="the layer of all of them, where it is not the catalogue's")
    rows: tuple[Row, ...] = Field(description="its metrics")

    def component_of(self, row: Row, labels: Mapping[str, str]) -> str:
        """Name the component a value is of, from its labels; empty when it has none of them."""
        return "-".join(labels[label] for label in row.component or self.component if labels.get(label))

    def layer_of(self, row: Row) -> Layer:
        """Say which layer a row speaks of."""
        return self.layer or CATALOGUE[row.metric].layer


def shipped() -> tuple[str, ...]:
    """Name the products whose mapping is shipped."""
    return tuple(sorted(one.name.removesuffix(".yaml") for one in _SHIPPED.iterdir() if one.name.endswith(".yaml")))


def load(names: Sequence[str], folder: Path) -> tuple[MetricMapping, ...]:
    """Read mappings by product, or by path from ``folder``. Raises ConfigError with every mistake of a file."""
    return tuple(_load(name, folder) for name in names)


def _load(name: str, folder: Path) -> MetricMapping:
    if name in shipped():
        return document.parse((_SHIPPED / f"{name}.yaml").read_text("utf-8"), Path(f"{name}.yaml"), MetricMapping)
    path = folder / name
    if path.suffix not in {".yaml", ".yml"}:
        what = f"there is no mapping {name!r}: write a path that ends in .yaml, or one of {', '.join(shipped())}"
        raise ConfigError([Mistake(file=str(path), line=1, column=1, message=what)])
    return document.read(path, MetricMapping)
