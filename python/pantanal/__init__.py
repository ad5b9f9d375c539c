"""Perch v2 embeddings and class scores of recordings, on plain CPUs.

    import pantanal

    perch = pantanal.Perch("perch_v2.safetensors")
    audio = pantanal.load_audio("dawn.ogg")             # mono, 32 kHz
    windows = audio[: len(audio) // 160000 * 160000].reshape(-1, 160000)
    logits = perch.run(windows)["label"]                # [n, classes]
    print(perch.labels[logits[0].argmax()])
"""

import os
from typing import Union

from pantanal import _pantanal
from pantanal._arrays import FloatArray
from pantanal._errors import CorruptError, InternalError, MismatchError, PantanalError, UnsupportedError
from pantanal._ml_base import NotFittedError
from pantanal._ml_classify import ConvergenceWarning, IsotonicRegression, LogisticRegression
from pantanal._ml_neural import MLPClassifier, fit_all
from pantanal._ml_select import (
    GroupKFold,
    StratifiedShuffleSplit,
    average_precision_score,
    best_f1_threshold,
    f1_score,
    macro_auc_skip_empty,
    roc_auc_score,
)
from pantanal._ml_transform import PCA, StandardScaler
from pantanal._perch import Perch
from pantanal._sequence import ProtoSSM, ResidualSSM, SelectiveSSM, selective_scan

__all__ = [
    "PCA",
    "ConvergenceWarning",
    "CorruptError",
    "GroupKFold",
    "InternalError",
    "IsotonicRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MismatchError",
    "NotFittedError",
    "PantanalError",
    "Perch",
    "ProtoSSM",
    "ResidualSSM",
    "SelectiveSSM",
    "StandardScaler",
    "StratifiedShuffleSplit",
    "UnsupportedError",
    "average_precision_score",
    "best_f1_threshold",
    "f1_score",
    "fit_all",
    "load_audio",
    "macro_auc_skip_empty",
    "roc_auc_score",
    "selective_scan",
]
__version__: str = _pantanal.version


def load_audio(path: Union[str, "os.PathLike[str]"], rate: int = 32000) -> FloatArray:
    """The samples [count] of a WAV, Ogg Vorbis, FLAC or MP3 file, float32, mixed to mono and resampled to `rate` Hz.

    Raises:
        FileNotFoundError: there is no such file.
        UnsupportedError: the file is of another format.
        CorruptError: the file is damaged, cut short or without a single sample.
        ValueError: a rate that makes no sense.
    """
    return _pantanal.load_audio(os.fspath(path), rate)
