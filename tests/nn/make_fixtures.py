#!/usr/bin/env python3
"""Writes the fixtures of tests/nn and tests/heads: what PyTorch modules of drawn sizes make of their inputs.

    python tests/nn/make_fixtures.py                                  # tests/golden/nn, as committed
    python tests/nn/make_fixtures.py --out large --cases 60 --large   # then PANTANAL_NN_FIXTURES=large

One file per layer or model. Metadata "cases": a JSON array of configurations, one per case. Only outputs are stored, as
tensors N.out.* for case N. Parameters and inputs are made again by whoever reads the file: a configuration's "state" and "in"
are {name: [number, shape, scale, offset]}, and element i of such a tensor is offset + scale*uniform(number, i), see uniform().
"""

import argparse
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn


def uniform(number, count):
    """`count` floats in [-1, 1): multiples of 2^-23 from the top 24 bits of SplitMix64's outputs number*2^32 + i."""
    with np.errstate(over="ignore"):
        z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(number << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


class SelectiveSsm(nn.Module):
    def __init__(self, d, n, k):
        super().__init__()
        self.mamba = False
        self.in_proj = nn.Linear(d, 2 * d, bias=False)
        self.conv1d = nn.Conv1d(d, d, k, padding=k - 1, groups=d)
        self.dt_proj = nn.Linear(d, d)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, n + 1)).repeat(d, 1))
        self.D = nn.Parameter(torch.ones(d))
        self.B_proj = nn.Linear(d, n, bias=False)
        self.C_proj = nn.Linear(d, n, bias=False)
        self.out_proj = nn.Linear(d, d, bias=False)

    def forward(self, x):
        steps = x.shape[1]
        x_ssm, z = self.in_proj(x).chunk(2, -1)
        x_conv = F.silu(self.conv1d(x_ssm.mT)[..., :steps].mT)
        dt, b, c = F.softplus(self.dt_proj(x_conv)), self.B_proj(x_conv), self.C_proj(x_conv)
        a, u = -torch.exp(self.A_log), x_conv if self.mamba else x
        h, y = torch.zeros(x.shape[0], *a.shape), []
        for t in range(steps):
            h = h * torch.exp(dt[:, t, :, None] * a) + u[:, t, :, None] * dt[:, t, :, None] * b[:, t, None]
            y.append((h * c[:, t, None]).sum(-1))
        y = torch.stack(y, 1) + u * self.D
        return self.out_proj(y * F.silu(z)) if self.mamba else y


