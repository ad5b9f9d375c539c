#!/usr/bin/env python3
"""Times `pantanal-infer submit --train-from-cache` beside the same job in Python, in turns on the same cores and soundscapes.

    python bench/compare_submit.py --bin build/release/tools [--files FOLDER] [--test 24] [--threads 2] [--rounds 2]

The job is the notebook's: train on cached Perch outputs of 59 soundscapes, then predict the test soundscapes, 234 classes and Perch at
its full size with seeded random weights. All models are trained for all their epochs on both sides. What Python does is in
bench/submit_peer.py; it runs Perch as shipped and, for comparison, a graph with BatchNorm folded and all labels, and one with only 234
labels. Needs onnxruntime, torch, scikit-learn, soundfile and onnx. Prints a table by stage and the ratio of whole jobs, and with
--scale N what N soundscapes would take.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LABELS, EPOCHS, RESIDUAL_EPOCHS = 14795, 80, 40
CONFIG = {"preset": "v5-run", "proto_ssm_train": {"patience": 1000}, "residual_ssm": {"patience": 1000, "skip_after_s": 0}}

# A row of the table: what both sides call it.
STAGES = {
    "training: base scores": (("train: base",), ("train: base",)),
    "training: ProtoSSM, 80 epochs": (("train: proto_ssm",), ("train: ProtoSSM",)),
    "training: probes": (("train: probes",), ("train: probes",)),
    "training: ResidualSSM, 40 epochs": (("train: residual_ssm",), ("train: ResidualSSM",)),
    "decoding": (("decode",), ("decode",)),
    "Perch": (("perch", "wait_for_decode"), ("perch, {graph}",)),
    "fusion and probes": (("probes",), ("fusion and probes",)),
    "ProtoSSM, 5 shifts": (("proto_ssm", "proto_ssm_shifts"), ("ProtoSSM, 5 shifts",)),
    "ResidualSSM": (("residual_ssm",), ("ResidualSSM",)),
    "post-processing": (("postprocess",), ("post-processing",)),
    "loading, writing": (("load", "rest"), ("load {graph}", "write")),
}
PER_FILE = ("decoding", "Perch", "fusion and probes", "ProtoSSM, 5 shifts", "ResidualSSM", "post-processing")
BESIDE = ("decoding",)  # ours decodes beside the rest


def label_names():
    """As Perch's: a few species to a genus, so that a genus' proxy is cheap."""
    return [f"Genus{i // 5} species{i}" for i in range(LABELS)]


def make_files(options):
    """Graphs, the converted model, a competition and a cache; made once."""
    files, run = options.files, lambda *command: subprocess.run([str(c) for c in command], check=True)
    files.mkdir(parents=True, exist_ok=True)
    graphs = {"as shipped": files / "shipped.onnx", "folded": files / "clean.onnx", "folded, 234 labels": files / "clean_234.onnx"}
    for (_, path), more in zip(graphs.items(), (["shipped"], ["clean"], ["clean", "--classes", "234"])):
        if not path.exists():
            run(sys.executable, ROOT / "tools/fixtures/make_perch_onnx.py", path, "--width", "full", "--preset", *more)
    labels, perch, data, cache = files / "submit.labels.csv", files / "submit.safetensors", files / "submit", files / "submit_cache"
    labels.write_text("\n".join(["label", *label_names()]) + "\n")
    if not perch.exists():
        run(options.bin / "convert/pantanal-convert", graphs["as shipped"], perch, "--labels", labels)
    if not data.exists():
        run(options.bin / "synthetic/make_synthetic_competition", data, "--perch", perch, "--train", 59, "--partial", 7,
            "--test", options.test)
    config = files / "submit.json"
    config.write_text(json.dumps(CONFIG))
    if not (cache / "full_perch_arrays.npz").exists():
        run(options.bin / "train/pantanal-train", "--data", data, "--perch", perch, "--cache", cache, "--out", files / "heads",
            "--config", config, "--threads", options.threads)
    return graphs, perch, data, cache, config


def ours(options, perch, data, cache, config, **_):
    out = options.files / "ours.csv"
    subprocess.run([*options.prefix.split(), *(str(part) for part in (
        options.bin / "infer/pantanal-infer", "submit", "--data", data, "--perch", perch, "--heads", options.files / "heads", "--out", out,
        "--logs", f"{out}.json", "--train-from-cache", cache, "--config", config, "--threads", options.threads))],
        check=True, stderr=subprocess.DEVNULL)
    log = json.loads(pathlib.Path(f"{out}.json").read_text())
    seconds = log["timings"]
    seconds |= {f"train: {stage}": value for stage, value in seconds.pop("training").items()}
    known = sum(seconds[stage] for row in STAGES.values() for stage in row[0] if stage in seconds and stage != "decode")
    return seconds | {"rest": seconds["total"] - known}


def theirs(options, **_):
    seconds = {}
    for part in ("proto", "probes", "predict"):
        command = [*options.prefix.split(), sys.executable, __file__, "--bin", options.bin, "--files", options.files, "--threads",
                   options.threads, "--peer-epochs", options.peer_epochs, "--peer-probes", options.peer_probes, "--peer", part]
        seconds |= json.loads(subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(part, json.dumps(seconds), file=sys.stderr, flush=True)
    return seconds


def seconds_of(row, side, seconds, graph=None):
    return sum(seconds.get(stage.format(graph=graph), 0) for stage in STAGES[row][side])


def table(options, graphs, found, files):
    """Lines of the table, and seconds of a whole job with each graph, for `files` soundscapes."""
    median = [{key: statistics.median(r[key] for r in rounds) for key in rounds[0]} for rounds in found]
    columns = [(0, None), *((1, graph) for graph in graphs)]
    totals, lines = [0.0] * len(columns), []
    for row in STAGES:
        cells = []
        for i, (side, graph) in enumerate(columns):
            seconds = seconds_of(row, side, median[side], graph) * (files / options.test if row in PER_FILE else 1)
            totals[i] += 0 if side == 0 and row in BESIDE else seconds
            cells.append(f"({seconds:.1f})" if side == 0 and row in BESIDE else f"{seconds:.1f}")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    lines.append(f"| whole job, {files} soundscapes | " + " | ".join(f"{t:.1f}" for t in totals) + " |")
    lines.append("| x real time | " + " | ".join(f"{60 * files / t:.0f}" for t in totals) + " |")
    lines.append("| time / ours | " + " | ".join(f"{t / totals[0]:.2f}" for t in totals) + " |")
    return ["| stage, s | pantanal | " + " | ".join(f"Python, Perch {g}" for g in graphs) + " |",
            "|---" * (len(columns) + 1) + "|", *lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--files", type=pathlib.Path, default=ROOT / "build" / "bench-files")
    parser.add_argument("--test", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--scale", type=int, nargs="*", default=[])
    parser.add_argument("--prefix", default="", help="a command to run each timed program under")
    parser.add_argument("--peer-epochs", type=int, default=EPOCHS, help="of ProtoSSM in Python; the others are reckoned by them")
    parser.add_argument("--peer-probes", type=int, default=100000, help="in Python; the others are reckoned by them")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    graphs, perch, data, cache, config = make_files(options)
    if options.peer:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)  # scikit-learn's BLAS
        import submit_peer

        print(json.dumps(submit_peer.submit(options.peer, data, cache, label_names(), graphs, options.files, options.threads, EPOCHS,
                                            RESIDUAL_EPOCHS, {"epochs": options.peer_epochs, "probes": options.peer_probes})))
        return
    found = [[], []]
    for _ in range(options.rounds):
        for side, run in enumerate((ours, theirs)):
            found[side].append(run(options, graphs=graphs, perch=perch, data=data, cache=cache, config=config))
            print(json.dumps(found[side][-1]), file=sys.stderr, flush=True)
    for files in (options.test, *options.scale):
        print("\n".join(table(options, graphs, found, files)) + "\n")


if __name__ == "__main__":
    main()
