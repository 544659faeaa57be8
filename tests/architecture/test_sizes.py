"""Files to 300 lines, those of tests too, functions to 40: what is longer has two ideas in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("probes", "collector", "analysis", "dashboards", "whichlayer", "deploy")
FILE_LINES = 300
FUNCTION_LINES = 40
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_files_of_tests_are_short() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in sorted((ROOT / "tests").rglob("*.py"))}
    assert len(lines) > 50
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > FILE_LINES} == {}


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            start = (first.end_lineno or first.lineno) if documented else node.lineno
            length = (node.end_lineno or node.lineno) - start
            assert length <= FUNCTION_LINES, f"{path.name}:{node.lineno} {node.name} has {length} lines"


def test_no_file_is_named_after_nothing() -> None:
    assert [path for path in sources() if path.stem.strip("_") in NAMELESS] == []
