"""A document that goes to a printer, as a journey says it."""

from collector.document import Document


class PrintJob(Document):
    """A document that goes to a printer."""
