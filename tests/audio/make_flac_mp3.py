"""Writes the FLAC and MP3 files in tests/golden/audio, which the tests of audio/ read, and what libsndfile decodes each to (NAME.f32).

Run it from the repository's root, with numpy and soundfile (libsndfile 1.2.2) installed.
"""

import pathlib
import struct

import numpy as np
import soundfile

FOLDER = pathlib.Path("tests/golden/audio")
rng = np.random.default_rng(31)


def sound(rate, channels, frames):
    t = np.arange(frames)[:, None] / rate
    return 0.3 * np.sin(2 * np.pi * (rate / 40 * (1 + np.arange(channels)) * t * (1 + 2 * t))) + 0.002 * rng.standard_normal((frames, channels))


def write_decoded(path):
    decoded, _ = soundfile.read(path, dtype="float32", always_2d=True)
    decoded.astype("<f4").tofile(path.with_suffix(".f32"))


def write(name, rate, channels, frames, **encoding):
    path = FOLDER / name
    soundfile.write(path, sound(rate, channels, frames), rate, **encoding)
    write_decoded(path)
    return path.read_bytes()


def write_bytes(name, data):
    (FOLDER / name).write_bytes(data)
    write_decoded(FOLDER / name)


def syncsafe(size):
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


write("flac16.flac", 32000, 1, 9001, subtype="PCM_16")  # blocks of 4096
write("flac24_stereo.flac", 44100, 2, 1500, subtype="PCM_24")
write("flac8.flac", 8000, 1, 500, subtype="PCM_S8")

write("layer3_44100_stereo.mp3", 44100, 2, 2500)
write("layer3_16000.mp3", 16000, 1, 1501)
write("layer3_8000.mp3", 8000, 1, 1000)
plain = write("layer3_32000.mp3", 32000, 1, 4801)
id3v2 = b"ID3\x04\x00\x00" + syncsafe(300) + b"TIT2" + syncsafe(11) + b"\0\0\0made up one" + bytes(300 - 21)
write_bytes("tagged.mp3", id3v2 + plain + b"TAG" + b"made up".ljust(125, b"\0"))
# Without the first frame, which says how long the file is. libsndfile guesses 2976 frames from the size, and stops there.
write_bytes("endless.mp3", plain[plain.index(b"\xff\xfb", 4):])
