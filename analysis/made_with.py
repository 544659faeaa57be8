"""What a conclusion was drawn with, beside its methods: settings that shape it, and versions of what computes."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from analysis.settings import AnalysisSettings
from collector.model.verdict import Setting

PACKAGES = ("whichlayer", "duckdb", "numpy", "pandas", "pyarrow")
_ELSEWHERE = {"interval_seconds", "references"}  # they say when and against what is analysed: each verdict says both


@lru_cache(maxsize=1)
def made_with() -> Mapping[str, str]:
    """Give the versions of Python and of the packages whose numbers enter a verdict."""
    return {"python": python_version(), **{name: _version(name) for name in PACKAGES}}


def shaping(settings: AnalysisSettings) -> Mapping[str, Setting]:
    """Give the settings that a conclusion depends on."""
    return settings.model_dump(exclude=_ELSEWHERE)


def as_then(settings: AnalysisSettings, then: Mapping[str, Setting] | None) -> AnalysisSettings:
    """Give the settings a verdict was drawn with, as far as they still exist; today's where it does not say."""
    known = {name: value for name, value in (then or {}).items() if name in AnalysisSettings.model_fields}
    return settings.model_copy(update=known)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
