"""LogisticRegression and IsotonicRegression beside scikit-learn's."""

import warnings

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import sklearn.isotonic
import sklearn.linear_model
from ml_problems import COUNT, draw_labels, draw_matrix, draw_weights

import pantanal


def objective(coef, intercept, x, y, weights, c, scaling):
    """LIBLINEAR's, with the intercept as the weight of a constant feature."""
    penalised = np.append(coef, intercept / scaling)
    margin = np.where(y == y.max(), 1, -1) * (x @ coef + intercept)
    return 0.5 * penalised @ penalised + c * weights @ np.logaddexp(0, -margin)


def distance_bound(coef, intercept, x, y, weights, c, scaling):
    """The gradient's norm, which is at least the distance to the optimum: the objective is 1-strongly convex."""
    sign = np.where(y == y.max(), 1, -1)
    pull = -c * weights * sign * scipy.special.expit(-sign * (x @ coef + intercept))
    return np.linalg.norm(np.append(coef + pull @ x, intercept / scaling + scaling * pull.sum()))


@pytest.mark.parametrize("block", range(4))
def test_logistic_regression_agrees(block):
    arrived = 0
    for seed in range(block, COUNT, 4):
        x = draw_matrix(seed, most_values=20_000)
        y = draw_labels(seed, x) * 3 - 1
        weights = draw_weights(seed, len(x))
        if weights is not None:
            weights[:4] = 1
        c = float(np.exp(np.random.default_rng(seed).uniform(-4, 3)))
        balanced = "balanced" if seed % 3 else None
        scaling = (1.0, 5.0)[seed % 5 == 0]
        options = dict(C=c, class_weight=balanced, intercept_scaling=scaling, solver="liblinear")
        ours = pantanal.LogisticRegression(**options).fit(x, y, sample_weight=weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = sklearn.linear_model.LogisticRegression(
                tol=1e-9, max_iter=3000, random_state=0, **options
            ).fit(x, y, sample_weight=weights)
        share = np.ones(len(x)) if weights is None else weights.copy()
        if balanced:
            share *= np.where(y == 2, len(y) / (2 * (y == 2).sum()), len(y) / (2 * (y != 2).sum()))
        problem = (x.astype(np.float64), y, share, c, scaling)
        best = objective(ours.coef_[0], ours.intercept_[0], *problem)
        assert best <= objective(theirs.coef_[0], theirs.intercept_[0], *problem) * (1 + 1e-10), seed
        assert distance_bound(ours.coef_[0], ours.intercept_[0], *problem) < 1e-4, seed
        np.testing.assert_array_equal(ours.classes_, [-1, 2])
        if distance_bound(theirs.coef_[0], theirs.intercept_[0], *problem) < 1e-3:  # LIBLINEAR got there too
            arrived += 1
            np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1.1e-3, err_msg=str(seed))
            np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=6e-3)
            np.testing.assert_allclose(ours.decision_function(x), theirs.decision_function(x), atol=0.1)
    assert arrived > COUNT // 16


def test_logistic_regression_is_at_the_optimum():
    for seed in range(10):
        x = draw_matrix(8 * seed, most_values=2000).astype(np.float64)
        y = draw_labels(seed, x)
        fitted = pantanal.LogisticRegression(C=0.75).fit(x, y)
        start = np.append(fitted.coef_[0], fitted.intercept_[0])
        problem = (x, y, np.ones(len(x)), 0.75, 1.0)
        better = scipy.optimize.minimize(lambda w: objective(w[:-1], w[-1], *problem), start, options={"gtol": 1e-10})
        assert objective(start[:-1], start[-1], *problem) <= better.fun * (1 + 1e-12)
        np.testing.assert_allclose(better.x, start, atol=1e-5)


def test_logistic_regression_takes_labels_of_any_type():
    x = np.random.default_rng(0).standard_normal((40, 3))
    y = np.where(x[:, 0] > 0, "yes", "no")
    fitted = pantanal.LogisticRegression(fit_intercept=False).fit(x, y)
    assert set(fitted.predict(x)) == {"yes", "no"} and fitted.intercept_[0] == 0
    assert (fitted.predict(x) == y).mean() > 0.9


