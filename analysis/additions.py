"""What the product could measure in addition of a step, each with its cost: what a plan chooses from.

Rows, not rules: whether an addition tells any two layers apart is found by asking the engine (``identifiability``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.identifiability import Addition, Cost
from analysis.sight import Sight, Vantage
from collector.model.access import Link, Population, Presentation
from collector.model.layer import Layer

HTTP = frozenset({"processing", "transfer"})
PAIRED = (Link.WIRED, Link.WIFI)
ACCOUNT = "an account of its own for the probe, and a record made for it"
AGENT = "an agent (an ordinary user) on {}"

# name | layers and metrics it gives | the layer of the machine it runs on or asks | what it needs there | effort
_SAMPLED: Mapping[str, tuple[Mapping[Layer, tuple[str, ...]], str, str, int]] = {
    "resolve": ({Layer.NETWORK_CORE: ("dns.lookup.duration",)}, "sampler resolve on the endpoint", "none", 0),
    "connect": ({Layer.NETWORK_CORE: ("network.path.connect",)}, "sampler connect on the endpoint", "none", 0),
    "endpoint": ({Layer.ENDPOINT: ("system.cpu.utilization",)}, "sampler host on the endpoint", "none", 0),
    "wifi": (
        {Layer.ACCESS_NETWORK: ("endpoint.wifi.signal", "endpoint.wifi.retries")},
        "sampler wifi on the endpoint",
        "none",
        0,
    ),
    "redraw": (
        {Layer.REMOTE_SESSION: ("session.redraw.latency",)},
        "sampler redraw inside the session",
        "an agent (an ordinary user) inside the session",
        1,
    ),
    "printer": (
        {Layer.PRINTING: ("printer.usable", "printer.jobs")},
        "sampler cups or spooler on the endpoint",
        "reading the print queue",
        1,
    ),
    "directory": (
        {Layer.IDENTITY: ("directory.logon.duration",)},
        "sampler directory on the endpoint",
        "a directory account for the probe",
        1,
    ),
    "statistics": (
        {Layer.DATABASE: ("db.busy", "db.waits.lock", "db.statement.longest")},
        "source postgresql or sqlserver for {database}",
        "a login that may read the database's statistics (pg_monitor, VIEW SERVER STATE)",
        1,
    ),
    "host": (
        {
            Layer.APP_SERVER: ("system.cpu.utilization", "system.memory.pressure", "system.paging.in"),
            Layer.VIRTUALISATION: ("system.cpu.steal",),
        },
        "sampler host, role app_server, on {app_server}",
        AGENT.format("the application server"),
        2,
    ),
    "process": (
        {Layer.APP_SERVER: ("process.paging.faults.major", "process.cpu.utilization")},
        "sampler process for the application on {app_server}",
        "an agent on the application server that may read the application's process",
        2,
    ),
    "volume": (
        {Layer.STORAGE: ("storage.write.latency",)},
        "sampler volume on the machine of {database}, on the volume of its log",
        "an agent on the database's machine with a folder on that volume",
        2,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of the step beside its sight: its pace, and how the map of the estate names things."""

    runs_per_hour: float
    named: Mapping[Layer, Sequence[str]]


def additions(sight: Sight, around: Surroundings) -> list[Addition]:
    """Give all additions that the product can make to ``sight``, cheapest first."""
    found = [*_vantages(sight, around), *_phases(sight), *_samplers(around)]
    return sorted((one for one in found if one.to(sight) != sight), key=lambda one: (one.cost.order, one.name))


def _vantages(sight: Sight, around: Surroundings) -> Iterator[Addition]:
    """Walk the step from another link, or beside a remote session without it: the same slots, another account."""
    mine, pace = sight.mine.population, around.runs_per_hour
    known = {sight.mine.population, *(one.population for one in sight.others)}
    phases = _local_phases(sight)
    for link in dict.fromkeys((mine.link, *PAIRED)):
        population = Population(link=link, presentation=Presentation.LOCAL)
        if population in known or link is Link.UNKNOWN:
            continue
        here = link is mine.link
        where = "beside the session, on its endpoint" if here else f"from a machine on {link} at the same place"
        yield Addition(
            name=f"access {link}",
            words=f"walk the step {where} (driver http) in the same slots",
            cost=Cost(machines=0 if here else 1, effort=1, rights=ACCOUNT, runs_per_hour=pace),
            vantages=frozenset({Vantage(population, phases)}),
        )


def _local_phases(sight: Sight) -> frozenset[str]:
    """Give what a local access measures: as those there are do, else what any walk by HTTP does."""
    every = (sight.mine, *sight.others)
    local = [one.phases for one in every if one.population.presentation is Presentation.LOCAL and one.phases]
    return max(local, key=lambda phases: (len(phases), sorted(phases)), default=HTTP)


def _phases(sight: Sight) -> Iterator[Addition]:
    mine = sight.mine.phases
    by_http = "processing" in mine and "display" not in mine
    if by_http and "connect" not in mine:
        yield Addition(
            name="new connection",
            words="let the step open a new connection (connection: new in the journey, every access)",
            cost=Cost(),
            phases=frozenset({"connect"}),
        )
    if by_http and "spool" not in mine:
        yield Addition(
            name="server account",
            words="let the application tell its own part and the database's: Server-Timing, or its OpenTelemetry spans",
            cost=Cost(effort=3, rights="a change of the application's settings or code"),
            phases=frozenset({"server_app", "server_db"}),
        )
    if "display" in mine and "processing" not in mine:
        yield Addition(
            name="inside",
            words="time the step inside the session too (whichlayer inside)",
            cost=Cost(effort=1, rights="a program of the probe's user inside the session"),
            own_phases=frozenset({"processing"}),
        )


def _samplers(around: Surroundings) -> Iterator[Addition]:
    names = {
        "app_server": " or ".join(around.named.get(Layer.APP_SERVER, ())) or "the application server",
        "database": " or ".join(around.named.get(Layer.DATABASE, ())) or "the database",
    }
    for name, (metrics, words, rights, effort) in _SAMPLED.items():
        yield Addition(
            name=name,
            words=words.format(**names),
            cost=Cost(effort=effort, rights=rights),
            measured=frozenset((layer, metric) for layer, told in metrics.items() for metric in told),
        )
