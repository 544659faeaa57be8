"""The thread that commits every few seconds."""

import logging
import threading
from collections.abc import Callable

from collector.model.errors import StoreError

log = logging.getLogger("whichlayer.collector")


class Flusher:
    """Calls ``flush`` every ``seconds``, or never when that is None."""

    def __init__(self, flush: Callable[[], int], seconds: float | None) -> None:
        """Get ready; nothing runs yet."""
        self._flush = flush
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flush", daemon=True)

    def start(self) -> None:
        """Begin, if it is to be done at all."""
        if self._seconds is not None:
            self._thread.start()

    def stop(self) -> None:
        """End it and wait for that."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._flush()
            except StoreError as error:
                log.warning("flush failed, the spool keeps the rows: %s", error)
            except Exception:
                log.exception("flush failed, the spool keeps the rows")  # without this thread the spool fills up
