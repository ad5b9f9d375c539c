"""pantanal.Perch: results, and what it refuses."""

import multiprocessing
import pickle
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
import tiny_model

import pantanal


def test_describes_the_model(perch, headless_path):
    assert perch.labels == tiny_model.LABELS
    assert perch.architecture == tiny_model.ARCHITECTURE
    assert "3 classes, 2 threads" in repr(perch)
    assert pantanal.Perch(headless_path).labels == []


def test_what_it_returns_is_a_copy(perch):
    perch.labels.clear()
    perch.architecture["frontend"]["samples"] = 7
    assert perch.labels == tiny_model.LABELS
    assert perch.architecture == tiny_model.ARCHITECTURE


def test_gives_all_outputs(perch, windows):
    outputs = perch.run(windows)
    shapes = {name: array.shape for name, array in outputs.items()}
    assert shapes == {
        "embedding": (5, 10),
        "spatial_embedding": (5, *tiny_model.SPATIAL_EXTENT, 10),
        "spectrogram": (5, tiny_model.FRAMES, 12),
        "label": (5, 3),
    }
    for array in outputs.values():
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
        assert array.flags.c_contiguous and array.flags.writeable
    mean = outputs["spatial_embedding"].mean(axis=(1, 2))
    np.testing.assert_allclose(outputs["embedding"], mean, rtol=1e-5, atol=1e-6)


def test_spectrogram_is_what_the_formula_gives(perch, windows):
    weights = tiny_model.tensors(3)
    padded = np.pad(windows.astype(np.float64), ((0, 0), (16, 16)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 64, axis=1)[:, ::32]
    magnitudes = np.abs(np.fft.rfft(frames * weights["frontend.window"]))
    expected = 0.1 * np.log(np.maximum(magnitudes @ weights["frontend.mel"], 1e-5))
    np.testing.assert_allclose(perch.run(windows)["spectrogram"], expected, rtol=0, atol=1e-5)


def test_label_is_what_the_formula_gives(perch, windows):
    weights = tiny_model.tensors(3)
    outputs = perch.run(windows)
    x = outputs["spatial_embedding"].reshape(5, -1, 10).astype(np.float64)
    directions = x / (np.linalg.norm(x, axis=-1, keepdims=True) + 1e-5)
    similarities = np.einsum("nsc,kpc->nskp", directions, weights["label.prototypes"]).max(axis=1)
    expected = (similarities * weights["label.scale"]).sum(axis=-1) + weights["label.bias"]
    np.testing.assert_allclose(outputs["label"], expected, rtol=0, atol=2e-5)


def test_gives_only_what_is_wanted(perch, windows):
    everything = perch.run(windows)
    for names in (["label"], ["spectrogram", "embedding"], ("spatial_embedding",)):
        some = perch.run(windows, outputs=names)
        assert list(some) == list(names)
        for name in names:
            np.testing.assert_array_equal(some[name], everything[name])
    np.testing.assert_array_equal(perch.embed(windows), everything["embedding"])


def test_has_no_label_without_a_head(headless_path, windows):
    outputs = pantanal.Perch(headless_path).run(windows)
    assert sorted(outputs) == ["embedding", "spatial_embedding", "spectrogram"]
    with pytest.raises(ValueError, match="found 'label', expected some of embedding"):
        pantanal.Perch(headless_path).run(windows, outputs=["label"])


def test_takes_any_number_of_windows(perch, windows):
    together = perch.embed(windows)
    assert perch.embed(windows[:0]).shape == (0, 10)
    for i in range(5):
        np.testing.assert_array_equal(perch.embed(windows[i : i + 1]), together[i : i + 1])
    many = perch.embed(np.tile(windows, (30, 1)))
    np.testing.assert_array_equal(many, np.tile(together, (30, 1)))


def test_takes_floats_however_they_lie(perch, windows):
    expected = perch.embed(windows)
    transposed = np.asfortranarray(windows)
    strided = np.repeat(windows, 2, axis=1)[:, ::2]
    readonly = windows.copy()
    readonly.flags.writeable = False
    swapped = windows.astype(">f4")
    for x in (transposed, strided, readonly, swapped, windows.astype(np.float64), windows.tolist()):
        np.testing.assert_array_equal(perch.embed(x), expected)
    assert perch.embed(windows.astype(np.float16)).shape == expected.shape


def test_leaves_its_input_alone(perch, windows):
    before = windows.copy()
    perch.run(windows)
    np.testing.assert_array_equal(windows, before)


@pytest.mark.parametrize(
    "shape, words",
    [
        ((1600,), r"\(1600,\), expected \(n, 1600\); x\[None\]"),
        ((2, 1599), r"\(2, 1599\), expected \(n, 1600\)"),
        ((2, 1600, 1), r"\(2, 1600, 1\), expected"),
        ((), r"\(\), expected"),
        ((0,), r"\(0,\), expected"),
    ],
)
def test_refuses_other_shapes(perch, shape, words):
    with pytest.raises(ValueError, match=words):
        perch.run(np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "bool", "complex64", "object", "U3"])
