"""Who a secret belongs to, without asking the database for every request."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from anomaly_detection.api.principal import Principal
from anomaly_detection.errors import StoreError
from anomaly_detection.store import keys as stored

if TYPE_CHECKING:
    from anomaly_detection.store import Database

REFRESH = 1.0
"""Seconds between two looks at the database: a revoked key works that much longer."""

LOOK_AGAIN = 0.1
"""The least seconds between two looks because a secret is unknown."""

NOTE_USE = 60.0
"""Seconds between two notes of which keys were used."""


class Keys:
    """All keys that may be used, in memory, read again every second by a thread.

    While the database does not answer, those that were known go on until they expire.

    Parameters
    ----------
    database : where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[Principal, str, float]] = {}
        self._ends: dict[str, float] = {}
        self._used: set[str] = set()
        self._looked = 0.0
        self._noted = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.look()
        self._thread = threading.Thread(target=self._follow, name="keys", daemon=True)
        self._thread.start()

    def check(self, secret: str) -> Principal | None:
        """Who holds a secret; None for one that is unknown, expired or revoked. Takes microseconds."""
        return self.holder(stored.digest_of(secret))

    def holder(self, digest: str) -> Principal | None:
        """The same by what is kept of a secret, such as by the session of a browser."""
        found = self._known.get(digest)
        if found is None or found[2] <= time.time():
            return None
        self._used.add(found[1])
        return found[0]

    def has_ended(self, caller: Principal) -> bool:
        """Whether a caller who was let in, and stayed, may no longer: the key or token has ended since."""
        ends = self._ends.get(caller.name, 0.0) if caller.has_key else caller.ends
        return ends <= time.time()

    def check_again(self, secret: str) -> Principal | None:
        """The same for a secret that was unknown: it may have been made a moment ago. Waits for the database."""
        asked = time.monotonic()
        with suppress(StoreError), self._lock:
            if self._looked < asked:
                time.sleep(max(0.0, self._looked + LOOK_AGAIN - asked))
                self._read()
        return self.check(secret)

    def look(self) -> None:
        """Read the keys again.

        Raises
        ------
        StoreError
            if the database does not answer.
        """
        with self._lock:
            self._read()

    def _read(self) -> None:
        self._looked = time.monotonic()
        with self._database.read() as connection:
            found = stored.usable(connection)
        self._ends = {key.name: _ends(key) for key in found if not key.is_token}
        self._known = {key.digest: (self._principal(key), key.id, _ends(key)) for key in found}

    def _principal(self, key: stored.ApiKey) -> Principal:
        return Principal(key.name, frozenset(key.scopes), has_key=key.name in self._ends)

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(REFRESH):
            with suppress(StoreError):
                self.look()
                self._note_use()
        with suppress(StoreError):
            self._note_use(0.0)

    def _note_use(self, unless_within: float = NOTE_USE) -> None:
        if not self._used or time.monotonic() - self._noted < unless_within:
            return
        used, self._used = self._used, set()
        with self._database.write() as connection:
            stored.note_use(connection, used, datetime.now(UTC))
        self._noted = time.monotonic()


def _ends(key: stored.ApiKey) -> float:
    return float("inf") if key.expires is None else key.expires.timestamp()
