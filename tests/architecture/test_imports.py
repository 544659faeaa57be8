"""The import rules of ARCHITECTURE.md are kept, and importing stays light."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"pandas", "numpy", "pyarrow", "duckdb", "fastapi", "sqlalchemy", "uvicorn", "psycopg"}


def test_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["probes.agent.agent", "probes.walk", "collector.model.run", "whichlayer.__main__"])
def test_what_an_agent_loads_is_light(module: str) -> None:
    code = f"import sys, {module}; print(' '.join(sorted(set(sys.modules) & {HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
