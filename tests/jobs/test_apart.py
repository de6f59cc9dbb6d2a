"""Work in a process of its own."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from anomaly_detection.jobs.apart import STEPS_BACK, do_apart

if TYPE_CHECKING:
    from pathlib import Path


def note(place: Path) -> None:
    place.write_text(f"{os.getpid()} {os.nice(0)}")


def wait_for_ever(place: Path) -> None:
    place.touch()
    threading.Event().wait()


def test_it_is_another_process_that_steps_back(tmp_path):
    do_apart(note, tmp_path / "note")
    pid, niceness = map(int, (tmp_path / "note").read_text().split())
    assert pid != os.getpid()
    assert niceness == min(19, os.nice(0) + STEPS_BACK)


def test_what_nobody_needs_any_more_is_ended(tmp_path):
    ends = threading.Event()
    apart = threading.Thread(target=do_apart, args=(wait_for_ever, tmp_path / "begun"), kwargs={"ends": ends})
    apart.start()
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        ends.wait(0.01)
    ends.set()
    apart.join(30)
    assert not apart.is_alive()
