"""Terms of messages: as scikit-learn weighs them, from bytes, restored, whatever the bytes are."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from anomaly_detection.errors import ArtifactError, NotFittedError, ParameterError
from anomaly_detection.features.logs.terms import Terms

WORD = r"(?<![A-Za-z0-9_])[A-Za-z_]{2,}(?![A-Za-z0-9_])"
PARTS = [
    "user",
    "User",
    "logged",
    "in",
    "a",
    "disk",
    "id7",
    "42",
    "10.0.0.1",
    "_x",
    "full,",
    "(full)",
    "retry",
    "x9",
    "",
]


def vectorizer(most, min_rows, max_share):
    return TfidfVectorizer(
        token_pattern=WORD, ngram_range=(1, 2), min_df=min_rows, max_df=max_share, max_features=most, dtype=np.float64
    )


def messages_of(n, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(PARTS, rng.integers(0, 9))) for _ in range(n)]


@given(st.integers(5, 60), st.integers(0, 1_000))
def test_weights_are_those_of_scikit_learn(n, seed):
    messages = messages_of(n, seed)
    terms = Terms(most=4_096).fit(messages)
    if not terms.words_:
        assert terms.transform(messages).shape == (n, 0)
        return
    theirs = vectorizer(None, 2, 0.8)
    expected = theirs.fit_transform(messages).toarray()
    assert list(terms.words_) == theirs.get_feature_names_out().tolist()
    np.testing.assert_allclose(terms.transform(messages), expected, atol=1e-6)


def test_the_most_used_terms_are_kept():
    messages = ["red blue"] * 5 + ["red green"] * 3 + ["blue"] * 4 + ["dark"] * 2 + ["once"]
    assert Terms(most=3).fit(messages).words_ == ("blue", "red", "red blue")
    assert Terms(most=2, max_share=0.55).fit(messages).words_ == ("red", "red blue")


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=20), st.integers(0, 20))
def test_any_bytes_in_any_chunks_give_the_same_bits(lines, cut):
    series = pl.Series(values=lines, dtype=pl.Binary)
    terms = Terms(min_rows=1, max_share=1.0).fit(series)
    whole = terms.transform(series)
    np.testing.assert_array_equal(np.concatenate([terms.transform(series[:cut]), terms.transform(series[cut:])]), whole)
    norms = np.linalg.norm(whole, axis=1)
    assert np.all((np.abs(norms - 1) < 1e-5) | (norms == 0))


def test_terms_are_restored():
    messages = messages_of(60, 3)
    terms = Terms(most=6).fit(messages)
    again = Terms(most=6).restore(terms.state())
    assert again.words_ == terms.words_
    np.testing.assert_array_equal(again.transform(messages), terms.transform(messages))


@pytest.mark.parametrize(
    "state", [{}, {"words": ["a b c"], "weights": [1.0]}, {"words": ["a"], "weights": [1.0, 2.0]}, {"words": 3}]
)
def test_damaged_terms_are_refused(state):
    with pytest.raises(ArtifactError, match="damaged"):
        Terms().restore(state)


def test_terms_need_fit_and_sound_parameters():
    with pytest.raises(NotFittedError):
        Terms().transform(["a"])
    with pytest.raises(ParameterError, match="max_share"):
        Terms(max_share=0.0).fit(["a"])


def test_words_beyond_ascii_are_words():
    words = Terms(min_rows=1, max_share=1.0).fit(["Größe zu groß", "naïve"]).words_
    assert words == ("groß", "größe", "größe zu", "naïve", "zu", "zu groß")
