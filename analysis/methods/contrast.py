"""Paired contrast: is the excess shared by the same step from other accesses at the same times?

Mathematics. Runs of the slow access are paired with the nearest run of another access (within one
and a half intervals). Both are taken as excess over their own quiet time, part by part. With L the
network parts (resolve, connect, transfer, wait), what no account splits (unsplit, display, path) and signing in:
shared = min(L, max(0, L of the least affected access on another link)), own = L - shared. Own
belongs to this link: the access network; for a remote presentation whose link's local runs are
unaffected, to the remote session. Shared belongs to the core, or, as far as it is waiting while
connecting is no slower, to a queue before the application (to who answers the step, where that is a
printer or an external link: analysis/behind.py); shared looking up of the name is the core's. A local
access is held against local ones where there are any: what walks inside a session crosses neither its
link nor the core. Shared signing in is the sign-in service's, or the core's where the network's own parts are
slower too. What is shared of unsplit time is divided as the other access's own account divides
its excess, when it has one. Intervals: percentile bootstrap over pairs.

Limits. It needs an access on another link with runs at the same times and a quiet time before. Two
links with the same fault at once look like the core. Without another access it says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.behind import SERVER, behind
from analysis.episode import Episode
from analysis.pairs import Pairs, columns, others, paired
from analysis.parts import ACCOUNT, ON_THE_WAY, sides
from analysis.statistics import Floats, interval
from analysis.units import duration
from analysis.window import Window
from collector.model.access import Presentation
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse, Status

NAME, CARRIED = ("resolve",), ("connect", "transfer", "wait")
UNSPLIT = ("unsplit", "display", "path")
SIGN_IN = ("identity",)
QUEUE = (Layer.NETWORK_CORE, Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION)
ACCOUNTED = {
    "server_app": (Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION),
    "server_db": (Layer.DATABASE, Layer.STORAGE),
    "server_storage": (Layer.STORAGE,),
    "server_external": (Layer.EXTERNAL_LINK,),
    "server_identity": (Layer.IDENTITY,),
}
CONNECT_SHARE = 0.1  # connecting this much slower, of the shared waiting, says the core is slow


@dataclass(frozen=True, slots=True)
class _Amount:
    """Seconds per run with their draws; ``name`` is the part they are of."""

    seconds: float
    draws: Floats
    name: str = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    episode: Episode
    level: float
    far: tuple[Layer, ...]  # who answers the step

    @property
    def queue(self) -> tuple[Layer, ...]:
        """Name who can keep everybody waiting while connecting is as quick as ever."""
        return QUEUE if self.far == SERVER else (Layer.NETWORK_CORE, *self.far)


class Contrast:
    """See the module."""

    use = MethodUse(name="contrast", version="6")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:
        """Divide the network's part, and what no account splits, into own and shared."""
        if episode.status is not Status.SLOW or episode.vantage is not None:
            return ()
        mine = sides(window, episode)
        found = [paired(window, episode, mine, name) for name in others(window, episode)]
        known = [pairs for pairs in found if pairs is not None]
        asked = _Asked(episode=episode, level=level, far=behind(window, episode))
        remote = episode.population.presentation is not Presentation.LOCAL
        local = [p for p in known if p.population.link is episode.population.link] if remote else []
        local = [p for p in local if p.population.presentation is Presentation.LOCAL]
        elsewhere = [p for p in known if p.population.link is not episode.population.link]
        if not elsewhere:
            return self._session_only(local, asked)
        if not remote:
            elsewhere = [p for p in elsewhere if p.population.presentation is Presentation.LOCAL] or elsewhere
        best = min(elsewhere, key=lambda pairs: (_affected(pairs), pairs.population))
        return self._divided(best, min(local, key=_affected, default=None), asked)

    def _divided(self, best: Pairs, local: Pairs | None, asked: _Asked) -> Sequence[Finding]:
        mine, mine_draws = _total(best, ON_THE_WAY)
        shared, shared_draws = _shared(best, ON_THE_WAY)
        own, own_draws = mine - shared, mine_draws - shared_draws
        found = []
        remote = asked.episode.population.presentation is not Presentation.LOCAL
        among: tuple[Layer, ...] = (Layer.ACCESS_NETWORK, Layer.REMOTE_SESSION) if remote else (Layer.ACCESS_NETWORK,)
        if local is not None:
            session, session_draws = _beyond(local, ON_THE_WAY)
            session, session_draws = min(own, session), np.minimum(own_draws, session_draws)
            own, own_draws = own - session, own_draws - session_draws
            found.append(self._finding((Layer.REMOTE_SESSION,), _Amount(session, session_draws), local, asked))
            among = (Layer.ACCESS_NETWORK,)
        found.append(self._finding(among, _Amount(own, own_draws), best, asked))
        return [*found, *self._shared(best, asked)]

    def _shared(self, best: Pairs, asked: _Asked) -> Sequence[Finding]:
        """Say who can be behind what both accesses have in common."""
        name, name_draws = _shared(best, NAME)
        network, network_draws = _shared(best, CARRIED)
        connect, _ = _shared(best, ("connect",))
        core = (Layer.NETWORK_CORE,) if network <= 0 or connect >= CONNECT_SHARE * network else asked.queue
        found = [self._finding(core, _Amount(network, network_draws), best, asked)]
        if name > 0:
            found.append(self._finding((Layer.NETWORK_CORE,), _Amount(name, name_draws, *NAME), best, asked))
        sign_in, sign_in_draws = _shared(best, SIGN_IN)
        if sign_in > 0:
            quick = network < CONNECT_SHARE * sign_in and np.abs(best.own[columns(*CARRIED)]).sum() > 0
            signing = (Layer.IDENTITY,) if quick else (Layer.NETWORK_CORE, Layer.IDENTITY)
            found.append(self._finding(signing, _Amount(sign_in, sign_in_draws, *SIGN_IN), best, asked))
        every, every_draws = _shared(best, (*NAME, *CARRIED, *UNSPLIT))
        rest = max(0.0, every - network - name)
        rest_draws = np.maximum(0.0, every_draws - network_draws - name_draws)
        account = best.other[columns(*ACCOUNT)].clip(min=0)
        if rest <= 0:
            return found
        if account.sum() < 0.5 * rest:
            candidates = asked.far if core == asked.queue and _connects(best) else (Layer.NETWORK_CORE, *asked.far)
            return [*found, self._finding(candidates, _Amount(rest, rest_draws), best, asked)]
        for share, part in zip(account / account.sum(), ACCOUNT, strict=True):
            if share > 0:
                found.append(
                    self._finding(ACCOUNTED[part], _Amount(rest * share, rest_draws * share, part), best, asked)
                )
        return found

    def _session_only(self, local: Sequence[Pairs], asked: _Asked) -> Sequence[Finding]:
        """With only the same link to compare with: what the remote presentation adds, no more."""
        if not local:
            return ()
        best = min(local, key=_affected)
        session, session_draws = _beyond(best, ON_THE_WAY)
        rest, rest_draws = _shared(best, (*NAME, *CARRIED, *UNSPLIT))
        sign_in, sign_in_draws = _shared(best, SIGN_IN)
        network = (Layer.ACCESS_NETWORK, Layer.NETWORK_CORE)
        found = [
            self._finding((Layer.REMOTE_SESSION,), _Amount(session, session_draws), best, asked),
            self._finding((*network, *asked.far), _Amount(rest, rest_draws), best, asked),
        ]
        if sign_in > 0:
            signing = _Amount(sign_in, sign_in_draws, *SIGN_IN)
            found.append(self._finding((*network, Layer.IDENTITY), signing, best, asked))
        return found

    def _finding(self, among: tuple[Layer, ...], part: _Amount, pairs: Pairs, asked: _Asked) -> Finding:
        found, episode = interval(part.seconds, part.draws, asked.level), asked.episode
        mine, _ = _total(pairs, ON_THE_WAY)
        theirs = _affected(pairs)
        text = (
            f"outside the server {episode.population} took {duration(mine)} more than in its quiet time, "
            f"{pairs.population} in the same {pairs.count} slots {duration(theirs)} more"
        )
        return Finding(
            method=self.use,
            layer=among[0],
            state=LayerState.BLAMED if len(among) == 1 and found.low > 0 else LayerState.INCONCLUSIVE,
            seconds=found,
            among=among,
            evidence=(
                Evidence(
                    rule=f"contrast.{part.name}",
                    text=text,
                    supports=found.low > 0,
                    source={"phase": part.name, "step": episode.step, "population": str(pairs.population)},
                    unit="s",
                    before=theirs,
                    during=mine,
                    runs=pairs.count,
                ),
            ),
        )


