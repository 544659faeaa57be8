"""Nothing in the analysis knows a fault of the lab, a data set, a case, or who generates worlds.

That no text of the code holds such a name is all this shows: a limit chosen on a data set has no name in it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.model.layer import Layer

ROOT = Path(__file__).parents[2]
ANALYSIS = [path for path in sorted((ROOT / "analysis").rglob("*.py")) if "truth" not in path.parts]
BENCHMARKS = {"petshop", "robustspot", "casebook"}
# Faults that are named after a layer or a link say no more than its name does.
WORDS = {*map(str, Layer), "wifi", "wired", "storage", "printer", "memory", "query", "dns", "steal"}


def literals(path: Path) -> Iterator[str]:
    """Give the texts of a file that the program can see: no docstrings."""
    tree = ast.parse(path.read_text())
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value


def forbidden() -> set[str]:
    """Give names of the lab's faults, components and steps, of data sets, and of simulated hosts."""
    faults = {path.stem for path in (ROOT / "deploy/lab/faults").glob("[a-z]*.py")} - WORDS
    worlds = {text for path in (ROOT / "analysis/truth").glob("*.py") for text in literals(path)}
    hosts = {text for text in worlds if re.fullmatch(r"[a-z]+-\d|site-1|case-record", text)}
    assert {"app-1", "db-1", "lun-1"} <= hosts
    return faults | hosts | BENCHMARKS


@pytest.mark.parametrize("path", ANALYSIS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_names_a_fault_a_data_set_or_a_simulated_host(path: Path) -> None:
    names = forbidden()
    found = {word for text in literals(path) for word in re.findall(r"[\w-]+", text.lower())}
    assert found & names == set()


def test_the_engine_imports_neither_worlds_nor_what_measures_it() -> None:
    for path in ANALYSIS:
        imports = {
            alias
            for node in ast.walk(ast.parse(path.read_text()))
            for alias in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
        }
        assert not {name for name in imports if name.startswith(("analysis.truth", "deploy", "tests"))}, path


def _names(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
