"""Vantage subtraction: where in the step the excess is, as far as the step itself says.

Mathematics. Each run is a vector of parts that add up to its duration (analysis/parts.py). The runs
of the episode and of the quiet time are trimmed by whole runs, 10 % at each end of the duration, and
the difference of the two mean vectors is the excess per part; its interval is the percentile
bootstrap over runs (400 resamples, fixed seed). Each part belongs to the layers that can cause it.

Without quiet time (slow since the first run against a target) a part of p seconds in a run of t
seconds that is e over its target holds at least p minus the target and at most min(p, e) of the
excess; the estimate is its proportional share, e p / t.

Limits. It says where time was spent, not why: time in ``wait`` is the network or a queue before the
application, time in ``server_db`` the database or the storage under it. What cannot be told apart
is returned as one part among several layers. Looking up a name is the core's, unless connecting got slower as well:
then both may have waited for the link. Time no phase covers is the probe's own machine; of a walk inside a remote
session that is the session's host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.behind import SERVER, behind
from analysis.counting import RULES
from analysis.episode import Episode
from analysis.parts import PARTS, Sides, excess, sides
from analysis.statistics import bounded, kept
from analysis.units import duration
from analysis.window import Window
from collector.model.access import Presentation
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, Interval, LayerState, MethodUse, Status

NETWORK = (Layer.ACCESS_NETWORK, Layer.NETWORK_CORE)
LAYERS: Mapping[str, tuple[Layer, ...]] = {
    "resolve": NETWORK,
    "connect": NETWORK,
    "transfer": NETWORK,
    "wait": (*NETWORK, Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION),
    "unsplit": (*NETWORK, *SERVER),
    "path": (*NETWORK, Layer.REMOTE_SESSION),
    "session": (Layer.REMOTE_SESSION, Layer.NETWORK_CORE, *SERVER),
    "server_app": (Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION),
    "server_db": (Layer.DATABASE, Layer.STORAGE),
    "server_storage": (Layer.STORAGE,),
    "server_external": (Layer.EXTERNAL_LINK,),
    "server_identity": (Layer.IDENTITY,),
    "render": (Layer.ENDPOINT, Layer.APPLICATION),
    "launch": (Layer.ENDPOINT, *NETWORK, Layer.REMOTE_SESSION),
    "pixels": (*NETWORK, Layer.REMOTE_SESSION),
    "ready": (Layer.REMOTE_SESSION, Layer.IDENTITY),
    "display": (Layer.ACCESS_NETWORK, Layer.REMOTE_SESSION, *SERVER),
    "identity": (*NETWORK, Layer.IDENTITY),
    "spool": (Layer.PRINTING,),
    "rest": (Layer.ENDPOINT,),
}
CORE = (Layer.NETWORK_CORE,)
CONNECT_SHARE = 0.25  # connecting this much slower, of the looking up, says that the link may be behind both
OUTSIDE_A_SESSION = frozenset({"launch", "pixels", "ready", "display", "path"})  # only who looks at one measures them
AT_PRINTER = frozenset({"connect", "transfer"})  # it wakes up, it takes the document
WORDS: Mapping[str, str] = {
    "resolve": "looking up the name",
    "connect": "connecting",
    "transfer": "receiving the answer",
    "wait": "waiting for the answer beyond the server's own account",
    "unsplit": "waiting for the answer, which the server gives no account of,",
    "path": "the way to the remote session's screen and back",
    "session": "what is waited for inside the remote session",
    "server_app": "the application's own part",
    "server_db": "the database's part",
    "server_storage": "the storage's part",
    "server_external": "the external link's part",
    "server_identity": "the sign-in service's part",
    "render": "drawing the page",
    "launch": "starting the remote client",
    "pixels": "the session's first picture",
    "ready": "the session becoming ready",
    "display": "keystroke to pixel",
    "identity": "the identity provider",
    "spool": "the print queue",
    "rest": "the probe's own machine",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the step and the layers that can be behind it."""

    name: str
    among: tuple[Layer, ...]


class Phases:
    """See the module."""

    use = MethodUse(name="phases", version="5")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:
        """Give one finding per part that was measured."""
        if episode.status is not Status.SLOW:
            return ()
        both, far = sides(window, episode), behind(window, episode)
        found = excess(both.during, both.quiet, level=level)
        names = [part for part in PARTS if (both.during.of(part) > 0).any() or (both.quiet.of(part) > 0).any()]
        inside = not OUTSIDE_A_SESSION.intersection(names)
        parts = [_Part(name, _among(name, far, episode, inside=inside)) for name in names]
        if found is not None:
            alone = found.of("connect").estimate < CONNECT_SHARE * found.of("resolve").estimate
            parts = [replace(part, among=CORE) if part.name == "resolve" and alone else part for part in parts]
            return [
                self._finding(part, episode, found.of(part.name), found.levels(part.name), found.runs) for part in parts
            ]
        return self._levels(both, episode, parts, level)

    def _levels(self, both: Sides, episode: Episode, parts: Sequence[_Part], level: float) -> Sequence[Finding]:
        """Bound the parts when there was no quiet time to compare with."""
        if not len(both.during) or episode.excess_seconds is None:
            return ()
        rows = kept(both.during.seconds, RULES.trimmed)
        means = dict(zip(PARTS, both.during.parts[rows].mean(axis=0).tolist(), strict=True))
        total, over = sum(means.values()), max(0.0, episode.excess_seconds.estimate)
        found = []
        for part in parts:
            took = means[part.name]
            low, high = max(0.0, took - (total - over)), min(took, over)
            seconds = bounded(over * took / total if total else 0.0, low, high, level)
            found.append(self._finding(part, episode, seconds, (None, took), len(both.during)))
        return found

    def _finding(
        self, part: _Part, episode: Episode, seconds: Interval, levels: tuple[float | None, float], runs: int
    ) -> Finding:
        layers = part.among
        before, during = levels
        supports = seconds.low > 0 and during > 0
        return Finding(
            method=self.use,
            layer=layers[0],
            state=LayerState.INCONCLUSIVE if len(layers) > 1 or not supports else LayerState.BLAMED,
            seconds=seconds,
            among=layers,
            evidence=(
                Evidence(
                    rule=f"phases.{part.name}",
                    text=_text(part.name, before, during),
                    supports=supports,
                    source={"phase": part.name, "step": episode.step, "population": str(episode.population)},
                    unit="s",
                    before=before,
                    during=during,
                    runs=runs,
                ),
            ),
        )


def _among(part: str, far: tuple[Layer, ...], episode: Episode, *, inside: bool) -> tuple[Layer, ...]:
    """Name who can be behind a part, given who answers the step; ``inside`` a session, if there is one."""
    layers = LAYERS[part]
    if part == "unsplit":
        layers = (*NETWORK, *far)
    elif far == (Layer.PRINTING,) and part in AT_PRINTER:
        layers = (*layers, *far)
    remote = episode.population.presentation is not Presentation.LOCAL
    if part == "rest" and remote and inside:
        return (Layer.REMOTE_SESSION,)
    session = remote and layers[:2] == NETWORK and Layer.REMOTE_SESSION not in layers
    return (*layers, Layer.REMOTE_SESSION) if session else layers


def _text(part: str, before: float | None, during: float) -> str:
    if before is None:
        return f"{WORDS[part]} took {duration(during)}, with no quiet time to compare with"
    return f"{WORDS[part]} took {duration(before)} before and {duration(during)} during"


PLUGIN = Phases()
