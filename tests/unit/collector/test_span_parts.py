"""Seconds of one process's spans: nested ones are not counted twice, parallel ones never exceed their parent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.api.span_parts import Part, Piece, divide

SECOND = 10**9


def piece(number: int, parent: int, part: Part, start: float, end: float, *, entry: bool = False) -> Piece:
    return Piece(bytes([number]), bytes([parent]), part, round(start * SECOND), round(end * SECOND), entry)


def seconds(*pieces: Piece) -> tuple[float | None, list[float]]:
    whole, parts = divide(pieces)
    return whole, [round(parts[part], 6) for part in Part]


ENTRY = piece(1, 0, Part.APP, 0, 10, entry=True)


def test_a_nested_span_takes_its_time_from_the_one_around_it() -> None:
    driver = piece(2, 1, Part.DATABASE, 2, 6)
    inner = piece(3, 2, Part.DATABASE, 3, 5)
    call = piece(4, 1, Part.EXTERNAL, 7, 8)
    assert seconds(inner, driver, call, ENTRY) == (10.0, [5.0, 4.0, 0.0, 1.0])


def test_spans_beside_each_other_share_the_time_there_was() -> None:
    both = [piece(2, 1, Part.DATABASE, 2, 6), piece(3, 1, Part.EXTERNAL, 2, 6), piece(4, 1, Part.DATABASE, 2, 6)]
    whole, parts = seconds(ENTRY, *both)
    assert whole == 10.0
    assert parts == pytest.approx([6.0, 8 / 3, 0.0, 4 / 3])


def test_what_goes_on_after_the_answer_is_nobodys_waiting() -> None:
    assert seconds(ENTRY, piece(2, 1, Part.DATABASE, 9, 30)) == (10.0, [9.0, 1.0, 0.0, 0.0])


def test_without_the_span_that_took_the_request_the_whole_is_not_known() -> None:
    assert seconds(piece(2, 1, Part.DATABASE, 2, 6)) == (None, [0.0, 4.0, 0.0, 0.0])


def test_a_request_that_was_recorded_twice_is_one() -> None:
    again = piece(5, 0, Part.APP, 1, 11, entry=True)  # a library's span beside the framework's, of the same caller
    of_first, of_second = piece(2, 1, Part.DATABASE, 2, 6), piece(3, 5, Part.EXTERNAL, 7, 8)
    first = ENTRY, again
    for entries in (first, first[::-1]):
        told = [piece(one.span_id[0], 9, one.part, one.start / SECOND, one.end / SECOND, entry=True) for one in entries]
        assert seconds(of_first, *told, of_second) == (11.0, [6.0, 4.0, 0.0, 1.0])


def test_one_caller_that_asks_again_has_two_requests() -> None:
    first, second = (piece(number, 9, Part.APP, start, start + 2, entry=True) for number, start in ((1, 0), (2, 5)))
    assert seconds(first, second, piece(3, 2, Part.DATABASE, 5, 6)) == (4.0, [3.0, 1.0, 0.0, 0.0])


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Part), st.integers(0, 99), st.integers(0, 99)), max_size=9)
)
def test_parts_add_up_to_the_whole(drawn: list[tuple[int, Part, int, int]]) -> None:
    others = [
        piece(number, parent, part, min(a, b), max(a, b)) for number, (parent, part, a, b) in enumerate(drawn, start=2)
    ]
    whole, parts = divide([piece(1, 0, Part.APP, 10, 60, entry=True), *others])
    assert whole == 50.0
    assert sum(parts.values()) == pytest.approx(50.0)
    assert min(parts.values()) >= 0.0
