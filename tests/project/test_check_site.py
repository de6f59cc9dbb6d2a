"""The check of the built documentation."""

import pytest

import check_site


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://x.example/a.js">',
        '<link rel="stylesheet" href="//x.example/a.css">',
        '<img src="http://x.example/a.png">',
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(element):
    assert len(check_site.loads(f"<html>{element}</html>")) == 1


def test_links_and_own_files_are_fine():
    page = (
        '<a href="https://x.example">x</a><script src="a.js"></script><link rel="canonical" href="https://x.example">'
    )
    assert check_site.loads(page) == []


def test_no_pages_are_a_failure(tmp_path):
    assert check_site.main([str(tmp_path)]) == 1
