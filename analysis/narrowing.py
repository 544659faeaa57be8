"""Narrows the layers a measured part may belong to by what the infrastructure shows.

A part keeps its seconds; only the list of layers it may belong to gets shorter, and only by
evidence (a busy endpoint alone joins what its link may be behind). What a station further along
the way was reached through is struck off; a probe that waited for its own processor names the
machine it runs on. Where the server's own account says application or database, a layer is struck
off when it was sampled and did not move. Of a wider group one layer is named only when it alone moved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.statistics import bounded
from analysis.surroundings import Surroundings
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Interval

FLUSHES = 3.0  # a step writes the log at most about so often
DOUBTFUL = 0.25  # of it: then it may be storage or not
EXPLAINS = 0.5  # of the database's excess, for storage to be named for it
PAGING = ("process.paging", "system.paging")
WAITS = 3.0  # a part of a step waits for its machine to be run at most about so often
HOST_CPU = "system.cpu.utilization"
PROCESS_CPU = "process.cpu.utilization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the excess and the layers it may belong to."""

    among: tuple[Layer, ...]
    seconds: Interval
    evidence: tuple[Evidence, ...] = ()


def narrow(part: Part, around: Surroundings) -> list[Part]:
    """Give the part with fewer layers, or divided between database and storage."""
    looked = _where_it_was_timed(part, around)
    if looked is not None:
        return [looked]
    part = _beyond(part, around)
    if len(part.among) == 1:
        return [part]
    if _halted(part, around) >= EXPLAINS and _on_machine(part):
        pages = (Layer.APP_SERVER,) if _pages(around) and Layer.APP_SERVER in part.among else ()
        return [_to(part, (Layer.VIRTUALISATION, *pages))]
    if set(part.among) == {Layer.DATABASE, Layer.STORAGE}:
        return _database(part, around)
    if Layer.APPLICATION in part.among and not {Layer.DATABASE, Layer.NETWORK_CORE} & set(part.among):
        return [_application(part, around)]
    return [_any(part, around)]


def _where_it_was_timed(part: Part, around: Surroundings) -> Part | None:
    """Give the part as its machine's own when that made it wait; None when nothing says so."""
    if Layer.REMOTE_SESSION in part.among and around.starved(Layer.REMOTE_SESSION):
        return _to(part, (Layer.REMOTE_SESSION,))
    if Layer.ENDPOINT in around.moved and Layer.ACCESS_NETWORK in part.among:
        # A busy machine times everything it does too long: surely, when it was the probe that had to wait.
        alone = around.starved(Layer.ENDPOINT)
        return _to(part, (Layer.ENDPOINT,) if alone else (Layer.ENDPOINT, *part.among))
    return None


def _beyond(part: Part, around: Surroundings) -> Part:
    """Strike off what lies before a station that was reached as ever; a printer may stand on another way."""
    left = tuple(layer for layer in part.among if layer not in around.reached)
    return _to(part, left) if left and Layer.PRINTING not in left else part


def _any(part: Part, around: Surroundings) -> Part:
    """Name a layer of a wide group only when it alone moved: that others stood still proves little here."""
    moved = [layer for layer in part.among if layer in around.moved]
    if (
        Layer.DATABASE not in part.among
        and moved == [Layer.APP_SERVER]
        and (_pages(around) or around.starved(Layer.APP_SERVER))
    ):
        return _to(part, (Layer.APP_SERVER,))
    if Layer.NETWORK_CORE in part.among:
        return part
    if (
        Layer.STORAGE in moved
        and set(moved) <= {Layer.STORAGE, Layer.DATABASE}
        and _explained(part, around.moved) >= EXPLAINS
    ):
        return _to(part, (Layer.STORAGE,))
    named = len(moved) == 1 and moved[0] is not Layer.STORAGE and _lost(part) > 0
    return _to(part, (moved[0],)) if named else part


def _database(part: Part, around: Surroundings) -> list[Part]:
    """Divide by how much of the excess the extra latency of one to three log flushes can explain."""
    share = _explained(part, around.moved)
    if share >= EXPLAINS:
        return [_to(part, (Layer.STORAGE,))]
    if around.starved(Layer.APP_SERVER) and around.cleared(Layer.DATABASE):
        return [_to(part, (Layer.APP_SERVER,))]  # it waits for a processor to take an answer that is there
    if around.asked and around.release:
        return [_to(part, (Layer.APPLICATION,))]  # a new release asks more often, and is answered as quickly as ever
    if Layer.STORAGE not in around.moved:
        sure = around.cleared(Layer.STORAGE) and _explained(part, around.doubts) < DOUBTFUL
        return [_to(part, (Layer.DATABASE,)) if sure else part]
    if Layer.DATABASE not in around.moved and share > DOUBTFUL:
        return [part]
    return [_scaled(part, (Layer.STORAGE,), share), _scaled(part, (Layer.DATABASE,), 1 - share)]


