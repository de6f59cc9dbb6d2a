"""Names that users type, mapped to classes that are imported on first use.

A catalog knows its built-in entries by ``"module:Class"``, finds those of other packages by entry point, and takes
more by :meth:`Catalog.register`. Listing names imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from anomaly_detection import pyod_table
from anomaly_detection.errors import MissingDependencyError, ParameterError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a catalog.

    Parameters
    ----------
    name : the name in the catalog, in lower case.
    target : ``"module:Class"``, or the class itself for a registered one.
    summary : one line for lists.
    aliases : other names users type for the same thing.
    extra : the extra of this package that has to be installed, if any.
    labels : what it promises, where that is known without importing it.
    """

    name: str
    target: str | type
    summary: str = ""
    aliases: tuple[str, ...] = ()
    extra: str | None = None
    labels: tuple[str, ...] = ()

    def load(self) -> type[Any]:
        """Import the class.

        Raises
        ------
        MissingDependencyError
            if the extra it needs is not installed.
        """
        if isinstance(self.target, type):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            found: type[Any] = getattr(import_module(module), attribute)
        except MissingDependencyError:
            raise
        except ImportError as error:
            if self.extra is None:
                raise
            raise MissingDependencyError(error.name or module, self.extra, self.name) from error
        return found


class Catalog:
    """A set of named classes of one kind.

    >>> shapes = Catalog("shape", [Entry("round", "fractions:Fraction", aliases=("circle",))])
    >>> shapes.resolve("Circle").name
    'round'
    >>> shapes.load("round").__name__
    'Fraction'
    """

    def __init__(
        self,
        kind: str,
        entries: Iterable[Entry] = (),
        group: str | None = None,
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._left_out = left_out or {}
        self._entries = {entry.name: entry for entry in entries}
        self._aliases = {alias: entry.name for entry in self._entries.values() for alias in entry.aliases}
        self._plugins_read = group is None

    def entries(self) -> tuple[Entry, ...]:
        """All entries, sorted by name, those of installed plug-ins included."""
        self._read_plugins()
        return tuple(self._entries[name] for name in sorted(self._entries))

    def names(self) -> tuple[str, ...]:
        """All names and aliases, sorted."""
        self._read_plugins()
        return tuple(sorted([*self._entries, *self._aliases]))

    def resolve(self, name: str) -> Entry:
        """Find the entry for a name or alias; case, spaces and hyphens do not matter.

        Raises
        ------
        UnknownNameError
            with the nearest known names.
        ParameterError
            for a name that was left out on purpose, with the reason.
        """
        wanted = plain_name(name)
        if wanted not in self._entries and wanted not in self._aliases:
            self._read_plugins()
        entry = self._entries.get(self._aliases.get(wanted, wanted))
        if entry is None and wanted in self._left_out:
            raise ParameterError(f"There is no {self.kind} {str(name)!r} here: {self._left_out[wanted]}")
        if entry is None:
            raise UnknownNameError(self.kind, str(name), self.names())
        return entry

    def load(self, name: str) -> type[Any]:
        """Import and return the class behind a name or alias."""
        return self.resolve(name).load()

    def register(self, name: str, target: type, *, summary: str = "", aliases: Iterable[str] = ()) -> None:
        """Add a class under a name, for this process.

        Raises
        ------
        ParameterError
            if the name or an alias already stands for another class.
        """
        entry = Entry(plain_name(name), target, summary, tuple(map(plain_name, aliases)))
        for taken in (entry.name, *entry.aliases):
            self._refuse_if_taken(taken, target)
        self._add(entry)

    def _refuse_if_taken(self, name: str, target: type) -> None:
        holder = self._entries.get(self._aliases.get(name, name))
        if holder is not None and holder.target is not target:
            raise ParameterError(
                f"The {self.kind} name {name!r} already stands for {holder.target}. Choose another name."
            )

    def _add(self, entry: Entry) -> None:
        self._entries[entry.name] = entry
        self._aliases.update(dict.fromkeys(entry.aliases, entry.name))

    def _read_plugins(self) -> None:
        if self._plugins_read:
            return
        self._plugins_read = True
        for point in entry_points(group=self.group or ""):
            if plain_name(point.name) not in self._entries:
                self._add(
                    Entry(
                        plain_name(point.name),
                        point.value,
                        f"from {point.dist.name if point.dist else 'a plug-in'}",
                    )
                )


def plain_name(name: str) -> str:
    """A name as the catalog writes it."""
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")


DETECTORS = Catalog(
    "algorithm",
    [
        Entry(
            "auto",
            "anomaly_detection.detectors.auto:Auto",
            "several views of the same rows, combined; the default",
            ("automatic", "default"),
        ),
        Entry(
            "isolation_forest",
            "anomaly_detection.detectors.isolation_forest:IsolationForest",
            "random trees; rows that are quick to isolate are anomalous",
            ("iforest", "if"),
        ),
        Entry(
            "extended_isolation_forest",
            "anomaly_detection.detectors.extended_isolation_forest:ExtendedIsolationForest",
            "isolation forest with slanted cuts: combinations of columns, no ghosts between crowds",
            ("eif", "extended_iforest"),
        ),
        Entry(
            "knn",
            "anomaly_detection.detectors.knn:KNN",
            "distance to the k nearest training rows",
            ("k_nearest_neighbors", "k_nearest_neighbours", "nearest_neighbors"),
        ),
        Entry(
            "lof",
            "anomaly_detection.detectors.lof:LOF",
            "local density compared with the neighbours' density",
            ("local_outlier_factor",),
        ),
        Entry(
            "loda",
            "anomaly_detection.detectors.loda:LODA",
            "histograms of sparse random projections",
        ),
        Entry(
            "cblof",
            "anomaly_detection.detectors.cblof:CBLOF",
            "distance from the nearest large cluster",
            ("cluster_based_local_outlier_factor",),
        ),
        Entry(
            "hbos",
            "anomaly_detection.detectors.hbos:HBOS",
            "one histogram per feature",
            ("histogram",),
        ),
        Entry(
            "ecod",
            "anomaly_detection.detectors.ecod:ECOD",
            "tail probabilities of each feature, from training rows only",
        ),
        Entry(
            "copod",
            "anomaly_detection.detectors.copod:COPOD",
            "empirical copula tails, from training rows only",
        ),
        Entry(
            "mad",
            "anomaly_detection.detectors.mad:MAD",
            "distance from the median in median absolute deviations",
            ("median_absolute_deviation", "robust_zscore"),
        ),
        Entry(
            "pca",
            "anomaly_detection.detectors.pca:PCA",
            "distance from the centre along each principal axis, in its own spread",
            ("principal_components",),
        ),
        Entry(
            "gmm",
            "anomaly_detection.detectors.gmm:GMM",
            "negative log density under a few normal distributions",
            ("gaussian_mixture",),
        ),
        Entry(
            "elliptic_envelope",
            "anomaly_detection.detectors.elliptic_envelope:EllipticEnvelope",
            "distance from the centre of the densest half of the rows, in its covariance",
            ("mcd", "minimum_covariance_determinant", "robust_covariance"),
        ),
        Entry(
            "inne",
            "anomaly_detection.detectors.inne:INNE",
            "balls as wide as the distance to the nearest row of a small sample",
            ("isolation_nearest_neighbors",),
        ),
        Entry(
            "kde",
            "anomaly_detection.detectors.kde:KDE",
            "negative log density of normal kernels around the training rows",
            ("kernel_density",),
        ),
        Entry(
            "abod",
            "anomaly_detection.detectors.abod:ABOD",
            "how little the directions to the nearest training rows vary",
            ("angle_based", "fast_abod"),
        ),
        Entry(
            "mahalanobis",
            "anomaly_detection.detectors.mahalanobis:Mahalanobis",
            "distance from the bulk of the rows, along and across their correlations, in robust units",
            ("mahalanobis_distance",),
        ),
        Entry(
            "lesinn",
            "anomaly_detection.detectors.lesinn:LeSiNN",
            "distance to the nearest row of many small samples",
            ("sampled_neighbours", "sampled_neighbors"),
        ),
        Entry(
            "ocsvm",
            "anomaly_detection.detectors.ocsvm:OCSVM",
            "one-class support vector machine: similarity to the crowd",
            ("one_class_svm", "oneclass_svm"),
        ),
        Entry(
            "linear_ocsvm",
            "anomaly_detection.detectors.linear_ocsvm:LinearOCSVM",
            "one-class support vector machine in linear time, from all rows",
            ("sgd_ocsvm", "fast_ocsvm"),
        ),
        Entry(
            "half_space_trees",
            "anomaly_detection.detectors.half_space_trees:HalfSpaceTrees",
            "online: counts of recent rows in random halves of the space",
            ("hst",),
        ),
        Entry(
            "random_cut_forest",
            "anomaly_detection.detectors.random_cut_forest:RandomCutForest",
            "online: how many rows of a recent sample a row displaces in random trees",
            ("rcf",),
        ),
        Entry(
            "average",
            "anomaly_detection.detectors.ensemble:AverageEnsemble",
            "several detectors, standardised scores averaged",
            ("average_ensemble", "ensemble"),
        ),
        Entry(
            "maximum",
            "anomaly_detection.detectors.ensemble:MaximumEnsemble",
            "several detectors, the largest standardised score",
            ("maximum_ensemble", "max"),
        ),
        Entry(
            "weighted",
            "anomaly_detection.detectors.ensemble:WeightedEnsemble",
            "several detectors, standardised scores averaged with weights",
            ("weighted_ensemble",),
        ),
        Entry(
            "tail_probability",
            "anomaly_detection.detectors.ensemble:TailEnsemble",
            "several detectors, surprise -log(tail probability) averaged",
            ("tail", "tail_ensemble"),
        ),
        *(
            Entry(one.name, f"{pyod_table.MODULE}:{one.class_name}", one.summary, one.aliases, "pyod", one.labels)
            for one in pyod_table.PYOD
        ),
    ],
    group="anomaly_detection.detectors",
    left_out=pyod_table.FROM_LABELS,
)
