from pathlib import Path

import pytest

from collector.model.errors import ConfigError
from probes.journey.file import Journey, parse

FILE = Path("day.yaml")
HEAD = """name: day
variables: {base_url: "http://127.0.0.1:8000", word: smith}
secrets: {username: , password: , seed: env:SEED}
steps:
  - step: login
    sign_in: true
    browser:
      - open: /login
      - {fill_secret: "{username}", into: {label: User name}}
      - {fill_secret: "{password}", into: {label: Password}}
      - {totp: "{seed}", into: {label: Code}}
"""


def journey(action: str) -> Journey:
    return parse(f"{HEAD}      - {action}\n", FILE)


def mistake(action: str) -> str:
    with pytest.raises(ConfigError) as error:
        journey(action)
    return str(error.value)


@pytest.mark.parametrize(
    "action",
    [
        "open: /cases",
        "{fill: '{word}', into: {role: searchbox, name: Search}}",
        "click: {role: button, name: '{word}', exact: true}",
        "{press: Control+s}",
        "{press: Enter, into: {label: Search}}",
        "{select: Open, into: {label: Status}}",
        "wait_for: {text: saved, state: hidden, frame: menu}",
        "wait_for: {url: {regex: '/cases/\\d{2}$'}}",
        "expect: {text: [a, b], not_text: c, regex: 'x{2}', url: {regex: q=}}",
        "download: {role: link, name: Print, regex: '^%PDF-'}",
        "print_pdf: {}",
        "capture: {number: {regex: 'Case (\\d+)'}, link: {role: link, name: Next, attribute: href}}",
        "credentials: {username: 'CORP\\{username}', password: '{password}'}",
    ],
)
def test_every_action_is_read(action: str) -> None:
    last = (journey(action).steps[0].browser or ())[-1]
    assert last.kind in action


def test_a_captured_value_is_known_from_there_on() -> None:
    text = f"{HEAD}      - capture: {{case: {{url: {{regex: '.*'}}}}}}\n      - open: '{{case}}'\n"
    assert len(parse(text, FILE).steps[0].browser or ()) == 6
    assert "{case} is not known here" in mistake("open: '{case}'")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{open: /a, click: {text: b}}", "needs exactly one of open, fill"),
        ("{}", "needs exactly one of open, fill"),
        ("open: cases", "must begin with /"),
        ("{fill: x}", "needs into: the field that fill is for"),
        ("{click: {text: a}, into: {label: b}}", "has into, which click has no use for"),
        ("{fill: hunter2, into: {label: Password}}", "use fill_secret"),
        ("{fill_secret: hunter2, into: {label: Password}}", "holds a secret written out"),
        ("{fill: '{password}', into: {label: Search}}", "{password} is a secret"),
        ("click: {role: knob, name: x}", "is not a role of ARIA"),
        ("click: {name: x}", "needs exactly one of role, label, text and test_id"),
        ("click: {label: x, name: y}", "has a name without a role"),
        ("click: {role: button, label: x}", "needs exactly one of role, label, text and test_id"),
        ("wait_for: {state: visible}", "needs exactly one of role, label, text, test_id and url"),
        ("expect: {}", "says nothing"),
        ("expect: {regex: '('}", "is not a regular expression"),
        ("capture: {n: {url: {regex: a}, attribute: href}}", "has an attribute without an element"),
        ("{clik: {text: a}}", "is not a known key"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_to_write(action: str, words: str) -> None:
    said = mistake(action)
    assert words in said
    assert said.startswith("day.yaml:12:")
    assert "hunter2" not in said
