"""Times Pantanal beside ONNX Runtime (and OpenVINO, LiteRT) on Perch v2, on the same machine, threads and audio, alternating.

    pip install . onnx onnxruntime [openvino] [ai-edge-litert flatbuffers]
    python bench/compare_onnxruntime.py --convert build/release/tools/convert/pantanal-convert [--rounds 9] \
        [--also openvino litert] [--readme README.md]

Full-size model files with seeded random weights are made by tools/fixtures, once, in --files. Every contestant runs in
processes of its own, pinned to as many cores as it has threads; contestants take turns within a round and medians over
rounds are printed. "2 x 1T" is two pinned one-thread processes working at once on their own windows.

`--readme` puts the table between its markers; the project's README has it of
`--only 234 embedding --batches 12 --also openvino`.
"""

import argparse
import dataclasses
import multiprocessing
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
from perch_peers import RUNNERS
from readme_tables import put

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = 160000
CLASSES = 234


@dataclasses.dataclass(frozen=True)
class Contestant:
    engine: str  # of perch_peers.RUNNERS
    graph: str  # a name for the table
    model: pathlib.Path
    outputs: tuple


def make_onnx(path, *options):
    if not path.exists():
        script = ROOT / "tools" / "fixtures" / "make_perch_onnx.py"
        subprocess.run([sys.executable, script, path, "--width", "full", *options], check=True)
    return path


