"""The cases of tests/nn/make_fixtures.py: PyTorch's outputs, and the parameters and inputs they came from."""

import json
import math
import struct

import numpy as np
from conftest import ROOT


def uniform(number, count):
    """See tests/nn/make_fixtures.py."""
    with np.errstate(over="ignore"):
        z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(number << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def make(recipe):
    number, shape, scale, offset = recipe
    return (offset + scale * uniform(number, math.prod(shape))).astype(np.float32).reshape(shape)


class Case:
    def __init__(self, config):
        self.config = config
        self.state = {name: make(recipe) for name, recipe in config.pop("state").items()}
        self.inputs = {name: make(recipe) for name, recipe in config.pop("in").items()}
        self.outputs = {}

    def sizes(self, *names):
        return {name: self.config[name] for name in names}

    def meta(self):
        return self.config.get("site_ids"), self.config.get("hours")


def load(layer):
    """The cases of a layer or model."""
    data = (ROOT / "tests" / "golden" / "nn" / f"{layer}.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    cases = [Case(config) for config in json.loads(header.pop("__metadata__")["cases"])]
    for name, entry in header.items():
        index, _, output = name.split(".", 2)
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        cases[int(index)].outputs[output] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    assert len(cases) >= (12 if layer.startswith("several") else 50)
    return cases


def assert_close(found, expected):
    """Within 2e-5 of the largest expected value, which is what agreement with PyTorch means here."""
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found.astype(np.float64) - expected).max() <= 2e-5 * np.abs(expected).max()
