"""Answers that several methods ask for in turn, kept while the same window is asked about; no window is kept for it."""

import weakref
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pandas as pd

from analysis.window import Window

_Answer = TypeVar("_Answer")


class Kept(Generic[_Answer]):
    """Answers by question, of the window last asked about."""

    def __init__(self) -> None:
        self._frames: list[weakref.ref[pd.DataFrame]] = []
        self._answers: dict[Hashable, _Answer] = {}

    def give(self, window: Window, asked: Hashable, make: Callable[[], _Answer]) -> _Answer:
        """Give the answer to what is ``asked``, made when it is asked for the first time."""
        frames = (window.samples, window.steps)
        same = zip(self._frames, frames, strict=False)
        if len(self._frames) != len(frames) or not all(ref() is frame for ref, frame in same):
            self._frames = [weakref.ref(frame) for frame in frames]
            self._answers = {}
        if asked not in self._answers:
            self._answers[asked] = make()
        return self._answers[asked]
