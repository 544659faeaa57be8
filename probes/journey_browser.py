"""One thing done in a browser, as a journey says it."""

from collector.document import Document


class BrowserAction(Document):
    """One thing done in a browser."""
