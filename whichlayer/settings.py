"""One file, ``whichlayer.yaml``, for everything: which sections it has and how it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from analysis.alerting.settings import AlertSettings
from analysis.settings import AnalysisSettings
from collector.document import Document, load_tree, place, read
from collector.model.errors import ConfigError, Mistake
from collector.settings import CollectorSettings
from dashboards.settings import PagesSettings
from probes.agent.settings import AgentSettings
from probes.journey.use import Name

DEFAULT = Path("whichlayer.yaml")


class Settings(Document):
    """The whole file. A machine that only runs an agent needs no other section."""

    site: Name = Field(description="name of the organisation or location whose data stay together")
    collector: CollectorSettings = Field(default=CollectorSettings(), description="what `whichlayer up` serves")
    agent: AgentSettings | None = Field(default=None, description="what the endpoint on this machine does")
    analysis: AnalysisSettings = Field(default=AnalysisSettings(), description="how conclusions are drawn")
    alerts: AlertSettings | None = Field(default=None, description="who is told of what; without it nobody")
    pages: PagesSettings = Field(default=PagesSettings(), description="how the pages show them")


@dataclass(frozen=True, slots=True)
class Places:
    """Knows where each key of a configuration file stands."""

    file: Path
    tree: Any

    def mistake(self, location: Sequence[str | int], message: str) -> Mistake:
        """Say what is wrong in the agent section at ``location``, at the nearest key there is."""
        return self.at(location, f"agent: {message}")

    def at(self, location: Sequence[str | int], message: str) -> Mistake:
        """Say what is wrong at ``location``, at the nearest key there is."""
        line, column = place(self.tree, location)
        return Mistake(file=str(self.file), line=line, column=column, message=message)

    def of_settings(self, location: Sequence[str | int], errors: ConfigError) -> list[Mistake]:
        """Give the mistakes of a plug-in's settings the file they stand in; what is absent stands at ``location``."""
        where = ".".join(map(str, location))
        outer = [self.at(location, f"{where}.{inner.message}") for inner in errors.mistakes]
        return [
            replace(mistake, line=inner.line, column=inner.column) if inner.line > 1 else mistake
            for mistake, inner in zip(outer, errors.mistakes, strict=True)
        ]


def load(path: Path) -> Settings:
    """Read the file; its paths become absolute, from its folder. Raises ConfigError with every mistake."""
    settings = read(path, Settings)
    folder = path.absolute().parent
    agent = None if settings.agent is None else settings.agent.beside(folder)
    alerts = None if settings.alerts is None else settings.alerts.beside(folder)
    changed = {"collector": settings.collector.beside(folder), "agent": agent, "alerts": alerts}
    return settings.model_copy(update=changed)


def places(path: Path) -> Places:
    """Read the file again for the places of its keys. Raises ConfigError."""
    return Places(path, load_tree(path.read_text(encoding="utf-8"), path))


def agent_of(path: Path) -> tuple[Settings, AgentSettings]:
    """Read the file and insist on its agent section. Raises ConfigError."""
    settings = load(path)
    if settings.agent is None:
        message = "has no agent section: say which endpoint this is and what it walks"
        raise ConfigError([Mistake(file=str(path), line=1, column=1, message=message)])
    return settings, settings.agent
