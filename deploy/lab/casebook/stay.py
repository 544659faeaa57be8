"""How long casebook lets people stay, and what it does with what they have not saved: the lab's policies.

Settings come as JSON lines on standard input, the first before it serves anybody. Sessions that are ended keep the
reason, notes and drafts that are gone leave a trace, so that the lab can see the truth in the database.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from deploy.lab.casebook.database import Database
from deploy.lab.casebook.timing import Timing

REASONS = {
    "idle": "You were signed out after inactivity",
    "replaced": "You have signed in elsewhere",
    "admin": "An administrator ended your session",
    "signed_out": "You have signed out",
}
_ENDED = {  # the statements that end sessions, by what chooses them
    "token_hash": "UPDATE session SET ended = %s WHERE token_hash = %s AND ended IS NULL",
    "account": "UPDATE session SET ended = %s WHERE account = %s AND ended IS NULL",
}
_IDLE = (
    "UPDATE session SET ended = 'idle' WHERE token_hash = %s AND ended IS NULL "
    "AND seen_at < clock_timestamp() - make_interval(secs => %s)"
)
_REPLACED = "UPDATE session SET ended = 'replaced' WHERE account = %s AND token_hash <> %s AND ended IS NULL"
_GONE = "UPDATE draft SET gone = %s WHERE account = %s AND gone IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is told. ``write_behind_seconds``: so long a note is only in memory, though it is shown."""

    idle_seconds: float | None = None
    one_session: bool = False
    says_why: bool = True
    keeps_drafts: bool = True
    write_behind_seconds: float = 0.0


class Stay:
    """Ends sessions, keeps drafts, and writes notes late, as the policy of the moment says."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policy = Policy()
        self._unwritten: list[tuple[float, int, str, str]] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Wait for the first line, which may say ``forget_sessions``, as a start does that kept them in memory."""
        if self._take(sys.stdin.readline()).get("forget_sessions"):
            self._do("DELETE FROM session")
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    @property
    def says_why(self) -> bool:
        """Say whether people are told why their session has ended."""
        return self._policy.says_why

    def signed_in(self, account: str, token_hash: str) -> None:
        """Do what follows from a log-on."""
        if self._policy.one_session:
            self._do(_REPLACED, account, token_hash)
        if not self._policy.keeps_drafts:
            self._do(_GONE, "session", account)

    def seen(self, token_hash: str) -> None:
        """Note that a session is used, unless it was idle for too long."""
        if self._policy.idle_seconds is not None:
            self._do(_IDLE, token_hash, self._policy.idle_seconds)
        self._do("UPDATE session SET seen_at = clock_timestamp() WHERE token_hash = %s", token_hash)

    def end(self, by: str, value: str, reason: str) -> None:
        """End sessions by ``token_hash`` or ``account``."""
        self._do(_ENDED[by], reason, value)

    def leave(self, case_id: int, account: str, body: str) -> None:
        """Keep a draft in place of the one before."""
        self._do(_GONE, "newer", account)
        self._do("INSERT INTO draft (case_id, account, body) VALUES (%s, %s, %s)", case_id, account, body)

    def draft(self, case_id: int, account: str) -> str:
        """Give what was left."""
        with self._database.transaction(Timing()) as connection:
            row = connection.execute(
                "SELECT body FROM draft WHERE case_id = %s AND account = %s AND gone IS NULL", (case_id, account)
            ).fetchone()
        return "" if row is None else str(row[0])

    def takes(self, case_id: int, account: str, body: str) -> bool:
        """Let go of the draft that a save makes needless, and take the note if it is written later."""
        self._do(_GONE, "saved", account)
        if not self._policy.write_behind_seconds:
            return False
        with self._lock:
            self._unwritten.append((time.monotonic(), case_id, account, body))
        return True

    def unwritten(self, case_id: int) -> Sequence[str]:
        """Give the notes of a case that are only in memory, newest first."""
        with self._lock:
            return [body for _, case, _, body in reversed(self._unwritten) if case == case_id]

    def _write(self) -> None:
        while True:
            time.sleep(0.1)
            due = time.monotonic() - self._policy.write_behind_seconds
            with self._lock:
                ripe = [note for note in self._unwritten if note[0] <= due]
                for _, case_id, account, body in ripe:
                    self._database.add_note(case_id, account, body, Timing())
                self._unwritten = [note for note in self._unwritten if note[0] > due]

    def _listen(self) -> None:
        for line in sys.stdin:
            self._take(line)

    def _take(self, line: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(line)
        known = {field.name for field in fields(Policy)}
        self._policy = replace(self._policy, **{name: told[name] for name in known & told.keys()})
        return told

    def _do(self, statement: str, *values: object) -> None:
        with self._database.transaction(Timing()) as connection:
            connection.execute(statement, values)
