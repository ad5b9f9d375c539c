"""What the scikit-learn equivalents share: parameters, input checks, state and files."""

import inspect
import json
import os
from typing import Any, Dict, List, Optional, Tuple, Type, TypeVar, Union

import numpy as np
import numpy.typing as npt

from pantanal import _ml
from pantanal._errors import MismatchError

Array = npt.NDArray[Any]
Self = TypeVar("Self", bound="Estimator")


class NotFittedError(ValueError, AttributeError):
    """An estimator was used before it was fitted."""


class Estimator:
    """Constructor arguments as attributes, fitted state in a compiled object: base of the estimators.

    Subclasses keep scikit-learn's protocol (`get_params`, `set_params`, so `sklearn.base.clone` works), can be pickled,
    and are saved to `.safetensors` with `save` and read with `load`.
    """

    _impl: Any = None
    _file_name = ""  # the estimator's name in files, by default the class's

    @classmethod
    def _argument_names(cls) -> List[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> Dict[str, Any]:
        """The constructor's arguments by name."""
        return {name: getattr(self, name) for name in self._argument_names()}

    def set_params(self: Self, **params: Any) -> Self:
        """Changes constructor arguments; takes effect at the next `fit`."""
        for name, value in params.items():
            if name not in self._argument_names():
                raise ValueError(f"{type(self).__name__}: found parameter {name!r}, expected one of {self._argument_names()}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{k}={v!r}" for k, v in self.get_params().items() if v is not defaults[k].default and v != defaults[k].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _fitted(self) -> Any:
        if self._impl is None:
            raise NotFittedError(f"This {type(self).__name__} is not fitted: call fit() first")
        return self._impl

    # Subclasses turn state into attributes, and what they keep besides the compiled state into JSON and back.
    def _set_attributes(self, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        raise NotImplementedError

    def _implementation(self, arrays: Dict[str, Array]) -> Any:
        """The compiled class that holds such arrays."""
        raise NotImplementedError

    def _extras(self) -> Dict[str, Any]:
        return {}

    def _set_extras(self, extras: Dict[str, Any]) -> None:
        pass

    def _publish(self) -> None:
        """Sets the attributes that end in _ from the compiled object."""
        _, settings, arrays = self._impl.state()
        self._set_attributes(json.loads(settings), arrays)

    def _state(self) -> Tuple[str, Dict[str, Any], Dict[str, Array]]:
        name, text, arrays = self._fitted().state()
        settings = json.loads(text)
        settings["python"] = {"arguments": self.get_params(), **self._extras()}
        return name, settings, arrays

    def _restore(self, name: str, settings: Dict[str, Any], arrays: Dict[str, Array]) -> None:
        text = json.dumps({key: value for key, value in settings.items() if key != "python"})
        self._impl = self._implementation(arrays).from_state(name, text, arrays)
        self._set_extras(settings.get("python", {}))
        self._publish()

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the fitted estimator to a .safetensors file, which C++ reads too.

        Raises:
            NotFittedError: there is nothing to save yet.
            OSError: the file cannot be written.
        """
        name, settings, arrays = self._state()
        _ml.save_state(os.fspath(path), name, json.dumps(settings, default=_plain), arrays)

    @classmethod
    def load(cls: Type[Self], path: Union[str, "os.PathLike[str]"]) -> Self:
        """The estimator in the file at `path`, as `save` or C++ wrote it.

        Raises:
            FileNotFoundError: there is no such file.
            PantanalError: the file is damaged or holds something else.
        """
        name, text, arrays = _ml.load_state(os.fspath(path))
        if name != (cls._file_name or cls.__name__):
            raise MismatchError(f"{os.fspath(path)}: found a {name}, expected a {cls._file_name or cls.__name__}")
        settings = json.loads(text)
        arguments = settings.get("python", {}).get("arguments", {})
        known = {key: value for key, value in arguments.items() if key in cls._argument_names()}
        estimator = cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in known.items()})
        estimator._restore(name, settings, arrays)
        return estimator

    def __getstate__(self) -> Dict[str, Any]:
        kept = {"arguments": self.get_params(), "state": None}
        if self._impl is not None:
            kept["state"] = self._state()
        return kept

    def __setstate__(self, kept: Dict[str, Any]) -> None:
        for name, value in kept["arguments"].items():
            setattr(self, name, value)
        if kept["state"] is not None:
            self._restore(*kept["state"])


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays for JSON."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"found {type(value).__name__}, expected numbers, text, lists or None")


def as_matrix(x: npt.ArrayLike, name: str = "X", dtype: Optional[Type[Any]] = None) -> Array:
    """`x` as a contiguous 2-D float array: float32 stays, all else becomes float64 (or `dtype`)."""
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name}: found dtype {array.dtype}, expected numbers")
    if array.ndim != 2:
        raise ValueError(f"{name}: expected 2D array, got {array.ndim}D array of shape {array.shape}; reshape(-1, 1) makes a feature of it")
    return np.ascontiguousarray(array, dtype or (np.float32 if array.dtype == np.float32 else np.float64))


def as_vector(x: npt.ArrayLike, name: str, dtype: Type[Any]) -> Array:
    """`x` as a contiguous 1-D array of `dtype`; [n, 1] counts as [n]."""
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name}: found dtype {array.dtype}, expected numbers")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name}: found shape {array.shape}, expected a 1D array")
    return np.ascontiguousarray(array, dtype)


def as_weights(weights: Optional[npt.ArrayLike], samples: int, dtype: Type[Any]) -> Optional[Array]:
    """Sample weights as an array, None staying None; a number counts for every sample."""
    if weights is None:
        return None
    if np.ndim(weights) == 0:
        return np.full(samples, weights, dtype)
    return as_vector(weights, "sample_weight", dtype)


def encode_labels(y: npt.ArrayLike, samples: int) -> Tuple[Array, Array]:
    """Sorted distinct labels of any type, and each sample's index among them."""
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"y: found shape {array.shape}, expected a 1D array")
    if len(array) != samples:
        raise ValueError(f"y: found {len(array)} labels, expected {samples}, one per sample (inconsistent numbers of samples)")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("y: found NaN or infinity, expected class labels")
        if (array != np.floor(array)).any():
            raise ValueError("y: found continuous values, expected class labels")
    classes, codes = np.unique(array, return_inverse=True)
    return classes, np.ascontiguousarray(codes.reshape(-1), np.int64)


def labels_json(classes: Array) -> Any:
    """Class labels for a file: numbers, truth values or text."""
    if classes.dtype.kind not in "iubfUS" and not all(isinstance(label, str) for label in classes):
        raise ValueError(f"classes_: found dtype {classes.dtype}, expected labels that JSON can hold")
    return {"values": classes.tolist(), "dtype": classes.dtype.str if classes.dtype.kind != "O" else "object"}


def labels_array(kept: Any) -> Array:
    """What labels_json() kept."""
    return np.array(kept["values"], dtype=object if kept["dtype"] == "object" else np.dtype(kept["dtype"]))


def as_seed(random_state: Optional[int]) -> int:
    """`random_state` as a 32-bit seed; None draws one from the operating system."""
    if random_state is None:
        return int.from_bytes(os.urandom(4), "little")
    if isinstance(random_state, (bool, np.bool_)) or not isinstance(random_state, (int, np.integer)):
        raise ValueError(f"random_state: found {type(random_state).__name__}, expected a whole number or None")
    if not 0 <= random_state < 2**32:
        raise ValueError(f"random_state: found {random_state}, expected 0 to 2**32 - 1")
    return int(random_state)


def as_choice(value: Any, name: str, choices: Tuple[Any, ...]) -> int:
    """The index of `value` in `choices`."""
    for index, choice in enumerate(choices):
        if value is choice or (isinstance(value, str) and value == choice):
            return index
    raise ValueError(f"{name}: found {value!r}, expected one of {list(choices)}")


def as_count(value: Any, name: str, least: int = 1) -> int:
    """`value` as a whole number of at least `least`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name}: found {value!r}, expected a whole number of at least {least}")
    return int(value)


def as_real(value: Any, name: str) -> float:
    """`value` as a finite number."""
    if isinstance(value, (bool, np.bool_, str)) or not np.isscalar(value) or not np.isfinite(value):
        raise ValueError(f"{name}: found {value!r}, expected a finite number")
    return float(value)


def as_threads(n: int) -> int:
    """0 stands for as many as the CPU has."""
    return as_count(n, "threads", 0) or _ml.hardware_threads()
