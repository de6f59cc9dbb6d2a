"""The names of algorithms that users type: of detectors, of algorithms for series, of forecasters."""

from __future__ import annotations

from anomaly_detection import pyod_table
from anomaly_detection.entries import Catalog, Entry

SERIES_DETECTORS = Catalog(
    "series algorithm",
    [
        Entry(
            "auto",
            "anomaly_detection.detectors.series.auto:SeriesAuto",
            "the default: windows for one channel, joint for several; expected values",
            ("default",),
        ),
        Entry(
            "windows",
            "anomaly_detection.detectors.series.windows:Windows",
            "whether anything like the last rows was there before, at seven lengths; one channel",
            ("nearest_windows",),
        ),
        Entry(
            "whole_windows",
            "anomaly_detection.detectors.series.whole_windows:WholeWindows",
            "whether anything like the rows around is anywhere else; one channel, looks at the whole file",
            ("windows_offline",),
        ),
        Entry(
            "joint",
            "anomaly_detection.detectors.series.joint:Joint",
            "where all channels lie together, and how far they moved since the row before",
            ("joint_levels",),
        ),
        Entry(
            "change_point",
            "anomaly_detection.detectors.series.change_point:ChangePoints",
            "rows from which on level, trend, variance or season are others, each named; looks at the whole file",
            ("change_points", "changepoint"),
        ),
        Entry(
            "change_point_online",
            "anomaly_detection.detectors.series.change_point_online:ChangePointsOnline",
            "that level or scatter have changed, some rows later; needs no later file",
            (
                "bocpd",
                "online_change_point",
            ),
        ),
        Entry(
            "gap",
            "anomaly_detection.detectors.series.gap:Gap",
            "rows and values that did not come, against the pauses there were",
            (
                "missing_rows",
                "heartbeat",
            ),
        ),
        Entry(
            "ewma",
            "anomaly_detection.detectors.series.ewma:EWMA",
            "distance from the level of late, in scales of late; expected values",
            ("control_chart", "exponentially_weighted"),
        ),
        Entry(
            "seasonal_ewma",
            "anomaly_detection.detectors.series.seasonal_ewma:SeasonalEWMA",
            "distance from a level that moves along plus what the place of the season adds; expected values",
            ("additive_smoothing", "seasonal_control_chart"),
        ),
        Entry(
            "seasonal_profile",
            "anomaly_detection.detectors.series.seasonal_profile:SeasonalProfile",
            "distance from what is usual at this place of the season; expected values",
            ("seasonal",),
        ),
        Entry(
            "cusum",
            "anomaly_detection.detectors.series.cusum:CUSUM",
            "small deviations that last, added up",
            ("cumulative_sum",),
        ),
        Entry(
            "flatline",
            "anomaly_detection.detectors.series.flatline:Flatline",
            "values that stand still, or are missing, for longer than they ever did",
            ("gaps",),
        ),
        Entry(
            "left_matrix_profile",
            "anomaly_detection.detectors.series.matrix_profile:LeftMatrixProfile",
            "windows whose shape was not seen before",
            ("matrix_profile_online",),
        ),
        Entry(
            "matrix_profile",
            "anomaly_detection.detectors.series.matrix_profile:MatrixProfileDetector",
            "windows whose shape is nowhere else; looks at the whole file",
            ("discord", "discords", "stump"),
        ),
        Entry(
            "forecast_residual",
            "anomaly_detection.detectors.series.forecast_residual:ForecastResidual",
            "distance from what a forecaster expects, in the width of its band; any forecaster",
        ),
        Entry(
            "fourier",
            "anomaly_detection.detectors.series.forecast_residual:FourierResidual",
            "distance from what seasons of the calendar and a trend expect",
        ),
        Entry(
            "seasonal_naive",
            "anomaly_detection.detectors.series.forecast_residual:SeasonalNaiveResidual",
            "distance from the row one season ago",
        ),
        Entry(
            "ets",
            "anomaly_detection.detectors.series.forecast_residual:ETSResidual",
            "distance from what exponential smoothing expects",
            ("holt_winters",),
        ),
        Entry(
            "stl",
            "anomaly_detection.detectors.series.forecast_residual:STLResidual",
            "distance from what a seasonal decomposition expects",
            ("seasonal_decomposition",),
        ),
        Entry(
            "arima",
            "anomaly_detection.detectors.series.forecast_residual:ARIMAResidual",
            "distance from what statsforecast's AutoARIMA expects",
            ("auto_arima",),
            extra="forecast",
        ),
        Entry(
            "mstl",
            "anomaly_detection.detectors.series.forecast_residual:MSTLResidual",
            "distance from what statsforecast's MSTL expects",
            extra="forecast",
        ),
        Entry(
            "prophet",
            "anomaly_detection.detectors.series.forecast_residual:ProphetResidual",
            "distance from what Prophet expects",
            extra="forecast",
        ),
        Entry(
            "per_channel",
            "anomaly_detection.detectors.series.per_channel:PerChannel",
            "any series algorithm, one channel at a time; the channel that is farthest out counts",
        ),
        Entry(
            "sliding_window",
            "anomaly_detection.detectors.series.sliding_window:SlidingWindow",
            "the latest rows as a row of a table, for any algorithm for tables",
            (
                "window",
                "windowed",
            ),
        ),
        Entry(
            "spectral_residual",
            "anomaly_detection.detectors.series.spectral_residual:SpectralResidual",
            "what stands out once the usual of the spectrum is taken out",
            ("saliency",),
        ),
        Entry(
            "sub_pca",
            "anomaly_detection.detectors.series.sub_pca:SubPCA",
            "windows that are not made of the principal shapes of those in training",
            (
                "subpca",
                "window_pca",
            ),
        ),
    ],
    group="anomaly_detection.series_detectors",
)
"""Algorithms that judge a time series: rows in order of time, all columns numbers."""

