"""The map of the estate: the example is right, every mistake has its place, and what is shared depends on the day."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from collector import estate
from collector.model.errors import ConfigError
from collector.model.estate import Estate
from collector.model.layer import Layer

EXAMPLE = (files("collector") / "example-estate.yaml").read_text("utf-8")
OVERLAP = "overlap: one answers at a time"
BACKWARDS = "  - {name: x, layer: disk, kind: k, supplied: [{by: s, from: 2027-01-02, to: 2027-01-01}]}"
BEFORE, AFTER = datetime(2026, 11, 27, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def council() -> Estate:
    return estate.understood(EXAMPLE, Path("estate.yaml"))


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        estate.understood(text, Path("e.yaml"))
    return [str(mistake) for mistake in caught.value.mistakes]


def test_live_and_test_share_a_host_and_a_lun_until_january(council: Estate) -> None:
    assert council.shared(BEFORE) == {"host-1": {"live", "test"}, "lun-7": {"live", "test"}}
    assert council.shared(AFTER) == {}
    last_day = datetime(2027, 1, 10, 23, 59, tzinfo=UTC)
    assert "lun-7" in council.shared(last_day)


def test_who_answers_changes_with_the_day_and_is_unknown_where_several_do(council: Estate) -> None:
    assert council.supplier(Layer.STORAGE, "lun-7", environment="live", at=BEFORE) == "hosting-old"
    assert council.supplier(Layer.STORAGE, None, environment="live", at=AFTER) == "hosting-new"
    assert council.supplier(Layer.VIRTUALISATION, "esx01.example", environment="live", at=BEFORE) == "hosting-old"
    assert council.supplier(Layer.STORAGE, "lun-7-volume-2", environment="live", at=BEFORE) == "hosting-old"  # a part
    assert council.supplier(Layer.IDENTITY, None, environment="live", at=BEFORE) is None


def test_the_digest_names_what_the_map_says_and_not_how_it_is_written(council: Estate) -> None:
    commented = estate.understood("# written anew\n" + EXAMPLE, Path("estate.yaml"))
    assert commented == council
    moved = estate.understood(EXAMPLE.replace("to: 2027-01-10", "to: 2027-01-11", 1), Path("estate.yaml"))
    assert moved.digest != council.digest


def test_every_mistake_of_a_map_is_told_at_once_with_its_place() -> None:
    text = """\
sites: [{name: here}]
suppliers: [{name: old}, {name: new}]
components:
  - {name: a, layer: app_server, kind: vm, site: there, runs_on: [{on: b}], environments: [live, tset]}
  - {name: b, layer: virtualisation, kind: host, runs_on: [{on: a}], supplied: [{by: nobody}]}
  - name: lun
    layer: storage
    kind: lun
    supplied: [{by: old, to: 2027-01-10}, {by: new, from: 2027-01-10}]
  - {name: lun, layer: storage, kind: lun}
"""
    known = "check its spelling, or add it there"
    assert mistakes(text) == [
        f"e.yaml:4:44 components.0.site: 'there' is not among the sites: {known}",
        "e.yaml:4:67 components.0.runs_on.0: runs on itself: a on b on a",
        f"e.yaml:4:98 components.0.environments.1: 'tset' is not among the environments: {known}",
        f"e.yaml:5:82 components.1.supplied.0.by: 'nobody' is not among the suppliers: {known}",
        f"e.yaml:9:43 components.2.supplied.1: new (from 2027-01-10) and old (until 2027-01-10) {OVERLAP}",
        "e.yaml:10:6 components.3.name: 'lun' is there already: names are given once",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sites: [{name: here}]\nrooms: []", "e.yaml:2:1 rooms: is not a known key"),
        ("sites: [{name: Here!}]", "e.yaml:1:10 sites.0.name"),
        ("sites: []", "sites"),
        (f"sites: [{{name: a}}]\ncomponents:\n{BACKWARDS}", "ends before it begins"),
    ],
)
def test_what_a_map_cannot_say_is_refused(text: str, words: str) -> None:
    assert any(words in mistake for mistake in mistakes(text))


def test_probes_of_what_is_not_there_or_of_one_series_twice_have_their_places() -> None:
    text = """\
sites: [{name: here}]
endpoints: [{name: desk, site: here}]
probes:
  - {instance: "https://a/", job: one, endpoint: desk, journey: j, link: cable}
"""
    assert "e.yaml:4:68 probes.0.link" in mistakes(text)[0]
    text = text.replace("cable", "wired")
    made = estate.understood(text, Path("e.yaml")).probes[0]
    assert made.has({"instance": "https://a/", "job": "one", "zone": "z"})
    assert not made.has({"instance": "https://a/", "job": "two"})
    text += """\
  - {instance: "https://a/", job: two, endpoint: dsk, journey: j, environment: tset}
  - {instance: "https://a/", labels: {zone: z}, endpoint: desk, journey: j}
"""
    known, twice = "check its spelling, or add it there", "too: tell them apart by job or labels"
    assert mistakes(text) == [
        f"e.yaml:5:40 probes.1.endpoint: 'dsk' is not among the endpoints: {known}",
        f"e.yaml:5:67 probes.1.environment: 'tset' is not among the environments: {known}",
        f"e.yaml:6:6 probes.2.instance: its series may be those of probes.0 {twice}",
        f"e.yaml:6:6 probes.2.instance: its series may be those of probes.1 {twice}",
    ]


def test_hosts_that_swap_in_time_are_no_cycle() -> None:
    text = """\
sites: [{name: here}]
components:
  - {name: a, layer: app_server, kind: vm, runs_on: [{on: b, to: 2027-01-10}]}
  - {name: b, layer: app_server, kind: vm, runs_on: [{on: a, from: 2027-01-11}]}
"""
    assert len(estate.understood(text, Path("e.yaml")).components) == 2


def test_one_name_of_another_product_for_two_components_is_refused() -> None:
    one = "{{name: {}, layer: storage, kind: lun, called: [vol1]}}"
    text = f"sites: [{{name: here}}]\ncomponents: [{one.format('a')}, {one.format('b')}]"
    assert len(mistakes(text)) == 2
