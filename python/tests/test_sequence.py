"""The sequence models against PyTorch, and for any number of threads."""

import concurrent.futures
import json
import multiprocessing
import struct
import threading
import time

import numpy as np
import pytest
import torch_cases

import pantanal

PROTO_SIZES = ("d_input", "d_model", "d_state", "n_ssm_layers", "n_classes", "n_windows", "n_sites", "meta_dim", "n_families")
RESIDUAL_SIZES = ("d_input", "d_scores", "d_model", "d_state", "n_classes", "n_windows", "n_sites", "meta_dim")


def make_proto(case, **options):
    sizes = case.sizes(*PROTO_SIZES, "use_cross_attn", "cross_attn_heads", "d_conv")
    model = pantanal.ProtoSSM(**sizes, n_prototypes=case.config.get("n_prototypes", 1), **options)
    model.load_state_dict(case.state)
    return model


def make_residual(case, **options):
    layers = case.config.get("n_ssm_layers", 1)
    model = pantanal.ResidualSSM(**case.sizes(*RESIDUAL_SIZES, "d_conv"), n_ssm_layers=layers, **options)
    model.load_state_dict(case.state)
    return model


def write_safetensors(path, tensors):
    """What safetensors.torch.save_file writes."""
    header, data = {}, b""
    for name, values in tensors.items():
        dtype = {"float32": "F32", "int64": "I64"}[values.dtype.name]
        end = len(data) + values.nbytes
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [len(data), end]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_a_fork_during_a_call_leaves_the_child_a_lock_of_its_own():
    case = torch_cases.load("residual_ssm")[0]
    model = make_residual(case, clamp_ids=True, threads=2)
    arguments = (case.inputs["emb"], case.inputs["scores"])
    expected = model(*arguments)
    many = [np.repeat(array, 2000, axis=0) for array in arguments]
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            model(*many)

    worker = threading.Thread(target=compute)
    worker.start()
    try:
        time.sleep(0.05)
        context = multiprocessing.get_context("fork")
        for _ in range(5):
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(target=lambda: sender.send(model(*arguments)), daemon=True)
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


@pytest.mark.parametrize("form", ["notebook", "mamba"])
def test_selective_ssm_agrees_with_pytorch(form):
    for case in torch_cases.load("selective_ssm"):
        layer = pantanal.SelectiveSSM(*case.sizes("d_model", "d_state", "d_conv").values(), form=form, threads=2)
        layer.load_state_dict(case.state)
        torch_cases.assert_close(layer(case.inputs["x"]), case.outputs[f"{form}_forwards"])
        torch_cases.assert_close(layer(case.inputs["x"], backwards=True), case.outputs[f"{form}_backwards"])


def test_proto_ssm_agrees_with_pytorch():
    for case in torch_cases.load("proto_ssm") + torch_cases.load("several_prototypes"):
        model = make_proto(case, threads=2)
        arguments = (case.inputs["emb"], case.inputs.get("logits"), *case.meta())
        species, families, hidden = model(*arguments)
        torch_cases.assert_close(species, case.outputs["species"])
        torch_cases.assert_close(hidden, case.outputs["h"])
        if case.config["n_families"]:
            torch_cases.assert_close(families, case.outputs["families"])
        else:
            assert families is None
        torch_cases.assert_close(
            model.temporal_shift_tta(*arguments, shifts=case.config["shifts"]), case.outputs["tta"]
        )


def test_residual_ssm_agrees_with_pytorch_which_clamps_ids():
    for case in torch_cases.load("residual_ssm") + torch_cases.load("several_residual_layers"):
        model = make_residual(case, clamp_ids=True, threads=2)
        correction = model(case.inputs["emb"], case.inputs["scores"], *case.meta())
        torch_cases.assert_close(correction, case.outputs["correction"])


