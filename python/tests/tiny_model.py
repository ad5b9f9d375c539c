"""A Perch model small enough to be made on the spot, written as weights/FORMAT.md says and by nothing else."""

import json
import struct

import numpy as np

ARCHITECTURE = {
    "frontend": {
        "samples": 1600,
        "sample_rate": 32000,
        "frame_length": 64,
        "hop_length": 32,
        "pad_left": 16,
        "pad_right": 16,
        "fft_size": 64,
        "mel_bands": 12,
        "floor": 1e-05,
        "scale": 0.1,
    },
    "stem": {"conv": {"kernel": 3, "stride": 2, "pads": [0, 0, 0, 0]}, "channels": 4, "activation": "swish"},
    "blocks": [
        {
            "in_channels": 4,
            "expanded_channels": 8,
            "out_channels": 6,
            "se_channels": 2,
            "has_expand": True,
            "has_skip": False,
            "depthwise": {"kernel": 3, "stride": 2, "pads": [1, 1, 1, 1]},
            "expand_activation": "swish",
            "depthwise_activation": "swish",
            "se_activation": "swish",
        }
    ],
    "head": {"channels": 10, "activation": "swish"},
    "label": {"classes": 3, "prototypes": 2, "eps": 1e-05},
}
LABELS = ["Ara ararauna", "Boana raniceps", "Caf\u00e9, \"quoted\""]
SPATIAL_EXTENT = (12, 3)  # 50 x 12, then 24 x 5 after the stem
FRAMES = 50


def tensors(classes):
    """Name to values, seeded, in the order of the forward pass."""
    random = np.random.default_rng(2)

    def weights(*shape):
        return (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    shapes = {
        "stem": (4, 1, 3, 3),
        "blocks.0.expand": (8, 4, 1, 1),
        "blocks.0.depthwise": (8, 1, 3, 3),
        "blocks.0.se.reduce": (2, 8),
        "blocks.0.se.expand": (8, 2),
        "blocks.0.project": (6, 8, 1, 1),
        "head": (10, 6, 1, 1),
    }
    window = np.hanning(64)
    values = {
        "frontend.window": (window / window.sum()).astype(np.float32),
        "frontend.mel": np.abs(random.standard_normal((33, 12))).astype(np.float32),
    }
    for name, shape in shapes.items():
        values[f"{name}.weight"] = weights(*shape)
        values[f"{name}.bias"] = weights(shape[0])
    if classes:
        prototypes = weights(classes, 2, 10)
        values["label.prototypes"] = prototypes / np.linalg.norm(prototypes, axis=-1, keepdims=True)
        values["label.scale"] = np.abs(weights(classes, 2))
        values["label.bias"] = weights(classes)
    return values


def crc32c(data):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def write(path, classes=len(LABELS), version="1", **fills):
    """`fills`: tensors, with __ for the dots of their names, that hold nothing but a value."""
    architecture = {**ARCHITECTURE, "label": {**ARCHITECTURE["label"], "classes": classes}}
    header = {
        "__metadata__": {
            "format": "pantanal.perch",
            "format_version": version,
            "architecture": json.dumps(architecture),
            "labels": json.dumps(LABELS[:classes]),
            "source": json.dumps({"file": "tiny_model.py", "sha256": "0" * 64, "kind": "script"}),
            "checksum": "crc32c:00000000",
        }
    }
    data = b""
    for name, values in tensors(classes).items():
        values = np.full_like(values, fills.get(name.replace(".", "__"), values))
        end = len(data) + values.nbytes
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(data), end]}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + data
    checksum = b"crc32c:%08x" % crc32c(content)
    path.write_bytes(content.replace(b"crc32c:00000000", checksum, 1))
    return path
