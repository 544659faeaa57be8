"""What the driver and the program in the session make of each other's files, and of what is not theirs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from collector.model.errors import WhichlayerError
from probes.driver import WalkContext
from probes.drivers.remote.inside.asking import Inside
from probes.drivers.remote.inside.exchange import ANSWER, REQUEST, WATCHING, Answer, Exchange, Request
from probes.drivers.remote.inside.watch import Watcher
from probes.drivers.remote.settings import InsideSettings
from probes.drivers.remote.sight import Images
from probes.drivers.remote.viewer import Look, Moment, Picture
from probes.journey.file import parse
from probes.journey.screen import Box, Sight

RUN, OTHER = "0" * 31 + "1", "0" * 31 + "2"
JOURNEY = parse("name: s\nsteps: [{step: search, screen: [{wait_for: {change: true}}]}]", Path("s.yaml"))
GREEN = Sight(colour="#20a040", region=(0, 0, 10, 10))
OUTSIDE = Moment(0.5, 0.01)
TRUE = {"run_id": RUN, "step": "search", "number": 1, "program": "whichlayer-1", "seconds": 0.4, "uncertainty": 0.002}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def asking(folder: Path) -> tuple[Inside, WalkContext]:
    context = WalkContext(run_id=RUN, journey=JOURNEY)
    return Inside(context, InsideSettings(folder=folder, patience=0.1), Images({})), context


def answered(folder: Path, text: str) -> tuple[Moment | None, str]:
    """Ask, let somebody answer with a file that holds ``text``, and give what is made of it."""
    inside, context = asking(folder)
    name = f"{RUN}-00001"
    (folder / (name + WATCHING)).touch()
    inside.ask("search", GREEN, 5.0)
    (folder / (name + ANSWER)).write_text(text)
    found = inside.answer(OUTSIDE)
    assert list(folder.iterdir()) == []
    return found, context.facts["inside"]


def test_an_answer_is_used_with_the_uncertainty_of_both_sides(folder: Path) -> None:
    assert answered(folder, Answer.model_validate(TRUE).model_dump_json()) == (
        Moment(0.4, 0.002), "search: ± 12.0 ms (whichlayer-1)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run_id": OTHER}, "an answer about something else"),
        ({"step": "open"}, "an answer about something else"),
        ({"number": 2}, "an answer about something else"),
        ({"seconds": 0.52}, "longer inside than outside, not used"),
        ({"seconds": None, "reason": "not seen in time"}, "no answer, not seen in time"),
    ],
)
def test_an_answer_that_cannot_be_right_is_never_used(folder: Path, change: dict[str, object], words: str) -> None:
    text = Answer.model_validate({**TRUE, **change}).model_dump_json()
    assert answered(folder, text) == (None, f"search: {words}")


@pytest.mark.parametrize(
    "text",
    ["", Answer.model_validate(TRUE).model_dump_json()[:-9], "[1]", '{"format": 2}', '{"seconds": NaN}', "\0" * 99],
)
def test_half_an_answer_is_none(folder: Path, text: str) -> None:
    assert answered(folder, text) == (None, "search: no answer")


def test_what_an_earlier_run_left_is_not_looked_at(folder: Path) -> None:
    for name in (f"{OTHER}-00001", f"{RUN}-00002"):
        (folder / (name + ANSWER)).write_text(Answer.model_validate(TRUE).model_dump_json())
    inside, context = asking(folder)
    (folder / (f"{RUN}-00001" + WATCHING)).touch()
    inside.ask("search", GREEN, 5.0)
    assert inside.answer(OUTSIDE) is None
    assert context.facts["inside"] == "search: no answer"


def test_nobody_there_is_waited_for_once(folder: Path) -> None:
    inside, context = asking(folder)
    inside.ask("search", GREEN, 5.0)
    began = time.perf_counter()
    inside.ask("open", GREEN, 5.0)
    assert inside.answer(OUTSIDE) is None
    assert time.perf_counter() - began < 0.09  # the patience is 0.1 s
    assert context.facts["inside"] == "search: no answer, nobody watches"
    assert list(folder.iterdir()) == []


def test_a_folder_others_can_reach_is_not_used(folder: Path) -> None:
    folder.chmod(0o750)
    with pytest.raises(WhichlayerError, match="others can reach"):
        Exchange(folder)
    inside, context = asking(folder)
    inside.ask("search", GREEN, 5.0)
    assert list(folder.iterdir()) == []
    assert context.facts["inside"].startswith("not used, others can reach")


@dataclass
class Panel:
    """A display of one colour: at ``inputs`` somebody types, at ``green_at`` it turns green (seconds from now)."""

    inputs: tuple[float, ...]
    green_at: float
    picture: Picture = field(default_factory=lambda: np.zeros((10, 10, 3), np.uint8))
    began: float = field(default_factory=time.perf_counter)

    def only(self, part: Box | None) -> None:
        pass

    def look(self, deadline: float) -> Look:
        before = time.perf_counter()
        turns = self.began + self.green_at
        time.sleep(max(0.0, min(deadline, turns if turns > before else deadline) - before))
        now = time.perf_counter()
        if now < turns or self.picture.any():
            return Look(None, now, now)
        self.picture[:] = (0x40, 0xA0, 0x20)
        return Look((0, 0, 10, 10), before, now)

    def last_input(self) -> Moment:
        age = time.perf_counter() - self.began
        return Moment(self.began + max((one for one in self.inputs if one <= age), default=-9.0), 0.001)


@contextmanager
def watching(folder: Path, panel: Panel) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=Watcher(folder, panel).run, args=(over.is_set,))
    thread.start()
    yield
    over.set()
    thread.join()


def told(folder: Path, panel: Panel, name: str = f"{RUN}-00001", patience: float = 0.8) -> Answer | None:
    exchange = Exchange(folder)
    exchange.put(name + REQUEST, Request(run_id=RUN, step="search", number=1, within=2.0, sight=GREEN))
    with watching(folder, panel):
        until = time.perf_counter() + patience
        while not exchange.has(name + ANSWER) and time.perf_counter() < until:
            time.sleep(0.01)
    return exchange.get(name + ANSWER, Answer)


def test_it_is_timed_from_the_first_input_after_the_request(folder: Path) -> None:
    found = told(folder, Panel(inputs=(-1.0, 0.2), green_at=0.35))
    assert found is not None
    assert found.seconds == pytest.approx(0.15, abs=0.1)
    assert (found.run_id, found.step, found.number, found.reason) == (RUN, "search", 1, None)


def test_without_an_input_it_is_silent(folder: Path) -> None:
    assert told(folder, Panel(inputs=(-1.0,), green_at=0.1), patience=0.3) is None


def test_two_who_type_are_not_one_input(folder: Path) -> None:
    found = told(folder, Panel(inputs=(0.15, 0.45), green_at=0.6))
    assert found is not None
    assert (found.seconds, found.reason) == (None, "somebody else used the session")


def test_a_request_with_anothers_name_is_left_alone(folder: Path) -> None:
    assert told(folder, Panel(inputs=(0.2,), green_at=0.3), name=f"{OTHER}-00001", patience=0.5) is None
