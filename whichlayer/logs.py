"""How every process of whichlayer writes its log: to stderr, as JSON unless a person is looking."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from collector.secret import hide


def configure(*, verbose: bool = False) -> None:
    """Set up structlog and the standard library's logging to write the same lines.

    Tracebacks never show the values of variables: one of them may be a secret.
    """
    person = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if person
        else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last = [renderer] if person else [structlog.processors.format_exc_info, _hidden, renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("whichlayer").setLevel(logging.DEBUG if verbose else logging.INFO)
    for quiet in ("apscheduler", "alembic", "httpx2", "uvicorn.access"):
        logging.getLogger(quiet).setLevel(logging.WARNING)


def _hidden(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    return {key: hide(value) if isinstance(value, str) else value for key, value in event.items()}
