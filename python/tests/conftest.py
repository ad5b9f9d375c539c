import os
import pathlib
import wave

import numpy as np
import pytest
import tiny_model

import pantanal

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="session")
def headless_path(tmp_path_factory):
    return tiny_model.write(tmp_path_factory.mktemp("model") / "headless.safetensors", classes=0)


@pytest.fixture(scope="session")
def perch(model_path):
    return pantanal.Perch(model_path, threads=2)


@pytest.fixture
def windows():
    return (0.1 * np.random.default_rng(1).standard_normal((5, 1600))).astype(np.float32)


@pytest.fixture
def write_wav(tmp_path):
    """write_wav(name, samples [count] or [count, channels], rate): a 16-bit WAV of samples in [-1, 1)."""

    def write(name, samples, rate=32000):
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.round(samples * 32768).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture(scope="session")
def infer_program():
    """pantanal-infer: what PANTANAL_INFER names, or one that was built in this tree."""
    built = [ROOT / "build" / preset / "tools" / "infer" / "pantanal-infer" for preset in ("release", "dev", "bench")]
    named = os.environ.get("PANTANAL_INFER")
    for path in [pathlib.Path(named)] if named else built:
        if path.exists():
            return path
    pytest.skip("no pantanal-infer: build it, or name one with PANTANAL_INFER")
