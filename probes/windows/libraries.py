"""System libraries of Windows, from System32 only, and what their functions answer as OSError."""

import sys

assert sys.platform == "win32"

import ctypes

SYSTEM32 = 0x800  # LOAD_LIBRARY_SEARCH_SYSTEM32


def load(name: str) -> ctypes.WinDLL:
    """Load a library of Windows, never by PATH."""
    return ctypes.WinDLL(name, use_last_error=True, winmode=SYSTEM32)


def true(answer: int) -> None:
    """Raise OSError with the thread's last error when a function answered 0."""
    if not answer:
        raise ctypes.WinError(ctypes.get_last_error())


def zero(answer: int) -> None:
    """Raise OSError when a function answered other than 0, which is its error then."""
    if answer:
        raise OSError(answer & 0xFFFFFFFF, f"Windows answered {answer & 0xFFFFFFFF:#x}")
