"""A batch survives its way through bytes, also from a version of the program that knew fewer columns."""

import pyarrow as pa
import pytest

from collector import tables
from collector.model.errors import RejectedBatch
from collector.stores._batch import Rows, decode, encode

ROWS = pa.Table.from_pylist([{"metric": "m", "value": -1.0, "labels": "{}"}], tables.SAMPLES)


def test_a_batch_comes_back_as_it_was() -> None:
    sent = Rows(batch_id="a:1", sender="a", tables={"samples": ROWS, "steps": tables.STEPS.empty_table()})
    back = decode(encode(sent))
    assert (back.batch_id, back.sender, len(back)) == ("a:1", "a", 1)
    assert {name: rows.equals(sent.tables[name]) for name, rows in back.tables.items()} == {
        "samples": True,
        "steps": True,
    }


def test_columns_an_earlier_version_did_not_know_are_absent_not_zero() -> None:
    old = Rows(batch_id="a:1", sender="a", tables={"samples": ROWS.drop_columns(["period_seconds"])})
    assert decode(encode(old)).tables["samples"].equals(ROWS)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x05\x00\x00\x00nope!",
        b"\x02\x00\x00\x00{}",
        encode(Rows(batch_id="a:1", sender="a", tables={"samples": ROWS}))[:-30],
        encode(Rows(batch_id="a:1", sender="a", tables={"secrets": ROWS})),
    ],
)
def test_what_is_no_batch_is_refused(payload: bytes) -> None:
    with pytest.raises(RejectedBatch):
        decode(payload)
