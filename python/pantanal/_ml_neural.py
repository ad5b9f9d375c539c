"""MLPClassifier, one at a time or many at once."""

import warnings
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from pantanal import _ml
from pantanal._ml_base import (
    Array,
    Estimator,
    as_choice,
    as_count,
    as_matrix,
    as_real,
    as_seed,
    as_threads,
    as_weights,
    encode_labels,
    labels_array,
    labels_json,
)
from pantanal._ml_classify import ConvergenceWarning

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
SOLVERS = ("adam", "sgd")
SCHEDULES = ("constant", "invscaling", "adaptive")
_REALS = ("alpha", "learning_rate_init", "power_t", "tol", "momentum", "validation_fraction", "beta_1", "beta_2", "epsilon")


class MLPClassifier(Estimator):
    """A multi-layer perceptron that draws, trains and stops as `sklearn.neural_network.MLPClassifier` of scikit-learn 1.9.

    The same `random_state` gives the same weights, splits and batches; what differs is the order in which sums of
    floating-point numbers are rounded, most of all because rows that occur repeatedly in a batch are computed once.
    float32 input trains in float32, all else in float64. Where a ReLU or a validation score is within rounding of a tie,
    training may take another turn, and from there on the two drift apart.

    Differences: solver "lbfgs" does not exist; `random_state` is a whole number or None; `verbose` and `max_fun` have no
    effect. `warm_start` and `partial_fit` go on in the type of the first fit's X; `partial_fit` takes no indicators. A
    saved or pickled estimator does not hold the optimizer's moments: `partial_fit` then begins with new ones.

    Attributes: `coefs_`, `intercepts_`, `classes_`, `loss_`, `loss_curve_`, `best_loss_`, `validation_scores_`,
    `best_validation_score_`, `n_iter_`, `t_`, `n_layers_`, `n_outputs_`, `out_activation_`, `n_features_in_`.
    """

    def __init__(
        self,
        hidden_layer_sizes: Union[int, Sequence[int]] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Union[int, str] = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Optional[int] = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ) -> None:
        self.hidden_layer_sizes, self.activation, self.solver, self.alpha = hidden_layer_sizes, activation, solver, alpha
        self.batch_size, self.learning_rate, self.learning_rate_init = batch_size, learning_rate, learning_rate_init
        self.power_t, self.max_iter, self.shuffle, self.random_state = power_t, max_iter, shuffle, random_state
        self.tol, self.verbose, self.warm_start, self.momentum = tol, verbose, warm_start, momentum
        self.nesterovs_momentum, self.early_stopping = nesterovs_momentum, early_stopping
        self.validation_fraction, self.beta_1, self.beta_2, self.epsilon = validation_fraction, beta_1, beta_2, epsilon
        self.n_iter_no_change, self.max_fun = n_iter_no_change, max_fun

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Optional[npt.ArrayLike] = None
    ) -> "MLPClassifier":
        """Trains on X [samples, features] and labels y [samples], or indicators y [samples, labels] of 0 and 1.

        Raises:
            ValueError: NaN or infinity, lengths that differ, classes too rare for early stopping, parameters out of
                range, weights that grew beyond all bounds.
        """
        impl, x = self._start(X)
        weights = as_weights(sample_weight, len(x), x.dtype.type)
        indicators = np.asarray(y)
        if indicators.ndim == 2 and indicators.shape[1] > 1:
            impl.fit_multilabel(x, _as_indicators(indicators), weights)
            classes = np.arange(indicators.shape[1])
        else:
            classes, codes = self._encode(impl, y, len(x))
            impl.fit(x, codes, weights)
        self._finish(impl, classes)
        return self

    def _start(self, X: npt.ArrayLike) -> Tuple[Any, Array]:
        """What a fit is to train, and X in its type."""
        if not self.warm_start or self._impl is None:
            x = as_matrix(X)
            return _kind(x.dtype)(self._options()), x
        self._impl.set_options(self._options())
        return self._impl, as_matrix(X, dtype=self.coefs_[0].dtype.type)

    def _encode(self, impl: Any, y: npt.ArrayLike, samples: int) -> Tuple[Array, Array]:
        classes, codes = encode_labels(y, samples)
        if impl is self._impl and (self._multilabel or not np.array_equal(classes, self.classes_)):
            raise ValueError(f"y: found classes {classes}, expected {self.classes_} as in the last fit, for warm_start")
        return classes, codes

    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: Optional[npt.ArrayLike] = None,
        classes: Optional[npt.ArrayLike] = None,
    ) -> "MLPClassifier":
        """One epoch over X [samples, features] and labels y [samples], from where the last call ended.

        Args:
            classes: all labels that there will be; the first call needs them, later ones may leave them out.

        Raises:
            ValueError: as `fit`; `early_stopping`; labels that are not among the classes; other classes than before.
        """
        fitted = self._impl is not None
        if classes is None and not fitted:
            raise ValueError("classes: found None, expected all classes in the first call to partial_fit")
        known = self.classes_ if fitted else np.unique(np.asarray(classes))
        if classes is not None and not np.array_equal(known, np.unique(np.asarray(classes))):
            raise ValueError(f"classes: found {np.unique(np.asarray(classes))}, expected {known} as before")
        x = as_matrix(X, dtype=self.coefs_[0].dtype.type if fitted else None)
        found, codes = encode_labels(y, len(x))
        if not np.isin(found, known).all():
            raise ValueError(f"y: found classes {np.setdiff1d(found, known)}, expected {known}")
        impl = self._impl if fitted else _kind(x.dtype)(self._options())
        if fitted:
            impl.set_options(self._options())
        codes = np.searchsorted(known, found)[codes].astype(np.int64)
        impl.partial_fit(x, codes, np.arange(len(known)), as_weights(sample_weight, len(x), x.dtype.type))
        self._finish(impl, known)
        return self

    def _options(self) -> Any:
        options = _ml.MlpOptions()
        sizes = [self.hidden_layer_sizes] if np.isscalar(self.hidden_layer_sizes) else self.hidden_layer_sizes
        options.hidden_layer_sizes = [as_count(size, "hidden_layer_sizes") for size in sizes]
        options.activation = as_choice(self.activation, "activation", ACTIVATIONS)
        options.solver = as_choice(self.solver, "solver", SOLVERS)
        options.learning_rate = as_choice(self.learning_rate, "learning_rate", SCHEDULES)
        options.batch_size = 0 if self.batch_size == "auto" else as_count(self.batch_size, "batch_size")
        for name in _REALS:
            setattr(options, name, as_real(getattr(self, name), name))
        for name in ("shuffle", "nesterovs_momentum", "early_stopping", "warm_start"):
            setattr(options, name, bool(getattr(self, name)))
        options.max_iter = as_count(self.max_iter, "max_iter")
        forever = self.n_iter_no_change == np.inf
        options.n_iter_no_change = 2**62 if forever else as_count(self.n_iter_no_change, "n_iter_no_change")
        options.random_state = as_seed(self.random_state)
        return options

    def _finish(self, impl: Any, classes: Array) -> None:
        self._impl, self.classes_ = impl, classes
        _, _, best_loss, best_score, self.t_, reached_max_iter, self.n_iter_ = impl.history()
        self.best_loss_ = None if self.early_stopping else best_loss
        self.best_validation_score_ = best_score if self.early_stopping else None
        self._publish()
        if reached_max_iter:
            warnings.warn(
                f"MLPClassifier: {self.n_iter_} iterations reached, training has not converged", ConvergenceWarning, 3
            )

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """[samples, classes] in the order of `classes_`; [samples, labels] after a fit on indicators."""
        impl = self._fitted()
        return impl.predict_proba(as_matrix(X, dtype=self.coefs_[0].dtype.type))

    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """The logarithm of `predict_proba`, -inf where that is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: npt.ArrayLike) -> Array:
        """The likeliest label of each sample, or indicators."""
        p = self.predict_proba(X)
        if self._multilabel:
            return (p > 0.5).astype(np.int64)
        if len(self.classes_) <= 2:
            return self.classes_[np.minimum((p[:, 1] > 0.5).astype(int), len(self.classes_) - 1)]
        return self.classes_[p.argmax(1)]

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Optional[npt.ArrayLike] = None) -> float:
        """Share of samples whose prediction equals y, in all labels."""
        right = self.predict(X) == np.asarray(y)
        return float(np.average(right if right.ndim == 1 else right.all(1), weights=sample_weight))

    def _implementation(self, arrays: Dict[str, Array]) -> Any:
        return _kind(arrays["coefs_.0"].dtype)

    def _extras(self) -> Dict[str, Any]:
        kept = {"best_loss_": self.best_loss_, "best_validation_score_": self.best_validation_score_, "t_": self.t_}
        kept["n_iter_"] = self.n_iter_
        return {"classes": labels_json(self.classes_), "history": kept}

    def _set_extras(self, extras: Dict[str, Any]) -> None:
        self.classes_ = labels_array(extras["classes"]) if "classes" in extras else None
        for name in ("best_loss_", "best_validation_score_", "t_", "n_iter_"):
            setattr(self, name, extras.get("history", {}).get(name))

    def _set_attributes(self, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        layers = range(settings["layers"])
        self.coefs_ = [arrays[f"coefs_.{i}"] for i in layers]
        self.intercepts_ = [arrays[f"intercepts_.{i}"] for i in layers]
        self._multilabel = settings["multilabel"]
        self.out_activation_ = "softmax" if settings["softmax"] else "logistic"
        self.n_layers_, self.n_outputs_ = len(layers) + 1, self.coefs_[-1].shape[1]
        self.n_features_in_ = self.coefs_[0].shape[0]
        self.loss_curve_ = arrays["loss_curve_"].tolist()
        self.validation_scores_ = arrays["validation_scores_"].tolist() if self.early_stopping else None
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else None
        if self.n_iter_ is None:
            self.n_iter_ = len(self.loss_curve_)
        if self.classes_ is None:
            self.classes_ = arrays["classes_"]


def _kind(dtype: Any) -> Any:
    return _ml.MlpFloat32 if dtype == np.float32 else _ml.MlpFloat64


def _as_indicators(y: Array) -> Array:
    if not np.isin(y, (0, 1)).all():
        raise ValueError("y: found other values, expected indicators of 0 and 1")
    return np.ascontiguousarray(y, np.uint8)


def fit_all(
    classifiers: Sequence[MLPClassifier],
    problems: Sequence[Tuple[npt.ArrayLike, npt.ArrayLike]],
    threads: int = 0,
) -> List[MLPClassifier]:
    """Fits each classifier to its problem (X, y), several at a time, each as `fit` alone would.

    Args:
        classifiers: MLPClassifiers, each another object.
        problems: one (X [samples, features], y [samples]) for each.
        threads: how many train at a time; 0 stands for as many as the CPU has. The results do not depend on it.

    Raises:
        ValueError: as `fit`; no classifier counts as fitted then.
    """
    if len(classifiers) != len(problems):
        raise ValueError(f"problems: found {len(problems)}, expected {len(classifiers)}, one per classifier")
    if len({id(classifier) for classifier in classifiers}) != len(classifiers):
        raise ValueError("classifiers: found one of them twice, expected different objects")
    count, done = as_threads(threads), []
    started = [classifier._start(X) for classifier, (X, _) in zip(classifiers, problems)]
    for dtype in (np.float32, np.float64):
        tasks = [
            (classifier, impl, x, *classifier._encode(impl, y, len(x)))
            for classifier, (impl, x), (_, y) in zip(classifiers, started, problems)
            if x.dtype == dtype
        ]
        if tasks:
            _, impls, xs, _, codes = zip(*tasks)
            _ml.fit_all(list(impls), list(xs), list(codes), count)
        done += [(classifier, impl, classes) for classifier, impl, _, classes, _ in tasks]
    for classifier, impl, classes in done:
        classifier._finish(impl, classes)
    return list(classifiers)
