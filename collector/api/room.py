"""Room for bodies that are being taken in: what arrives faster than it can be stored must not fill the memory."""

from collector.api.problem import Problem

TAKEN = "whichlayer.taken"  # where a request keeps how many bytes it took
_COME_BACK_SECONDS = 1


class Room:
    """Bytes of bodies that were received and not yet answered. For the event loop only."""

    def __init__(self, limit_bytes: int) -> None:
        self._left = limit_bytes

    def take(self, size: int) -> None:
        """Make room for more bytes. Raises Problem 503 when there is none: senders of all protocols come back then.

        Not 429: a Prometheus gives up what was answered so, unless it was told otherwise.
        """
        if size > self._left:
            detail = "more arrives than can be taken in now: keep the data and come back"
            raise Problem(503, detail, headers={"Retry-After": str(_COME_BACK_SECONDS)})
        self._left -= size

    def leave(self, size: int) -> None:
        """Give back what was taken: the request is answered."""
        self._left += size
