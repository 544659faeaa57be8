"""The records and documents casebook is filled with: made up from a seed, the same every time."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from psycopg import Connection

from deploy.lab.casebook import documents
from deploy.lab.casebook.app import password_hash
from deploy.lab.casebook.database import INDEXES, SCHEMA, Database
from deploy.lab.casebook.timing import Timing

CASES = 50_000
DOCUMENTS = 24_576
SAFE_RECORD = "WHICHLAYER SAFE RECORD"
_SURNAME_LIST = (
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker White "
    "Roberts Green Hall Wood Jackson Clarke Khan Ali Hussain Begum Ahmed Murphy Kelly Byrne Ryan Nowak Kowalski "
    "Mensah Okafor Adeyemi Silva Costa Rossi Muller Schmidt"
)
_WORD_LIST = (
    "assessment visit family school meeting plan review contact referral support worker health home letter child "
    "carer placement court order panel conference agreed action risk need service benefit income housing tenancy "
    "adult care package provider hours weekly report received sent telephone email concern safe progress attendance"
)
SURNAMES = _SURNAME_LIST.split()
_WORDS = _WORD_LIST.split()


def fill(conninfo: str, accounts: dict[str, str], *, cases: int = CASES) -> None:
    """Create the tables in an empty database and fill them; ``accounts`` maps names to passwords."""
    with Connection.connect(conninfo) as connection:
        connection.execute(SCHEMA)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO account (name, password_hash) VALUES (%s, %s)",
                [(name, password_hash(name, password)) for name, password in accounts.items()],
            )
            copy = "COPY case_record (title, surname, team, opened_on, summary) FROM STDIN"
            with cursor.copy(copy) as rows:
                for record in _cases(random.Random(3), cases):
                    rows.write_row(record)
        connection.execute(INDEXES)


def text_search_seconds(conninfo: str) -> float:
    """Measure what reading the text of one record takes in a search, on this machine when it is not busy."""
    database = Database(conninfo, text_search_depth=CASES)
    measured = []
    for _ in range(4):  # the first also fills the database's own memory
        timing = Timing()
        database.search(SURNAMES[0], timing)
        measured.append(timing.database_seconds)
    database.close()
    return min(measured) / CASES


def case_seconds(conninfo: str) -> float:
    """Measure what asking for one case by itself takes, on this machine when it is not busy."""
    database = Database(conninfo)
    measured = []
    for begin in range(1, 301, 20):
        timing = Timing()
        for number in range(begin, begin + 20):
            database.case(number, timing)
        measured.append(timing.database_seconds / 20)
    database.close()
    return min(measured)


def index_documents(path: Path) -> None:
    """Write the index of the scanned documents (96 MiB)."""
    draw = random.Random(5)
    vocabulary = SURNAMES + _WORDS
    documents.build(path, [draw.choices(vocabulary, k=24) for _ in range(DOCUMENTS)])


def _cases(draw: random.Random, count: int) -> Iterator[tuple[str, str, int, date, str]]:
    first = date(2014, 1, 6)
    yield SAFE_RECORD, "Whichlayer", 3, first, "For probes only: notes and prints of this record are tests."
    for number in range(1, count):
        surname = draw.choice(SURNAMES)
        opened = first + timedelta(days=draw.randrange(4300))
        yield f"{surname}, case {number:05d}", surname, draw.randrange(8), opened, _summary(draw)


def _summary(draw: random.Random) -> str:
    return " ".join(draw.choices(_WORDS, k=110)).capitalize() + "."
