"""Worlds in which the bad runs have something in common: a verdict names it, and nothing where they have not."""

from dataclasses import replace
from functools import lru_cache

import pandas as pd

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict, Where
from dashboards import wording
from tests.worlds.generator import WIFI, Fault, World, window

SLOW = Fault(seconds={Phase.PROCESSING: 0.4}, steps=["save"], populations=[WIFI])


def elsewhere(facts: Window, site: str) -> pd.DataFrame:
    steps = facts.steps
    return steps.assign(site=site, endpoint=steps["endpoint"] + "-" + site, run_id=site + steps["run_id"].str[6:])


def joined(facts: Window, *frames: pd.DataFrame) -> Window:
    both = pd.concat([facts.steps, *frames]).sort_values(["slot", "run_id", "position"], kind="stable")
    return replace(facts, steps=both.reset_index(drop=True))


@lru_cache
def one_site() -> Window:
    return window(World(faults=[SLOW]))


@lru_cache
def another_site() -> pd.DataFrame:
    return elsewhere(window(World(seed=2)), "site-2")


def save(facts: Window) -> list[Verdict]:
    found = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    return [one for one in found if one.step == "save" and one.status is Status.SLOW]


def test_slow_on_wifi_at_one_site_is_said_so() -> None:
    (verdict,) = save(joined(one_site(), another_site()))
    assert verdict.where is not None
    assert verdict.where.attributes == {"site": "site-1", "link": "wifi"}
    assert verdict.where.bad >= 0.9 * verdict.where.runs
    assert verdict.where.bad_elsewhere <= 0.1 * verdict.where.runs_elsewhere
    assert "locate" in {use.name for use in verdict.methods}


def test_a_release_that_only_some_have_is_part_of_it() -> None:
    """A second WiFi endpoint at the site stays on the old release and is not slow."""
    made = one_site()
    steps = made.steps.assign(release="3.59")
    calm = window(World(seed=3)).steps
    beside = calm[calm["link"] == "wifi"].assign(endpoint="pc-wifi-2", run_id="beside" + calm["run_id"].str[6:])
    (verdict,) = save(joined(replace(made, steps=steps), beside, another_site().assign(release="3.59")))
    assert verdict.where is not None
    assert verdict.where.attributes == {"site": "site-1", "link": "wifi", "release": "3.59"}


def test_slow_for_everybody_is_nowhere_in_particular() -> None:
    facts = window(World(faults=[replace(SLOW, populations=World().populations)]))
    found = save(facts)
    assert len(found) == len(World().populations)
    assert {one.where for one in found} == {None}


def test_the_sentence() -> None:
    (verdict,) = save(one_site())
    place = Where(
        attributes={"site": "town", "link": "wifi", "release": "3.59"},
        bad=38,
        runs=40,
        bad_elsewhere=3,
        runs_elsewhere=160,
    )
    assert wording.where(replace(verdict, where=place)) == (
        "It is the runs with site town, WiFi, release 3.59: 38 of 40 were slow or failed, "
        "of all other runs of the step 3 of 160."
    )
    assert not wording.where(replace(verdict, where=None))
