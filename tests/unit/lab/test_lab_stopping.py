"""Every way of being asked to end is the same end, and is heard once."""

import signal

import pytest

from deploy.lab.stopping import Stopped, stoppable

ASKED = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", ASKED)
def test_a_signal_ends_the_lab_once_and_all_is_heard_again_afterwards(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in ASKED]
    taken_down = []
    with pytest.raises(Stopped) as ended, stoppable():
        try:
            signal.raise_signal(number)
        finally:
            for other in ASKED:  # while things are taken down
                signal.raise_signal(other)
            taken_down.append("everything")
    assert ended.value.code == 128 + number
    assert taken_down == ["everything"]
    assert [signal.getsignal(one) for one in ASKED] == before
