"""Every setting, metric, plug-in and command is documented, and the page is up to date."""

from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from analysis.method import Method
from collector.plugin import names
from whichlayer import reference
from whichlayer.settings import Settings

ROOT = Path(__file__).parents[2]


def test_reference_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == reference.render(), "run make docs"


def test_every_setting_says_what_it_means() -> None:
    silent = [key for key, field in reference._walk(Settings, "") if not field.description]
    assert silent == []


@pytest.mark.parametrize("folder", reference.FOLDERS)
def test_every_plug_in_is_named_in_the_reference(folder: str) -> None:
    page = (ROOT / "docs" / "reference.md").read_text()
    found = names(import_module(folder))
    assert found, f"{folder} is empty"
    assert all(f"| `{name}` |" in page for name in found)


def test_the_walk_reaches_nested_settings() -> None:
    class Inner(BaseModel):
        deep: int

    class Outer(BaseModel):
        one: Inner
        many: list[Inner]
        maybe: Inner | None = None

    assert [key for key, _ in reference._walk(Outer, "")] == [
        "one", "one.deep", "many", "many[].deep", "maybe", "maybe.deep",
    ]  # fmt: skip


def test_the_example_of_a_method_is_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    space: dict[str, object] = {"__name__": "storms"}
    exec(compile(code, "CONTRIBUTING.md", "exec"), space)
    assert isinstance(space["PLUGIN"], Method)
