"""MLPClassifier beside scikit-learn's."""

import warnings

import numpy as np
import pytest
import sklearn.neural_network
from ml_problems import COUNT, draw_labels, draw_matrix

import pantanal


def draw_problem(seed):
    """A small problem and options; every option is drawn at times."""
    random = np.random.default_rng(seed)
    x = draw_matrix(seed, most_values=6000, rows=(12, 400), columns=(1, 150)).astype(np.float64)
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    classes = (2, 2, 2, 3)[seed % 4]
    y = draw_labels(seed, x, classes)
    if seed % 5 == 0:  # oversampled, as the probes are
        rare = np.flatnonzero(y == 1)
        x, y = np.vstack([x, np.tile(x[rare], (2, 1))]), np.r_[y, np.ones(2 * len(rare), int)]
    options = dict(
        hidden_layer_sizes=tuple(int(s) for s in random.integers(1, 40, random.integers(1, 4))),
        activation=("relu", "relu", "tanh", "logistic", "identity")[seed % 5],
        solver=("adam", "adam", "sgd")[seed % 3],
        alpha=float(random.choice([0, 1e-4, 0.05])),
        batch_size="auto" if seed % 2 else int(random.integers(3, 64)),
        learning_rate=("constant", "invscaling", "adaptive")[seed % 7 % 3],
        learning_rate_init=float(random.choice([1e-3, 5e-3])),
        max_iter=15,
        shuffle=seed % 6 != 0,
        random_state=42,
        early_stopping=seed % 3 != 1 and len(y) >= 30,
        validation_fraction=0.2,
        n_iter_no_change=int(random.integers(2, 10)),
        nesterovs_momentum=seed % 2 == 0,
    )
    return x.astype(np.float32 if seed % 4 < 2 else np.float64), y, options


def compare(ours, theirs, x, iterations=2):
    common = min(len(ours.loss_curve_), len(theirs.loss_curve_), 50)
    np.testing.assert_allclose(ours.loss_curve_[:common], theirs.loss_curve_[:common], rtol=1e-4, atol=1e-7)
    assert abs(ours.n_iter_ - theirs.n_iter_) <= iterations
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=5e-3)
    assert ours.out_activation_ == theirs.out_activation_ and ours.n_outputs_ == theirs.n_outputs_


@pytest.mark.parametrize("block", range(4))
def test_agrees(block):
    for seed in range(block, COUNT, 4):
        x, y, options = draw_problem(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = sklearn.neural_network.MLPClassifier(**options).fit(x, y)
            ours = pantanal.MLPClassifier(**options).fit(x, y)
        try:
            compare(ours, theirs, x)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, {x.dtype} {x.shape}, {options}") from error
        assert ours.coefs_[0].dtype == x.dtype
        assert ours.t_ == theirs.t_
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("positives", [6, 60])
def test_agrees_on_a_probe(dtype, positives):
    """The notebook's settings: hidden (256, 128), 142 features, oversampled, early stopping."""
    random = np.random.default_rng(positives)
    x = random.standard_normal((708, 142))
    y = np.zeros(708, int)
    y[random.choice(708, positives, replace=False)] = 1
    x[y == 1] += 0.5
    copies = np.tile(x[y == 1], ((y == 0).sum() // positives, 1))
    x, y = np.vstack([x, copies]).astype(dtype), np.r_[y, np.ones(len(copies), int)]
    options = dict(hidden_layer_sizes=(256, 128), learning_rate_init=5e-4, alpha=0.005, max_iter=500, early_stopping=True,
                   validation_fraction=0.15, n_iter_no_change=20, random_state=42)
    theirs = sklearn.neural_network.MLPClassifier(**options).fit(x, y)
    ours = pantanal.MLPClassifier(**options).fit(x, y)
    compare(ours, theirs, x)
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=0.01)
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_, abs=0.01)


def test_starts_from_the_same_weights():
    x = np.random.default_rng(0).standard_normal((30, 5))
    y = np.arange(30) % 2
    options = dict(hidden_layer_sizes=(7,), max_iter=1, learning_rate_init=1e-12, random_state=42)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sklearn.neural_network.MLPClassifier(**options).fit(x, y)
    with pytest.warns(pantanal.ConvergenceWarning, match="1 iterations"):
        ours = pantanal.MLPClassifier(**options).fit(x, y)
    for found, expected in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_):
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_multilabel_and_weights_agree():
    for seed in range(10):
        random = np.random.default_rng(seed)
        x = random.standard_normal((80, 6))
        y = (x[:, :3] + 0.5 * random.standard_normal((80, 3)) > 0).astype(int)
        weights = random.uniform(0.2, 2, 80)
        options = dict(hidden_layer_sizes=(20,), max_iter=20, random_state=42, early_stopping=seed % 2 == 0)
        for target in (y, y[:, 0]):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = sklearn.neural_network.MLPClassifier(**options).fit(x, target, sample_weight=weights)
                ours = pantanal.MLPClassifier(**options).fit(x, target, sample_weight=weights)
            compare(ours, theirs, x)
            assert (ours.predict(x) == theirs.predict(x)).mean() > 0.99
            assert ours.score(x, target) == pytest.approx(theirs.score(x, target), abs=0.02)


def both(options):
    return pantanal.MLPClassifier(**options), sklearn.neural_network.MLPClassifier(**options)


def compare_progress(ours, theirs, x):
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=5e-3)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    assert (ours.best_loss_ is None) == (theirs.best_loss_ is None)


