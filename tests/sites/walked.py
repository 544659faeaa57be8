"""Steps walked by the HTTP driver against a port of this machine."""

from datetime import UTC, datetime
from pathlib import Path

from collector.model.access import Access, Link, Presentation
from collector.model.run import StepTiming
from probes.drivers.http.plugin import PLUGIN
from probes.journey.file import parse
from probes.walk import Place, walk

PLACE = Place(site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))


def steps(port: int, journey_steps: str, *, host: str = "127.0.0.1", more: str = "") -> tuple[StepTiming, ...]:
    """Walk steps written as YAML against a port; the secret ``password`` has a value."""
    text = f"name: day\nvariables: {{base_url: 'http://{host}:{port}'}}\n{more}\nsteps:\n{journey_steps}"
    journey = parse(text, Path("day.yaml"))
    return walk(
        journey,
        PLUGIN.configured({"proxy": "none"}),
        PLACE,
        slot=datetime.now(UTC),
        secrets=dict.fromkeys(journey.secrets, "canary-7781"),
        variables={},
    ).steps


def one(port: int, step: str = "{step: a, timeout: 300 ms, requests: [{path: /}]}", **how: str) -> StepTiming:
    return steps(port, f"  - {step}", **how)[0]
