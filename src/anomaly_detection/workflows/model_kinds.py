"""What a saved model is a model of, and which door takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["table", "log_lines", "log_sessions"]

WORDS: dict[Kind, str] = {"table": "tables", "log_lines": "log lines", "log_sessions": "sessions of log lines"}
"""What each kind judges."""


def kind_of(spec: Mapping[str, Any]) -> Kind:
    """What the model with this description judges.

    >>> kind_of({"logs": {}}), kind_of({"sessions": {}}), kind_of({"scorer": {}})
    ('log_lines', 'log_sessions', 'table')
    """
    return "log_lines" if "logs" in spec else "log_sessions" if "sessions" in spec else "table"


def need_table(spec: Mapping[str, Any], reference: str) -> None:
    """Refuse a model of logs where a table is judged.

    Raises
    ------
    ParameterError
        naming the command that takes it.
    """
    kind = kind_of(spec)
    if kind != "table":
        raise ParameterError(
            f"{reference} is a model of {WORDS[kind]}, not of tables. Judge logs with it: anomaly-detection logs score "
            f"FILE --model {reference}; in Python, LogDetector."
        )


def need_logs(spec: Mapping[str, Any], reference: str) -> None:
    """Refuse a model of tables where logs are judged.

    Raises
    ------
    ParameterError
        naming the command that takes it.
    """
    if kind_of(spec) == "table":
        raise ParameterError(
            f"{reference} is a model of tables, not of logs. Judge tables with it: anomaly-detection detection run "
            f"--data FILE --model {reference}; in Python, AnomalyDetector. Models of logs come from logs train."
        )
