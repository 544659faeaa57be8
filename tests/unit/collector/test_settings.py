"""What is loopback, and that paths of the file are relative to it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from collector.settings import CollectorSettings, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "fe80::1%eth0", "example.org", "", "::ffff:10.0.0.1"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_paths_are_relative_to_the_file() -> None:
    given = CollectorSettings.model_validate({"data": "d", "tls": {"certificate": "c.pem", "key": "/k.pem"}})
    settings = given.beside(Path("/etc/whichlayer"))
    assert settings.data == Path("/etc/whichlayer/d")
    assert settings.tls is not None
    assert settings.tls.certificate == Path("/etc/whichlayer/c.pem")
    assert settings.tls.key == Path("/k.pem")


def test_durations_are_written_with_their_unit() -> None:
    settings = CollectorSettings.model_validate({"flush": "250 ms", "maintain": "2 h"})
    assert (settings.flush, settings.maintain) == (0.25, 7200.0)
    with pytest.raises(ValidationError, match="250 ms, 30 s, 5 min"):
        CollectorSettings.model_validate({"flush": "soon"})


def test_two_sources_of_one_kind_have_a_name_each() -> None:
    one = {"kind": "citrix", "component": "farm"}
    assert CollectorSettings.model_validate({"sources": [one, one | {"component": "farm-2"}]}).sources
    assert CollectorSettings.model_validate({"sources": [one, one | {"kind": "postgresql"}]}).sources
    with pytest.raises(ValueError, match="2 sources of kind citrix have the component 'farm'"):
        CollectorSettings.model_validate({"sources": [one, one]})
