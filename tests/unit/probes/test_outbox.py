"""What was put in comes out once, in order, whatever happens in between; what had to go is told."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.model.errors import WhichlayerError
from probes.agent.outbox import BATCH_ROWS, REFUSED_FILES, Kind, Outbox

LIMIT = 1 << 20


def rows(count: int, size: int = 10) -> list[str]:
    return [json.dumps({"number": number, "fill": "x" * size}) for number in range(count)]


def test_batches_keep_order_and_numbers_grow(tmp_path: Path) -> None:
    box = Outbox(tmp_path, limit_bytes=LIMIT)
    sent = rows(BATCH_ROWS + 20)
    box.put(Kind.SAMPLES, sent)
    box.put(Kind.RUNS, ['{"run":1}'])
    taken: list[str] = []
    kinds, sequences = [], []
    while batch := box.seal("agent-1"):
        assert box.seal("agent-1") == batch  # not done: the same number means the same rows
        kinds.append(batch.kind)
        sequences.append(batch.sequence)
        taken += batch.rows if batch.kind is Kind.SAMPLES else ()
        box.done(batch)
    assert taken == sent
    assert kinds == [Kind.RUNS, Kind.SAMPLES, Kind.SAMPLES]
    assert sequences == sorted(set(sequences))
    assert (box.bytes, box.waiting()) == (0, 0)
    box.close()


def test_numbers_go_on_after_a_restart_and_after_the_file_is_lost(tmp_path: Path) -> None:
    box = Outbox(tmp_path, limit_bytes=LIMIT)
    box.put(Kind.RUNS, rows(1))
    first = box.seal("agent-1")
    assert first is not None
    box.close()
    again = Outbox(tmp_path, limit_bytes=LIMIT)
    assert again.seal("agent-1") == first
    again.done(first)
    again.close()
    (tmp_path / "outbox.sqlite").unlink()
    time.sleep(0.005)
    fresh = Outbox(tmp_path, limit_bytes=LIMIT)
    fresh.put(Kind.RUNS, rows(1))
    later = fresh.seal("agent-1")
    assert later is not None
    assert later.sequence > first.sequence
    fresh.close()


def test_another_enrolment_gets_numbers_of_its_own(tmp_path: Path) -> None:
    box = Outbox(tmp_path, limit_bytes=LIMIT)
    box.put(Kind.RUNS, rows(2))
    old = box.seal("agent-1")
    new = box.seal("agent-2")
    assert old is not None
    assert new is not None
    assert new.rows == old.rows
    assert new.sequence > old.sequence
    box.close()


def test_when_it_must_drop_the_oldest_go_and_it_says_so(tmp_path: Path) -> None:
    box = Outbox(tmp_path, limit_bytes=20_000)
    sent = rows(500, size=100)
    box.put(Kind.SAMPLES, sent)
    assert box.bytes <= 20_000
    told = box.report_losses(lambda loss: json.dumps({"lost": loss.rows}))
    assert [loss.kind for loss in told] == [Kind.SAMPLES]
    assert box.report_losses(lambda _: "never") == []
    batch = box.seal("agent-1")
    assert batch is not None
    kept, report = list(batch.rows[:-1]), json.loads(batch.rows[-1])
    assert kept == sent[-len(kept) :]
    assert report["lost"] + len(kept) in (len(sent), len(sent) + 1)
    box.close()


def test_a_refused_batch_is_set_aside_and_only_the_latest_few_are_kept(tmp_path: Path) -> None:
    box = Outbox(tmp_path, limit_bytes=LIMIT)

    def refused(number: int) -> Path:
        box.put(Kind.RUNS, [json.dumps({"number": number})])
        batch = box.seal("agent-1")
        assert batch is not None
        return box.refuse(batch, "422: runs.0.seconds")

    path = [refused(number) for number in range(REFUSED_FILES + 3)][-1]
    assert json.loads(path.read_text()) == {"reason": "422: runs.0.seconds", "runs": [{"number": REFUSED_FILES + 2}]}
    assert len(list(path.parent.iterdir())) == REFUSED_FILES
    assert box.seal("agent-1") is None
    box.close()


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").write_bytes(b"not a database " * 1000)
    box = Outbox(tmp_path, limit_bytes=LIMIT)
    box.put(Kind.RUNS, rows(1))
    assert box.waiting() == 1
    assert len(list(tmp_path.glob("outbox.damaged-*.sqlite"))) == 1
    box.close()


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "state", limit_bytes=LIMIT)
    box.put(Kind.RUNS, ["{}"])
    files = sorted((tmp_path / "state").iterdir())
    assert [path.name for path in files] == ["outbox.sqlite", "outbox.sqlite-wal"]
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "state", *files)] == [0, 0, 0]
    box.close()


WRITER = """
import sys
from pathlib import Path
from probes.agent.outbox import Kind, Outbox
box = Outbox(Path(sys.argv[1]), limit_bytes=1 << 26)
for number in range(10**9):
    box.put(Kind.SAMPLES, [str(number)])
    if number % 7 == 6:
        batch = box.seal("agent-1")
        print(batch.sequence, batch.rows[0], batch.rows[-1], flush=True)
        box.done(batch)
