"""Made-up systems: statements with the kinds of values their parameters take. One statement is one template."""

import random

USERS = ["ann", "bob", "carol", "root", "guest", "deploy", "backup", "nobody", "Admin"]
HOSTS = ["db.internal", "web-3.example.org", "10.2.0.7", "localhost7", "mail.example.com"]
CLASSES = ["org.acme.io.Reader", "org.acme.net.Pool", "com.example.JobQueue", "java.lang.Thread", "x.y.Worker"]


def value(kind, rng):
    n = rng.randrange(1, 100_000)
    return {
        "n": lambda: str(n),
        "neg": lambda: str(rng.choice([-1, 0, n])),
        "hex": lambda: f"0x{n:x}",
        "word": lambda: f"{rng.getrandbits(32):08x}",
        "ip": lambda: f"10.{n % 256}.{n % 7}.{n % 250}:{n % 60000 + 1024}",
        "mac": lambda: ":".join(f"{rng.randrange(256):02x}" for _ in range(6)),
        "path": lambda: f"/var/{rng.choice(['log', 'lib', 'tmp'])}/{rng.choice(USERS)}",
        "url": lambda: f"https://{rng.choice(HOSTS)}/v{n % 3}/items?id={n}",
        "uuid": lambda: f"{n:08x}-0000-4000-8000-{n:012x}",
        "user": lambda: rng.choice(USERS),
        "host": lambda: rng.choice(HOSTS),
        "class": lambda: rng.choice(CLASSES),
        "size": lambda: f"{n / 100:.1f} {rng.choice(['B', 'KB', 'MB'])}",
        "life": lambda: rng.choice(["<1 sec", f"{n % 60} ms", f"0{n % 10}:{n % 60:02}"]),
        "list": lambda: " ".join(str(n + i) for i in range(rng.randrange(1, 9))),
        "date": lambda: (
            f"{rng.choice(['Mon', 'Sat'])} {rng.choice(['Jun', 'May'])} {n % 28 + 1} 07:{n % 60:02}:01 2005"
        ),
        "flag": lambda: rng.choice(["true", "false", "null"]),
        "win": lambda: f"C:\\Windows\\{rng.choice(USERS)}\\lib{n}.dll",
    }[kind]()


SYSTEMS = {
    "cluster": (
        "node-{n} temperature ({n}C) exceeds the warning limit",
        "link error on broadcast tree Link-{n}T{n}:{n}",
        "fan speeds ( {list} )",
        "generating core.{n}",
        "data cache parity error at {hex} corrected",
        "data cache parity error at {hex} not corrected",
        "r{n}={hex} r{n}={hex}",
        "job {n} of {user} started on nodes {list}",
        "job {n} of {user} stopped on nodes {list}",
        "loader: error loading {path}: no such file",
    ),
    "dataflow": (
        "Starting task {n}.0 in stage {n}.0 (TID {n}, {host}, partition {n}, {n} bytes)",
        "Finished task {n}.0 in stage {n}.0 (TID {n}). {n} bytes result sent to driver",
        "Block broadcast_{n} stored as values in memory (estimated size {size}, free {size})",
        "Registering class {class} for class {class}",
        "attempt_{n}_m_{n} changed from NEW to ASSIGNED",
        "attempt_{n}_m_{n} changed from ASSIGNED to RUNNING",
        "Saved output of task 'attempt_{n}' to {url}",
        "Lost executor {n} on {host}: worker did not answer within {n} seconds",
    ),
    "desktop": (
        "Session: {n}_{n} initialized by client Updater.",
        "Loaded stack v6.1.{n} with core: {win}",
        "Read applicability of package: KB{n}~{word}~amd64~~6.1.1.{n}, state: {n}, current:{n}",
        "Failed to open package. [HRESULT = {hex} - E_INVALID]",
        "acquire lock={n}, flags={hex}, name={class}, shared={flag}",
        "release lock={n}, flags={hex}, name={class}, shared={flag}",
        "steps={n}##{n}##{n}",
        "{host}:{n} close, {n} bytes sent, {n} bytes received, lifetime {life}",
        "{host}:{n} error : could not connect, status code {n}",
    ),
    "login": (
        "session opened for user {user} by (uid={n})",
        "session closed for user {user}",
        "Failed password for {user} from {ip} port {n}",
        "Accepted password for {user} from {ip} port {n}",
        "connection from {ip} ({host}) at {date}",
        "lease of {ip} for {mac} expired",
        "[instance: {uuid}] deleted by {user} in {life}",
        "mail to {user}@example.org queued as {word}",
    ),
}


def log(name, lines, seed=0):
    """Messages of one system, and which statement wrote each."""
    rng, messages, true = random.Random(seed), [], []
    for _ in range(lines):
        which = rng.randrange(len(SYSTEMS[name]))
        parts = SYSTEMS[name][which].split("{")
        text = parts[0] + "".join(value(kind, rng) + rest for kind, _, rest in (p.partition("}") for p in parts[1:]))
        messages.append(text)
        true.append(which)
    return messages, true
