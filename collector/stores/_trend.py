"""Days from rows, and longer periods from days: what a trend over months is drawn from."""

from collections.abc import Sequence

from collector import tables
from collector.store import Every, Slice
from collector.stores import _query, _sketch
from collector.stores._query import MEASURED, Query, listed

_SUMS = {
    "runs": "sum(number)",
    "measured": "coalesce(sum(number) FILTER (used), 0)",
    "timeouts": "coalesce(sum(timeouts), 0)",
    "failures": "coalesce(sum(failures), 0)",
    "target_seconds": "max(target_seconds)",
}
_COUNTED = (
    "count(*) FILTER (outcome = 'timeout') AS timeouts, "
    "count(*) FILTER (outcome IN ('failed', 'dropped')) AS failures, max(target_seconds) AS target_seconds, "
)


def days(name: str, origin: Query, rows: Slice, by: Sequence[str] | None = None) -> Query:
    """Summarise the rows of a slice by day and group: the columns of ``tables.DAILY``.

    With ``by`` only these columns tell groups apart, and the others are empty: very many series are few groups then.
    """
    condition = _query.where(name, rows)
    group = listed(tables.DAILY_GROUP[name])
    told = ", ".join(
        listed([column]) if by is None or column in by else f"'' AS {listed([column])}"
        for column in tables.DAILY_GROUP[name]
    )
    steps = name == "steps"
    value, used = ("seconds", MEASURED) if steps else ("value", "true")
    time = listed([tables.TIME_COLUMN[name]])
    inner = (
        f"SELECT date_trunc('day', {time}) AS day, {told}, {used} AS used, "  # noqa: S608  names of tables.py
        f"CASE WHEN used THEN {_sketch.bucket(value)} END AS bucket, count(*) AS number, {_COUNTED if steps else ''}"
        f"min({value}) AS least, max({value}) AS most, sum({value}) AS summed "
        f"FROM ({origin.text}) WHERE {condition.text}{' AND NOT mixed' if steps else ''} GROUP BY ALL"
    )
    counts = ", ".join(f"{_SUMS[column]} AS {column}" for column in tables.DAILY_COUNTS[name])
    text = (
        f"SELECT day, {group}, {counts}, min(least) FILTER (used) AS minimum, "  # noqa: S608
        "max(most) FILTER (used) AS maximum, "
        "sum(summed ORDER BY bucket) FILTER (used) AS total, "
        "coalesce(list(bucket ORDER BY bucket) FILTER (bucket IS NOT NULL), []) AS buckets, "
        "coalesce(list(number ORDER BY bucket) FILTER (bucket IS NOT NULL), []) AS counts "
        f"FROM ({inner}) GROUP BY day, {group}"
    )
    return Query(text=text, values=(*origin.values, *condition.values))


def merged(name: str, parts: Sequence[Query], every: Every, by: Sequence[str]) -> Query:
    """Merge days to periods and groups: the columns of ``tables.trend``."""
    names = listed(tables.DAILY[name].names)
    union = " UNION ALL ".join(f"SELECT {names} FROM ({part.text})" for part in parts)  # noqa: S608
    key = ", ".join(("period", *(listed([column]) for column in by)))
    group = f"date_trunc('{every}', day) AS {key}"
    sums = ", ".join(
        f"{'max' if column == 'target_seconds' else 'sum'}({column}) AS {column}"
        for column in tables.DAILY_COUNTS[name]
    )
    quantiles = ", ".join(f"{_sketch.quantile(share)} AS {column}" for column, share in tables.QUANTILES.items())
    text = (
        f"WITH parts AS MATERIALIZED ({union}), "  # noqa: S608  names of tables.py
        f"counted AS (SELECT {group}, {sums}, min(minimum) AS minimum, max(maximum) AS maximum, "
        "sum(total ORDER BY day) / nullif(sum(list_sum(counts)), 0) AS mean FROM parts GROUP BY ALL), "
        f"merged AS (SELECT {key}, bucket, sum(n) AS n FROM "
        f"(SELECT {group}, unnest(buckets) AS bucket, unnest(counts) AS n FROM parts) GROUP BY ALL), "
        f"ranked AS (SELECT *, sum(n) OVER (PARTITION BY {key} ORDER BY bucket) AS upto, "
        f"sum(n) OVER (PARTITION BY {key}) AS whole FROM merged), "
        f"cut AS (SELECT {key}, {quantiles} FROM ranked GROUP BY ALL) "
        f"SELECT {listed(tables.trend(name, by).names)} FROM counted LEFT JOIN cut USING ({key}) ORDER BY {key}"
    )
    return Query(text=text, values=[value for part in parts for value in part.values])


def stored(name: str, rows: Slice, snapshot: int, whole: Sequence[object]) -> Query:
    """Read whole days from the lake's roll-up."""
    parts, values = ["day = ANY(?)"], [list(whole)]
    for column, allowed in rows.where.items():
        parts.append(f'"{column}" = ANY(?)')
        values.append([str(value) for value in allowed])
    names = listed(tables.DAILY[name].names)
    text = f"SELECT {names} FROM lake.daily_{name} AT (VERSION => {snapshot:d}) WHERE {' AND '.join(parts)}"  # noqa: S608
    return Query(text=text, values=values)
