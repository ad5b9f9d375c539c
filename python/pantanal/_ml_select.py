"""Splits and metrics."""

from typing import Any, Iterator, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from pantanal import _ml
from pantanal._ml_base import Array, as_count, as_seed, as_vector, as_weights, encode_labels

Indices = npt.NDArray[np.int64]


class GroupKFold:
    """Folds that no group is divided between, as `sklearn.model_selection.GroupKFold` of scikit-learn 1.9: groups by
    falling size, each to the fold with the fewest samples. Of equally large groups the one that sorts last goes first,
    whatever the NumPy; scikit-learn before 1.9 left that to NumPy's unstable sort.
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, random_state: Optional[int] = None) -> None:
        self.n_splits, self.shuffle, self.random_state = as_count(n_splits, "n_splits", 2), shuffle, random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """The number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Optional[npt.ArrayLike] = None) -> Iterator[Tuple[Indices, Indices]]:
        """(train, test) indices of each fold, rising.

        Raises:
            ValueError: no groups, fewer of them than folds, another number of them than samples.
        """
        if groups is None:
            raise ValueError("groups: found None, expected one label per sample")
        _, codes = _group_codes(groups, len(X))
        seed = as_seed(self.random_state) if self.shuffle else None
        yield from _ml.group_k_fold(codes, self.n_splits, seed)


