"""The tables of the registry's database; their history is in ``migrations/``."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware time kept as microseconds since 1970 in UTC: it sorts, and no driver guesses a zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:  # noqa: ANN401, ARG002
        """Write."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:  # noqa: ANN401, ARG002
        """Read."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


METADATA = MetaData()

AGENTS = Table(
    "agents",
    METADATA,
    Column("agent_id", String(32), primary_key=True),
    Column("endpoint", String(100), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("enrolled_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("seen_at", Instant),
    Column("skew_seconds", Float),
    Column("version", String(100)),
)
INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("code_sha256", String(64), primary_key=True),
    Column("endpoint", String(100), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)
ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("failures_in_a_row", Integer, nullable=False, server_default="0"),
    Column("paused_at", Instant),
    Column("held_by", String(200)),
    Column("held_until", Instant),
)
BATCHES = Table("batches", METADATA, Column("batch_id", String(200), primary_key=True))
CHANGES = Table(
    "changes",
    METADATA,
    Column("change_id", String(100), primary_key=True),
    Column("started_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
    Column("batch_id", String(200), nullable=False),
    Column("body", Text, nullable=False),
)
VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("verdict_id", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("status", String(32), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("verdicts_by_time", "ended_at", "started_at"),
)
STANDING = Table(
    "standing",
    METADATA,
    Column("site", String(100), primary_key=True),
    Column("journey", String(100), primary_key=True),
    Column("step", String(100), primary_key=True),
    Column("link", String(32), primary_key=True),
    Column("presentation", String(32), primary_key=True),
    Column("environment", String(100), primary_key=True),
    Column("against", String(32), primary_key=True),
    Column("body", Text, nullable=False),
)
FIGURES = Table(
    "figures",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("body", Text, nullable=False),
)
ALERTS = Table(
    "alerts",
    METADATA,
    Column("key", String(900), primary_key=True),
    Column("site", String(100), nullable=False),
    Column("body", Text, nullable=False),
)
NOTICES = Table(
    "notices",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("notice_id", String(64), nullable=False, unique=True),
    Column("channel", String(100), nullable=False),
    Column("site", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("holder", String(64)),  # the process that hands it over, while it does
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("unsure", Integer, nullable=False, server_default="0"),
    Column("not_before", Instant),
    Column("settled_at", Instant),
    Column("remark", Text),
    Column("body", Text, nullable=False),
    Index("notices_on_their_way", "channel", "state", "number"),
)
TALLIES = Table(
    "tallies",
    METADATA,
    Column("budget", String(900), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("site", String(100), nullable=False),
    Column("units", Float, nullable=False),
    Column("bad", Float, nullable=False),
    Index("tallies_by_start", "start"),
)