"""


def test_kill_9_loses_and_repeats_nothing(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = [writer.stdout.readline().split() for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate(timeout=10)
    told += [line.split() for line in rest.splitlines() if len(line.split()) == 3]
    sequence, first, last = map(int, told[-1])

    box = Outbox(tmp_path, limit_bytes=1 << 26)
    box.put(Kind.SAMPLES, [str(10**9)])
    batch = box.seal("agent-1")
    assert batch is not None
    numbers = [int(row) for row in batch.rows if int(row) != 10**9]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
    if batch.sequence == sequence:  # killed after it was told and before it was done
        assert numbers == list(range(first, last + 1))
    else:
        assert batch.sequence > sequence
        assert not numbers or numbers[0] == last + 1
    box.close()


FULL = """
import json, resource, sys
from pathlib import Path
from probes.agent.outbox import Kind, Outbox

box = Outbox(Path(sys.argv[1]), limit_bytes=1 << 20)
box.put(Kind.SAMPLES, ["1"])
kept, hard = box.bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
size = max(path.stat().st_size for path in Path(sys.argv[1]).iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # no file grows any more, as on a full disk
for number in range(20):
    box.put(Kind.RUNS, [json.dumps("x" * 9000)] * 2)
box.put(Kind.SAMPLES, ["2"] * 3000)
full = box.bytes, box.waiting()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
box.put(Kind.SAMPLES, ["3"])
box.close()
again = Outbox(Path(sys.argv[1]), limit_bytes=1 << 20)
told = again.report_losses(lambda loss: json.dumps([loss.kind, loss.rows]))
print(json.dumps({
    "full": [full[0] - kept, full[1]],
    "lost": sorted([loss.kind, loss.rows] for loss in told),
    "inside": all(0 <= (loss.last - loss.first).total_seconds() < 60 for loss in told),
    "again": again.report_losses(str),
    "rows": again.seal("agent-1").rows,
}))
"""


def test_rows_a_full_disk_did_not_take_are_counted_and_told(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *log, last = done.stdout.splitlines()
    found = json.loads(last)
    assert found["full"] == [0, 1], "nothing was kept, and the room taken is what it was"
    assert found["lost"] == [["runs", 40], ["samples", 3000]]
    assert found["inside"]
    assert found["again"] == []
    assert found["rows"] == ["1", "3", *found["rows"][2:]]
    assert len(found["rows"]) == 4, "two that were kept, two that tell of losses"
    assert ("\n".join(log) + done.stderr).count("the disk takes no rows") == 1


def test_an_older_copy_that_came_back_uses_no_number_again(tmp_path: Path) -> None:
    """A pooled desktop gives the profile of yesterday: what is measured now must not pass for a repetition."""
    box = Outbox(tmp_path / "now", limit_bytes=LIMIT)
    box.put(Kind.RUNS, ['{"run":1}'])
    first = box.seal("agent-1")
    assert first is not None
    box.done(first)
    box.close()
    shutil.copytree(tmp_path / "now", tmp_path / "yesterday")
    used = {first.sequence}
    box = Outbox(tmp_path / "now", limit_bytes=LIMIT)
    for number in range(2, 5):
        box.put(Kind.RUNS, [f'{{"run":{number}}}'])
        batch = box.seal("agent-1")
        assert batch is not None
        used.add(batch.sequence)
        box.done(batch)
        time.sleep(0.002)
    box.close()
    old = Outbox(tmp_path / "yesterday", limit_bytes=LIMIT)
    old.put(Kind.RUNS, ['{"run":5}'])
    fresh = old.seal("agent-1")
    old.close()
    assert fresh is not None
    assert fresh.sequence not in used


def test_it_maps_no_memory_so_that_it_may_lie_on_a_network_drive(tmp_path: Path) -> None:
    box = Outbox(tmp_path, limit_bytes=LIMIT)
    box.put(Kind.RUNS, ['{"run":1}'])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outbox.sqlite", "outbox.sqlite-wal"]
    box.close()


def test_a_file_that_another_process_holds_is_not_taken_for_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probes.agent.outbox._HELD_SECONDS", 0.1)
    box = Outbox(tmp_path, limit_bytes=LIMIT)
    box.put(Kind.RUNS, ['{"run":1}'])
    with pytest.raises(WhichlayerError, match="is held by another process"):
        Outbox(tmp_path, limit_bytes=LIMIT)
    assert box.waiting() == 1
    box.close()
    again = Outbox(tmp_path, limit_bytes=LIMIT)
    assert again.waiting() == 1
    again.close()
