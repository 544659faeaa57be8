"""A remote session, seen as its user sees it."""
