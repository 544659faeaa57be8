"""The calls into Windows, each giving raw memory or a number: see ``Calls`` in ``port.py``.

Every one raises OSError when Windows says no. Nothing here
scans for WiFi networks, waits for a device, or changes anything.
"""

import sys

assert sys.platform == "win32"

import ctypes
import os
import subprocess
import winreg
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import wintypes

from probes.windows.layout import Block
from probes.windows.libraries import SYSTEM32, load, true, zero

_OWN_FOLDER = 0x100  # LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR: what a library given by its path needs lies beside it
_THIS_SESSION = 0xFFFFFFFF
_ACCESS_DENIED = 5
_MORE_DATA = 0x800007D2
_DOUBLE = 0x200
_RSSI = 0x10000102
_CURRENT_CONNECTION = 7
_ATTEMPTS = 3  # for what grows between asking its size and asking for it
POWERSHELL_SECONDS = 20.0


def session_id() -> int:
    """Give the number of the Windows session this process runs in."""
    kernel = load("kernel32")
    number = wintypes.DWORD()
    true(kernel.ProcessIdToSessionId(os.getpid(), ctypes.byref(number)))
    return number.value


def session_information(kind: int) -> Block:
    """Ask WTSQuerySessionInformationW about this session."""
    library = load("wtsapi32")
    pointer, length = ctypes.c_void_p(), wintypes.DWORD()
    true(
        library.WTSQuerySessionInformationW(
            None, wintypes.DWORD(_THIS_SESSION), kind, ctypes.byref(pointer), ctypes.byref(length)
        )
    )
    try:
        return _copied(pointer, length.value)
    finally:
        library.WTSFreeMemory(pointer)


def citrix_protocol() -> int:
    """Ask the Citrix agent what drives this session: 0 none, 1 ICA, 2 RDP. OSError where there is no agent."""
    library = _citrix_library()
    library.WFGetActiveProtocol.restype = ctypes.c_int
    return int(library.WFGetActiveProtocol(wintypes.DWORD(_THIS_SESSION)))


def has_key(path: str) -> bool:
    """Say whether HKEY_LOCAL_MACHINE has this key, in the 64-bit view. No value in it is read."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY):
            return True
    except FileNotFoundError:
        return False


def open_counters(paths: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Open one PDH query with these English paths; counters this machine does not have are left out."""
    library = load("pdh")
    query = ctypes.c_void_p()
    zero(library.PdhOpenQueryW(None, ctypes.c_size_t(0), ctypes.byref(query)))
    counters: dict[str, int] = {}
    for path in paths:
        counter = ctypes.c_void_p()
        if library.PdhAddEnglishCounterW(query, path, ctypes.c_size_t(0), ctypes.byref(counter)) == 0:
            counters[path] = counter.value or 0
    return query.value or 0, counters


def collect_counters(query: int) -> None:
    """Let Windows read every counter of the query now."""
    zero(load("pdh").PdhCollectQueryData(ctypes.c_void_p(query)))


def counter_array(counter: int) -> Block:
    """Give the last values of one counter for all its instances; an empty block when there are none."""
    library = load("pdh")
    length, count = wintypes.DWORD(0), wintypes.DWORD(0)
    content, answer = ctypes.create_string_buffer(0), _MORE_DATA
    for _ in range(_ATTEMPTS):
        answer = library.PdhGetFormattedCounterArrayW(
            ctypes.c_void_p(counter),
            _DOUBLE,
            ctypes.byref(length),
            ctypes.byref(count),
            content if length.value else None,
        )
        if answer & 0xFFFFFFFF != _MORE_DATA:
            break
        content = ctypes.create_string_buffer(length.value)
    if answer & 0xFFFFFFFF:
        return Block(content=b"", count=0)
    return Block(content=content.raw, address=ctypes.addressof(content), count=count.value)


def close_counters(query: int) -> None:
    """Let go of a query and its counters."""
    load("pdh").PdhCloseQuery(ctypes.c_void_p(query))


def wifi_cards() -> Block:
    """List the WiFi cards. OSError when the WLAN service does not run, as on servers."""
    with _wlan() as (library, handle):
        pointer = ctypes.c_void_p()
        zero(library.WlanEnumInterfaces(handle, None, ctypes.byref(pointer)))
        try:
            count = ctypes.cast(pointer, ctypes.POINTER(wintypes.DWORD)).contents.value
            return _copied(pointer, 8 + 532 * count)
        finally:
            library.WlanFreeMemory(pointer)


def wifi_connection(card: bytes) -> Block:
    """Ask what a card is connected to. PermissionError when Windows guards it as a location."""
    return _ask_card(card, _CURRENT_CONNECTION)


def wifi_rssi(card: bytes) -> int:
    """Ask a card's driver for the signal in dBm."""
    return _ask_card(card, _RSSI).number(0, "<i")


def powershell(script: str) -> str:
    """Run a script in Windows' own PowerShell and give what it printed. Starts a program: never cheap."""
    program = os.path.join(os.environ["SYSTEMROOT"], "System32", "WindowsPowerShell", "v1.0", "powershell.exe")  # noqa: PTH118
    done = subprocess.run(
        [program, "-NoProfile", "-NonInteractive", "-Command", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=POWERSHELL_SECONDS,
        check=False,
        creationflags=subprocess.CREATE_NO_WINDOW,
    )
    if done.returncode:
        raise OSError(done.returncode, "PowerShell could not answer")
    return done.stdout


def _ask_card(card: bytes, what: int) -> Block:
    with _wlan() as (library, handle):
        length, pointer = wintypes.DWORD(), ctypes.c_void_p()
        guid = ctypes.create_string_buffer(card, 16)
        answer = library.WlanQueryInterface(handle, guid, what, None, ctypes.byref(length), ctypes.byref(pointer), None)
        if answer == _ACCESS_DENIED:
            raise PermissionError(answer, "Windows does not permit it: location is switched off for this user")
        zero(answer)
        try:
            return _copied(pointer, length.value)
        finally:
            library.WlanFreeMemory(pointer)


@contextmanager
def _wlan() -> Iterator[tuple[ctypes.WinDLL, ctypes.c_void_p]]:
    library = load("wlanapi")
    version, handle = wintypes.DWORD(), ctypes.c_void_p()
    zero(library.WlanOpenHandle(2, None, ctypes.byref(version), ctypes.byref(handle)))
    try:
        yield library, handle
    finally:
        library.WlanCloseHandle(handle, None)


def _citrix_library() -> ctypes.WinDLL:
    """Load the Citrix agent's library from where only an administrator can put one, never by PATH."""
    installed = os.path.join(os.environ["PROGRAMFILES"], "Citrix", "ICAService", "wfapi64.dll")  # noqa: PTH118
    if os.path.exists(installed):  # noqa: PTH110
        return ctypes.WinDLL(installed, winmode=SYSTEM32 | _OWN_FOLDER)
    return load("wfapi64.dll")


def _copied(pointer: ctypes.c_void_p, length: int) -> Block:
    address = pointer.value or 0
    return Block(content=ctypes.string_at(address, length), address=address)
