"""`logs demo`: incidents that are known are found, and everything is left in a folder."""

from __future__ import annotations

import polars as pl
import pytest

from anomaly_detection.workflows.log_demo import Incident, incidents_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


def test_it_finds_incidents_and_writes_a_report(ad, folder):
    ran = ad("logs", "demo", "--folder", folder, "--rows", 8_000)
    assert ran.code == 0
    for words in ("What happened, by the labels", "error burst", "incidents were seen", "Anomalous templates"):
        assert words in ran.out
    assert "Anomalies in app.log" in (folder / "report.html").read_text()
    assert pl.read_csv(folder / "labels.csv")["label"].sum() == 320


def test_json_counts_the_incidents(ad, folder):
    found = ad("logs", "demo", "--folder", folder, "--rows", 8_000, "--json").json
    assert found["judged"] == 4_800
    assert sum(one["lines"] for one in found["incidents"]) == found["evaluation"]["anomalies"]
    assert sum(one["seen_after"] is not None for one in found["incidents"]) >= len(found["incidents"]) / 2
    assert found["evaluation"]["auroc"] > 0.8


def test_an_incident_is_what_a_service_does_in_a_row():
    rows = [
        (1, "a", "burst", False),
        (2, "b", "burst", True),
        (3, "a", "burst", True),
        (4, "a", None, True),
        (5, "a", "drift", False),
    ]
    frame = pl.DataFrame(rows, schema=["line", "service", "kind", "is_anomaly"], orient="row")
    assert incidents_of(frame) == (
        Incident("burst", "a", 1, 2, 1, 2),
        Incident("burst", "b", 2, 1, 1, 1),
        Incident("drift", "a", 5, 1, 0, None),
    )
