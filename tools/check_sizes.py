"""Keep files, functions and classes short, annotated and documented.

    python tools/check_sizes.py [FOLDER]

Exceptions stand in ``tools/sizes.toml``, each with its limit and a reason; one that is no longer needed fails.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = "_*_kernels.py"
FILE_MEDIAN, FILE_P90, FILE_MAX = 130, 300, 500
FUNCTION_MEDIAN, FUNCTION_P90, FUNCTION_MAX, KERNEL_MAX = 8, 28, 50, 90
CLASS_P90 = 180
SHORT_INIT = 15
COMMENTS = (3.0, 6.0)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Piece:
    """A file, class or function: where it is, its lines, and the most it may have (0: bound by shares only)."""

    where: str
    lines: int
    most: int = 0


@dataclass
class Measures:
    """What was found in a tree of modules."""

    files: list[Piece] = field(default_factory=list)
    functions: list[Piece] = field(default_factory=list)
    classes: list[Piece] = field(default_factory=list)
    untyped: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    comments: int = 0
    filled: int = 0


def measure(folder: Path) -> Measures:
    """Measure every module below a folder."""
    found = Measures()
    for path in sorted(folder.rglob("*.py")):
        measure_file(path, path.relative_to(folder.parent).as_posix(), found)
    return found


def measure_file(path: Path, name: str, found: Measures) -> None:
    """Add one module to what was found."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    lines = source.count("\n") + (not source.endswith("\n") and bool(source))
    if not (path.name == "__init__.py" and lines < SHORT_INIT):
        found.files.append(Piece(name, lines, FILE_MAX))
    if not ast.get_docstring(tree):
        found.undocumented.append(name)
    code, comments = code_lines(source)
    found.comments += comments
    found.filled += sum(bool(line.strip()) for line in source.splitlines())
    measure_body(tree, name, code, found, public=True)


def measure_body(node: ast.AST, where: str, code: set[int], found: Measures, *, public: bool) -> None:
    """Add the classes and functions directly inside a node, and what is inside them."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef):
            measure_body(child, where, code, found, public=public)
            continue
        name = f"{where}{'.' if ':' in where else ':'}{child.name}"
        seen = public and not child.name.startswith("_")
        if seen and not ast.get_docstring(child) and not is_overload(child):
            found.undocumented.append(name)
        if isinstance(child, ast.ClassDef):
            found.classes.append(Piece(name, span(child)))
        else:
            kernel = fnmatch(Path(where.partition(":")[0]).name, KERNELS)
            found.functions.append(Piece(name, body_lines(child, code), KERNEL_MAX if kernel else FUNCTION_MAX))
            if not is_annotated(child):
                found.untyped.append(name)
        measure_body(child, name, code, found, public=seen and isinstance(child, ast.ClassDef))


def code_lines(source: str) -> tuple[set[int], int]:
    """The numbers of the lines that hold code, and how many comments there are."""
    code: set[int] = set()
    comments = 0
    skipped = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments += 1
        elif token.type not in skipped:
            code.update(range(token.start[0], token.end[0] + 1))
    return code, comments


def body_lines(function: Function, code: set[int]) -> int:
    """Code lines of a function, signature included, without its docstring and decorators."""
    lines = code & set(range(function.lineno, span(function) + function.lineno))
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(lines)


def span(node: ast.stmt) -> int:
    """How many lines a statement takes."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_annotated(function: Function) -> bool:
    """Whether the result and every argument but ``self`` and ``cls`` carry a type."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    named = [one for one in every if one is not None and one.arg not in ("self", "cls")]
    return function.returns is not None and all(one.annotation is not None for one in named)


def is_overload(node: ast.stmt) -> bool:
    """Whether it is one of several signatures of a function that is documented once."""
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(one).endswith(("overload", ".setter")) for one in decorators)


def problems(found: Measures, allowed: dict[str, int]) -> list[str]:
    """Everything that breaks a bound, and every exception that is not needed."""
    said = [f"{name}: not fully annotated" for name in found.untyped]
    said += [f"{name}: public, without a docstring" for name in found.undocumented]
    needed = set()
    for piece in [*found.files, *found.functions]:
        if piece.lines > piece.most:
            needed.add(piece.where)
        most = max(piece.most, allowed.get(piece.where, 0))
        if piece.lines > most:
            said.append(f"{piece.where}: {piece.lines} lines, at most {most}")
    said += [f"tools/sizes.toml: {name} needs no exception" for name in sorted(set(allowed) - needed)]
    return said + [f"{what} is {value:g} lines, at most {most}" for what, value, most in shares(found) if value > most]


def shares(found: Measures) -> list[tuple[str, float, int]]:
    """The bounds on medians and ninetieth percentiles: what, its value, the most it may be."""
    return [
        ("the median file", percentile(found.files, 50), FILE_MEDIAN),
        ("the 90th percentile of files", percentile(found.files, 90), FILE_P90),
        ("the median function", percentile(found.functions, 50), FUNCTION_MEDIAN),
        ("the 90th percentile of functions", percentile(found.functions, 90), FUNCTION_P90),
        ("the 90th percentile of classes", percentile(found.classes, 90), CLASS_P90),
    ]


def percentile(pieces: list[Piece], share: int) -> float:
    """A percentile of the lines, 0 when there are no pieces."""
    lines = [float(piece.lines) for piece in pieces]
    return statistics.quantiles(lines, n=100, method="inclusive")[share - 1] if len(lines) > 1 else sum(lines)


def allowances(path: Path) -> dict[str, int]:
    """The exceptions: the lines allowed, by place; each has to give a reason."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("allow", []) if path.exists() else []
    for entry in entries:
        if len(str(entry.get("reason", ""))) < 20:
            raise SystemExit(f"{path.name}: {entry.get('where')} has no reason")
    return {entry["where"]: entry["lines"] for entry in entries}


def report(found: Measures) -> str:
    """The figures in one line each."""
    lines = [f"{what}: {value:g} lines (at most {most})" for what, value, most in shares(found)]
    share = 100 * found.comments / max(1, found.filled)
    low, high = COMMENTS
    lines.append(f"comments: {share:.1f} % of lines (aim {low:g} to {high:g} %)")
    return "\n".join([f"{len(found.files)} files, {len(found.functions)} functions", *lines])


def main(arguments: list[str]) -> int:
    """Check the package, or the folder that is given; 1 when a bound is broken."""
    folder = Path(arguments[0]) if arguments else ROOT / "src" / "anomaly_detection"
    exceptions = {} if arguments else allowances(ROOT / "tools" / "sizes.toml")
    found = measure(folder)
    print(report(found))
    said = problems(found, exceptions)
    print("\n".join(said), end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
