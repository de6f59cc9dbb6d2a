"""Writers that are killed, and writers that race; run as a program so that forking copies no threads of the tests.

Prints one JSON object. Each child says on a pipe what was done, after it was done.
"""

from __future__ import annotations

import errno
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

from anomaly_detection.errors import RegistryError
from anomaly_detection.registry import LocalRegistry, read_artifact, write_artifact


class Model:
    """A model whose spec and arrays both say its number, so that a mixture of two would show."""

    def __init__(self, number):
        self.number = number

    def state(self):
        return {"number": self.number}, {"numbers": np.full(2_000, self.number)}


def fork(work, *arguments):
    """Run ``work(report, *arguments)`` in a child; returns its id and where its reports arrive."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    status = 1
    try:
        work(lambda text: os.write(writer, f"{text}\n".encode()), *arguments)
        status = 0
    finally:
        os._exit(status)


def lines(reader):
    """Everything that arrives until the child is gone."""
    with os.fdopen(reader, "rb") as file:
        return [line.decode().strip() for line in file]


def racing(root, work, count):
    """Start ``count`` children at once and collect their reports and exit statuses."""
    gate, opener = os.pipe()

    def waiting(report, index):
        os.close(opener)
        os.read(gate, 1)
        work(report, root, index)

    children = [fork(waiting, index) for index in range(count)]
    os.close(gate)
    os.close(opener)
    reports = [lines(reader) for _, reader in children]
    return {"reports": reports, "statuses": [os.waitpid(child, 0)[1] for child, _ in children]}


def register_some(report, root, index):
    for step in range(4):
        report(LocalRegistry(root).register("m", Model(index * 100 + step)).version)


def promote_some(report, root, index):
    for step in range(5):
        LocalRegistry(root).promote("m", (index + step) % 8 + 1)
        report("done")


def overwrite_or_read(report, root, index):
    folder = Path(root) / "saved"
    for step in range(30):
        if index == 0:
            write_artifact(folder, *Model(step).state(), overwrite=True)
        else:
            artifact = read_artifact(folder)
            assert set(artifact.arrays["numbers"]) == {artifact.spec["number"]}
    report("done")


def everything(report, root, seed):
    """Register, promote, roll back, delete, until killed."""
    registry = LocalRegistry(root)
    draw = random.Random(seed)
    while True:
        version = registry.register("m", Model(seed), aliases=["tried"] if draw.random() < 0.3 else []).version
        report(f"registered {version}")
        if draw.random() < 0.6:
            registry.promote("m", version)
            report(f"promoted {version}")
        if draw.random() < 0.6:
            victim = registry.register("doomed", Model(seed)).reference
            registry.delete(victim)
            report(f"deleted {victim}")


def overwriting(report, root, seed):
    """Replace one saved model again and again, until killed."""
    while True:
        write_artifact(Path(root) / "saved", *Model(seed).state(), overwrite=True)
        report("saved 1")


def killed(root, rounds, work, check):
    """Kill a writer ``rounds`` times, each after a few reports and a few random milliseconds more."""
    draw = random.Random(0)
    reports = []
    for seed in range(rounds):
        child, reader = fork(work, root, seed)
        seen = b""
        for _ in range(draw.randrange(4)):
            seen += os.read(reader, 65_536)
        select.select([], [], [], draw.uniform(0.0, 0.012))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as file:
            seen += file.read()
        reports += seen.decode().split("\n")[:-1]
        check(root)
    return {"reports": reports}


def readable(root):
    """Readers are never broken by what a dead writer left."""
    registry = LocalRegistry(root)
    for model in registry.list():
        assert model.latest.problem is None
        for alias in ("latest", *model.aliases):
            artifact = registry.load(f"{model.name}@{alias}")
            assert set(artifact.arrays["numbers"]) == {artifact.spec["number"]}


def saved_is_whole(root):
    folder = Path(root) / "saved"
    if folder.exists() or folder.with_name(".saved.previous").exists():
        artifact = read_artifact(folder)
        assert set(artifact.arrays["numbers"]) == {artifact.spec["number"]}


CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "fcntl.flock")


class Trap:
    """Watches what is done to files under ``root`` and springs at the ``at``-th step."""

    def __init__(self, root, at, spring, *, only_growing):
        self.root, self.at, self.spring, self.only_growing = str(root), at, spring, only_growing
        self.steps = 0
        sys.addaudithook(self.watch)

    def watch(self, event, arguments):
        if not self.matters(event, arguments):
            return
        self.steps += 1
        if self.steps == self.at:
            self.spring()

    def matters(self, event, arguments):
        if event == "fcntl.flock":
            return not self.only_growing
        if event != "open" and event not in CHANGES:
            return False
        if self.root not in str(arguments[0]):
            return False
        return event in ("open", "os.mkdir", "os.rename") or not self.only_growing


def disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def prepared(root):
    """A registry with three versions, two aliases, an exported file and a saved model."""
    registry = LocalRegistry(root / "registry")
    for number in (1, 2, 3):
        registry.register("m", Model(number), aliases=["production"])
    registry.promote("m", 1, alias="old")
    registry.export("m@2", root / "two.zip")
    write_artifact(root / "saved", *Model(1).state())


ACTIONS = {
    "register": lambda registry, _: registry.register("m", Model(4), aliases=["production", "new"]),
    "register new": lambda registry, _: registry.register("n", Model(4)),
    "promote": lambda registry, _: registry.promote("m", 1),
    "rollback": lambda registry, _: registry.rollback("m"),
    "delete": lambda registry, _: registry.delete("m@3", force=True),
    "delete all": lambda registry, _: registry.delete("m", force=True),
    "import": lambda registry, root: registry.import_(root / "two.zip"),
    "export": lambda registry, root: registry.export("m@2", root / "two.zip", overwrite=True),
    "save": lambda _, root: write_artifact(root / "saved", *Model(2).state(), overwrite=True),
}


def snapshot(root):
    """Everything a reader can see, every byte of it checked."""
    registry = LocalRegistry(root / "registry")
    models = {}
    for model in registry.list():
        numbers = {version: registry.load(f"{model.name}@{version}").spec["number"] for version in model.versions}
        moves = [
            (change.action, change.alias, change.version)
            for change in registry.history(model.name)
            if change.action != "delete"
        ]
        models[model.name] = [sorted(numbers.items()), sorted(model.aliases.items()), moves]
    with tempfile.TemporaryDirectory() as elsewhere:
        LocalRegistry(elsewhere).import_(root / "two.zip")
    return [models, read_artifact(root / "saved").spec]


def attempt(report, root, action, at, how):
    spring = (lambda: os.kill(os.getpid(), signal.SIGKILL)) if how == "killed" else disk_full
    trap = Trap(root, at, spring, only_growing=how == "full")
    try:
        ACTIONS[action](LocalRegistry(root / "registry"), root)
    except RegistryError as error:
        report(f"refused: {error}")
    else:
        report("done" if trap.steps >= at else "through")


def litter_after_going_on(root):
    """What is left behind once other writers have been everywhere."""
    registry = LocalRegistry(root / "registry")
    version = registry.register("m", Model(5), aliases=["production"])
    registry.export(version.reference, root / "two.zip", overwrite=True)
    write_artifact(root / "saved", *Model(5).state(), overwrite=True)
    there = [*(root / "registry" / ".staging").iterdir(), *root.iterdir()]
    return sorted({entry.name for entry in there} - {"registry", "saved", "two.zip"})


def everywhere(root, how):
    """Kill, or fill the disk, at every step of every action; each time in a fresh copy."""
    os.fsync = int  # a kill, other than a power cut, does not lose what is not on disk yet; it is slow
    root = Path(root)
    prepared(root / "template")
    found = []
    for action in ACTIONS:
        for at in range(1, 200):
            copy = root / "copy"
            shutil.copytree(root / "template", copy)
            before = snapshot(copy)
            child, reader = fork(attempt, copy, action, at, how)
            report = lines(reader)
            status = os.waitpid(child, 0)[1]
            after = snapshot(copy)
            litter = litter_after_going_on(copy)
            shutil.rmtree(copy)
            found.append([action, at, status, report, before, after, litter])
            if report == ["through"]:
                break
    return found


SCENES = {
    "killed everywhere": lambda root: everywhere(root, "killed"),
    "full everywhere": lambda root: everywhere(root, "full"),
    "register": lambda root: racing(root, register_some, 8),
    "promote": lambda root: racing(root, promote_some, 8),
    "overwrite": lambda root: racing(root, overwrite_or_read, 3),
    "kill": lambda root: killed(root, 40, everything, readable),
    "kill_overwrite": lambda root: killed(root, 25, overwriting, saved_is_whole),
}

if __name__ == "__main__":
    print(json.dumps(SCENES[sys.argv[1]](sys.argv[2])))