class StratifiedShuffleSplit:
    """Random splits that keep the classes' shares, draw for draw those of `sklearn.model_selection.StratifiedShuffleSplit`
    of scikit-learn 1.9 with the same `random_state`.
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: Union[float, int, None] = None,
        train_size: Union[float, int, None] = None,
        random_state: Optional[int] = None,
    ) -> None:
        self.n_splits, self.test_size, self.train_size = as_count(n_splits, "n_splits"), test_size, train_size
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """The number of splits."""
        return self.n_splits

    def split(self, X: Any, y: npt.ArrayLike, groups: Any = None) -> Iterator[Tuple[Indices, Indices]]:
        """(train, test) indices of each split, in drawn order.

        Raises:
            ValueError: a class with one member, sizes that leave too few samples.
        """
        _, codes = encode_labels(y, len(X))
        sizes: List[Any] = []
        for name, size in (("test_size", self.test_size), ("train_size", self.train_size)):
            if size is None:
                sizes += [None, None]
            elif isinstance(size, (float, np.floating)):
                sizes += [float(size), None]
            else:
                sizes += [None, as_count(size, name)]
        yield from _ml.stratified_shuffle_splits(codes, self.n_splits, *sizes, as_seed(self.random_state))


def _group_codes(groups: npt.ArrayLike, samples: int) -> Tuple[Array, Array]:
    array = np.asarray(groups)
    if array.shape != (samples,):
        raise ValueError(f"groups: found shape {array.shape}, expected ({samples},), one per sample")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError("groups: found NaN, expected labels")
    values, codes = np.unique(array, return_inverse=True)
    return values, np.ascontiguousarray(codes.reshape(-1), np.int64)


def _truth(y: npt.ArrayLike, name: str = "y_true") -> Array:
    """0/1 or boolean truth as bytes; of two other labels the larger one is positive."""
    array = np.asarray(y)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name}: found NaN or infinity, expected two classes")
    values = np.unique(array)
    if len(values) > 2:
        raise ValueError(f"{name}: found {len(values)} different values, expected two classes or indicators")
    if len(values) == 2:
        return np.ascontiguousarray(array == values[1], np.uint8)
    return np.ascontiguousarray(array == (1 if array.dtype.kind in "iubf" else None), np.uint8)


def _column_scores(function: Any, y_true: npt.ArrayLike, y_score: npt.ArrayLike, average: Optional[str], weights: Any) -> Any:
    """`function` over the columns of indicators, averaged as scikit-learn does."""
    truth, scores = _truth(y_true), np.asarray(y_score)
    if truth.shape != scores.shape:
        raise ValueError(f"y_score: found shape {scores.shape}, expected {truth.shape}, as y_true")
    w = as_weights(weights, len(truth), np.float64)
    if truth.ndim == 1:
        return function(truth, as_vector(scores, "y_score", np.float64), w)
    if average not in (None, "macro", "micro", "weighted"):
        raise ValueError(f"average: found {average!r}, expected 'macro', 'micro', 'weighted' or None")
    scores = np.asarray(scores, np.float64)
    if average == "micro":
        spread = None if w is None else np.repeat(w, truth.shape[1])
        return function(truth.ravel(), np.ascontiguousarray(scores).ravel(), spread)
    columns = range(truth.shape[1])
    each = np.array([function(np.ascontiguousarray(truth[:, c]), np.ascontiguousarray(scores[:, c]), w) for c in columns])
    if average is None:
        return each
    if average == "macro":
        return float(each.mean())
    share = truth.sum(0, dtype=np.float64) if w is None else (truth * w[:, None]).sum(0)
    return float(np.average(each, weights=share)) if share.sum() > 0 else 0.0


def roc_auc_score(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    *,
    average: Optional[str] = "macro",
    sample_weight: Optional[npt.ArrayLike] = None,
) -> Any:
    """Area under the ROC curve, ties counted half: of binary labels [samples], or averaged over indicators
    [samples, labels]. As scikit-learn 1.9's, but one class only is a ValueError, not a warning and NaN; multiclass and
    `max_fpr` do not exist.
    """
    return _column_scores(_ml.roc_auc, y_true, y_score, average, sample_weight)


def average_precision_score(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    *,
    average: Optional[str] = "macro",
    sample_weight: Optional[npt.ArrayLike] = None,
) -> Any:
    """Mean precision over the recalls gained, without interpolation; 0 without positives. As scikit-learn 1.9's, for
    binary labels and indicators.
    """
    return _column_scores(_ml.average_precision, y_true, y_score, average, sample_weight)


def macro_auc_skip_empty(y_true: npt.ArrayLike, y_score: npt.ArrayLike) -> float:
    """Mean ROC-AUC over those labels of [samples, labels] that have positives and negatives.

    Raises:
        ValueError: there is no such label; shapes differ; NaN.
    """
    truth, scores = np.asarray(y_true), np.ascontiguousarray(y_score, np.float64)
    if truth.ndim != 2 or scores.ndim != 2:
        raise ValueError(f"y_true: found shape {truth.shape}, expected (samples, labels)")
    return _ml.macro_auc_skip_empty(np.ascontiguousarray(truth != 0, np.uint8), scores)


def f1_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    pos_label: Any = 1,
    average: Optional[str] = "binary",
    sample_weight: Optional[npt.ArrayLike] = None,
) -> Any:
    """Harmonic mean of precision and recall, 0 where undefined (scikit-learn 1.9 also warns): of `pos_label`, or with
    `average` "macro", "micro", "weighted" or None over all labels, or over the columns of indicators.
    """
    truth, predicted = np.asarray(y_true), np.asarray(y_pred)
    if truth.shape != predicted.shape:
        raise ValueError(f"y_pred: found shape {predicted.shape}, expected {truth.shape}, as y_true")
    w = as_weights(sample_weight, len(truth), np.float64)
    if truth.ndim == 1:
        labels = np.unique(np.concatenate([truth, predicted]))
        if average == "binary":
            if len(labels) > 2:
                raise ValueError("y_true: found more than two classes, expected average= other than 'binary'")
            labels = np.array([pos_label])
        pairs = [((truth == label), (predicted == label)) for label in labels]
    else:
        pairs = [(truth[:, c] != 0, predicted[:, c] != 0) for c in range(truth.shape[1])]
    pairs = [(np.ascontiguousarray(t, np.uint8), np.ascontiguousarray(p, np.uint8)) for t, p in pairs]
    if average == "binary" and len(pairs) == 1:
        return _ml.f1_score(*pairs[0], w)
    if average == "micro":
        spread = None if w is None else np.tile(w, len(pairs))
        return _ml.f1_score(*(np.concatenate(side) for side in zip(*pairs)), spread)
    each = np.array([_ml.f1_score(t, p, w) for t, p in pairs])
    if average is None:
        return each
    if average == "macro":
        return float(each.mean())
    if average != "weighted":
        raise ValueError(f"average: found {average!r}, expected 'binary', 'macro', 'micro', 'weighted' or None")
    share = np.array([np.sum(t, dtype=np.float64) if w is None else np.dot(t, w) for t, _ in pairs])
    return float(np.average(each, weights=share)) if share.sum() > 0 else 0.0


def best_f1_threshold(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, thresholds: npt.ArrayLike, *, inclusive: bool = False
) -> Tuple[float, float]:
    """The first of `thresholds` for which "score > threshold" (inclusive: >=) has the largest F1, and that F1."""
    return _ml.best_f1_threshold(
        _truth(y_true),
        as_vector(y_score, "y_score", np.float64),
        as_vector(thresholds, "thresholds", np.float64),
        bool(inclusive),
    )
