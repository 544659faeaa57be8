"""What the registry keeps of a site, and how it goes: verdicts stay without their evidence, the rest is removed."""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, Table, delete, select, update

from collector.model.change import Change
from collector.model.drops import DropReport
from collector.model.verdict import Verdict
from collector.registries._alerts import forget_site
from collector.registries._tables import CHANGES, FIGURES, STANDING, VERDICTS

_CHANGE = TypeAdapter(Change)
_VERDICT = TypeAdapter(Verdict)
_DROPS = TypeAdapter(DropReport)
_DROPS_NAME, _ESTATE_NAME = "drops", "estate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is of one site: verdicts, ids of changes, names under which maps are kept."""

    site: str
    verdicts: Sequence[Verdict]
    changes: Sequence[str]
    maps: Sequence[str]


def found(connection: Connection, site: str) -> Found:
    """Look for a site."""
    verdicts = (_VERDICT.validate_json(body) for _, body in _naming(connection, VERDICTS, "verdict_id", site))
    changes = (_CHANGE.validate_json(body) for _, body in _naming(connection, CHANGES, "change_id", site))
    figures = _naming(connection, FIGURES, "name", site)
    return Found(
        site=site,
        verdicts=[verdict for verdict in verdicts if verdict.site == site],
        changes=[change.change_id for change in changes if change.site == site],
        maps=[name for name, _ in figures if name.partition(":")[0] == _ESTATE_NAME],
    )


def remove(connection: Connection, these: Found, now: datetime) -> None:
    """Remove it. A name drawn by lot takes the place of the site's in its verdicts."""
    name = f"forgotten-{secrets.token_hex(4)}"
    row = VERDICTS.c
    for verdict in these.verdicts:
        same = (row.verdict_id == verdict.id) & (row.version == verdict.version)
        body = _VERDICT.dump_json(verdict.without_evidence(name, now)).decode()
        connection.execute(update(VERDICTS).where(same).values(body=body))
    connection.execute(delete(STANDING).where(STANDING.c.site == these.site))
    for table, column, names in ((CHANGES, "change_id", these.changes), (FIGURES, "name", these.maps)):
        for one in names:
            connection.execute(delete(table).where(table.c[column] == one))
    forget_site(connection, these.site)
    _without_rates(connection, these.site)


def _naming(connection: Connection, table: Table, key: str, site: str) -> Iterator[tuple[str, str]]:
    """Give key and body of the rows in whose body the site's name is a whole text."""
    text = json.dumps(site, ensure_ascii=False)
    wanted = select(table.c[key], table.c.body).where(table.c.body.contains(text, autoescape=True))
    for name, body in connection.execute(wanted):
        if text in body:  # LIKE does not tell capitals apart
            yield name, body


def _without_rates(connection: Connection, site: str) -> None:
    mine = FIGURES.c.name == _DROPS_NAME
    body = connection.scalar(select(FIGURES.c.body).where(mine))
    if body is not None:
        report = _DROPS.validate_json(body)
        left = replace(report, rates=tuple(rate for rate in report.rates if rate.site != site))
        connection.execute(update(FIGURES).where(mine).values(body=_DROPS.dump_json(left).decode()))
