"""docs/journeys.md says what the schema says."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from collector.model.run import Outcome
from probes.journey.file import ClientCertificate, Journey, Step, parse
from probes.journey.request import AuthenticationFailure, Capture, Expect, Link, Request, VerifySaved

PAGE = (Path(__file__).parents[3] / "docs" / "journeys.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model",
    [Journey, Step, Request, Expect, Capture, Link, VerifySaved, AuthenticationFailure, ClientCertificate],
    ids=lambda model: str(model.__name__),
)
def test_every_key_is_explained(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert {key for key in keys if f"`{key}`" not in PAGE} == set()
    assert all(field.description for field in model.model_fields.values())


def test_its_example_is_a_correct_journey() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    assert parse(example[1], Path("journeys.md")).name == "case-search"


def test_every_outcome_a_driver_gives_is_explained() -> None:
    assert {outcome for outcome in Outcome if f"| `{outcome}` |" not in PAGE} == {Outcome.DROPPED}