class TemporalCrossAttention(nn.Module):
    def __init__(self, d, heads, dropout=0.0):
        super().__init__()
        self.attn = nn.MultiheadAttention(d, heads, dropout=dropout, batch_first=True)
        self.norm, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.ffn = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * d, d), nn.Dropout(dropout))

    def forward(self, x):
        y = self.norm(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.ffn(self.norm2(x))


class Head(nn.Module):
    """What ProtoSsm and ResidualSsm share."""

    def __init__(self, d_input, d, windows, sites, meta, dropout):
        super().__init__()
        self.input_proj = nn.Sequential(nn.Linear(d_input, d), nn.LayerNorm(d), nn.GELU(), nn.Dropout(dropout))
        self.pos_enc = nn.Parameter(torch.randn(1, windows, d))
        self.site_emb, self.hour_emb = nn.Embedding(sites, meta), nn.Embedding(24, meta)
        self.meta_proj = nn.Linear(2 * meta, d)

    def meta(self, site_ids, hours):
        return self.meta_proj(torch.cat([self.site_emb(site_ids), self.hour_emb(hours)], -1))[:, None]


def bidirectional(x, drop, fwd, bwd, merge, norm):
    return norm(drop(merge(torch.cat([fwd(x), bwd(x.flip(1)).flip(1)], -1))) + x)


class ProtoSsm(Head):
    """`n_prototypes` per class, the nearest of which decides; parameter `prototypes` is [K, d], or [K, n, d] of several."""

    def __init__(self, c, dropout=0.0):
        super().__init__(c["d_input"], c["d_model"], c["n_windows"], c["n_sites"], c["meta_dim"], dropout)
        d, layers, several = c["d_model"], range(c["n_ssm_layers"]), c.get("n_prototypes", 1)
        self.ssm_fwd = nn.ModuleList(SelectiveSsm(d, c["d_state"], c["d_conv"]) for _ in layers)
        self.ssm_bwd = nn.ModuleList(SelectiveSsm(d, c["d_state"], c["d_conv"]) for _ in layers)
        self.ssm_merge = nn.ModuleList(nn.Linear(2 * d, d) for _ in layers)
        self.ssm_norm = nn.ModuleList(nn.LayerNorm(d) for _ in layers)
        self.ssm_drop = nn.Dropout(dropout)
        self.cross_attn = TemporalCrossAttention(d, c["cross_attn_heads"], dropout) if c["use_cross_attn"] else None
        self.prototypes = nn.Parameter(torch.randn(c["n_classes"], *([several] if several > 1 else []), d))
        self.proto_temp = nn.Parameter(torch.tensor(5.0))
        self.class_bias, self.fusion_alpha = (nn.Parameter(torch.zeros(c["n_classes"])) for _ in range(2))
        self.family_head = nn.Linear(d, c["n_families"]) if c["n_families"] else None
        if c["n_families"]:
            self.register_buffer("class_to_family", torch.zeros(c["n_classes"], dtype=torch.long))

    def forward(self, emb, logits, site_ids, hours):
        h = self.input_proj(emb) + self.pos_enc[:, : emb.shape[1]]
        if site_ids is not None:
            h = h + self.meta(site_ids, hours)
        for layer in zip(self.ssm_fwd, self.ssm_bwd, self.ssm_merge, self.ssm_norm):
            h = bidirectional(h, self.ssm_drop, *layer)
        if self.cross_attn is not None:
            h = self.cross_attn(h)
        sim = F.normalize(h, dim=-1) @ F.normalize(self.prototypes.flatten(0, -2), dim=-1).T
        sim = sim.unflatten(-1, (len(self.prototypes), -1)).max(-1).values
        species = sim * F.softplus(self.proto_temp) + self.class_bias
        if logits is not None:
            gate = torch.sigmoid(self.fusion_alpha)
            species = gate * species + (1 - gate) * logits
        families = self.family_head(h.mean(1)) if self.family_head is not None else None
        return species, families, h


class ResidualSsm(Head):
    """One layer has the reference's names; several are lists of the same modules, as ProtoSsm's."""

    def __init__(self, c, dropout=0.0):
        super().__init__(c["d_input"] + c["d_scores"], c["d_model"], c["n_windows"], c["n_sites"], c["meta_dim"], dropout)
        d, layers = c["d_model"], c.get("n_ssm_layers", 1)
        ssm = lambda: SelectiveSsm(d, c["d_state"], c["d_conv"])
        if layers == 1:
            self.ssm_fwd, self.ssm_bwd = ssm(), ssm()
            self.ssm_merge, self.ssm_norm = nn.Linear(2 * d, d), nn.LayerNorm(d)
        else:
            self.ssm_fwd, self.ssm_bwd = (nn.ModuleList(ssm() for _ in range(layers)) for _ in range(2))
            self.ssm_merge = nn.ModuleList(nn.Linear(2 * d, d) for _ in range(layers))
            self.ssm_norm = nn.ModuleList(nn.LayerNorm(d) for _ in range(layers))
        self.layers, self.ssm_drop = layers, nn.Dropout(dropout)
        self.output_head = nn.Linear(d, c["n_classes"])

    def forward(self, emb, scores, site_ids, hours):
        h = self.input_proj(torch.cat([emb, scores], -1))
        if site_ids is not None:
            h = h + self.meta(site_ids.clamp(0, self.site_emb.num_embeddings - 1), hours.clamp(0, 23))
        h = h + self.pos_enc[:, : emb.shape[1]]
        parts = self.ssm_fwd, self.ssm_bwd, self.ssm_merge, self.ssm_norm
        for layer in [parts] if self.layers == 1 else zip(*parts):
            h = bidirectional(h, self.ssm_drop, *layer)
        return self.output_head(h)


class Draw:
    """Sizes, parameters and inputs of case `index`: the first few sizes are the edges, the others random."""

    def __init__(self, index, cases, large):
        self.index, self.large, self.published = index, large, index == cases - 1
        self.made = index << 8  # tensors of earlier cases have smaller numbers

    def between(self, low, high):
        return int(torch.randint(low, high + 1, ()))

    def steps(self):
        """1 to 64; in small fixtures, which are committed, short sequences are as likely as long ones."""
        if self.index < 4:
            return [1, 2, 3, 64][self.index]
        return self.between(1, 64) if self.large else round(2 ** float(torch.rand(()) * 6))

    def width(self):
        return self.between(17, 200) if self.large else self.between(3, 21)

    def states(self):
        return self.between(1, 40) if self.large else self.between(1, 20)

    def coin(self):
        return self.index % 2 == 0 if self.index < 4 else self.between(0, 1) == 1

    def values(self, group, name, shape, scale=1.0, offset=0.0):
        """A tensor, whose recipe goes to `group`. Scales are powers of two: no digit depends on how it is rounded."""
        assert math.frexp(scale)[0] == 0.5
        group[name] = [self.made, list(shape), scale, offset]
        values = offset + scale * uniform(self.made, math.prod(shape))
        self.made += 1
        return torch.from_numpy(values.astype(np.float32).reshape(shape))

    def input(self, c, name, *shape, scale=2.0, offset=0.0):
        return self.values(c.setdefault("in", {}), name, shape, scale, offset)

    def fill(self, c, module):
        """Draws every parameter, about as large as training leaves them and none of them 0 or 1."""
        state = c.setdefault("state", {})
        for name, parameter in module.named_parameters():
            last, dim = name.split(".")[-1], parameter.dim()
            if last in ("pos_enc", "prototypes", "fusion_alpha") or "_emb." in name:
                scale, offset = 1.0, 0.0
            elif last in ("A_log", "D") or dim == 1 and last == "weight":
                scale, offset = 1.0 if last == "A_log" else 0.25, 1.0
            elif dim == 0:
                scale, offset = 0.5, 5.0
            else:
                scale, offset = 2.0 ** -round(math.log2(parameter[0].numel()) / 2) if dim > 1 else 0.25, 0.0
            parameter.data.copy_(self.values(state, name, parameter.shape, scale, offset))
        return module.eval()


def linear(draw):
    c = {"in_features": draw.width(), "out_features": draw.width(), "bias": draw.coin()}
    module = draw.fill(c, nn.Linear(c["in_features"], c["out_features"], bias=c["bias"]))
    x = draw.input(c, "x", draw.steps(), c["in_features"])
    return c, {"y": module(x)}


def layer_norm(draw):
    c = {"features": draw.width()}
    module = draw.fill(c, nn.LayerNorm(c["features"]))
    x = draw.input(c, "x", draw.steps(), c["features"], scale=4.0, offset=1.0)
    return c, {"y": module(x)}


def activations(draw):
    c = {"features": draw.width()}
    x = draw.input(c, "x", draw.steps(), c["features"], scale=2.0 ** draw.between(-3, 7))
    return c, {"gelu": F.gelu(x), "silu": F.silu(x), "softplus": F.softplus(x)}


def embedding(draw):
    c = {"num_embeddings": draw.between(1, 30), "dim": draw.width()}
    c["ids"] = [draw.between(0, c["num_embeddings"] - 1) for _ in range(draw.steps())]
    module = draw.fill(c, nn.Embedding(c["num_embeddings"], c["dim"]))
    return c, {"y": module(torch.tensor(c["ids"]))}


def causal_conv1d(draw):
    c = {"channels": draw.width(), "kernel": 4 if draw.coin() else draw.between(1, 6)}
    channels, kernel = c["channels"], c["kernel"]
    module = draw.fill(c, nn.Conv1d(channels, channels, kernel, padding=kernel - 1, groups=channels))
    x = draw.input(c, "x", draw.between(1, 2), draw.steps(), channels)
    run = lambda v: module(v.mT)[..., : v.shape[1]].mT
    return c, {"forwards": run(x), "backwards": run(x.flip(1)).flip(1)}


def selective_ssm(draw):
    c = {"d_model": draw.width(), "d_state": draw.states(), "d_conv": 4 if draw.coin() else draw.between(1, 6)}
    module = draw.fill(c, SelectiveSsm(c["d_model"], c["d_state"], c["d_conv"]))
    x = draw.input(c, "x", draw.between(1, 2), draw.steps(), c["d_model"])
    outputs = {}
    for module.mamba in (False, True):
        form = "mamba" if module.mamba else "notebook"
        outputs[f"{form}_forwards"], outputs[f"{form}_backwards"] = module(x), module(x.flip(1)).flip(1)
    return c, outputs


def heads_and_width(draw):
    """Heads, and a multiple of them from 5 up: LayerNorm makes next to nothing of one or two features."""
    heads = draw.between(1, 8 if draw.large else 4)
    return heads, heads * draw.between(-(-5 // heads), 25 if draw.large else 6)


def multihead_attention(draw):
    heads, d = heads_and_width(draw)
    c = {"d_model": d, "heads": heads}
    module = draw.fill(c, nn.MultiheadAttention(d, heads, batch_first=True))
    x = draw.input(c, "x", draw.between(1, 2), draw.steps(), d)
    return c, {"y": module(x, x, x, need_weights=False)[0]}


def feed_forward(draw):
    c = {"d_model": draw.width(), "hidden": draw.width()}
    module = draw.fill(c, nn.Sequential(nn.Linear(c["d_model"], c["hidden"]), nn.GELU(), nn.Dropout(),
                                        nn.Linear(c["hidden"], c["d_model"]), nn.Dropout()))
    x = draw.input(c, "x", draw.steps(), c["d_model"])
    return c, {"y": module(x)}


def temporal_cross_attention(draw):
    heads, d = heads_and_width(draw)
    c = {"d_model": d, "heads": heads}
    module = draw.fill(c, TemporalCrossAttention(d, heads))
    x = draw.input(c, "x", draw.between(1, 2), draw.steps(), d)
    return c, {"y": module(x)}


def head_sizes(draw):
    """What both heads have; one case has the published run's sizes."""
    if draw.published:
        return {"d_input": 1536, "d_state": 32, "d_conv": 4, "n_classes": 234, "n_sites": 20, "meta_dim": 24, "files": 1,
                "steps": 12, "n_windows": 12}
    steps = draw.steps()
    c = {"d_input": draw.width() + 5, "d_state": draw.states(), "d_conv": 4, "n_classes": draw.between(2, 20),
         "n_sites": draw.between(1, 20), "meta_dim": draw.between(1, 8), "files": draw.between(1, 3), "steps": steps}
    c["n_windows"] = steps + draw.between(0, 3)
    return c


def draw_meta(c, draw, low, high):
    """Site ids and hours, `low` below and `high` above what has embeddings, or neither."""
    if not draw.coin():
        return None, None
    c["site_ids"] = [draw.between(-low, c["n_sites"] - 1 + high) for _ in range(c["files"])]
    c["hours"] = [draw.between(-low, 23 + high) for _ in range(c["files"])]
    return torch.tensor(c["site_ids"]), torch.tensor(c["hours"])


def proto_ssm(draw):
    c = head_sizes(draw)
    c["cross_attn_heads"], c["d_model"] = (8, 320) if draw.published else heads_and_width(draw)
    c["n_ssm_layers"] = 4 if draw.published else 1 + draw.index % 4
    c["use_cross_attn"] = draw.published or draw.index % 5 != 4
    c["n_families"] = 5 if draw.published else draw.between(2, 5) if draw.coin() else 0
    c["shifts"] = [0, 1, -1, 2, -2][: 5 if draw.published else draw.between(1, 5)]
    return run_proto_ssm(c, draw)


def run_proto_ssm(c, draw):
    module = draw.fill(c, ProtoSsm(c))
    emb = draw.input(c, "emb", c["files"], c["steps"], c["d_input"])
    logits = draw.input(c, "logits", c["files"], c["steps"], c["n_classes"], scale=4.0) if draw.index % 3 != 1 else None
    meta = draw_meta(c, draw, 0, 0)
    species, families, h = module(emb, logits, *meta)
    outputs = {"species": species, "h": h}
    if families is not None:
        outputs["families"] = families
    rolled = lambda x, shift: None if x is None else x.roll(shift, 1)
    outputs["tta"] = torch.stack([
        module(rolled(emb, s), rolled(logits, s), *meta)[0].roll(-s, 1) for s in c["shifts"]]).mean(0)
    return c, outputs


def residual_ssm(draw):
    c = head_sizes(draw)
    c["d_model"], c["d_scores"] = 128 if draw.published else draw.width(), c["n_classes"]
    if draw.published:
        c |= {"d_state": 16, "meta_dim": 8}
    return run_residual_ssm(c, draw)


def run_residual_ssm(c, draw):
    module = draw.fill(c, ResidualSsm(c))
    emb = draw.input(c, "emb", c["files"], c["steps"], c["d_input"])
    scores = draw.input(c, "scores", c["files"], c["steps"], c["d_scores"], scale=4.0)
    return c, {"correction": module(emb, scores, *draw_meta(c, draw, 3, 3))}


def several_prototypes(draw):
    """ProtoSsm with 2 to 4 prototypes per class; small sizes, the published run's are in proto_ssm."""
    heads = draw.between(1, 3)
    c = {"d_input": draw.width(), "d_model": heads * 2 * draw.between(2, 5), "d_state": draw.states(), "d_conv": 4,
         "n_ssm_layers": draw.between(0, 2), "n_classes": draw.between(2, 20), "n_windows": 12, "n_sites": 4, "meta_dim": 3,
         "use_cross_attn": draw.coin(), "cross_attn_heads": heads, "n_families": 0, "n_prototypes": 2 + draw.index % 3,
         "files": draw.between(1, 2), "steps": draw.between(1, 12), "shifts": [0, 1, -1]}
    return run_proto_ssm(c, draw)


def several_residual_layers(draw):
    c = {"d_input": draw.width(), "d_model": draw.width() + 4, "d_state": draw.states(), "d_conv": 4,
         "n_ssm_layers": 2 + draw.index % 3, "n_classes": draw.between(2, 20), "n_windows": 12, "n_sites": 4, "meta_dim": 3,
         "files": draw.between(1, 2), "steps": draw.between(1, 12)}
    return run_residual_ssm(c | {"d_scores": c["n_classes"]}, draw)


LAYERS = [linear, layer_norm, activations, embedding, causal_conv1d, selective_ssm, multihead_attention, feed_forward,
          temporal_cross_attention, proto_ssm, residual_ssm, several_prototypes, several_residual_layers]
FEW = {"several_prototypes": 12, "several_residual_layers": 12}  # cases of those that others are most of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "golden" / "nn")
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--seed", type=int, default=20250311)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number, layer in enumerate(LAYERS):
        torch.manual_seed(arguments.seed + number)
        configurations, tensors = [], {}
        cases = min(arguments.cases, FEW.get(layer.__name__, arguments.cases))
        for index in range(cases):
            with torch.no_grad():
                configuration, outputs = layer(Draw(index, cases, arguments.large))
            configurations.append(configuration)
            tensors |= {f"{index}.out.{name}": tensor.contiguous() for name, tensor in outputs.items()}
        text = json.dumps(configurations, separators=(",", ":"))
        path = arguments.out / f"{layer.__name__}.safetensors"
        save_file(tensors, path, {"cases": text})
        path.chmod(0o644)


if __name__ == "__main__":
    main()
