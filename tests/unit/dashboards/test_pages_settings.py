"""What may be said about the pages, and what is refused."""

from pathlib import Path

import pytest

from collector.document import parse
from collector.model.errors import ConfigError
from dashboards.settings import PagesSettings


def test_without_a_word_the_zone_is_this_machines() -> None:
    assert PagesSettings().zone() is None


def test_a_zone_has_a_name_of_the_database() -> None:
    assert str(parse("timezone: Europe/London", Path("w.yaml"), PagesSettings).zone()) == "Europe/London"


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "GMT+25:99", '""'])
def test_what_is_not_a_zone_is_refused_at_its_place(name: str) -> None:
    with pytest.raises(ConfigError, match=r"w.yaml:1:\d+ timezone: is not a time zone"):
        parse(f"timezone: {name}", Path("w.yaml"), PagesSettings)
