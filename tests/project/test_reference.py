"""The pages that come from the code say what the code says."""

import docstrings
import reference

DOCSTRING = """Score a row.

    See :meth:`~package.Class.fit` and ``alpha``::

        a literal block

    Parameters
    ----------
    X : (n, d) numbers,
        in order.

    Raises
    ------
    InputError
        for words.

    Examples
    --------
    >>> 1 + 1
    2
    """


def test_a_docstring_becomes_markdown():
    text = docstrings.markdown(DOCSTRING)
    assert "See `fit` and `alpha`:" in text
    assert "```text\na literal block\n```" in text
    assert "- `X`: (n, d) numbers, in order." in text
    assert "- `InputError`: for words." in text
    assert "```pycon\n>>> 1 + 1\n2\n```" in text


def test_pages_are_the_same_every_time():
    assert list(reference.pages()) == list(reference.pages())
    assert not [path for path, text in reference.pages() if " at 0x" in text]


def test_a_page_that_is_missing_or_old_is_noticed_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    monkeypatch.setattr(reference, "DOCS", tmp_path / "docs")
    assert reference.main(["--check"]) == 1
    assert "docs/reference/cli.md is out of date" in capsys.readouterr().out
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    (tmp_path / "docs" / "reference" / "errors.md").write_text("old")
    assert reference.main(["--check"]) == 1


def test_every_command_and_option_is_on_its_page():
    text = reference.command_line()
    assert "## anomaly-detection detection run" in text
    assert "| `--train-rows` | whole number, ≥ 1 |" in text


def test_results_of_benchmarks_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    assert "| what | ours |" in reference.benchmarks()
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "one_row.md").write_text("| a | b |")
    assert "## One row\n\n| a | b |" in reference.benchmarks()


def test_the_picture_of_a_benchmark_is_shown_with_its_description(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    monkeypatch.setattr(reference, "DOCS", tmp_path / "docs")
    for folder in ("benchmarks/results", "docs/assets"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "one_row.md").write_text("| a | b |")
    (tmp_path / "docs" / "assets" / "one_row.svg").write_text("<svg><desc id='said'>3 &lt; 4</desc></svg>")
    assert "## One row\n\n![3 < 4](assets/one_row.svg)\n\n| a | b |" in reference.benchmarks()
    (tmp_path / "docs" / "assets" / "one_row.svg").write_text("<svg></svg>")
    assert "![one_row](assets/one_row.svg)" in reference.benchmarks()
