"""The example's estate beside the scene: some of it has data, some had, some never; one LUN has no place."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

from collector.estate import understood
from collector.model.estate import Estate
from collector.model.layer import Layer
from collector.model.sample import Sample
from tests.browser.scene import NOW

SEEN = {"app-live": 1, "app-test": 2, "esx01.example": 1, "lun-7": 1, "db-live": 90, "lun-9": 1}


def council() -> Estate:
    return understood((files("collector") / "example-estate.yaml").read_text("utf-8"), Path("estate.yaml"))


def estate_samples() -> Iterator[Sample]:
    for name, minutes in SEEN.items():
        layer = Layer.STORAGE if name.startswith("lun") else Layer.APP_SERVER
        at = NOW - timedelta(minutes=minutes)
        yield Sample(site="town", component=name, layer=layer, metric="system.disk.io", at=at, value=1.0)
