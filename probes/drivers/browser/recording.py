"""A journey made of what a person did in a browser: events in, the text of a journey file out."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

_ACTING = re.compile(r"save|submit|send|create|add|update|delete|remove|approve|print|post", re.IGNORECASE)
_ENDS = frozenset({"click", "press"})
_HEAD = """\
# Recorded by whichlayer. Before it is walked:
#   1. give every step a target, and an expect that tells a right page from a wrong one;
#   2. say action: write or print, with the safe_record, for every step that changes something or uses paper
#      (steps whose button sounds like it have that already); every other step may only look;
#   3. put the secrets where their references point: keyring set SERVICE NAME;
#   4. whichlayer journey check FILE, then whichlayer journey run FILE --headed --slow.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing a person did, as ``recorder.js`` tells it; ``heading`` and ``url`` are those before it."""

    kind: str  # click, press, fill, select, secret, totp
    role: str | None
    name: str
    label: str
    url: str
    heading: str
    similar: int = 1  # elements of this role whose name holds this name
    identical: int = 1
    test_id: str | None = None
    frame: str | None = None
    value: str = ""
    meaning: str = "password"

    @property
    def element(self) -> dict[str, Any]:
        """Give how a journey names the element: by role and name, or label, or test id."""
        if self.label and self.kind not in _ENDS:
            found: dict[str, Any] = {"label": self.label}
        elif self.role and self.name:
            found = {"role": self.role, "name": _plain(self.name)}
        elif self.test_id:
            found = {"test_id": self.test_id}
        else:
            found = {"role": self.role} if self.role else {"text": self.name}
        if self.similar > self.identical:
            found["exact"] = True
        if self.identical > 1:
            found["first"] = True
        if self.frame:
            found["frame"] = self.frame
        return found


@dataclass(slots=True)
class _Step:
    actions: list[dict[str, Any]] = field(default_factory=list)
    name: str = ""
    heading: str = ""
    signs_in: bool = False


class Recording:
    """Turns events into steps: each ends with a click or Enter, and with what the page showed then."""

    def __init__(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        self._name = name
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._variables: dict[str, str | None] = {"base_url": self._base}
        self._secrets: dict[str, str] = {}
        self._origins: set[str] = set()
        self._steps: list[_Step] = []
        path = parts.path or "/"
        self._step = _Step([{"open": _plain(path + (f"?{parts.query}" if parts.query else ""))}])

    def add(self, events: Iterable[Event], heading: str) -> None:
        """Add everything that was done, in order; ``heading`` is that of the page at the end."""
        for event in events:
            if self._steps and not self._step.actions:
                self._wait(event.heading)
            self._take(event)
        self._end(heading)

    def text(self) -> str:
        """Give the journey as the text of a file."""
        document: dict[str, Any] = {"name": self._name, "variables": self._variables}
        if self._secrets:
            document["secrets"] = self._secrets
        if self._origins:
            document["trusted_origins"] = sorted(self._origins)
        document["steps"] = [self._written(step) for step in self._steps]
        yaml = YAML()
        yaml.width = 110
        out = io.StringIO()
        yaml.dump(document, out)
        return _HEAD + out.getvalue()

    def _take(self, event: Event) -> None:
        step = self._step
        if not step.actions or not step.heading:
            step.heading = event.heading
        parts = urlsplit(event.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin != self._base and event.kind in {"secret", "totp"}:
            self._origins.add(origin)
        step.actions.append(self._action(event))
        step.signs_in = step.signs_in or event.kind in {"secret", "totp"}
        if event.kind in _ENDS:
            step.name = (
                event.name if event.kind == "click" else "search" if "search" in event.label.lower() else "enter"
            )
            self._steps.append(step)
            self._step = _Step()

    def _action(self, event: Event) -> dict[str, Any]:
        if event.kind == "click":
            return {"click": event.element}
        if event.kind == "press":
            return {"press": event.value, "into": event.element}
        if event.kind == "select":
            return {"select": _plain(event.value), "into": event.element}
        if event.kind == "fill":
            return {"fill": self._variable(event), "into": event.element}
        name = "totp" if event.kind == "totp" else event.meaning
        self._secrets[name] = f"keyring:whichlayer/{self._name}.{name}"
        return {"totp" if event.kind == "totp" else "fill_secret": f"{{{name}}}", "into": event.element}

    def _variable(self, event: Event) -> str:
        """Keep what was typed as a variable: an agent may give another value."""
        wanted = re.sub(r"\W+", "_", (event.label or event.name).lower()).strip("_") or "text"
        wanted = wanted if wanted[0].isalpha() and wanted.isascii() else "text"
        name, number = wanted, 1
        while name in self._secrets or self._variables.get(name, event.value) != event.value:
            number += 1
            name = f"{wanted}_{number}"
        self._variables[name] = event.value
        return f"{{{name}}}"

    def _wait(self, heading: str) -> None:
        """End the step before with the heading it led to, if that tells it from where it began."""
        before = self._steps[-1]
        if heading and heading != before.heading:
            before.actions.append({"wait_for": {"role": "heading", "name": _plain(heading)}})

    def _end(self, heading: str) -> None:
        if self._step.actions:
            self._step.name = "open" if not self._steps else "last"
            self._steps.append(self._step)
        self._wait(heading)

    def _written(self, step: _Step) -> dict[str, Any]:
        found: dict[str, Any] = {"step": self._unique("sign-in" if step.signs_in else step.name, step)}
        if step.signs_in:
            found["sign_in"] = True
        elif _ACTING.search(step.name):
            self._variables.setdefault("safe_record", None)
            found |= {"action": "print" if "print" in step.name.lower() else "write", "safe_record": "{safe_record}"}
        return found | {"browser": step.actions}

    def _unique(self, name: str, step: _Step) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "step"
        index = next(number for number, one in enumerate(self._steps) if one is step)
        before = [re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-") for one in self._steps[:index]]
        return f"{slug}-{before.count(slug) + 1}" if slug in before else slug


def event(told: Mapping[str, Any]) -> Event:
    """Read one event as the page told it; what it tells beside is left out."""
    known = Event.__dataclass_fields__
    return Event(
        **{key: value for key, value in told.items() if key in known and value is not None} | {"role": told.get("role")}
    )


def _plain(text: str) -> str:
    """Write text that is no template."""
    return text.replace("{", "{{").replace("}", "}}")
