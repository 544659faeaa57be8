"""Every way of being asked to end is the same end, and is heard once."""

import signal

import pytest

from deploy.lab.stopping import Stopped, stoppable

ASKED = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def ended_by(number: signal.Signals, taken_down: list[str]) -> None:
    with stoppable():
        try:
            signal.raise_signal(number)
        finally:
            for other in ASKED:  # while things are taken down
                signal.raise_signal(other)
            taken_down.append("everything")


@pytest.mark.parametrize("number", ASKED)
def test_a_signal_ends_the_lab_once_and_all_is_heard_again_afterwards(number: signal.Signals) -> None:
    before, taken_down = [signal.getsignal(one) for one in ASKED], list[str]()
    with pytest.raises(Stopped) as ended:
        ended_by(number, taken_down)
    assert ended.value.code == 128 + number
    assert taken_down == ["everything"]
    assert [signal.getsignal(one) for one in ASKED] == before
