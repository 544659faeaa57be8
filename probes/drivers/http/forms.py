"""What a journey takes from an HTML page: the value of a form's input, the address of a link."""

from html.parser import HTMLParser

_FIELDS = frozenset({"input", "button", "meta"})


class Html(HTMLParser):
    """Reads one page: ``fields`` by name (the first of a name counts), ``links`` as (href, text).

    ``asks_for_password`` says that a field of it takes a password.

    ``meta`` elements count as fields, since some frameworks put their CSRF token there.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: dict[str, str] = {}
        self.links: list[tuple[str, str]] = []
        self.asks_for_password = False
        self._href: str | None = None
        self._words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an input's value or the beginning of a link."""
        given = {key: value or "" for key, value in attrs}
        name = given.get("name")
        if tag in _FIELDS and name:
            self.fields.setdefault(name, given.get("content" if tag == "meta" else "value", ""))
        if tag == "input" and given.get("type", "").lower() == "password":
            self.asks_for_password = True
        if tag == "a" and "href" in given:
            self._href, self._words = given["href"], []

    def handle_endtag(self, tag: str) -> None:
        """Note a link that is complete."""
        if tag == "a" and self._href is not None:
            self.links.append((self._href, " ".join("".join(self._words).split())))
            self._href = None

    def handle_data(self, data: str) -> None:
        """Gather the text of a link."""
        if self._href is not None:
            self._words.append(data)
