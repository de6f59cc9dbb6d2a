"""The text check finds what must not be published. The samples are put together here so that it does not find them."""

import pytest

import check_text

BAD = {
    "a path of a machine": ["/ho" + "me/ann/data.csv", "/ro" + "ot/.cache/x", "C:" + "\\Users\\ann"],
    "the address of a package index": [
        "https://py" + "pi.org/simple",
        "--index" + "-url x",
        "http://host/" + "simple/",
    ],
    "a private key": ["-----BEGIN RSA " + "PRIVATE KEY-----"],
    "an access token": ["AK" + "IA" + "A" * 16, "gh" + "p_" + "a" * 36],
    "a password in an address": ["postgres://user:" + "secret@host/db"],
    "a conflict marker": ["<" * 7 + " HEAD"],
}
SAMPLES = [(what, text) for what, texts in BAD.items() for text in texts]


@pytest.mark.parametrize(("what", "text"), SAMPLES)
def test_it_is_found_and_its_line_named(what, text):
    assert check_text.problems("a.md", f"fine\n{text}\n".encode()) == [f"a.md:2: {what}"]


@pytest.mark.parametrize(
    "text",
    ["~/.local/share/anomaly-detection", "https://example.org/a/b", "kafka://localhost:9092", "======="],
)
def test_what_is_fine_is_left_alone(text):
    assert check_text.problems("a.md", text.encode()) == []


def test_a_large_file_is_found():
    assert check_text.problems("a.bin", b"\0" * 1_000_001) == ["a.bin: 1,000,001 bytes, at most 1,000,000"]


def test_every_rule_has_a_sample():
    assert set(BAD) == set(check_text.RULES)
