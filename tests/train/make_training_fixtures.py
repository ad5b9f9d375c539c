#!/usr/bin/env python3
"""Writes how PyTorch trains ProtoSSM and ResidualSSM: gradients of the first step, twenty losses, the weights after them.

    python tests/train/make_training_fixtures.py                        # tests/golden/train, reduced, as committed
    python tests/train/make_training_fixtures.py --full --out FOLDER    # the published sizes: 59 files, d 320, 4 layers
    PANTANAL_TRAIN_FIXTURES=FOLDER pantanal_train_test --gtest_filter='*Training*'

Dropout is off, since its draws cannot be shared; mixing is given by its numbers.
"""

import argparse
import importlib.util
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("nn_fixtures", HERE.parent / "nn" / "make_fixtures.py")
models = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(models)

FULL = {"d_input": 1536, "d_model": 320, "d_state": 32, "d_conv": 4, "n_ssm_layers": 4, "n_classes": 234, "n_windows": 12,
        "n_sites": 20, "meta_dim": 24, "use_cross_attn": True, "cross_attn_heads": 8, "n_families": 5, "files": 59}
REDUCED = {"d_input": 22, "d_model": 20, "d_state": 3, "d_conv": 4, "n_ssm_layers": 2, "n_classes": 7, "n_windows": 5,
           "n_sites": 4, "meta_dim": 3, "use_cross_attn": True, "cross_attn_heads": 4, "n_families": 3, "files": 6}
RESIDUAL = {"d_model": 128, "d_state": 16, "meta_dim": 8}
SEVERAL = {"n_prototypes": 2}  # several.safetensors: that, and two layers in ResidualSsm; smaller still where it is reduced
STEPS = 20


def focal_bce(logits, targets, pos_weight, gamma):
    bce = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=pos_weight, reduction="none")
    p = torch.sigmoid(logits)
    pt = targets * p + (1 - targets) * (1 - p)
    return ((1 - pt) ** gamma * bce).mean()


def initialise(model):
    """The published start, but for the parts that start at zero."""
    with torch.no_grad():
        model.pos_enc.mul_(0.02)
        if hasattr(model, "prototypes"):
            model.prototypes.mul_(0.02)
            for p in (model.class_bias, model.fusion_alpha):
                p.add_(torch.randn(p.shape), alpha=0.1)
    return model.train()


def make_data(c):
    shape = (c["files"], c["n_windows"])
    data = {"emb": torch.randn(*shape, c["d_input"]), "logits": torch.randn(*shape, c["n_classes"]) * 2,
            "labels": (torch.rand(*shape, c["n_classes"]) < 0.15).float(),
            "families": (torch.rand(c["files"], c["n_families"]) < 0.4).float()}
    ids = {"site_ids": torch.randint(0, c["n_sites"], (c["files"],)), "hours": torch.randint(0, 24, (c["files"],))}
    return data, ids


def train(model, loss_of, tensors, prefix):
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-4, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-4, epochs=80, steps_per_epoch=1, pct_start=0.1)
    tensors |= {f"{prefix}.start.{n}": p.detach().clone() for n, p in model.named_parameters()}
    losses = []
    for step in range(STEPS):
        loss = loss_of(step)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            tensors |= {f"{prefix}.gradient.{n}": p.grad.clone() for n, p in model.named_parameters()
                        if p.grad is not None}
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    tensors |= {f"{prefix}.end.{n}": p.detach().clone() for n, p in model.named_parameters()}
    return losses


def proto(c, data, ids, with_families, tensors, prefix):
    model = initialise(models.ProtoSsm(c))
    model.cross_attn.ffn[2].p = model.cross_attn.ffn[4].p = model.input_proj[3].p = 0.0
    smooth = data["labels"] * 0.97 + 0.015
    positives = smooth.sum((0, 1))
    pos_weight = ((c["files"] * c["n_windows"] - positives) / (positives + 1)).clamp(max=25)
    partner = torch.randperm(c["files"])
    mixing = [1.0] * 6 + [round(float(x), 6) for x in torch.rand(STEPS - 6) * 0.5 + 0.5]

    def loss_of(step):
        mix = lambda x: mixing[step] * x + (1 - mixing[step]) * x[partner] if step > 5 else x
        emb, logits, labels, families = (mix(x) for x in (data["emb"], data["logits"], smooth, data["families"]))
        species, family, _ = model(emb, logits, ids["site_ids"], ids["hours"])
        loss = focal_bce(species, labels, pos_weight, 2.5) + 0.15 * F.mse_loss(species, logits)
        return loss + 0.1 * F.binary_cross_entropy_with_logits(family, families) if with_families else loss

    losses = train(model, loss_of, tensors, prefix)
    tensors[f"{prefix}.pos_weight"] = pos_weight
    model.eval()
    with torch.no_grad():
        tensors[f"{prefix}.species"] = model(data["emb"], data["logits"], ids["site_ids"], ids["hours"])[0]
    return {"losses": losses, "mixing": mixing, "partner": partner.tolist()}


def residual(c, data, ids, tensors, layers=1):
    c = {**c, **({} if c["d_model"] < 100 else RESIDUAL), "d_scores": c["n_classes"], "n_ssm_layers": layers}
    model = initialise(models.ResidualSsm(c))
    model.input_proj[3].p = 0.0
    target = data["labels"] - torch.sigmoid(data["logits"])

    def loss_of(_):
        return F.mse_loss(model(data["emb"], data["logits"], ids["site_ids"], ids["hours"]), target)

    return {"losses": train(model, loss_of, tensors, "residual"), "config": c}


def write(path, tensors, numbers):
    save_file({n: t.contiguous() for n, t in tensors.items()}, path, {"numbers": json.dumps(numbers)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "golden" / "train")
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    torch.manual_seed(20250313)
    c = FULL if arguments.full else REDUCED
    data, ids = make_data(c)
    tensors = dict(data)
    numbers = {"config": c, **{name: x.tolist() for name, x in ids.items()}}
    numbers["families"] = proto(c, data, ids, True, tensors, "families")
    numbers["species"] = proto(c, data, ids, False, tensors, "species")
    numbers["residual"] = residual(c, data, ids, tensors)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write(arguments.out / "training.safetensors", tensors, numbers)

    c |= SEVERAL if arguments.full else {**SEVERAL, "d_model": 12, "n_ssm_layers": 1}
    data, ids = make_data(c)
    tensors = dict(data)
    numbers = {"config": c, **{name: x.tolist() for name, x in ids.items()}}
    numbers["species"] = proto(c, data, ids, False, tensors, "species")
    numbers["residual"] = residual(c, data, ids, tensors, 2)
    write(arguments.out / "several.safetensors", tensors, numbers)


if __name__ == "__main__":
    main()
