"""Every way to use a sequence model wrongly, and whether the error says which."""

import numpy as np
import pytest
from test_sequence import make_proto, make_residual, write_safetensors
import torch_cases

import pantanal


@pytest.fixture
def case():
    return next(case for case in torch_cases.load("proto_ssm") if case.config["files"] == 2 and "logits" in case.inputs)


@pytest.fixture
def proto(case):
    return make_proto(case)


@pytest.fixture
def residual_case():
    return torch_cases.load("residual_ssm")[3]


def test_constructors_refuse_instructions_that_there_are_not(monkeypatch):
    monkeypatch.setenv("PANTANAL_ISA", "foo")
    with pytest.raises(ValueError, match="PANTANAL_ISA: .*found 'foo'"):
        pantanal.ProtoSSM()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"d_model": 0}, "d_model: found 0"),
        ({"d_model": 2.5}, "d_model: found 2.5, expected a whole number"),
        ({"n_classes": -3}, "n_classes: found -3"),
        ({"d_input": 1 << 25}, "d_input.*33554432"),
        ({"cross_attn_heads": 7}, "cross_attn_heads.*7.*divisor of d_model, 192"),
        ({"n_ssm_layers": 5000}, "n_ssm_layers.*5000"),
        ({"form": "mamba2"}, "form: found 'mamba2', expected one of notebook, mamba"),
        ({"threads": -1}, "threads: found -1"),
    ],
)
def test_constructors_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        pantanal.ProtoSSM(**arguments)


def test_threads_are_bounded(case):
    with pytest.raises(ValueError, match="100000 threads"):
        make_proto(case, threads=100000)
    x = np.zeros((1, 2, 3), np.float32)
    with pytest.raises(ValueError, match="1025 threads, expected at most 1024"):
        pantanal.selective_scan(x, x, np.zeros((3, 1), np.float32), x[..., :1], x[..., :1], threads=1025)


def test_a_model_without_parameters_says_so():
    with pytest.raises(RuntimeError, match="SelectiveSSM has no parameters"):
        pantanal.SelectiveSSM(3).forward(np.zeros((1, 2, 3), np.float32))


def test_missing_extra_and_misshaped_parameters_are_named(case, proto):
    state = dict(case.state)
    del state["ssm_fwd.0.A_log"]
    with pytest.raises(pantanal.MismatchError, match="ssm_fwd.0.A_log.*no such tensor"):
        proto.load_state_dict(state)
    with pytest.raises(pantanal.MismatchError, match=r"ssm_fwd\.9\.D"):
        proto.load_state_dict({**case.state, "ssm_fwd.9.D": np.zeros(3, np.float32)})
    with pytest.raises(pantanal.MismatchError, match=r"pos_enc.*\[1, 2\].*expected \[1, "):
        proto.load_state_dict({**case.state, "pos_enc": np.zeros((1, 2), np.float32)})
    with pytest.raises(pantanal.MismatchError, match=r"proto_temp.*\[1\].*expected \[\]"):
        proto.load_state_dict({**case.state, "proto_temp": np.ones(1, np.float32)})


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_parameters_that_are_not_finite_are_named(case, proto, value):
    prototypes = case.state["prototypes"].astype(np.float64)
    prototypes[1, 1] = value
    with pytest.raises(ValueError, match="prototypes.*NaN or infinity"):
        proto.load_state_dict({**case.state, "prototypes": prototypes})


def test_parameters_of_another_type_are_named(case, proto):
    with pytest.raises(ValueError, match="class_bias.*int64"):
        proto.load_state_dict({**case.state, "class_bias": np.zeros(case.config["n_classes"], np.int64)})


def test_parameters_have_strings_for_names(case, proto):
    with pytest.raises(TypeError, match="state_dict: found the name 7, expected a string"):
        proto.load_state_dict({**case.state, 7: np.zeros(1, np.float32)})


def test_errors_use_the_classes_names(case, proto, residual_case):
    with pytest.raises(ValueError, match="^ProtoSSM.emb, window 0"):
        proto(np.full_like(case.inputs["emb"], np.nan))
    with pytest.raises(ValueError, match="^ResidualSSM.d_model"):
        pantanal.ResidualSSM(d_model=1 << 24)
    with pytest.raises(pantanal.MismatchError, match="^ResidualSSM: "):
        make_residual(residual_case).load_state_dict({})


def test_a_failed_load_leaves_the_parameters_alone(case, proto):
    before = proto(case.inputs["emb"])[0]
    with pytest.raises(pantanal.MismatchError):
        proto.load_state_dict({})
    assert np.array_equal(proto(case.inputs["emb"])[0], before)


