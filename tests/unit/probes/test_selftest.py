"""The self-test tells kinds and times, goes on after a failed read, and holds nobody's name."""

import getpass
import json
import platform
from pathlib import Path
from typing import Any

import pytest

from probes.agent.selftest import lines, report
from probes.windows.port import Windows
from tests.windows.recording import Recording, denied


def by_name(made: dict[str, Any]) -> dict[str, Any]:
    return {read["what"]: read for read in made["reads"]}


def on_windows(**machine: Any) -> dict[str, Any]:
    return report("1.2.3", Windows(Recording(**machine)), {"SESSIONNAME": "ICA-tcp#12", "USERNAME": "somebody"})


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
    reads = by_name(on_windows(spooler=denied))
    assert reads["printers"]["error"] == "PermissionError 5"
    assert reads["printers"]["answer"] == {}
    assert reads["wifi"]["error"] is None


@pytest.mark.parametrize("machine", [{}, {"wts": None}, {"printer_count": 0}, {"spooler": denied}])
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
