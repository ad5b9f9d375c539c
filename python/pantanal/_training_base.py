"""What the trainers share: their result, and arguments as the compiled module takes them."""

import json
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
State = Dict[str, FloatArray]
Config = Mapping[str, Any]
Progress = Optional[Callable[[Dict[str, float]], object]]


class TrainedModel(NamedTuple):
    """What a training leaves."""

    state: State
    history: Dict[str, List[float]]  #: train_loss, val_loss, val_auc, lr: one entry per epoch
    best_val_loss: float
    swa_count: int  #: epochs averaged; with 3 or more, `state` is their mean
    stopped_early: bool
    interrupted: bool


def floats(name: str, value: Any) -> FloatArray:
    array = np.asarray(value)
    if array.dtype.kind not in "fbiu":
        raise ValueError(f"{name}: found dtype {array.dtype}, expected float32")
    return np.ascontiguousarray(array, np.float32).reshape(array.shape)


def maybe_floats(name: str, value: Any) -> Optional[FloatArray]:
    return None if value is None else floats(name, value)


def ids(name: str, value: Any) -> Optional[npt.NDArray[np.int64]]:
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise ValueError(f"{name}: found dtype {array.dtype} and shape {array.shape}, expected whole numbers, one per file")
    return np.ascontiguousarray(array, np.int64)


def state_arrays(state: Mapping[str, npt.ArrayLike]) -> State:
    return {name: floats(f"state[{name!r}]", value) for name, value in state.items()}


def trained(result: Tuple[State, str, Dict[str, Any]]) -> TrainedModel:
    state, history, summary = result
    return TrainedModel(state, json.loads(history), **summary)
