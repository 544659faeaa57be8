"""Schemathesis knocks on every door with what OpenAPI allows: never a 5xx, never an answer that is not described."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.doors.knock import Collector, collector

pytestmark = pytest.mark.integration
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=4,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/vnd.apache.arrow.stream", "application/x-protobuf")
def as_it_is(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


def test_no_door_breaks(tmp_path: Path) -> None:
    with collector(tmp_path) as here:
        schema = schemathesis.openapi.from_asgi("/openapi.json", here.client.app)
        tried: list[str] = []
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            tried.append(operation.path)
            try:
                knocking(operation, here)()
            except FailureGroup as group:
                raise AssertionError(f"{operation.path}: {[str(one) for one in group.exceptions]}") from None
        assert len(set(tried)) >= 20


def knocking(operation: Any, here: Collector) -> Callable[[], None]:
    @FEW
    @given(case=operation.as_strategy())
    def knock(case: Any) -> None:
        case.call_and_validate(headers=here.as_operator(), checks=CHECKS)

    return knock
