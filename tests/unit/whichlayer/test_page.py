"""A page's forms, links and words are read as a browser would send them."""

from hypothesis import given
from hypothesis import strategies as st

from whichlayer.page import read, same_site

PAGE = """
<title>Cases</title><script>var a = "Logout";</script>
<form action="show"><input name="@number"><input type=submit value=Show></form>
<form method=GET action="/cases"><input type="hidden" name="order" value="date"><input name="search_text"></form>
<form method="POST" action="/login">
  <input name="user"><input type="password" name="pass"><input type=hidden name=csrf value="t0k">
  <input type="checkbox" name="remember"><input type="checkbox" name="terms" checked value="yes">
</form>
<form method="post"><select name="state"><option value="1">a</option><option value="2" selected>b</option></select>
  <textarea name="note">old
text</textarea><input type="submit" name="save" value="Save"></form>
<a href="/cases/17">Case 17</a> <a href="https://elsewhere.example/">out</a> <a href="mailto:x@y">mail</a> Welcome
"""


def test_forms_are_found_by_what_they_are_for() -> None:
    page = read(PAGE, "http://app.example/start")
    sign_in, search, note = page.sign_in_form(), page.search_form(), page.note_form()
    assert sign_in is not None
    assert search is not None
    assert note is not None
    assert (sign_in.action, [one.name for one in sign_in.inputs]) == (
        "http://app.example/login",
        ["user", "pass", "csrf", "terms"],
    )
    assert [(one.name, one.value) for one in sign_in.hidden] == [("csrf", "t0k")]
    assert search.action == "http://app.example/cases"
    assert note.action == "http://app.example/start"
    assert [(one.name, one.kind, one.value) for one in note.inputs] == [
        ("state", "select", "2"),
        ("note", "textarea", "old\ntext"),
    ]


def test_links_and_words() -> None:
    page = read(PAGE, "http://app.example/start")
    assert [(link.href, link.words) for link in page.links if same_site(link.href, "http://app.example/start")] == [
        ("/cases/17", "Case 17")
    ]
    assert "Welcome" in page.words
    assert "Logout" not in page.words


def test_a_page_without_forms_offers_none() -> None:
    page = read("<p>Hello", "http://app.example/")
    assert (page.sign_in_form(), page.search_form(), page.note_form()) == (None, None, None)


@given(st.text(max_size=300))
def test_no_text_makes_it_crash(text: str) -> None:
    assert read(text, "http://app.example/").forms is not None
