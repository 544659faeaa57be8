"""No log line shows a secret, to a person or to a machine, however deep it lies."""

import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from collector import secret
from whichlayer.logs import configure

CANARY = "canary-91d7"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, levels = logging.getLogger(), {}
    handlers, levels[root] = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, levels[root]
    structlog.reset_defaults()


@pytest.mark.parametrize("person", [True, False])
def test_secrets_are_hidden(person: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    secret.remember(CANARY)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: person)
    configure()
    log = structlog.get_logger("whichlayer.test_logs")
    log.warning("one", reason=f"x {CANARY}", nested={"deep": [CANARY]}, error=ValueError(CANARY), count=3)
    logging.getLogger("whichlayer.test_logs").warning("two %s", CANARY)
    log.error("three", exc_info=ValueError(CANARY))
    text = capsys.readouterr().err
    assert [word in text for word in ("one", "two", "three", "ValueError", "count")] == [True] * 5
    assert text.count("•••") + text.count("\\u2022\\u2022\\u2022") == 5
    assert CANARY not in text
