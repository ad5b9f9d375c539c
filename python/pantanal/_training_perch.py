"""Training Perch: from scratch, or the last blocks of a converted model with a label head for other classes.

    training.with_new_label_head("perch.safetensors", "start.safetensors", ["Ara", "Boana"])
    inputs = training.perch_inputs("start.safetensors", windows, last_blocks=2)       # once; then epochs are cheap
    training.train_perch("start.safetensors", "mine.safetensors", inputs, labels, last_blocks=2, n_epochs=10)

Models are files, `path` and `out`. `out` is written whole or not at all, and may be `path`.
"""

import json
import os
from typing import Any, Mapping, Optional, Sequence, Tuple, Union

import numpy.typing as npt

from pantanal import _training
from pantanal._training_base import FloatArray, Progress, State, TrainedModel, floats, trained

Path = Union[str, "os.PathLike[str]"]


def _windows(inputs: npt.ArrayLike, labels: npt.ArrayLike, what: str = "") -> "_training.Windows":
    x, y = floats(what + "inputs", inputs), floats(what + "labels", labels)
    if x.ndim not in (3, 4):
        raise ValueError(f"{what}inputs: found shape {x.shape}, expected (n, frames, bands) or (n, height, width, channels)")
    if y.ndim != 2 or len(y) != len(x):
        raise ValueError(f"{what}labels: found shape {y.shape}, expected ({len(x)}, classes)")
    return _training.Windows(x, y)


def _options(last_blocks: Optional[int], **options: Any) -> str:
    return json.dumps(options if last_blocks is None else {"last_blocks": last_blocks, **options})


def perch_inputs(path: Path, windows: npt.ArrayLike, *, last_blocks: Optional[int] = None, threads: int = 0) -> FloatArray:
    """What a part of the model `path` is trained on: spectrograms, or what the blocks before its last ones give.

    Args:
        windows: [n, samples], as for Perch.run.
        last_blocks: as it will be for train_perch; None: the whole model.

    Returns:
        [n, frames, mel_bands], or [n, height, width, channels].
    """
    x = floats("windows", windows)
    if x.ndim != 2:
        raise ValueError(f"windows: found shape {x.shape}, expected (n, samples)")
    return _training.perch_inputs(os.fspath(path), x, _options(last_blocks, threads=threads))


def initial_perch(out: Path, architecture: Mapping[str, Any], labels: Sequence[str], seed: int) -> None:
    """Writes a model of random weights. `architecture` as Perch.architecture has it (see weights/FORMAT.md); its spectrogram
    is Perch's. calibrated_perch is to follow: without it, deep models do not train."""
    _training.initial_perch(os.fspath(out), json.dumps(dict(architecture)), [str(name) for name in labels], seed)


def calibrated_perch(path: Path, out: Path, inputs: npt.ArrayLike, labels: npt.ArrayLike) -> None:
    """Writes the model with scales and biases that give every convolution's channels mean 0 and deviation 1 over the first
    16 of `inputs`, spectrograms [n, frames, mel_bands]; labels [n, classes]."""
    _training.calibrated_perch(os.fspath(path), os.fspath(out), _windows(inputs, labels))


def with_new_label_head(path: Path, out: Path, labels: Sequence[str], prototypes: int = 4, seed: int = 0) -> None:
    """Writes the model with a label head for other classes, `labels`, its weights drawn; to be trained."""
    _training.with_new_label_head(os.fspath(path), os.fspath(out), [str(name) for name in labels], prototypes, seed)


def train_perch(path: Path, out: Path, inputs: npt.ArrayLike, labels: npt.ArrayLike, *,
                validation: Optional[Tuple[npt.ArrayLike, npt.ArrayLike]] = None, last_blocks: Optional[int] = None,
                progress: Progress = None, **options: Any) -> TrainedModel:
    """Trains the model `path` and writes it to `out`: AdamW over minibatches, binary cross-entropy.

    Args:
        inputs: perch_inputs() of the windows, with the same `last_blocks`.
        labels: [n, classes], 0 to 1.
        validation: (inputs, labels) of other windows; their loss decides which epoch is kept.
        last_blocks: train only these, the head and the label head; None: everything.
        progress: called after each epoch with a dict: epoch, train_loss, val_loss, val_auc, lr, eta_seconds and more.
        options: n_epochs, lr, batch, pos_weight_cap, patience, seed, threads, checkpoint, resume, ...; and of the spectrograms'
            augmentation, where the whole model is trained: mix_probability, level, shift_frames, mask_frames, mask_bands.

    Raises:
        ValueError: an array of another shape, NaN, an option that does not exist or makes no sense.
        FileNotFoundError, PantanalError, OSError: the model cannot be read, or written.
    """
    held = None if validation is None else _windows(*validation, "validation ")
    return trained(_training.train_perch(os.fspath(path), os.fspath(out), _options(last_blocks, **options),
                                         _windows(inputs, labels), held, progress))


def perch_loss_and_grads(path: Path, inputs: npt.ArrayLike, labels: npt.ArrayLike, *, last_blocks: Optional[int] = None,
                         threads: int = 0) -> Tuple[float, State]:
    """The training loss of one batch, and the gradients of what `last_blocks` would train; `scale`, beside a convolution's weight
    and bias, is what BatchNorm's weight becomes when it is folded."""
    return _training.perch_loss_and_grads(os.fspath(path), _options(last_blocks, threads=threads), _windows(inputs, labels))
