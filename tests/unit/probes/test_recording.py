from pathlib import Path

from probes.drivers.browser.recording import Event, Recording
from probes.journey.file import parse

URL = "http://app/start?x={1}"


def event(kind: str, name: str, **more: object) -> Event:
    role = "link" if kind == "click" else "textbox"
    given: dict[str, object] = {
        "kind": kind,
        "role": role,
        "name": name,
        "label": "",
        "url": "http://app/a",
        "heading": "A",
    }
    return Event(**{**given, **more})  # type: ignore[arg-type]


def recorded(*events: Event, heading: str = "") -> str:
    recording = Recording("shown", URL)
    recording.add(events, heading)
    return recording.text()


def test_nothing_but_a_page_is_one_step() -> None:
    journey = parse(recorded(heading="Welcome"), Path("shown.yaml"))
    (step,) = journey.steps
    opened, waited = step.browser or ()
    assert (opened.open, step.step) == ("/start?x={{1}}", "open")
    assert waited.wait_for is not None
    assert waited.wait_for.name == "Welcome"


def test_steps_of_one_name_are_told_apart_and_elements_of_one_name_as_well() -> None:
    events = [
        event("click", "Next", identical=2, similar=2),
        event("click", "Next", similar=3),
        event("click", "Print it"),
    ]
    journey = parse(recorded(*events), Path("shown.yaml"))
    assert [step.step for step in journey.steps] == ["next", "next-2", "print-it"]
    first, second = (step.browser[-1].click for step in journey.steps[:2] if step.browser)
    assert first is not None
    assert second is not None
    assert (first.first, first.exact, second.first, second.exact) == (True, False, False, True)
    assert [step.action for step in journey.steps] == ["read", "read", "print"]


def test_what_is_typed_becomes_a_variable_and_a_foreign_sign_in_page_is_trusted() -> None:
    events = [
        event("fill", "", label="Größe", value="7"),
        event("fill", "", label="Search", value="smith"),
        event("fill", "", label="Search", value="jones"),
        event("secret", "", label="Password", url="https://login/x"),
        event("totp", "", label="Code", url="https://login/x"),
        event("click", "Go"),
    ]
    journey = parse(recorded(*events), Path("shown.yaml"))
    assert journey.variables == {"base_url": "http://app", "text": "7", "search": "smith", "search_2": "jones"}
    assert journey.trusted_origins == ("https://login",)
    assert list(journey.secrets) == ["password", "totp"]
    assert journey.steps[0].sign_in
