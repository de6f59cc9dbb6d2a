"""How Alembic reaches the database: by the connection it is given."""

from __future__ import annotations

from alembic import context

from anomaly_detection.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
