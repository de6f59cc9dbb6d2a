"""A test that needs an extra is skipped without it, and fails where every extra has to be there."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"


@pytest.fixture
def suite(pytester):
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs_extra("no_such_package")
        def test_without(): pass

        @pytest.mark.needs_extra("json")
        def test_with(): pass
        """
    )
    return pytester


def run(suite):
    return suite.runpytest_inprocess("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestUnknownMarkWarning")


def test_it_is_skipped_with_the_reason(suite, monkeypatch):
    monkeypatch.delenv("AD_REQUIRE_EXTRAS", raising=False)
    result = run(suite)
    result.assert_outcomes(passed=1, skipped=1)


def test_it_fails_where_extras_are_required(suite, monkeypatch):
    monkeypatch.setenv("AD_REQUIRE_EXTRAS", "1")
    result = run(suite)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*not installed: no_such_package*"])