@pytest.mark.parametrize("options", [
    dict(), dict(early_stopping=True), dict(solver="sgd", learning_rate="adaptive", tol=0.05, n_iter_no_change=2),
    dict(solver="sgd", learning_rate="invscaling"), dict(activation="tanh", n_iter_no_change=2, tol=0.01)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_warm_start_agrees(options):
    x, y, _ = draw_problem(7)
    pair = both(dict(hidden_layer_sizes=(12, 7), max_iter=9, random_state=3, warm_start=True, **options))
    for rows in (len(x), len(x) - 5, len(x)):
        for estimator in pair:
            estimator.fit(x[:rows], y[:rows])
        compare_progress(*pair, x)
    with pytest.raises(ValueError, match="warm_start"):
        pair[0].fit(x, y + 1)


@pytest.mark.parametrize("seed", [7, 11])  # of three and of two classes
@pytest.mark.parametrize("options", [
    dict(), dict(solver="sgd", learning_rate="adaptive", tol=0.5, n_iter_no_change=1), dict(batch_size=9)])
def test_partial_fit_agrees(seed, options):
    x, y, _ = draw_problem(seed)
    labels = np.array(["a", "c", "b"])[y]
    pair = both(dict(hidden_layer_sizes=(12, 7), random_state=3, **options))
    for epoch in range(9):
        some = slice(epoch % 3, None, 2) if epoch < 6 else np.flatnonzero(labels == labels[0])
        for estimator in pair:
            estimator.partial_fit(x[some], labels[some], classes=np.unique(labels) if epoch == 0 else None)
        compare_progress(*pair, x)
        assert pair[0].classes_.tolist() == pair[1].classes_.tolist()


def test_partial_fit_refuses_what_scikit_learn_does():
    x, y, _ = draw_problem(7)
    for make in (pantanal.MLPClassifier, sklearn.neural_network.MLPClassifier):
        with pytest.raises(ValueError, match="classes"):
            make().partial_fit(x, y)
        with pytest.raises(ValueError, match="early_stopping"):
            make(early_stopping=True).partial_fit(x, y, classes=np.unique(y))
        fitted = make().partial_fit(x, y, classes=np.unique(y))
        with pytest.raises(ValueError, match="classes"):
            fitted.partial_fit(x, y + 1)
        with pytest.raises(ValueError, match="classes"):
            fitted.partial_fit(x, y, classes=[7, 8])
        with pytest.raises(ValueError, match="features"):
            fitted.partial_fit(x[:, :1], y)


def test_one_class_only():
    x = np.random.default_rng(0).standard_normal((30, 5))
    options = dict(hidden_layer_sizes=(4,), max_iter=5, random_state=42)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sklearn.neural_network.MLPClassifier(**options).fit(x, np.full(30, 7))
        ours = pantanal.MLPClassifier(**options).fit(x, np.full(30, 7))
    compare(ours, theirs, x)
    np.testing.assert_array_equal(ours.predict(x), np.full(30, 7))


def test_many_at_once_are_as_one_by_one():
    problems, options = [], dict(hidden_layer_sizes=(16, 8), max_iter=12, random_state=42)
    for seed in range(7):
        x = draw_matrix(seed + 8, most_values=3000, rows=(40, 200), columns=(2, 20))
        problems.append((x, draw_labels(seed, x.astype(np.float64))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = [pantanal.MLPClassifier(**options).fit(x, y) for x, y in problems]
        for threads in (1, 2, 3):
            together = pantanal.fit_all([pantanal.MLPClassifier(**options) for _ in problems], problems, threads)
            for a, b in zip(alone, together):
                assert a.loss_curve_ == b.loss_curve_
                for found, expected in zip(b.coefs_, a.coefs_):
                    np.testing.assert_array_equal(found, expected)


def test_bad_input_is_refused():
    x = np.random.default_rng(0).standard_normal((20, 4))
    y = np.arange(20) % 2
    fit = pantanal.MLPClassifier(max_iter=2).fit
    with pytest.raises(ValueError, match="NaN"):
        fit(np.where(x > 1, np.nan, x), y)
    with pytest.raises(ValueError, match="19"):
        fit(x, y[:19])
    with pytest.raises(ValueError, match="indicators"):
        fit(x, np.full((20, 2), 3))
    with pytest.raises(ValueError, match="sample_weight"):
        fit(x, y, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="finite|NaN|infinity"):
        pantanal.MLPClassifier(max_iter=30, solver="sgd", learning_rate_init=1e30, random_state=0).fit(1e20 * x, y)
    rare = np.r_[1, np.zeros(19, int)]
    with pytest.raises(ValueError, match="1 member"):
        pantanal.MLPClassifier(early_stopping=True).fit(x, rare)
    with pytest.raises(ValueError, match="validation"):
        pantanal.MLPClassifier(early_stopping=True, validation_fraction=0.2).fit(x[:4], np.arange(4) % 3)
    for options in (dict(hidden_layer_sizes=(0,)), dict(activation="gelu"), dict(solver="lbfgs"), dict(alpha=-1),
                    dict(batch_size=0), dict(learning_rate="cosine"), dict(learning_rate_init=0), dict(max_iter=0),
                    dict(momentum=2), dict(validation_fraction=1), dict(beta_1=1), dict(epsilon=0), dict(tol=-1),
                    dict(n_iter_no_change=0), dict(random_state=-1), dict(random_state="x")):
        with pytest.raises(ValueError, match=list(options)[0]):
            pantanal.MLPClassifier(**options).fit(x, y)
    with pytest.raises(pantanal.NotFittedError):
        pantanal.MLPClassifier().predict(x)
    with pytest.raises(ValueError, match="problems"):
        pantanal.fit_all([pantanal.MLPClassifier()], [])
    with pytest.raises(ValueError, match="twice"):
        pantanal.fit_all([pantanal.MLPClassifier()] * 2, [(x, y)] * 2)
