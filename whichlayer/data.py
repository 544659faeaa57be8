"""The store and the registry for a command: through the owner when one runs, else opened here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from analysis.settings import AnalysisSettings
from collector.model.errors import WhichlayerError
from collector.registry import Registry
from collector.settings import CollectorSettings
from collector.store import Keep, Store
from whichlayer.owner import OPERATOR, find, owning
from whichlayer.settings import load


def chosen(config: Path, data: Path | None) -> tuple[CollectorSettings, AnalysisSettings]:
    """Give the settings of ``config``, or usual ones when there is only a folder ``data``. Raises ConfigError."""
    if data is not None and not config.exists():
        return CollectorSettings(data=data.absolute()), AnalysisSettings()
    settings = load(config)
    collector = settings.collector
    if data is not None:
        collector = collector.model_copy(update={"data": data.absolute()})
    return collector, settings.analysis


@contextmanager
def opened(settings: CollectorSettings) -> Iterator[tuple[Store, Registry]]:
    """Give store and registry of ``settings.data`` while the block runs, and close them.

    Raises WhichlayerError when the owner cannot be used from here.
    """
    owner = find(settings.data)
    if owner is not None:
        yield from _remote(settings, owner.url)
        return
    with owning(settings.data):
        store, registry = local(settings)
        try:
            yield store, registry
        finally:
            store.close()
            registry.close()


def local(settings: CollectorSettings) -> tuple[Store, Registry]:
    """Open store and registry of ``settings.data`` in this process, which must own the folder."""
    from collector.registries.database import DatabaseRegistry
    from collector.stores.lake import LakeStore

    registry = DatabaseRegistry(f"sqlite:///{settings.data / 'registry.sqlite'}")
    try:
        store = LakeStore(
            settings.data, keep=_kept(settings), spool_limit_bytes=settings.spool_bytes, flush_seconds=None
        )
    except BaseException:
        registry.close()
        raise
    return store, registry


def _kept(settings: CollectorSettings) -> Keep:
    def period(seconds: float | None) -> timedelta | None:
        return None if seconds is None else timedelta(seconds=seconds)

    return Keep(rows=period(settings.keep), rollups=period(settings.keep_rollups), pinned=period(settings.keep_pinned))


def _remote(settings: CollectorSettings, url: str) -> Iterator[tuple[Store, Registry]]:
    from collector.registries.remote import RemoteRegistry
    from collector.stores.remote import RemoteStore

    token = _token(settings.data)
    certificate = settings.tls.certificate if settings.tls else None
    store = RemoteStore(url, token, certificate=certificate)
    registry = RemoteRegistry(url, token, certificate=certificate)
    try:
        yield store, registry
    finally:
        store.close()
        registry.close()


def _token(data: Path) -> str:
    try:
        return (data / OPERATOR).read_text(encoding="ascii").strip()
    except OSError as error:
        raise WhichlayerError(
            f"{data / OPERATOR} cannot be read ({error.strerror}): run this as the user that runs whichlayer up"
        ) from None
