#!/usr/bin/env python3
"""What each difference between the presets v5-run and recommended is worth on synthetic competitions: a table for docs/competition.md.

    python bench/ablation.py --bin build/release/tools --perch weights/demo/perch.safetensors [--seeds 5] [--full]

For each seed a competition of its own, Perch's outputs cached once, then heads trained in train mode with v5-run, with each key that
differs in recommended switched on alone, with all of them, and with some alternatives; each submission is scored on the test
soundscapes' labels: macro ROC-AUC and padded cmAP (five rows of ones added, as BirdCLEF did), over classes with a positive. Differences to v5-run are taken seed by seed.
Heads are small and quickly trained unless --full is given; probes are not with --full-probes. Needs scikit-learn.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import tempfile

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

SMALL = {"proto_ssm": {"d_model": 64, "d_state": 8, "n_ssm_layers": 2, "meta_dim": 8, "cross_attn_heads": 4},
         "residual_ssm": {"d_model": 32, "d_state": 8}}
SMALL_PROBES = {"mlp": {"hidden_layer_sizes": [64, 32]}, "probe": {"pca_dim": 32}}


# What recommended does not do, to compare with what it does.
ALTERNATIVES = {'`probe.balance` = "weights"': {"probe": {"balance": "weights"}},
                '`probe.balance` = "copies_after_split"': {"probe": {"balance": "copies_after_split"}},
                '`probe.balance` = "copies_after_split", `mlp.validation_score` = "log_loss"':
                    {"probe": {"balance": "copies_after_split"}, "mlp": {"validation_score": "log_loss"}}}


def merged(*configs):
    result = {}
    for config in configs:
        for key, value in config.items():
            result[key] = merged(result.get(key, {}), value) if isinstance(value, dict) else value
    return result


def differences(old, new, above=()):
    """[(path of keys, value)] of what differs in `new`."""
    found = []
    for key, value in new.items():
        if isinstance(value, dict):
            found += differences(old.get(key, {}), value, (*above, key))
        elif old.get(key) != value:
            found.append(((*above, key), value))
    return found


def nested(path, value):
    return {path[0]: nested(path[1:], value)} if path else value


class Ablation:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        presets = {}
        for name in ("v5-run", "recommended"):
            text = subprocess.run([options.bin / "train/pantanal-train", "--print-config", "--config", name], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
            presets[name] = json.loads(text)
        switched = differences(presets["v5-run"], presets["recommended"])
        self.variants = {"v5-run": {}}
        self.variants |= {f"`{'.'.join(path)}` = {json.dumps(value)}": nested(path, value) for path, value in switched}
        self.variants["all of them: `recommended`"] = merged(*(nested(path, value) for path, value in switched))
        self.variants |= ALTERNATIVES

    def run(self, program, *arguments):
        subprocess.run([str(self.options.bin / program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def scores(self, seed):
        """{variant: (macro AUC, padded cmAP)}"""
        o, data = self.options, self.folder / f"data{seed}"
        self.run("synthetic/make_synthetic_competition", data, "--perch", o.perch, "--classes", o.classes, "--train", o.train,
                 "--partial", 5, "--test", o.test, "--seed", seed)
        found = {}
        for number, (name, changes) in enumerate(self.variants.items()):
            config, heads, out = (self.folder / f"{seed}_{number}.{end}" for end in ("json", "safetensors", "csv"))
            sizes = {} if o.full else SMALL if o.full_probes else merged(SMALL, SMALL_PROBES)
            config.write_text(json.dumps(merged({"preset": "v5-run"}, sizes, {"proto_ssm_train": {"seed": seed}}, changes)))
            self.run("train/pantanal-train", "--data", data, "--perch", o.perch, "--cache", self.folder / f"cache{seed}", "--out", heads,
                     "--mode", "train", "--config", config, "--logs", f"{heads}.json", "--threads", o.threads)
            self.run("infer/pantanal-infer", "submit", "--data", data, "--perch", o.perch, "--heads", heads, "--out", out, "--logs",
                     f"{out}.json", "--threads", o.threads)
            found[name] = score(data, out)
            print(seed, name, *(f"{x:.4f}" for x in found[name]), flush=True)
        return found


def score(data, submission):
    with open(submission, newline="") as file:
        header, *rows = csv.reader(file)
    classes, row_of = {name: i for i, name in enumerate(header[1:])}, {row[0]: i for i, row in enumerate(rows)}
    scores = np.array([row[1:] for row in rows], np.float64)
    truth = np.zeros(scores.shape, np.uint8)
    with open(data / "test_soundscapes_labels.csv", newline="") as file:
        for filename, _, end, labels in list(csv.reader(file))[1:]:
            hours, minutes, seconds = map(int, end.split(":"))
            row = row_of[f"{filename.removesuffix('.ogg')}_{3600 * hours + 60 * minutes + seconds}"]
            for label in filter(None, labels.split(";")):
                truth[row, classes[label]] = 1
    heard = np.flatnonzero(truth.any(axis=0))
    ones = np.ones((5, len(heard)))
    padded_truth, padded = np.vstack([truth[:, heard], ones]), np.vstack([scores[:, heard], ones])
    return (roc_auc_score(truth[:, heard], scores[:, heard], average="macro"),
            average_precision_score(padded_truth, padded, average="macro"))


def mean_and_error(values):
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{statistics.mean(values):+.4f} ± {error:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--perch", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--classes", type=int, default=40)
    parser.add_argument("--train", type=int, default=59)
    parser.add_argument("--test", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="heads of the published sizes")
    parser.add_argument("--full-probes", action="store_true", help="probes of the published sizes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ablation = Ablation(options, pathlib.Path(folder))
        found = [ablation.scores(seed) for seed in range(options.first_seed, options.first_seed + options.seeds)]
    print(f"\n| {options.seeds} seeds | macro AUC | to v5-run | padded cmAP | to v5-run |\n|---|---|---|---|---|")
    for name in found[0]:
        cells = []
        for metric in (0, 1):
            values = [f[name][metric] for f in found]
            cells += [f"{statistics.mean(values):.4f}",
                      "" if name == "v5-run" else mean_and_error([f[name][metric] - f["v5-run"][metric] for f in found])]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
