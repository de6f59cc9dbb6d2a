"""Processes that put and do jobs and are killed at random moments; run as a program of its own, which forks them.

It prints the ids that were acknowledged: those that a process wrote down after ``put`` had come back.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from anomaly_detection.jobs import Queue
from anomaly_detection.jobs.lease import LeaseLostError
from anomaly_detection.store import Database, upgrade

LEASE_SECONDS = 0.25
FINISHED = "finished"


def queue_at(url):
    return Queue(Database(url), lease_seconds=LEASE_SECONDS, pause_seconds=0.01)


def put_and_work(url, folder, seed, acknowledged):
    """Put jobs and do jobs until killed."""
    queue, dice = queue_at(url), random.Random(seed)
    while True:
        if dice.random() < 0.5:
            n = dice.randrange(1000)
            job = queue.put("double", {"n": n}, asked_by="killed", max_attempts=100, dedupe=f"{seed}-{dice.random()}")
            os.write(acknowledged, f"{job.id}\n".encode())
        else:
            work(queue, folder)


def work(queue, folder):
    """Do one job; whether there was one. What it does leaves a trace of each attempt."""
    lease = queue.claim(f"worker {os.getpid()}")
    if lease is None:
        return False
    try:
        lease.beat(0.5, "doubling")
        with Path(folder, lease.job.id).open("a") as file:
            file.write("x")
        lease.finish({"doubled": 2 * lease.job.payload["n"]}, [FINISHED])
    except LeaseLostError:
        pass
    return True


def killed(url, folder, seed):
    """What was acknowledged by a process that is killed some time after its first word."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        put_and_work(url, folder, seed, writer)
    os.close(writer)
    said = os.read(reader, 64)
    time.sleep(random.Random(seed).uniform(0, 0.04))  # the moment is what this is about
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while more := os.read(reader, 65536):
        said += more
    os.close(reader)
    return [line for line in said.decode().split("\n")[:-1] if line]


def main(url, folder, kills):
    database = Database(url)
    upgrade(database)
    database.close()
    for seed in range(int(kills)):
        print(*killed(url, folder, seed), sep="\n")
    queue = queue_at(url)
    while queue.unended():
        if not work(queue, folder):
            time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
