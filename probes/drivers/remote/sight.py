"""Finds in a picture what a journey names: an image, a text, a colour, a change.

An image counts as seen from a normalised correlation of 0.8 (what Alyvix uses), so that a little loss
of the session's codec does not hide it. A safe record must be seen exactly: there, every spot is compared.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from collector.model.errors import WhichlayerError
from probes.drivers.remote.text import Reader
from probes.drivers.remote.viewer import Picture, cut, overlap
from probes.journey.file import Journey, Step
from probes.journey.screen import Box, Sight

LIKENESS = 0.8  # normalised correlation
_EXACT = 0.95
_SPOT = 5  # pixels: a spot of this size may not differ from a safe record by more than
_SPOT_LEVELS = 40.0  # this, of 255, on average
_CANDIDATES = 20  # places alike in grey that are compared in colour
_PLAIN = 4.0  # standard deviation of the grey levels below which an image has nothing to find it by
_SAME_COLOUR = 24  # levels a channel may be off
_CHANGED = 16  # levels by which a pixel must differ to count as changed


@dataclass(frozen=True, slots=True)
class Images:
    """The images a journey names, read once, and what reads its texts. ``fill`` puts variables into a text."""

    by_name: Mapping[str, Picture] = field(repr=False)
    fill: Callable[[str], str] = str
    reader: Reader | None = None

    @classmethod
    def of(cls, journey: Journey, fill: Callable[[str], str] = str) -> "Images":
        """Read them all. Raises WhichlayerError for one that cannot be used, and when texts cannot be read here."""
        images = {name: _read(journey.folder / name, name) for name in sorted(set(_named(journey)))}
        reads = any(place.text for step in journey.steps for place in _sights(step))
        return cls(images, fill, Reader() if reads else None)

    @property
    def digest(self) -> str:
        """Give 12 hexadecimal digits that change with what is looked for: the journey's hash has only names."""
        content = hashlib.sha256()
        for name, image in sorted(self.by_name.items()):
            content.update(f"{name} {image.shape} ".encode() + image.tobytes())
        return content.hexdigest()[:12]

    def find(self, picture: Picture, name: str, within: Box | None, likeness: float = LIKENESS) -> Box | None:
        """Give the place of an image in the picture; None if it is not there."""
        return _find(picture, self.by_name[name], within, likeness)

    def shows_exactly(self, picture: Picture, name: str) -> bool:
        """Say whether the picture holds the image with no spot that differs: one digit more or less is another."""
        image = self.by_name[name]
        place = _find(picture, image, None, _EXACT)
        if place is None:
            return False
        apart = cv2.absdiff(cut(picture, place), image).max(axis=2).astype(np.float32)
        return float(cv2.blur(apart, (_SPOT, _SPOT)).max()) <= _SPOT_LEVELS

    def seen(self, picture: Picture, sight: Sight, changed: Box | None = None) -> bool:
        """Say whether an image, a text or a colour is to be seen.

        ``changed`` is the only part that differs from a picture that was looked at before: a new image
        must touch it, which makes the search short.
        """
        if sight.colour is not None:
            return (_share(cut(picture, sight.region), sight.colour) >= sight.share) != sight.gone
        if sight.text is not None:
            return self._reads(picture, sight, changed)
        name = sight.image or ""
        within = sight.region
        if changed is not None and not sight.gone:
            height, width = self.by_name[name].shape[:2]
            x, y = changed[0] - width + 1, changed[1] - height + 1
            near = (x, y, changed[2] + 2 * width - 2, changed[3] + 2 * height - 2)
            within = overlap(near, sight.region or (0, 0, picture.shape[1], picture.shape[0]))
            if within is None:
                return False
        return (self.find(picture, name, within, sight.likeness) is not None) != sight.gone

    def reading_seconds(self, sight: Sight) -> float:
        """Give how long it took to read the text of this sight last; 0 for what is not read."""
        return self.reader.seconds if self.reader is not None and sight.text is not None else 0.0

    def _reads(self, picture: Picture, sight: Sight, changed: Box | None) -> bool:
        """Read the region of the sight, unless nothing has changed in it since it was read last."""
        if self.reader is None or sight.text is None or sight.region is None:
            return False
        if changed is not None and overlap(changed, sight.region) is None:
            return False
        return self.reader.shows(cut(picture, sight.region), self.fill(sight.text)) != sight.gone


def differs(picture: Picture, reference: Picture, region: Box | None) -> bool:
    """Say whether a region is not as it was; a codec's noise does not count."""
    here, there = cut(picture, region), cut(reference, region)
    return here.shape != there.shape or bool((cv2.absdiff(here, there) >= _CHANGED).any())


def _find(picture: Picture, image: Picture, within: Box | None, likeness: float) -> Box | None:
    """Search in grey, which is four times quicker, and compare what is found in colour."""
    whole = (0, 0, picture.shape[1], picture.shape[0])
    part = overlap(within, whole) if within is not None else whole
    height, width = image.shape[:2]
    if part is None or part[2] < width or part[3] < height:
        return None
    here = cut(picture, part)
    scores = _likeness(cv2.cvtColor(here, cv2.COLOR_BGR2GRAY), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    for _ in range(_CANDIDATES):
        _, best, _, (x, y) = cv2.minMaxLoc(scores)
        if best < likeness:
            return None
        if _likeness(cut(here, (x, y, width, height)), image)[0, 0] >= likeness:
            return (part[0] + x, part[1] + y, width, height)
        scores[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0.0
    return None


def _likeness(picture: cv2.typing.MatLike, image: cv2.typing.MatLike) -> NDArray[np.float32]:
    """Give the normalised correlation at every place; 0 where the picture is too even to have one."""
    scores = cv2.matchTemplate(np.ascontiguousarray(picture), image, cv2.TM_CCOEFF_NORMED)
    return np.asarray(np.nan_to_num(scores, posinf=0.0, neginf=0.0), np.float32)


def _share(picture: Picture, colour: str) -> float:
    wanted = np.array([int(colour[at : at + 2], 16) for at in (5, 3, 1)], np.int16)
    if not picture.size:
        return 0.0
    return float((np.abs(picture.astype(np.int16) - wanted) <= _SAME_COLOUR).all(axis=2).mean())


def _read(path: Path, name: str) -> Picture:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        raise WhichlayerError(f"the image {name} cannot be read: it must be a PNG beside the journey file")
    found = np.asarray(image, np.uint8)
    if float(cv2.cvtColor(found, cv2.COLOR_BGR2GRAY).std()) < _PLAIN:
        raise WhichlayerError(f"the image {name} is too even to be found: name its colour, or cut out more of it")
    return found


def _named(journey: Journey) -> Iterator[str]:
    for step in journey.steps:
        if step.screen and step.safe_record:
            yield step.safe_record
        clicked = [action.click.image for action in step.screen or () if action.click]
        yield from filter(None, [*clicked, *(place.image for place in _sights(step))])


def _sights(step: Step) -> Iterator[Sight]:
    for action in step.screen or ():
        logon = action.logon
        shown = [logon.ready, *logon.instead.values(), logon.same_session] if logon else []
        yield from filter(None, (*shown, action.wait_for, action.expect))
