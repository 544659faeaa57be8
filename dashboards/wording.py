"""The one place with prose: verdicts and states in plain sentences, for pages and the command line."""

from collections.abc import Mapping
from datetime import datetime

from collector.model.access import Link, Population, Presentation
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase
from collector.model.verdict import Evidence, LayerState, LayerVerdict, Reference, Rung, Status, Verdict
from dashboards.clock import Clock
from dashboards.quantity import interval, percent, percent_range, seconds, seconds_range, share, with_unit

STATUS: Mapping[Status, str] = {
    Status.FAILING: "failing",
    Status.SLOW: "slow",
    Status.NORMAL: "normal",
    Status.NOT_ENOUGH_EVIDENCE: "not enough evidence",
}
STATE: Mapping[LayerState, str] = {
    LayerState.BLAMED: "blamed",
    LayerState.CLEARED: "cleared",
    LayerState.INCONCLUSIVE: "inconclusive",
    LayerState.NOT_MEASURED: "not measured",
}
RUNG: Mapping[Rung, str] = {
    Rung.NONE: "There is no expectation yet.",
    Rung.SAME_SLOT: "Compared with the other accesses in the same minutes: there is little history yet.",
    Rung.POOLED: "Compared with all earlier runs together: there is less than a week of history for each hour.",
    Rung.HOUR_OF_DAY: "Compared with the same hour of earlier days.",
    Rung.HOUR_OF_WEEK: "Compared with the same hour of earlier weeks.",
}
REFERENCE: Mapping[Reference, str] = {
    Reference.EXPECTED: "what is usual",
    Reference.TARGET: "its target",
    Reference.REFERENCE: "the best access in the same minutes",
}
OUTCOME: Mapping[Outcome, str] = {
    Outcome.OK: "ok",
    Outcome.SLOW: "over its target",
    Outcome.FAILED: "failed",
    Outcome.TIMEOUT: "time limit reached",
    Outcome.DROPPED: "session dropped",
    Outcome.NOT_READY: "not ready",
    Outcome.BROKEN: "probe broken",
}
PHASE: Mapping[Phase, str] = {
    Phase.RESOLVE: "name lookup",
    Phase.CONNECT: "connect",
    Phase.TLS: "TLS",
    Phase.PROCESSING: "waiting for the answer",
    Phase.TRANSFER: "transfer",
    Phase.RENDER: "render",
    Phase.LAUNCH: "start of the remote client",
    Phase.PIXELS: "first picture of the session",
    Phase.READY: "session ready",
    Phase.DISPLAY: "keystroke to screen",
    Phase.IDENTITY: "identity provider",
    Phase.SPOOL: "print spool",
    Phase.SERVER_APP: "application (server's account)",
    Phase.SERVER_DB: "database (server's account)",
    Phase.SERVER_STORAGE: "storage (server's account)",
    Phase.SERVER_EXTERNAL: "external (server's account)",
    Phase.SERVER_IDENTITY: "sign-in service (server's account)",
}
_LINK = {
    Link.WIRED: "cable",
    Link.WIFI: "WiFi",
    Link.VPN: "VPN",
    Link.MOBILE: "mobile data",
    Link.UNKNOWN: "an unknown link",
}
_SESSION = {
    Presentation.CITRIX: "in Citrix ",
    Presentation.RDP: "in a remote desktop (RDP) ",
    Presentation.VNC: "in a remote desktop (VNC) ",
    Presentation.UNKNOWN: "",
    Presentation.LOCAL: "",
}
_DOING = {
    "login": "signing in to",
    "logon": "signing in to",
    "logout": "signing out of",
    "search": "searching in",
    "open": "opening in",
    "save": "saving in",
    "print": "printing from",
}
_LAYER = {
    Layer.ENDPOINT: "the endpoint itself",
    Layer.ACCESS_NETWORK: "the access network",
    Layer.NETWORK_CORE: "the core network (WAN, firewall, proxy, DNS)",
    Layer.REMOTE_SESSION: "the remote session",
    Layer.IDENTITY: "the sign-in service",
    Layer.VIRTUALISATION: "virtualisation",
    Layer.APP_SERVER: "the application server (memory, processor)",
    Layer.APPLICATION: "the application (release, code)",
    Layer.DATABASE: "the database",
    Layer.STORAGE: "the storage",
    Layer.EXTERNAL_LINK: "the external link",
    Layer.PRINTING: "printing",
}
EVIDENCE_REMOVED = "Evidence removed."


