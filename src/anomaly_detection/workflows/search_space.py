"""What is searched: sensible ranges for each algorithm, and for what comes before it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from anomaly_detection.catalog import DETECTORS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Draw(Protocol):
    """Draws values by name, as a trial of Optuna does."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of a few values."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two, both included; ``log`` draws evenly in its logarithm."""

    low: int
    high: int
    log: bool = False

    def draw(self, trial: Draw, name: str) -> int:
        """A value for a trial."""
        return trial.suggest_int(name, self.low, self.high, log=self.log)

    def ends(self) -> tuple[int, ...]:
        """The values that have to be valid for all to be."""
        return (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Real:
    """A number between two, both included; ``log`` draws evenly in its logarithm."""

    low: float
    high: float
    log: bool = False

    def draw(self, trial: Draw, name: str) -> float:
        """A value for a trial."""
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def ends(self) -> tuple[float, ...]:
        """The values that have to be valid for all to be."""
        return (self.low, self.high)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few values."""

    values: tuple[Any, ...]

    def draw(self, trial: Draw, name: str) -> Any:
        """A value for a trial."""
        return trial.suggest_categorical(name, self.values)

    def ends(self) -> tuple[Any, ...]:
        """The values that have to be valid for all to be."""
        return self.values


Dimension = Whole | Real | OneOf

NEIGHBOURS = Whole(2, 100, log=True)

SPACES: Mapping[str, Mapping[str, Dimension]] = {
    "isolation_forest": {
        "n_estimators": Whole(50, 400, log=True),
        "max_samples": Whole(32, 2048, log=True),
        "max_features": Real(0.2, 1.0),
    },
    "extended_isolation_forest": {
        "n_estimators": Whole(50, 400, log=True),
        "max_samples": Whole(32, 2048, log=True),
        "extension_level": OneOf((0, 1, None)),
    },
    "knn": {"n_neighbors": NEIGHBOURS, "method": OneOf(("largest", "mean", "median"))},
    "lof": {"n_neighbors": NEIGHBOURS},
    "loda": {"n_projections": Whole(50, 400, log=True), "n_bins": OneOf(("auto", 10, 20, 50, 100))},
    "cblof": {
        "n_clusters": Whole(2, 64, log=True),
        "alpha": Real(0.7, 0.95),
        "use_weights": OneOf((False, True)),
    },
    "hbos": {"n_bins": OneOf(("auto", 5, 10, 20, 50, 100))},
    "mad": {"aggregation": OneOf(("max", "mean"))},
    "pca": {"n_components": OneOf((None, 0.5, 0.7, 0.9, 0.95))},
    "gmm": {"n_components": OneOf(("auto", 1, 2, 4, 8, 16)), "trimmed": Real(0.0, 0.3)},
    "elliptic_envelope": {"support_fraction": Real(0.5, 1.0)},
    "kde": {"bandwidth": OneOf(("scott", "silverman", 0.1, 0.2, 0.5, 1.0))},
    "inne": {"n_estimators": Whole(100, 400, log=True), "max_samples": Whole(2, 64, log=True)},
    "abod": {"n_neighbors": Whole(5, 50, log=True)},
    "mahalanobis": {"support_fraction": Real(0.5, 1.0), "ridge": Real(1e-3, 1.0, log=True)},
    "lesinn": {"n_estimators": Whole(50, 400, log=True), "max_samples": Whole(4, 512, log=True)},
    "ocsvm": {"nu": Real(0.01, 0.9), "gamma": OneOf(("scale", 0.01, 0.1, 1.0))},
    "linear_ocsvm": {"nu": Real(0.01, 0.9), "gamma": OneOf(("scale", 0.01, 0.1, 1.0))},
    "half_space_trees": {
        "n_trees": Whole(10, 200, log=True),
        "depth": Whole(4, 18),
        "window_size": Whole(50, 2000, log=True),
    },
    "random_cut_forest": {"n_trees": Whole(20, 200, log=True), "sample_size": Whole(64, 1024, log=True)},
}
"""The parameters that are searched, by algorithm; an algorithm that is not here keeps its defaults.

``auto`` has nothing to tune: it weighs its views by itself."""

SCALING = OneOf(("standard", "robust", "minmax"))
"""For algorithms that take plain numbers only."""

TRANSFORM = OneOf(("none", "log", "percentile", "power"))
"""For algorithms to which more than the order of the values matters."""

BY_RANK = ("ecod", "copod")
"""Algorithms that look at the order of the values in each column alone, which no such transform changes."""


def space_of(algorithm: str) -> dict[str, Dimension]:
    """Every dimension of an algorithm by the name it has in a study, such as ``knn.n_neighbors``."""
    entry = DETECTORS.resolve(algorithm)
    tags = entry.load()().tags
    found: dict[str, Dimension] = dict(SPACES.get(entry.name, {}))
    if not (tags.missing and tags.categories):
        found["scaling"] = SCALING
    if entry.name not in BY_RANK:
        found["transform"] = TRANSFORM
    return {f"{entry.name}.{name}": dimension for name, dimension in found.items()}


def defaults_of(algorithm: str) -> dict[str, Any]:
    """The point of an algorithm's space at which everything is as it is without tuning."""
    own = DETECTORS.load(algorithm)().parameters() | {"scaling": "standard", "transform": "none"}
    return {name: own[name.partition(".")[2]] for name in space_of(algorithm)}


def described(algorithms: tuple[str, ...]) -> dict[str, Any]:
    """The whole space as plain values, to tell one study from another."""
    return {
        algorithm: {name: [type(one).__name__, asdict(one)] for name, one in space_of(algorithm).items()}
        for algorithm in algorithms
    }
