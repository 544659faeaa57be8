"""Two at a time where that is honest: what starts real servers, or measures, has the machine's servers to itself."""

import pytest

_REAL = ("integration", "e2e", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests of real things in one worker, in order; calculations run beside them in the other."""
    for item in items:
        if any(item.get_closest_marker(name) for name in _REAL):
            item.add_marker(pytest.mark.xdist_group("machine"))
