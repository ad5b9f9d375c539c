"""Splits, metrics and the random stream beside scikit-learn's and NumPy's."""

import warnings

import numpy as np
import pytest
import sklearn.metrics
import sklearn.model_selection
from ml_problems import COUNT

import pantanal
from pantanal import _ml


def test_random_state_is_numpys():
    for seed in [0, 1, 42, 123, 2**32 - 1]:
        ours, theirs = _ml.RandomState(seed), np.random.RandomState(seed)
        for _ in range(3):
            np.testing.assert_array_equal([ours.random_sample() for _ in range(700)], theirs.random_sample(700))
            assert ours.uniform(-3.5, 2.25) == theirs.uniform(-3.5, 2.25)
            np.testing.assert_array_equal([ours.standard_normal() for _ in range(11)], theirs.standard_normal(11))
            for n in (1, 2, 17, 1000):
                np.testing.assert_array_equal(ours.permutation(n), theirs.permutation(n))
                size = min(n, 9)
                np.testing.assert_array_equal(ours.choice(n, size, False), theirs.choice(n, size, replace=False))
                np.testing.assert_array_equal(ours.choice(n, 5, True), theirs.choice(n, 5))
            for high in (1, 3, 2**31, 2**32, 2**40):
                assert ours.randint(-2, high) == theirs.randint(-2, high)


def test_group_k_fold_agrees():
    for seed in range(COUNT):
        random = np.random.default_rng(seed)
        n, groups = int(random.integers(10, 2000)), int(random.integers(5, 80))
        labels = random.integers(0, groups, n)
        if seed % 3 == 0:
            labels = np.repeat(np.arange(59), 12)  # all of one size: ties only
        if seed % 3 == 1:
            labels = np.char.add("file_", labels.astype(str))
        folds = min(int(random.integers(2, 8)), len(np.unique(labels)))
        options = dict(n_splits=folds, shuffle=seed % 4 == 0)
        if options["shuffle"]:
            options["random_state"] = seed
        x = np.zeros((len(labels), 1))
        theirs = list(sklearn.model_selection.GroupKFold(**options).split(x, groups=labels))
        ours = list(pantanal.GroupKFold(**options).split(x, groups=labels))
        assert len(ours) == len(theirs) == folds
        for found, expected in zip(ours, theirs):
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


def test_stratified_shuffle_split_agrees():
    for seed in range(COUNT):
        random = np.random.default_rng(seed)
        classes = int(random.integers(2, 6))
        y = np.r_[np.repeat(np.arange(classes), 3), random.integers(0, classes, int(random.integers(20, 500)))]
        test_size = (None, 0.15, 0.31, 12)[seed % 4]
        train_size = (None, None, 0.4, 9)[seed // 4 % 4]
        options = dict(n_splits=3, test_size=test_size, train_size=train_size, random_state=seed)
        theirs = list(sklearn.model_selection.StratifiedShuffleSplit(**options).split(y[:, None], y))
        ours = list(pantanal.StratifiedShuffleSplit(**options).split(y[:, None], y))
        for found, expected in zip(ours, theirs):
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


def draw_scores(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 2000))
    y = random.random(n) < random.uniform(0.02, 0.98)
    y[:2] = [True, False]
    scores = random.standard_normal(n) + y
    if seed % 2:
        scores = np.round(scores * 3)
    return y.astype(int), scores.astype(np.float32 if seed % 3 == 0 else np.float64), random


def test_binary_metrics_agree():
    for seed in range(COUNT):
        y, scores, random = draw_scores(seed)
        weights = random.uniform(0.1, 2, len(y)) if seed % 4 == 0 else None
        for name in ("roc_auc_score", "average_precision_score"):
            found = getattr(pantanal, name)(y, scores, sample_weight=weights)
            expected = getattr(sklearn.metrics, name)(y, scores, sample_weight=weights)
            assert found == pytest.approx(expected, rel=1e-6), (seed, name)
        decisions = (scores > 0.5).astype(int)
        for average in ("binary", "macro", "micro", "weighted"):
            found = pantanal.f1_score(y, decisions, average=average, sample_weight=weights)
            expected = sklearn.metrics.f1_score(y, decisions, average=average, sample_weight=weights, zero_division=0)
            assert found == pytest.approx(expected, rel=1e-9), (seed, average)


