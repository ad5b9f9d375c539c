"""The Python examples on sequence models in README.md and docs/sequence_models.md, run from the first to the last."""

import re

import numpy as np
from conftest import ROOT
from test_sequence import write_safetensors

import pantanal


def test_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(4)
    published = pantanal.ProtoSSM(d_model=320, d_state=32, n_ssm_layers=4, meta_dim=24, cross_attn_heads=8, n_families=5)
    for name, model in {"proto_ssm": published, "residual_ssm": pantanal.ResidualSSM(d_model=128, d_state=16)}.items():
        shapes = model.parameter_shapes()
        state = {key: (0.05 * random.standard_normal(shape)).astype(np.float32) for key, shape in shapes.items()}
        write_safetensors(tmp_path / f"{name}.safetensors", {k: np.asarray(v) for k, v in state.items()})
    names = {
        "emb": random.standard_normal((3, 12, 1536)).astype(np.float32),
        "perch_logits": random.standard_normal((3, 12, 234)).astype(np.float32),
        "site_ids": [0, 5, 19],
        "hours": [0, 12, 23],
    }
    text = (ROOT / "docs" / "sequence_models.md").read_text() + (ROOT / "README.md").read_text()
    examples = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "SSM" in code]
    assert len(examples) == 3
    for example in examples:
        exec(example, names)
    assert names["species_logits"].shape == names["final"].shape == (3, 12, 234)
    assert names["family_logits"].shape == (3, 5) and names["h_temporal"].shape == (3, 12, 320)
    assert names["y"].shape == (1, 500, 64) and names["second"].shape == (1, 100, 8)
    assert not np.array_equal(names["first"], names["second"])
