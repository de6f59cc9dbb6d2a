"""Tokens of an identity provider (OpenID Connect): JSON web tokens, checked with its public keys."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomaly_detection.api.principal import SCOPES, Principal
from anomaly_detection.errors import MissingDependencyError, ParameterError
from anomaly_detection.store.keys import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.api.principal import Checker
    from anomaly_detection.settings import Settings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a pair of keys; never ``none``, nor a shared secret, which a public key could be taken for."""

KEYS_LAST = 300.0
"""Seconds until the provider's keys are fetched again; at once for a key that is not known, at most every 10."""

LEAST_WAIT = 10.0
LEEWAY = 30.0
LARGEST = 2**20
MOST_REMEMBERED = 10_000


class OidcTokens:
    """Knows who holds a token of the provider.

    Parameters
    ----------
    issuer, audience : what a token has to say it is from and for.
    keys : the provider's keys (JWKS): a file, or an ``https`` address.
    claim : where a token's scopes are: a text of words, or a list.
    now : seconds that never go back.

    Raises
    ------
    ParameterError
        for an address that is neither a file nor ``https``.
    MissingDependencyError
        if PyJWT is not installed (extra ``oidc``).
    """

    def __init__(
        self, issuer: str, audience: str, keys: str, claim: str = "scope", now: Callable[[], float] = time.monotonic
    ) -> None:
        if "://" in keys and not keys.startswith("https://"):
            raise ParameterError(f"The keys of the identity provider have to be a file or at https://; {keys} is not.")
        try:
            self._jwt: Any = import_module("jwt")
        except ModuleNotFoundError:
            raise MissingDependencyError("pyjwt", "oidc", "Signing in by an identity provider") from None
        self._claims = {"issuer": issuer, "audience": audience}
        self._keys_at = keys
        self._claim = claim
        self._now = now
        self._keys: dict[str, Any] = {}
        self._fetched = float("-inf")
        self._known: dict[str, Principal] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> OidcTokens | None:
        """As the settings say; None where they name no issuer.

        Raises
        ------
        ParameterError
            if the audience or the keys are missing.
        """
        if settings.oidc_issuer is None:
            return None
        if settings.oidc_audience is None or settings.oidc_keys is None:
            raise ParameterError("With ANOMALY_DETECTION_OIDC_ISSUER give ..._OIDC_AUDIENCE and ..._OIDC_KEYS, too.")
        return cls(settings.oidc_issuer, settings.oidc_audience, settings.oidc_keys, settings.oidc_claim)

    def check(self, secret: str) -> Principal | None:
        """Who holds a token that was seen before."""
        found = self._known.get(digest_of(secret))
        return found if found is not None and found.ends > time.time() else None

    def check_again(self, secret: str) -> Principal | None:
        """Who holds a token: its signature is checked, and keys are fetched if they have to be."""
        try:
            key = self._key(str(self._jwt.get_unverified_header(secret).get("kid", "")))
            claims = None if key is None else self._decoded(secret, key)
        except self._jwt.PyJWTError:
            return None
        if claims is None:
            return None
        ends = float(claims["exp"])
        principal = Principal(f"oidc {claims['sub']}"[:120], self._scopes(claims), ends=ends)
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[digest_of(secret)] = principal
        return principal

    def _decoded(self, secret: str, key: Any) -> dict[str, Any]:
        required = {"require": ["exp", "iss", "aud", "sub"]}
        decoded = self._jwt.decode(secret, key, algorithms=ALGORITHMS, options=required, leeway=LEEWAY, **self._claims)
        return dict(decoded)

    def _scopes(self, claims: dict[str, Any]) -> frozenset[str]:
        found = claims.get(self._claim, "")
        words = found.split() if isinstance(found, str) else found
        given = words if isinstance(words, list) else ()
        return frozenset(word for word in given if isinstance(word, str) and word in SCOPES)

    def _key(self, name: str) -> Any:
        """The provider's key of a name, or its only one."""
        with self._lock:
            age = self._now() - self._fetched
            if age > KEYS_LAST or (name not in self._keys and age > LEAST_WAIT):
                self._fetch()
            return self._keys.get(name)

    def _fetch(self) -> None:
        self._fetched = self._now()
        try:
            found = self._jwt.PyJWKSet.from_dict(json.loads(_read(self._keys_at)))
        except (OSError, ValueError, self._jwt.PyJWTError):
            return
        self._keys = {key.key_id or "": key for key in found.keys}
        if len(found.keys) == 1:
            self._keys[""] = found.keys[0]


class Either:
    """Keys of the service and tokens of a provider; what looks like a token is asked of the provider alone.

    Parameters
    ----------
    keys, tokens : know secrets.
    """

    def __init__(self, keys: Checker, tokens: Checker) -> None:
        self.keys = keys
        self.tokens = tokens

    def check(self, secret: str) -> Principal | None:
        """Who holds it, from memory."""
        return self._of(secret).check(secret)

    def check_again(self, secret: str) -> Principal | None:
        """Who holds it; may wait."""
        return self._of(secret).check_again(secret)

    def _of(self, secret: str) -> Checker:
        return self.tokens if secret.count(".") == 2 else self.keys


def _read(where: str) -> bytes:
    if not where.startswith("https://"):
        return Path(where).read_bytes()
    with urllib.request.urlopen(where, timeout=5) as answer:  # noqa: S310 - https only, from the settings
        found: bytes = answer.read(LARGEST)
    return found