def test_refuses_other_types(perch, dtype):
    with pytest.raises(ValueError, match=r"found dtype .*, expected float32"):
        perch.run(np.zeros((2, 1600), dtype))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_refuses_what_is_no_number(perch, windows, value):
    x = windows.astype(np.float64)
    x[3, 17] = value
    with pytest.raises(ValueError, match="window 3, sample 17.*expected a finite number"):
        perch.run(x)


def test_refuses_outputs_that_do_not_exist(perch, windows):
    with pytest.raises(ValueError, match="found 'logits', expected some of embedding"):
        perch.run(windows, outputs=["embedding", "logits"])


def test_refuses_thread_counts_that_make_no_sense(model_path):
    for threads in (-1, 1025, 2**40):
        with pytest.raises(ValueError, match="threads"):
            pantanal.Perch(model_path, threads=threads)
    with pytest.raises(TypeError):
        pantanal.Perch(model_path, threads="two")


def test_refuses_files_that_are_no_models(model_path, tmp_path):
    content = model_path.read_bytes()
    damaged = bytearray(content)
    damaged[-1] ^= 1
    bad = tmp_path / "bad.safetensors"
    for written in (content[:-1], content[: len(content) // 2], content + b"\0", bytes(damaged), b"", b"RIFF"):
        bad.write_bytes(written)
        with pytest.raises(pantanal.PantanalError, match="bad.safetensors"):
            pantanal.Perch(bad)
    header = b'{"__metadata__":{"format":"pt"}}'
    bad.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(pantanal.MismatchError, match="bad.safetensors.*pantanal.perch"):
        pantanal.Perch(bad)
    bad.write_bytes(b"\2\0\0\0\0\0\0\0{}")
    with pytest.raises(pantanal.MismatchError, match="bad.safetensors"):  # and not FileNotFoundError
        pantanal.Perch(bad)
    with pytest.raises(pantanal.MismatchError, match='"2".*"1"'):
        pantanal.Perch(tiny_model.write(bad, version="2"))


def test_refuses_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        pantanal.Perch(tmp_path / "absent.safetensors")
    with pytest.raises(OSError, match="directory"):
        pantanal.Perch(tmp_path)
    with pytest.raises(FileNotFoundError):
        pantanal.Perch(str(tmp_path / "caf\udce9.safetensors"))  # a name that is not UTF-8
    with pytest.raises(TypeError):
        pantanal.Perch(None)


def test_refuses_instructions_that_there_are_not(model_path, monkeypatch):
    monkeypatch.setenv("PANTANAL_ISA", "foo")
    with pytest.raises(ValueError, match="PANTANAL_ISA: .*found 'foo', expected one of portable"):
        pantanal.Perch(model_path)
    monkeypatch.setenv("PANTANAL_ISA", "portable")
    pantanal.Perch(model_path)


def test_maps_packed_weights(perch, model_path, windows, tmp_path):
    expected = perch.run(windows)
    for _ in range(2):  # made, then mapped
        outputs = pantanal.Perch(model_path, packed_weights=tmp_path / "packed").run(windows)
        assert all(np.array_equal(outputs[name], expected[name]) for name in expected)
    assert (tmp_path / "packed").read_bytes().startswith(b"PANTPACK")
    with pytest.warns(UserWarning, match="packed_weights: .*a file of another kind"):
        assert np.array_equal(pantanal.Perch(model_path, packed_weights=model_path).run(windows)["label"], expected["label"])


def test_threads_may_share_one(perch, windows):
    expected = [perch.embed(windows[i : i + 1]) for i in range(5)]
    wrong = []

    def work(i):
        for _ in range(20):
            if not np.array_equal(perch.embed(windows[i : i + 1]), expected[i]):
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_python_goes_on_while_it_computes(perch, windows):
    x = np.tile(windows, (200, 1))
    computing = threading.Event()
    steps = 0

    def compute():
        computing.set()
        perch.run(x)
        computing.clear()

    worker = threading.Thread(target=compute)
    worker.start()
    computing.wait()
    while computing.is_set():
        steps += 1
    worker.join()
    assert steps > 100


def _embed(perch, windows):
    return perch.embed(windows)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_may_have_copies(perch, windows, method):
    expected = perch.embed(windows)  # so that its threads have run before the fork
    with multiprocessing.get_context(method).Pool(2) as pool:
        for result in pool.starmap_async(_embed, [(perch, windows)] * 4).get(timeout=120):
            np.testing.assert_array_equal(result, expected)


def test_a_forked_process_may_use_its_parents(perch, windows):
    expected = perch.embed(windows)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(perch.embed(windows)))
    child.start()
    assert receiver.poll(60), "the child hangs"
    np.testing.assert_array_equal(receiver.recv(), expected)
    child.join()


def test_a_fork_during_a_call_leaves_the_child_a_lock_of_its_own(perch, windows):
    expected = perch.embed(windows)
    many = np.tile(windows, (400, 1))
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            perch.embed(many)

    worker = threading.Thread(target=compute)
    worker.start()
    try:
        time.sleep(0.05)
        context = multiprocessing.get_context("fork")
        for _ in range(5):
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(target=lambda: sender.send(perch.embed(windows)), daemon=True)
            child.start()
            answered = receiver.poll(30)
            if not answered:
                child.kill()
            assert answered, "the child hangs"
            np.testing.assert_array_equal(receiver.recv(), expected)
            child.join()
    finally:
        stop.set()
        worker.join()


class Interrupted(Exception):
    pass


def test_signals_are_handled_between_batches(perch, windows):
    """The handler may use the same model, and what it raises ends the call."""
    expected = perch.embed(windows)
    seen = []

    def handle(number, frame):
        seen.append(perch.embed(windows))
        raise Interrupted

    many = np.tile(windows, (20000, 1))
    previous = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted):
            perch.embed(many)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    np.testing.assert_array_equal(seen[0], expected)
    np.testing.assert_array_equal(perch.embed(windows), expected)


