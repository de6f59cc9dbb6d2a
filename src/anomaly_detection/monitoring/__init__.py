"""How the service is watched: log lines, spans, metrics that stand for what is stored, readiness."""
