"""The first schema of the registry."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create agents, invitations, accounts, batches, changes, verdicts and what stands now."""
    _who_may_send()
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("failures_in_a_row", sa.Integer, nullable=False, server_default="0"),
        sa.Column("paused_at", sa.BigInteger),
        sa.Column("held_by", sa.String(200)),
        sa.Column("held_until", sa.BigInteger),
    )
    op.create_table("batches", sa.Column("batch_id", sa.String(200), primary_key=True))
    op.create_table(
        "changes",
        sa.Column("change_id", sa.String(100), primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("batch_id", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_changes_started_at", "changes", ["started_at"])
    _conclusions()


def _who_may_send() -> None:
    op.create_table(
        "agents",
        sa.Column("agent_id", sa.String(32), primary_key=True),
        sa.Column("endpoint", sa.String(100), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("enrolled_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("seen_at", sa.BigInteger),
        sa.Column("skew_seconds", sa.Float),
        sa.Column("version", sa.String(100)),
    )
    op.create_table(
        "invitations",
        sa.Column("code_sha256", sa.String(64), primary_key=True),
        sa.Column("endpoint", sa.String(100), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )


def _conclusions() -> None:
    op.create_table(
        "verdicts",
        sa.Column("verdict_id", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("verdicts_by_time", "verdicts", ["ended_at", "started_at"])
    op.create_table(
        "figures",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "standing",
        sa.Column("site", sa.String(100), primary_key=True),
        sa.Column("journey", sa.String(100), primary_key=True),
        sa.Column("step", sa.String(100), primary_key=True),
        sa.Column("link", sa.String(32), primary_key=True),
        sa.Column("presentation", sa.String(32), primary_key=True),
        sa.Column("environment", sa.String(100), primary_key=True),
        sa.Column("against", sa.String(32), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
