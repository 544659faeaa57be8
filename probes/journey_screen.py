"""One thing done in the window of a remote session, as a journey says it."""

from collector.document import Document


class ScreenAction(Document):
    """One thing done in the window of a remote session."""
