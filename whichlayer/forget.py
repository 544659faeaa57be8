"""Removes a site: its facts from the store, its names and reasons from the registry, what sources remember of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collector.model.errors import WhichlayerError
from collector.registry import Registry, Removed
from collector.store import Forgotten, Store
from whichlayer.owner import find

Tell = Callable[[str], None]  # what is being done


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What went, or would go without ``done``; ``memories`` are files of sources that read for the site."""

    site: str
    done: bool
    facts: Forgotten
    rest: Removed
    memories: Sequence[Path]

    def as_json(self) -> dict[str, Any]:
        """Give it for machines."""
        return {
            "site": self.site,
            "removed": self.done,
            "rows": dict(self.facts.rows),
            "bytes": self.facts.bytes,
            "snapshots": self.facts.snapshots,
            "verdicts": self.rest.verdicts,
            "changes": self.rest.changes,
            "maps": self.rest.maps,
            "memories": [path.name for path in self.memories],
        }


def look(store: Store, registry: Registry, data: Path, site: str, *, now: datetime) -> Gone:
    """Say what would go."""
    facts = store.forget(site, dry_run=True)
    rest = registry.forget(site, now=now, dry_run=True)
    return Gone(site=site, done=False, facts=facts, rest=rest, memories=memories(data, site))


def forget(store: Store, registry: Registry, data: Path, site: str, *, now: datetime, tell: Tell) -> Gone:
    """Remove it; ended half-way, doing it again ends it. Raises WhichlayerError when a running source reads for it.

    Facts go first: what is concluded beside it names a snapshot that is gone then, and is not kept.
    """
    remembered = memories(data, site)
    if remembered and find(data) is not None:
        raise WhichlayerError(
            f"a source of the running collector reads for {site} and remembers what it told ({remembered[0].name}): "
            "take it out of collector.sources, stop whichlayer up, and do this again"
        )
    tell("facts: writing files without them")
    facts = store.forget(site)
    tell("verdicts, changes and maps")
    rest = registry.forget(site, now=now)
    for path in remembered:
        path.unlink(missing_ok=True)
    return Gone(site=site, done=True, facts=facts, rest=rest, memories=remembered)


def memories(data: Path, site: str) -> list[Path]:
    """Find what sources wrote down of the site, with the files that belong to it."""
    name = json.dumps(site, ensure_ascii=False).encode()
    files = sorted(path for path in (data / "sources").glob("*") if path.is_file())
    stems = {path.name.split(".sqlite")[0] for path in files if name in path.read_bytes()}
    return [path for path in files if path.name.split(".sqlite")[0] in stems]
