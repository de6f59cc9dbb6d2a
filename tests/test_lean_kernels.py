"""Loops that do not count who holds an array make none, and call none that does."""

from __future__ import annotations

import ast
from pathlib import Path

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
        assert places & set(loops) <= lean, name
