"""The collector's web application: every door of ``collector/api/`` around one store and one registry."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from collector import mapping
from collector.api import (
    accounts,
    changes,
    decoders,
    enrolment,
    facts,
    health,
    otlp,
    remote_write,
    runs,
    samples,
    sessions,
    verdicts,
)
from collector.api import registry as registry_door
from collector.api.doors import Doors, utc_now
from collector.api.frame import Frame
from collector.api.problem import Problem
from collector.api.refusal import handler
from collector.api.workers import Workers
from collector.model.errors import WhichlayerError
from collector.registry import Registry
from collector.settings import CollectorSettings, RemoteWriteSettings
from collector.store import Store

_FACTS = (facts, remote_write, otlp, runs, sessions, samples, changes)  # the busy ones first: doors are tried in order
_MODULES = (*_FACTS, enrolment, accounts, verdicts, registry_door, health)
_SETTLED_SECONDS = 3.0
_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457 problem details",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "where in the body, the path or the query"},
    },
}


def create(
    *,
    store: Store,
    registry: Registry,
    settings: CollectorSettings,
    site: str = "default",
    behind_proxy: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Make the application. ``site`` names OTLP data; ``behind_proxy`` says that peers are not who asks.

    The store and the registry stay the caller's: closing the application closes neither. Raises ConfigError
    when a mapping of remote write cannot be used.
    """
    pool = Workers(settings.decoders, _prepared(settings.remote_write, site))
    doors = Doors(store=store, registry=registry, settings=settings, site=site, decoders=pool, clock=clock)
    app = FastAPI(
        title="whichlayer collector",
        summary="Facts in, over HTTP. Every error is a problem document (RFC 9457).",
        version="1",
        lifespan=_lifespan(pool, doors.writers),
        docs_url=None,  # its page loads scripts from another site
        redoc_url=None,
    )
    app.state.doors = doors
    app.state.behind_proxy = behind_proxy
    for module in _MODULES:
        app.include_router(module.ROUTER)
    for error in (Problem, ValidationError, RequestValidationError, WhichlayerError, HTTPException):
        app.add_exception_handler(error, handler)
    app.add_middleware(Frame, meters=doors.meters, room=doors.room)
    setattr(app, "openapi", partial(_openapi, app))  # noqa: B010  the framework's way; mypy sees a method
    return app


def _prepared(told: RemoteWriteSettings, site: str) -> Callable[[], None]:
    """Read the mappings once, for every worker process. Raises ConfigError."""
    mappings = mapping.load(mapping.shipped() if told.mappings is None else told.mappings, Path())
    return partial(decoders.prepare, mappings, dict(told.components), site)


def _lifespan(pool: Workers, writers: Executor) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        warm = asyncio.create_task(_warm(pool))
        try:
            yield
        finally:
            warm.cancel()
            pool.shutdown()
            writers.shutdown()

    return lifespan


async def _warm(pool: Workers) -> None:
    """Start the worker processes before their first body comes, and after whatever is waited for at the start."""
    await asyncio.sleep(_SETTLED_SECONDS)
    pool.start(decoders.ready)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Describe all doors, with the schemas of bodies that are validated outside the framework."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for path in schema["paths"].values():
        for operation in path.values():
            schemas.update(operation.pop("x-definitions", {}))
    schemas["Problem"] = _PROBLEM
    schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    for open_door in ("/v1/enrol", "/healthz", "/readyz"):
        for operation in schema["paths"][open_door].values():
            operation["security"] = []
    app.openapi_schema = schema
    return schema