def access(population: Population) -> str:
    """Name an access: "WiFi", "Cable", "Citrix over WiFi"."""
    link = _LINK[population.link]
    if population.presentation in {Presentation.LOCAL, Presentation.UNKNOWN}:
        return link[0].upper() + link[1:]
    name = "Citrix" if population.presentation is Presentation.CITRIX else str(population.presentation).upper()
    return f"{name} over {link}"


def doing(journey: str, step: str, population: Population) -> str:
    """Name what a person does: "saving in case-record over WiFi"."""
    action = f"{_DOING[step]} {journey}" if step in _DOING else f'step "{step}" of {journey}'
    return f"{action} {_SESSION[population.presentation]}over {_LINK[population.link]}"


def layer(which: Layer, *, link: Link | None = None, component: str | None = None, supplier: str | None = None) -> str:
    """Name a layer for people: the access network with the link that was used, and who answers, where known."""
    words = _LAYER[which]
    if which is Layer.ACCESS_NETWORK and link is not None and link is not Link.UNKNOWN:
        words = f"{words} ({_LINK[link]})"
    words = f"{words}, {component}" if component else words
    return f"{words} ({supplier} answers for it)" if supplier else words


def sentence(verdict: Verdict, clock: Clock | None = None) -> str:
    """Say the whole verdict in one or two sentences, the way one colleague tells another."""
    times = clock or Clock()
    what = doing(verdict.journey, verdict.step, verdict.population)
    if verdict.environment != "live":
        what = f"{what} ({verdict.environment} environment)"
    if verdict.status is Status.NORMAL:
        return _start(f"{what} is as usual{_now_against_expected(verdict)}.")
    if verdict.status is Status.NOT_ENOUGH_EVIDENCE:
        runs = _count(verdict.runs, "run")
        return f"There is not enough evidence to say whether {what} is slow ({runs} in this window)."
    lead = _slow(verdict) if verdict.status is Status.SLOW else _failing(verdict)
    verb = "has" if verdict.open else ""
    head = f"{what} {verb} {lead} {_period(verdict, times)}".replace("  ", " ")
    gone = f" {EVIDENCE_REMOVED}" if verdict.evidence_removed else ""
    return f"{_start(head)}. {cause(verdict)}{gone}"


def cause(verdict: Verdict) -> str:
    """Say which layers the excess is in, or that this cannot be said."""
    blamed = verdict.blamed
    if not blamed:
        return _without_blame(verdict)
    first = f"{_part(blamed[0])} is {_named(verdict, blamed[0])}"
    others = [f"{percent_range(part.low, part.high)} is {_named(verdict, part)}" for part in blamed[1:]]
    text = f"{first}; {', '.join(others)}." if others else f"{first}."
    groups = inseparable(verdict)
    return f"{text} {groups}" if groups else text


def inseparable(verdict: Verdict) -> str:
    """Say which layers the data cannot tell apart; empty when there are none."""
    said = []
    for group in verdict.inseparable:
        names = [layer(which, link=verdict.population.link) for which in group]
        said.append(f"The data cannot tell {', '.join(names[:-1])} and {names[-1]} apart.")
    return " ".join(said)


def where(verdict: Verdict) -> str:
    """Say which runs of the step were the bad ones; empty when no set of them stands out."""
    if (found := verdict.where) is None:
        return ""
    words = [_LINK[Link(value)] if name == "link" else f"{name} {value}" for name, value in found.attributes.items()]
    own, others = f"{found.bad} of {found.runs}", f"{found.bad_elsewhere} of {found.runs_elsewhere}"
    return f"It is the runs with {', '.join(words)}: {own} were slow or failed, of all other runs of the step {others}."


def unexplained(verdict: Verdict) -> str:
    """Say how much of the excess no layer accounts for."""
    if verdict.unexplained is None:
        return "How much stays unexplained was not worked out."
    if verdict.unexplained.high < 0.01:
        return "Nothing of it stays unexplained."
    return f"{share(verdict.unexplained)} of it stays unexplained."


def excess(verdict: Verdict) -> str:
    """Write the excess with its interval: "4.2 s (3.9 to 4.5 s) above what is usual", with "≥" if censored."""
    reference = REFERENCE[verdict.against]
    if verdict.excess_seconds is not None:
        return f"{'≥ ' if verdict.excess_at_least else ''}{interval(verdict.excess_seconds)} above {reference}"
    if verdict.excess_rate is not None:
        rate = verdict.excess_rate
        return f"{percent(rate.estimate)} ({percent_range(rate.low, rate.high)}) more failures than {reference}"
    return "none"


