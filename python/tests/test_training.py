"""Training from Python: gradients and optimiser against PyTorch's committed answers, and what a caller sees."""

import json
import os
import pathlib
import signal
import threading

import numpy as np
import pytest
from pantanal import MismatchError, training

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "train"


def read(name):
    """Tensors and numbers of a fixture."""
    data = (GOLDEN / f"{name}.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    numbers = json.loads(header.pop("__metadata__")["numbers"])
    arrays = {}
    for key, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[key] = np.frombuffer(body[begin:end], np.float32).reshape(entry["shape"])
    return arrays, numbers


def part(arrays, prefix):
    return {name[len(prefix) + 1 :]: value for name, value in arrays.items() if name.startswith(prefix + ".")}


@pytest.fixture(scope="module")
def case():
    arrays, numbers = read("training")
    config = {k: v for k, v in numbers["config"].items() if k != "files"}
    ids = {name: np.array(numbers[name]) for name in ("site_ids", "hours")}
    return arrays, numbers, config, {"emb": arrays["emb"], "labels": arrays["labels"], "logits": arrays["logits"], **ids}


def test_gradients_are_pytorchs(case):
    arrays, numbers, config, files = case
    loss, found = training.proto_ssm_loss_and_grads(part(arrays, "families.start"), config, **files,
                                                    families=arrays["families"], dropout=0)
    assert loss == pytest.approx(numbers["families"]["losses"][0], rel=1e-5)
    expected = part(arrays, "families.gradient")
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        if not name.endswith("in_proj_bias"):
            assert np.linalg.norm(found[name] - gradient) <= 1e-4 * np.linalg.norm(gradient), name


def test_adamw_is_pytorchs():
    arrays, numbers = read("optimisation")
    names = ("weight", "bias", "silent")
    schedule = training.OneCycleLR(8e-3, numbers["adamw"]["steps"], 0.1)
    adamw = training.AdamW({n: arrays[f"adamw.start.{n}"] for n in names}, weight_decay=0.1, max_norm=1.0)
    for step in range(numbers["adamw"]["steps"]):
        gradients = {n: arrays[f"adamw.gradient.{step}.{n}"] for n in names[:2]} | {"silent": np.zeros(4, np.float32)}
        adamw.lr, adamw.beta1 = schedule.lr(step), schedule.beta1(step)
        adamw.step(gradients)
    for name, value in adamw.state_dict().items():
        np.testing.assert_allclose(value, arrays[f"adamw.{step}.{name}"], rtol=0, atol=2e-6)


def test_schedules_are_pytorchs():
    _, numbers = read("optimisation")
    for c in numbers["restarts"]:
        schedule = training.CosineAnnealingWarmRestarts(1e-3, c["t_0"], c["t_mult"], 1e-5)
        assert [schedule.lr(i) for i in range(70)] == pytest.approx([lr for lr, _ in c["steps"]], rel=1e-7)
    with pytest.raises(ValueError, match="no length"):
        training.OneCycleLR(1e-3, 10, 0.1)


def test_training_reports_repeats_and_resumes(case, tmp_path):
    _, _, config, files = case
    state = training.start_prototypes(training.initial_proto_ssm(config, 1), config, files["emb"], files["labels"])
    options = dict(n_epochs=12, lr=5e-3, seed=3, patience=0, mixup_from_epoch=2)
    reports = []
    model = training.train_proto_ssm(state, config, **files, **options, threads=2, progress=reports.append)
    assert [r["epoch"] for r in reports] == list(range(1, 13))
    assert reports[-1]["train_loss"] == model.history["train_loss"][-1] < model.history["train_loss"][0]
    again = training.train_proto_ssm(state, config, **files, **options, threads=1,
                                     checkpoint=str(tmp_path / "c.safetensors"), resume=True)
    resumed = training.train_proto_ssm(state, config, **files, **options, threads=1,
                                       checkpoint=str(tmp_path / "c.safetensors"), resume=True)
    for name, value in model.state.items():
        assert value.tobytes() == again.state[name].tobytes() == resumed.state[name].tobytes(), name
    with pytest.raises(MismatchError, match="c.safetensors"):
        training.train_proto_ssm(state, config, **files, **{**options, "lr": 1e-3},
                                 checkpoint=str(tmp_path / "c.safetensors"), resume=True)


@pytest.fixture
def ctrl_c():
    """Ctrl-C as in a terminal, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_the_epoch_and_keeps_the_state(case, ctrl_c):
    arrays, _, config, files = case
    state, options = part(arrays, "species.start"), dict(n_epochs=20000, patience=0)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    model = training.train_proto_ssm(state, config, **files, **options)
    assert model.interrupted and 0 < len(model.history["train_loss"]) < 20000
    model = training.train_proto_ssm(state, config, **files, **options,
                                     progress=lambda report: report["epoch"] == 3 and signal.raise_signal(signal.SIGINT))
    assert model.interrupted and len(model.history["train_loss"]) == 3
    assert set(model.state) == set(state)


def test_residual_oof_and_ensemble(case):
    arrays, numbers, config, files = case
    residual = {k: v for k, v in numbers["residual"]["config"].items()
                if k in ("d_input", "d_scores", "d_model", "d_state", "n_classes", "n_windows", "n_sites", "meta_dim")}
    target = arrays["labels"] - 1 / (1 + np.exp(-arrays["logits"]))
    model = training.train_residual_ssm(training.initial_residual_ssm(residual, 1), residual, files["emb"],
                                        files["logits"], target, n_epochs=12, lr=5e-3)
    assert len(model.history["val_loss"]) == 12 or model.stopped_early
    found = training.run_proto_ssm_oof(config, **files, groups=["a", "b", "c", "a", "b", "c"], n_epochs=4, shifts=[0, 1])
    assert found.logits.shape == files["labels"].shape and len(found.histories) == 3
    labels = files["labels"].reshape(-1, files["labels"].shape[-1])
    best = training.optimize_ensemble_weight(labels, -labels, labels)
    assert best.auc == 1 and best.weight == pytest.approx(0.55) and len(best.weights) == 21


def test_errors_name_what_is_wrong(case):
    arrays, _, config, files = case
    state = part(arrays, "species.start")

    def train(**changes):
        return training.train_proto_ssm(state, config, **{**files, **changes})

    with pytest.raises(ValueError, match="the key n_epoch,"):
        train(n_epoch=3)
    with pytest.raises(ValueError, match="n_epochs"):
        train(n_epochs=0)
    with pytest.raises(ValueError, match=r"emb, window 0.*NaN"):
        train(emb=np.full_like(files["emb"], np.nan))
    with pytest.raises(ValueError, match="labels"):
        train(labels=files["labels"][:2])
    with pytest.raises(ValueError, match="expected \\(files, windows, d_input\\)"):
        train(emb=files["emb"][0])
    with pytest.raises(ValueError, match="site_ids"):
        train(site_ids=None)
    with pytest.raises(ZeroDivisionError):
        train(progress=lambda report: 1 / 0)
