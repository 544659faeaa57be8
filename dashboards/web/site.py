"""Puts the pages on the collector's application."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, FastAPI

from collector.registry import Registry
from collector.store import Store
from dashboards.settings import PagesSettings
from dashboards.web.guard import Assets, PageRoute, reader
from dashboards.web.pages import (
    alerts,
    conclusions,
    downloads,
    drops,
    edges,
    errors,
    estate,
    overview,
    quality,
    run,
    why,
)
from dashboards.web.view import STATIC, View


def mount(
    app: FastAPI,
    *,
    store: Store,
    registry: Registry,
    settings: PagesSettings | None = None,
    banner: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Add the pages, their data as JSON and CSV, and the static files.

    ``banner`` is shown on every page, in place of the settings' one. Handlers are plain
    functions: the framework runs them, and with them every store call, in its threads.
    """
    chosen = settings or PagesSettings()
    view = View(store=store, registry=registry, settings=chosen, banner=banner or chosen.banner, now=now)
    router = APIRouter(route_class=PageRoute, dependencies=[Depends(reader(registry))])
    for page in (overview, why, alerts, drops, edges, estate, errors, quality, run, conclusions, downloads):
        page.add(router, view)
    app.state.pages = view
    app.include_router(router)
    app.mount("/static", Assets(directory=STATIC), name="static")
