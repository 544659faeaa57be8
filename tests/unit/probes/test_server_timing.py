import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model.run import Phase
from probes.drivers.http.server_timing import parse


@pytest.mark.parametrize(
    ("header", "phases"),
    [
        (["app;dur=12.5, db;dur=3"], {Phase.SERVER_APP: 0.0125, Phase.SERVER_DB: 0.003}),
        (['db;desc="a, b;dur=99";dur=2', "disk;dur=1"], {Phase.SERVER_DB: 0.002, Phase.SERVER_STORAGE: 0.001}),
        (["sql;dur=1, database;dur=2, ext;dur=4"], {Phase.SERVER_DB: 0.003, Phase.SERVER_EXTERNAL: 0.004}),
        (["total;dur=10, db;dur=4"], {Phase.SERVER_APP: 0.006, Phase.SERVER_DB: 0.004}),
        (["total;dur=10, app;dur=4"], {Phase.SERVER_APP: 0.004}),
        (["total;dur=1, db;dur=4"], {Phase.SERVER_APP: 0.0, Phase.SERVER_DB: 0.004}),
        (["cache;desc=hit, app, db;dur=x, storage;dur=1.2.3, cpu;dur=4"], {}),
        ([], {}),
    ],
)
def test_headers_as_phases(header: list[str], phases: dict[Phase, float]) -> None:
    assert parse(header) == pytest.approx(phases)


@given(st.lists(st.text()))
def test_no_header_does_harm(header: list[str]) -> None:
    assert all(seconds >= 0 for seconds in parse(header).values())
