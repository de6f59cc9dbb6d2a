"""What PyOD brings: names, summaries and labels as plain data, so that listing them imports nothing.

The labels were found by the contract suite; ``tests/detectors/test_pyod.py`` runs it again and fails when one is wrong
either way. PyOD's detectors of series, graphs, images, sound and text are left out: they take no table. So are XGBOD
and DevNet, which learn from labels.
"""

from __future__ import annotations

from dataclasses import dataclass

MODULE = "anomaly_detection.detectors.pyod"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One detector of PyOD.

    Parameters
    ----------
    place : ``"module:Class"`` below ``pyod.models``.
    summary : one line for lists.
    aliases : other names, where this project has no detector of that name.
    batch_only : a row's score depends on the rows that are scored with it.
    alone : rows are scored one at a time, because sums of a batch depend on its shape in the last bits.
    fewest_rows : fewer rows cannot be fitted.
    fewest_columns : fewer columns cannot be fitted.
    not_saved : what it learned cannot be written without pickle.
    needs : the package it needs besides PyOD.
    instead : the detector of this project to use where a label is in the way.
    """

    place: str
    summary: str
    aliases: tuple[str, ...] = ()
    batch_only: bool = False
    alone: bool = False
    fewest_rows: int = 2
    fewest_columns: int = 1
    not_saved: bool = False
    needs: str | None = None
    instead: str = "isolation_forest"

    @property
    def name(self) -> str:
        """The name in the catalog.

        >>> Wrapped("cof:COF", "").name
        'pyod_cof'
        """
        return f"pyod_{self.place.partition(':')[0]}"

    @property
    def class_name(self) -> str:
        """The name of the class that wraps it."""
        return f"Pyod{self.place.partition(':')[2].replace('_', '')}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The promises it keeps, and those it does not.

        >>> Wrapped("sos:SOS", "", batch_only=True).labels
        ('batch only', 'no missing values')
        """
        labels = ["batch only" if self.batch_only else "streaming", "no missing values"]
        if self.needs:
            labels.append(f"needs {self.needs}")
        if self.not_saved:
            labels.append("not saved")
        return tuple(labels)


def _deep(place: str, summary: str, instead: str, *aliases: str) -> Wrapped:
    """A neural network: its sums depend on the shape of a batch, and it lives in torch's own objects."""
    return Wrapped(place, summary, aliases, batch_only=True, not_saved=True, needs="torch", instead=instead)


