"""Writes the files in tests/golden/safetensors, which safetensors_test and model_file_test read.

by_safetensors.safetensors   by Python's `safetensors`: what other people's files look like
with_checksum.safetensors    by the plain Python below, after weights/FORMAT.md: what SafetensorsWriter must write
model.safetensors            likewise: what save_model must write

Run it from the repository's root, with numpy and safetensors installed. It also reads the last two with `safetensors`.
"""

import json
import pathlib
import struct

import numpy as np
import safetensors
import safetensors.numpy

FOLDER = pathlib.Path("tests/golden/safetensors")

CRC32C_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC32C_TABLE.append(byte)


def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state = state >> 8 ^ CRC32C_TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write_with_checksum(path, metadata, tensors):
    """One file in this project's dialect: data from a multiple of 64 bytes on, the checksum last in the metadata."""
    names = {np.float32: "F32", np.int64: "I64", np.uint8: "U8"}
    header = {"__metadata__": {**metadata, "checksum": "crc32c:00000000"}}
    end = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": names[tensor.dtype.type],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + tensor.nbytes],
        }
        end += tensor.nbytes
    text = compact(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    file = struct.pack("<Q", len(text)) + text + b"".join(tensor.tobytes() for tensor in tensors.values())
    digits = b"%08x" % crc32c(file)
    path.write_bytes(file.replace(b'"checksum":"crc32c:00000000"', b'"checksum":"crc32c:' + digits + b'"', 1))


def check_with_safetensors(path, metadata, tensors):
    with safetensors.safe_open(path, "numpy") as file:
        assert set(file.keys()) == set(tensors), path
        for name, tensor in tensors.items():
            read = file.get_tensor(name)
            assert read.dtype == tensor.dtype and read.shape == tensor.shape, name
            assert np.array_equal(read, tensor), name
        read = file.metadata()
        assert read.pop("checksum").startswith("crc32c:"), path
        assert read == metadata, path


def mixed_tensors():
    return {
        "wide": np.arange(3, dtype=np.int64) - 1,
        "plain": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "scalar": np.array(-2.5, np.float32),
        "empty": np.zeros((0, 4), np.float32),
        "Größe": np.array([7, 8, 255], np.uint8),
    }


def smallest_architecture():
    """smallest_architecture() of tests/perch/random_model.hpp."""
    return {
        "frontend": {
            "samples": 64,
            "sample_rate": 32000,
            "frame_length": 8,
            "hop_length": 4,
            "pad_left": 2,
            "pad_right": 2,
            "fft_size": 16,
            "mel_bands": 6,
            "floor": 1e-05,
            "scale": 0.1,
        },
        "stem": {"conv": {"kernel": 3, "stride": 2, "pads": [0, 0, 0, 0]}, "channels": 2, "activation": "swish"},
        "blocks": [
            {
                "in_channels": 2,
                "expanded_channels": 4,
                "out_channels": 3,
                "se_channels": 1,
                "has_expand": True,
                "has_skip": False,
                "depthwise": {"kernel": 3, "stride": 2, "pads": [1, 0, 1, 1]},
                "expand_activation": "swish",
                "depthwise_activation": "swish",
                "se_activation": "swish",
            }
        ],
        "head": {"channels": 3, "activation": "swish"},
        "label": {"classes": 3, "prototypes": 2, "eps": 1e-05},
    }


def model_tensors():
    shapes = {
        "frontend.window": [8],
        "frontend.mel": [9, 6],
        "stem.weight": [2, 1, 3, 3],
        "stem.bias": [2],
        "blocks.0.expand.weight": [4, 2, 1, 1],
        "blocks.0.expand.bias": [4],
        "blocks.0.depthwise.weight": [4, 1, 3, 3],
        "blocks.0.depthwise.bias": [4],
        "blocks.0.se.reduce.weight": [1, 4],
        "blocks.0.se.reduce.bias": [1],
        "blocks.0.se.expand.weight": [4, 1],
        "blocks.0.se.expand.bias": [4],
        "blocks.0.project.weight": [3, 4, 1, 1],
        "blocks.0.project.bias": [3],
        "head.weight": [3, 3, 1, 1],
        "head.bias": [3],
        "label.prototypes": [3, 2, 3],
        "label.scale": [3, 2],
        "label.bias": [3],
    }
    values = iter(range(sum(int(np.prod(shape)) for shape in shapes.values())))
    return {
        name: np.array([next(values) % 17 / 8 for _ in range(int(np.prod(shape)))], np.float32).reshape(shape)
        for name, shape in shapes.items()
    }


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    tensors = mixed_tensors()
    safetensors.numpy.save_file(
        {**tensors, "half": np.array([[1.5], [-0.25]], np.float16), "flags": np.array([True, False, True])},
        FOLDER / "by_safetensors.safetensors",
        {"naïve": '{"a":"b\\c"}'},  # one entry: safetensors writes several in no particular order
    )
    metadata = {"note": 'crc32c:00000000 "checksum":"crc32c:', "ort": "Köln"}
    write_with_checksum(FOLDER / "with_checksum.safetensors", metadata, tensors)
    check_with_safetensors(FOLDER / "with_checksum.safetensors", metadata, tensors)

    metadata = {
        "architecture": compact(smallest_architecture()),
        "format": "pantanal.perch",
        "format_version": "1",
        "labels": compact(["Poecile atricapillus", "Mico melanurus", 'Gänsesäger "♀"']),
        "source": compact({"file": "made_up.onnx", "sha256": "0123456789abcdef" * 4, "kind": "onnx"}),
    }
    write_with_checksum(FOLDER / "model.safetensors", metadata, model_tensors())
    check_with_safetensors(FOLDER / "model.safetensors", metadata, model_tensors())


main()
