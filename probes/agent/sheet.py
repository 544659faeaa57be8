"""What change control asks of an agent, taken from its plan: nothing is walked, sent or resolved to write it.

``describe`` gives lists of rows (one mapping each) and of sentences, under the names of ``TITLES``.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from collector.plugin import load as load_plugin
from probes import samplers
from probes.agent.budget import DAY, HOUR
from probes.agent.plan import Plan, Planned
from probes.agent.settings import AgentSettings
from probes.sampler import Active, Sampler
from probes.sessions.plan import PlannedSession

Row = dict[str, str | int | float | None]
Sheet = Mapping[str, list[Row] | list[str]]
_PORTS = {"http": 80, "https": 443, "ipp": 631, "ipps": 631, "ldap": 389, "ldaps": 636}
TITLES = {
    "agent": "What it is",
    "journeys": "What it walks",
    "connections": "Connections",
    "accounts": "Accounts it signs in with",
    "rights": "Rights it needs",
    "load": "What it asks of the system in a day",
    "probes": "What its active probes cost at most",
    "reads": "What it reads of this machine",
    "files": "What it writes",
    "kept": "What is kept and sent",
    "never": "What it never does",
    "removal": "How it is removed",
}
_RIGHTS = [
    "An ordinary user. No administrator, no service, no driver, no kernel module.",
    "No inbound port and no firewall rule for one: it only dials out.",
    "On Windows it must run in the interactive session of the people it stands for (a scheduled task at logon).",
]
_NEVER = [
    "It stores no secret: passwords are given by reference, read when a walk begins, and taken out of every text.",
    "It never uses one account twice at once, and stops using one after two refused sign-ins.",
    "It writes or prints only on a record that was made for it, after it has seen that record's marker.",
    "It sends no user names, no client names, no addresses of people's machines, and no content of pages.",
    "It scans no network, updates nothing by itself, and starts no program that its drivers do not need.",
]


def describe(plan: Plan, *, version: str, python: str) -> Sheet:
    """Write the sheet of one plan; all numbers are for every endpoint that follows it, as the budget counts."""
    settings = plan.settings
    return {
        "agent": _rows(
            {"fact": "endpoint", "value": settings.endpoint},
            {"fact": "site", "value": plan.site},
            {"fact": "measured installation", "value": settings.environment},
            {"fact": "whichlayer", "value": version},
            {"fact": "Python", "value": python},
            {"fact": "endpoints that follow this plan", "value": settings.budget.endpoints},
        ),
        "journeys": [_journey(one) for one in _used(plan)],
        "connections": list(_connections(plan)),
        "accounts": list(_accounts(plan)),
        "rights": _RIGHTS,
        "load": list(_load(plan)),
        "probes": list(_probes(plan)),
        "reads": [*_reads(plan)],
        "files": list(_files(plan)),
        "kept": list(_kept(settings)),
        "never": _NEVER,
        "removal": list(_removal(settings)),
    }


def markdown(sheet: Sheet) -> str:
    """Give the sheet as one page."""
    lines = ["# whichlayer agent: sheet for change control", ""]
    for name, content in sheet.items():
        lines += [f"## {TITLES[name]}", ""]
        lines += _table(content) if content and isinstance(content[0], dict) else [f"- {one}" for one in content]
        lines += ["Nothing.", ""] if not content else [""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(*rows: Row) -> list[Row]:
    return list(rows)


def _table(rows: list[Any]) -> Iterator[str]:
    columns = list(rows[0])
    yield "| " + " | ".join(column.replace("_", " ") for column in columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(_cell(row[column]) for column in columns) + " |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _journey(one: Planned | PlannedSession) -> Row:
    file = one.entry.file
    return {
        "journey": one.journey.name,
        "driver": one.entry.driver,
        "every_seconds": one.entry.every,
        "content_hash": one.journey.hash,
        "file": file.name,
        "file_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def _connections(plan: Plan) -> Iterator[Row]:
    settings = plan.settings
    seen: set[tuple[str, str]] = set()
    for one in _used(plan):
        written = [one.journey.variables, one.entry.variables, one.entry.settings, one.journey.trusted_origins]
        written += [step.link.model_dump(mode="json") for step in one.journey.steps if step.link]
        for address in _addresses(written):
            if (address, one.journey.name) not in seen:
                seen.add((address, one.journey.name))
                yield _outwards(address, f"{'walks' if isinstance(one, Planned) else 'holds open'} {one.journey.name}")
    yield from _asked(plan)
    if settings.collector is not None:
        yield _outwards(str(settings.collector.url), "sends what was measured; asks for its accounts")
    if settings.telemetry is not None:
        yield _outwards(str(settings.telemetry.endpoint), "sends runs as OpenTelemetry")
    if settings.metrics is not None:
        port = settings.metrics.port or "a free one"
        yield {"direction": "in, loopback only", "host": "127.0.0.1", "port": port, "scheme": "http",
               "why": "page for Prometheus"}  # fmt: skip


def _asked(plan: Plan) -> Iterator[Row]:
    """Give the addresses that samplers ask, and the stations of ladders."""
    for entry, _ in plan.samplers:
        why = f"{entry.sampler} of {entry.component}"
        yield from (_outwards(address, why) for address in _addresses(entry.settings))
        for rung in entry.settings.get("rungs", ()):
            port = rung.get("port")
            host = rung.get("host", "the default gateway")
            yield {"direction": "out", "host": host, "port": port, "scheme": "tcp" if port else "echo", "why": why}


def _used(plan: Plan) -> tuple[Planned | PlannedSession, ...]:
    return (*plan.walks, *plan.sessions)


def _addresses(written: object) -> Iterator[str]:
    """Find what looks like an address, at any depth; one with a variable in it is told by the variable."""
    if isinstance(written, Mapping):
        written = list(written.values())
    if isinstance(written, list | tuple):
        for one in written:
            yield from _addresses(one)
    elif isinstance(written, str) and "://" in written and "{" not in written:
        yield written


def _outwards(address: str, why: str) -> Row:
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme)
    return {"direction": "out", "host": parts.hostname, "port": port, "scheme": parts.scheme, "why": why}


def _accounts(plan: Plan) -> Iterator[Row]:
    for one in _used(plan):
        references = {**one.journey.secrets, **one.entry.secrets}
        shown = ", ".join(f"{name} from {reference}" for name, reference in sorted(references.items()) if reference)
        if one.entry.account or shown:
            yield {"account": one.entry.account, "used_by": one.journey.name, "secrets_by_reference": shown}
    for entry, _ in plan.samplers:
        if entry.account:
            shown = ", ".join(f"{name} from {reference}" for name, reference in sorted(entry.secrets.items()))
            by = f"{entry.sampler} of {entry.component}"
            yield {"account": entry.account, "used_by": by, "secrets_by_reference": shown}


def _load(plan: Plan) -> Iterator[Row]:
    endpoints = plan.settings.budget.endpoints
    for one in plan.walks:
        runs = DAY / one.entry.every
        sums = f"{DAY:g} s / {one.entry.every:g} s × {endpoints} endpoints"
        yield {"what": f"runs of {one.journey.name}", "a_day": runs * endpoints, "allowed": None, "sum": sums}
    for demand in plan.demands():
        hours = DAY / HOUR if demand.line.endswith("_per_hour") else 1.0
        what = demand.line.partition("_per_")[0].replace("concurrent_licences", "licences in use at once")
        sums = f"24 h × ({demand.arithmetic})" if hours > 1 else demand.arithmetic
        yield {"what": what, "a_day": demand.asked * hours, "allowed": demand.allowed * hours, "sum": sums}


def _probes(plan: Plan) -> Iterator[Row]:
    endpoints = plan.settings.budget.endpoints
    for entry, _ in plan.samplers:
        kind = load_plugin(samplers, entry.sampler, Sampler)
        if isinstance(kind, Active):
            readings, cost = HOUR / entry.every * endpoints, kind.cost
            yield {
                "probe": entry.sampler,
                "component": entry.component,
                "operations_an_hour": round(cost.operations * readings),
                "bytes_sent_an_hour": round(cost.sent_bytes * readings),
                "bytes_received_an_hour": round(cost.received_bytes * readings),
                "processor_ms_a_reading": round(cost.cpu_seconds * 1000),
            }


def _reads(plan: Plan) -> Iterator[Row]:
    yield {"what": "how the endpoint is connected, before each walk", "component": plan.settings.endpoint,
           "every_seconds": None, "by": "access"}  # fmt: skip
    for entry, _ in plan.samplers:
        text = import_module(f"{samplers.__name__}.{entry.sampler}").__doc__ or ""
        yield {
            "what": text.strip().splitlines()[0],
            "component": entry.component,
            "every_seconds": entry.every,
            "by": entry.sampler,
        }


def _files(plan: Plan) -> Iterator[Row]:
    state = plan.settings.state
    limit = plan.settings.outbox.limit_bytes
    yield {"file": f"{state / 'outbox.sqlite'} (-wal)", "holds": "what is not sent yet", "most_bytes": limit}
    yield {"file": str(state / "credentials.json"), "holds": "this agent's token", "most_bytes": 1024}
    yield {"file": str(state / "agent.lock"), "holds": "nothing; keeps a second agent out", "most_bytes": 4096}
    yield {"file": str(state / "accounts"), "holds": "a lock and a count of failed sign-ins for each account",
           "most_bytes": 8192 * max(len({one.entry.account for one in _used(plan)}), 1)}  # fmt: skip
    yield {"file": str(state / "refused"), "holds": "batches the collector refused, the latest 50",
           "most_bytes": 50 << 20}  # fmt: skip
    for entry, _ in plan.samplers:
        if entry.sampler == "volume":
            folder = dict(entry.settings)["directory"]
            name = f"{folder}/.whichlayer-{entry.component}.scratch"
            yield {"file": name, "holds": "one random block, while it runs", "most_bytes": 4096}


def _kept(settings: AgentSettings) -> Iterator[str]:
    yield (
        "Of each run: site, endpoint, access (wired, wifi, citrix …) and how it was known, journey and its hash, slot, "
        "and for each step its duration, phases, outcome and a shortened error without secrets."
    )
    yield "Of each sample: component, metric, time, value, unit; the reference page lists every metric."
    yield f"It stays here until the collector has stored it, at most {settings.outbox.limit_bytes} bytes; then it goes."
    yield "The collector keeps it for the retention its owner set."


def _removal(settings: AgentSettings) -> Iterator[str]:
    yield "Stop it: `Unregister-ScheduledTask whichlayer-agent` on Windows, `systemctl --user disable --now` on Linux."
    yield f"Delete the state folder {settings.state} and the folder it was installed in."
    yield f"Refuse its token at the collector: `whichlayer agents revoke {settings.endpoint}`."
    yield "Withdraw the accounts named above, and delete their entries in the keyring."
    yield "Nothing else was changed: no registry key, no service, no system file, no firewall rule."
