"""What the services of generated logs say, as plain data.

A step is a level, a text and how many milliseconds it usually takes, 0 for one that takes none. In a text ``{n}`` is a
number with a usual range; the others are names of things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Step(NamedTuple):
    """A kind of line."""

    level: str
    text: str
    milliseconds: float = 0.0


class Service(NamedTuple):
    """A service: the steps of a session in order, what it says in between, what it says rarely, how it fails."""

    name: str
    session: tuple[Step, ...]
    between: tuple[Step, ...]
    rare: tuple[Step, ...]
    failing: tuple[Step, ...]


class Words(NamedTuple):
    """All steps of all services, and where those of each service are."""

    steps: list[Step]
    session: list[NDArray[np.int64]]
    between: list[NDArray[np.int64]]
    rare: list[NDArray[np.int64]]
    failing: list[NDArray[np.int64]]
    new: NDArray[np.int64]


SERVICES: tuple[Service, ...] = (
    Service(
        "gateway",
        (
            Step("DEBUG", "Accepted connection from {ip} on port 443"),
            Step("INFO", "Routing request {hex} to {path}", 4),
            Step("INFO", "Upstream answered request {hex} in {n} chunks", 40),
            Step("DEBUG", "Closed connection from {ip}"),
        ),
        (Step("INFO", "Open connections: {n}"), Step("DEBUG", "Reloaded {n} routes from cache")),
        (Step("WARN", "Certificate of {host} expires in {n} days"), Step("WARN", "Slow client {ip} was throttled")),
        (Step("ERROR", "Upstream {host} refused the connection", 900), Step("ERROR", "Bad gateway for {path}", 1200)),
    ),
    Service(
        "auth",
        (
            Step("INFO", "Login of {user} from {ip} started"),
            Step("DEBUG", "Loaded profile of {user} from store {host}", 12),
            Step("INFO", "Password of {user} verified", 85),
            Step("INFO", "Issued token {hex} for {user}", 6),
        ),
        (Step("INFO", "Swept {n} expired tokens"), Step("DEBUG", "Key ring holds {n} keys")),
        (Step("WARN", "Second factor of {user} was reset"), Step("WARN", "Clock skew of {n} ms against {host}")),
        (Step("ERROR", "Cannot reach directory {host}", 1500), Step("ERROR", "Token {hex} has a bad signature", 9)),
    ),
    Service(
        "catalog",
        (
            Step("INFO", "Lookup of product {id}", 3),
            Step("DEBUG", "Cache miss for product {id}"),
            Step("INFO", "Read product {id} from shard {n}", 18),
            Step("INFO", "Rendered product {id} with {n} pictures", 25),
        ),
        (Step("INFO", "Index holds {n} segments"), Step("DEBUG", "Warmed {n} cache entries")),
        (Step("WARN", "Product {id} has no price"), Step("WARN", "Shard {n} is being moved to {host}")),
        (Step("ERROR", "Query on shard {n} was cancelled", 2000), Step("ERROR", "Corrupt row for product {id}", 7)),
    ),
    Service(
        "cart",
        (
            Step("INFO", "Opened cart {hex} of {user}", 5),
            Step("INFO", "Added product {id} to cart {hex}", 9),
            Step("DEBUG", "Priced cart {hex} with {n} items", 14),
            Step("INFO", "Checked out cart {hex}", 60),
        ),
        (Step("INFO", "Active carts: {n}"), Step("DEBUG", "Dropped {n} abandoned carts")),
        (Step("WARN", "Coupon {hex} was used twice"), Step("WARN", "Cart {hex} was merged after login of {user}")),
        (
            Step("ERROR", "Lost lock on cart {hex}", 700),
            Step("ERROR", "Stock service did not answer for product {id}", 3000),
        ),
    ),
    Service(
        "payment",
        (
            Step("INFO", "Payment {hex} of {user} created", 8),
            Step("DEBUG", "Risk score of payment {hex} is {n}", 30),
            Step("INFO", "Bank {host} authorised payment {hex}", 240),
            Step("INFO", "Payment {hex} captured", 110),
            Step("INFO", "Receipt for {hex} queued"),
        ),
        (Step("INFO", "Settled {n} payments"), Step("DEBUG", "Ledger balanced with {n} entries")),
        (Step("WARN", "Payment {hex} needs a manual review"), Step("WARN", "Exchange rates are {n} minutes old")),
        (
            Step("ERROR", "Bank {host} declined payment {hex}", 300),
            Step("ERROR", "Timeout while capturing {hex}", 5000),
        ),
    ),
    Service(
        "search",
        (
            Step("INFO", "Query {hex} with {n} terms received"),
            Step("DEBUG", "Query {hex} was sent to {n} shards", 6),
            Step("INFO", "Query {hex} found {id} documents", 70),
        ),
        (Step("INFO", "Refreshed index in {n} steps"), Step("DEBUG", "Heap use is {n} percent")),
        (Step("WARN", "Synonyms of language {n} are out of date"), Step("WARN", "Query {hex} was rewritten")),
        (
            Step("ERROR", "Shard on {host} failed for query {hex}", 800),
            Step("ERROR", "Parser gave up on query {hex}", 4),
        ),
    ),
    Service(
        "mailer",
        (
            Step("INFO", "Message {hex} for {user} queued"),
            Step("DEBUG", "Rendered template {id} for message {hex}", 22),
            Step("INFO", "Message {hex} handed to {host}", 150),
            Step("INFO", "Message {hex} delivered"),
        ),
        (Step("INFO", "Queue depth is {n}"), Step("DEBUG", "Kept {n} connections to relays alive")),
        (Step("WARN", "Message {hex} bounced"), Step("WARN", "Relay {host} asked to wait {n} s")),
        (
            Step("ERROR", "Relay {host} rejected message {hex}", 400),
            Step("ERROR", "No relay left for message {hex}", 50),
        ),
    ),
    Service(
        "scheduler",
        (
            Step("INFO", "Job {id} started on {host}"),
            Step("DEBUG", "Job {id} read {n} batches", 300),
            Step("INFO", "Job {id} wrote its results to {path}", 120),
            Step("INFO", "Job {id} finished", 15),
        ),
        (Step("INFO", "Waiting jobs: {n}"), Step("DEBUG", "Heartbeat of {n} workers received")),
        (Step("WARN", "Job {id} was started late by {n} s"), Step("WARN", "Worker {host} is draining")),
        (Step("ERROR", "Job {id} failed with exit code {n}", 90), Step("ERROR", "Worker {host} lost its lease", 10)),
    ),
)

NEW: tuple[Step, ...] = (
    Step("WARN", "Falling back to legacy protocol v1 for peer {host}"),
    Step("ERROR", "Unhandled exception in thread pool-{n}: NullPointerException"),
    Step("WARN", "Disk /dev/sd{n} reports reallocated sectors"),
    Step("ERROR", "Out of file descriptors while opening {path}"),
    Step("WARN", "Retry budget exhausted for circuit {hex}"),
    Step("INFO", "Entering maintenance mode requested by {user}"),
    Step("ERROR", "Checksum mismatch in block {hex} of {path}"),
    Step("WARN", "Split brain suspected between {host} and {host}"),
    Step("CRITICAL", "Kernel killed child process {id} for lack of memory"),
    Step("WARN", "Feature flag {hex} has an unknown value"),
    Step("ERROR", "Schema version {n} is newer than this binary"),
    Step("INFO", "Debug endpoint {path} was opened by {ip}"),
)
"""What no service ever says while all is well."""

PATHS = (
    "/api/orders",
    "/api/users",
    "/api/items",
    "/static/app.js",
    "/health",
    "/api/pay",
    "/var/data/out",
    "/srv/job",
)
