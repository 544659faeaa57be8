"""Alerts: what each says now, messages on their way, counts of error budgets."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create alerts, notices and tallies."""
    op.create_table(
        "alerts",
        sa.Column("key", sa.String(900), primary_key=True),
        sa.Column("site", sa.String(100), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("notice_id", sa.String(64), nullable=False, unique=True),
        sa.Column("channel", sa.String(100), nullable=False),
        sa.Column("site", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("holder", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("unsure", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("remark", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("notices_on_their_way", "notices", ["channel", "state", "number"])
    op.create_table(
        "tallies",
        sa.Column("budget", sa.String(900), primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True),
        sa.Column("site", sa.String(100), nullable=False),
        sa.Column("units", sa.Float, nullable=False),
        sa.Column("bad", sa.Float, nullable=False),
    )
    op.create_index("tallies_by_start", "tallies", ["start"])