@pytest.mark.parametrize("outputs", [["embedding"], ["spatial_embedding"], ["label"], []])
def test_refuses_results_that_floats_do_not_hold(tmp_path, windows, outputs):
    path = tiny_model.write(tmp_path / "loud.safetensors", head__bias=3e38)
    with pytest.raises(ValueError, match="embedding of window 0.*float32"):
        pantanal.Perch(path).run(windows, outputs)


def test_refuses_labels_that_floats_do_not_hold(tmp_path, windows):
    path = tiny_model.write(tmp_path / "loud.safetensors", label__bias=3.4e38, label__scale=3.4e38, head__bias=1.0)
    perch = pantanal.Perch(path)
    assert np.isfinite(perch.embed(windows)).all()
    with pytest.raises(ValueError, match="label of window"):
        perch.run(windows)


def test_can_be_pickled(perch, windows):
    copy = pickle.loads(pickle.dumps(perch))
    np.testing.assert_array_equal(copy.embed(windows), perch.embed(windows))


def test_agrees_with_the_program(perch, model_path, infer_program, write_wav, tmp_path):
    random = np.random.default_rng(3)
    audio = np.clip(0.2 * random.standard_normal(4000), -1, 0.999)
    path = write_wav("a.wav", audio)
    npz = tmp_path / "e.npz"
    arguments = [infer_program, path, "--model", model_path, "--embeddings", npz, "--out", tmp_path / "o.csv"]
    subprocess.run(arguments, check=True)
    windows = np.zeros((3, 1600), np.float32)
    windows.reshape(-1)[:4000] = pantanal.load_audio(path)
    outputs = perch.run(windows)
    with np.load(npz, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["embedding", "file", "label", "start_s"]
        np.testing.assert_array_equal(arrays["embedding"], outputs["embedding"])
        np.testing.assert_array_equal(arrays["label"], outputs["label"])
        assert arrays["file"].tolist() == [str(path)] * 3
        np.testing.assert_array_equal(arrays["start_s"], [0, 0.05, 0.1])
