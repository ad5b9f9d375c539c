"""Estimators as files, pickles and clones."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import sklearn.base

import pantanal

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((60, 5))
Y = np.where(X[:, 0] + 0.3 * RANDOM.standard_normal(60) > 0, "present", "absent")


def fitted(dtype=np.float64):
    x = X.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            (pantanal.StandardScaler(with_mean=False).fit(x), lambda e: e.transform(x)),
            (pantanal.PCA(3, whiten=True).fit(x), lambda e: e.transform(x)),
            (pantanal.LogisticRegression(C=0.75, class_weight="balanced").fit(x, Y), lambda e: e.predict(x)),
            (pantanal.LogisticRegression().fit(x, Y), lambda e: e.predict_proba(x)),
            (pantanal.IsotonicRegression(out_of_bounds="clip").fit(x[:, 0], x[:, 1]), lambda e: e.predict(x[:, 2])),
            (pantanal.MLPClassifier((8, 4), max_iter=5, random_state=1).fit(x, Y), lambda e: e.predict(x)),
            (pantanal.MLPClassifier(6, activation="tanh", max_iter=5, random_state=1, early_stopping=True).fit(x, X > 0),
             lambda e: e.predict_proba(x)),
            (pantanal.MLPClassifier(3, max_iter=2, random_state=1).fit(x, np.arange(60) % 3), lambda e: e.predict_proba(x)),
        ]


def attributes(estimator):
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


def check_same(a, b, use):
    assert a.get_params() == b.get_params()
    np.testing.assert_array_equal(use(a), use(b))
    left, right = attributes(a), attributes(b)
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_equal(right[name], left[name], err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", range(8))
def test_survive_files_pickles_and_copies(index, dtype, tmp_path):
    estimator, use = fitted(dtype)[index]
    path = tmp_path / "estimator.safetensors"
    estimator.save(path)
    for twin in (type(estimator).load(path), pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        check_same(estimator, twin, use)


@pytest.mark.parametrize("index", range(8))
def test_can_be_cloned(index):
    estimator, use = fitted()[index]
    clone = sklearn.base.clone(estimator)
    assert clone.get_params() == estimator.get_params()
    with pytest.raises(pantanal.NotFittedError):
        use(clone)
    assert pickle.loads(pickle.dumps(clone)).get_params() == estimator.get_params()


def test_files_are_plain_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "pca.safetensors"
    pca = pantanal.PCA(2).fit(X)
    pca.save(path)
    np.testing.assert_array_equal(safetensors.load_file(path)["components_"], pca.components_)


def test_other_files_are_refused(tmp_path, model_path):
    path = tmp_path / "scaler.safetensors"
    with pytest.raises(pantanal.NotFittedError):
        pantanal.StandardScaler().save(path)
    pantanal.StandardScaler().fit(X).save(path)
    with pytest.raises(pantanal.MismatchError, match="StandardScaler.*PCA"):
        pantanal.PCA.load(path)
    with pytest.raises(pantanal.MismatchError, match="format"):
        pantanal.PCA.load(model_path)
    with pytest.raises(FileNotFoundError):
        pantanal.PCA.load(tmp_path / "none")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(pantanal.CorruptError):
        pantanal.StandardScaler.load(path)


def test_parameters_can_be_changed_and_shown():
    pca = pantanal.PCA(3).set_params(whiten=True)
    assert repr(pca) == "PCA(n_components=3, whiten=True)"
    with pytest.raises(ValueError, match="nope"):
        pca.set_params(nope=1)
