"""What counts as seen: an image with a little loss, never one of another colour; a safe record to the letter."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from collector.model.errors import WhichlayerError
from deploy.lab import desk
from probes.drivers.remote.sight import Images, differs
from probes.drivers.remote.viewer import Picture, Pixels, differs_where
from probes.journey.file import parse
from probes.journey.screen import Sight

NOISE = np.random.default_rng(7)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("signs")
    for word in ("TEST RECORD", "RESULTS"):
        desk.write_sign(word, folder / f"{word}.png")
    text = """
name: s
steps:
  - step: x
    action: write
    safe_record: TEST RECORD.png
    screen: [{wait_for: {image: RESULTS.png}}]
"""
    return Images.of(parse(text, folder / "j.yaml"))


def screen(word: str, at: tuple[int, int] = (300, 120), levels: tuple[int, int] = (0, 255), noise: int = 0) -> Picture:
    """Draw a word's sign on an even screen, as a session's codec might give it."""
    dark = np.repeat(np.repeat(np.array(desk.sign(word)), desk.CELL, axis=0), desk.CELL, axis=1)
    picture = np.full((600, 800, 3), 232, np.int16)
    x, y = at
    picture[y : y + dark.shape[0], x : x + dark.shape[1]] = np.where(dark, *levels)[:, :, None]
    picture += NOISE.integers(-noise, noise + 1, picture.shape, np.int16)
    return picture.clip(0, 255).astype(np.uint8)


def pixels(picture: Picture) -> Pixels:
    return np.dstack([picture, np.zeros(picture.shape[:2], np.uint8)]).view(np.uint32)[:, :, 0]


def test_an_image_is_found_where_it_is_and_with_a_codecs_noise(images: Images) -> None:
    assert images.find(screen("RESULTS", (17, 401), noise=30), "RESULTS.png", None) == (17, 401, 96, 24)


def test_another_word_and_an_even_screen_are_not_it(images: Images) -> None:
    assert images.find(screen("LOCKED"), "RESULTS.png", None) is None
    assert images.find(np.full((600, 800, 3), 232, np.uint8), "RESULTS.png", None) is None


def test_it_is_not_looked_for_outside_its_region(images: Images) -> None:
    picture, image = screen("RESULTS", (300, 120)), "RESULTS.png"
    assert images.find(picture, image, (290, 110, 110, 40)) is not None
    assert images.find(picture, image, (0, 0, 300, 600)) is None
    assert images.find(picture, image, (790, 590, 50, 50)) is None


def test_a_change_is_searched_with_what_is_around_it(images: Images) -> None:
    picture, sight = screen("RESULTS", (300, 120)), Sight(image="RESULTS.png")
    assert images.seen(picture, sight, (390, 140, 2, 2))  # its last corner was drawn last
    assert not images.seen(picture, sight, (500, 120, 10, 10))


def test_a_safe_record_is_seen_to_the_letter(images: Images) -> None:
    name = "TEST RECORD.png"
    assert images.shows_exactly(screen("TEST RECORD", noise=12), name)
    assert not images.shows_exactly(screen("TEST RECORT"), name)
    assert images.find(screen("TEST RECORT"), name, None, 0.8) is not None  # as an image, it would pass


def test_a_safe_record_greyed_out_is_not_it(images: Images) -> None:
    assert not images.shows_exactly(screen("TEST RECORD", levels=(120, 200)), "TEST RECORD.png")


def test_a_colour_must_fill_its_share(images: Images) -> None:
    picture = np.full((100, 100, 3), (64, 160, 32), np.uint8)  # blue, green, red
    picture[:, 60:] = 0
    assert images.seen(picture, Sight(colour="#20a040", share=0.5))
    assert not images.seen(picture, Sight(colour="#20a040", share=0.7))
    assert images.seen(picture, Sight(colour="#20a040", share=0.7, gone=True))
    assert not images.seen(picture, Sight(colour="#20a040", region=(60, 0, 40, 100)))


def test_noise_is_no_change_and_a_block_is() -> None:
    before = screen("LOCKED")
    after = before.copy()
    after[100:104, 50:54] -= 9
    assert not differs(after, before, None)
    after[200:204, 50:54] = 0
    assert differs(after, before, None)
    assert not differs(after, before, (0, 0, 800, 150))
    assert differs_where(pixels(after), pixels(before)) == (50, 100, 4, 104)
    assert differs_where(pixels(after), pixels(after)) is None


def test_an_even_image_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "even.png"), np.full((20, 20, 3), 200, np.uint8))
    journey = parse("name: s\nsteps: [{step: x, screen: [{wait_for: {image: even.png}}]}]", tmp_path / "j.yaml")
    with pytest.raises(WhichlayerError, match="too even"):
        Images.of(journey)