def quality(verdict: Verdict) -> list[str]:
    """List what the reader should know about the data: runs, timeouts, then the stored remarks."""
    said = [f"{_count(verdict.runs, 'run')} in this window."]
    if verdict.evidence_removed:
        said.append(
            f"The facts of this site were removed on {verdict.evidence_removed:%Y-%m-%d}: what was concluded stands "
            "here without its reasons, and cannot be drawn again."
        )
    if verdict.censored and not any("timed out" in remark for remark in verdict.data_quality):
        said.append(
            f"{_count(verdict.censored, 'run')} reached the time limit: how long it would have taken is not known, "
            "only that it is at least as long as was waited."
        )
    return said + list(verdict.data_quality)


def numbers(evidence: Evidence) -> str:
    """Write before and during of one piece of evidence; empty when it has none, or its text says them."""
    if " during" in evidence.text or evidence.rule.startswith(("contrast.", "failures.")):
        return ""
    told = (("before", evidence.before), ("during", evidence.during))
    return ", ".join(f"{when} {with_unit(value, evidence.unit)}" for when, value in told if value is not None)


def _slow(verdict: Verdict) -> str:
    been = "been" if verdict.open else "was"
    if verdict.excess_seconds is None:
        return f"{been} slower than {_than(verdict)}"
    size = f"{'at least' if verdict.excess_at_least else 'about'} {seconds(verdict.excess_seconds.estimate)}"
    if verdict.stood is not None:
        runs = f"{verdict.stood} of {_count(verdict.runs, 'run')}"
        return f"stood still in {runs}, for {size} more than {_than(verdict)}"
    return f"{been} {size} slower than {_than(verdict)}"


def _failing(verdict: Verdict) -> str:
    if verdict.excess_rate is None:
        return "failed more often than " + _than(verdict)
    return f"failed in {round(verdict.excess_rate.estimate * 100)} more of every 100 runs than {_than(verdict)}"


def _than(verdict: Verdict) -> str:
    return {
        Reference.EXPECTED: "usual",
        Reference.TARGET: "its target allows",
        Reference.REFERENCE: "by the best access in the same minutes",
    }[verdict.against]


def _period(verdict: Verdict, clock: Clock) -> str:
    start = clock.short(verdict.start, near=verdict.reached_at)
    if verdict.open:
        return f"since {start}"
    return f"from {start} to {_end(verdict.end, verdict.start, verdict.reached_at, clock)}"


def _end(end: datetime, start: datetime, reached: datetime, clock: Clock) -> str:
    same_day = clock.local(end).date() == clock.local(start).date()
    return clock.short(end, near=end if same_day else reached)


def _part(part: LayerVerdict) -> str:
    if part.low >= 0.995:
        return "Nearly all of it"
    words = "Nearly all of it" if part.low >= 0.9 else "Most of it" if part.share >= 0.5 else "The largest part of it"
    return f"{words} ({percent_range(part.low, part.high)})"


def _named(verdict: Verdict, part: LayerVerdict) -> str:
    return layer(part.layer, link=verdict.population.link, component=part.component, supplier=part.supplier)


def _without_blame(verdict: Verdict) -> str:
    groups = inseparable(verdict)
    if groups:
        return f"No layer can be blamed alone. {groups}"
    cleared = [_named(verdict, part) for part in verdict.layers if part.state is LayerState.CLEARED]
    if cleared:
        return f"Which layer it is cannot be said; it is not {' nor '.join(cleared)}."
    return "Which layer it is cannot be said from what was measured."


def _now_against_expected(verdict: Verdict) -> str:
    if verdict.measured is None:
        return ""
    now = f": {at_least(verdict, '≥ ')}{seconds(verdict.measured.estimate)}"
    if verdict.expected is None:
        return now
    return f"{now}, expected {seconds_range(verdict.expected.low, verdict.expected.high)}"


def at_least(verdict: Verdict, words: str) -> str:
    """Give ``words`` when the median fell among runs that reached their time limit: it is then a lower bound."""
    return words if verdict.at_least else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _start(text: str) -> str:
    return text[0].upper() + text[1:]
