"""Plain numbers for detectors that take neither missing values nor categories."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Choice, Configurable, Constraint
from anomaly_detection.errors import NotFittedError, SchemaError
from anomaly_detection.features._dense_kernels import FREQUENCY, IS_CODE, IS_MISSING, NUMBER, UNEXPECTED, make_dense
from anomaly_detection.features.space import MOST_CATEGORIES, Feature, FeatureSpace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

MOST_ONE_HOT = 12
"""Categories with more values than this become the logarithm of each value's share."""

LARGEST_FACTOR = 7.0
"""A rare category or a rare gap lies at most about ten standard deviations away from everything else."""

UNEXPECTED_FACTOR = 5.0
"""How far one missing value lies away where none was missing in training, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one output column is made: ``(value - shift) * factor``.

    Parameters
    ----------
    feature : what it is called.
    source : the input column.
    rule : which kernel rule gives the value.
    argument : a code, or a row of the tables.
    fill : what stands in for a missing value.
    shift, factor : the scaling.
    """

    feature: Feature
    source: int
    rule: int
    argument: int = 0
    fill: float = 0.0
    shift: float = 0.0
    factor: float = 1.0


class DenseFeatures(Configurable):
    """Makes numbers of everything, filled in, marked and scaled.

    Missing numbers become the training median; ``column.missing`` marks them for features with gaps in training, and
    one feature ``unexpected_missing`` counts gaps where training had none. Categories with up to twelve values become
    one feature per value and one for unseen values (``column=0`` …, ``column=unseen``), others the logarithm of their
    share. Under ``standard`` and ``robust`` scaling a category varies in total as much as one standardised number
    does: all its features share the factor 1/√(1 − Σp²), at most 7.

    Parameters
    ----------
    scaling : ``"standard"`` (mean 0, standard deviation 1), ``"robust"`` (median 0, interquartile range 1.349, that
        of a standard normal), ``"minmax"`` ([0, 1]), ``"maxabs"`` ([-1, 1]) or ``"none"``.

    Examples
    --------
    >>> X = np.array([[1, 0], [2, 1], [3, 0], [np.nan, 0]], dtype=np.float32)
    >>> space = FeatureSpace((Feature("size", "size"), Feature("shop", "shop", "category", 2)))
    >>> dense = DenseFeatures(scaling="none").fit(X, space)
    >>> dense.features_.names
    ('size', 'size.missing', 'shop=0', 'shop=1', 'shop=unseen', 'unexpected_missing')
    >>> dense.transform(X)[3].tolist()
    [2.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "scaling": Choice("standard", "robust", "minmax", "maxabs", "none")
    }

    features_: FeatureSpace

    def __init__(self, scaling: str = "standard") -> None:
        self.scaling = scaling

    def fit(self, X: NDArray[np.float32], space: FeatureSpace) -> Self:
        """Learn medians, scales and shares.

        Parameters
        ----------
        X : (n, d) the native matrix.
        space : what its columns mean.
        """
        self.validate()
        space.check_width(X.shape[1])
        expected: NDArray[np.bool_] = np.asarray(np.isnan(X).any(axis=0))
        tables: list[NDArray[np.float64]] = []
        rules: list[Rule] = []
        for position, feature in enumerate(space.features):
            values = X[:, position].astype(np.float64)
            if feature.kind == "number":
                rules.append(self._number(values, feature, position))
            else:
                rules.extend(self._category(values, feature, position, tables))
            if expected[position]:
                rules.append(self._gap(np.isnan(values), feature, position))
        if not expected.all():
            factor = UNEXPECTED_FACTOR if self._is_relative else 1.0
            name = "unexpected_missing"
            rules.append(Rule(Feature(name, name), 0, UNEXPECTED, factor=factor))
        self._take(rules, np.array(tables).reshape(len(tables), MOST_CATEGORIES), expected)
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, m) float32 without missing values.

        Raises
        ------
        NotFittedError
            before ``fit``.
        SchemaError
            if the width differs from the fitted one.
        """
        self._check_fitted(X)
        out = np.empty((len(X), len(self._rules)), dtype=np.float32)
        self._fill(np.ascontiguousarray(X, dtype=np.float32), out)
        return out

    def transform_row(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """(m,) float32 for one row (d,) of float32, not checked; equal bit for bit to :meth:`transform`."""
        out: NDArray[np.float32] = np.empty((1, len(self._rules)), dtype=np.float32)
        self._fill(row.reshape(1, -1), out)
        dense: NDArray[np.float32] = out[0]
        return dense

    def state(self) -> dict[str, Any]:
        """What was learned, in plain values for JSON."""
        self._check_fitted()
        return {
            "rules": [asdict(rule) for rule in self._rules],
            "tables": self._tables.tolist(),
            "expected": self._expected.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Take back what :meth:`state` handed out."""
        rules = [Rule(**{**values, "feature": Feature(**values["feature"])}) for values in state["rules"]]
        tables = np.array(state["tables"], dtype=np.float64).reshape(-1, MOST_CATEGORIES)
        self._take(rules, tables, np.array(state["expected"], dtype=np.bool_))
        return self

    def _take(self, rules: list[Rule], tables: NDArray[np.float64], expected: NDArray[np.bool_]) -> None:
        self._rules, self._tables, self._expected = rules, tables, expected
        self._whole = np.array([(rule.source, rule.rule, rule.argument) for rule in rules], dtype=np.int64)
        self._real = np.array([(rule.fill, rule.shift, rule.factor) for rule in rules], dtype=np.float64)
        self.features_ = FeatureSpace(tuple(rule.feature for rule in rules))

    def _fill(self, X: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        make_dense(X, self._whole, self._real, self._tables, self._expected, out)

    @property
    def _is_relative(self) -> bool:
        return self.scaling in {"standard", "robust"}

    def _number(self, values: NDArray[np.float64], feature: Feature, position: int) -> Rule:
        present = values[np.isfinite(values)]
        if not len(present):
            return Rule(feature, position, NUMBER)
        shift, factor = scale_of(present, self.scaling)
        return Rule(feature, position, NUMBER, fill=float(np.median(present)), shift=shift, factor=factor)

    def _category(
        self, values: NDArray[np.float64], feature: Feature, position: int, tables: list[NDArray[np.float64]]
    ) -> Iterator[Rule]:
        codes = values[~np.isnan(values)].astype(np.int64)
        counts = np.bincount(codes, minlength=feature.n_categories + 1)
        if feature.n_categories <= MOST_ONE_HOT:
            return self._one_hot(counts / max(len(codes), 1), feature, position)
        table = np.full(MOST_CATEGORIES, np.log(0.5 / max(len(codes), 1)))
        table[: len(counts)] = np.log(np.maximum(counts, 0.5) / max(len(codes), 1))
        tables.append(table)
        made = Feature(f"{feature.name}.frequency", feature.column)
        number = self._number(table[codes], made, position)
        return iter([replace(number, rule=FREQUENCY, argument=len(tables) - 1)])

    def _one_hot(self, shares: NDArray[np.float64], feature: Feature, position: int) -> Iterator[Rule]:
        factor = _relative_factor(1.0 - float(np.sum(shares**2))) if self._is_relative else 1.0
        for code, share in enumerate(shares.tolist()):
            word = "unseen" if code == feature.n_categories else code
            made = Feature(f"{feature.name}={word}", feature.column)
            yield Rule(made, position, IS_CODE, code, share, share if self._is_relative else 0.0, factor)

    def _gap(self, missing: NDArray[np.bool_], feature: Feature, position: int) -> Rule:
        share = float(missing.mean())
        made = Feature(f"{feature.name}.missing", feature.column)
        if not self._is_relative:
            return Rule(made, position, IS_MISSING)
        return Rule(made, position, IS_MISSING, shift=share, factor=_relative_factor(share * (1.0 - share)))

    def _check_fitted(self, X: NDArray[np.float32] | None = None) -> None:
        if not hasattr(self, "features_"):
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        if X is not None and X.shape[1] != len(self._expected):
            raise SchemaError(f"The matrix has {X.shape[1]} columns; these features need {len(self._expected)}.")


def scale_of(present: NDArray[np.float64], scaling: str) -> tuple[float, float]:
    """The shift and the factor for finite numbers; constant ones keep the factor 1."""
    if scaling == "none":
        return 0.0, 1.0
    if scaling == "maxabs":
        return 0.0, _inverse(float(np.abs(present).max()))
    if scaling == "minmax":
        return float(present.min()), _inverse(float(np.ptp(present)))
    if scaling == "robust":
        low, middle, high = np.quantile(present, [0.25, 0.5, 0.75]).tolist()
        return middle, _inverse((high - low) / 1.349 or float(present.std()))
    return float(present.mean()), _inverse(float(present.std()))


def _inverse(width: float) -> float:
    return 1.0 / width if width > 0 else 1.0


def _relative_factor(variance: float) -> float:
    return min(LARGEST_FACTOR, variance**-0.5) if variance > 0 else 1.0
