"""Names of people and of their machines under names that only this site can make again.

The key lies in the data folder, readable by its owner only, and is in no fact: who gets the facts cannot try names.
"""

import hmac
import os
import secrets
from pathlib import Path

_FILE = "pseudonym.key"
_KEY_BYTES = 32
_LETTERS = 16  # 64 bits: two names of one site that meet are not to be expected


class Pseudonyms:
    """Gives one name of a kind always the same pseudonym, and another to the same text of another kind."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of_site(cls, data: Path) -> "Pseudonyms":
        """Use the key in the data folder; the first use makes it."""
        path = data / _FILE
        data.mkdir(parents=True, exist_ok=True)
        made = data / f".{_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        if not path.exists():
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(made, path)  # never over a key that somebody else made meanwhile
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return cls(path.read_bytes())

    @classmethod
    def passing(cls) -> "Pseudonyms":
        """Use a key that nobody keeps."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def of(self, kind: str, name: str) -> str:
        """Give the pseudonym of ``name``: letters and digits that fit into every name."""
        return hmac.digest(self._key, f"{kind}\0{name}".encode(), "sha256").hex()[:_LETTERS]