def test_multilabel_metrics_agree():
    for seed in range(COUNT):
        random = np.random.default_rng(seed)
        shape = int(random.integers(2, 200)), int(random.integers(2, 9))
        y = (random.random(shape) < random.uniform(0.05, 0.95)).astype(int)
        y[0], y[1] = 1, 0
        scores = np.round(random.standard_normal(shape) + y, 1)
        average = ("macro", "micro", "weighted", None)[seed % 4]
        weights = random.uniform(0.1, 2, shape[0]) if seed // 4 % 2 else None
        for name in ("roc_auc_score", "average_precision_score"):
            found = getattr(pantanal, name)(y, scores, average=average, sample_weight=weights)
            expected = getattr(sklearn.metrics, name)(y, scores, average=average, sample_weight=weights)
            np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=f"{seed} {name}")
        decisions = (scores > 0.5).astype(int)
        found = pantanal.f1_score(y, decisions, average=average, sample_weight=weights)
        expected = sklearn.metrics.f1_score(y, decisions, average=average, sample_weight=weights, zero_division=0)
        np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=f"{seed}")


def test_macro_auc_skips_classes_without_both_kinds():
    for seed in range(COUNT):
        random = np.random.default_rng(seed)
        n, classes = int(random.integers(2, 60)), int(random.integers(1, 7))
        y = (random.random((n, classes)) < random.uniform(0.02, 0.98)).astype(int)
        scores = np.round(random.standard_normal(y.shape) + y, 1)
        kept = np.flatnonzero((y.min(0) == 0) & (y.max(0) == 1))
        if len(kept) == 0:
            with pytest.raises(ValueError, match="no class"):
                pantanal.macro_auc_skip_empty(y, scores)
            continue
        expected = np.mean([sklearn.metrics.roc_auc_score(y[:, c], scores[:, c]) for c in kept])
        assert pantanal.macro_auc_skip_empty(y, scores) == pytest.approx(expected, rel=1e-12), seed
    y = np.repeat([[0, 1]], 50, 0)  # each class of one kind only
    with pytest.raises(ValueError, match="no class"):
        pantanal.macro_auc_skip_empty(y, y)


def test_best_f1_threshold_is_the_first_best():
    grid = np.arange(0.25, 0.71, 0.05)
    for seed in range(COUNT):
        random = np.random.default_rng(seed)
        y = (random.random(80) < 0.3).astype(int)
        p = np.round(random.random(80) * 0.7 + 0.3 * y, 2)
        inclusive = seed % 2 == 1
        scores = [sklearn.metrics.f1_score(y, p >= t if inclusive else p > t, zero_division=0) for t in grid]
        threshold, f1 = pantanal.best_f1_threshold(y, p, grid, inclusive=inclusive)
        assert f1 == pytest.approx(max(scores), rel=1e-12)
        assert threshold == grid[int(np.argmax(np.round(scores, 12)))]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="one class"):
        pantanal.roc_auc_score([1, 1], [0.1, 0.2])
    for metric in (pantanal.roc_auc_score, pantanal.average_precision_score):
        with pytest.raises(ValueError, match="NaN"):
            metric([0, 1], [0.1, np.nan])
        with pytest.raises(ValueError, match="shape"):
            metric([0, 1], [0.1])
        with pytest.raises(ValueError, match="3 different"):
            metric([0, 1, 2], [0.1, 0.2, 0.3])
        with pytest.raises(ValueError, match="average"):
            metric(np.eye(2), np.eye(2), average="samples")
    with pytest.raises(ValueError, match="groups"):
        next(pantanal.GroupKFold(2).split([1, 2, 3]))
    with pytest.raises(ValueError, match="number of groups"):
        next(pantanal.GroupKFold(4).split([1, 2, 3], groups=[1, 2, 2]))
    with pytest.raises(ValueError, match="shape"):
        next(pantanal.GroupKFold(2).split([1, 2, 3], groups=[1, 2]))
    with pytest.raises(ValueError, match="n_splits"):
        pantanal.GroupKFold(1)
    split = pantanal.StratifiedShuffleSplit
    with pytest.raises(ValueError, match="1 member"):
        next(split(2).split([1, 2, 3], [0, 0, 1]))
    with pytest.raises(ValueError, match="test_size"):
        next(split(2, test_size=1.5).split([1, 2, 3, 4], [0, 0, 1, 1]))
    with pytest.raises(ValueError, match="number of classes"):
        next(split(2, test_size=0.1).split(np.zeros(8), np.arange(8) % 4))
    with pytest.raises(ValueError, match="pos|classes"):
        pantanal.f1_score([0, 1, 2], [0, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pantanal.f1_score([0, 0], [0, 0]) == 0
