"""Errors as results may keep them: short, on one line, without secrets."""

from collector import secret

LENGTH = 200


def short(message: str) -> str:
    """Take out secrets and line breaks, and cut at 200 characters."""
    line = " ".join(secret.hide(message).split())
    return line if len(line) <= LENGTH else line[: LENGTH - 1] + "…"
