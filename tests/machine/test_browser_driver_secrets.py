"""No secret is left anywhere: not in results, logs, pictures, or files of the browser."""

import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter

from collector.model.run import Outcome, Run
from tests.sites import casebook
from tests.sites.portal import SEED, Identity, Portal
from tests.stages.browser import browse, needed

pytestmark = [pytest.mark.integration, pytest.mark.browser]

CANARY = "canary-c0ffee-77"
SECRETS = {"key": CANARY}
FILL = "{open: /work}, {fill_secret: '{key}', into: {label: Key}}, {expect: {text: '7'}}"
FAIL = "{step: %s, sign_in: %s, timeout: 3 s, browser: [%s, {expect: {text: nowhere}}]}"


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    needed()
    with casebook.serving(Portal(Identity())) as running:
        yield running


def pictures(folder: Path) -> dict[str, object]:
    return {"folder": str(folder / "pictures"), "regions": [{"role": "main"}]}


def test_a_picture_shows_the_region_and_no_secret(portal: Portal, tmp_path: Path) -> None:
    run = browse(portal.url, FAIL % ("work", "false", FILL), secrets=SECRETS, pictures=pictures(tmp_path))
    assert run.outcome is Outcome.FAILED
    name = run.facts["pictures"]
    file = tmp_path / "pictures" / name
    assert name == f"{run.run_id}-work-0.png"
    assert file.stat().st_mode & 0o077 == 0
    image = cv2.imread(str(file))
    assert image is not None
    assert image.shape[:2] == (200, 600)  # the region, not the window
    for part in (image[20:60, 20:220], image[100:130, 20:320]):  # the field, and the text that repeats it
        assert np.unique(part.reshape(-1, 3), axis=0).tolist() == [[0x20, 0x20, 0x20]]
    assert (image[150:190] == 255).all()  # and the rest is as the page has it


def test_there_is_no_picture_of_a_sign_in_nor_of_what_went_well(portal: Portal, tmp_path: Path) -> None:
    failed = browse(portal.url, FAIL % ("login", "true", FILL), secrets=SECRETS, pictures=pictures(tmp_path))
    well = browse(portal.url, "{step: a, browser: [{open: /work}]}", pictures=pictures(tmp_path))
    assert (failed.outcome, well.outcome) == (Outcome.FAILED, Outcome.OK)
    assert not (tmp_path / "pictures").exists()


def test_only_so_many_pictures_are_kept(portal: Portal, tmp_path: Path) -> None:
    few = {**pictures(tmp_path), "keep": 1}
    browse(portal.url, FAIL % ("a", "false", "{open: /work}"), pictures=few)
    run = browse(portal.url, FAIL % ("b", "false", "{open: /work}"), pictures=few)
    assert [file.name for file in (tmp_path / "pictures").iterdir()] == [run.facts["pictures"]]


@pytest.mark.parametrize(
    "action",
    [
        "{fill_secret: '{key}', into: {label: Key}}",  # goes well, then the step fails
        "{fill_secret: '{key}', into: {role: main}}",  # Playwright's own error repeats what was to be filled in
        "{fill_secret: '{key}', into: {label: Nowhere}}",
        "{fill_secret: '{key}', into: {label: Key}}, {capture: {echo: {role: paragraph}}}, {expect: {text: 'x{echo}'}}",
        "{totp: '{key}', into: {label: Key}}",  # not base 32
    ],
)
def test_results_and_logs_hold_no_secret(
    portal: Portal, action: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        run = browse(portal.url, FAIL % ("work", "false", f"{{open: /work}}, {action}"), secrets=SECRETS)
    assert run.outcome not in {Outcome.OK, Outcome.SLOW}
    printed = capfd.readouterr()
    left = TypeAdapter(Run).dump_json(run).decode() + caplog.text + printed.out + printed.err
    assert CANARY not in left


def test_a_code_is_a_secret_as_well(portal: Portal) -> None:
    code = "{totp: '{key}', into: {label: Key}}, {capture: {echo: {role: paragraph}}}, {expect: {text: 'x{echo}'}}"
    run = browse(portal.url, FAIL % ("work", "false", f"{{open: /work}}, {code}"), secrets={"key": SEED})
    assert run.steps[0].error == "the page does not show 'x•••'"
