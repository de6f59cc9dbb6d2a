"""What takes a process of its own: signals, full disks, two at once, and what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from cli.conftest import command, environment, files_in, numbers

RUN = ("detection", "run", "--data")

UNWANTED = ("sklearn", "pandas", "pyarrow", "scipy.stats", "requests", "matplotlib")

SIGNALLED = """
import sys
sys.argv[0] = "anomaly-detection"
from anomaly_detection.cli import main
from anomaly_detection.sinks import files

write = files.FileSink.write

def slow(self, frame):
    write(self, frame)
    print("ready", flush=True)
    import time
    time.sleep(60)

files.FileSink.write = slow
main()
"""

LIMITED = """
import resource, sys
sys.argv[0] = "anomaly-detection"
from anomaly_detection.cli import main
import anomaly_detection.workflows.detect
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
main()
"""


def started(program, *arguments, **streams):
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], env=environment(), **streams)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_in_the_middle_nothing_is_half_written(orders, tmp_path, number, code):
    out = tmp_path / "out.csv"
    out.write_text("what was there before")
    before = files_in(tmp_path)
    with started(
        SIGNALLED, *RUN, orders, "--output", out, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert "Traceback" not in said
    assert ("Interrupted" in said) == (number == signal.SIGINT)
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_a_full_disk_leaves_what_was_there(table, tmp_path, ending):
    rng = np.random.default_rng(0)
    data = table(pl.DataFrame(rng.normal(size=(3000, 2)), schema=["x", "y"]))
    out = tmp_path / f"out.{ending}"
    out.write_text("what was there before")
    before = files_in(tmp_path)
    with started(LIMITED, *RUN, data, "--output", out, stderr=subprocess.PIPE, text=True) as process:
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "could not be written" in said
    assert "Traceback" not in said
    assert files_in(tmp_path) == before


def test_a_full_disk_registers_nothing(orders, tmp_path):
    registry = tmp_path / "registry"
    with started(
        LIMITED,
        "models",
        "train",
        "--data",
        orders,
        "--name",
        "m",
        "--ignore",
        "fraud",
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert not [path for path in registry.rglob("*") if path.is_file() and path.stat().st_size > 0]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB, read-only on request; where this user may mount one."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full_says_so(process, table, tiny_disk):
    rng = np.random.default_rng(0)
    data = table(pl.DataFrame(rng.normal(size=(9000, 2)), schema=["x", "y"]))
    ran = process(*RUN, data, "--output", tiny_disk / "out.csv")
    assert ran.code == 2
    assert "the disk is full" in ran.err
    assert list(tiny_disk.iterdir()) == []


def test_a_read_only_registry_is_refused_before_any_work(process, orders, tiny_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    ran = process("models", "train", "--data", orders, "--name", "m", "--registry", tiny_disk / "registry")
    assert ran.code == 2
    assert "may not be written" in ran.err
    assert ran.err.count("\n") == 1


def test_two_processes_register_the_same_name(orders):
    arguments = command("models", "train", "--data", orders, "--name", "m", "--algorithm", "ecod", "--json")
    both = [subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE) for _ in range(2)]
    versions = [json.loads(each.communicate(timeout=120)[0])["version"] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert sorted(versions) == [1, 2]


def test_a_reader_that_has_enough_ends_it_quietly(table, tmp_path):
    rng = np.random.default_rng(0)
    data = table(pl.DataFrame(rng.normal(size=(9000, 2)), schema=["x", "y"]))
    with subprocess.Popen(
        command(*RUN, data, "--output", "-", "--quiet"),
        env=environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 141
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv"]


def test_the_command_is_recorded_with_the_results(process, table, tmp_path):
    data = table(numbers())
    ran = process(*RUN, data, "--json", cwd=tmp_path)
    assert ran.json["made"]["command"] == f"anomaly-detection detection run --data {data} --json"


@pytest.mark.parametrize("arguments", [("--help",), RUN])
def test_nothing_heavy_is_imported_that_is_not_needed(orders, arguments):
    program = (
        "import sys; from anomaly_detection.cli.app import run; "
        f"run(sys.argv[1:]); print([name for name in {UNWANTED} if name in sys.modules], file=sys.stderr)"
    )
    more = [str(orders)] if arguments is RUN else []
    with started(program, *arguments, *more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = process.communicate(timeout=60)[1]
    assert said.splitlines()[-1] == "[]"


def test_help_needs_no_numbers():
    program = (
        "import sys; from anomaly_detection.cli.app import run; "
        "run(['--help']); print([name for name in ('numpy', 'polars', 'numba', 'scipy') if name in sys.modules])"
    )
    with started(program, stdout=subprocess.PIPE, text=True) as process:
        said = process.communicate(timeout=60)[0]
    assert said.splitlines()[-1] == "[]"
    assert "detection" in said


def test_python_dash_m_runs_the_program_and_the_command_is_kept(orders):
    out = orders.with_name("out.json")
    command = [sys.executable, "-m", "anomaly_detection", "detection", "run", "--data", str(orders), "-a", "ecod"]
    done = subprocess.run([*command, "--output", str(out)], check=False, capture_output=True, env=environment())
    assert done.returncode == 0
    assert b"Most anomalous" in done.stdout
    typed = json.loads(out.read_text())["made"]["command"]
    assert typed == f"anomaly-detection detection run --data {orders} -a ecod --output {out}"
    wrong = subprocess.run([*command[:3], "modles"], check=False, capture_output=True, env=environment())
    assert wrong.returncode == 2
    assert b"See `anomaly-detection --help`" in wrong.stderr
