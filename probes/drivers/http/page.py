"""An answer, and what a journey asks of it: is it what was expected, which values does it hold."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

import httpx2

from probes.drivers.http.forms import Html
from probes.journey.request import AuthenticationFailure, Capture, Expect, Link

Fill = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Page:
    """The answer to a request after its redirects. ``body`` may be cut at the driver's limit."""

    url: httpx2.URL
    status: int
    headers: httpx2.Headers
    body: bytes
    charset: str

    @cached_property
    def text(self) -> str:
        """The body as text; bytes that are none are replaced."""
        try:
            return self.body.decode(self.charset, errors="replace")
        except LookupError:
            return self.body.decode("utf-8", errors="replace")

    @cached_property
    def parsed(self) -> Html:
        """The body read as HTML."""
        return Html(self.text)

    @cached_property
    def data(self) -> Any:  # noqa: ANN401  JSON holds anything
        """The body read as JSON; None if it is not."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    def shows(self, words: str) -> bool:
        """Say whether the words stand in the body, written plainly or with HTML's character references."""
        return words in self.text or words in html.unescape(self.text)

    def refuses_sign_in(self, failure: AuthenticationFailure) -> bool:
        """Say whether this is the answer to a wrong user name or password."""
        return self.status in failure.status or any(self.shows(words) for words in failure.text)

    @property
    def asks_again(self) -> bool:
        """Say whether it shows a form for a password, and no error of the server's own."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR and self.parsed.asks_for_password


@dataclass(frozen=True, slots=True)
class Disappointment:
    """What an answer lacks: the bounded word for counting, and the sentence for people."""

    kind: str
    message: str


def disappointment(page: Page, expect: Expect, fill: Fill) -> Disappointment | None:
    """Give the first expectation the answer does not meet."""
    if not _status_fits(page.status, expect):
        wanted = ", ".join(map(str, expect.status)) or "200 to 299"
        return Disappointment("status", f"answered {page.status}, expected {wanted}")
    lacking = next(_lacking(page, expect, fill), None)
    return Disappointment("expect", lacking) if lacking else None


def _lacking(page: Page, expect: Expect, fill: Fill) -> Iterator[str]:
    yield from (f"the answer does not contain {words!r}" for words in map(fill, expect.text) if not page.shows(words))
    yield from (f"the answer contains {words!r}" for words in map(fill, expect.not_text) if page.shows(words))
    for pattern in expect.regex:
        if not re.search(pattern, page.text, re.MULTILINE):
            yield f"nothing in the answer matches {pattern!r}"
    for path, wanted in expect.json_values.items():
        if at_path(page.data, path) != fill(wanted):
            yield f"the answer's {path} is not {fill(wanted)!r}"


def find(page: Page, capture: Capture, fill: Fill) -> str | None:
    """Give the value a journey wants from the answer; None if it is not there."""
    if capture.regex is not None:
        match = re.search(capture.regex, page.text, re.MULTILINE)
        return (match[1] if match.re.groups else match[0]) if match else None
    if capture.json_path is not None:
        return at_path(page.data, capture.json_path)
    if capture.header is not None:
        return page.headers.get(capture.header)
    if capture.form_field is not None:
        return page.parsed.fields.get(capture.form_field)
    return _link(page, capture.link, fill) if capture.link else None


def at_path(data: Any, path: str) -> str | None:  # noqa: ANN401
    """Follow a dotted path through JSON: ``items.0.title``. Numbers and booleans come as JSON writes them."""
    for part in path.split("."):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data if isinstance(data, str) else json.dumps(data)


def _status_fits(status: int, expect: Expect) -> bool:
    return status in expect.status if expect.status else 200 <= status <= 299


def _link(page: Page, link: Link, fill: Fill) -> str | None:
    words = fill(link.text) if link.text is not None else ""
    for href, text in page.parsed.links:
        if words in text and (link.href is None or re.search(link.href, href)):
            return str(page.url.join(href))
    return None
