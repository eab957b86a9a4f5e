"""What nothing flagged: the monthly sample of households without a signal, and what was found at their doors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitoring.store import schema

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_draw",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("bands", sa.JSON(), nullable=False),
        sa.Column("model", sa.Boolean(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("at", schema.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_draw")),
        sa.UniqueConstraint("period", name=op.f("uq_audit_draw_period")),
    )
    op.create_table(
        "audit_stratum",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("township", sa.String(length=64), nullable=True),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["audit_draw.id"], name=op.f("fk_audit_stratum_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_stratum")),
    )
    op.create_index(op.f("ix_audit_stratum_draw_id"), "audit_stratum", ["draw_id"], unique=False)
    op.create_table(
        "audit_sample",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.String(length=64), nullable=False),
        sa.Column("township", sa.String(length=64), nullable=True),
        sa.Column("village", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("share", sa.Numeric(precision=6, scale=4), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(["draw_id"], ["audit_draw.id"], name=op.f("fk_audit_sample_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_sample")),
        sa.UniqueConstraint("draw_id", "household_id", name=op.f("uq_audit_sample_draw_id_household_id")),
    )
    op.create_index(op.f("ix_audit_sample_household_id"), "audit_sample", ["household_id"], unique=False)
    op.create_table(
        "audit_visit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", schema.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_visit_account_id")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_audit_visit_alert_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["audit_sample.id"], name=op.f("fk_audit_visit_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_visit")),
    )
    op.create_index(op.f("ix_audit_visit_sample_id"), "audit_visit", ["sample_id"], unique=False)
    op.create_table(
        "audit_listed",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["audit_draw.id"], name=op.f("fk_audit_listed_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_listed")),
    )
    op.create_index(op.f("ix_audit_listed_draw_id"), "audit_listed", ["draw_id"], unique=False)


def downgrade() -> None:
    for table in ("audit_listed", "audit_visit", "audit_sample", "audit_stratum", "audit_draw"):
        op.drop_table(table)
