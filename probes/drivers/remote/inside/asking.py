"""The driver's half: asks the program in the session to watch a wait, and takes its answer over.

It never makes a step fail. It waits before and after what is timed, for a bounded time, and when nobody answers it
does not ask again in that run. What came of it stands in the run's fact ``inside``.
"""

import base64
import time
from collections.abc import Callable

import cv2

from collector.model.errors import WhichlayerError
from probes.driver import WalkContext
from probes.drivers.remote.inside.exchange import ANSWER, REQUEST, WATCHING, Answer, Exchange, Request
from probes.drivers.remote.settings import InsideSettings
from probes.drivers.remote.sight import Images
from probes.drivers.remote.viewer import Moment
from probes.journey.screen import Sight

_LOOK_EVERY = 0.005  # seconds
_LEAST, _MOST = 0.1, 3600.0


class Inside:
    """What is asked during one run."""

    def __init__(self, context: WalkContext, settings: InsideSettings, images: Images) -> None:
        self._context = context
        self._images = images
        self._patience = settings.patience
        self._asked: Request | None = None
        self._number = 0
        self._words: list[str] = []
        self._exchange: Exchange | None = None
        try:
            self._exchange = Exchange(settings.folder)
        except WhichlayerError as error:
            self._note(f"not used, {error}")

    def ask(self, step: str, sight: Sight, within: float) -> None:
        """Ask for the wait that the next input begins; returns when the program watches, or nobody came."""
        if self._exchange is None:
            return
        self.withdraw()
        self._number += 1
        asked = Request(
            run_id=self._context.run_id,
            step=step,
            number=self._number,
            within=min(max(within, _LEAST), _MOST),
            sight=sight,
            image=self._png(sight.image) if sight.image else None,
        )
        exchange, self._asked = self._exchange, asked
        try:
            exchange.put(asked.name + REQUEST, asked)
        except OSError as error:
            self._stop(f"{step}: no answer, the folder cannot be written ({error.strerror})")
            return
        if not self._came(lambda: exchange.has(asked.name + WATCHING)):
            self._stop(f"{step}: no answer, nobody watches")

    def answer(self, outside: Moment) -> Moment | None:
        """Give how long the wait took inside, if the program could say; ``outside`` is what it took here."""
        asked, exchange = self._asked, self._exchange
        if asked is None or exchange is None:
            return None
        self._came(lambda: exchange.has(asked.name + ANSWER))
        told = exchange.get(asked.name + ANSWER, Answer)
        self.withdraw()
        refused = _refused(asked, told, outside)
        if told is None or told.seconds is None or refused is not None:
            self._note(f"{asked.step}: {refused}")
            return None
        both = outside.half + told.uncertainty
        self._note(f"{asked.step}: ± {1000 * both:.1f} ms ({told.program})")
        return Moment(min(told.seconds, outside.at), told.uncertainty)

    def unseen(self) -> None:
        """Take note of a wait that had no end here: it may have had one inside."""
        asked, exchange = self._asked, self._exchange
        if asked is None or exchange is None:
            return
        told = exchange.get(asked.name + ANSWER, Answer)
        if told is not None and told.seconds is not None and _refused(asked, told, None) is None:
            self._note(f"{asked.step}: seen inside after {told.seconds:.3f} s, never outside ({told.program})")
        self.withdraw()

    def withdraw(self) -> None:
        """Take back what was asked: nothing of it stays in the folder."""
        if self._asked is not None and self._exchange is not None:
            self._exchange.remove(self._asked.name)
        self._asked = None

    def _came(self, there: Callable[[], bool]) -> bool:
        until = time.perf_counter() + self._patience
        while not (found := there()) and time.perf_counter() < until:
            time.sleep(_LOOK_EVERY)
        return found

    def _stop(self, words: str) -> None:
        self._note(words)
        self.withdraw()
        self._exchange = None

    def _note(self, words: str) -> None:
        self._words.append(words)
        self._context.facts["inside"] = "; ".join(self._words)

    def _png(self, name: str) -> str:
        done, data = cv2.imencode(".png", self._images.by_name[name])
        assert done
        return base64.b64encode(data.tobytes()).decode()


def _refused(asked: Request, told: Answer | None, outside: Moment | None) -> str | None:
    """Say why an answer is not used; None when it is."""
    if told is None:
        return "no answer"
    if (told.run_id, told.step, told.number) != (asked.run_id, asked.step, asked.number):
        return "an answer about something else"
    if told.seconds is None:
        return f"no answer, {told.reason}"
    if outside is not None and told.seconds - told.uncertainty > outside.at + outside.half:
        return "longer inside than outside, not used"
    return None
