"""Reads words in a part of the session's picture (OCR): an extra for what has no image to find it by.

Tesseract reads, within this process. Screens have small letters, so the part is made larger first. A reading
takes tens of milliseconds, many times what finding an image takes.
"""

import re
import time
import unicodedata
from collections.abc import Sequence

import cv2

from collector.model.errors import WhichlayerError
from probes.drivers.remote.tessdata import LANGUAGE, PACKAGE, trained
from probes.drivers.remote.viewer import Picture

_LARGER = 2  # times
_DOTS_PER_INCH = 200


class Reader:
    """Reads for one run."""

    def __init__(self) -> None:
        """Load what reading needs. Raises WhichlayerError when something is not installed."""
        try:
            import tesserocr  # noqa: PLC0415  only journeys with text need it
        except ModuleNotFoundError:
            raise WhichlayerError("text cannot be read: pip install 'whichlayer[ocr]', or name an image") from None
        self.seconds = 0.0  # how long the last reading took
        language = trained()
        if language is None:
            raise WhichlayerError(f"text cannot be read without tessdata: apt-get install {PACKAGE}")
        self._reading = tesserocr.PyTessBaseAPI(
            path=str(language.parent), lang=LANGUAGE, psm=tesserocr.PSM.SINGLE_BLOCK, oem=tesserocr.OEM.LSTM_ONLY
        )

    def words(self, part: Picture) -> list[str]:
        """Read a part of the picture; give its words in lower case, without what stands between them."""
        began = time.perf_counter()
        grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
        large = cv2.resize(grey, None, fx=_LARGER, fy=_LARGER, interpolation=cv2.INTER_CUBIC)
        height, width = large.shape[:2]
        self._reading.SetImageBytes(large.tobytes(), width, height, 1, width)
        self._reading.SetSourceResolution(_DOTS_PER_INCH)
        try:
            return words_of(self._reading.GetUTF8Text())
        finally:
            self._reading.Clear()
            self.seconds = time.perf_counter() - began

    def shows(self, part: Picture, text: str) -> bool:
        """Say whether the words of ``text`` can be read there, whole and one after the other."""
        return bool(part.size) and follows(self.words(part), words_of(text))


def words_of(text: str) -> list[str]:
    """Take a text apart: runs of letters and digits, in lower case."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def follows(read: Sequence[str], wanted: Sequence[str]) -> bool:
    """Say whether ``wanted`` stands in ``read``, in one piece."""
    size = len(wanted)
    return bool(size) and any(list(read[at : at + size]) == list(wanted) for at in range(len(read) - size + 1))