def convert(program, source, target, classes=None):
    """Converts once; the labels of a synthetic file are made up here, to name the rows that are kept."""
    if not target.exists():
        extra = []
        if classes:
            labels, names = source.with_suffix(".labels.csv"), source.with_suffix(".names.txt")
            every = [f"Species {row}" for row in range(14795)]
            labels.write_text("\n".join(["bench", *every]) + "\n")
            names.write_text("\n".join(every[:: 14795 // classes][:classes]) + "\n")
            extra = ["--labels", labels, "--classes", names]
        subprocess.run([program, source, target, *extra], check=True)
    return target


def make_tflite(source, target):
    if not target.exists():
        subprocess.run([sys.executable, ROOT / "bench" / "make_perch_tflite.py", source, target], check=True)
    return target


def contestants(options):
    """Table sections: what is asked for -> who answers."""
    files = options.files
    shipped = make_onnx(files / "shipped.onnx", "--preset", "shipped")
    clean = make_onnx(files / "clean.onnx", "--preset", "clean")
    clean_234 = make_onnx(files / "clean_234.onnx", "--preset", "clean", "--classes", str(CLASSES))
    clean_headless = make_onnx(files / "clean_headless.onnx", "--preset", "clean", "--no-head")
    shipped_headless = make_onnx(files / "shipped_headless.onnx", "--preset", "shipped", "--no-head")
    whole = convert(options.convert, shipped, files / "whole.safetensors")
    kept = convert(options.convert, shipped, files / "kept.safetensors", CLASSES)
    both, embedding = ("embedding", "label"), ("embedding",)
    others_234, others_embedding = [], []
    if "openvino" in options.also:
        others_234.append(Contestant("openvino", "folded, clean, 234 rows, front end of its own operators", clean_234, both))
    if "litert" in options.also:
        others_embedding.append(Contestant("litert", "folded, clean, no head, front end of its own operators",
                                           make_tflite(clean_headless, files / "clean_headless.tflite"), embedding))
    return {
        "whole model, 14,795 classes": [
            Contestant("pantanal", "converted", whole, both),
            Contestant("onnxruntime", "as shipped", shipped, both),
            Contestant("onnxruntime", "folded, clean", clean, both),
        ],
        "234 classes": [
            Contestant("pantanal", "converted, 234 rows kept", kept, both),
            Contestant("onnxruntime", "as shipped, whole", shipped, both),
            Contestant("onnxruntime", "folded, clean, 234 rows", clean_234, both),
            *others_234,
        ],
        "embedding only": [
            Contestant("pantanal", "converted", kept, embedding),
            Contestant("onnxruntime", "as shipped, no head", shipped_headless, embedding),
            Contestant("onnxruntime", "folded, clean, no head", clean_headless, embedding),
            *others_embedding,
        ],
    }


def work(connection, contestant, cores, threads):
    """A worker process: loads, warms up, then times one batch per request."""
    import os

    os.sched_setaffinity(0, cores)
    run = RUNNERS[contestant.engine](contestant.model, contestant.outputs, threads)
    connection.send("ready")
    while (batch := connection.recv()) is not None:
        windows = np.random.default_rng(0).normal(0, 0.1, (batch, SAMPLES)).astype(np.float32)
        run(windows[:1])
        start = time.perf_counter()
        run(windows)
        connection.send((time.perf_counter() - start) / batch)


class Entry:
    """One line of the table: a contestant on a number of threads or processes."""

    def __init__(self, contestant, threads, processes, cores):
        self.contestant, self.threads, self.processes = contestant, threads, processes
        self.times = []
        self.workers = []
        for index in range(processes):
            mine = cores[index : index + 1] if processes > 1 else cores[:threads]
            parent, child = multiprocessing.get_context("spawn").Pipe()
            process = multiprocessing.get_context("spawn").Process(
                target=work, args=(child, contestant, mine, threads), daemon=True
            )
            process.start()
            self.workers.append((parent, process))
        for parent, _ in self.workers:
            parent.recv()

    def turn(self, batch):
        """Seconds per window of all processes together."""
        for parent, _ in self.workers:
            parent.send(batch)
        self.times.append(max(parent.recv() for parent, _ in self.workers) / self.processes)

    def close(self):
        for parent, process in self.workers:
            parent.send(None)
            process.join()

    @property
    def ms(self):
        return 1e3 * statistics.median(self.times)

    @property
    def setting(self):
        return "2 x 1T" if self.processes > 1 else f"{self.threads}T"


def measure(section, people, batch, rounds, cores):
    """The section's lines of the table, printed as well."""
    entries, lines = [], []
    for contestant in people:
        entries += [Entry(contestant, 1, 1, cores), Entry(contestant, 2, 1, cores)]
        if contestant.engine != "pantanal":
            entries.append(Entry(contestant, 1, 2, cores))
    for _ in range(rounds):
        for entry in entries:
            entry.turn(batch)
            time.sleep(0.02)  # lets the others' spinning threads go to sleep
    ours = {entry.threads: entry.ms for entry in entries if entry.contestant.engine == "pantanal"}
    for entry in entries:
        cores_used = 2 if entry.setting == "2 x 1T" else entry.threads
        lines.append(f"| {section} | {batch} | {entry.contestant.engine}, {entry.contestant.graph} | {entry.setting} | "
                     f"{entry.ms:.1f} | {5e3 / entry.ms:.0f} | {entry.ms / ours[cores_used]:.2f} |")
        print(lines[-1], flush=True)
        entry.close()
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--convert", required=True, help="the pantanal-convert program")
    parser.add_argument("--files", type=pathlib.Path, default=pathlib.Path("build/bench-files"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", choices=["whole", "234", "embedding"], default=["whole", "234", "embedding"])
    parser.add_argument("--also", nargs="+", choices=["openvino", "litert"], default=[], help="beside them, if installed")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 12])
    parser.add_argument("--cores", type=int, nargs=2, default=[0, 1])
    parser.add_argument("--readme", type=pathlib.Path, help="put the table between its markers")
    options = parser.parse_args()
    options.files.mkdir(parents=True, exist_ok=True)
    sections = contestants(options)
    lines = ["| what | batch | engine, graph | threads | ms/window | x real time | time / ours |", "|---|---|---|---|---|---|---|"]
    print("\n".join(lines))
    for section, people in sections.items():
        if section.split()[0] not in options.only:
            continue
        for batch in options.batches:
            lines += measure(section, people, batch, options.rounds, options.cores)
    if options.readme:
        put(options.readme, "Perch table", lines)


if __name__ == "__main__":
    main()
