"""A look at an external link, as a journey says it."""

from collector.document import Document


class LinkCheck(Document):
    """A look at an external link."""
