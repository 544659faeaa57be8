"""What is in doubt in an imported file: values that cannot be in their unit, and what its importer warned of."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from collector.importer import Imported
from collector.model.quality import QualityEvent, QualityKind, detail, event_id
from collector.quality.units import surprises
from collector.rows import sample_table


def doubts(found: Imported, *, site: str, kind: str, now: datetime) -> Iterator[QualityEvent]:
    """Give the events of a file of this ``kind``; they last as long as what the file tells of."""
    facts = found.facts
    times = [sample.at for sample in facts.samples] + [run.slot for run in facts.runs]
    if not times:
        return
    first, last = min(times), max(times)
    for event in surprises(sample_table(facts.samples), now):
        yield replace(event, until=max(last, event.at))
    subjects = sorted({run.endpoint for run in facts.runs} | {sample.component for sample in facts.samples})
    for warning in found.warnings:
        yield QualityEvent(
            event_id=event_id(QualityKind.IMPORT_WARNING, site, kind, warning, *subjects, first.isoformat()),
            told_at=now,
            at=first,
            until=last,
            site=site,
            kind=QualityKind.IMPORT_WARNING,
            subject=subjects[0] if len(subjects) == 1 else kind,
            detail=detail(warning),
        )
