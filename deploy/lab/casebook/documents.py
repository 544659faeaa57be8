"""The scanned documents' index: one 4 KiB block of word marks per document, mapped into memory.

A block marks which words a document holds (a signature file): a document *may* hold a word when all
the word's bits are set. Looking something up reads one cache line in each block of a team, so the
application is quick only while its index is in memory: its working set.
"""

import hashlib
import mmap
import os
from pathlib import Path

import numpy as np

BLOCK = 4096
TEAMS = 8
_BITS_PER_WORD = 3


class DocumentIndex:
    """The mapped index. Blocks of one team are looked through at once."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED)
        self._map.madvise(mmap.MADV_RANDOM)  # look-ups jump: reading ahead would only waste memory
        self._blocks = np.frombuffer(self._map, dtype=np.uint8).reshape(-1, BLOCK)

    def mentions(self, word: str, team: int) -> int:
        """Count the documents of a team that mention ``word`` (a few too many, never too few)."""
        blocks = self._blocks[team % TEAMS :: TEAMS]
        found = np.ones(len(blocks), dtype=bool)
        for byte, bit in marks(word):
            found &= (blocks[:, byte] & bit) != 0
        return int(found.sum())


def marks(word: str) -> list[tuple[int, int]]:
    """Give the (byte, bit mask) places that stand for a word."""
    digest = hashlib.blake2b(word.lower().encode(), digest_size=4 * _BITS_PER_WORD).digest()
    places = (int.from_bytes(digest[i : i + 4], "big") % (BLOCK * 8) for i in range(0, len(digest), 4))
    return [(place // 8, 1 << place % 8) for place in places]


def build(path: Path, documents: list[list[str]]) -> None:
    """Write the index of ``documents`` (the words of each) durably."""
    known: dict[str, list[tuple[int, int]]] = {}
    with path.open("wb") as file:
        for words in documents:
            block = bytearray(BLOCK)
            for word in words:
                if word not in known:
                    known[word] = marks(word)
                for byte, bit in known[word]:
                    block[byte] |= bit
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
