"""Drafts a journey for an application nobody described: signs in once, looks around, writes down the way.

It only reads: the one form it sends is the sign-in. What it could not find is said in ``notes``, so
that the person who edits the file knows what to add.
"""

import re
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import truststore

from collector.model.errors import WhichlayerError
from whichlayer.page import Form, Input, Page, read, same_site

SIGNED_IN = ("Logout", "Log out", "Log Out", "Sign out", "Sign Out", "Abmelden", "Déconnexion")
REFUSED = ("Invalid login", "Invalid username or password", "Incorrect username or password", "Login failed")
_TOKEN = re.compile(r"csrf|token|nonce|viewstate|verification", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A journey file's content, and what the person should know about it."""

    journey: dict[str, Any]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person said: where, as whom, what to look for, and which record may be written to."""

    url: str
    username: str
    password: str
    search: str
    safe_record: str | None = None


def client() -> httpx.Client:
    """Open a client with the system's trust store that keeps cookies and follows redirects, as a browser does."""
    trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(verify=trust, follow_redirects=True, timeout=30, headers={"User-Agent": "whichlayer init"})


def draft(wish: Wish, client: httpx.Client) -> Draft:
    """Look at the application and draft its journey. Raises WhichlayerError when it cannot sign in."""
    made = Draft(journey=_frame(wish))
    steps = made.journey["steps"]
    landing = _sign_in(wish, client, steps)
    form = landing.search_form()
    if form is None:
        made.notes.append("no search form was found after signing in: add a search step by hand")
        return made
    results, results_url = _search(form, wish.search, client)
    steps.append(_step("search", [_search_request(form, "{search}")]))
    pattern = _record_pattern(landing, results, results_url, wish.search)
    if pattern is None:
        made.notes.append(f"searching for {wish.search!r} gave no link to a record: change search, or add an open step")
        return made
    steps.append(_step("open", [{"path": "{record}", "expect": {"status": 200}}]))
    steps[-2]["requests"][0]["capture"] = {"record": {"link": {"href": pattern}}}
    if wish.safe_record is not None:
        _add_save(wish, form, pattern, client, made)
    return made


def _frame(wish: Wish) -> dict[str, Any]:
    parts = urlsplit(wish.url)
    variables = {"base_url": f"{parts.scheme}://{parts.netloc}", "search": wish.search}
    if wish.safe_record is not None:
        variables["safe_record"] = wish.safe_record
    return {
        "name": "first-journey",
        "description": "Drafted by whichlayer init: make it what your users do all day.",
        "variables": variables,
        "secrets": {"username": None, "password": None},
        "steps": [],
    }


def _sign_in(wish: Wish, client: httpx.Client, steps: list[dict[str, Any]]) -> Page:
    answer = _fetch(client, "GET", wish.url)
    form = read(answer.text, str(answer.url)).sign_in_form()
    if form is None:
        raise WhichlayerError(
            f"{wish.url} shows no form that asks for a password: give the address of the sign-in page"
        )
    name = form.first("text", "email")
    secret = form.first("password")
    if name is None or secret is None:
        raise WhichlayerError(f"the sign-in form of {wish.url} asks for no user name: describe the step by hand")
    given = {one.name: one.value for one in form.inputs} | {name.name: wish.username, secret.name: wish.password}
    after = _fetch(client, "POST", form.action, data=given)
    page = read(after.text, str(after.url))
    word = next((word for word in SIGNED_IN if word.lower() in page.words.lower() and word in page.words), None)
    if word is None and page.sign_in_form() is not None:
        raise WhichlayerError(
            "the sign-in was refused, or led back to the sign-in form: check both secrets, then again"
        )
    shown = {one.name: _placeholder(one) for one in form.inputs} | {name.name: "{username}", secret.name: "{password}"}
    first = {"path": _path(wish.url), "expect": {"status": 200}, "capture": _captures(form)}
    second = {"method": "POST", "path": _path(form.action), "form": shown}
    second["expect"] = {"status": 200} | ({"text": word} if word else {"not_text": 'type="password"'})
    step = _step("login", [first, second], target="2 s")
    step |= {"sign_in": True, "connection": "new"}
    step["authentication_failure"] = {"status": [401, 403], "text": list(REFUSED)}
    steps.append(step)
    return page


def _search(form: Form, words: str, client: httpx.Client) -> tuple[Page, str]:
    one = form.first("text", "search")
    assert one is not None
    query = {each.name: each.value for each in form.inputs} | {one.name: words}
    answer = _fetch(client, "GET", form.action, params=query)
    return read(answer.text, str(answer.url)), str(answer.url)


def _search_request(form: Form, words: str) -> dict[str, Any]:
    one = form.first("text", "search")
    assert one is not None
    query = {each.name: _literal(each.value) for each in form.inputs} | {one.name: words}
    return {"path": _path(form.action), "query": query, "expect": {"status": 200}}


def _record_pattern(landing: Page, results: Page, url: str, words: str) -> str | None:
    """Describe the links to records: those that show the searched words, else those the search added.

    A number in an address is the record's; the pattern fits any number.
    """
    here = [link for link in results.links if same_site(link.href, url)]
    known = {link.href for link in landing.links}
    named = [link.href for link in here if words.lower() in link.words.lower()]
    added = [link.href for link in here if link.href not in known]
    for hrefs in (named, added):
        shapes = Counter(re.sub(r"\d+", r"\\d+", re.escape(re.split("[?#]", href)[0])) for href in hrefs)
        for shape, _ in shapes.most_common():
            if r"\d+" in shape:
                return f"(^|/){shape.lstrip('/')}$"
    return None


def _add_save(wish: Wish, search: Form, pattern: str, client: httpx.Client, made: Draft) -> None:
    assert wish.safe_record is not None
    found, url = _search(search, wish.safe_record, client)
    hrefs = (link.href for link in found.links if wish.safe_record in link.words or re.search(pattern, link.href))
    link = next((href for href in hrefs if same_site(href, url)), None)
    answer = _fetch(client, "GET", str(httpx.URL(url).join(link))) if link else None
    page = read(answer.text, str(answer.url)) if answer else None
    form = page.note_form() if page else None
    if answer is None or form is None or wish.safe_record not in answer.text:
        made.notes.append(
            f"no form to save a note was found on the record {wish.safe_record!r}: no save step was written"
        )
        return
    steps = made.journey["steps"]
    request = _search_request(search, "{safe_record}") | {
        "expect": {"status": 200, "text": "{safe_record}"},
        "capture": {"safe": {"link": {"href": pattern}}},
    }
    look = {"path": "{safe}", "expect": {"status": 200, "text": "{safe_record}"}, "capture": _captures(form)}
    steps.append(_step("find-safe-record", [request, look]))
    note = form.first("textarea")
    assert note is not None
    fields = {one.name: _placeholder(one) for one in form.inputs} | {note.name: "probe note {run_id}"}
    here = "{safe}" if _path(form.action) == _path(str(answer.url)) else _path(form.action)
    save = _step("save", [{"method": "POST", "path": here, "form": fields, "expect": {"status": 200}}], target="3 s")
    save |= {"action": "write", "safe_record": "{safe_record}"}
    save["verify_saved"] = {"path": "{safe}", "marker": "probe note {run_id}"}
    steps.append(save)


def _step(name: str, requests: list[dict[str, Any]], target: str = "2 s") -> dict[str, Any]:
    kept = [{key: value for key, value in request.items() if value != {}} for request in requests]
    return {"step": name, "target": target, "timeout": "30 s", "requests": kept}


def _fetch(client: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401  passed on
    try:
        answer = client.request(method, url, **more)
    except httpx.HTTPError as error:
        raise WhichlayerError(f"{url} cannot be reached: {error}") from None
    if answer.is_error:
        raise WhichlayerError(f"{answer.url} answered {answer.status_code}: check the address and the secrets")
    return answer


def _captures(form: Form) -> dict[str, Any]:
    return {_name(one): {"form_field": one.name} for one in _tokens(form)}


def _tokens(form: Form) -> Iterator[Input]:
    return (one for one in form.hidden if _is_token(one))


def _is_token(one: Input) -> bool:
    """Say whether a hidden value is likely to be another one at every visit."""
    long = len(one.value) >= 16 and any(char.isdigit() for char in one.value) and "/" not in one.value
    return bool(_TOKEN.search(one.name)) or (long and "," not in one.value)


def _placeholder(one: Input) -> str:
    return f"{{{_name(one)}}}" if one.kind == "hidden" and _is_token(one) else _literal(one.value)


def _name(one: Input) -> str:
    return "page_" + re.sub(r"[^a-z0-9]+", "_", one.name.lower()).strip("_")


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
