"""Where the file is that lets Tesseract read a language: it comes from the system, not with the Python package."""

import os
from pathlib import Path

LANGUAGE = "eng"
PACKAGE = "tesseract-ocr-eng"  # as Debian calls it
_FOLDERS = ("/usr/share/tesseract-ocr", "/usr/share/tesseract", "/usr/share/tessdata", "/usr/local/share/tessdata")


def trained() -> Path | None:
    """Give the file; None if it is not installed. TESSDATA_PREFIX names another folder, as with Tesseract itself."""
    own = os.environ.get("TESSDATA_PREFIX")
    found = (path for folder in ([own] if own else _FOLDERS) for path in Path(folder).rglob(f"{LANGUAGE}.traineddata"))
    return next(found, None)
