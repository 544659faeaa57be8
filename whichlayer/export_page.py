"""What lies beside exported files for whoever has no whichlayer: schema.json and README.txt."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.counting import RULES
from collector import tables
from collector.model.catalogue import CATALOGUE
from collector.model.run import Phase
from whichlayer.export_records import RECORDS

if TYPE_CHECKING:
    from whichlayer.export import Exported

MEANINGS: Mapping[str, str] = {
    "run_id": "one walk of a journey; joins runs, steps and server_parts",
    "slot": "the time the run was due; runs of one slot are compared with each other",
    "started_at": "when it began, by the endpoint's clock",
    "site": "the site",
    "endpoint": "the computer the run was made from",
    "link": "how the endpoint was connected",
    "presentation": "where the application ran: on the endpoint, in a browser, on a remote desktop",
    "journey": "the journey",
    "journey_hash": "which edition of the journey's file was walked",
    "environment": "live, test, ...",
    "mixed": "the access changed on the way: the run belongs to no average",
    "driver": "what walked",
    "outcome": "ok, slow, timeout (it took at least that long), failed, dropped, not_ready, broken (the probe)",
    "seconds": "how long it took; of a timeout, how long was waited",
    "attempt": "1 for the first try",
    "synthetic": "walked by a probe, not by a person",
    "link_source": "what the link was told by",
    "presentation_source": "what the presentation was told by",
    "confidence": "how sure the access is, 0 to 1",
    "skew_seconds": "the sender's clock minus the collector's when it was received",
    "facts": "what else is known of the run: a JSON object of texts",
    "step": "the step of the journey",
    "position": "the step's place in its run, from 0",
    "uncertainty_seconds": "how far off the measured seconds may be",
    "censored": "the step was given up: it took at least its seconds",
    "target_seconds": "the target declared in the journey",
    **{str(phase): "part of the step's seconds; empty when it did not happen, never 0" for phase in Phase},
    "requests": "requests made",
    "connection": "whether a connection was new or used again",
    "http_status": "the status of the answer",
    "bytes_received": "bytes of the answers",
    "error_kind": "which kind of error",
    "error": "what the error said",
    "release": "the application's release",
    "at": "when it was",
    "component": "the component that was measured",
    "layer": "the layer it belongs to",
    "metric": "the metric: its unit is under metrics in schema.json",
    "value": "its value, in the unit of the metric",
    "period_seconds": "the period a rate, mean or maximum stands for",
    "labels": "what else names the series: a JSON object of texts",
    "session_id": "one session held open",
    "kind": "what happened to the session",
    "open_seconds": "how long it had been open",
    "cause": "why it ended",
    "detail": "what was seen of that, or is known of it",
    "saved_work": "whether work that had been saved was still there",
    "unsaved_work": "whether work that had not been saved was still there",
    "at_risk_seconds": "how much work, in time, was not saved",
    "host": "the machine whose log it is",
    "log": "which log of it: sessions, system, application",
    "event_number": "the log's own number of that kind of entry",
    "said": "what the entry means, in words",
    "code": "the log's own code of the reason",
    "session": "the machine's number of the session",
    "user": "whose session, under a pseudonym",
    "program": "the program that failed",
    "service": "the service that sent the spans",
    "nested": "another service called it",
    "whole": "its time for the request; empty where the span that took the request is missing",
    "database": "part of it spent in databases",
    "storage": "part of it spent in storage",
    "external": "part of it spent in other systems",
    "spans": "how many spans were summed",
    "until": "when it was over; empty while it lasts",
    "told_at": "when this was told: of rows with one event_id the last one holds",
    "event_id": "which entry of the ledger",
    "event_kind": "what was wrong with the data: gap, clock_skew, unit_surprise, ...",
    "subject": "what it was about: an endpoint, a component, a sender",
    "layers": "the layers of which nothing was known meanwhile: a JSON list",
    "amount": "how much, in unit",
    "unit": "the unit of amount, or what is counted",
    "withdrawn": "there was nothing after all",
}
_SECONDS = frozenset({*map(str, Phase), "whole", "database", "storage", "external"})
_UNITS = {"value": "unit of the metric", "amount": "unit", "bytes_received": "bytes", "confidence": "1"}


def write(folder: Path, done: "Exported") -> None:
    """Write both files."""
    text = json.dumps(schema(done), indent=1, ensure_ascii=False) + "\n"
    (folder / "schema.json").write_text(text, encoding="utf-8")
    (folder / "README.txt").write_text(_readme(done), encoding="utf-8")


def summary(done: "Exported") -> dict[str, Any]:
    """Say what was written, and from what, as JSON."""
    from whichlayer.export import EARLIEST, LATEST

    wanted = done.wanted
    return {
        "whichlayer": version("whichlayer"),
        "counting_rules": RULES.version,
        "snapshot": done.snapshot,
        "exported_at": f"{done.at:%Y-%m-%dT%H:%M:%SZ}",
        "start": None if wanted.start == EARLIEST else wanted.start.isoformat().replace("+00:00", "Z"),
        "end": None if wanted.end == LATEST else wanted.end.isoformat().replace("+00:00", "Z"),
        "sites": list(wanted.sites) or None,
        "format": str(wanted.format),
        "parts": {name: {"rows": part.rows, "files": list(part.files)} for name, part in done.parts.items()},
    }


def schema(done: "Exported") -> dict[str, Any]:
    """Describe every column: its type, unit, whether it may be empty, and what it says."""
    units = {
        name: {
            "unit": str(metric.unit),
            "kind": str(metric.kind),
            "layer": str(metric.layer),
            "meaning": metric.meaning,
        }
        for name, metric in CATALOGUE.items()
    }
    columns = {name: _columns(name) for name in done.parts if name in tables.TABLES}
    records = {name: RECORDS[name].json_schema(mode="serialization") for name in done.parts if name in RECORDS}
    return {**summary(done), "columns": columns, "metrics": units, "records": records}


def _columns(name: str) -> list[dict[str, Any]]:
    return [
        {
            "name": column.name,
            "type": _type(column.type),
            "unit": unit(column),
            "may_be_empty": column.name not in tables.REQUIRED[name],
            "meaning": MEANINGS.get(column.name, ""),
        }
        for column in tables.schema(name)
    ]


def _type(kind: pa.DataType) -> str:
    return "timestamp (microseconds)" if pa.types.is_timestamp(kind) else str(kind)


def unit(column: pa.Field) -> str | None:
    """Give the unit of a column; None for a text, a count or a yes and no."""
    if pa.types.is_timestamp(column.type):
        return "UTC"
    if column.name.endswith("seconds") or column.name in _SECONDS:
        return "seconds"
    return _UNITS.get(column.name)


def _readme(done: "Exported") -> str:
    told = summary(done)
    written = [f"  {name}: {part.rows} rows in {len(part.files)} files" for name, part in done.parts.items()]
    period = f"{told['start'] or 'the first'} to {told['end'] or 'the last'} (the end not included)"
    head = (
        f"Facts of whichlayer {told['whichlayer']}, counting rules {told['counting_rules']}, "
        f"snapshot {told['snapshot']}.\n"
        f"Exported {told['exported_at']}. Period: {period}. Sites: {', '.join(done.wanted.sites) or 'all'}.\n"
    )
    return "\n".join([head, *written, "", _RULES, _reading(done)])


def _reading(done: "Exported") -> str:
    kind = done.wanted.format
    asked = ["How to read each of them, from this folder:", ""]
    for name, part in done.parts.items():
        if not part.files:
            continue
        if name in RECORDS:
            asked += [f"DuckDB  FROM read_json('{name}.jsonl');"]
            asked += [f"pandas  pandas.read_json('{name}.jsonl', lines=True)", ""]
            continue
        files = f"{name}/*.{kind}"
        query = f"'{files}'" if kind == "parquet" else f"read_csv('{files}', allow_quoted_nulls = false)"
        asked += [f"DuckDB  FROM {query};"]
        read = "pandas.read_parquet(f)" if kind == "parquet" else "pandas.read_csv(f)"
        asked += [f"pandas  pandas.concat({read} for f in sorted(glob.glob('{files}')))", ""]
    return "\n".join([*asked, _EXCEL, ""])


_RULES = """\
schema.json says of every column its type, unit and meaning, and of every metric its unit.
- Times are UTC. In CSV they are ISO 8601 with Z.
- Durations are seconds. A value that is missing is empty (null), never 0.
- A row with censored = true took at least its seconds: it was given up. Do not average it in.
- In CSV, "" is a text without letters and nothing at all is a missing value.
- In CSV, a text that begins with = + - @ ' or a tab or a line break has one ' put before it, so that a spreadsheet
  does not run it as a formula. Take one ' away from the front of such texts to have what was stored.
- verdicts.jsonl holds the latest version of each slow or failing verdict, changes.jsonl every change, that overlaps
  the period. They were read right after the snapshot. No token, password or account is in this folder.
"""
_EXCEL = """\
Excel   Data > Get Data > From File > From Folder (CSV or Parquet), file origin 65001 (UTF-8). A sheet holds 1,048,576
        rows: export a shorter period, or --split day, when there are more."""
