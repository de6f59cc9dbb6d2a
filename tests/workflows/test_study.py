"""The file a search is kept in: what was acknowledged is there, whatever is killed; other files are left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anomaly_detection.errors import InputError
from anomaly_detection.workflows.study import Trial, open_study

WHAT = {"version": "1", "data": "abc", "search_space": {"knn": [1, 2]}}

WRITER = """
import sys
from pathlib import Path
from anomaly_detection.workflows.study import Trial, open_study
with open_study(Path(sys.argv[1]), {what!r}) as study:
    while True:
        number = len(study.trials)
        study.append(Trial(number, "complete", {{"algorithm": "knn"}}, [0.5, 0.25], 0.375, {{}}, "auto", 0.1))
        print(number, flush=True)
"""


def trial(number, **more):
    return Trial(number, "complete", {"algorithm": "knn", "knn.n_neighbors": 5}, [0.5], 0.5, {"auroc": 0.5}, **more)


def written(path, *trials, what=WHAT):
    with open_study(path, what) as study:
        for one in trials:
            study.append(one)
    return path.read_bytes()


def trials_in(path, what=WHAT):
    with open_study(path, what) as study:
        return list(study.trials)


def test_trials_come_back_as_they_were(tmp_path):
    path = tmp_path / "a" / "b" / "study.jsonl"
    given = [
        trial(0, wish="auto", alarms=0.1 + 0.2, f1=None, seconds=1.5),
        Trial(1, "pruned", {"algorithm": "pca", "pca.n_components": None}, [1 / 3], 1 / 3, {}),
        Trial(2, "failed", {"algorithm": "pca", "pca.n_components": 0.5}, [], None, {}, problem="too few"),
    ]
    written(path, *given)
    assert trials_in(path) == given
    written(path, trial(3))
    assert trials_in(path) == [*given, trial(3)]


def test_the_file_is_lines_of_json(tmp_path):
    lines = written(tmp_path / "s", trial(0), trial(1)).decode().splitlines()
    assert json.loads(lines[0]) == {"study": 1, **WHAT}
    assert [json.loads(line)["number"] for line in lines[1:]] == [0, 1]


def test_a_file_cut_short_anywhere_keeps_the_trials_before_the_cut(tmp_path):
    whole = written(tmp_path / "s", trial(0), trial(1))
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        expected = [trial(0), trial(1)][: max(0, sum(end <= length for end in ends) - 1)]
        assert trials_in(path) == expected
        written(path, trial(len(expected)))
        assert trials_in(path) == [*expected, trial(len(expected))]


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_what_was_acknowledged_survives_kill_9(tmp_path):
    path, acknowledged = tmp_path / "s", []
    for count in (1, 4, 9):
        program = [sys.executable, "-c", WRITER.format(what=WHAT), str(path)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=source()) as process:
            acknowledged += [int(process.stdout.readline()) for _ in range(count)]
            process.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in process.stdout]
        kept = trials_in(path)
        assert [one.number for one in kept] == list(range(len(kept)))
        assert acknowledged == list(range(len(acknowledged)))
        assert len(kept) - len(acknowledged) in (0, 1)
        acknowledged = list(range(len(kept)))


def source():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"data": "xyz"}, "the data is not the same"),
        ({"search_space": {"knn": [1, 3]}}, "its search space is not the same"),
        ({"data": "xyz", "version": "2"}, "its version, the data are not the same"),
    ],
)
def test_a_study_of_another_search_is_refused_and_left_as_it_is(tmp_path, other, words):
    before = written(tmp_path / "s", trial(0))
    with pytest.raises(InputError, match=words):
        trials_in(tmp_path / "s", WHAT | other)
    assert (tmp_path / "s").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x,y\n1,2\n", "not a study"),
        (b"hello", "not a study"),
        (b"{}\n", "not a study"),
        (b"[1]\n", "not a study"),
        (b"\xff\xfe\n", "not a study"),
        (b'{"study": 9}\n', "not a study"),
    ],
)
def test_a_foreign_file_is_refused_and_left_as_it_is(tmp_path, content, words):
    path = tmp_path / "s"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        trials_in(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("line", [b"{}", b"no", b'{"number": "1"}', b"\xff"])
def test_a_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "s"
    content = written(path, trial(0)) + line + b"\n"
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged in line 3"):
        trials_in(path)
    assert path.read_bytes() == content


def test_trials_out_of_order_are_damage(tmp_path):
    written(tmp_path / "s", trial(0), trial(2))
    with pytest.raises(InputError, match="holds trial 2 instead of 1"):
        trials_in(tmp_path / "s")


def test_two_at_once_are_refused(tmp_path):
    path = tmp_path / "s"
    with open_study(path, WHAT), pytest.raises(InputError, match="Another process"), open_study(path, WHAT):
        pass


@pytest.mark.parametrize("place", [".", "file/study"])
def test_a_place_that_cannot_be_written_says_so(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--study"):
        written(tmp_path / place)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_no_study(tmp_path):
    os.mkfifo(tmp_path / "s")
    with pytest.raises(InputError, match="not a study"):
        trials_in(tmp_path / "s")


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "s").symlink_to(tmp_path / "target")
    with pytest.raises(InputError, match="cannot be written"):
        written(tmp_path / "s", trial(0))
    assert (tmp_path / "target").read_text() == "precious"
