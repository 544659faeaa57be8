"""Reads what a web page offers: its forms, its links, its words. Used to draft a journey for ``init``."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_BUTTONS = {"submit", "button", "reset", "image"}


@dataclass(slots=True)
class Input:
    """One field of a form. ``kind`` is its type attribute, or ``textarea`` or ``select``."""

    name: str
    kind: str
    value: str = ""


@dataclass(slots=True)
class Form:
    """One form: where it goes and what it sends. ``action`` is absolute."""

    method: str
    action: str
    inputs: list[Input] = field(default_factory=list)

    def first(self, *kinds: str) -> Input | None:
        """Give the first input of one of these kinds."""
        return next((one for one in self.inputs if one.kind in kinds), None)

    @property
    def hidden(self) -> list[Input]:
        """Give the inputs a user does not see, such as a CSRF token."""
        return [one for one in self.inputs if one.kind == "hidden"]


@dataclass(slots=True)
class Link:
    """One link: its address as written in the page, and its words."""

    href: str
    words: str = ""


@dataclass(slots=True)
class Page:
    """What one page offers, in its order."""

    forms: list[Form]
    links: list[Link]
    words: str

    def sign_in_form(self) -> Form | None:
        """Give the form that asks for a password."""
        return next((form for form in self.forms if form.first("password")), None)

    def search_form(self) -> Form | None:
        """Give the form that searches: sent by GET, with a text field; one that says so first."""
        found = [form for form in self.forms if form.method == "get" and form.first("text", "search")]
        return min(found, key=_unlike_search, default=None)

    def note_form(self) -> Form | None:
        """Give the form that saves free text: sent by POST, with a text area."""
        return next((form for form in self.forms if form.method == "post" and form.first("textarea")), None)


def read(html: str, url: str) -> Page:
    """Read one page that came from ``url``."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return Page(forms=reader.forms, links=reader.links, words=" ".join(" ".join(reader.words).split()))


def same_site(link: str, url: str) -> bool:
    """Say whether ``link`` on the page ``url`` stays on that server."""
    there = urlsplit(urljoin(url, link))
    return there.scheme in ("http", "https") and there.netloc == urlsplit(url).netloc


def _unlike_search(form: Form) -> int:
    one = form.first("text", "search")
    name = one.name.lower() if one else ""
    return 0 if "search" in name or name in ("q", "query") or (one and one.kind == "search") else 1


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[Link] = []
        self.words: list[str] = []
        self._open: Form | None = None
        self._text: Input | None = None
        self._link: Link | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        flags = {name for name, _ in attrs}
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "a" and "href" in given:
            self._link = Link(given["href"])
            self.links.append(self._link)
        elif tag == "form":
            action = urljoin(self.url, given.get("action", ""))
            self._open = Form(method=given.get("method", "get").lower(), action=action)
            self.forms.append(self._open)
        elif self._open is not None:
            self._read_input(tag, given, flags)

    def _read_input(self, tag: str, given: dict[str, str], flags: set[str]) -> None:
        name = given.get("name", "")
        assert self._open is not None
        if tag == "input" and name:
            kind = given.get("type", "text").lower()
            unticked = kind in ("checkbox", "radio") and "checked" not in flags
            if kind not in _BUTTONS | {"file"} and not unticked:
                self._open.inputs.append(Input(name, kind, given.get("value", "")))
        elif tag == "textarea" and name:
            self._text = Input(name, "textarea")
            self._open.inputs.append(self._text)
        elif tag == "select" and name:
            self._open.inputs.append(Input(name, "select"))
        elif tag == "option" and "selected" in flags and (one := self._last_select()):
            one.value = given.get("value", "")

    def _last_select(self) -> Input | None:
        inputs = self._open.inputs if self._open else []
        return inputs[-1] if inputs and inputs[-1].kind == "select" else None

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        elif tag == "a":
            self._link = None
        elif tag == "form":
            self._open = None
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.value += data
        elif not self._silent:
            self.words.append(data)
            if self._link is not None:
                self._link.words += data
