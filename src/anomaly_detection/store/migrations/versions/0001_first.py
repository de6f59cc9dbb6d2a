"""The first tables."""

from __future__ import annotations

from alembic import op

from anomaly_detection.store.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables. Nothing was released yet; once it is, this file gets a copy of the tables of that day."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind())
