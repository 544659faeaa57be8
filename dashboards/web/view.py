"""What every page is made with: the store and registry it reads, the clock it shows, its templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from collector.model.catalogue import CATALOGUE
from collector.model.verdict import Verdict
from collector.registry import Registry
from collector.store import Store
from dashboards import quantity, wording
from dashboards.clock import Clock, utc
from dashboards.settings import PagesSettings

HERE = Path(__file__).parent
LONGEST = timedelta(days=31)  # of a window that is asked for
STATIC = HERE / "static"


@dataclass(frozen=True, kw_only=True)
class View:
    """Shared by all pages; ``now`` gives the aware present and can be set in tests."""

    store: Store
    registry: Registry
    settings: PagesSettings
    banner: str | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    clock: Clock = field(init=False)
    templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock", Clock(zone=self.settings.zone()))
        object.__setattr__(self, "templates", self._environment())

    def page(self, request: Request, name: str, **data: object) -> HTMLResponse:
        """Render one template. Everything that is not markup is escaped."""
        now = self.now()
        text = self.templates.get_template(name).render(
            request=request,
            now=now,
            banner=self.banner,
            zone_name=self.clock.name(now),
            enhanced=(STATIC / "vendor" / "htmx.min.js").exists(),
            **data,
        )
        return HTMLResponse(text)

    def instant(self, text: str, what: str) -> datetime:
        """Read a time a person gave; without a zone it is local. Raises 400 with what to write."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise HTTPException(400, f"{what} must be a time such as 2026-11-23T10:42, not what was given.") from None
        if at.tzinfo is None:
            at = at.replace(tzinfo=self.clock.zone) if self.clock.zone else at.astimezone()
        return at

    def period(self, start: str, end: str, usual: timedelta) -> tuple[datetime, datetime]:
        """Read a window a person asked for; without an end it ends now, without a start it is ``usual``. Raises 400."""
        until = self.instant(end, "end") if end else self.now()
        since = self.instant(start, "start") if start else until - usual
        if not timedelta(0) < until - since <= LONGEST:
            raise HTTPException(400, f"The window must start before it ends and be at most {LONGEST.days} days long.")
        return since, until

    def _environment(self) -> Environment:
        made = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.globals.update(wording=wording, quantity=quantity, address=address, sentence=self.sentence)
        made.filters.update(
            when=self.when, exact=self.exact, ago=self.ago, minute=self.minute, sample_value=_sample_value, utc=_option
        )
        return made

    def sentence(self, verdict: Verdict) -> str:
        """Say a verdict in the site's time."""
        return wording.sentence(verdict, self.clock)

    def when(self, at: datetime) -> Markup:
        """Show a time short and local, with the exact UTC time in the title."""
        return _time(at, self.clock.short(at, near=self.now()))

    def exact(self, at: datetime) -> Markup:
        """Show a time to the second."""
        return _time(at, self.clock.exact(at))

    def minute(self, at: datetime) -> str:
        """Write a local time the way a form's field wants it."""
        return self.clock.local(at).strftime("%Y-%m-%dT%H:%M")

    def ago(self, at: datetime) -> Markup:
        """Show how long ago something was."""
        age = self.now() - at
        return _time(at, quantity.ago(age.total_seconds()) if age > -timedelta(seconds=1) else "in the future")


def address(path: str, **query: object) -> str:
    """Write a link inside the pages; what is None is left out, times become UTC."""
    given: Mapping[str, str] = {
        key: utc(value) if isinstance(value, datetime) else str(value)
        for key, value in query.items()
        if value is not None
    }
    return f"{path}?{urlencode(given)}" if given else path


def _sample_value(sample: Mapping[str, object]) -> str:
    known = CATALOGUE.get(str(sample["metric"]))
    value = sample["value"]
    return quantity.with_unit(value, known.unit if known else None) if isinstance(value, float) else "not known"


def _option(at: datetime) -> str:
    """Write a time the way the command line takes it: UTC, without a letter for the zone."""
    return utc(at).removesuffix("Z")


def _time(at: datetime, text: str) -> Markup:
    machine = utc(at)
    return Markup('<time datetime="{0}" title="{1} UTC">{2}</time>').format(
        machine, machine.replace("T", " ").rstrip("Z"), text
    )
