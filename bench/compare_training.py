#!/usr/bin/env python3
"""Times epochs of ProtoSSM's training here and in PyTorch, in turns on the same cores, and prints one JSON object.

    python bench/compare_training.py build/bench/bench/proto_ssm_training [--threads 2] [--rounds 3] [--epochs 10]

PyTorch runs the reference's loop: full batch, dropout, mixed files, focal and distillation loss, clipping, AdamW. Each round is a
fresh process per side, so that peak memory is each side's own. Use a PyTorch with OpenBLAS or MKL.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def torch_epochs(threads, epochs):
    import torch
    import torch.nn.functional as F

    sys.path.insert(0, str(ROOT / "tests" / "train"))
    import make_training_fixtures as fixtures

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = fixtures.initialise(fixtures.models.ProtoSsm(fixtures.FULL))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.12
    model.cross_attn.attn.dropout = 0.12
    data, ids = fixtures.make_data(fixtures.FULL)
    emb, logits, labels = data["emb"], data["logits"], data["labels"] * 0.97 + 0.015
    positives = labels.sum((0, 1))
    pos_weight = ((labels.shape[0] * labels.shape[1] - positives) / (positives + 1)).clamp(max=25)
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-4, weight_decay=1e-3)
    average, seconds = None, []
    for _ in range(epochs):
        start = time.perf_counter()
        partner = torch.randperm(emb.shape[0])
        mixed = [0.8 * x + 0.2 * x[partner] for x in (emb, logits, labels)]
        species, _, _ = model(mixed[0], mixed[1], ids["site_ids"], ids["hours"])
        loss = fixtures.focal_bce(species, mixed[2], pos_weight, 2.5) + 0.15 * F.mse_loss(species, mixed[1])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = model.state_dict()
        average = {k: v.clone() for k, v in state.items()} if average is None else {k: average[k] + v for k, v in state.items()}
        best = {k: v.clone() for k, v in state.items()}
        seconds.append(time.perf_counter() - start)
    del best
    return {"threads": threads, "epochs": epochs, "best_s": min(seconds), "median_s": statistics.median(seconds),
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "torch": torch.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, nargs="?")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--torch-only", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.torch_only:
        print(json.dumps(torch_epochs(a.threads, a.epochs)))
        return
    shared = ["--threads", str(a.threads), "--epochs", str(a.epochs)]
    commands = {"pantanal": [str(a.program), *shared], "torch": [sys.executable, __file__, "--torch-only", *shared]}
    rounds = {name: [] for name in commands}
    for _ in range(a.rounds):
        for name, command in commands.items():
            rounds[name].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    best = {name: min(r["best_s"] for r in rs) for name, rs in rounds.items()}
    median = {name: statistics.median(r["median_s"] for r in rs) for name, rs in rounds.items()}
    memory = {name: max(r["peak_rss_mb"] for r in rs) for name, rs in rounds.items()}
    print(json.dumps({"rounds": rounds, "torch / pantanal, best epoch": best["torch"] / best["pantanal"],
                      "torch / pantanal, median epoch": median["torch"] / median["pantanal"],
                      "pantanal / torch, peak memory": memory["pantanal"] / memory["torch"]}, indent=1))


if __name__ == "__main__":
    main()
