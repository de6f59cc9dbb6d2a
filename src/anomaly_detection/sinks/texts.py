"""One text into one file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from anomaly_detection.sinks._aside import Aside, not_written, refuse_input, refuse_unwritable


def check_place(path: str | Path, source: str | Path | None = None, example: str = "report.html") -> None:
    """Make sure that a text may be written to a file.

    Parameters
    ----------
    path : the file.
    source : a file that must not be overwritten.
    example : how such a file may be called.

    Raises
    ------
    InputError
        where it could not be written: no such folder, a directory, the source itself.
    SinkError
        where writing is not allowed.
    """
    target = Path(path).resolve()
    refuse_unwritable(Path(path), target, example)
    refuse_input(target, source)


def write_text(path: str | Path, text: str) -> None:
    """Write a text aside and put it in its place when all is done; what was there is as it was until then.

    Raises
    ------
    SinkError
        where writing fails.
    """
    aside: Aside | None = None
    try:
        aside = Aside(Path(path).resolve())
        aside.file.write(text.encode("utf-8", "replace"))
        aside.put_in_place()
    except OSError as error:
        raise not_written(Path(path), error) from error
    finally:
        if aside is not None:
            aside.drop()
