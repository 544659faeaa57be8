from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.document import seconds
from collector.model.errors import ConfigError
from probes.journey.file import Action, Journey, load, parse
from probes.journey.placeholder import fill, names

FILE = Path("day.yaml")
TEMPLATES = Path(__file__).parents[3] / "probes" / "journeys"

GOOD = """
name: day
variables: {base_url: "http://127.0.0.1:8000", search: smith}
secrets: {username: env:CASE_USER, password: }
steps:
  - step: login
    sign_in: true
    requests:
      - path: /login
        capture: {csrf_token: {form_field: csrf_token}}
      - {method: POST, path: /login, form: {u: "{username}", p: "{password}", csrf_token: "{csrf_token}"}}
  - {step: search, target: 250 ms, timeout: 5 s, requests: [{path: /cases, query: {q: "{search}"}}]}
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse(text, FILE)
    return [str(mistake) for mistake in error.value.mistakes]


def test_a_good_file_is_read() -> None:
    journey = parse(GOOD, FILE)
    assert [step.step for step in journey.steps] == ["login", "search"]
    assert journey.steps[1].target == 0.25
    assert journey.steps[1].timeout == 5.0
    assert journey.steps[0].action is Action.READ
    assert list(journey.secrets) == ["username", "password"]


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.yaml")), ids=lambda path: path.stem)
def test_templates_are_correct_and_named_as_their_file(template: Path) -> None:
    journey = load(template)
    assert journey.name == template.stem
    assert journey.steps[0].sign_in


def test_read_only_template_never_acts() -> None:
    assert not any(step.acts for step in load(TEMPLATES / "case-record-read-only.yaml").steps)


def test_the_hash_ignores_comments_key_order_defaults_and_ways_of_writing() -> None:
    other = """
# a comment
steps:
  - sign_in: true
    step: login
    action: read          # the default, written out
    requests:
      - capture: {csrf_token: {form_field: csrf_token}}
        path: /login
        method: GET
      - {path: /login, method: POST, form: {csrf_token: "{csrf_token}", u: "{username}", p: "{password}"}}
  - {requests: [{query: {q: "{search}"}, path: /cases}], step: search, timeout: 5, target: 0.25}
secrets: {password: , username: env:CASE_USER}
description: for people
variables: {search: smith, base_url: "http://127.0.0.1:8000"}
name: day
"""
    assert parse(other, FILE).hash == parse(GOOD, Path("elsewhere.yaml")).hash


def shuffled(tree: Any, random: Random) -> Any:
    """Give the same content with the keys of every mapping in another order."""
    if isinstance(tree, dict):
        keys = list(tree)
        random.shuffle(keys)
        return {key: shuffled(tree[key], random) for key in keys}
    return [shuffled(item, random) for item in tree] if isinstance(tree, list | tuple) else tree


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_never_changes_the_hash(random: Random) -> None:
    journey = load(TEMPLATES / "case-record.yaml")
    content = journey.model_dump(by_alias=True)
    assert Journey.model_validate(shuffled(content, random)).hash == journey.hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("250 ms", "251 ms"),
        ("path: /cases", "path: /case"),
        ("search: smith", "search: jones"),
        ("step: search", "step: find"),
        ("u: ", "user: "),
    ],
)
def test_the_hash_changes_with_what_is_walked(old: str, new: str) -> None:
    assert old in GOOD
    assert parse(GOOD.replace(old, new), FILE).hash != parse(GOOD, FILE).hash


def test_every_mistake_is_reported_at_once_with_its_place() -> None:
    text = """\
name: Day one
variables: {base_url: "ftp://x"}
secrets: {password: hunter2-canary}
bogus: 1
steps:
  - step: save
    action: write
    timeout: 3 parsecs
    requests:
      - {path: no-slash}
      - {method: POST, path: "/x/{password}", form: {note: "{nowhere}"}, capture: {id: {regex: "("}}}
  - step: save
    requests:
      - {method: POST, path: /y}
