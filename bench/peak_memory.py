"""Peak memory of pantanal-infer on recordings of a minute and of an hour, WAV and Ogg Vorbis.

    python bench/peak_memory.py --infer build/release/tools/infer/pantanal-infer --model perch.safetensors

Needs numpy and soundfile. The recordings are noise with a sweep, made in a temporary folder (an hour of WAV is 230 MB).
Fails if an hour takes more than twice what a minute takes.
"""

import argparse
import os
import pathlib
import sys
import tempfile

import numpy as np
import soundfile

RATE = 32000
KINDS = {"wav": dict(format="WAV", subtype="PCM_16"), "ogg": dict(format="OGG", subtype="VORBIS")}


def write(path, minutes, kind):
    """Second by second, which keeps libsndfile's Vorbis encoder from overflowing its stack."""
    rng = np.random.default_rng(minutes)
    time = np.arange(RATE) / RATE
    with soundfile.SoundFile(path, "w", RATE, 1, **KINDS[kind]) as file:
        for second in range(60 * minutes):
            sweep = np.sin(2 * np.pi * (500 + 2000 * time + 10 * (second % 300)) * time)
            file.write((0.05 * rng.standard_normal(RATE) + 0.2 * sweep).astype(np.float32))


def peak_mib(arguments):
    """MiB; the program must succeed."""
    process = os.posix_spawn(arguments[0], arguments, os.environ)
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(arguments)}: failed")
    return usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", required=True, help="the pantanal-infer program")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", default="2")
    options = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kind in KINDS:
            peaks = []
            for minutes in (1, 60):
                recording = folder / f"{minutes}.{kind}"
                write(recording, minutes, kind)
                peaks.append(peak_mib([options.infer, str(recording), "--model", options.model, "--threads", options.threads,
                                       "--out", str(folder / "o.csv"), "--embeddings", str(folder / "o.npz")]))
                recording.unlink()
            worst = max(worst, peaks[1] / peaks[0])
            print(f"{kind}: {peaks[0]:.0f} MiB for a minute, {peaks[1]:.0f} MiB for an hour, {peaks[1] / peaks[0]:.2f} times")
    sys.exit(0 if worst <= 2 else 1)


if __name__ == "__main__":
    main()
