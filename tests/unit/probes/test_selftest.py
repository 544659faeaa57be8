"""The self-test tells kinds and times, goes on after a failed read, and holds nobody's name."""

import getpass
import json
import platform
from pathlib import Path
from typing import Any

import pytest

from probes.agent.selftest import lines, report
from probes.windows.port import Windows
from probes.windows.spooler import Spooler
from tests.windows.recording import Recording, denied
from tests.windows.spooler_recording import SpoolerRecording


def by_name(made: dict[str, Any]) -> dict[str, Any]:
    return {read["what"]: read for read in made["reads"]}


def on_windows(spooler: SpoolerRecording | None = None, **machine: Any) -> dict[str, Any]:
    environment = {"SESSIONNAME": "ICA-tcp#12", "USERNAME": "somebody"}
    return report("1.2.3", Windows(Recording(**machine)), environment, Spooler(spooler or SpoolerRecording()))


def test_every_read_on_this_machine_works_and_takes_some_time() -> None:
    made = report("1.2.3")
    assert [read["error"] for read in made["reads"]] == [None] * len(made["reads"])
    assert all(read["seconds"] > 0 for read in made["reads"])
    assert by_name(made)["outbox"]["answer"]["kept"] == 1
    assert json.loads(json.dumps(made)) == made


def test_windows_tells_what_decided_and_what_did_not_answer() -> None:
    reads = by_name(on_windows(wts=0))
    assert reads["presentation"]["answer"] == {
        "what": "citrix",
        "way": "SESSIONNAME, a hint",
        "sure": 0.6,
        "answers": {"wts": 0, "citrix": None, "registry": False, "name": "ICA-tcp"},
        "unable": {"citrix": "FileNotFoundError 126"},
    }
    assert reads["wifi"]["answer"]["bssid"] == "named"
    assert set(reads["counters"]["answer"]["instances"].values()) == {3}


def test_a_read_that_fails_says_its_kind_and_the_next_goes_on() -> None:
    reads = by_name(on_windows(SpoolerRecording(listed=denied)))
    assert reads["printers"]["error"] == "PermissionError 5"
    assert reads["printers"]["answer"] == {}
    assert reads["wifi"]["error"] is None


def test_each_printer_is_told_by_its_state_and_the_way_to_it() -> None:
    answer = by_name(on_windows(SpoolerRecording(printer_block="printer_ill", driver_block="driver_v4")))["printers"][
        "answer"
    ]
    assert answer["in_this_session"] == 2
    assert answer["printers"][0] == {
        "usable": False,
        "state": ["paper_out", "offline", "work_offline"],
        "jobs": 3,
        "keeps_printed": False,
        "named_for_a_session": True,
        "datatype": "XPS_PASS",
    }
    refused = SpoolerRecording(refuses={"printer": PermissionError(5, "denied")})
    told = by_name(on_windows(refused))["printers"]
    assert (told["error"], told["answer"]["printers"]) == (None, 2 * [{"unable": "PermissionError 5"}])


@pytest.mark.parametrize(
    "machine",
    [
        {},
        {"wts": None},
        {"spooler": SpoolerRecording(printer_count=0)},
        {"spooler": SpoolerRecording(listed=denied)},
        {"spooler": SpoolerRecording(refuses={"printer": PermissionError(5, "somebody at desk")})},
    ],
)
def test_no_name_and_no_address_is_told(machine: dict[str, Any]) -> None:
    for made in (report("1.2.3"), on_windows(**machine)):
        text = json.dumps(made) + "\n".join(lines(made))
        for private in (
            "Ward",
            "desk",
            "somebody",
            "#12",
            "02:00",
            platform.node(),
            getpass.getuser(),
            str(Path.home()),
        ):
            assert private not in text or len(private) < 5, private