"""
    found = mistakes(text)
    expected = [
        "day.yaml:1:1 name: must be lower-case",
        "day.yaml:2:1 variables: base_url must begin with http://",
        "day.yaml:3:11 secrets.password: must say where the secret is kept",
        "day.yaml:4:1 bogus: is not a known key",
        "day.yaml:7:5 steps.0.action: a step that writes must name its safe_record",
        "day.yaml:8:5 steps.0.timeout: is not a duration",
        "day.yaml:10:10 steps.0.requests.0.path: must begin with /",
        "day.yaml:11:24 steps.0.requests.1.path: {password} is a secret",
        "day.yaml:11:54 steps.0.requests.1.form.note: {nowhere} is not known here",
        "day.yaml:11:89 steps.0.requests.1.capture.id.regex: is not a regular expression",
        "day.yaml:12:5 steps.1.step: there is already a step save",
        "day.yaml:14:10 steps.1.requests.0.method: may change something",
    ]
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('u: "{username}"', "password: hunter2-canary", "holds a secret written out"),
        ('u: "{username}"', "password: hunter2-canary, pin: 1", "password, pin holds a secret written out"),
        ("{path: /cases, query", "{path: /cases, headers: {Authorization: Bearer abc}, query", "secret written out"),
        ('q: "{search}"', 'q: "{password}"', "it may stand in a form, json or header value"),
        ('p: "{password}"', "p: x", "secrets.password: is never used"),
        ('q: "{search}"', 'q: "{csrf}"', "{csrf} is not known here"),
        ('q: "{search}"', 'q: "{search"', "has a brace that is not a {name}"),
        ("capture: {csrf_token: {form_field: csrf_token}}", "capture: {search: {form_field: x}}", "this name is taken"),
        ("capture: {csrf_token: {form_field: csrf_token}}", "capture: {csrf_token: {}}", "exactly one of regex"),
        ("{path: /cases, query", "{path: /cases, form: {a: b}, query", "a GET has no body"),
        ("sign_in: true", "authentication_failure: {status: 401}", "belongs to the step with sign_in: true"),
        ("step: search,", "step: search, verify_saved: {path: /x, marker: x},", "must hold {run_id}"),
        ("name: day", "name: day\ntrusted_origins: [https://a/b]", "trusted_origins.0"),
        ("name: day", "name: day\nclient_certificate: {certificate: c.pem, passphrase: pin}", "pin is not declared"),
        ("steps:", "steps: []\nother:", "is empty: it needs at least one entry"),
        ("search: smith", "search: smith, run_id: x", "this name is taken"),
    ],
)
def test_one_mistake(old: str, new: str, message: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    assert any(message in line for line in found), found
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    "text", ["", "just words", "- a\n- b", "name: [", "steps: 3\nname: x\nvariables: []", "steps: [1, {requests: 7}]"]
)
def test_anything_else_is_a_mistake_not_a_crash(text: str) -> None:
    assert mistakes(text)


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load(Path("nowhere.yaml"))


def test_paths_are_relative_to_the_file_but_do_not_change_the_hash(tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(GOOD, encoding="utf-8")
    journey = load(tmp_path / "day.yaml")
    assert journey.folder == tmp_path
    assert journey.hash == parse(GOOD, FILE).hash


def test_journeys_are_equal_after_a_round_trip() -> None:
    journey = parse(GOOD, FILE)
    assert Journey.model_validate(journey.model_dump(by_alias=True)).hash == journey.hash


@pytest.mark.parametrize(
    ("written", "expected"),
    [("30 s", 30.0), ("250ms", 0.25), ("5 min", 300.0), ("1.5 h", 5400.0), ("1 d", 86400.0), (2, 2.0), (0.5, 0.5)],
)
def test_durations(written: object, expected: float) -> None:
    assert seconds(written) == expected


@pytest.mark.parametrize("written", ["30", "s", "-1 s", -1, True, None, float("nan"), float("inf"), "1 week", [1]])
def test_what_is_no_duration(written: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(written)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), st.text(), min_size=1))
def test_filling_puts_every_value_in_its_place(values: dict[str, str]) -> None:
    template = "|".join(f"{{{name}}}" for name in values)
    assert list(names(template)) == list(values)
    assert fill(template, values) == "|".join(values.values())


@given(st.text())
def test_escaped_braces_come_out_as_they_are(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert list(names(escaped)) == []
    assert fill(escaped, {}) == text