def _explained(part: Part, told: Mapping[Layer, Sequence[Evidence]]) -> float:
    extra = [e.during - (e.before or 0.0) for e in told.get(Layer.STORAGE, ()) if e.unit == "s" and e.during]
    lost = _lost(part)
    return min(1.0, FLUSHES * max(extra) / lost) if lost > 0 and extra else 0.0


def _halted(part: Part, around: Surroundings) -> float:
    """Give the share of what a part lost that a machine that is not run can explain.

    With s the added share of time it is not run and p its longest pause, work of b seconds takes b s / (1 - s) longer,
    and what begins or is waited for within a pause waits s p / 2 in the mean.
    """
    moved, lost = around.moved.get(Layer.VIRTUALISATION, ()), _lost(part)
    shares = [e.during - (e.before or 0.0) for e in moved if e.unit == "1" and e.during]
    if not shares or lost <= 0:
        return 0.0
    share, pause = min(0.95, max(shares)), max(_pauses(around), default=0.0)
    usual = max((e.before or 0.0 for e in part.evidence if e.rule.startswith("phases.")), default=0.0)
    return min(1.0, WAITS * (usual * share / (1 - share) + share * pause / 2) / lost)


def _runs_on(part: Part, around: Surroundings) -> bool:
    """Say whether the machine's pauses were measured and, long or short, explain next to nothing of what was lost."""
    return bool(_pauses(around)) and _halted(part, around) < DOUBTFUL


def _pauses(around: Surroundings) -> list[float]:
    told = (*around.moved.get(Layer.VIRTUALISATION, ()), *around.still.get(Layer.VIRTUALISATION, ()))
    return [e.during for e in told if e.unit == "s" and e.during]


def _on_machine(part: Part) -> bool:
    """Say whether a part is waiting for what runs on a server: the database may, and so may what is before it."""
    server = {Layer.VIRTUALISATION, Layer.DATABASE} & set(part.among)
    return bool(server) and Layer.ACCESS_NETWORK not in part.among


def _lost(part: Part) -> float:
    """Give the seconds a run lost; of failures only timeouts tell how long they waited, else it is nothing."""
    for evidence in part.evidence:
        if evidence.rule == "failures.contrast":
            return (evidence.during or 0.0) - (evidence.before or 0.0)
    return part.seconds.estimate


def _application(part: Part, around: Surroundings) -> Part:
    """Tell memory and processor of the host from the code that runs on it."""
    left = tuple(layer for layer in part.among if not around.cleared(layer))
    if _runs_on(part, around):
        left = tuple(layer for layer in left if layer is not Layer.VIRTUALISATION)
    return _to(part, _shown(left, around) or _coded(left, around) or left or part.among)


def _shown(left: Sequence[Layer], around: Surroundings) -> tuple[Layer, ...]:
    """Name memory, or a machine that is not run, where they show; both when both do."""
    halted = (Layer.VIRTUALISATION,) if Layer.VIRTUALISATION in around.moved and Layer.VIRTUALISATION in left else ()
    pages = (Layer.APP_SERVER,) if _pages(around) and Layer.APP_SERVER in left else ()
    return halted + pages


def _coded(left: tuple[Layer, ...], around: Surroundings) -> tuple[Layer, ...]:
    """Tell a processor that others take from code that wants more of it; nothing where neither shows."""
    told = {e.source.get("metric") for e in around.moved.get(Layer.APP_SERVER, ())}
    if around.starved(Layer.APP_SERVER) and PROCESS_CPU not in told and Layer.APP_SERVER in left:
        return (Layer.APP_SERVER,)  # it wants no more processor than before, and gets less
    if PROCESS_CPU in told or (told and around.release):
        kept = (Layer.APPLICATION,) if around.release else (Layer.APP_SERVER, Layer.APPLICATION)
        return tuple(layer for layer in left if layer in kept) or left
    return (Layer.APP_SERVER,) if HOST_CPU in told and Layer.APP_SERVER in left else ()


def _pages(around: Surroundings) -> bool:
    moved = around.moved.get(Layer.APP_SERVER, ())
    return any(e.source.get("metric", "").startswith(PAGING) for e in moved)


def _to(part: Part, among: tuple[Layer, ...]) -> Part:
    return Part(among=among, seconds=part.seconds, evidence=part.evidence)


def _scaled(part: Part, among: tuple[Layer, ...], share: float) -> Part:
    s = part.seconds
    seconds = bounded(s.estimate * share, s.low * share, s.high * share, s.level)
    return Part(among=among, seconds=seconds, evidence=part.evidence)
