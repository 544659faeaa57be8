"""How every process of whichlayer writes its log: to stderr, as JSON unless a person is looking, or to a file."""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from collector.model.errors import WhichlayerError
from collector.secret import hide

_LOG_BYTES = 1 << 20  # and as much of the file before it


def configure(*, verbose: bool = False, file: Path | None = None) -> None:
    """Set up structlog and the standard library's logging to write the same lines, to stderr or to ``file``.

    Tracebacks never show the values of variables: one of them may be a secret.
    """
    handler = _handler(file)
    person = file is None and sys.stderr.isatty()
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
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _hidden,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("whichlayer").setLevel(logging.DEBUG if verbose else logging.INFO)
    for quiet in ("apscheduler", "alembic", "httpx2", "uvicorn.access"):
        logging.getLogger(quiet).setLevel(logging.WARNING)


@contextmanager
def failure_is_logged() -> Iterator[None]:
    """Log why the tool failed as well: without a console, what is printed to stderr reaches nobody."""
    try:
        yield
    except WhichlayerError as error:
        if sys.stderr is None:
            structlog.get_logger("whichlayer").error("could not go on", reason=str(error))
        raise


def _handler(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(file, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")


def _hidden(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    return {key: _without_secrets(value) for key, value in event.items()}


def _without_secrets(value: Any) -> Any:  # noqa: ANN401  a log line may hold anything
    if isinstance(value, Mapping):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return hide(str(value))
