"""Every mistake in a file is named at once, with its line and column, and no value is repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from collector.document import Document, parse, read
from collector.model.errors import ConfigError, Mistake

CANARY = "canary-5417"


class Inner(Document):
    every: float = Field(gt=0)
    name: str


class Outer(Document):
    site: str
    entries: list[Inner] = Field(default_factory=list)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, Path("w.yaml"), Outer)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_all_mistakes_at_once_with_their_places() -> None:
    found = mistakes(f"site: 7\nentries:\n  - every: -1\n    name: a\n    pasword: {CANARY}\n  - name: b\n")
    assert [line.split(" ")[0] for line in found] == ["w.yaml:1:1", "w.yaml:3:5", "w.yaml:5:5", "w.yaml:6:5"]
    assert "is not a known key" in found[2]
    assert "every: is missing" in found[3]
    assert CANARY not in "\n".join(found)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("site: [1\n", "w.yaml:2:1", "not valid YAML"),
        ("site: a\nsite: b\n", "w.yaml:2:1", "duplicate"),
        ("- a\n", "w.yaml:1:1", "mapping"),
        ("", "w.yaml:1:1", "mapping"),
        ("[" * 500, "w.yaml:1:1", "nested too deeply"),
    ],
)
def test_what_is_not_a_document_says_so(text: str, place: str, words: str) -> None:
    (only,) = mistakes(text)
    assert only.startswith(place)
    assert words in only


def test_a_key_that_is_there_twice_shows_neither_value() -> None:
    (only,) = mistakes(f"site: {CANARY}\nsite: {CANARY}-too\n")
    assert only == 'w.yaml:2:1 is not valid YAML: found duplicate key "site"'


def test_wrong_kinds_are_named_in_words_of_yaml() -> None:
    assert mistakes("site: 7\nentries: {a: 1}\n") == [
        "w.yaml:1:1 site: must be text; a number needs quotes",
        "w.yaml:2:1 entries: must be a list",
    ]
    assert mistakes("site: a\nentries: [b]\n") == ["w.yaml:2:11 entries.0: must be a mapping of keys to values"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read(tmp_path / "none.yaml", Outer)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read(tmp_path / "w.yaml", Outer)


@given(st.text(max_size=200))
def test_no_text_makes_it_crash(text: str) -> None:
    found: list[Mistake] = []
    try:
        parse(text, Path("w.yaml"), Outer)
    except ConfigError as error:
        found = error.mistakes
    assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in found)