def test_files_are_refused_by_name(case, proto, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.safetensors"):
        proto.load_state_dict(tmp_path / "nowhere.safetensors")
    state = {name: value for name, value in case.state.items() if name != "class_bias"}
    with pytest.raises(pantanal.MismatchError, match="a.safetensors: class_bias"):
        proto.load_state_dict(write_safetensors(tmp_path / "a.safetensors", state))
    state["class_bias"] = np.full(case.config["n_classes"], np.nan, np.float32)
    with pytest.raises(pantanal.CorruptError, match="b.safetensors: class_bias.*NaN"):
        proto.load_state_dict(write_safetensors(tmp_path / "b.safetensors", state))
    (tmp_path / "c.safetensors").write_bytes(b"not a model")
    with pytest.raises(pantanal.CorruptError, match="c.safetensors"):
        proto.load_state_dict(tmp_path / "c.safetensors")


def test_inputs_of_another_shape_or_type_are_named(case, proto):
    emb, logits = case.inputs["emb"], case.inputs["logits"]
    with pytest.raises(ValueError, match=r"emb: found shape .*, expected \(F, T, \d+\)"):
        proto(emb[0])
    with pytest.raises(ValueError, match="emb: found shape"):
        proto(emb[..., 1:])
    with pytest.raises(ValueError, match="emb: found dtype int64"):
        proto(emb.astype(np.int64))
    with pytest.raises(ValueError, match="perch_logits: found shape"):
        proto(emb, logits.swapaxes(1, 2))
    with pytest.raises(ValueError, match="windows per file.*expected 1 to"):
        proto(np.repeat(emb, 9, axis=1))
    with pytest.raises(ValueError, match="0 windows per file"):
        proto.temporal_shift_tta(emb[:, :0])


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_inputs_that_are_not_finite_are_named(case, proto, value):
    emb, logits = case.inputs["emb"].copy(), case.inputs["logits"].copy()
    logits[1, 0, 1] = value
    with pytest.raises(ValueError, match=rf"perch_logits, window {case.config['steps']}.*NaN or infinity"):
        proto(emb, logits)
    emb[0, 0, 0] = value
    with pytest.raises(ValueError, match="emb, window 0.*NaN or infinity"):
        proto.temporal_shift_tta(emb)


def test_sites_and_hours_out_of_range_are_named(case, proto):
    emb, n_sites = case.inputs["emb"], case.config["n_sites"]
    with pytest.raises(ValueError, match=rf"site_ids\[1\].*found {n_sites}, expected 0 to {n_sites - 1}"):
        proto(emb, site_ids=[0, n_sites], hours=[0, 0])
    with pytest.raises(ValueError, match=r"hours\[0\].*found -1, expected 0 to 23"):
        proto(emb, site_ids=[0, 0], hours=[-1, 0])
    with pytest.raises(ValueError, match=r"hours\[1\].*found 24"):
        proto.temporal_shift_tta(emb, site_ids=[0, 0], hours=[0, 24])
    with pytest.raises(ValueError, match="hours: found None"):
        proto(emb, site_ids=[0, 0])
    with pytest.raises(ValueError, match=r"site_ids: found shape \(3,\), expected \(2,\)"):
        proto(emb, site_ids=[0, 0, 0], hours=[0, 0])
    with pytest.raises(ValueError, match=rf"site_ids: found {2**64 - 1}, expected at most {2**63 - 1}"):
        proto(emb, site_ids=np.array([0, 2**64 - 1], np.uint64), hours=[0, 0])
    with pytest.raises(ValueError, match="hours: found dtype float64"):
        proto(emb, site_ids=[0, 0], hours=[0.5, 1])


def test_shifts_are_checked(case, proto):
    with pytest.raises(ValueError, match="no shifts"):
        proto.temporal_shift_tta(case.inputs["emb"], shifts=())
    with pytest.raises(ValueError, match="shifts: found 0.5"):
        proto.temporal_shift_tta(case.inputs["emb"], shifts=[0.5])


def test_residual_refuses_ids_out_of_range_unless_it_clamps(residual_case):
    model, files = make_residual(residual_case), residual_case.config["files"]
    emb, scores = residual_case.inputs["emb"], residual_case.inputs["scores"]
    with pytest.raises(ValueError, match=r"site_ids\[0\].*expected 0 to"):
        model(emb, scores, [99] * files, [0] * files)
    with pytest.raises(ValueError, match=r"hours\[0\].*found -1"):
        model(emb, scores, [0] * files, [-1] * files)
    clamping = make_residual(residual_case, clamp_ids=True)
    assert np.array_equal(clamping(emb, scores, [0] * files, [-1] * files), model(emb, scores, [0] * files, [0] * files))


def test_residual_names_its_inputs(residual_case):
    model = make_residual(residual_case)
    emb, scores = residual_case.inputs["emb"], residual_case.inputs["scores"].copy()
    with pytest.raises(ValueError, match="first_pass_scores: found shape"):
        model(emb, scores[:, 1:])
    scores[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="first_pass_scores, window 0.*NaN"):
        model(emb, scores)


def test_layer_names_its_input():
    case = torch_cases.load("selective_ssm")[3]
    layer = pantanal.SelectiveSSM(*case.sizes("d_model", "d_state", "d_conv").values())
    layer.load_state_dict(case.state)
    x = case.inputs["x"].copy()
    with pytest.raises(ValueError, match=r"x: found shape .*, expected \(B, T, "):
        layer(x[0])
    with pytest.raises(ValueError, match="0 steps"):
        layer(x[:, :0])
    x[0, 5, 0] = np.nan
    with pytest.raises(ValueError, match="x, window 5.*NaN"):
        layer(x)
