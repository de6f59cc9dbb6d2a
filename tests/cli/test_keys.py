"""``keys``: made, seen, revoked; the secret is shown once."""

import json

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ANOMALY_DETECTION_HOME", str(tmp_path / "home"))


def test_a_key_is_made_seen_and_revoked(ad):
    made = ad("keys", "create", "shop", "--scope", "score", "--scope", "read", "--days", "90")
    assert (made.code, made.out[:3]) == (0, "ad_")
    (listed,) = ad("keys", "list", "--json").json
    assert (listed["name"], listed["scopes"], listed["state"]) == ("shop", ["score", "read"], "active")
    assert made.out.split()[0] not in json.dumps(listed)
    assert ad("keys", "revoke", "shop", "--json").json["state"] == "revoked"
    assert "revoked" in ad("keys", "list").out


def test_json_carries_the_secret_for_machines(ad):
    made = ad("keys", "create", "shop", "--json").json
    assert made["secret"].startswith("ad_")
    assert made["scopes"] == ["read", "score"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "shop", "--scope", "all"), "all"),
        (("create", "shop", "--days", "-1"), "-1"),
        (("create", " "), "name"),
        (("revoke", "nobody"), "nobody"),
    ],
)
def test_what_makes_no_sense_is_refused(ad, words, said):
    ran = ad("keys", *words)
    assert ran.code == 2
    assert said in ran.err
