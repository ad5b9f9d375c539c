"""Writes tests/golden/audio/soundfile_answers.tsv: what Python's soundfile gives of damaged files.

A line is a case: its name, how the file is made, and soundfile's answer. A file is made of steps: `take NAME BEGIN END` appends
bytes of a file in the repository (END -1: to its end), `junk N` appends N bytes of 0x6a, `set AT HEX` overwrites. The answer is
`error`, or the number of frames and the root mean square of the first channel in each quarter of them.

Run it from the repository's root, with numpy and soundfile (libsndfile 1.2.2) installed. It draws positions with a seed.
"""

import pathlib
import random
import tempfile

import numpy as np
import soundfile

OGG = "weights/demo/soundscape.ogg"
WAV = "tests/golden/audio/pcm16_stereo.wav"
FLAC = "tests/golden/audio/flac16.flac"
DATA = pathlib.Path(OGG).read_bytes()
draw = random.Random(7)


def page_starts(data):
    at = 0
    while data[at : at + 4] == b"OggS":
        yield at
        at += 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])


def cases():
    pages = list(page_starts(DATA))
    page = draw.randrange(20, len(pages) - 20)
    inside = pages[page] + draw.randrange(300, 3000)
    yield "ogg_whole", f"take {OGG} 0 -1"
    yield "ogg_cut_between_pages", f"take {OGG} 0 {pages[page]}"
    yield "ogg_cut_in_a_page", f"take {OGG} 0 {inside}"
    yield "ogg_page_missing", f"take {OGG} 0 {pages[page]} take {OGG} {pages[page + 1]} -1"
    yield "ogg_three_pages_missing", f"take {OGG} 0 {pages[page]} take {OGG} {pages[page + 3]} -1"
    yield "ogg_page_altered", f"take {OGG} 0 -1 set {inside} {DATA[inside] ^ 1:02x}"
    yield "ogg_junk_between_pages", f"take {OGG} 0 {pages[page]} junk 1000 take {OGG} {pages[page]} -1"
    yield "ogg_junk_before", f"junk 400 take {OGG} 0 -1"
    yield "ogg_junk_after", f"take {OGG} 0 -1 junk 4000"
    yield "ogg_chained", f"take {OGG} 0 -1 take tests/golden/audio/vorbis_32000.ogg 0 -1"
    yield "ogg_headers_cut", f"take {OGG} 0 {draw.randrange(1000, 4000)}"
    yield "wav_whole", f"take {WAV} 0 -1"
    yield "wav_cut", f"take {WAV} 0 201"
    yield "wav_size_zero", f"take {WAV} 0 -1 set 40 00000000"
    yield "wav_size_all_ones", f"take {WAV} 0 -1 set 40 ffffffff"
    yield "wav_header_cut", f"take {WAV} 0 30"
    yield "flac_cut", f"take {FLAC} 0 6000"
    yield "flac_altered", f"take {FLAC} 0 -1 set 5000 5a5a"


def make(recipe):
    words, data = recipe.split(), bytearray()
    while words:
        step = words.pop(0)
        if step == "take":
            name, begin, end = words.pop(0), int(words.pop(0)), int(words.pop(0))
            data += pathlib.Path(name).read_bytes()[begin : None if end < 0 else end]
        elif step == "junk":
            data += b"\x6a" * int(words.pop(0))
        else:
            at, value = int(words.pop(0)), bytes.fromhex(words.pop(0))
            data[at : at + len(value)] = value
    return bytes(data)


def answer(data, folder):
    path = pathlib.Path(folder) / "file"
    path.write_bytes(data)
    try:
        samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return "error"
    parts = np.array_split(samples[:, 0].astype(np.float64), 4) if len(samples) >= 4 else []
    return " ".join([str(len(samples))] + [f"{np.sqrt(np.mean(part * part)):.9g}" for part in parts])


with tempfile.TemporaryDirectory() as folder, open("tests/golden/audio/soundfile_answers.tsv", "w") as out:
    for name, recipe in cases():
        out.write(f"{name}\t{recipe}\t{answer(make(recipe), folder)}\n")
