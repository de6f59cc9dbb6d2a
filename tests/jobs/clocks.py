"""A clock that a test moves."""

from datetime import timedelta


class Clock:
    def __init__(self, time):
        self.time = time

    def __call__(self):
        return self.time

    def forward(self, seconds):
        self.time += timedelta(seconds=seconds)
