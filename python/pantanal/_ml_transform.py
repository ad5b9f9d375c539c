"""StandardScaler and PCA."""

from typing import Any, Dict, Optional, Union

import numpy as np
import numpy.typing as npt

from pantanal import _ml
from pantanal._ml_base import Array, Estimator, as_choice, as_count, as_matrix, as_seed, as_threads, as_weights

SOLVERS = ("auto", "full", "covariance_eigh", "randomized")


class StandardScaler(Estimator):
    """Columns brought to mean 0 and variance 1, as `sklearn.preprocessing.StandardScaler` of scikit-learn 1.9.

    Differences: NaN is refused where scikit-learn skips it; no sparse input; results are always new arrays, so `copy` has
    no effect.

    Attributes: `mean_`, `var_`, `scale_` (float64; None where not asked for), `n_samples_seen_`, `n_features_in_`.
    """

    def __init__(self, *, copy: bool = True, with_mean: bool = True, with_std: bool = True) -> None:
        self.copy, self.with_mean, self.with_std = copy, with_mean, with_std

    def fit(self, X: npt.ArrayLike, y: Any = None, sample_weight: Optional[npt.ArrayLike] = None) -> "StandardScaler":
        """Statistics of X [samples, features]; `y` is ignored.

        Raises:
            ValueError: no sample, NaN or infinity, weights of another length.
        """
        x = as_matrix(X)
        impl = _ml.StandardScaler(bool(self.with_mean), bool(self.with_std))
        impl.fit(x, as_weights(sample_weight, len(x), x.dtype.type))
        self._weighted = sample_weight is not None
        self._impl = impl
        self._publish()
        return self

    def partial_fit(
        self, X: npt.ArrayLike, y: Any = None, sample_weight: Optional[npt.ArrayLike] = None
    ) -> "StandardScaler":
        """Adds X [samples, features] to what the statistics are of; `y` is ignored.

        Raises:
            ValueError: as `fit`, and another number of features than before.
        """
        if self._impl is None:
            return self.fit(X, y, sample_weight)
        x = as_matrix(X)
        self._impl.partial_fit(x, as_weights(sample_weight, len(x), x.dtype.type))
        self._weighted = self._weighted or sample_weight is not None
        self._publish()
        return self

    def transform(self, X: npt.ArrayLike, copy: Optional[bool] = None) -> Array:
        """(X - mean_)/scale_, in X's type."""
        impl = self._fitted()
        return impl.transform(as_matrix(X))

    def inverse_transform(self, X: npt.ArrayLike, copy: Optional[bool] = None) -> Array:
        """X·scale_ + mean_, in X's type."""
        impl = self._fitted()
        return impl.inverse_transform(as_matrix(X))

    def fit_transform(self, X: npt.ArrayLike, y: Any = None, sample_weight: Optional[npt.ArrayLike] = None) -> Array:
        """`fit` and `transform`."""
        return self.fit(X, y, sample_weight).transform(X)

    def _implementation(self, arrays: Dict[str, Array]) -> Any:
        return _ml.StandardScaler

    def _extras(self) -> Dict[str, Any]:
        return {"weighted": self._weighted}

    def _set_extras(self, extras: Dict[str, Any]) -> None:
        self._weighted = bool(extras.get("weighted", False))

    def _set_attributes(self, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        seen = settings["n_samples_seen_"]
        self.n_samples_seen_ = np.float64(seen) if self._weighted else np.int64(seen)
        self.n_features_in_ = len(arrays["mean_"])
        self.mean_ = arrays["mean_"] if self.with_mean or self.with_std else None
        self.var_ = arrays["var_"] if self.with_std else None
        self.scale_ = arrays["scale_"] if self.with_std else None


class PCA(Estimator):
    """Principal components, as `sklearn.decomposition.PCA` of scikit-learn 1.9, whose signs it shares.

    Differences: where scikit-learn's `svd_solver="auto"` is "randomized", it is so here only with a `random_state`, and
    the exact "full" without one, so that nothing depends on a seed that was not chosen; "arpack" and sparse input do not
    exist; float32 input is decomposed in float64 and rounded once; 1 sample is an error; ratios of
    data without variance are 0, not NaN. `copy`, `tol` and `power_iteration_normalizer` have no effect. `threads` is new:
    0 stands for as many as the CPU has, and the result does not depend on it.

    Attributes: `components_`, `mean_`, `explained_variance_`, `explained_variance_ratio_`, `singular_values_`,
    `noise_variance_`, `n_components_`, `n_samples_`, `n_features_in_`.
    """

    def __init__(
        self,
        n_components: Union[int, float, str, None] = None,
        *,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 0.0,
        iterated_power: Union[int, str] = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Optional[int] = None,
        threads: int = 1,
    ) -> None:
        self.n_components, self.copy, self.whiten, self.svd_solver, self.tol = n_components, copy, whiten, svd_solver, tol
        self.iterated_power, self.n_oversamples, self.random_state = iterated_power, n_oversamples, random_state
        self.power_iteration_normalizer, self.threads = power_iteration_normalizer, threads

    def fit(self, X: npt.ArrayLike, y: Any = None) -> "PCA":
        """Components of X [samples, features]; `y` is ignored.

        Raises:
            ValueError: fewer than 2 samples, NaN or infinity, parameters out of range.
        """
        x = as_matrix(X)
        kind = _ml.PcaFloat32 if x.dtype == np.float32 else _ml.PcaFloat64
        impl = kind(self._options())
        impl.fit(x)
        self._impl = impl
        self._publish()
        return self

    def _options(self) -> Any:
        options = _ml.PcaOptions()
        if isinstance(self.n_components, str):
            as_choice(self.n_components, "n_components", ("mle",))
            options.mle = True
        elif isinstance(self.n_components, (float, np.floating)):
            options.variance_share = float(self.n_components)
        elif self.n_components is not None:
            options.n_components = as_count(self.n_components, "n_components")
        options.whiten = bool(self.whiten)
        options.svd_solver = as_choice(self.svd_solver, "svd_solver", SOLVERS)
        if self.iterated_power != "auto":
            options.iterated_power = as_count(self.iterated_power, "iterated_power", 0)
        options.n_oversamples = as_count(self.n_oversamples, "n_oversamples")
        options.random_state = None if self.random_state is None else as_seed(self.random_state)
        options.threads = as_threads(self.threads)
        return options

    def transform(self, X: npt.ArrayLike) -> Array:
        """X [samples, features] on the components, in the type of the fit: [samples, components]."""
        impl = self._fitted()
        return impl.transform(as_matrix(X, dtype=self.components_.dtype.type))

    def inverse_transform(self, X: npt.ArrayLike) -> Array:
        """Back from [samples, components] to [samples, features], as far as the components go."""
        impl = self._fitted()
        return impl.inverse_transform(as_matrix(X, dtype=self.components_.dtype.type))

    def fit_transform(self, X: npt.ArrayLike, y: Any = None) -> Array:
        """`fit` and `transform`."""
        return self.fit(X, y).transform(X)

    def _implementation(self, arrays: Dict[str, Array]) -> Any:
        return _ml.PcaFloat32 if arrays["components_"].dtype == np.float32 else _ml.PcaFloat64

    def _set_attributes(self, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        for name, array in arrays.items():
            setattr(self, name, array)
        self.noise_variance_ = self.components_.dtype.type(settings["noise_variance_"])
        self.n_samples_ = settings["n_samples_"]
        self.n_components_, self.n_features_in_ = self.components_.shape
