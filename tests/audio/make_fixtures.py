"""Writes the files in tests/golden/audio, which the tests of audio/ read.

NAME.wav, NAME.ogg       recordings of made-up sounds, encoded by libsndfile; some then taken apart and put together anew
NAME.f32                 what libsndfile decodes each to: float32, channels interleaved
surround.ogg, opus.ogg   readable for libsndfile, but to be refused

Run it from the repository's root, with numpy and soundfile (libsndfile) installed.
"""

import pathlib
import struct

import numpy as np
import soundfile

FOLDER = pathlib.Path("tests/golden/audio")
rng = np.random.default_rng(20)


OGG_CRC_TABLE = []
for byte in range(256):
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    OGG_CRC_TABLE.append(crc)


def ogg_checksum(page):
    crc = 0
    for i, byte in enumerate(page):
        crc = (crc << 8 ^ OGG_CRC_TABLE[crc >> 24 ^ (0 if 22 <= i < 26 else byte)]) & 0xFFFFFFFF
    return crc


def ogg_pages(data):
    """Views of the pages that `data`, a bytearray, consists of; none if it is no Ogg file."""
    data = memoryview(data)
    while bytes(data[:4]) == b"OggS":
        length = 27 + data[26] + sum(data[27 : 27 + data[26]])
        yield data[:length]
        data = data[length:]


def ogg_packets(data):
    packets, packet = [], b""
    for page in ogg_pages(data):
        body = bytes(page[27 + page[26] :])
        for length in page[27 : 27 + page[26]]:
            packet, body = packet + body[:length], body[length:]
            if length < 255:
                packets.append(packet)
                packet = b""
    return packets


def ogg_page(packet, flags, granule, sequence):
    """One packet of less than 64 KiB on a page of its own."""
    lengths = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    header = b"OggS" + struct.pack("<BBqIII", 0, flags, granule, 7, sequence, 0) + bytes([len(lengths)]) + lengths
    page = bytearray(header + packet)
    page[22:26] = struct.pack("<I", ogg_checksum(page))
    return bytes(page)


def sound(rate, channels, frames):
    """Sweeps with clicks in them, which have a Vorbis encoder change between long and short blocks."""
    t = np.arange(frames)[:, None] / rate
    sweep = 0.3 * np.sin(2 * np.pi * (rate / 40 * (1 + np.arange(channels)) * t * (1 + 2 * t)))
    clicks = np.where(rng.random((frames, channels)) < 8 / frames, 0.6, 0.02) * rng.standard_normal((frames, channels))
    return np.clip(sweep + clicks, -0.95, 0.95)


def write_decoded(path):
    decoded, _ = soundfile.read(path, dtype="float32", always_2d=True)
    decoded.astype("<f4").tofile(path.with_suffix(".f32"))


def write(name, rate, channels, frames, **encoding):
    path = FOLDER / name
    soundfile.write(path, sound(rate, channels, frames), rate, **encoding)
    data = bytearray(path.read_bytes())
    for page in ogg_pages(data):
        page[14:18] = struct.pack("<I", 7)  # instead of a random stream number
        page[22:26] = struct.pack("<I", ogg_checksum(page))
    if (peak := data.find(b"PEAK")) >= 0:
        data[peak + 12 : peak + 16] = bytes(4)  # instead of the time
    path.write_bytes(data)
    return path


def write_wavs():
    for name, channels, subtype, container in [
        ("pcm8", 2, "PCM_U8", "WAV"),
        ("pcm16", 1, "PCM_16", "WAV"),
        ("pcm16_stereo", 2, "PCM_16", "WAV"),
        ("pcm24", 5, "PCM_24", "WAV"),
        ("pcm32", 2, "PCM_32", "WAV"),
        ("float32", 2, "FLOAT", "WAV"),
        ("float64", 1, "DOUBLE", "WAV"),
        ("extensible_pcm24", 5, "PCM_24", "WAVEX"),
        ("extensible_float32", 2, "FLOAT", "WAVEX"),
        ("rf64", 2, "PCM_16", "RF64"),
    ]:
        write_decoded(write(f"{name}.wav", 22050, channels, 61, subtype=subtype, format=container))
    write_chunks()


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def write_chunks():
    """Three 8-bit samples between chunks of odd and even length."""
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))
    chunks = chunk(b"JUNK", b"12345") + form + chunk(b"bext", b"b" * 602) + chunk(b"LIST", b"INFOICMT\3\0\0\0abc")
    chunks += chunk(b"data", bytes([0, 128, 255])) + chunk(b"guan", b"GUANO|Version:1.0")
    path = FOLDER / "chunks.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    write_decoded(path)


def write_oggs():
    vorbis = {
  "format" : "OGG", "subtype" : "VORBIS"}
    for name, rate, channels, frames in [
        ("vorbis_8000", 8000, 1, 3000),
        ("vorbis_16000", 16000, 1, 4321),
        ("vorbis_22050_stereo", 22050, 2, 5512),
        ("vorbis_32000", 32000, 1, 9600),
        ("vorbis_44100_stereo", 44100, 2, 8000),
        ("vorbis_48000_five", 48000, 5, 2400),
        ("vorbis_short", 32000, 1, 7),
    ]:
        write_decoded(write(f"{name}.ogg", rate, channels, frames, **vorbis))
    write("surround.ogg", 48000, 6, 1000, **vorbis)
    write("opus.ogg", 48000, 1, 4800, format="OGG", subtype="OPUS")
    write_late_start()


def write_late_start():
    """vorbis_32000.ogg from the first long block on that precedes a short one, as a cutting tool would leave it."""
    headers_and_audio = ogg_packets((FOLDER / "vorbis_32000.ogg").read_bytes())
    headers, audio = headers_and_audio[:3], headers_and_audio[3:]
    sizes = [2048 if packet[0] >> 1 & 1 else 256 for packet in audio]  # two modes, the second one long
    followed_by_short = [size == 2048 and not packet[0] >> 3 & 1 for packet, size in zip(audio, sizes)]
    first = followed_by_short.index(True, 2)
    granules = np.cumsum([0] + [(a + b) // 4 for a, b in zip(sizes, sizes[1:])])
    pages = [ogg_page(headers[0], 2, 0, 0), ogg_page(headers[1], 0, 0, 1), ogg_page(headers[2], 0, 0, 2)]
    for i in range(first, len(audio)):
        flags = 4 if i == len(audio) - 1 else 0
        pages.append(ogg_page(audio[i], flags, int(granules[i]), i + 3 - first))
    path = FOLDER / "late_start.ogg"
    path.write_bytes(b"".join(pages))
    write_decoded(path)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_wavs()
    write_oggs()


main()
