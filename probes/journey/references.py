"""Mistakes between the parts of a journey: names used before they exist, secrets in the wrong place.

It reads the tree as it stands in the file, whatever else is wrong with it, so that these mistakes
are reported together with those of single values. Anything of a wrong type is skipped here: the
schema reports it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from probes.journey import placeholder

Location = tuple[str | int, ...]
Found = Iterator[tuple[Location, str]]
Tree = Any  # YAML holds anything

BUILT_IN = frozenset({"run_id"})
_WEB = frozenset({"requests", "browser"})
_ELSE = frozenset({"screen", "printer", "link"})
_BASE_URL = "needs base_url: the address of the application, such as https://cases.example.org"
# Where secrets may stand.
_SECRET_KEYS = frozenset({"form", "json", "headers", "fill_secret", "type_secret", "credentials", "totp"})
_LITERAL_KEYS = frozenset({"regex", "href"})  # braces there are their own
_ACTING = frozenset({"write", "print"})


def check(tree: Tree) -> Found:
    """Give the place and the words of every mistake."""
    root = _mapping(tree)
    variables, secrets = set(_mapping(root.get("variables"))), set(_mapping(root.get("secrets")))
    said = {key for step in _list(root.get("steps")) for key in _mapping(step)}
    if "base_url" not in variables and (said & _WEB or not said & _ELSE):
        yield ("variables",), _BASE_URL
    for taken in sorted(map(str, (variables & secrets) | (BUILT_IN & (variables | secrets)))):
        where = "secrets" if taken in secrets else "variables"
        yield (where, taken), "this name is taken: every name stands for one thing"
    scope = _Scope(known=variables | secrets | BUILT_IN, secrets=secrets, reserved=variables | secrets | BUILT_IN)
    yield from scope.certificate(root)
    seen: set[str] = set()
    made = False
    for index, step in enumerate(_list(root.get("steps"))):
        here: Location = ("steps", index)
        yield from _printer_rules(here, _mapping(step), made=made)
        made = made or bool(_mapping(step).get("requests"))
        name = _mapping(step).get("step")
        if isinstance(name, str):
            if name in seen:
                yield (*here, "step"), f"there is already a step {name}: results would be mixed up"
            seen.add(name)
        yield from scope.step(here, _mapping(step))
    for unused in sorted(map(str, secrets - scope.used)):
        yield ("secrets", unused), "is never used: remove it, a probe holds no more secrets than it needs"


class _Scope:
    """The names known so far, while the steps are gone through in order."""

    def __init__(self, *, known: set[Any], secrets: set[Any], reserved: set[Any]) -> None:
        self.known = known
        self.secrets = secrets
        self.reserved = reserved
        self.used: set[Any] = set()

    def certificate(self, root: Mapping[Any, Any]) -> Found:
        name = _mapping(root.get("client_certificate")).get("passphrase")
        if isinstance(name, str):
            self.used.add(name)
            if name not in self.secrets:
                yield ("client_certificate", "passphrase"), f"{name} is not declared under secrets"

    def step(self, here: Location, step: Mapping[Any, Any]) -> Found:
        yield from _step_rules(here, step)
        yield from self._texts((*here, "safe_record"), step.get("safe_record"), secret=False)
        for index, request in enumerate(_list(step.get("requests"))):
            yield from self._request((*here, "requests", index), _mapping(request))
        for language in ("browser", *sorted(_ELSE)):
            yield from self._said((*here, language), step.get(language), secret=False)
        saved = _mapping(step.get("verify_saved"))
        for key in ("path", "query", "marker"):
            yield from self._texts((*here, "verify_saved", key), saved.get(key), secret=False)

    def _request(self, here: Location, request: Mapping[Any, Any]) -> Found:
        for key in ("path", "query"):
            yield from self._texts((*here, key), request.get(key), secret=False)
        for key in ("form", "json", "headers"):
            yield from self._texts((*here, key), request.get(key), secret=True)
        expect = _mapping(request.get("expect"))
        for key in ("text", "not_text", "json"):
            yield from self._texts((*here, "expect", key), expect.get(key), secret=False)
        for name, capture in _mapping(request.get("capture")).items():
            link = _mapping(_mapping(capture).get("link"))
            yield from self._texts((*here, "capture", name, "link", "text"), link.get("text"), secret=False)
            yield from self._captured((*here, "capture", name), name)

    def _said(self, here: Location, value: Tree, *, secret: bool) -> Found:
        """Check the placeholders of any language but HTTP; the names in ``capture`` are known from there on."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key not in _LITERAL_KEYS:
                    may = (secret or key in _SECRET_KEYS) and "expect" not in here  # what is expected is shown
                    yield from self._said((*here, key), inner, secret=may)
            for name in _mapping(value.get("capture")):
                yield from self._captured((*here, "capture", name), name)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self._said((*here, index), inner, secret=secret)
        elif isinstance(value, str):
            yield from self._text(here, value, secret=secret)

    def _captured(self, here: Location, name: Any) -> Found:  # noqa: ANN401
        if name in self.reserved:
            yield here, "this name is taken: every name stands for one thing"
        self.known.add(name)

    def _texts(self, here: Location, value: Tree, *, secret: bool) -> Found:
        """Check the placeholders of a text, or of every text inside a mapping or list."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from self._texts((*here, key), inner, secret=secret)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self._texts((*here, index), inner, secret=secret)
        elif isinstance(value, str):
            yield from self._text(here, value, secret=secret)

    def _text(self, here: Location, text: str, *, secret: bool) -> Found:
        try:
            used = set(placeholder.names(text))
        except ValueError as error:
            if "json" in here:  # the schema checks every other text itself
                yield here, str(error)
            return
        self.used |= used
        for name in sorted(used - self.known):
            yield here, f"{{{name}}} is not known here: declare it under variables or secrets, or capture it before"
        if not secret:
            for name in sorted(used & self.secrets):
                yield here, f"{{{name}}} is a secret: it may stand in a form, json or header value, nowhere else"


def _step_rules(here: Location, step: Mapping[Any, Any]) -> Found:
    action = step.get("action")
    acting = action in _ACTING
    test_page = _mapping(step.get("printer")).get("file")
    if acting and not step.get("safe_record") and not test_page:
        yield (
            (*here, "action"),
            (f"a step that {action}s must name its safe_record: the text that only the record made for probes shows"),
        )
    if step.get("verify_saved") and action != "write":
        yield (*here, "verify_saved"), "only a step with action: write saves something"
    if step.get("authentication_failure") and not step.get("sign_in"):
        yield (*here, "authentication_failure"), "belongs to the step with sign_in: true"
    if action is None and not step.get("sign_in"):
        for index, request in enumerate(_list(step.get("requests"))):
            if _mapping(request).get("method") in {"POST", "PUT", "PATCH", "DELETE"}:
                yield (
                    (*here, "requests", index, "method"),
                    ("may change something: add action: read to the step if it does not, or action: write"),
                )


def _printer_rules(here: Location, step: Mapping[Any, Any], *, made: bool) -> Found:
    """Paper is used whatever is printed; a test page is nobody's record, and the printer's name is what is checked."""
    if "printer" not in step:
        return
    test_page = _mapping(step["printer"]).get("file")
    if step.get("action") != "print":
        yield (*here, "printer"), "uses paper: add action: print to the step"
    if not test_page and not made:
        yield (*here, "printer"), "nothing is made before it: put a step with requests before, or name a file"
    if test_page and step.get("safe_record"):
        yield (*here, "safe_record"), "is not looked for: a test page is no record, its printer_name is checked"


def _mapping(value: Tree) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Tree) -> list[Any]:
    return value if isinstance(value, list) else []
