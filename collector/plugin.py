"""Folder = registry: every module in a plural folder is one implementation of its contract.

One that needs several files is a folder itself, with its ``PLUGIN`` in ``plugin.py``.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from collector.model.errors import PluginError

T = TypeVar("T")


def names(package: ModuleType) -> tuple[str, ...]:
    """Name the plug-ins of ``package`` without importing them."""
    found = (module.name for module in iter_modules(package.__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def load(package: ModuleType, name: str, kind: type[T]) -> T:
    """Import one plug-in; only what is configured is loaded, so its libraries stay optional.

    Raises PluginError when there is no such module, when a library it needs is not installed, or
    when its ``PLUGIN`` does not have the members of ``kind``.
    """
    if name not in names(package):
        raise PluginError(f"{name!r} is not one of {', '.join(names(package))}")
    try:
        module = import_module(f"{package.__name__}.{name}")
        if hasattr(module, "__path__"):
            module = import_module(f"{module.__name__}.plugin")
    except ModuleNotFoundError as missing:
        raise PluginError(f"{name!r} needs the package {missing.name!r}: install it and try again") from missing
    plugin = getattr(module, "PLUGIN", None)
    if not isinstance(plugin, kind):
        raise PluginError(f"{module.__name__} must define PLUGIN, a {kind.__name__}")
    return plugin