def _affected(pairs: Pairs) -> float:
    return float(pairs.other[columns(*ON_THE_WAY)].sum())


def _connects(pairs: Pairs) -> bool:
    return float(np.abs(pairs.own[columns("connect")]).sum()) > 0


def _total(pairs: Pairs, parts: Sequence[str]) -> tuple[float, Floats]:
    mine = columns(*parts)
    return max(0.0, float(pairs.own[mine].sum())), np.maximum(0.0, pairs.own_draws[:, mine].sum(axis=1))


def _shared(pairs: Pairs, parts: Sequence[str]) -> tuple[float, Floats]:
    """Give what the other access has in excess as well, at most what this one has.

    When this access's part has no account, all the other's excess can be behind it.
    """
    mine, mine_draws = _total(pairs, parts)
    theirs = columns(*parts, *(ACCOUNT if set(parts) & set(UNSPLIT) and _unsplit(pairs) else ()))
    other = max(0.0, float(pairs.other[theirs].sum()))
    other_draws = np.maximum(0.0, pairs.other_draws[:, theirs].sum(axis=1))
    return min(mine, other), np.minimum(mine_draws, other_draws)


def _beyond(pairs: Pairs, parts: Sequence[str]) -> tuple[float, Floats]:
    mine, mine_draws = _total(pairs, parts)
    shared, shared_draws = _shared(pairs, parts)
    return mine - shared, mine_draws - shared_draws


def _unsplit(pairs: Pairs) -> bool:
    return float(pairs.own[columns(*UNSPLIT)].sum()) > 0


PLUGIN = Contrast()
