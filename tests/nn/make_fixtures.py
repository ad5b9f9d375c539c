#!/usr/bin/env python3
"""Writes the fixtures of tests/nn and tests/heads: PyTorch modules of drawn sizes, their inputs and their outputs.

    python tests/nn/make_fixtures.py                                  # tests/golden/nn, as committed
    python tests/nn/make_fixtures.py --out /tmp/large --cases 60 --large   # then PANTANAL_NN_FIXTURES=/tmp/large

One file per layer or model. Metadata "cases": a JSON array of configurations; tensors N.state.*, N.in.*, N.out.* for case N.
"""

import argparse
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn


class SelectiveSsm(nn.Module):
    def __init__(self, d, n, k, mamba=False):
        super().__init__()
        self.k, self.mamba = k, mamba
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
    def __init__(self, d, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.ffn = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Dropout(), nn.Linear(2 * d, d), nn.Dropout())

    def forward(self, x):
        y = self.norm(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.ffn(self.norm2(x))


class Head(nn.Module):
    """What ProtoSsm and ResidualSsm share."""

    def __init__(self, d_input, d, windows, sites, meta):
        super().__init__()
        self.input_proj = nn.Sequential(nn.Linear(d_input, d), nn.LayerNorm(d), nn.GELU(), nn.Dropout())
        self.pos_enc = nn.Parameter(torch.randn(1, windows, d))
        self.site_emb, self.hour_emb = nn.Embedding(sites, meta), nn.Embedding(24, meta)
        self.meta_proj = nn.Linear(2 * meta, d)

    def meta(self, site_ids, hours):
        return self.meta_proj(torch.cat([self.site_emb(site_ids), self.hour_emb(hours)], -1))[:, None]


def bidirectional(x, fwd, bwd, merge, norm):
    return norm(merge(torch.cat([fwd(x), bwd(x.flip(1)).flip(1)], -1)) + x)


class ProtoSsm(Head):
    def __init__(self, c):
        super().__init__(c["d_input"], c["d_model"], c["n_windows"], c["n_sites"], c["meta_dim"])
        d, layers = c["d_model"], range(c["n_ssm_layers"])
        self.ssm_fwd = nn.ModuleList(SelectiveSsm(d, c["d_state"], c["d_conv"]) for _ in layers)
        self.ssm_bwd = nn.ModuleList(SelectiveSsm(d, c["d_state"], c["d_conv"]) for _ in layers)
        self.ssm_merge = nn.ModuleList(nn.Linear(2 * d, d) for _ in layers)
        self.ssm_norm = nn.ModuleList(nn.LayerNorm(d) for _ in layers)
        self.cross_attn = TemporalCrossAttention(d, c["cross_attn_heads"]) if c["use_cross_attn"] else None
        self.prototypes = nn.Parameter(torch.randn(c["n_classes"], d))
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
            h = bidirectional(h, *layer)
        if self.cross_attn is not None:
            h = self.cross_attn(h)
        sim = F.normalize(h, dim=-1) @ F.normalize(self.prototypes, dim=-1).T
        species = sim * F.softplus(self.proto_temp) + self.class_bias
        if logits is not None:
            gate = torch.sigmoid(self.fusion_alpha)
            species = gate * species + (1 - gate) * logits
        families = self.family_head(h.mean(1)) if self.family_head is not None else None
        return species, families, h


class ResidualSsm(Head):
    def __init__(self, c):
        super().__init__(c["d_input"] + c["d_scores"], c["d_model"], c["n_windows"], c["n_sites"], c["meta_dim"])
        d = c["d_model"]
        self.ssm_fwd, self.ssm_bwd = (SelectiveSsm(d, c["d_state"], c["d_conv"]) for _ in range(2))
        self.ssm_merge, self.ssm_norm = nn.Linear(2 * d, d), nn.LayerNorm(d)
        self.output_head = nn.Linear(d, c["n_classes"])

    def forward(self, emb, scores, site_ids, hours):
        h = self.input_proj(torch.cat([emb, scores], -1))
        if site_ids is not None:
            h = h + self.meta(site_ids.clamp(0, self.site_emb.num_embeddings - 1), hours.clamp(0, 23))
        h = h + self.pos_enc[:, : emb.shape[1]]
        return self.output_head(bidirectional(h, self.ssm_fwd, self.ssm_bwd, self.ssm_merge, self.ssm_norm))


class Draw:
    """Sizes of case `index`: the first few are the edges, the others random."""

    def __init__(self, index, large):
        self.index, self.large = index, large

    def between(self, low, high):
        return int(torch.randint(low, high + 1, ()))

    def steps(self):
        edges = [1, 2, 3, 64] if self.large else [1, 3, 2, 19]
        return edges[self.index] if self.index < 4 else self.between(1, 64 if self.large else 24)

    def width(self):
        return self.between(17, 200) if self.large else self.between(3, 21)

    def states(self):
        return self.between(1, 40) if self.large else self.between(1, 9)

    def coin(self):
        return self.index % 2 == 0 if self.index < 4 else self.between(0, 1) == 1


def stir(module):
    """Moves every parameter off its initial value, so that none is 0 or 1, by about a third of a layer's usual scale."""
    with torch.no_grad():
        for parameter in module.parameters():
            alpha = 0.3 / parameter.shape[-1] ** 0.5 if parameter.dim() > 1 else 0.1
            parameter.add_(torch.randn(parameter.shape), alpha=alpha)
    return module.eval()


def linear(draw):
    c = {"in_features": draw.width(), "out_features": draw.width(), "bias": draw.coin()}
    module = stir(nn.Linear(c["in_features"], c["out_features"], bias=c["bias"]))
    x = torch.randn(draw.steps(), c["in_features"])
    return c, module, {"x": x}, {"y": module(x)}


def layer_norm(draw):
    c = {"features": draw.width()}
    module = stir(nn.LayerNorm(c["features"]))
    x = torch.randn(draw.steps(), c["features"]) * 3 + 1
    return c, module, {"x": x}, {"y": module(x)}


def activations(draw):
    c = {"features": draw.width()}
    x = torch.randn(draw.steps(), c["features"]) * 10 ** draw.between(-1, 2)
    return c, nn.Identity(), {"x": x}, {"gelu": F.gelu(x), "silu": F.silu(x), "softplus": F.softplus(x)}


def embedding(draw):
    c = {"num_embeddings": draw.between(1, 30), "dim": draw.width()}
    c["ids"] = [draw.between(0, c["num_embeddings"] - 1) for _ in range(draw.steps())]
    module = nn.Embedding(c["num_embeddings"], c["dim"])
    return c, module, {}, {"y": module(torch.tensor(c["ids"]))}


def causal_conv1d(draw):
    c = {"channels": draw.width(), "kernel": 4 if draw.coin() else draw.between(1, 6)}
    module = stir(nn.Conv1d(c["channels"], c["channels"], c["kernel"], padding=c["kernel"] - 1, groups=c["channels"]))
    x = torch.randn(draw.between(1, 3), draw.steps(), c["channels"])
    run = lambda v: module(v.mT)[..., : v.shape[1]].mT
    return c, module, {"x": x}, {"forwards": run(x), "backwards": run(x.flip(1)).flip(1)}


def selective_ssm(draw):
    c = {"d_model": draw.width(), "d_state": draw.states(), "d_conv": 4 if draw.coin() else draw.between(1, 6)}
    c["mamba"] = not draw.coin()
    module = stir(SelectiveSsm(c["d_model"], c["d_state"], c["d_conv"], c["mamba"]))
    x = torch.randn(draw.between(1, 3), draw.steps(), c["d_model"])
    return c, module, {"x": x}, {"forwards": module(x), "backwards": module(x.flip(1)).flip(1)}


def heads_and_width(draw):
    heads = draw.between(1, 8 if draw.large else 4)
    return heads, heads * draw.between(1, 25 if draw.large else 6)


def multihead_attention(draw):
    heads, d = heads_and_width(draw)
    module = stir(nn.MultiheadAttention(d, heads, batch_first=True))
    x = torch.randn(draw.between(1, 3), draw.steps(), d)
    return {"d_model": d, "heads": heads}, module, {"x": x}, {"y": module(x, x, x, need_weights=False)[0]}


def feed_forward(draw):
    c = {"d_model": draw.width(), "hidden": draw.width()}
    module = stir(nn.Sequential(nn.Linear(c["d_model"], c["hidden"]), nn.GELU(), nn.Dropout(),
                                nn.Linear(c["hidden"], c["d_model"]), nn.Dropout()))
    x = torch.randn(draw.steps(), c["d_model"])
    return c, module, {"x": x}, {"y": module(x)}


def temporal_cross_attention(draw):
    heads, d = heads_and_width(draw)
    module = stir(TemporalCrossAttention(d, heads))
    x = torch.randn(draw.between(1, 3), draw.steps(), d)
    return {"d_model": d, "heads": heads}, module, {"x": x}, {"y": module(x)}


def head_sizes(draw):
    steps = draw.steps()
    c = {"d_input": draw.width() + 5, "d_state": draw.states(), "d_conv": 4, "n_classes": draw.between(2, 20),
         "n_sites": draw.between(1, 20), "meta_dim": draw.between(1, 8), "files": draw.between(1, 4), "steps": steps}
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
    c["cross_attn_heads"], c["d_model"] = heads_and_width(draw)
    c["n_ssm_layers"] = 1 + draw.index % 4
    c["use_cross_attn"] = draw.index % 5 != 4
    c["n_families"] = draw.between(1, 5) if draw.coin() else 0
    c["shifts"] = [0, 1, -1, 2, -2][: draw.between(1, 5)]
    module = stir(ProtoSsm(c))
    emb = torch.randn(c["files"], c["steps"], c["d_input"])
    logits = torch.randn(c["files"], c["steps"], c["n_classes"]) * 3 if draw.index % 3 != 1 else None
    meta = draw_meta(c, draw, 0, 0)
    species, families, h = module(emb, logits, *meta)
    inputs, outputs = {"emb": emb}, {"species": species, "h": h}
    if logits is not None:
        inputs["logits"] = logits
    if families is not None:
        outputs["families"] = families
    rolled = lambda x, shift: None if x is None else x.roll(shift, 1)
    outputs["tta"] = torch.stack([
        module(rolled(emb, s), rolled(logits, s), *meta)[0].roll(-s, 1) for s in c["shifts"]]).mean(0)
    return c, module, inputs, outputs


def residual_ssm(draw):
    c = head_sizes(draw)
    c["d_model"], c["d_scores"] = draw.width(), c["n_classes"]
    module = stir(ResidualSsm(c))
    emb = torch.randn(c["files"], c["steps"], c["d_input"])
    scores = torch.randn(c["files"], c["steps"], c["d_scores"]) * 3
    correction = module(emb, scores, *draw_meta(c, draw, 3, 3))
    return c, module, {"emb": emb, "scores": scores}, {"correction": correction}


LAYERS = [linear, layer_norm, activations, embedding, causal_conv1d, selective_ssm, multihead_attention, feed_forward,
          temporal_cross_attention, proto_ssm, residual_ssm]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "golden" / "nn")
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--seed", type=int, default=20250311)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number, layer in enumerate(LAYERS):
        torch.manual_seed(arguments.seed + number)
        configurations, tensors = [], {}
        for index in range(arguments.cases):
            with torch.no_grad():
                configuration, module, inputs, outputs = layer(Draw(index, arguments.large))
            configurations.append(configuration)
            for part, group in {"state": module.state_dict(), "in": inputs, "out": outputs}.items():
                tensors |= {f"{index}.{part}.{name}": tensor.contiguous() for name, tensor in group.items()}
        save_file(tensors, arguments.out / f"{layer.__name__}.safetensors", {"cases": json.dumps(configurations)})


if __name__ == "__main__":
    main()
