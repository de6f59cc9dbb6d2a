"""Wait for a condition, not for a time."""

import time


def until(condition, seconds=60):
    """What the condition gives, once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.01)
    return found
