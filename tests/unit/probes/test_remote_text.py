"""Words that are read on a screen: whole, in order, and never more than was said."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from collector.model.errors import WhichlayerError
from probes.drivers.remote import tessdata
from probes.drivers.remote.sight import Images
from probes.drivers.remote.text import Reader, follows, words_of
from probes.drivers.remote.viewer import Picture
from probes.journey.file import parse
from probes.journey.screen import Sight

readable = pytest.mark.skipif(tessdata.trained() is None, reason=f"not installed: {tessdata.PACKAGE}")
Colour = tuple[int, int, int]
REGION = (20, 20, 360, 40)


def screen(
    text: str, *, ink: tuple[int, int, int] = (0, 0, 0), paper: tuple[int, int, int] = (255, 255, 255)
) -> Picture:
    picture = np.full((120, 400, 3), paper, np.uint8)
    cv2.putText(picture, text, (28, 46), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    return picture


@pytest.fixture(scope="module")
def images() -> Images:
    text = (
        "name: s\nvariables: {count: '12'}\nsteps: [{step: x, screen: [{wait_for: {text: a, region: [0, 0, 9, 9]}}]}]"
    )
    return Images.of(parse(text, Path("j.yaml")), lambda written: written.replace("{count}", "12"))


@readable
@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("search RESULTS", True),
        ("results:   12\n cases", True),
        ("results {count}", True),
        ("result", False),  # a part of a word is another word
        ("results 13", False),
        ("12 results", False),
    ],
)
def test_words_are_read_whole_and_in_their_order(images: Images, text: str, there: bool) -> None:
    picture = screen("Search results: 12 cases")
    assert images.seen(picture, Sight(text=text, region=REGION)) is there
    assert images.seen(picture, Sight(text=text, region=REGION, gone=True)) is not there


@readable
def test_light_words_on_dark_are_read_and_nothing_is_read_where_nothing_is(images: Images) -> None:
    dark = screen("Case closed", ink=(255, 255, 255), paper=(96, 64, 32))
    assert images.seen(dark, Sight(text="case closed", region=REGION))
    assert not images.seen(dark, Sight(text="case closed", region=(20, 60, 360, 40)))
    assert not images.seen(dark, Sight(text="case closed", region=(900, 900, 10, 10)))  # outside of the screen


@readable
def test_nothing_is_read_again_where_nothing_has_changed(images: Images) -> None:
    sight = Sight(text="case closed", region=REGION)
    assert images.seen(screen("Case closed"), sight, (30, 30, 5, 5))
    assert not images.seen(screen("Case closed"), sight, (0, 100, 5, 5))


def test_spaces_case_and_signs_make_no_difference() -> None:
    assert words_of(" Größe:\t12,5\n(ﬁle) ") == ["grösse", "12", "5", "file"]
    assert follows(["a", "b", "c"], ["b", "c"])
    assert not follows(["a", "b", "c"], ["a", "c"])
    assert not follows(["a"], [])


def test_what_is_missing_is_said_with_its_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(WhichlayerError, match="apt-get install tesseract-ocr-eng"):
        Reader()
