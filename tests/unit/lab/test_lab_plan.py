"""What the demo draws, and when it says right."""

import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.model.access import Link, Population, Presentation
from collector.model.layer import Layer
from collector.model.verdict import LayerState, LayerVerdict, Reference, Rung, Status, Verdict
from collector.plugin import names
from deploy.lab import demo, faults
from deploy.lab.namespace import LabError
from deploy.lab.pace import FAST
from deploy.lab.site import free_port
from deploy.lab.trials.judging import Truth, reading
from deploy.lab.trials.trial import Trial

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def wish(**more: object) -> demo.Wish:
    return replace(demo.Wish(pace=FAST, seed=3), **more)  # type: ignore[arg-type]


def verdict(layer: Layer, link: Link = Link.WIFI, also: Sequence[Layer] = ()) -> Verdict:
    blamed = [
        LayerVerdict(layer=one, component=None, state=LayerState.BLAMED, share=0.5, low=0.4, high=0.6)
        for one in (layer, *also)
    ]
    return Verdict(
        id="v", site="lab", status=Status.SLOW, against=Reference.EXPECTED, rung=Rung.POOLED, journey="j", step="save",
        population=Population(link=link, presentation=Presentation.LOCAL), start=START,
        end=START + timedelta(minutes=1), open=True, runs=9, layers=tuple(blamed), counting_rules="1", snapshot=1,
        digest="d", reached_at=START,
    )  # fmt: skip


def test_every_fault_there_is_has_its_place() -> None:
    assert set(demo.known()) == {*names(faults), demo.FROM_START}


def test_a_seed_draws_the_same_again() -> None:
    assert demo.plan(wish(blind=True)) == demo.plan(wish(blind=True))
    orders = {tuple(one.name for one in demo.plan(wish(blind=True, seed=seed))) for seed in range(20)}
    assert len(orders) > 10
    assert {order[-1] for order in orders} == {demo.FROM_START}  # it begins anew


def test_open_demo_keeps_the_order_and_may_be_part() -> None:
    assert [one.name for one in demo.plan(wish())] == list(demo.ORDER)
    assert [one.name for one in demo.plan(wish(faults=("steal",)))] == ["steal"]
    assert [one.name for one in demo.plan(wish(faults=("query", "wifi")))] == ["wifi", "query"]
    strengths = [strength for one in demo.plan(wish()) for strength in one.strengths]
    assert len(strengths) == len(demo.ORDER)
    assert all(0 <= strength <= 1 for strength in strengths)


def test_unknown_fault_is_told_with_those_there_are() -> None:
    with pytest.raises(LabError, match="there is no fault flood: there are wifi, wifi_roam"):
        demo.plan(wish(faults=("flood",)))


def trial(*truths: Truth, said: Sequence[Verdict] = (), **more: object) -> Trial:
    told = reading(truths, said)
    judged = Trial(name="t", words="", truths=truths, named=told.named, strangers=told.strangers, verdicts=tuple(said))
    return replace(judged, **more)  # type: ignore[arg-type]


WIFI, STORAGE = Truth(Layer.ACCESS_NETWORK, Link.WIFI), Truth(Layer.STORAGE)


def test_right_is_the_layer_named_first_for_the_access_it_is_true_of() -> None:
    assert not trial(WIFI).right  # nothing was said
    assert trial(WIFI).refused
    assert trial(WIFI, said=[verdict(Layer.ACCESS_NETWORK)]).right
    assert not trial(WIFI, said=[verdict(Layer.STORAGE)]).right
    assert not trial(WIFI, said=[verdict(Layer.STORAGE)]).refused
    assert not trial(WIFI, said=[verdict(Layer.ACCESS_NETWORK, Link.WIRED)]).right
    assert trial(WIFI, said=[verdict(Layer.ACCESS_NETWORK, also=(Layer.STORAGE,))]).right
    assert not trial(WIFI, said=[verdict(Layer.STORAGE, also=(Layer.ACCESS_NETWORK,))]).right


def test_of_two_both_are_named_and_nobody_else() -> None:
    wifi, storage = verdict(Layer.ACCESS_NETWORK), verdict(Layer.STORAGE, Link.WIRED)
    assert trial(WIFI, STORAGE, said=[wifi, storage]).right
    assert trial(WIFI, STORAGE, said=[verdict(Layer.STORAGE, also=(Layer.ACCESS_NETWORK,))]).right
    one = trial(WIFI, STORAGE, said=[wifi])
    assert (one.right, one.refused) == (False, False)
    assert one.named == {WIFI}
    third = trial(WIFI, STORAGE, said=[wifi, storage, verdict(Layer.DATABASE, Link.WIRED)])
    assert (third.right, third.strangers) == (False, (Layer.DATABASE,))
    where = trial(WIFI, STORAGE, said=[wifi, storage, verdict(Layer.ACCESS_NETWORK, Link.WIRED)])
    assert (where.right, where.strangers) == (False, (Layer.ACCESS_NETWORK,))


def test_innocent_is_right_only_when_nothing_is_said_and_skipped_is_never_a_pass() -> None:
    assert trial().right
    assert not trial(said=[verdict(Layer.STORAGE)]).right
    skipped = trial(skipped="no /dev/fuse")
    assert not skipped.right
    assert skipped.json()["right"] is None


def test_json_line_has_the_promised_keys() -> None:
    line = trial(STORAGE, said=[verdict(Layer.STORAGE)], seconds=41.26).json()
    assert list(line) == ["fault", "truth", "verdict", "right", "seconds_to_verdict", "skipped"]
    assert (line["truth"], line["right"], line["seconds_to_verdict"]) == ("storage", True, 41.3)
    assert line["verdict"]["layers"][0]["layer"] == "storage"


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(LabError, match="choose another"):
        free_port(taken.getsockname()[1])
