"""What detectors promise about the rows they are given: odd ones score, wrong ones are refused in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.errors import InputError, NotFittedError, SchemaError
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.testing._detector_data import (
    CATEGORIES,
    WIDTH,
    crowd,
    refused,
    require,
    require_finite,
    with_category,
    with_missing,
)

if TYPE_CHECKING:
    from anomaly_detection.testing._detector_data import Make


def missing_values_are_information(make: Make) -> None:
    """Missing values score: more where none was missing in training; all missing is fine."""
    X = crowd()
    detector = make().fit(X)
    typical = np.float32(np.median(X, axis=0, keepdims=True))
    nothing = np.full((1, WIDTH), np.nan, dtype=np.float32)
    require_finite(detector.score(nothing), 1, "a row with nothing in it")
    require(
        detector.score(nothing)[0] > detector.score(typical)[0],
        "A row with nothing in it scores no higher than a typical row, though no value was missing in training.",
    )
    X = with_missing(X, 0.3)
    X[:, 2] = np.nan
    require_finite(make().fit(X).score(X), len(X), "a feature of which every value is missing")


def missing_values_are_refused(make: Make) -> None:
    """A detector without the tag says so when values are missing, in fitting and in scoring."""
    X = crowd()
    with refused(InputError, "missing", type(make()).__name__, what="fitting with missing values"):
        make().fit(with_missing(X))
    detector = make().fit(X)
    with refused(InputError, "missing", type(make()).__name__, what="scoring missing values"):
        detector.score(with_missing(X))


def categories_score_and_unseen_ones_too(make: Make) -> None:
    """Categories score by their code; an unseen one scores higher than the most common one."""
    X, space = with_category()
    detector = make().fit(X, space)
    rows = with_category(100, seed=6)[0]
    means = []
    for code in (0, CATEGORIES):
        rows[:, -1] = code
        scores = detector.score(rows)
        require_finite(scores, len(rows), f"category {code} of {CATEGORIES}")
        means.append(scores.mean())
    require(means[1] > means[0], "An unseen category scores no higher than the most common one.")


def categories_are_refused(make: Make) -> None:
    """A detector without the tag says so when a feature is a category."""
    X, space = with_category()
    with refused(InputError, "categories", type(make()).__name__, what="fitting with a category"):
        make().fit(X, space)


def wrong_width_names_both(make: Make) -> None:
    """Rows of another width are refused, with both widths and the features fitted on."""
    names = ("alpha", "beta", "gamma", "delta")
    detector = make().fit(crowd(), FeatureSpace.of_numbers(names))
    require(detector.features_.names == names, "The names of the features are not kept.")
    with refused(SchemaError, "7", "4", "alpha", "delta", what="scoring 7 columns instead of 4"):
        detector.score(np.zeros((2, 7)))
    with refused(SchemaError, "4", "2", what="fitting 4 columns named by 2 features"):
        make().fit(crowd(), FeatureSpace.of_numbers(2))


def scoring_before_fitting_is_refused(make: Make) -> None:
    """It says to call ``fit`` first."""
    with refused(NotFittedError, "fit", what="scoring before fitting"):
        make().score(crowd(3))


def one_row_is_fitted_or_refused(make: Make) -> None:
    """Fewer rows than a detector needs are refused, naming both numbers; as many as it needs are fitted."""
    detector = make()
    if detector.fewest_rows > 1:
        with refused(InputError, str(detector.fewest_rows), "got 1", what="fitting on one row"):
            detector.fit(crowd(1))
    few = crowd(detector.fewest_rows)
    require_finite(make().fit(few).score(crowd(20)), 20, f"fitted on {len(few)} row(s)")
    require_finite(make().fit(crowd()).score(crowd(1)), 1, "one row scored")


def zero_rows_give_zero_scores(make: Make) -> None:
    """No rows, no scores; but nothing can be learned from none."""
    require_finite(make().fit(crowd()).score(np.empty((0, WIDTH))), 0, "no rows")
    with refused(InputError, "0", what="fitting on no rows"):
        make().fit(np.empty((0, WIDTH)))
    with refused(InputError, what="fitting on no columns"):
        make().fit(np.empty((10, 0)))


def duplicates_give_finite_scores(make: Make) -> None:
    """Many copies of one row, or of a few, are data like any other."""
    new = crowd(20, seed=7)
    same = np.repeat(crowd(1), 100, axis=0)
    detector = make().fit(same)
    require_finite(detector.score(same), 100, "100 copies of one row")
    require_finite(detector.score(new), len(new), "new rows, fitted on 100 copies of one row")
    few = np.tile(crowd(3), (50, 1))
    detector = make().fit(few)
    require_finite(detector.score(few), len(few), "50 copies of three rows")
    require_finite(detector.score(new), len(new), "new rows, fitted on 50 copies of three rows")


def constant_columns_give_finite_scores(make: Make) -> None:
    """A feature with one value is no obstacle, nor is another value of it later."""
    X = crowd()
    X[:, 1] = 5
    X[:, 2] = 0
    detector = make().fit(X)
    require_finite(detector.score(X), len(X), "constant columns")
    require_finite(detector.score(X + np.float32(1.0)), len(X), "other values in columns that were constant")


def infinite_values_give_finite_scores(make: Make) -> None:
    """Infinite values count as far out, on either side, and may be among the rows fitted on."""
    X = crowd()
    detector = make().fit(X)
    far = np.array([[np.inf] * WIDTH, [-np.inf] * WIDTH, [np.inf, -np.inf, 0, np.inf]])
    scores = detector.score(far)
    require_finite(scores, len(far), "infinite values")
    require(scores.min() > np.median(detector.score(X)), "Infinite values score like typical ones.")
    X[0, 0], X[1, 1] = np.inf, -np.inf
    require_finite(make().fit(X).score(X), len(X), "infinite values among the rows fitted on")


def huge_values_give_finite_scores(make: Make) -> None:
    """The largest and the smallest numbers there are do not overflow."""
    X = crowd()
    edge = np.array([[3e38] * WIDTH, [-3e38] * WIDTH, [1e300] * WIDTH, [1e-40] * WIDTH])
    require_finite(make().fit(X).score(edge), len(edge), "huge and tiny values")
    require_finite(make().fit(X * np.float32(1e30)).score(edge), len(edge), "huge values fitted on")
    require_finite(make().fit(X * np.float32(1e-35)).score(edge), len(edge), "tiny values fitted on")


def what_is_no_matrix_is_refused(make: Make) -> None:
    """A single row without its brackets, and words, are refused in plain words."""
    detector = make().fit(crowd())
    with refused(InputError, "matrix", what="scoring a one-dimensional array"):
        detector.score(crowd(1)[0])
    with refused(InputError, "numbers", what="scoring words"):
        detector.score([["a", "b", "c", "d"]])
