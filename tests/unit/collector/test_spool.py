"""The spool keeps what it said it keeps, over torn writes, full disks and many threads."""

import errno
import os
import resource
import signal
import tempfile
import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model.errors import StoreError, StoreFull
from collector.spool import Spool

LIMIT = 1 << 20


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path, limit_bytes=LIMIT)) as opened:
        yield opened


def keep(spool: Spool, payload: bytes) -> int:
    sequence = spool.write(payload)
    spool.sync(sequence)
    return sequence


def reopened(folder: Path) -> list[tuple[int, bytes]]:
    with closing(Spool(folder, limit_bytes=LIMIT)) as spool:
        return list(spool.records())


def only_segment(folder: Path) -> Path:
    (path,) = folder.glob("*.spool")
    return path


def test_records_come_back_in_order_with_their_sequences(spool: Spool, tmp_path: Path) -> None:
    assert [keep(spool, payload) for payload in (b"one", b"", b"three")] == [1, 2, 3]
    spool.close()
    assert reopened(tmp_path) == [(1, b"one"), (2, b""), (3, b"three")]


def test_what_is_released_is_gone_and_what_is_not_stays(spool: Spool, tmp_path: Path) -> None:
    keep(spool, b"one")
    keep(spool, b"two")
    spool.release(1)  # both lie in one segment
    assert [payload for _, payload in spool.records()] == [b"one", b"two"]
    spool.release(2)
    assert list(spool.records()) == []
    assert spool.size == 0
    assert keep(spool, b"three") == 3
    spool.close()
    assert reopened(tmp_path) == [(3, b"three")]


def test_sequences_never_repeat_even_when_the_spool_was_empty_at_the_end(spool: Spool, tmp_path: Path) -> None:
    keep(spool, b"one")
    spool.release(1)
    spool.close()
    with closing(Spool(tmp_path, limit_bytes=LIMIT)) as again:
        again.begin_after(1)
        assert keep(again, b"two") == 2


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    with closing(Spool(tmp_path, limit_bytes=LIMIT, segment_bytes=64)) as spool:
        for number in range(10):
            keep(spool, bytes(20) + bytes([number]))
        assert len(list(tmp_path.glob("*.spool"))) == 5
        spool.release(5)
        assert [sequence for sequence, _ in spool.records()] == [5, 6, 7, 8, 9, 10]
    assert [payload[-1] for _, payload in reopened(tmp_path)] == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("cut", [1, 5, 20, 30])
