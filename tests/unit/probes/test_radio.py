"""The radio's words, as a real kernel with a simulated radio wrote them (association, roam, loss)."""

import sys

import pytest

from collector.model.errors import WhichlayerError
from collector.model.sample import Sample
from probes.context.radio import Association, KernelRadio, association_of
from probes.samplers.wifi import OpenWifi
from tests.recordings.wifi import Recorded, replies, resent, stations

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="netlink is of Linux")


def read(moment: str) -> Association:
    found = association_of(stations(replies(moment)))
    assert found is not None
    return found


def test_an_association_is_read() -> None:
    found = read("associated")
    assert (found.signal, found.bitrate, found.retries) == (-30.0, 54e6, 0)
    assert found.access_point == "02:00:00:00:00:00"
    assert found.seconds is not None
    assert found.began is not None
    assert "02:00" not in repr(found)


def test_no_association_is_none() -> None:
    assert association_of(stations(replies("access point gone"))) is None


@pytest.mark.parametrize(
    ("before", "now", "continues"),
    [
        ("associated", "after traffic", True),
        ("after traffic", "roamed", False),
        ("roamed", "stayed", True),
        ("stayed", "associated anew", False),  # with the same access point
    ],
)
def test_a_roam_and_a_new_association_are_told_from_staying(before: str, now: str, continues: bool) -> None:
    assert read(now).continues(read(before)) is continues


def test_without_the_moment_it_began_its_length_tells() -> None:
    young, old = (Association(access_point="a", seconds=seconds) for seconds in (1, 100))
    assert old.continues(young)
    assert not young.continues(old)
    assert Association(access_point="a").continues(old)


def readings(radio: Recorded, times: int) -> list[list[Sample]]:
    sampler = OpenWifi(site="test", component="desk-1", device="wlan0", radio=radio)
    found = [list(sampler.read()) for _ in range(times)]
    sampler.close()
    assert radio.closed
    return found


def values(samples: list[Sample]) -> dict[str, float]:
    return {sample.metric.removeprefix("endpoint.wifi."): sample.value for sample in samples}


def test_the_sampler_counts_roams_and_frames_sent_again() -> None:
    later = resent(replies("after traffic"), 40)
    first, traffic, roamed, stayed, anew, gone = readings(
        Recorded("associated", later, "roamed", "stayed", "associated anew", "access point gone"), 6
    )
    assert values(first) == {"signal": -30.0, "bitrate": 54e6}  # a rate needs two readings
    resending = next(sample for sample in traffic if sample.metric == "endpoint.wifi.retries")
    assert resending.period_seconds is not None
    assert resending.value * resending.period_seconds == pytest.approx(40)
    assert values(traffic)["roams"] == 0
    assert "retries" not in values(roamed)  # another association counts from zero
    assert [values(samples)["roams"] > 0 for samples in (roamed, stayed, anew)] == [True, False, True]
    assert values(roamed)["bitrate"] == 6e6
    assert gone == []
    assert not any("02:00" in repr(sample) for samples in (first, traffic, roamed) for sample in samples)


def test_a_machine_without_a_radio_or_device_says_so() -> None:
    with pytest.raises(WhichlayerError, match=r"no WiFi radio here|nosuchdevice0 cannot be asked"):
        closing_radio("nosuchdevice0")


def closing_radio(device: str) -> None:
    radio = KernelRadio()
    try:
        radio.association(device)
    finally:
        radio.close()
