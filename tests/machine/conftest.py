"""One world of the lab for all files that make faults in it: building it takes a quarter of a minute."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.lab.namespace import LabError
from deploy.lab.world import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    try:
        built = World.build()
    except LabError as error:
        pytest.skip(str(error))
    with closing(built):
        yield built
