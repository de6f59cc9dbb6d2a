"""The tables of the service. A change here needs a migration in ``migrations/versions``; a test holds both together."""

from __future__ import annotations

import sqlalchemy as sa

from anomaly_detection.store.columns import Moment, Urgency

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("expires", Moment),
    sa.Column("revoked", Moment),
    sa.Column("last_used", Moment),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("key_digest", sa.String(64), nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("expires", Moment, nullable=False),
    sa.Index(None, "expires"),
)
"""Who has signed in to the dashboard: a cookie stands for a key."""

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("priority", Urgency, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("step", sa.String(200), nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("problem", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("dedupe", sa.String(200), unique=True),
    sa.Column("asked_by", sa.String(120), nullable=False),
    sa.Column("owner", sa.String(120)),
    sa.Column("lease_until", Moment),
    sa.Column("cancel_asked", sa.Boolean, nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("run_after", Moment, nullable=False),
    sa.Column("started", Moment),
    sa.Column("ended", Moment),
    sa.Index("ix_jobs_next", "state", "priority", "run_after", "id"),
    sa.Index(None, "ended"),
)

job_lines = sa.Table(
    "job_lines",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("job", sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index(None, "job", "id"),
)

schedules = sa.Table(
    "schedules",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("cron", sa.String(120), nullable=False),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("next_run", Moment, nullable=False),
    sa.Column("last_run", Moment),
    sa.Column("last_job", sa.String(32)),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("caller", sa.String(120), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.JSON),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created", Moment, nullable=False),
    sa.Index(None, "created"),
)
"""What was answered to requests with an idempotency key; ``status`` is null while the first one is under way."""

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("model", sa.String(120), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("record_id", sa.String(200), nullable=False),
    sa.Column("key", sa.String(400), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("received", Moment, nullable=False),
    sa.Column("severity", sa.String(10), nullable=False),
    sa.Column("anomaly_score", sa.Float, nullable=False),
    sa.Column("p_value", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("changed", Moment, nullable=False),
    sa.UniqueConstraint("model", "version", "record_id"),
    sa.Index(None, "at"),
    sa.Index(None, "model", "at"),
    sa.Index(None, "state", "at"),
)

activity = sa.Table(
    "activity",
    metadata,
    sa.Column("model", sa.String(120), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(400), primary_key=True),
    sa.Column("minute", Moment, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("anomalies", sa.BigInteger, nullable=False),
    sa.Column("worst", sa.Float, nullable=False),
    sa.Index(None, "minute"),
)
"""How much was scored, by minute, for swimlanes and rates."""

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("model", sa.String(120), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("record_id", sa.String(200), nullable=False),
    sa.Column("is_anomaly", sa.Boolean, nullable=False),
    sa.Column("was_flagged", sa.Boolean, nullable=False),
    sa.Column("anomaly_score", sa.Float),
    sa.Column("said_by", sa.String(120), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.UniqueConstraint("model", "version", "record_id"),
    sa.Index(None, "model", "version"),
)

table_runs = sa.Table(
    "table_runs",
    metadata,
    sa.Column("table_id", sa.String(200), primary_key=True),
    sa.Column("check", sa.String(20), primary_key=True),
    sa.Column("at", Moment, primary_key=True),
    sa.Column("profile", sa.JSON, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Index(None, "at"),
)
"""What each check of a table saw and said, for the checks to come and for the dashboard."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(400), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index(None, "at"),
)
