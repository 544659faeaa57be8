"""What spans add to steps, and what they leave alone."""

from typing import Any

import pyarrow as pa
import pytest

from collector.server_account import ACCOUNT, with_spans
from collector.tables import SERVER_PARTS, STEPS

RUN = "a" * 32


def steps(*rows: dict[str, Any]) -> pa.Table:
    base = {"run_id": RUN, "seconds": 3.0, "processing": 2.0}
    return pa.Table.from_pylist([{"position": n} | base | row for n, row in enumerate(rows)], STEPS)


def parts(*rows: dict[str, Any]) -> pa.Table:
    base = {"run_id": RUN, "position": 0, "nested": False, "database": 0.0, "storage": 0.0, "external": 0.0}
    return pa.Table.from_pylist([base | row for row in rows], SERVER_PARTS)


def account(table: pa.Table, row: int = 0) -> list[float | None]:
    found = table.to_pylist()[row]
    return [None if found[name] is None else round(found[name], 6) for name in ACCOUNT]


def test_bodies_add_up_and_only_their_own_step_is_divided() -> None:
    found = with_spans(steps({}, {}, {"run_id": "b" * 32}), parts({"database": 0.5}, {"whole": 1.0, "database": 0.25}))
    assert account(found) == [0.25, 0.75, None, None]
    assert account(found, 1) == account(found, 2) == [None] * 4
    assert found["spans"].to_pylist() == [True, False, False]


def test_server_timing_wins() -> None:
    asked = steps({"server_app": 0.1})
    assert with_spans(asked, parts({"whole": 1.0})).equals(asked)


def test_a_called_service_comes_out_of_its_callers_waiting() -> None:
    caller, called = {"whole": 1.0, "external": 0.6}, {"whole": 0.5, "database": 0.4, "nested": True}
    assert account(with_spans(steps({}), parts(caller, called))) == [0.5, 0.4, None, 0.1]


def test_a_caller_that_did_not_say_it_waited_gives_of_its_own_time() -> None:
    called = {"whole": 0.5, "database": 0.4, "nested": True}
    assert account(with_spans(steps({}), parts({"whole": 1.0}, called))) == [0.6, 0.4, None, None]


def test_services_called_beside_each_other_share_what_was_waited() -> None:
    called = {"whole": 1.0, "database": 0.8, "nested": True}
    found = account(with_spans(steps({}), parts({"whole": 1.0, "external": 1.0}, called, called)))
    assert found == [0.2, 0.8, None, None]


def test_parts_are_held_to_what_the_probe_waited_or_to_the_duration_of_a_timeout() -> None:
    long = parts({"whole": 4.0, "database": 3.0})
    assert account(with_spans(steps({}), long)) == [0.5, 1.5, None, None]
    assert account(with_spans(steps({"processing": None}), long)) == [0.75, 2.25, None, None]


@pytest.mark.parametrize("row", [{"database": 0.5}, {"whole": 1.0, "nested": True}, {"position": 7, "whole": 1.0}])
def test_a_trace_without_the_span_that_took_the_request_divides_nothing(row: dict[str, Any]) -> None:
    asked = steps({})
    assert with_spans(asked, parts(row)).equals(asked)
    assert with_spans(asked, parts()).equals(asked)
