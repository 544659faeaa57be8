"""A document sent to a real printer."""
