"""A run that was timed from inside its session too is taken apart in another way than one that was not."""

import pandas as pd
import pytest

from analysis.methods.phases import LAYERS, WORDS
from analysis.parts import ACCOUNT, OUTSIDE, PARTS, split
from collector.model.layer import Layer


def rows(*taken: dict[str, float]) -> pd.DataFrame:
    columns = {name: pd.array([one.get(name) for one in taken], dtype="Float64") for name in (*OUTSIDE, *ACCOUNT)}
    seconds = [sum(one.values()) for one in taken]
    return pd.DataFrame(
        {
            "slot": pd.date_range("2026-03-02", periods=len(taken), freq="5s"),
            "outcome": "ok",
            "seconds": seconds,
            **columns,
        }
    )


def test_only_a_run_timed_from_inside_tells_the_way_from_the_session() -> None:
    found = split(rows({"display": 0.03, "processing": 0.3}, {"display": 0.33}, {"processing": 0.2}))
    assert [found.of(name).tolist() for name in ("path", "session", "display", "unsplit")] == [
        [0.03, 0.0, 0.0], [0.3, 0.0, 0.0], [0.0, 0.33, 0.0], [0.0, 0.0, 0.2],
    ]  # fmt: skip
    assert found.parts.sum(axis=1).tolist() == pytest.approx([0.33, 0.33, 0.2])


def test_the_session_is_behind_both_and_each_has_what_the_other_has_not() -> None:
    path, session = set(LAYERS["path"]), set(LAYERS["session"])
    assert Layer.REMOTE_SESSION in path & session
    assert Layer.ACCESS_NETWORK in path - session
    assert Layer.DATABASE in session - path
    assert set(LAYERS) == set(WORDS) == set(PARTS)


def test_a_run_that_lost_its_phases_or_the_server_s_account_is_left_out_where_most_have_them() -> None:
    told, untold = {"processing": 0.3, "server_app": 0.2}, {"processing": 0.3}
    nothing: dict[str, float] = {}
    assert len(split(rows(told, nothing, told))) == 2
    assert len(split(rows(nothing, nothing, told))) == 3
    assert len(split(rows(told, told, untold))) == 2
    assert len(split(rows(told, untold, untold))) == 3
    assert len(split(rows(untold, untold))) == 2
