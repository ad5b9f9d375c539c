"""Arguments as the compiled module takes them; errors name the argument, what was found and what was expected."""

import operator
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IdArray = npt.NDArray[np.int64]
Shape = Sequence[Union[int, str]]


def extent(name: str, value: Any, least: int = 1, most: int = 2**31 - 1) -> int:
    """`value` as an int from `least` to `most`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}: found {value!r}, expected a whole number") from None
    if not least <= number <= most:
        raise ValueError(f"{name}: found {number}, expected {least} to {most}")
    return number


def floats(name: str, value: Any, shape: Optional[Shape] = None) -> FloatArray:
    """`value` as C-ordered float32 of `shape`, in which a name, "T" for instance, stands for any extent."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise ValueError(f"{name}: found dtype {array.dtype}, expected float32")
    if shape is not None:
        check_shape(name, array.shape, shape)
    with np.errstate(over="ignore"):  # what exceeds float32 becomes infinite, and is refused as that
        return np.asarray(array, np.float32, order="C")


def ids(name: str, value: Any, count: int) -> IdArray:
    """`value` as int64 [count]."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu" and array.size:
        raise ValueError(f"{name}: found dtype {array.dtype}, expected whole numbers")
    check_shape(name, array.shape, (count,))
    largest = np.iinfo(np.int64).max
    if array.dtype.kind == "u" and array.size and array.max() > largest:
        raise ValueError(f"{name}: found {array.max()}, expected at most {largest}")
    return np.asarray(array, np.int64, order="C")


def check_shape(name: str, found: Tuple[int, ...], expected: Shape) -> None:
    fits = len(found) == len(expected) and all(isinstance(e, str) or f == e for f, e in zip(found, expected))
    if not fits:
        wanted = ", ".join(map(str, expected)) + ("," if len(expected) == 1 else "")
        raise ValueError(f"{name}: found shape {found}, expected ({wanted})")
