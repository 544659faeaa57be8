"""What a journey may say about a session's screen, and which mistakes are told."""

from pathlib import Path

import pytest

from collector.model.errors import ConfigError
from probes.journey.file import parse

ROOT = Path(__file__).parents[3]
HEAD = "name: s\nsecrets: {password: env:P}\nvariables: {record: '7'}\nsteps:\n"
LOGON = "  - {step: logon, screen: [{logon: {ready: {colour: '#20a040'}, credentials: {password: '{password}'}}}]}\n"


def mistakes(step: str) -> str:
    with pytest.raises(ConfigError) as raised:
        parse(HEAD + LOGON + step, Path("j.yaml"))
    return str(raised.value)


def test_every_action_is_understood() -> None:
    journey = parse(
        HEAD
        + LOGON
        + """
  - step: open
    action: write
    safe_record: record.png
    screen:
      - keystrokes: {region: [0, 0, 10, 10]}
      - expect: {image: home.png, gone: true}
      - type: "{record}"
      - type_secret: "{password}"
      - press: ctrl+shift+s
      - press: "+"
      - click: {at: [3, 4], button: right, double: true}
      - wait_for: {change: true}
""",
        Path("j.yaml"),
    )
    assert journey.steps[1].language == "screen"
    assert [action.is_input for action in journey.steps[1].screen or ()] == [False, False] + [True] * 5 + [False]


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ("[{press: Return}]", "end it with wait_for"),
        ("[{expect: {image: a.png}}]", "times nothing"),
        ("[{press: Hyper+x}, {wait_for: {change: true}}]", "'Hyper' is not a key"),
        ("[{press: Enter}, {wait_for: {change: true}}]", "'Enter' is not a key"),
        ("[{wait_for: {image: a.png, colour: '#000000'}}]", "exactly one of image, text, colour and change"),
        ("[{wait_for: {text: Results}}]", "without the region"),
        ("[{wait_for: {text: '--', region: [0, 0, 9, 9]}}]", "without a word"),
        ("[{wait_for: {text: '{password}', region: [0, 0, 9, 9]}}]", "is a secret"),
        ("[{wait_for: {image: a.jpg}}]", "screen.0.wait_for.image"),
        ("[{wait_for: {change: true, gone: true}}]", "a change cannot be gone"),
        ("[{wait_for: {change: true}}, {expect: {change: true}}]", "one picture alone shows no change"),
        ("[{click: {}}, {wait_for: {change: true}}]", "exactly one of image and at"),
        ("[{wait_for: {change: true, region: [0, 0, 0, 5]}}]", "x, y, width, height"),
        ("[{type: a, press: b}, {wait_for: {change: true}}]", "exactly one of logon"),
        ("[{type: '{password}'}, {wait_for: {change: true}}]", "is a secret"),
        ("[{type_secret: hunter2}, {wait_for: {change: true}}]", "declare it under secrets"),
        ("[{wait_for: {change: true}}, {logon: {ready: {image: a.png}}}]", "must be the first thing of its step"),
    ],
)
def test_mistakes_say_what_to_do(actions: str, told: str) -> None:
    assert told in mistakes(f"  - {{step: x, screen: {actions}}}\n")


def test_a_secret_written_out_is_not_repeated() -> None:
    assert "hunter2" not in mistakes("  - {step: x, screen: [{type_secret: hunter2}, {wait_for: {change: true}}]}\n")


def test_the_safe_record_of_a_screen_is_a_picture() -> None:
    step = "  - {step: x, action: write, safe_record: TEST 7, screen: [{press: Return}, {wait_for: {change: true}}]}\n"
    assert "must be a picture (PNG)" in mistakes(step)


def test_the_example_of_the_drivers_page_is_a_journey() -> None:
    page = (ROOT / "docs" / "drivers" / "remote.md").read_text()
    (text,) = [block.split("```")[0] for block in page.split("```yaml\n")[1:] if "steps:" in block]
    assert {step.language for step in parse(text, Path("remote.md")).steps} == {"screen"}
