"""Kinds of jobs for tests, which a process of their own imports; nothing heavy is imported with them."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from anomaly_detection.errors import ParameterError, StoreError


def note(task):
    """Do what is done once a job: a file that can only be made once."""
    Path(task.payload["folder"], task.id).touch(exist_ok=False)
    return {"doubled": 2 * task.payload["n"]}


def slow_note(task):
    """The same after some steps, and again if it is begun again."""
    for n in range(5):
        task.progress(n / 5, f"step {n}")
        time.sleep(task.payload.get("seconds", 0.01))
    with Path(task.payload["folder"], task.id).open("a") as file:
        file.write("x")
    return {"n": task.payload["n"]}


def endless(task):
    task.log(str(os.getpid()))
    while True:
        task.progress(0.5, "on and on")
        time.sleep(0.01)


def deaf(task):
    task.progress(0.5, "deaf")
    while True:
        time.sleep(0.01)


def suicide(task):
    task.log("this is the end")
    os.kill(os.getpid(), signal.SIGKILL)


def bad_input(_):
    raise ParameterError("n=7 is no good.")


def no_store(_):
    raise StoreError("The disk is full.")


def bug(_):
    return {}["missing"]


def odd(task):
    task.log("\0 \ud800 ä")
    return {"not": float("nan"), "when": Path("/x"), "n": {1, 2}}


def configured(settings, _):
    return {"settings": settings}


KINDS = {
    "note": note,
    "slow_note": slow_note,
    "endless": endless,
    "deaf": deaf,
    "suicide": suicide,
    "bad_input": bad_input,
    "no_store": no_store,
    "bug": bug,
    "odd": odd,
    "configured": partial(configured, "mine"),
}
