"""What is the same in error texts groups them, what changes does not."""

import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model.error_pattern import pattern, template

NUMBERS = st.integers(0, 10**12).map(str) | st.floats(0, 1e6).map(lambda value: f"{value:.2f}")
IDENTIFIERS = st.uuids().map(str) | st.text("0123456789abcdef", min_size=8, max_size=40)
OPAQUE = NUMBERS | IDENTIFIERS | IDENTIFIERS.map(str.upper) | st.integers(0, 2**40).map(hex)
QUOTED = st.text(string.ascii_letters + string.digits + " .:/-<>", max_size=30).map(repr)
ADDRESSES = (
    st.ip_addresses(v=4).map(str)
    | st.tuples(st.ip_addresses(v=4), st.integers(1, 65535)).map(lambda pair: f"{pair[0]}:{pair[1]}")
    | st.sampled_from(
        ["localhost:8080", "https://cases.example.org/a/b?c=d", "db.example.net:5432", "probe@example.org"]
    )
)
# No word that could be a hexadecimal number, and none that introduces one.
WORDS = st.text("ghijklmnopqrstuvwxyz", min_size=1, max_size=12)
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_grouping_again_changes_nothing(text: str) -> None:
    assert template(template(text)) == template(text)


@settings(deadline=None)
@given(st.text("'\"` :.-/@[]()#‹›0123456789abcxyz…", max_size=60))
def test_grouping_again_changes_nothing_where_it_is_hard(text: str) -> None:
    assert template(template(text)) == template(text)


@pytest.mark.parametrize("changing", [OPAQUE, QUOTED, ADDRESSES], ids=["identifiers", "quoted", "addresses"])
@settings(deadline=None)
@given(data=st.data(), before=SENTENCES, after=SENTENCES)
def test_texts_that_differ_only_in_what_changes_are_one_kind(
    changing: st.SearchStrategy[str], data: st.DataObject, before: str, after: str
) -> None:
    one, other = (f"{before} {data.draw(changing)} {after}" for _ in range(2))
    assert template(one) == template(other)
    assert pattern("expect", one).id == pattern("expect", other).id


@settings(deadline=None)
@given(SENTENCES, SENTENCES, OPAQUE)
def test_different_texts_stay_different(one: str, other: str, number: str) -> None:
    assert (template(f"{one} {number}") == template(f"{other} {number}")) == (one == other)


@settings(deadline=None)
@given(SENTENCES, st.text(" \t\n", min_size=1))
def test_how_a_text_is_spaced_does_not_matter(text: str, space: str) -> None:
    assert template(text.replace(" ", space)) == template(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the answer does not contain 'Smith, John'", "the answer does not contain ‹text›"),
        ("the answer does not contain 'a text that was cu…", "the answer does not contain ‹text›"),
        ("it isn't the printer's fault", "it isn't the printer's fault"),
        ("no end within 30 s, still waiting", "no end within # s, still waiting"),
        ("java.lang.NullPointerException at Case.java:12", "java.lang.NullPointerException at Case.java:#"),
        ("connect: localhost:4431 refused (10.0.0.1, 443)", "connect: ‹address› refused (‹address›, #)"),
        ("2026-11-23T10:42:00Z lock of CASE-2026-0012", "# lock of CASE-#-#"),
    ],
)
def test_what_is_left_of_a_text(text: str, expected: str) -> None:
    assert template(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("answered 404", "answered 503"),
        ("[Errno 104] reset", "[Errno 111] reset"),
        ("ORA-00942: no", "ORA-01017: no"),
        ("SQLSTATE 42P01", "SQLSTATE 57014"),
        ("failed with 0x80070005", "failed with 0x80004005"),
    ],
)
def test_codes_that_say_what_went_wrong_are_kept(one: str, other: str) -> None:
    assert template(one) != template(other)


@pytest.mark.parametrize("unit", ["a1", " '", "a.", "a@", "ab-", "[:", "1.", "a+.-", "_"])
def test_a_text_made_to_be_hard_takes_no_time(unit: str) -> None:
    began = time.perf_counter()
    template(unit * 2000)
    assert time.perf_counter() - began < 2


def test_the_name_of_a_pattern_never_changes() -> None:
    assert pattern("expect", "the answer does not contain 'x'").id == "e2daa620"
    assert pattern("status", "gone").id != pattern("reset", "gone").id
    assert pattern("timeout", None).template == ""
