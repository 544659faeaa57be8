"""The calls into the Windows spooler: see ``SpoolerCalls`` in ``spooler.py``. Every one raises OSError.

The functions of winspool know no deadline: one that asks a print server may take as long as the network does.
"""

import sys

assert sys.platform == "win32"

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import wintypes

from probes.windows.layout import Block
from probes.windows.libraries import load, true

_BUFFER_TOO_SMALL = 122
_LOCAL_AND_CONNECTIONS = 0x6
_ATTEMPTS = 3  # for what grows between asking its size and asking for it


class _Document(ctypes.Structure):
    """DOC_INFO_1W."""

    _fields_ = (("name", wintypes.LPCWSTR), ("output", wintypes.LPCWSTR), ("datatype", wintypes.LPCWSTR))


def printers() -> Block:
    """List this session's printers, local and connected ones (PRINTER_INFO_4W: answered without asking a server)."""
    count = wintypes.DWORD()
    spooler = load("winspool.drv")
    block = _filled(
        lambda content, length, needed: spooler.EnumPrintersW(
            _LOCAL_AND_CONNECTIONS, None, 4, content, length, needed, ctypes.byref(count)
        )
    )
    return Block(content=block.content, address=block.address, count=count.value)


def printer(name: str) -> Block:
    """Ask about one printer (PRINTER_INFO_2W)."""
    with _opened(name) as (spooler, handle):
        return _filled(lambda content, length, needed: spooler.GetPrinterW(handle, 2, content, length, needed))


def driver(name: str) -> Block:
    """Ask about the driver of one printer (DRIVER_INFO_8W)."""
    with _opened(name) as (spooler, handle):
        return _filled(
            lambda content, length, needed: spooler.GetPrinterDriverW(handle, None, 8, content, length, needed)
        )


def open_printer(name: str) -> int:
    """Open a printer for a document and its job; gives a handle."""
    handle = ctypes.c_void_p()
    true(load("winspool.drv").OpenPrinterW(name, ctypes.byref(handle), None))
    return handle.value or 0


def close_printer(handle: int) -> None:
    """Let go of a handle."""
    load("winspool.drv").ClosePrinter(ctypes.c_void_p(handle))


def start_document(handle: int, name: str, datatype: str) -> int:
    """Begin a document; gives the number of its job."""
    document = _Document(name, None, datatype)
    job = int(load("winspool.drv").StartDocPrinterW(ctypes.c_void_p(handle), 1, ctypes.byref(document)))
    true(job)
    return job


def write(handle: int, content: bytes) -> int:
    """Give the spooler bytes of the document; says how many it took."""
    written = wintypes.DWORD()
    true(
        load("winspool.drv").WritePrinter(
            ctypes.c_void_p(handle), content, wintypes.DWORD(len(content)), ctypes.byref(written)
        )
    )
    return written.value


def end_document(handle: int) -> None:
    """Say that the document is whole: from now on it may be printed."""
    true(load("winspool.drv").EndDocPrinter(ctypes.c_void_p(handle)))


def abort_document(handle: int) -> None:
    """Throw a document away that is not whole."""
    true(load("winspool.drv").AbortPrinter(ctypes.c_void_p(handle)))


def job(handle: int, number: int) -> Block:
    """Ask about one job (JOB_INFO_1W). OSError 87 when there is none with this number."""
    spooler = load("winspool.drv")
    return _filled(
        lambda content, length, needed: spooler.GetJobW(
            ctypes.c_void_p(handle), wintypes.DWORD(number), 1, content, length, needed
        )
    )


def control_job(handle: int, number: int, command: int) -> None:
    """Give a command for one job (SetJobW)."""
    true(load("winspool.drv").SetJobW(ctypes.c_void_p(handle), wintypes.DWORD(number), 0, None, command))


@contextmanager
def _opened(name: str) -> Iterator[tuple[ctypes.WinDLL, ctypes.c_void_p]]:
    handle = open_printer(name)
    try:
        yield load("winspool.drv"), ctypes.c_void_p(handle)
    finally:
        close_printer(handle)


def _filled(ask: Callable[[ctypes.Array[ctypes.c_char] | None, int, object], int]) -> Block:
    """Ask for the size, then for what has this size: in the way every question to the spooler goes."""
    needed = wintypes.DWORD()
    content = ctypes.create_string_buffer(0)
    for _ in range(_ATTEMPTS):
        if ask(content if len(content) else None, len(content), ctypes.byref(needed)):
            return Block(content=content.raw, address=ctypes.addressof(content))
        if ctypes.get_last_error() != _BUFFER_TOO_SMALL:
            break
        content = ctypes.create_string_buffer(needed.value)
    raise ctypes.WinError(ctypes.get_last_error())
