#!/usr/bin/env python3
"""Times epochs of ProtoSSM's training here and in PyTorch, in turns on the same cores, and prints one JSON object.

    python bench/compare_training.py build/bench/bench/proto_ssm_training [--threads 2] [--rounds 3] [--epochs 10] [--folds 5]

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


def start_model(fixtures, data):
    """The reference's start: its distributions, prototypes along their classes' mean projections with dropout on."""
    import torch
    import torch.nn.functional as F

    model = fixtures.models.ProtoSsm(fixtures.FULL).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.12
    model.cross_attn.attn.dropout = 0.12
    with torch.no_grad():
        model.pos_enc.mul_(0.02)
        model.prototypes.mul_(0.02)
        h, labels = model.input_proj(data["emb"].flatten(0, 1)), data["labels"].flatten(0, 1)
        for k in range(labels.shape[1]):
            if (mask := labels[:, k] > 0.5).any():
                model.prototypes[k] = F.normalize(h[mask].mean(0), dim=0)
    return model


def train_epochs(fixtures, data, epochs, draw, published, validation=None):
    """The reference's loop -> the model, its losses, seconds and CPU seconds of each epoch."""
    import torch
    import torch.nn.functional as F

    model = start_model(fixtures, data)
    emb, logits, labels = data["emb"], data["logits"], data["labels"] * 0.97 + 0.015
    ids = torch.full((len(emb),), 3)
    positives = labels.sum((0, 1))
    pos_weight = ((labels.shape[0] * labels.shape[1] - positives) / (positives + 1)).clamp(max=25)
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-4, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 8e-4, epochs=epochs, steps_per_epoch=1, pct_start=0.1 if published else 0.3)
    average, best, losses, seconds, cpu = None, None, [], [], []
    for epoch in range(epochs):
        start, start_cpu = time.perf_counter(), time.process_time()
        model.train()
        mixed = (emb, logits, labels)
        if epoch > 5 or not published:
            share = draw.beta(0.4, 0.4)
            share, partner = max(share, 1 - share), torch.randperm(emb.shape[0])
            mixed = [share * x + (1 - share) * x[partner] for x in mixed]
        species, _, _ = model(mixed[0], mixed[1], ids, ids)
        loss = fixtures.focal_bce(species, mixed[2], pos_weight, 2.5) + 0.15 * F.mse_loss(species, mixed[1])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if validation:
            losses[-1] = F.binary_cross_entropy_with_logits(predict(model, validation), validation["labels"]).item()
        state = model.state_dict()
        if epoch >= int(epochs * 0.65):
            average = {k: v.clone() for k, v in state.items()} if average is None else \
                {k: average[k] + v for k, v in state.items()}
        if losses[-1] == min(losses):
            best = {k: v.clone() for k, v in state.items()}
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    del best
    return model, losses, seconds, cpu


def predict(model, data, shift=0):
    import torch

    model.eval()
    ids = torch.full((len(data["emb"]),), 3)
    with torch.no_grad():
        return model(data["emb"].roll(shift, 1), data["logits"].roll(shift, 1), ids, ids)[0].roll(-shift, 1)


def torch_peer(threads, epochs, seed, path, folds):
    import numpy as np
    import torch

    sys.path.insert(0, str(ROOT / "tests" / "train"))
    import make_training_fixtures as fixtures

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    data, _ = fixtures.make_data(fixtures.FULL)
    if path:
        from safetensors.torch import load_file
        data = {name: load_file(path)[name] for name in ("emb", "logits", "labels")}
    found = {"threads": threads, "epochs": epochs, "torch": torch.__version__}
    start, start_cpu = time.perf_counter(), time.process_time()
    for fold in range(folds):
        out = torch.arange(len(data["emb"])) % folds == fold
        training, held = ({name: x[files] for name, x in data.items()} for files in (~out, out))
        model, losses, _, _ = train_epochs(fixtures, training, epochs, draw, path, held)
        sum(predict(model, held, shift) for shift in (0, 1, -1, 2, -2))
    if folds:
        found |= {"best_s": time.perf_counter() - start, "best_cpu_s": time.process_time() - start_cpu}
        found["median_s"] = found["best_s"]
    else:
        _, losses, seconds, cpu = train_epochs(fixtures, data, epochs, draw, path)
        found |= {"best_s": min(seconds), "median_s": statistics.median(seconds), "best_cpu_s": min(cpu)}
    return found | {"loss": statistics.mean(losses[-10:]), "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare_losses(commands, seeds):
    """The mean loss of the last ten epochs, over the seeds."""
    found = {name: [run([*command, "--seed", str(s)])["loss"] for s in range(1, seeds + 1)] for name, command in commands.items()}
    deviation = statistics.stdev(found["torch"])
    apart = statistics.mean(found["pantanal"]) - statistics.mean(found["torch"])
    print(json.dumps({"losses": found, "means": {n: statistics.mean(x) for n, x in found.items()},
                      "torch's standard deviation": deviation, "apart, in those": apart / deviation}, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, nargs="?")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="of tests/train/make_training_fixtures.py --full")
    parser.add_argument("--losses", type=int, metavar="SEEDS", help="compare what is learnt instead: needs --data, --epochs 80")
    parser.add_argument("--folds", type=int, default=0, help="time the whole out-of-fold run instead of epochs")
    parser.add_argument("--torch-only", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.torch_only:
        print(json.dumps(torch_peer(a.threads, a.epochs, a.seed, a.data, a.folds)))
        return
    shared = ["--threads", str(a.threads), "--epochs", str(a.epochs), "--folds", str(a.folds), *(["--data", a.data] if a.data else [])]
    commands = {"pantanal": [str(a.program), *shared], "torch": [sys.executable, __file__, "--torch-only", *shared]}
    if a.losses:
        compare_losses(commands, a.losses)
        return
    rounds = {name: [] for name in commands}
    for _ in range(a.rounds):
        for name, command in commands.items():
            rounds[name].append(run(command))
    best = {name: min(r["best_s"] for r in rs) for name, rs in rounds.items()}
    median = {name: statistics.median(r["median_s"] for r in rs) for name, rs in rounds.items()}
    cpu = {name: min(r["best_cpu_s"] for r in rs) for name, rs in rounds.items()}
    memory = {name: max(r["peak_rss_mb"] for r in rs) for name, rs in rounds.items()}
    what = "run" if a.folds else "epoch"
    print(json.dumps({"rounds": rounds, f"torch / pantanal, best {what}": best["torch"] / best["pantanal"],
                      f"torch / pantanal, median {what}": median["torch"] / median["pantanal"],
                      f"torch / pantanal, least CPU time of {'a run' if a.folds else 'an epoch'}": cpu["torch"] / cpu["pantanal"],
                      "pantanal / torch, peak memory": memory["pantanal"] / memory["torch"]}, indent=1))


if __name__ == "__main__":
    main()
