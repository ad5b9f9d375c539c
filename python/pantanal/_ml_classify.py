"""LogisticRegression and IsotonicRegression."""

import warnings
from typing import Any, Dict, Optional, Union

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
    as_threads,
    as_vector,
    as_weights,
    encode_labels,
    labels_array,
    labels_json,
)


class ConvergenceWarning(UserWarning):
    """Training ended by `max_iter`, not because it had converged."""


class LogisticRegression(Estimator):
    """`sklearn.linear_model.LogisticRegression(solver="liblinear")` of scikit-learn 1.9: two classes, L2 penalty, the
    intercept penalised as the weight of a constant feature.

    Differences: solved to rounding by Newton's method, so that `tol`, `dual` and `random_state` have no effect and
    `n_iter_` counts Newton's steps; "liblinear" is the default and only solver, "l2" the only penalty; `class_weight` is
    None or "balanced"; always float64, as LIBLINEAR is; `threads` is new.

    Attributes: `coef_` [1, features], `intercept_` [1], `classes_`, `n_iter_`, `n_features_in_`.
    """

    def __init__(
        self,
        penalty: str = "l2",
        *,
        dual: bool = False,
        tol: float = 1e-4,
        C: float = 1.0,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: Optional[str] = None,
        random_state: Optional[int] = None,
        solver: str = "liblinear",
        max_iter: int = 100,
        verbose: int = 0,
        threads: int = 1,
    ) -> None:
        self.penalty, self.dual, self.tol, self.C, self.fit_intercept = penalty, dual, tol, C, fit_intercept
        self.intercept_scaling, self.class_weight, self.random_state = intercept_scaling, class_weight, random_state
        self.solver, self.max_iter, self.verbose, self.threads = solver, max_iter, verbose, threads

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Optional[npt.ArrayLike] = None
    ) -> "LogisticRegression":
        """Coefficients for X [samples, features] and labels y [samples] of two classes.

        Raises:
            ValueError: NaN or infinity, lengths that differ, other than two classes, parameters out of range.
        """
        as_choice(self.penalty, "penalty", ("l2",))
        as_choice(self.solver, "solver", ("liblinear",))
        balanced = as_choice(self.class_weight, "class_weight", (None, "balanced")) == 1
        x = as_matrix(X, dtype=np.float64)
        classes, codes = encode_labels(y, len(x))
        impl = _ml.LogisticRegression(
            as_real(self.C, "C"),
            bool(self.fit_intercept),
            as_real(self.intercept_scaling, "intercept_scaling"),
            balanced,
            as_count(self.max_iter, "max_iter"),
            as_threads(self.threads),
        )
        impl.fit(x, codes, as_weights(sample_weight, len(x), np.float64))
        if not impl.converged:
            warnings.warn(f"LogisticRegression: not converged after {impl.n_iter} iterations", ConvergenceWarning, 2)
        self._impl, self.classes_ = impl, classes
        self.n_iter_ = np.array([impl.n_iter], np.int32)
        self._publish()
        return self

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """X·coef_ + intercept_, positive for the second class: [samples]."""
        impl = self._fitted()
        return impl.decision_function(as_matrix(X, dtype=np.float64))

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """[samples, 2], columns in the order of `classes_`."""
        impl = self._fitted()
        return impl.predict_proba(as_matrix(X, dtype=np.float64))

    def predict(self, X: npt.ArrayLike) -> Array:
        """The likelier label of each sample."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def _implementation(self, arrays: Dict[str, Array]) -> Any:
        return _ml.LogisticRegression

    def _extras(self) -> Dict[str, Any]:
        return {"classes": labels_json(self.classes_), "n_iter": self.n_iter_.tolist()}

    def _set_extras(self, extras: Dict[str, Any]) -> None:
        self.n_iter_ = np.array(extras.get("n_iter", [0]), np.int32)
        self.classes_ = labels_array(extras["classes"]) if "classes" in extras else None

    def _set_attributes(self, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        self.coef_, self.intercept_ = arrays["coef_"][None], arrays["intercept_"]
        self.n_features_in_ = self.coef_.shape[1]
        if self.classes_ is None:
            self.classes_ = arrays["classes_"]


class IsotonicRegression(Estimator):
    """`sklearn.isotonic.IsotonicRegression` of scikit-learn 1.9.

    Differences: without spread in X or y, "auto" has no correlation to go by and takes decreasing, silently, and so is a
    doubtful correlation (scikit-learn warns of both).

    Attributes: `X_thresholds_`, `y_thresholds_`, `X_min_`, `X_max_`, `increasing_`.
    """

    def __init__(
        self,
        *,
        y_min: Optional[float] = None,
        y_max: Optional[float] = None,
        increasing: Union[bool, str] = True,
        out_of_bounds: str = "nan",
    ) -> None:
        self.y_min, self.y_max, self.increasing, self.out_of_bounds = y_min, y_max, increasing, out_of_bounds

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Optional[npt.ArrayLike] = None
    ) -> "IsotonicRegression":
        """The monotone function closest to (X, y), both [samples]; X may be [samples, 1].

        Raises:
            ValueError: NaN or infinity, lengths that differ, no sample, parameters out of range.
        """
        dtype = np.float32 if np.asarray(X).dtype == np.float32 else np.float64
        kind = _ml.IsotonicFloat32 if dtype is np.float32 else _ml.IsotonicFloat64
        x = as_vector(X, "X", dtype)
        impl = kind(
            None if self.y_min is None else as_real(self.y_min, "y_min"),
            None if self.y_max is None else as_real(self.y_max, "y_max"),
            as_choice(self.increasing, "increasing", (True, False, "auto")),
            as_choice(self.out_of_bounds, "out_of_bounds", ("nan", "clip", "raise")),
        )
        impl.fit(x, as_vector(y, "y", dtype), as_weights(sample_weight, len(x), dtype))
        self._impl = impl
        self._publish()
        return self

    def predict(self, T: npt.ArrayLike) -> Array:
        """The function's values at T [samples], interpolated between thresholds."""
        impl = self._fitted()
        return impl.predict(as_vector(T, "X", self.X_thresholds_.dtype.type))

    transform = predict

    def fit_transform(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Optional[npt.ArrayLike] = None
    ) -> Array:
        """`fit` and `transform`."""
        return self.fit(X, y, sample_weight).transform(X)

    def _implementation(self, arrays: Dict[str, Array]) -> Any:
        return _ml.IsotonicFloat32 if arrays["X_thresholds_"].dtype == np.float32 else _ml.IsotonicFloat64

    def _set_attributes(self, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        self.X_thresholds_, self.y_thresholds_ = arrays["X_thresholds_"], arrays["y_thresholds_"]
        self.X_min_, self.X_max_ = self.X_thresholds_[0], self.X_thresholds_[-1]
        self.increasing_ = settings["increasing_"]
