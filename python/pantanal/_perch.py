"""Perch: a model file, ready to run on arrays."""

import json
import os
import warnings
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from pantanal import _pantanal
from pantanal._arrays import FloatArray

OUTPUTS = ("embedding", "spatial_embedding", "spectrogram", "label")


class Perch:
    """A Perch model for windows of raw audio, as `pantanal-convert` writes it.

    Threads may share one: while a call computes, other Python threads run, and other calls wait for their turn.
    The file is memory-mapped: while it is in use, replace it by renaming a new file over it, never write to it in place.

    Args:
        path: the model, a .safetensors file.
        threads: threads to compute with; 0 stands for as many as the CPU has.
        packed_weights: a file to map packed weights from, made where it is not there or does not fit: it saves the packing, and
            processes share its memory. One that can neither be used nor made is warned of. No result differs by a bit.

    Raises:
        FileNotFoundError: there is no such file.
        PantanalError: the file is no model, is damaged, or is of another version.
        ValueError: a number of threads that makes no sense, or a PANTANAL_ISA in the environment that names no instruction set
            (UnsupportedError: one that this CPU lacks).
    """

    def __init__(
        self,
        path: Union[str, "os.PathLike[str]"],
        threads: int = 0,
        packed_weights: Optional[Union[str, "os.PathLike[str]"]] = None,
    ) -> None:
        self._perch = _pantanal.Perch(os.fspath(path), threads, os.fspath(packed_weights) if packed_weights else "")
        if self._perch.packed_weights_problem:
            warnings.warn(f"packed_weights: {self._perch.packed_weights_problem}", stacklevel=2)
        self._path, self._packed_weights = path, packed_weights
        self._labels = self._perch.labels
        self._architecture = self.architecture

    @property
    def labels(self) -> List[str]:
        """Names of the classes, one per column of `label`; empty for a model without label head."""
        return list(self._labels)

    @property
    def architecture(self) -> Dict[str, Any]:
        """Everything about the model that is no weight: frontend, stem, blocks, head, label (see weights/FORMAT.md)."""
        architecture: Dict[str, Any] = json.loads(self._perch.architecture_json)
        return architecture

    def run(self, x: npt.ArrayLike, outputs: Sequence[str] = ()) -> Dict[str, FloatArray]:
        """Computes the outputs of each window.

        Args:
            x: windows [n, samples], mono, at the model's rate; Perch v2 takes 160000 samples at 32 kHz, 5 s. Raw, as they
                were recorded, in [-1, 1). float32; other floats are converted.
            outputs: names of those wanted, by default all that the model has: `embedding` [n, 1536],
                `spatial_embedding` [n, 16, 4, 1536], `spectrogram` [n, 500, 128] and, with a label head, `label`
                [n, classes], the logits. (Sizes are Perch v2's.)

        Raises:
            ValueError: `x` has another shape or type, or holds NaN or infinity; an output that the model does not have; a result that
                float32 does not hold.
        """
        windows = self._windows(x)
        shapes = self._shapes(len(windows))
        unknown = [name for name in outputs if name not in shapes]
        if unknown:
            raise ValueError(f"outputs: found {unknown[0]!r}, expected some of {', '.join(shapes)}")
        results = {name: np.empty(shapes[name], np.float32) for name in outputs or shapes}
        self._perch.run(windows, *(results.get(name) for name in OUTPUTS))
        return results

    def embed(self, x: npt.ArrayLike) -> FloatArray:
        """The embeddings [n, 1536] of windows `x`, which are as for `run`. Does not compute the label head."""
        return self.run(x, ["embedding"])["embedding"]

    def _windows(self, x: npt.ArrayLike) -> FloatArray:
        array = np.asarray(x)
        if array.dtype.kind != "f":
            raise ValueError(
                f"x: found dtype {array.dtype}, expected float32 (divide whole numbers by their full scale, 32768 for int16)"
            )
        samples = self._architecture["frontend"]["samples"]
        if array.ndim != 2 or array.shape[1] != samples:
            hint = "; x[None] is one window" if array.shape == (samples,) else ""
            raise ValueError(f"x: found shape {array.shape}, expected (n, {samples}){hint}")
        with np.errstate(over="ignore"):  # what exceeds float32 becomes infinite, and is refused as that
            return np.ascontiguousarray(array, np.float32)

    def _shapes(self, n: int) -> Dict[str, Tuple[int, ...]]:
        frontend, channels = self._architecture["frontend"], self._architecture["head"]["channels"]
        padded = frontend["samples"] + frontend["pad_left"] + frontend["pad_right"]
        frames = (padded - frontend["frame_length"]) // frontend["hop_length"] + 1
        shapes = {
            "embedding": (n, channels),
            "spatial_embedding": (n, *self._perch.spatial_extent, channels),
            "spectrogram": (n, frames, frontend["mel_bands"]),
            "label": (n, len(self._labels)),
        }
        if not self._labels:
            del shapes["label"]
        return shapes

    def __reduce__(self) -> Tuple[Any, ...]:
        return Perch, (self._path, self._perch.threads, self._packed_weights)

    def __repr__(self) -> str:
        return f"<pantanal.Perch {os.fspath(self._path)!r}: {len(self._labels)} classes, {self._perch.threads} threads>"