def test_a_torn_tail_is_cut_and_writing_goes_on(spool: Spool, tmp_path: Path, cut: int) -> None:
    keep(spool, b"first record")
    keep(spool, b"second record")
    spool.close()
    path = only_segment(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    with closing(Spool(tmp_path, limit_bytes=LIMIT)) as again:
        assert [payload for _, payload in again.records()] == [b"first record"]
        keep(again, b"third")
        assert [payload for _, payload in again.records()] == [b"first record", b"third"]
    assert [payload for _, payload in reopened(tmp_path)] == [b"first record", b"third"]


def test_a_flipped_bit_is_seen_and_told(spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(spool, b"first record")
    keep(spool, b"second record")
    spool.close()
    path = only_segment(tmp_path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 0b100
    path.write_bytes(content)
    assert reopened(tmp_path) == [(1, b"first record")]
    assert f"{path}: 37 bytes after its last sound record are cut off" in caplog.text
    caplog.clear()
    assert reopened(tmp_path) == [(1, b"first record")]
    assert caplog.text == "", "nothing was cut this time"


# Short ones, long ones, ones that look like headers: what a record holds must not matter.
PAYLOADS = st.lists(
    st.binary(max_size=40) | st.sampled_from([b"wls1", b"wls1" * 9, bytes(24), b"x" * 3000]), min_size=1, max_size=6
)


@settings(max_examples=150, deadline=None)
@given(payloads=PAYLOADS, place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_damaged_byte_costs_its_own_record_only(payloads: list[bytes], place: float, flip: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(Spool(folder, limit_bytes=LIMIT)) as spool:
            for payload in payloads:
                keep(spool, payload)
            ends = list(accumulate(24 + len(payload) for payload in payloads))
        path = only_segment(folder)
        content = bytearray(path.read_bytes())
        assert len(content) == ends[-1]
        at = int(place * len(content))
        content[at] ^= flip
        path.write_bytes(content)
        hit = bisect_right(ends, at) + 1
        sound = [(number, payload) for number, payload in enumerate(payloads, 1) if number != hit]
        with closing(Spool(folder, limit_bytes=LIMIT)) as again:
            assert list(again.records()) == sound
            assert again.damaged == (hit < len(payloads)), "at the end it cannot be told from a torn tail"
            assert keep(again, b"next") == (len(payloads) + 1 if hit < len(payloads) else hit)
        assert [payload for _, payload in reopened(folder)] == [*(payload for _, payload in sound), b"next"]


def test_several_damaged_records_are_counted_and_told(
    spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for payload in (b"first", b"second", b"third", b"fourth"):
        keep(spool, payload)
    spool.close()
    path = only_segment(tmp_path)
    content = path.read_bytes().replace(b"second", b"SECOND").replace(b"third", b"THIRD")
    path.write_bytes(content)
    with closing(Spool(tmp_path, limit_bytes=LIMIT)) as again:
        assert list(again.records()) == [(1, b"first"), (4, b"fourth")]
        assert again.damaged == 2
        again.release(4)
        assert again.size == 0
    assert f"{path}: 2 records before record 4 are damaged and lost (59 bytes)" in caplog.text


def test_a_full_spool_refuses_and_keeps_nothing_of_the_record(tmp_path: Path) -> None:
    with closing(Spool(tmp_path, limit_bytes=100)) as spool:
        keep(spool, bytes(50))
        with pytest.raises(StoreFull, match="100 bytes"):
            spool.write(bytes(50))
        assert len(list(spool.records())) == 1
        keep(spool, b".")
        spool.release(2)
        keep(spool, bytes(50))


def test_a_full_disk_takes_the_half_written_record_back(tmp_path: Path) -> None:
    """A limit on the size of files breaks a write off in the middle, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with closing(Spool(tmp_path, limit_bytes=LIMIT)) as spool:
        keep(spool, b"safe")
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
            with pytest.raises(StoreError):
                spool.write(bytes(5000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        keep(spool, b"later")
    assert [payload for _, payload in reopened(tmp_path)] == [b"safe", b"later"]


def test_a_failed_sync_loses_what_was_not_safe_and_says_so(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(spool, b"safe")
    lost = [spool.write(b"lost"), spool.write(b"lost too")]

    def fails(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(StoreError, match="Input/output"):
        spool.sync(lost[0])
    monkeypatch.undo()
    with pytest.raises(StoreError, match="send it again"):
        spool.sync(lost[1])
    assert keep(spool, b"next") > lost[1]
    with pytest.raises(StoreError, match="send it again"):
        spool.sync(lost[1])
    spool.close()
    assert [payload for _, payload in reopened(tmp_path)] == [b"safe", b"next"]


def test_threads_share_syncs_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    real = os.fdatasync

    def counted(descriptor: int) -> None:
        syncs.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    with closing(Spool(tmp_path, limit_bytes=LIMIT, segment_bytes=2000)) as spool:

        def work(name: int) -> None:
            for number in range(50):
                keep(spool, f"{name}-{number}".encode())

        threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(syncs) <= 300
    found = reopened(tmp_path)
    assert [sequence for sequence, _ in found] == list(range(1, 301))
    assert sorted(payload.decode() for _, payload in found) == sorted(f"{a}-{b}" for a in range(6) for b in range(50))


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Spool(tmp_path / "file" / "spool", limit_bytes=LIMIT)
