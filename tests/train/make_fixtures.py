#!/usr/bin/env python3
"""Writes tests/golden/train/optimisation.safetensors: PyTorch's losses, schedules, optimiser steps and weight averages.

    python tests/train/make_fixtures.py

Arrays are tensors; numbers that must keep their digits are JSON in the metadata.
"""

import argparse
import json
import pathlib
import warnings

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from torch import nn
from torch.optim.swa_utils import AveragedModel


def focal_bce(logits, targets, pos_weight, gamma):
    bce = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=pos_weight, reduction="none")
    p = torch.sigmoid(logits)
    pt = targets * p + (1 - targets) * (1 - p)
    return (1 - pt) ** gamma * bce


def species_focal(logits, targets, weights, gamma):
    bce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (1 - torch.exp(-bce)) ** gamma * bce * weights


def losses(generator):
    """Values and gradients in float64, of logits from the usual to the absurd."""
    logits = torch.randn(12, 7, generator=generator) * 4
    logits[0] = torch.tensor([1e4, -1e4, 1e4, -1e4, 88.0, -88.0, 0.0])
    logits[1] = torch.tensor([30.0, -30.0, 1e-6, 700.0, -700.0, 17.0, -17.0])
    targets = (torch.rand(12, 7, generator=generator) < 0.3).float() * 0.97 + 0.015
    targets[0] = torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    pos_weight = torch.rand(7, generator=generator) * 20 + 0.2
    terms = {
        "bce": lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
        "weighted_bce": lambda x, t: F.binary_cross_entropy_with_logits(
            x, t, pos_weight=pos_weight.double(), reduction="none"),
        "focal": lambda x, t: focal_bce(x, t, pos_weight.double(), 2.5),
        "species_focal": lambda x, t: species_focal(x, t, 1.0, 2.5),
        "mse": lambda x, t: F.mse_loss(x, t, reduction="none"),
    }
    tensors = {"logits": logits, "targets": targets, "pos_weight": pos_weight}
    for name, term in terms.items():
        x = logits.double().requires_grad_()
        value = term(x, targets.double())
        value.sum().backward()
        tensors |= {f"{name}.value": value.detach().float(), f"{name}.gradient": x.grad.float()}
    return tensors


def schedules():
    def sequence(make, steps):
        optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))], lr=1e-3)
        scheduler, rows = make(optimizer), []
        for _ in range(steps):
            group = optimizer.param_groups[0]
            rows.append([group["lr"], group["betas"][0]])
            optimizer.step()
            scheduler.step()
        return rows

    def one_cycle(lr, steps, pct):
        return {"max_lr": lr, "total_steps": steps, "pct_start": pct, "steps": sequence(
            lambda o: torch.optim.lr_scheduler.OneCycleLR(o, lr, epochs=steps, steps_per_epoch=1, pct_start=pct), steps)}

    def restarts(t_0, t_mult):
        return {"t_0": t_0, "t_mult": t_mult, "steps": sequence(
            lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, t_0, t_mult, eta_min=1e-5), 70)}

    return {"one_cycle": [one_cycle(8e-4, 80, 0.1), one_cycle(8e-4, 40, 0.1), one_cycle(1e-3, 7, 0.1),
                          one_cycle(5e-3, 61, 0.3), one_cycle(1e-3, 1, 0.1)],
            "restarts": [restarts(20, 1), restarts(5, 2), restarts(1, 3)]}


def adamw(generator, steps=30):
    """Clipped steps under OneCycleLR; `silent` has gradients of zero, `absent` none."""
    shapes = {"weight": (5, 9), "bias": (3,), "silent": (4,), "absent": (6,)}
    parameters = {name: nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in shapes.items()}
    optimizer = torch.optim.AdamW(parameters.values(), lr=8e-3, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, epochs=steps, steps_per_epoch=1, pct_start=0.1)
    tensors = {f"adamw.start.{name}": p.detach().clone() for name, p in parameters.items()}
    norms, ema_decay = [], 0.9
    ema_step = lambda average, value, _: ema_decay * average + (1 - ema_decay) * value
    ema, mean = (AveragedModel(nn.ParameterDict(parameters), avg_fn=fn) for fn in (ema_step, None))
    for step in range(steps):
        scale = 10.0 ** (step % 4 - 2)
        for name, p in parameters.items():
            p.grad = None if name == "absent" else torch.randn(p.shape, generator=generator) * scale
        parameters["silent"].grad.zero_()
        for name in ("weight", "bias"):
            tensors[f"adamw.gradient.{step}.{name}"] = parameters[name].grad.clone()
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)))
        optimizer.step()
        scheduler.step()
        ema.update_parameters(nn.ParameterDict(parameters))
        mean.update_parameters(nn.ParameterDict(parameters))
        if step in (0, 4, steps - 1):
            tensors |= {f"adamw.{step}.{name}": p.detach().clone() for name, p in parameters.items()}
    for kind, model in {"ema": ema, "mean": mean}.items():
        tensors |= {f"{kind}.{name}": p.detach().clone() for name, p in model.module.items()}
    return tensors, {"steps": steps, "norms": norms, "ema_decay": ema_decay}


def evaluation(generator):
    """scikit-learn's AUC with ties and empty classes, its folds of unequal groups, torch's permutation of a split."""
    labels = (torch.rand(40, 6, generator=generator) < 0.3).float()
    labels[:, 2] = 0
    scores = torch.round(torch.randn(40, 6, generator=generator) + labels, decimals=1)
    kept = [k for k in range(6) if labels[:, k].sum() > 0]
    groups = [f"S{n:02d}" for n, size in enumerate([9, 4, 7, 1, 12, 3, 8, 2, 13]) for _ in range(size)]
    folds = [0] * len(groups)
    for fold, (_, held) in enumerate(GroupKFold(5).split(groups, groups=groups)):
        for i in held:
            folds[i] = fold
    order = torch.randperm(59, generator=torch.Generator().manual_seed(123)).tolist()
    auc = roc_auc_score(labels[:, kept].numpy(), scores[:, kept].numpy(), average="macro")
    return {"auc.labels": labels, "auc.scores": scores}, {"auc": auc, "groups": groups, "folds": folds, "randperm": order}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).parent.parent / "golden" / "train"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    generator = torch.Generator().manual_seed(20250312)
    tensors = losses(generator)
    steps, numbers = adamw(generator)
    scores, rest = evaluation(generator)
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors | steps | scores, arguments.out / "optimisation.safetensors",
              {"numbers": json.dumps({"adamw": numbers, **schedules(), **rest})})


if __name__ == "__main__":
    main()
