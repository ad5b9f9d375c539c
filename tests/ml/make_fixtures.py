#!/usr/bin/env python3
"""Writes the fixtures of tests/ml: small problems and scikit-learn's answers to them.

    python tests/ml/make_fixtures.py          # tests/golden/ml, as committed

One file per estimator. Metadata "cases": a JSON array of options; "version": scikit-learn's; tensors N.NAME for case N.
"""

import argparse
import json
import pathlib
import warnings

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.decomposition import PCA
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def scaler(random):
    for weighted in (False, True):
        x = random.standard_normal((23, 5)) * [1, 10, 0.1, 1, 1] + [0, 50, 0, 0, 0]
        x[:, 3] = 1.3  # constant
        weights = random.uniform(0.1, 2, 23) if weighted else None
        fitted = StandardScaler().fit(x, sample_weight=weights)
        arrays = dict(x=x, mean=fitted.mean_, var=fitted.var_, scale=fitted.scale_, z=fitted.transform(x))
        yield {}, {**arrays, **({"weights": weights} if weighted else {})}


def pca(random):
    for shape, solver in (((20, 7), "full"), ((7, 20), "full"), ((40, 6), "covariance_eigh"), ((30, 18), "randomized")):
        x = random.standard_normal(shape) * np.exp(-np.arange(shape[1]) / 5)
        fitted = PCA(4, svd_solver=solver, whiten=shape[0] == 20, random_state=3).fit(x)
        yield {"solver": solver, "whiten": fitted.whiten, "noise": float(fitted.noise_variance_)}, dict(
            x=x, components=fitted.components_, mean=fitted.mean_, variance=fitted.explained_variance_,
            ratio=fitted.explained_variance_ratio_, singular=fitted.singular_values_, z=fitted.transform(x),
        )


def logistic(random):
    for n, d, options in ((40, 3, {}), (15, 30, {"C": 0.75, "class_weight": "balanced"}),
                          (40, 4, {"fit_intercept": False}), (40, 2, {"intercept_scaling": 3.0})):
        x = random.standard_normal((n, d))
        y = (x[:, 0] + random.standard_normal(n) > 0.8).astype(np.int64) * 2
        y[:2] = 0, 2
        fitted = LogisticRegression(solver="liblinear", tol=1e-12, max_iter=1000, **options).fit(x, y)
        yield options, dict(x=x, y=y, coef=fitted.coef_[0], intercept=np.atleast_1d(np.asarray(fitted.intercept_, float)),
                            p=fitted.predict_proba(x))


def isotonic(random):
    for options in ({}, {"increasing": False}, {"increasing": "auto", "out_of_bounds": "clip"}, {"y_min": -0.2, "y_max": 0.4}):
        x = np.round(random.standard_normal(30), 1)
        y = x + random.standard_normal(30)
        weights = random.uniform(0, 2, 30) * (random.random(30) > 0.2)
        fitted = IsotonicRegression(**options).fit(x, y, sample_weight=weights)
        at = np.linspace(-4, 4, 33)
        yield options, dict(x=x, y=y, weights=weights, at=at, xt=fitted.X_thresholds_, yt=fitted.y_thresholds_,
                            predicted=np.nan_to_num(fitted.predict(at), nan=-99.0))


def mlp(random):
    cases = (
        dict(hidden_layer_sizes=[9, 5], early_stopping=True, max_iter=30, n_iter_no_change=4),
        dict(hidden_layer_sizes=[6], activation="tanh", solver="sgd", learning_rate="adaptive", max_iter=20, batch_size=16),
        dict(hidden_layer_sizes=[6], activation="logistic", solver="sgd", learning_rate="invscaling", max_iter=10),
        dict(hidden_layer_sizes=[4], max_iter=12, batch_size=7, alpha=0.01, shuffle=False),
        dict(hidden_layer_sizes=[7], max_iter=12, classes=3, early_stopping=True),
        dict(hidden_layer_sizes=[5, 4], max_iter=12, solver="sgd", nesterovs_momentum=False, oversampled=True),
        dict(hidden_layer_sizes=[5], max_iter=12, weighted=True),
    )
    for case in cases:
        options = {k: v for k, v in case.items() if k not in ("classes", "oversampled", "weighted")}
        x = random.standard_normal((60, 5))
        y = np.searchsorted([-0.5, 0.5] if case.get("classes") == 3 else [0.2], x[:, 0] + 0.4 * random.standard_normal(60))
        if case.get("oversampled"):
            x, y = np.vstack([x, x[y == 1], x[y == 1]]), np.r_[y, y[y == 1], y[y == 1]]
        weights = random.uniform(0.1, 2, len(x)) if case.get("weighted") else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = MLPClassifier(random_state=42, **options).fit(x, y, sample_weight=weights)
        arrays = dict(x=x, y=y.astype(np.int64), loss=np.array(fitted.loss_curve_), p=fitted.predict_proba(x))
        if weights is not None:
            arrays["weights"] = weights
        yield options, arrays


def splits(random):
    groups = random.integers(0, 9, 50)
    folds = GroupKFold(4).split(groups[:, None], groups=groups)
    arrays = {"groups": groups}
    for i, (train, test) in enumerate(folds):
        arrays[f"test.{i}"] = test
    yield {"kind": "groups", "n_splits": 4}, arrays
    y = random.integers(0, 3, 40)
    arrays = {"y": y}
    for i, (train, test) in enumerate(StratifiedShuffleSplit(3, test_size=0.23, random_state=5).split(y[:, None], y)):
        arrays[f"train.{i}"], arrays[f"test.{i}"] = train, test
    yield {"kind": "stratified", "n_splits": 3, "test_size": 0.23, "random_state": 5}, arrays


def metrics(random):
    for rounded in (False, True):
        y = (random.random(50) < 0.3).astype(np.int64)
        s = random.standard_normal(50) + y
        s = np.round(s * 2) if rounded else s
        w = random.uniform(0.1, 2, 50)
        yield {
            "auc": float(roc_auc_score(y, s)), "auc_weighted": float(roc_auc_score(y, s, sample_weight=w)),
            "ap": float(average_precision_score(y, s)), "ap_weighted": float(average_precision_score(y, s, sample_weight=w)),
            "f1": float(f1_score(y, s > 0.5)), "f1_weighted": float(f1_score(y, s > 0.5, sample_weight=w)),
        }, dict(y=y, s=s, w=w)


def stream(random):
    numpy_random = np.random.RandomState(42)
    yield {}, dict(
        sample=numpy_random.random_sample(1000), uniform=numpy_random.uniform(-2, 3, 5), normal=numpy_random.standard_normal(9),
        permutation=numpy_random.permutation(100), randint=numpy_random.randint(-5, 2**40, 20, dtype=np.int64),
        choice=numpy_random.choice(30, 7, replace=False), replaced=numpy_random.choice(30, 7),
    )


def main():
    root = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "ml"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=root)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for seed, make in enumerate((scaler, pca, logistic, isotonic, mlp, splits, metrics, stream)):
        cases, tensors = [], {}
        for index, (options, arrays) in enumerate(make(np.random.default_rng(seed))):
            cases.append(options)
            for name, array in arrays.items():
                tensors[f"{index}.{name}"] = np.ascontiguousarray(array)
        save_file(tensors, out / f"{make.__name__}.safetensors", {"cases": json.dumps(cases), "version": sklearn.__version__})


if __name__ == "__main__":
    main()