def test_parameters_are_the_notebooks():
    published = pantanal.ProtoSSM(d_model=320, d_state=32, n_ssm_layers=4, meta_dim=24, cross_attn_heads=8, n_families=5)
    assert published.count_parameters() == 5_776_250
    assert pantanal.ProtoSSM(d_model=320, meta_dim=24).count_parameters() == 3_531_445
    assert pantanal.ResidualSSM(d_model=128, d_state=16).count_parameters() == 439_498
    assert pantanal.SelectiveSSM(320, 32).count_parameters() == 442_560
    assert published.parameter_shapes()["ssm_bwd.3.A_log"] == (320, 32)
    assert published.parameter_shapes()["proto_temp"] == ()


def test_threads_do_not_change_a_bit():
    case = next(case for case in torch_cases.load("proto_ssm") if case.config["files"] == 3 and "logits" in case.inputs)
    arguments = (case.inputs["emb"], case.inputs["logits"], *case.meta())
    one, many = make_proto(case, threads=1), make_proto(case, threads=5)
    assert np.array_equal(one(*arguments)[0], many(*arguments)[0])
    assert np.array_equal(one.temporal_shift_tta(*arguments), many.temporal_shift_tta(*arguments))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # Python threads may share a model
        for species, _, _ in pool.map(lambda _: many(*arguments), range(8)):
            assert np.array_equal(species, one(*arguments)[0])


def test_shifts_average_rolled_runs():
    case = next(case for case in torch_cases.load("proto_ssm") if case.config["steps"] > 4 and "logits" in case.inputs)
    model = make_proto(case)
    emb, logits = case.inputs["emb"], case.inputs["logits"]
    runs = [np.roll(model(np.roll(emb, s, 1), np.roll(logits, s, 1), *case.meta())[0], -s, 1) for s in (0, 1, -1)]
    np.testing.assert_allclose(
        model.temporal_shift_tta(emb, logits, *case.meta()), np.mean(runs, axis=0), rtol=1e-5, atol=1e-5
    )


def test_checkpoints_load_from_files(tmp_path):
    case = torch_cases.load("proto_ssm")[2]
    buffers = {"class_to_family": np.zeros(case.config["n_classes"], np.int64)}
    path = write_safetensors(tmp_path / "model.safetensors", {**case.state, **buffers})
    from_file, from_dict = make_proto(case), make_proto(case)
    from_file.load_state_dict(path)
    from_dict.load_state_dict({**case.state, **buffers})
    arguments = (case.inputs["emb"], case.inputs["logits"], *case.meta())
    assert np.array_equal(from_file(*arguments)[0], from_dict(*arguments)[0])


def test_parameters_may_change_and_are_copied():
    case = torch_cases.load("residual_ssm")[0]
    model = make_residual(case, clamp_ids=True)
    arguments = (case.inputs["emb"], case.inputs["scores"], *case.meta())
    before = model(*arguments)
    case.state["output_head.bias"][:] += 1
    assert np.array_equal(model(*arguments), before)
    model.load_state_dict(case.state)
    np.testing.assert_allclose(model(*arguments), before + 1, atol=1e-5)


def test_other_layouts_and_floats_are_converted():
    case = torch_cases.load("selective_ssm")[3]
    layer = pantanal.SelectiveSSM(*case.sizes("d_model", "d_state", "d_conv").values())
    layer.load_state_dict({name: np.asfortranarray(value.astype(np.float64)) for name, value in case.state.items()})
    x = np.asfortranarray(case.inputs["x"].astype(np.float64))
    torch_cases.assert_close(layer.forward(x), case.outputs["notebook_forwards"])


def test_no_files_give_no_results():
    case = torch_cases.load("proto_ssm")[2]
    species, families, hidden = make_proto(case)(np.empty((0, 3, case.config["d_input"]), np.float32))
    assert species.shape == (0, 3, case.config["n_classes"]) and families.shape == (0, case.config["n_families"])
    assert hidden.shape == (0, 3, case.config["d_model"])
