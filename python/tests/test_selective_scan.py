"""selective_scan against a loop in double precision."""

import numpy as np
import pytest

import pantanal


def loop(u, delta, A, B, C, D=None, initial_state=None):
    u, delta, A, B, C = (np.asarray(x, np.float64) for x in (u, delta, A, B, C))
    h = np.zeros((u.shape[0], *A.shape)) if initial_state is None else initial_state.astype(np.float64)
    y = np.empty(u.shape)
    for t in range(u.shape[1]):
        h = h * np.exp(delta[:, t, :, None] * A) + (delta[:, t] * u[:, t])[..., None] * B[:, t, None]
        y[:, t] = (h * C[:, t, None]).sum(-1)
    return (y if D is None else y + u * D), h


def problem(batch, steps, channels, states, seed=0):
    random = np.random.default_rng(seed)
    normal = lambda *shape: random.standard_normal(shape).astype(np.float32)
    return {
        "u": normal(batch, steps, channels),
        "delta": np.abs(normal(batch, steps, channels)) * np.float32(0.3),
        "A": -np.abs(normal(channels, states)) - np.float32(0.1),
        "B": normal(batch, steps, states),
        "C": normal(batch, steps, states),
        "D": normal(channels),
    }


def assert_near(found, expected):
    """The bound that the kernels promise."""
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert np.abs(found - expected).max() <= 4e-6 * np.abs(expected).max()


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 5, 4), (3, 64, 17, 33), (1, 700, 70, 2)])
def test_agrees_with_the_loop(shape):
    inputs = problem(*shape)
    state = np.random.default_rng(1).standard_normal((shape[0], *inputs["A"].shape)).astype(np.float32)
    y, last = pantanal.selective_scan(**inputs, initial_state=state, return_last_state=True)
    expected_y, expected_last = loop(**inputs, initial_state=state)
    assert_near(y, expected_y)
    assert_near(last, expected_last)
    without = {name: value for name, value in inputs.items() if name != "D"}
    assert_near(pantanal.selective_scan(*without.values()), loop(*without.values())[0])


def test_a_stream_continues_bit_for_bit():
    inputs = problem(2, 65536, 3, 2)
    whole, last = pantanal.selective_scan(**inputs, return_last_state=True)
    parts, state = [], None
    for begin, end in [(0, 1), (1, 30000), (30000, 30007), (30007, 65536)]:
        part = {name: value[:, begin:end] if name in ("u", "delta", "B", "C") else value for name, value in inputs.items()}
        y, state = pantanal.selective_scan(**part, initial_state=state, return_last_state=True)
        parts.append(y)
    assert np.array_equal(np.concatenate(parts, 1), whole)
    assert np.array_equal(state, last)


def test_threads_do_not_change_a_bit():
    inputs = problem(3, 20, 150, 5)
    one = pantanal.selective_scan(**inputs, threads=1)
    for threads in (0, 2, 3, 8):
        assert np.array_equal(pantanal.selective_scan(**inputs, threads=threads), one)


def test_the_terms_of_a_mamba_block():
    inputs, random = problem(2, 13, 21, 6), np.random.default_rng(3)
    delta, z = (random.standard_normal((2, 13, 21)).astype(np.float32) for _ in range(2))
    bias = random.standard_normal(21).astype(np.float32)
    y, last = pantanal.selective_scan(
        inputs["u"], delta, inputs["A"], inputs["B"], inputs["C"], inputs["D"], z, bias, True, True
    )
    steps = np.log1p(np.exp(delta.astype(np.float64) + bias))
    expected_y, expected_last = loop(**{**inputs, "delta": steps})
    assert_near(y, expected_y * z / (1 + np.exp(-z.astype(np.float64))))
    assert_near(last, expected_last)


@pytest.mark.parametrize("name", ["u", "delta", "A", "B", "C", "D", "z", "delta_bias", "initial_state"])
def test_arrays_are_named(name):
    inputs = problem(2, 3, 4, 5)
    inputs.update({"initial_state": np.zeros((2, 4, 5), np.float32), "z": inputs["u"], "delta_bias": inputs["D"]})
    for value in (np.nan, np.inf):
        bad = inputs[name].copy()
        bad.flat[-1] = value
        with pytest.raises(ValueError, match=f"selective_scan: {name}: .*NaN or infinity"):
            pantanal.selective_scan(**{**inputs, name: bad})
    with pytest.raises(ValueError, match=f"{name}: found shape"):
        pantanal.selective_scan(**{**inputs, name: inputs[name][None]})
    with pytest.raises(ValueError, match=f"{name}: found dtype int64"):
        pantanal.selective_scan(**{**inputs, name: inputs[name].astype(np.int64)})


def test_time_last_is_noticed():
    inputs = problem(2, 3, 4, 5)
    for name in ("delta", "B", "C"):
        with pytest.raises(ValueError, match=f"{name}: found shape"):
            pantanal.selective_scan(**{**inputs, name: inputs[name].swapaxes(1, 2)})


def test_empty_arrays_and_overflow_are_refused():
    with pytest.raises(ValueError, match="positive"):
        pantanal.selective_scan(**problem(2, 0, 4, 5))
    inputs = problem(1, 3, 4, 5)
    inputs["u"][:], inputs["B"][:] = 3e38, 3e38
    with pytest.raises(ValueError, match="overflow"):
        pantanal.selective_scan(**inputs)
