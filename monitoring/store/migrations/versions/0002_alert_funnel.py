"""An index for what leaders are told of a time's alerts."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = (
    "opened_period", "township", "village", "level", "verify_due_date", "opened_on", "verified_at", "decided_at", "helped_at", "closed_at",
    "outcome", "raises_work", "status",
)  # fmt: skip


def upgrade() -> None:
    op.create_index("ix_alert_funnel", "alert", list(COLUMNS), unique=False)
