"""Linkage: what people decided about rows, persons and households; a decision holds until it is taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitoring.store import schema

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_decision",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("one", sa.String(length=64), nullable=False),
        sa.Column("other", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("weight", sa.Numeric(precision=8, scale=2), nullable=True),
        sa.Column("probability", sa.Numeric(precision=8, scale=6), nullable=True),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("township", sa.String(length=64), nullable=True),
        sa.Column("village", sa.String(length=64), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("at", schema.Moment(), nullable=False),
        sa.Column("back_at", schema.Moment(), nullable=True),
        sa.Column("back_by", sa.String(length=64), nullable=True),
        sa.Column("back_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_link_decision_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_decision")),
    )
    op.create_index(op.f("ix_link_decision_one"), "link_decision", ["one"], unique=False)
    op.create_index(
        "ux_link_decision_standing",
        "link_decision",
        ["kind", "one", "other"],
        unique=True,
        sqlite_where=sa.text("back_at IS NULL"),
        postgresql_where=sa.text("back_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ux_link_decision_standing", table_name="link_decision")
    op.drop_index(op.f("ix_link_decision_one"), table_name="link_decision")
    op.drop_table("link_decision")
