"""Loops that do not count who holds an array make none, copy none into another, and call none that does."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import anomaly_detection

ROOT = Path(anomaly_detection.__file__).parent
KINDS = {"kernel", "lean", "inlined"}
MAKERS = {"empty", "zeros", "ones", "full", "array", "empty_like", "zeros_like", "copy", "astype", "flatnonzero"}


def loops_of(tree: ast.Module) -> dict[str, tuple[str, ast.FunctionDef]]:
    """The kind and the text of each loop, by name."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    kinds = [(one, {kind.id for kind in one.decorator_list if isinstance(kind, ast.Name)} & KINDS) for one in functions]
    return {one.name: (kind.pop(), one) for one, kind in kinds if kind}


def called_by(function: ast.FunctionDef) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}


def ranks_of(function: ast.FunctionDef) -> dict[str, int]:
    """The least number of dimensions of each array, by its text: what the loop itself shows by using it."""
    ranks: dict[str, int] = defaultdict(int)
    for one in [*function.args.args, *function.args.kwonlyargs]:
        ranks[one.arg] = int("NDArray" in ast.unparse(one.annotation or ast.Constant("")))
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript):
            base, indices = base_of(node)
            ranks[base] = max(ranks[base], len(indices))
    for _ in range(3):
        for name, value in assigned_by(function):
            if isinstance(name, ast.Name):
                ranks[name.id] = max(ranks[name.id], rank_of(value, ranks))
                if isinstance(value, ast.Subscript) and ranks[name.id]:
                    base, indices = base_of(value)
                    dropped = sum(not isinstance(index, ast.Slice) for index in indices)
                    ranks[base] = max(ranks[base], dropped + ranks[name.id])
    return ranks


def assigned_by(function: ast.FunctionDef) -> list[tuple[ast.expr, ast.expr]]:
    """Every target and what it is given, those of tuples one by one."""
    found = []
    for node in ast.walk(function):
        if isinstance(node, (ast.AugAssign, ast.AnnAssign)) and node.value is not None:
            found.append((node.target, node.value))
        for target in node.targets if isinstance(node, ast.Assign) else ():
            several = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            found += zip(target.elts, node.value.elts, strict=True) if several else [(target, node.value)]
    return found


def base_of(node: ast.Subscript) -> tuple[str, list[ast.expr]]:
    """What is subscripted, and all indices."""
    indices = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not isinstance(node.value, ast.Subscript):
        return ast.unparse(node.value), indices
    base, before = base_of(node.value)
    return base, before + indices


def rank_of(value: ast.expr, ranks: dict[str, int]) -> int:
    """The least number of dimensions of a value."""
    if isinstance(value, ast.Subscript):
        base, indices = base_of(value)
        return max(0, ranks[base] - sum(not isinstance(index, ast.Slice) for index in indices))
    if isinstance(value, (ast.Name, ast.Attribute)):
        return ranks[ast.unparse(value)]
    parts = [] if isinstance(value, (ast.Call, ast.Compare)) else ast.iter_child_nodes(value)
    return max((rank_of(part, ranks) for part in parts if isinstance(part, ast.expr)), default=0)


def copies_of(function: ast.FunctionDef) -> list[str]:
    """Assignments of an array to a part of an array; numba makes a copy on the way, which needs counting."""
    ranks = ranks_of(function)
    subscripts = [(target, value) for target, value in assigned_by(function) if isinstance(target, ast.Subscript)]
    return [f"{ast.unparse(a)} = {ast.unparse(b)}" for a, b in subscripts if rank_of(b, ranks)]


def test_lean_loops_make_no_arrays_and_call_no_loops_that_may() -> None:
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("_*_kernels.py")}
    loops = {f"{stem}.{name}": loop for stem, tree in trees.items() for name, loop in loops_of(tree).items()}
    lean = {name for name, (kind, _) in loops.items() if kind != "kernel"}
    assert lean
    for name in lean:
        stem = name.partition(".")[0]
        imports = [node for node in trees[stem].body if isinstance(node, ast.ImportFrom)]
        homes = {one.name: (node.module or "").rpartition(".")[2] for node in imports for one in node.names}
        called = called_by(loops[name][1])
        places = {f"{homes.get(one, stem)}.{one}" for one in called}
        assert not called & MAKERS, name
        assert not copies_of(loops[name][1]), name
        assert places & set(loops) <= lean, name


@pytest.mark.parametrize(
    ("body", "copies"),
    [
        ("x[i] = row", True),
        ("x[i] = row if i else 0.0", True),
        ("x[i, :] = row + 1.0", True),
        ("x[:] = row[1:]", True),
        ("part = x[i]; row[0] = part[0]; x[i] = part", True),
        ("row[0] = x[0, 0]; x[i] = x[i - 1]", True),
        ("x[0], x[1] = row, 0.0", True),
        ("x[i, :] = 0.0", False),
        ("x[i, 0], x[i, 1] = row[0], row[i]", False),
        ("row[i] = len(row) + row.size + float(row[i] > 0.0)", False),
        ("part = x[i]; part[0] = row[i]", False),
    ],
)
def test_copies_into_arrays_are_seen(body: str, copies: bool) -> None:
    text = f"def loop(x: NDArray[np.float64], row: NDArray[np.float64], i: int) -> None:\n    {body}\n"
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert bool(copies_of(function)) == copies
