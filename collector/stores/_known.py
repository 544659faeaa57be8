"""Which batch ids are in the store: millions of them, at eight bytes each."""

import hashlib
from collections.abc import Callable, Iterable

import numpy as np

_FOLD_AT = 100_000


class KnownIds:
    """A set of batch ids, kept as 64-bit hashes; a hit is confirmed by asking the store itself."""

    def __init__(self, ids: Iterable[str], *, confirm: Callable[[str], bool]) -> None:
        """``confirm`` says whether the store really holds an id; it is asked only when the hash is known."""
        self._old = np.sort(np.fromiter((_hash(name) for name in ids), dtype=np.uint64))
        self._new: set[int] = set()
        self._confirm = confirm
        self.count = len(self._old)

    def __contains__(self, name: str) -> bool:
        value = _hash(name)
        place = int(np.searchsorted(self._old, np.uint64(value)))
        seen = value in self._new or (place < len(self._old) and int(self._old[place]) == value)
        return seen and self._confirm(name)

    def add(self, names: Iterable[str]) -> None:
        """Take over ids the store holds from now on."""
        hashes = [_hash(name) for name in names]
        self._new.update(hashes)
        self.count += len(hashes)
        if len(self._new) > _FOLD_AT:
            fresh = np.fromiter(self._new, dtype=np.uint64, count=len(self._new))
            self._old = np.union1d(self._old, fresh)
            self._new = set()


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