FORECASTERS = Catalog(
    "forecaster",
    [
        Entry(
            "auto",
            "anomaly_detection.forecasters.auto:AutoForecaster",
            "the best of the fast ones, or their mean, by their errors on rows held back; the default",
        ),
        Entry(
            "fourier",
            "anomaly_detection.forecasters.fourier:Fourier",
            "seasons of the calendar, a trend that changes, robust; thousands of series a second",
        ),
        Entry(
            "seasonal_naive",
            "anomaly_detection.forecasters.seasonal_naive:SeasonalNaive",
            "what was one season ago comes again; the yardstick",
            ("naive", "snaive"),
        ),
        Entry(
            "ets",
            "anomaly_detection.forecasters.ets:ETS",
            "exponential smoothing: level, damped trend and season that follow",
            ("exponential_smoothing", "holt_winters"),
        ),
        Entry(
            "stl",
            "anomaly_detection.forecasters.stl:STL",
            "seasons taken out by robust local regression, the rest smoothed",
            ("seasonal_decomposition",),
        ),
        Entry(
            "arima",
            "anomaly_detection.forecasters.arima:ARIMA",
            "statsforecast's AutoARIMA",
            ("auto_arima", "sarima"),
            extra="forecast",
        ),
        Entry(
            "mstl",
            "anomaly_detection.forecasters.mstl:MSTL",
            "statsforecast's MSTL: several seasons by local regression",
            extra="forecast",
        ),
        Entry(
            "prophet",
            "anomaly_detection.forecasters.prophet:Prophet",
            "Meta's Prophet",
            extra="forecast",
        ),
    ],
    group="anomaly_detection.forecasters",
)
"""What says how a time series goes on, with bands."""

FOR_SERIES = (
    "it judges a time series. Name the column of time with --timestamp (timestamp= in Python), and look at columns of "
    "numbers only."
)


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
    left_out={**pyod_table.FROM_LABELS, **dict.fromkeys(SERIES_DETECTORS.built_in(), FOR_SERIES)},
)
