"""What PyOD learned, written by skops and read back under an exact list of types; nothing is pickled.

skops writes a zip file: a tree that names the type of every part, and arrays beside it. :data:`TYPES` says which types
a fitted detector is made of. A file that names any other is refused before skops sees it, and skops is given this list,
never one that was read from the file.
"""

from __future__ import annotations

import json
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from anomaly_detection.detectors._pyod_quiet import TROUBLES, quiet
from anomaly_detection.errors import ArtifactError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.pyod_table import Wrapped

PLAIN = frozenset(
    {
        ("DictNode", "builtins.dict"),
        ("JsonNode", "builtins.str"),
        ("ListNode", "builtins.list"),
        ("TupleNode", "builtins.tuple"),
        ("TypeNode", "builtins.str"),
        ("TypeNode", "builtins.int"),
        *(("NdArrayNode", f"numpy.{kind}") for kind in ("ndarray", "float64", "float32", "int64", "int32", "bool")),
    }
)
"""How skops loads a part, and its type: values and arrays, which every detector has."""

_DISTANCES = tuple(f"sklearn.metrics._dist_metrics.{one}Distance64" for one in ("Euclidean", "Manhattan", "Chebyshev"))
_TREES = ("sklearn.neighbors._kd_tree.KDTree", "sklearn.neighbors._ball_tree.BallTree", *_DISTANCES)
_NEAREST = ("sklearn.neighbors._unsupervised.NearestNeighbors", *_TREES)
_FACTORS = ("pyod.models.lof.LOF", "sklearn.neighbors._lof.LocalOutlierFactor", *_TREES)
_SCALERS = tuple(f"sklearn.preprocessing._data.{one}Scaler" for one in ("Standard", "MinMax", "Robust"))

OBJECTS: Mapping[str, tuple[str, ...]] = {
    "pyod_abod": _NEAREST,
    "pyod_cblof": ("sklearn.cluster._kmeans.KMeans",),
    "pyod_cd": ("sklearn.linear_model._base.LinearRegression",),
    "pyod_feature_bagging": _FACTORS,
    "pyod_gmm": ("sklearn.mixture._gaussian_mixture.GaussianMixture",),
    "pyod_hdbscan": ("sklearn.cluster._hdbscan.hdbscan.HDBSCAN", *_NEAREST),
    "pyod_iforest": ("sklearn.ensemble._iforest.IsolationForest", "sklearn.tree._classes.ExtraTreeRegressor"),
    "pyod_kde": ("sklearn.neighbors._kde.KernelDensity", *_TREES),
    "pyod_knn": _NEAREST,
    "pyod_kpca": ("pyod.models.kpca.PyODKernelPCA", "sklearn.preprocessing._data.KernelCenterer"),
    "pyod_lof": _FACTORS,
    "pyod_lscp": _FACTORS,
    "pyod_mcd": ("sklearn.covariance._robust_covariance.MinCovDet",),
    "pyod_ocsvm": ("sklearn.svm._classes.OneClassSVM",),
    "pyod_pca": ("sklearn.decomposition._pca.PCA", *_SCALERS),
    "pyod_qmcd": _SCALERS,
    "pyod_rgraph": _SCALERS,
    "pyod_rod": _SCALERS,
    "pyod_sampling": _DISTANCES,
}
"""Types of objects that a fitted detector holds besides its own."""

OTHERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "pyod_iforest": (("TreeNode", "sklearn.tree._tree.Tree"),),
    "pyod_kpca": (("RandomStateNode", "numpy.random.mtrand.RandomState"),),
    "pyod_lscp": (("RandomStateNode", "numpy.random.mtrand.RandomState"),),
}
"""Types that skops loads in a way of their own."""


def allowed(wrapped: Wrapped) -> frozenset[tuple[str, str]]:
    """Every way of loading and type that may occur in a fitted detector."""
    own = f"pyod.models.{wrapped.place.replace(':', '.')}"
    objects = {("ObjectNode", name) for name in (own, *OBJECTS.get(wrapped.name, ()))}
    return PLAIN | objects | {*OTHERS.get(wrapped.name, ())}


def written(model: Any, wrapped: Wrapped) -> NDArray[np.uint8]:
    """A fitted detector of PyOD as bytes.

    Raises
    ------
    InputError
        if it holds something that would not be read back.
    """
    data: bytes = import_module("skops.io").dumps(model)
    if strangers := parts(data) - allowed(wrapped):
        raise InputError(
            f"{wrapped.name} cannot be saved with these parameters: it holds {_shown(strangers)}. "
            f"Use its defaults, or {wrapped.instead} instead."
        )
    return np.frombuffer(data, dtype=np.uint8)


def read(saved: NDArray[Any], theirs: type[Any], wrapped: Wrapped) -> Any:
    """The fitted detector that :func:`written` wrote.

    Raises
    ------
    ArtifactError
        if it is damaged, or names a type that this detector is not made of.
    """
    data = saved.astype(np.uint8).tobytes()
    try:
        if strangers := parts(data) - allowed(wrapped):
            raise ArtifactError(f"The saved {wrapped.name} names {_shown(strangers)}, which it is never made of.")
        with quiet():
            model = import_module("skops.io").loads(data, trusted=sorted(name for _, name in allowed(wrapped)))
    except (*TROUBLES, BadZipFile, ImportError, OSError) as error:
        raise ArtifactError(f"The saved {wrapped.name} cannot be read: {error}. Fit it again.") from error
    if type(model) is not theirs:
        raise ArtifactError(f"The saved {wrapped.name} holds a {type(model).__name__}. Fit it again.")
    return model


def parts(data: bytes) -> set[tuple[str, str]]:
    """Every way of loading and type that a file of skops names.

    Raises
    ------
    ValueError, BadZipFile, KeyError
        if it is no such file, or packed in a way that skops was not asked for.
    """
    with ZipFile(BytesIO(data)) as archive:
        if any(member.compress_type != ZIP_STORED for member in archive.infolist()):
            raise ValueError("its parts are compressed")
        return set(_named(json.loads(archive.read("schema.json"))))


def _named(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        if not part.keys().isdisjoint(("__class__", "__module__", "__loader__")):
            yield str(part.get("__loader__")), f"{part.get('__module__')}.{part.get('__class__')}"
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _named(inner)


def _shown(strangers: set[tuple[str, str]]) -> str:
    return ", ".join(sorted(name for _, name in strangers))
