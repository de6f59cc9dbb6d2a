"""Tokens of an identity provider: only its own, for us, in time, signed by a pair of keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from importlib import import_module

import pytest

from anomaly_detection.api.oidc import LEAST_WAIT, OidcTokens
from anomaly_detection.errors import ParameterError
from anomaly_detection.settings import Settings
from service_support import service

pytestmark = pytest.mark.needs_extra("jwt", "cryptography")

ISSUER, AUDIENCE = "https://id.example", "anomaly-detection"


def pair():
    ec = import_module("cryptography.hazmat.primitives.asymmetric.ec")
    return ec.generate_private_key(ec.SECP256R1())


def published(path, keys):
    to_jwk = import_module("jwt.algorithms").ECAlgorithm.to_jwk
    found = [{**json.loads(to_jwk(key.public_key())), "kid": kid, "alg": "ES256"} for kid, key in keys.items()]
    path.write_text(json.dumps({"keys": found}))


def token(key, kid="one", algorithm="ES256", **changes):
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": time.time() + 60, "scope": "openid score read"}
    given = {name: value for name, value in (claims | changes).items() if value is not None}
    return import_module("jwt").encode(given, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def key():
    return pair()


@pytest.fixture
def tokens(tmp_path, key):
    published(tmp_path / "keys.json", {"one": key})
    return OidcTokens(ISSUER, AUDIENCE, str(tmp_path / "keys.json"))


def test_a_token_says_who_and_what_they_may(tokens, key):
    found = tokens.check_again(token(key))
    assert (found.name, found.scopes) == ("oidc ann", {"score", "read"})


def test_a_token_that_was_seen_is_known_until_it_ends(tokens, key):
    secret = token(key)
    assert tokens.check(secret) is None
    assert tokens.check_again(secret) == tokens.check(secret)
    assert tokens.check(secret).ends == pytest.approx(time.time() + 60, abs=10)
    late = token(key, exp=time.time() - 10)
    assert tokens.check_again(late).name == "oidc ann"
    assert tokens.check(late) is None


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://other.example"}, {"aud": "other"}, {"exp": 1.0}, {"exp": None}, {"sub": None}, {"nbf": 9e9},
     {"aud": None}, {"kid": "unknown"}],
)  # fmt: skip
def test_tokens_of_others_or_for_others_or_too_late_are_refused(tokens, key, changes):
    assert tokens.check_again(token(key, **changes)) is None


def test_a_token_that_is_signed_by_somebody_else_is_refused(tokens):
    assert tokens.check_again(token(pair())) is None


def part(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def test_tokens_without_a_signature_or_with_a_public_key_as_a_secret_are_refused(tokens, key):
    s = import_module("cryptography.hazmat.primitives.serialization")
    claims = part(json.dumps({"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": time.time() + 60}).encode())
    none = f"{part(json.dumps({'alg': 'none', 'kid': 'one'}).encode())}.{claims}."
    public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    head = f"{part(json.dumps({'alg': 'HS256', 'kid': 'one'}).encode())}.{claims}"
    confused = f"{head}.{part(hmac.new(public, head.encode(), hashlib.sha256).digest())}"
    assert [tokens.check_again(secret) for secret in (none, confused, "a.b.c", "..")] == [None] * 4


def test_new_keys_of_the_provider_are_fetched_but_not_for_every_unknown_one(tmp_path, key):
    now = [0.0]
    path = tmp_path / "keys.json"
    published(path, {"one": key})
    tokens = OidcTokens(ISSUER, AUDIENCE, str(path), now=lambda: now[0])
    assert tokens.check_again(token(key)) is not None
    new = pair()
    published(path, {"two": new})
    assert tokens.check_again(token(new, "two")) is None
    now[0] = LEAST_WAIT + 1
    assert tokens.check_again(token(new, "two")) is not None
    assert tokens.check_again(token(key)) is None


def test_a_provider_that_does_not_answer_leaves_the_keys_as_they_were(tmp_path, key):
    now = [0.0]
    path = tmp_path / "keys.json"
    published(path, {"one": key})
    tokens = OidcTokens(ISSUER, AUDIENCE, str(path), now=lambda: now[0])
    tokens.check_again(token(key))
    path.write_text("<html>busy</html>")
    now[0] = 1000.0
    assert tokens.check_again(token(key, sub="bob")).name == "oidc bob"


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [(["score", "admin"], {"score", "admin"}), ("score admin", {"score", "admin"}), (["score", {"a": 1}], {"score"}),
     (7, set()), (None, set())],
)  # fmt: skip
def test_scopes_come_as_a_text_or_a_list(tmp_path, key, claim, scopes):
    published(tmp_path / "keys.json", {"one": key})
    tokens = OidcTokens(ISSUER, AUDIENCE, str(tmp_path / "keys.json"), "roles")
    assert tokens.check_again(token(key, roles=claim)).scopes == scopes


def test_the_service_takes_both_keys_and_tokens(tmp_path, key):
    published(tmp_path / "keys.json", {"one": key})
    given = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_keys": str(tmp_path / "keys.json")}
    with service(tmp_path, open_access=False, **given) as running:
        by_token = {"Authorization": f"Bearer {token(key)}"}
        assert running.client.get("/api/v1/models", headers=by_token).status_code == 200
        assert running.client.get("/api/v1/audit", headers=by_token).status_code == 403
        assert running.client.get("/api/v1/models", headers=running.key("read")).status_code == 200
        assert running.client.get("/api/v1/models", headers={"Authorization": "Bearer a.b.c"}).status_code == 401


@pytest.mark.parametrize(
    "settings", [{}, {"oidc_audience": "a"}, {"oidc_audience": "a", "oidc_keys": "http://id.example"}]
)
def test_settings_that_are_not_enough_or_not_safe_are_refused(tmp_path, settings):
    with pytest.raises(ParameterError):
        OidcTokens.of(Settings(home=tmp_path, oidc_issuer=ISSUER, **settings))