def draw_isotonic(seed):
    random = np.random.default_rng(seed)
    n = int(np.exp(random.uniform(np.log(1), np.log(2000))))
    x = random.standard_normal(n)
    if seed % 4 == 1:
        x = np.round(x * 2)
    if seed % 16 == 2:
        x[:] = 0.5
    y = x * random.choice([-1, 1]) + random.standard_normal(n)
    if seed % 4 == 3:
        y = (y > 0).astype(float)
    dtype = np.float32 if seed % 3 == 0 else np.float64
    return x.astype(dtype), y.astype(dtype)


@pytest.mark.parametrize("block", range(2))
def test_isotonic_regression_agrees(block):
    for seed in range(block, COUNT, 2):
        x, y = draw_isotonic(seed)
        weights = draw_weights(seed, len(x))
        options = dict(increasing=(True, False, "auto")[seed % 3], out_of_bounds=("nan", "clip")[seed % 2],
                       y_min=(None, -0.5)[seed % 5 == 0], y_max=(None, 0.5)[seed % 7 == 0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = sklearn.isotonic.IsotonicRegression(**options).fit(x, y, sample_weight=weights)
        ours = pantanal.IsotonicRegression(**options).fit(x, y, sample_weight=weights)
        rtol = 1e-6
        assert ours.increasing_ == theirs.increasing_, seed
        if x.dtype == np.float64:
            np.testing.assert_array_equal(ours.X_thresholds_, theirs.X_thresholds_)
            np.testing.assert_allclose(ours.y_thresholds_, theirs.y_thresholds_, rtol=rtol, atol=1e-9)
        t = np.linspace(float(x.min()) - 1, float(x.max()) + 1, 101).astype(x.dtype)
        for points in (t, x, x[:, None]):
            found, expected = ours.predict(points), theirs.predict(points)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-6 if x.dtype == np.float32 else 1e-9)


def test_isotonic_regression_raises_out_of_bounds():
    fitted = pantanal.IsotonicRegression(out_of_bounds="raise").fit([1.0, 2, 3], [1.0, 2, 3])
    np.testing.assert_array_equal(fitted.transform([1.0, 1.5, 3]), [1, 1.5, 3])
    with pytest.raises(ValueError, match="from 1"):
        fitted.predict([0.5])


def test_bad_input_is_refused():
    x = np.random.default_rng(0).standard_normal((10, 4))
    y = np.arange(10) % 2
    for labels, word in ((np.zeros(10, int), "1 classes"), (np.arange(10) % 3, "3 classes"), (y[:9], "9"),
                         (x[:, 0], "continuous"), (np.full(10, np.nan), "NaN")):
        with pytest.raises(ValueError, match=word):
            pantanal.LogisticRegression().fit(x, labels)
    with pytest.raises(ValueError, match="NaN"):
        pantanal.LogisticRegression().fit(np.where(x > 1, np.nan, x), y)
    for options in (dict(C=0), dict(C=-1.0), dict(penalty="l1"), dict(solver="lbfgs"), dict(class_weight={0: 1}),
                    dict(intercept_scaling=0), dict(max_iter=0)):
        with pytest.raises(ValueError, match=list(options)[0]):
            pantanal.LogisticRegression(**options).fit(x, y)
    with pytest.raises(pantanal.NotFittedError):
        pantanal.LogisticRegression().predict(x)
    with pytest.raises(pantanal.NotFittedError):
        pantanal.IsotonicRegression().predict([1.0])
    for bad_x, bad_y in (([1.0, np.nan], [1.0, 2]), ([1.0, 2], [1.0, np.inf]), ([1.0, 2], [1.0]), ([], []),
                         ([[1.0, 2], [3, 4]], [1.0, 2])):
        with pytest.raises(ValueError):
            pantanal.IsotonicRegression().fit(bad_x, bad_y)
    with pytest.raises(ValueError, match="increasing"):
        pantanal.IsotonicRegression(increasing="no").fit([1.0], [1.0])
    with pytest.raises(ValueError, match="y_min"):
        pantanal.IsotonicRegression(y_min=2, y_max=1).fit([1.0], [1.0])


def test_says_when_it_has_not_converged():
    x = np.random.default_rng(0).standard_normal((30, 4))
    with pytest.warns(pantanal.ConvergenceWarning, match="1 iterations"):
        pantanal.LogisticRegression(max_iter=1, C=100).fit(x, np.arange(30) % 2)
