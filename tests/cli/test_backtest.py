"""`backtest`: a history replayed from a file."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

START = datetime(2025, 1, 1)


@pytest.fixture
def load(tmp_path):
    """Hourly rows of two hosts, with incidents from row 900 and 1300 on for six hours on the first of them."""
    n = 2000
    rng = np.random.default_rng(0)
    frames = []
    for host in ("a", "b"):
        values = 50 + rng.normal(0, 2, n)
        bad = np.zeros(n, dtype=int)
        if host == "a":
            for at in (900, 1300):
                values[at + 1 : at + 6] += 40
                bad[at : at + 6] = 1
        at = [START + timedelta(hours=i) for i in range(n)]
        frames.append(pl.DataFrame({"at": at, "load": values, "host": [host] * n, "bad": bad}))
    path = tmp_path / "load.csv"
    pl.concat(frames).sort("at").write_csv(path)
    return path


@pytest.fixture
def incidents(tmp_path):
    path = tmp_path / "incidents.csv"
    rows = [(900, 905, "a", "disk full"), (1300, 1305, "a", "deploy"), (1500, 1510, "b", "nothing seen")]
    times = [[str(START + timedelta(hours=hour)) for hour in row[:2]] for row in rows]
    path.write_text(
        "start,end,key,name\n"
        + "".join(f"{a},{b},{row[2]},{row[3]}\n" for (a, b), row in zip(times, rows, strict=True))
    )
    return path


ROLES = ("--timestamp", "at", "--columns", "load", "--key", "host", "--algorithm", "ewma")


def test_a_label_says_what_happened(ad, load):
    ran = ad("backtest", "--data", load, *ROLES, "--label", "bad", "--budget", "3/week", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    (one,) = found["configurations"]
    assert one["settings"] == {"algorithm": "ewma", "budget": "3/week"}
    assert 0.8 <= one["alarms_per_week"] / 3 <= 1.2
    assert one["next_week"]["low"] <= 3 <= one["next_week"]["high"]
    assert one["incidents"]["known"] == one["incidents"]["caught"] == 2
    assert one["incidents"]["late"] == [3600.0, 3600.0]
    assert one["incidents"]["false_alarms"] < one["alarms"]
    assert one["injected"] == []
    assert found["history"]["learned_rows"] == 1200
    assert found["history"]["unit"] == "week"


def test_incidents_of_a_file_and_two_configurations_on_a_page(ad, load, incidents, tmp_path):
    page = tmp_path / "backtest.html"
    asked = ("--incidents", incidents, "--contamination", "0.005", "--against", "budget=5/week", "--refits", "2")
    ran = ad("backtest", "--data", load, *ROLES, *asked, "--output", page)
    assert ran.code == 0
    assert "2 of 3 known incidents caught" in ran.out
    assert "Of the alarms of the first" in ran.out
    assert "disk full, a" in " ".join(ran.out.split())
    text = page.read_text()
    for words in ("Backtest on load.csv", "algorithm=ewma, budget=5/week", "missed", "1 hour", "Only of the second"):
        assert words in text
    assert "https:" not in text
    for ending in ("md", "json"):
        assert ad("backtest", "--data", load, *ROLES, *asked, "--output", tmp_path / f"b.{ending}", "-q").code == 0
    assert "| known incidents caught | 2 of 3 |" in (tmp_path / "b.md").read_text()
    parts = json.loads((tmp_path / "b.json").read_text())
    first, second = (one["alarms"] for one in parts["configurations"])
    difference = parts["difference"]
    assert len(difference["both"]) + len(difference["only_first"]) == first
    assert len(difference["only_second"]) <= second
    assert len(parts["configurations"][0]["fits"]) == 3


def test_without_incidents_anomalies_are_injected(ad, load):
    ran = ad("backtest", "--data", load, *ROLES)
    assert ran.code == 0
    assert "Injected anomalies" in ran.out
    assert "5 of 5" in ran.out


def test_rows_without_a_clock(ad, tmp_path):
    path = tmp_path / "rows.csv"
    pl.DataFrame({"row": range(1000), "v": np.random.default_rng(0).normal(size=1000)}).write_csv(path)
    ran = ad("backtest", "--data", path, "--timestamp", "row", "--budget", "0.01", "--columns", "v")
    assert ran.code == 0
    assert "per 1,000 rows" in ran.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--budget", "0/week"), "would leave no alarm at all"),
        (("--budget", "lots"), "'lots' is no number"),
        (("--against", "ewma"), "'ewma' is not name=value"),
        (("--against", "contamination=few"), "contamination='few' has to be a number"),
        (("--against", "algorithm=auto,depth=3"), "'depth' is no setting of auto"),
        (("--against", "spam=3"), "spam"),
        (("--against", "algorithm=knn"), "judges rows of a table"),
        (("--against", "algorithm=change_point"), "looks at a whole file"),
        (("--label", "bad", "--incidents", "x.csv"), "both say what happened"),
        (("--train-share", "1"), "train_share=1.0"),
        (("--refits", "-1"), "refits=-1"),
        (("--output", "page.pdf"), "End it in .html, .md or .json"),
        (("--incidents", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_nonsense_is_refused(refused, load, more, said):
    assert said in refused("backtest", "--data", load, *ROLES, *more)


def test_a_time_is_needed(refused, load):
    assert "Name the column of time" in refused("backtest", "--data", load)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("begin,end\n2025-02-01,2025-02-02\n", "has no column 'start'"),
        ("start,end\n2025-02-03,2025-02-02\n", "incident 1 ends at"),
        ("start,end\n5,7\n", "counts rows, and the rows of the history have times"),
        ("start,end\n2025-02-03,\n", "1 of 1 incidents have no end"),
    ],
)
def test_incidents_that_cannot_be(refused, load, tmp_path, text, said):
    path = tmp_path / "incidents.csv"
    path.write_text(text)
    assert said in refused("backtest", "--data", load, *ROLES, "--incidents", path)


def test_a_short_history(refused, tmp_path):
    path = tmp_path / "short.csv"
    pl.DataFrame(
        {"at": [START + timedelta(hours=i) for i in range(30)], "v": [float(i % 7) for i in range(30)]}
    ).write_csv(path)
    said = refused("backtest", "--data", path, "--timestamp", "at", "--columns", "v")
    assert "The history is too short to replay" in said
    assert "Give about 37 more" in said
