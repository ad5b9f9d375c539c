"""Training Perch from Python: the loss and a gradient against NumPy, and what a caller sees."""

import numpy as np
import pytest
import tiny_model

import pantanal
from pantanal import training


@pytest.fixture(scope="module")
def audio():
    """24 windows, of classes told apart by their pitch."""
    random, time = np.random.default_rng(3), np.arange(1600) / 32000
    kind = np.arange(24) % 3
    tones = np.sin(2 * np.pi * np.array([1000, 4000, 9000])[kind, None] * time + random.uniform(0, 6, (24, 1)))
    windows = 0.2 * tones + 0.01 * random.standard_normal((24, 1600))
    return windows.astype(np.float32), np.eye(3, dtype=np.float32)[kind]


def bce(logits, labels):
    return np.mean(np.logaddexp(0, logits) - labels * logits)


@pytest.mark.parametrize("last_blocks", [None, 0])
def test_loss_and_gradient_are_those_of_the_scores(model_path, audio, last_blocks):
    windows, labels = audio
    logits = pantanal.Perch(model_path).run(windows)["label"].astype(np.float64)
    inputs = training.perch_inputs(model_path, windows, last_blocks=last_blocks)
    assert inputs.shape == ((24, tiny_model.FRAMES, 12) if last_blocks is None else (24, *tiny_model.SPATIAL_EXTENT, 6))
    loss, gradients = training.perch_loss_and_grads(model_path, inputs, labels, last_blocks=last_blocks)
    assert loss == pytest.approx(bce(logits, labels), rel=1e-5)
    np.testing.assert_allclose(gradients["label.bias"], np.mean(1 / (1 + np.exp(-logits)) - labels, axis=0) / 3, atol=1e-6)
    assert ("stem.weight" in gradients) == (last_blocks is None)


def test_gradients_are_the_losss_slope(tmp_path, audio):
    """Along the gradient of a folded convolution's weight and bias the loss falls as it says."""
    windows, labels = audio
    start = tiny_model.tensors(3)
    paths = [tiny_model.write(tmp_path / "m.safetensors")]
    inputs = training.perch_inputs(paths[0], windows)
    _, gradients = training.perch_loss_and_grads(paths[0], inputs, labels)
    for name in ("blocks.0.project.weight", "blocks.0.se.expand.bias", "stem.bias", "head.weight"):
        gradient = gradients[name].astype(np.float64)
        h = 1e-3 / np.linalg.norm(gradient)
        losses = [training.perch_loss_and_grads(
            tiny_model.write(tmp_path / "n.safetensors", **{name.replace(".", "__"): start[name] + sign * h * gradient}),
            inputs, labels)[0] for sign in (1, -1)]
        assert (losses[0] - losses[1]) / (2 * h) == pytest.approx(np.sum(gradient**2), rel=0.02), name


def test_a_model_from_scratch_learns_what_it_is_shown(tmp_path, audio):
    windows, labels = audio
    first, start, out = (tmp_path / f"{name}.safetensors" for name in ("first", "start", "out"))
    training.initial_perch(first, tiny_model.ARCHITECTURE, ["low", "middle", "high"], seed=1)
    inputs = training.perch_inputs(first, windows)
    training.calibrated_perch(first, start, inputs, labels)
    reports = []
    options = dict(n_epochs=30, lr=1e-2, batch=8, seed=5)
    model = training.train_perch(start, out, inputs, labels, validation=(inputs, labels), progress=reports.append,
                                 threads=2, **options)
    assert [r["epoch"] for r in reports] == list(range(1, 31))
    assert model.history["val_loss"][-1] < 0.5 * model.history["val_loss"][0]
    perch = pantanal.Perch(out)
    assert perch.labels == ["low", "middle", "high"]
    assert (perch.run(windows)["label"].argmax(1) == labels.argmax(1)).all()
    again = training.train_perch(start, tmp_path / "again.safetensors", inputs, labels, validation=(inputs, labels), threads=1,
                                 **options)
    assert (tmp_path / "again.safetensors").read_bytes() == out.read_bytes() and again.history == model.history


def test_last_blocks_with_a_new_label_head(tmp_path, model_path, audio):
    windows, labels = audio
    start, out = tmp_path / "start.safetensors", tmp_path / "out.safetensors"
    training.with_new_label_head(model_path, start, ["Ara", "Boana"], prototypes=3, seed=2)
    inputs = training.perch_inputs(start, windows, last_blocks=0)
    training.train_perch(start, out, inputs, labels[:, :2], last_blocks=0, n_epochs=20, lr=2e-2, batch=8)
    before, after = pantanal.Perch(start), pantanal.Perch(out)
    assert after.labels == ["Ara", "Boana"]
    assert bce(after.run(windows)["label"], labels[:, :2]) < 0.8 * bce(before.run(windows)["label"], labels[:, :2])
    with pytest.raises(ValueError, match="fewer than the model's 1 blocks"):
        training.perch_inputs(start, windows, last_blocks=1)


def test_errors_name_what_is_wrong(tmp_path, model_path, headless_path, audio):
    windows, labels = audio
    inputs, out = training.perch_inputs(model_path, windows), tmp_path / "out.safetensors"

    def train(x=inputs, y=labels, path=model_path, **options):
        return training.train_perch(path, out, x, y, **options)

    with pytest.raises(ValueError, match="the key epochs,"):
        train(epochs=3)
    with pytest.raises(ValueError, match="batch"):
        train(batch=0)
    with pytest.raises(ValueError, match="NaN"):
        train(np.full_like(inputs, np.nan))
    with pytest.raises(ValueError, match=r"labels: found shape \(23, 3\), expected \(24, classes\)"):
        train(y=labels[1:])
    with pytest.raises(ValueError, match="labels, window 0, class 0"):
        train(y=labels + 2)
    with pytest.raises(ValueError, match="inputs: found shape"):
        train(windows)
    with pytest.raises(ValueError, match="inputs"):
        train(inputs[:, 1:])
    with pytest.raises(ValueError, match="label head"):
        train(path=headless_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        train(path=tmp_path / "nowhere.safetensors")
    with pytest.raises(ValueError, match="labels"):
        training.initial_perch(out, tiny_model.ARCHITECTURE, ["one"], seed=0)
    with pytest.raises(ValueError, match="architecture.frontend"):
        training.initial_perch(out, {}, ["one"], seed=0)
    assert not out.exists()
