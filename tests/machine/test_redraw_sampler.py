"""A small picture drawn in a real X session: timed, at least when it hangs, and no time when nobody could see it."""

import gc
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from Xlib import X
from Xlib.display import Display

from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from probes.drivers.remote.display import OwnDisplay, connected
from probes.samplers.redraw import PLUGIN

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnDisplay]:
    own = OwnDisplay("320x200", tmp_path)
    monkeypatch.setenv("XAUTHORITY", str(own.authority))
    monkeypatch.setenv("DISPLAY", own.name)
    yield own
    own.close()


@contextmanager
def screen_lock(display: Display) -> Iterator[None]:
    """Something that is always on top."""
    window = display.screen().root.create_window(
        0, 0, 320, 200, 0, X.CopyFromParent, override_redirect=1, event_mask=X.VisibilityChangeMask
    )
    window.map()
    display.sync()
    over = threading.Event()

    def stay_on_top() -> None:
        while not over.is_set():
            if display.pending_events() and display.next_event().state != X.VisibilityUnobscured:
                window.configure(stack_mode=X.Above)
                display.flush()

    thread = threading.Thread(target=stay_on_top)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        window.destroy()
        display.sync()


def test_a_picture_is_timed_and_nothing_stays_on_the_screen(session: OwnDisplay) -> None:
    sampler = PLUGIN.open(site="test", component="session-1", settings={})
    for _ in range(3):
        drawn, failed = sampler.read()
        assert 0 < drawn.value < 1
        assert (drawn.layer, dict(drawn.labels), failed.value) == (Layer.REMOTE_SESSION, {}, 0.0)
    looking = connected(session.name, session.authority)
    windows = looking.screen().root.query_tree().children
    assert [one for one in windows if one.get_attributes().map_state == X.IsViewable] == []
    looking.close()
    assert sampler.hindrances() == []
    sampler.close()


def test_a_session_that_hangs_is_at_least_and_comes_back(session: OwnDisplay) -> None:
    sampler = PLUGIN.open(site="test", component="session-1", settings={"timeout": 0.3})
    sampler.read()
    session._process.send_signal(signal.SIGSTOP)
    first, second = sampler.read(), sampler.read()
    session._process.send_signal(signal.SIGCONT)
    assert [dict(one.labels) for one in second] == [{"censored": "at_least"}, {"why": "timeout"}]
    assert 0.3 <= first[0].value <= second[0].value < 2
    threading.Event().wait(0.2)
    assert sampler.read()[1].value == 0.0
    sampler.close()


def test_behind_a_locked_screen_there_is_no_reading_and_no_lower_bound(session: OwnDisplay) -> None:
    sampler = PLUGIN.open(site="test", component="session-1", settings={"timeout": 2})
    told: list[str] = []
    looking = connected(session.name, session.authority)
    with screen_lock(looking):
        while not told or (not told[-1] and len(told) < 100):  # it may be quicker than the lock
            told += sampler.hindrances() or [""]
    assert "the screen is locked" in told[-1]
    assert not any(told[:-1]), "nothing else was said of it, and no lower bound"
    looking.close()
    assert sampler.read()[1].value == 0.0
    sampler.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib, when nobody answers it
def test_without_a_session_it_says_what_to_do(session: OwnDisplay, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = PLUGIN.open(site="test", component="session-1", settings={})
    sampler.read()
    session.close()
    with pytest.raises(WhichlayerError, match=r"went away|cannot be used"):
        sampler.read()
    assert "cannot be used" in sampler.hindrances()[0]
    monkeypatch.delenv("DISPLAY")
    (nowhere,) = PLUGIN.open(site="test", component="session-1", settings={}).hindrances()
    assert "run the agent inside the session" in nowhere
    gc.collect()  # the warnings belong to this test