PYOD = (
    Wrapped("abod:ABOD", "variance of the angles to pairs of near neighbours", fewest_rows=6, instead="abod"),
    Wrapped("cblof:CBLOF", "distance from the nearest large cluster", fewest_rows=10, instead="cblof"),
    Wrapped(
        "cd:CD",
        "influence on regressions of each column on the others, as Cook's distance",
        ("cd", "cooks_distance"),
        batch_only=True,
        fewest_rows=3,
        fewest_columns=2,
        instead="pca",
    ),
    Wrapped(
        "cof:COF",
        "length of the chain of neighbours compared with that of theirs",
        ("cof", "connectivity_based_outlier_factor"),
        batch_only=True,
        fewest_rows=3,
        instead="lof",
    ),
    Wrapped(
        "copod:COPOD", "empirical copula tails, of the batch and the training rows", batch_only=True, instead="copod"
    ),
    Wrapped("ecod:ECOD", "empirical tails, of the batch and the training rows", batch_only=True, instead="ecod"),
    Wrapped(
        "feature_bagging:FeatureBagging",
        "local outlier factors on random sets of columns, averaged",
        ("feature_bagging",),
        fewest_rows=22,
        fewest_columns=2,
        needs="combo",
        instead="lof",
    ),
    Wrapped("gmm:GMM", "density under a mixture of Gaussians", alone=True, instead="gmm"),
    Wrapped("hbos:HBOS", "one histogram per feature", instead="hbos"),
    Wrapped(
        "hdbscan:HDBSCAN",
        "distance from the clusters of a density hierarchy",
        ("hdbscan",),
        alone=True,
        fewest_rows=5,
        instead="lof",
    ),
    Wrapped("iforest:IForest", "random trees, as scikit-learn grows them", instead="isolation_forest"),
    Wrapped("inne:INNE", "isolation by nearest-neighbour balls", batch_only=True, instead="inne"),
    Wrapped("kde:KDE", "density by kernels at all training rows", instead="kde"),
    Wrapped("knn:KNN", "distance to the k nearest training rows", fewest_rows=6, instead="knn"),
    Wrapped(
        "kpca:KPCA",
        "reconstruction error of kernel principal components",
        ("kpca", "kernel_pca"),
        alone=True,
        instead="pca",
    ),
    Wrapped(
        "lmdd:LMDD",
        "fall of the dissimilarity of a set when a row is taken out",
        ("lmdd",),
        batch_only=True,
        not_saved=True,
        instead="mad",
    ),
    Wrapped(
        "loci:LOCI",
        "local correlation integral; time grows with the cube of the rows",
        ("loci",),
        batch_only=True,
        instead="lof",
    ),
    Wrapped("loda:LODA", "histograms of random projections", instead="loda"),
    Wrapped("lof:LOF", "local density compared with the neighbours' density", fewest_rows=3, instead="lof"),
    Wrapped(
        "lscp:LSCP",
        "three local outlier factors, chosen by their fit around each row",
        ("lscp",),
        fewest_rows=30,
        instead="lof",
    ),
    Wrapped("mad:MAD", "distance from the median; one column only", instead="mad"),
    Wrapped(
        "mcd:MCD",
        "Mahalanobis distance from the minimum covariance determinant",
        fewest_rows=7,
        instead="elliptic_envelope",
    ),
    Wrapped("ocsvm:OCSVM", "distance from the boundary of a one-class support vector machine", instead="ocsvm"),
    Wrapped("pca:PCA", "distance from the centre along principal axes", fewest_rows=3, instead="pca"),
    Wrapped("qmcd:QMCD", "discrepancy of a quasi-Monte-Carlo sample", ("qmcd",), fewest_rows=3, instead="ecod"),
    Wrapped(
        "rgraph:RGraph",
        "random walks on the graph of sparse self-representations; slow",
        ("rgraph",),
        batch_only=True,
        fewest_rows=11,
        instead="pca",
    ),
    Wrapped(
        "rod:ROD",
        "angles to the median in rotations of three columns at a time; slow on many columns",
        ("rod",),
        batch_only=True,
        instead="mad",
    ),
    Wrapped(
        "sampling:Sampling",
        "distance to the nearest of a few training rows",
        ("sampling",),
        fewest_rows=20,
        instead="knn",
    ),
    Wrapped(
        "sod:SOD",
        "distance from the neighbours in the subspace where they agree",
        ("sod", "subspace_outlier_detection"),
        batch_only=True,
        fewest_rows=21,
        instead="lof",
    ),
    Wrapped(
        "sos:SOS",
        "how little a row is drawn to by the others' affinities",
        ("sos", "stochastic_outlier_selection"),
        batch_only=True,
        instead="knn",
    ),
    Wrapped(
        "suod:SUOD",
        "several detectors on projections of the columns",
        ("suod",),
        batch_only=True,
        not_saved=True,
        needs="suod",
        instead="average",
    ),
    _deep("ae1svm:AE1SVM", "autoencoder with a one-class margin on random Fourier features", "pca", "ae1svm"),
    _deep("alad:ALAD", "adversarially learned reconstruction, in both directions", "pca", "alad"),
    _deep("anogan:AnoGAN", "how well a generative adversarial network can make the row", "pca", "anogan"),
    _deep("auto_encoder:AutoEncoder", "reconstruction error of an autoencoder", "pca", "auto_encoder"),
    _deep("deep_svdd:DeepSVDD", "distance from the centre of a learned ball", "knn", "deep_svdd"),
    _deep("dif:DIF", "isolation trees on random deep representations", "isolation_forest", "dif"),
    _deep("lunar:LUNAR", "distances to neighbours, weighed by a graph network", "knn", "lunar"),
    _deep("mo_gaal:MO_GAAL", "several generators that learn to make outliers", "isolation_forest", "mo_gaal"),
    _deep("so_gaal:SO_GAAL", "one generator that learns to make outliers", "isolation_forest", "so_gaal"),
    _deep("vae:VAE", "reconstruction error of a variational autoencoder", "pca", "vae"),
)
"""Every detector of PyOD 3.6 that takes a table and no labels, by name."""

FROM_LABELS = dict.fromkeys(
    ("xgbod", "pyod_xgbod", "devnet", "pyod_devnet"),
    "it learns from labels, and every algorithm here learns without them. Use auto; with some labels, models tune "
    "--label NAME finds what suits them.",
)
"""Detectors of PyOD that are left out because they need labels, with what to do instead."""
