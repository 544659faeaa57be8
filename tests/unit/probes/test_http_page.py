import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.drivers._uncertainty import clock_resolution_ns, wake_up_ns
from probes.drivers.http.forms import Html
from probes.drivers.http.page import Page, at_path, find
from probes.error_text import LENGTH, short
from probes.journey.request import AuthenticationFailure, Capture

PAGE = """
<html><head><meta name="csrf" content="m1"></head><body>
<form><input type=hidden name="csrf_token" value="a&amp;b"><input name=empty>
<input name="csrf_token" value="second"></form>
<a href="/cases/7">Smith,
   <b>John</b></a> <a href='print?x=1&amp;y=2'>Print</a> <a name=anchor>none</a>
"""


def page(body: bytes, charset: str = "utf-8", status: int = 200) -> Page:
    return Page(
        url=httpx2.URL("http://cases.example/cases/7/"),
        status=status,
        headers=httpx2.Headers({"X-Release": "3.58"}),
        body=body,
        charset=charset,
    )


def found(capture: dict[str, object]) -> str | None:
    return find(page(PAGE.encode()), Capture.model_validate(capture), str)


@pytest.mark.parametrize(
    ("capture", "value"),
    [
        ({"form_field": "csrf_token"}, "a&b"),
        ({"form_field": "empty"}, ""),
        ({"form_field": "csrf"}, "m1"),
        ({"form_field": "nothing"}, None),
        ({"link": {"text": "Smith, John"}}, "http://cases.example/cases/7"),
        ({"link": {"href": "print"}}, "http://cases.example/cases/7/print?x=1&y=2"),
        ({"link": {"href": "print", "text": "Smith"}}, None),
        ({"regex": r"/cases/(\d+)"}, "7"),
        ({"regex": r"/cases/\d+"}, "/cases/7"),
        ({"regex": "absent"}, None),
        ({"header": "x-release"}, "3.58"),
        ({"json": "a"}, None),
    ],
)
def test_captures(capture: dict[str, object], value: str | None) -> None:
    assert found(capture) == value


def test_words_are_found_however_html_writes_them() -> None:
    assert page(b"<p>O&#39;Brien &amp; Co</p>").shows("O'Brien & Co")
    assert page("Grüße".encode("latin-1"), "latin-1").shows("Grüße")
    assert page(b"x", "no-such-charset").shows("x")
    assert not page(b"nothing").shows("O'Brien")


def test_a_refused_sign_in_is_a_status_or_a_text() -> None:
    failure = AuthenticationFailure.model_validate({"status": 401, "text": "wrong password"})
    assert page(b"", status=401).refuses_sign_in(failure)
    assert page(b"Sorry: wrong password").refuses_sign_in(failure)
    assert not page(b"welcome", status=403).refuses_sign_in(failure)


@pytest.mark.parametrize(
    ("path", "value"),
    [("a.0.b", "x"), ("a.1", "2"), ("n", "null"), ("t", "true"), ("a.2", None), ("a.b", None), ("z", None)],
)
def test_dotted_paths(path: str, value: str | None) -> None:
    assert at_path({"a": [{"b": "x"}, 2], "n": None, "t": True}, path) == value


@given(st.text())
def test_no_page_does_harm(text: str) -> None:
    Html(text)


def test_the_uncertainty_is_measured_on_this_machine() -> None:
    assert 0 < clock_resolution_ns() < 1_000_000
    assert 0 < wake_up_ns() < 1_000_000_000


@given(st.text())
def test_errors_are_short_and_on_one_line(text: str) -> None:
    kept = short(text)
    assert len(kept) <= LENGTH
    assert len(kept.splitlines()) <= 1
