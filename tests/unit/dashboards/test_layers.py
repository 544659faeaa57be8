"""A reader sees who is blamed, who may be, who is cleared and why; what says nothing stands aside."""

from dataclasses import replace
from datetime import timedelta

from collector.model.layer import Layer
from collector.model.verdict import Evidence, Interval, LayerState, LayerVerdict, Reference, Verdict
from dashboards import quantity, wording
from dashboards.layers import arranged
from dashboards.web.pages.overview import closed
from tests.browser.scene import NOW, slow

HOUR = timedelta(hours=1)

MOVED = Evidence(rule="infrastructure.db.busy", text="busy: 1 before and 2 during", supports=True, before=1, during=2)


def part(layer: Layer, state: LayerState, share: float = 0.0, high: float = 0.0) -> LayerVerdict:
    return LayerVerdict(layer=layer, component=None, state=state, share=share, low=0.0, high=high)


def verdict(*parts: LayerVerdict, inseparable: tuple[tuple[Layer, ...], ...] = ()) -> Verdict:
    missing = set(Layer) - {one.layer for one in parts}
    rest = [part(layer, LayerState.NOT_MEASURED) for layer in Layer if layer in missing]
    return slow(layers=(*parts, *rest), inseparable=inseparable)


def test_a_layer_without_a_share_does_not_stand_beside_the_blamed_one() -> None:
    database = replace(part(Layer.DATABASE, LayerState.INCONCLUSIVE), evidence_for=(MOVED,))
    told = arranged(
        verdict(
            part(Layer.STORAGE, LayerState.BLAMED, 0.9, 1.0),
            database,
            part(Layer.APPLICATION, LayerState.CLEARED, 0.0, 0.03),
        )
    )
    assert [(row.name, row.share) for row in told.rows] == [
        ("the storage", "90 % (0 to 100 %)"),
        ("the application (release, code)", "at most 3 %"),
    ]
    assert [(row.name, row.evidence_for) for row in told.undecided] == [("the database", (MOVED,))]
    assert len(told.unmeasured) == len(Layer) - 3
    assert "the endpoint itself" in told.unmeasured


def test_layers_that_cannot_be_told_apart_are_one_row_with_their_evidence_once() -> None:
    both = [
        replace(part(layer, LayerState.INCONCLUSIVE, 0.4, 0.9), evidence_for=(MOVED,))
        for layer in (Layer.ACCESS_NETWORK, Layer.NETWORK_CORE)
    ]
    told = arranged(verdict(*both, inseparable=((Layer.ACCESS_NETWORK, Layer.NETWORK_CORE),)))
    row = told.rows[0]
    assert (
        row.name,
        row.state,
        row.share,
        list(row.evidence_for),
    ) == (
        "the access network (WiFi) or the core network (WAN, firewall, proxy, DNS)",
        LayerState.INCONCLUSIVE,
        "together about 80 %",
        [MOVED],
    )
    assert not told.undecided


def test_groups_that_share_a_layer_stay_apart_so_that_every_layer_is_shown_once() -> None:
    layers = (Layer.APP_SERVER, Layer.APPLICATION, Layer.DATABASE)
    open_parts = [part(layer, LayerState.INCONCLUSIVE, 0.3, 0.9) for layer in layers]
    told = arranged(verdict(*open_parts, inseparable=(layers[:2], layers[1:])))
    assert [row.part for row in told.rows] == open_parts


def test_numbers_that_the_text_says_already_are_not_said_twice() -> None:
    assert not wording.numbers(MOVED)
    assert wording.numbers(replace(MOVED, text="Busy rose.")) == "before 1.0, during 2.0"


def test_an_episode_held_against_two_references_is_listed_once_when_it_has_ended() -> None:
    ended = [slow(id=f"v-{against}", against=against, open=False) for against in (Reference.TARGET, Reference.EXPECTED)]
    assert [verdict.id for verdict in closed([*ended, slow(id="open")])] == ["v-expected"]
    later = slow(id="later", against=Reference.TARGET, open=False, start=NOW + HOUR, end=NOW + 2 * HOUR)
    assert [verdict.id for verdict in closed([*ended, later])] == ["later", "v-expected"]


def test_what_is_wholly_one_layers_has_no_range() -> None:
    whole = slow(layers=(replace(slow().layers[0], share=1.0, low=1.0, high=1.0),))
    assert wording.cause(whole) == "Nearly all of it is the access network (WiFi)."


def test_a_number_without_a_range_is_said_once() -> None:
    assert quantity.interval(Interval(estimate=2.0, low=2.0, high=2.0)) == "2.0 s"
