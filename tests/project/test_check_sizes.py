"""The size check finds what is too long, untyped or undocumented, and nothing else."""

import pytest

import check_sizes

DOCUMENTED = '"""A module."""\n'


def said(tmp_path, source, name="module.py", allowed=None):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / name).write_text(DOCUMENTED + source)
    return check_sizes.problems(check_sizes.measure(folder), allowed or {})


def function(lines, name="_f"):
    return f"def {name}() -> int:\n" + "    x = 1\n" * (lines - 2) + "    return x\n"


def test_a_short_typed_documented_module_passes(tmp_path):
    source = 'def f(x: int, *rest: int) -> int:\n    """Say x."""\n    return x\n'
    assert said(tmp_path, source) == []


def test_a_function_over_its_bound_is_named_with_both_numbers(tmp_path):
    assert "package/module.py:_f: 51 lines, at most 50" in said(tmp_path, function(51))


def test_docstrings_comments_and_blank_lines_are_not_code(tmp_path):
    body = 'def _f() -> int:\n    """Say.\n\n    More.\n    """\n' + "    # why\n\n" * 60 + "    return 1\n"
    found = said(tmp_path, body)
    assert not any("_f" in line for line in found)


@pytest.mark.parametrize(("lines", "fine"), [(90, True), (91, False)])
def test_kernels_may_be_longer(tmp_path, lines, fine):
    found = [line for line in said(tmp_path, function(lines), "_tree_kernels.py") if "_f" in line]
    assert (found == []) is fine


def test_an_exception_holds_up_to_its_number_and_fails_when_it_is_not_needed(tmp_path):
    allowed = {"package/module.py:_f": 60, "package/module.py:_gone": 70}
    found = said(tmp_path, function(55), allowed=allowed)
    assert not any(line.startswith("package/module.py:_f") for line in found)
    assert "tools/sizes.toml: package/module.py:_gone needs no exception" in found


def test_a_file_over_its_bound_is_named(tmp_path):
    assert any("package/module.py: 601 lines" in line for line in said(tmp_path, "X = 1\n" * 600))


@pytest.mark.parametrize(
    "source",
    ["def _f(x) -> int: return x\n", "def _f(x: int): return x\n", "def _f(*x) -> None: pass\n"],
    ids=["argument", "result", "rest"],
)
def test_what_is_not_annotated_is_named(tmp_path, source):
    assert said(tmp_path, source) == ["package/module.py:_f: not fully annotated"]


def test_public_things_need_a_docstring_and_private_ones_do_not(tmp_path):
    source = "class C:\n    def f(self) -> None:\n        def inner() -> None: ...\n\n    def _g(self) -> None: ...\n"
    found = said(tmp_path, source)
    assert found == [f"package/module.py:{name}: public, without a docstring" for name in ("C", "C.f")]


def test_the_median_is_bound_too(tmp_path):
    found = said(tmp_path, "".join(function(9, f"_f{i}") for i in range(3)))
    assert "the median function is 9 lines, at most 8" in found


def test_an_exception_without_a_reason_is_refused(tmp_path):
    path = tmp_path / "sizes.toml"
    path.write_text('[[allow]]\nwhere = "a.py"\nlines = 600\nreason = "long"\n')
    with pytest.raises(SystemExit, match=r"a\.py has no reason"):
        check_sizes.allowances(path)


def test_the_exit_status_says_it(tmp_path, capsys):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "a.py").write_text(DOCUMENTED)
    assert check_sizes.main([str(folder)]) == 0
    (folder / "a.py").write_text("def f(): pass\n")
    assert check_sizes.main([str(folder)]) == 1
    assert "a.py:f: not fully annotated" in capsys.readouterr().out
