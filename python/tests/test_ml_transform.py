"""StandardScaler and PCA beside scikit-learn's."""

import numpy as np
import pytest
import sklearn.decomposition
import sklearn.preprocessing
from ml_problems import COUNT, draw_matrix, draw_shape, draw_weights

import pantanal


@pytest.mark.parametrize("block", range(4))
def test_scaler_agrees(block):
    for seed in range(block, COUNT, 4):
        x = draw_matrix(seed)
        weights = draw_weights(seed, len(x))
        options = dict(with_mean=seed % 5 != 1, with_std=seed % 7 != 1)
        theirs = sklearn.preprocessing.StandardScaler(**options).fit(x, sample_weight=weights)
        ours = pantanal.StandardScaler(**options).fit(x, sample_weight=weights)
        for name in ("mean_", "var_", "scale_"):
            expected, found = getattr(theirs, name), getattr(ours, name)
            assert (expected is None) == (found is None), (seed, name)
            if expected is not None:
                size = np.abs(x.astype(np.float64)).max()
                floor = {"mean_": 1e-12 * size, "var_": 1e-12 * size**2, "scale_": 0}[name]
                np.testing.assert_allclose(found, expected, rtol=1e-6, atol=floor, err_msg=f"{seed} {name}")
        assert ours.n_samples_seen_ == pytest.approx(theirs.n_samples_seen_)
        z = ours.transform(x)
        assert z.dtype == x.dtype
        tolerance = 2e-5 if x.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(z, theirs.transform(x), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(ours.inverse_transform(z), x, rtol=1e-4 if tolerance > 1e-6 else 1e-9,
                                   atol=tolerance * np.abs(x).max())


@pytest.mark.parametrize("block", range(4))
def test_scaler_agrees_in_parts(block):
    for seed in range(block, COUNT, 4):
        x = draw_matrix(seed)
        weights = draw_weights(seed, len(x))
        cuts = sorted({0, len(x) // 3, len(x) // 2, len(x)})
        pair = [module.StandardScaler(with_std=seed % 7 != 1) for module in (pantanal, sklearn.preprocessing)]
        for begin, end in zip(cuts, cuts[1:]):
            some = None if weights is None or seed % 3 == 0 else weights[begin:end]
            if some is not None and some.sum() == 0:
                continue
            for scaler in pair:
                scaler.partial_fit(x[begin:end], sample_weight=some)
        ours, theirs = pair
        size = np.abs(x.astype(np.float64)).max()
        np.testing.assert_allclose(ours.mean_, theirs.mean_, rtol=1e-6, atol=1e-12 * size, err_msg=str(seed))
        if theirs.var_ is not None:
            np.testing.assert_allclose(ours.var_, theirs.var_, rtol=1e-6, atol=1e-12 * size**2, err_msg=str(seed))
            np.testing.assert_allclose(ours.scale_, theirs.scale_, rtol=1e-6, err_msg=str(seed))
        assert ours.n_samples_seen_ == pytest.approx(theirs.n_samples_seen_)
    with pytest.raises(ValueError, match="features"):
        ours.partial_fit(np.ones((3, x.shape[1] + 1)))


def clusters(squares):
    """Slices of components whose variances are too close for their directions to be determined."""
    start = 0
    for i in range(1, len(squares) + 1):
        if i == len(squares) or np.sqrt(squares[i - 1]) - np.sqrt(squares[i]) > 3e-8 * np.sqrt(squares[0]):
            yield slice(start, i)
            start = i


def sign_is_clear(component):
    """Whether svd_flip has one largest entry to go by."""
    size = np.sort(np.abs(component))
    return len(size) == 1 or size[-1] - size[-2] > 1e-6


def check_components(found, expected, squares, complete):
    """Signed components where they are determined, subspaces where not; the last cluster may have been cut."""
    for part in clusters(squares):
        if squares[part.stop - 1] < 1e-11 * squares[0] or (part.stop == len(squares) and not complete):
            break
        if part.stop - part.start == 1:
            ours, theirs = found[part.start], expected[part.start]
            if not sign_is_clear(theirs):
                ours = ours * np.sign(ours @ theirs)
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
        else:
            overlap = np.linalg.svd(found[part] @ expected[part].T, compute_uv=False)
            np.testing.assert_allclose(overlap, 1, atol=1e-6)
    np.testing.assert_allclose(found @ found.T, np.eye(len(found)), atol=2e-6)


def check_pca(x, count, solver, whiten=False):
    options = dict(n_components=count, svd_solver=solver, whiten=whiten)
    # float32 input: the reference is what scikit-learn makes of the same numbers in float64
    theirs = sklearn.decomposition.PCA(**options).fit(x.astype(np.float64))
    ours = pantanal.PCA(**options).fit(x)
    assert ours.components_.dtype == x.dtype
    assert ours.n_components_ == theirs.n_components_
    large = theirs.explained_variance_[0]
    if large < 1e-20:
        return
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_"):
        expected = getattr(theirs, name)
        floor = 1e-6 if name == "singular_values_" else 1e-11
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-6, atol=floor * np.abs(expected).max())
    assert ours.noise_variance_ == pytest.approx(theirs.noise_variance_, rel=1e-6, abs=1e-11 * large)
    complete = ours.n_components_ == min(x.shape)
    found = ours.components_.astype(np.float64)
    check_components(found, theirs.components_, theirs.singular_values_**2, complete)
    if complete and not whiten:
        np.testing.assert_allclose(ours.inverse_transform(ours.transform(x)), x, atol=1e-5 * np.abs(x).max())


@pytest.mark.parametrize("block", range(4))
def test_pca_agrees(block):
    for seed in range(block, COUNT, 4):
        x = draw_matrix(seed)
        random = np.random.default_rng(seed)
        count = (None, int(random.integers(1, min(x.shape) + 1)), float(random.uniform(0.2, 0.95)))[seed % 3]
        if isinstance(count, float) and np.ptp(x) == 0:
            count = None
        check_pca(x, count, "covariance_eigh" if seed % 4 == 3 else "full", whiten=seed % 5 == 0)


@pytest.mark.parametrize("shape", [(708, 1536), (2000, 300), (300, 1536)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pca_agrees_on_large_ones(shape, dtype):
    random = np.random.default_rng(5)
    check_pca(random.standard_normal(shape).astype(dtype), 40, "full")


@pytest.mark.parametrize("shape, count, solver", [
    ((600, 550), 20, "randomized"), ((600, 40), 39, "covariance_eigh"), ((600, 70), 60, "full"), ((500, 500), 20, "full"),
    ((708, 1536), 0.5, "full"), ((708, 1536), None, "full"), ((600, 70), "mle", "full"), ((501, 100), 79, "randomized"),
])
def test_pca_auto_chooses_as_scikit_learns(shape, count, solver):
    x = np.random.default_rng(1).standard_normal(shape)
    auto, chosen = (pantanal.PCA(count, svd_solver=s, random_state=0).fit(x) for s in ("auto", solver))
    np.testing.assert_array_equal(auto.components_, chosen.components_)
    assert auto.noise_variance_ == chosen.noise_variance_
    if solver != "full":
        theirs = sklearn.decomposition.PCA(count, random_state=0).fit(x)
        np.testing.assert_allclose(auto.components_, theirs.components_, atol=1e-6)
        assert auto.noise_variance_ == pytest.approx(theirs.noise_variance_, rel=1e-6)


def test_pca_auto_is_exact_without_a_seed():
    x = np.random.default_rng(1).standard_normal((600, 600))
    auto, full = pantanal.PCA(20).fit(x), pantanal.PCA(20, svd_solver="full").fit(x)
    np.testing.assert_array_equal(auto.components_, full.components_)


def test_pca_float32_is_closer_to_float64_than_scikit_learns():
    x = np.random.default_rng(2).standard_normal((300, 400)).astype(np.float32)
    exact = sklearn.decomposition.PCA(50, svd_solver="full").fit(x.astype(np.float64)).components_
    ours = np.abs(pantanal.PCA(50).fit(x).components_ - exact).max()
    theirs = np.abs(sklearn.decomposition.PCA(50, svd_solver="full").fit(x).components_ - exact).max()
    assert ours < 1e-7 < theirs


@pytest.mark.parametrize("block", range(4))
def test_randomized_pca_agrees_for_the_same_seed(block):
    for seed in range(block, COUNT, 4):
        random = np.random.default_rng(seed)
        n, d = draw_shape(random, most_values=30_000, rows=(20, 2000), columns=(20, 1536))
        x = random.standard_normal((n, d)) * np.exp(-np.arange(d) / random.uniform(20, 200)) + random.uniform(-3, 3, d)
        x = x.astype(np.float32 if seed % 3 == 0 else np.float64)
        options = dict(n_components=int(random.integers(1, min(n, d, 80) // 2)), svd_solver="randomized", random_state=seed,
                       iterated_power="auto" if seed % 2 else int(random.integers(0, 5)))
        theirs, ours = sklearn.decomposition.PCA(**options).fit(x.astype(np.float64)), pantanal.PCA(**options).fit(x)
        for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "noise_variance_"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6, err_msg=f"{seed} {name}")
        found = ours.components_.astype(np.float64)
        check_components(found, theirs.components_, theirs.singular_values_**2, complete=False)


@pytest.mark.parametrize("shape", [(60, 200), (200, 60)])
def test_randomized_pca_of_low_rank(shape):
    """Spans that the Gram matrix cannot resolve."""
    random = np.random.default_rng(3)
    x = random.standard_normal((shape[0], 12)) * np.exp(-1.5 * np.arange(12)) @ random.standard_normal((12, shape[1]))
    options = dict(n_components=20, svd_solver="randomized", random_state=1)
    theirs, ours = sklearn.decomposition.PCA(**options).fit(x), pantanal.PCA(**options).fit(x)
    scale = theirs.explained_variance_[0]
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-6, atol=1e-12 * scale)
    np.testing.assert_allclose(ours.components_[:4], theirs.components_[:4], atol=1e-6)
    np.testing.assert_allclose(ours.components_ @ ours.components_.T, np.eye(20), atol=1e-9)


@pytest.mark.parametrize("shape", [(60, 200), (200, 60)])
def test_randomized_pca_without_variance(shape):
    ours = pantanal.PCA(5, svd_solver="randomized", random_state=1).fit(np.ones(shape))
    np.testing.assert_array_equal(ours.explained_variance_, np.zeros(5))
    np.testing.assert_allclose(ours.components_ @ ours.components_.T, np.eye(5), atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_minkas_dimension_agrees(seed):
    random = np.random.default_rng(seed)
    x = random.standard_normal((200, 4)) @ random.standard_normal((4, 15)) + 0.1 * random.standard_normal((200, 15))
    theirs, ours = sklearn.decomposition.PCA("mle").fit(x), pantanal.PCA("mle").fit(x)
    assert ours.n_components_ == theirs.n_components_


def test_small_variances_keep_their_directions():
    """Variances 1e-11 of the largest: beyond what the Gram matrix alone resolves."""
    random = np.random.default_rng(0)
    scales = np.r_[1, 1e-2, 1e-4, 3e-5, 1e-5]
    for shape in ((50, 5), (5, 50)):
        basis = np.linalg.qr(random.standard_normal((50, 5)))[0]
        x = random.standard_normal((50, 5)) * scales if shape[0] > 5 else (basis * scales).T * [[1], [-1], [1], [1], [1]]
        theirs, ours = (module.PCA(4, svd_solver="full").fit(x) for module in (sklearn.decomposition, pantanal))
        np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-6)
        np.testing.assert_allclose(ours.components_, theirs.components_, atol=1e-6)


def test_threads_do_not_change_the_result():
    x = np.random.default_rng(3).standard_normal((150, 200))
    one, two = (pantanal.PCA(30, threads=t).fit(x) for t in (1, 2))
    np.testing.assert_array_equal(one.components_, two.components_)
    np.testing.assert_array_equal(one.transform(x), two.transform(x))


@pytest.mark.parametrize("kind", [pantanal.StandardScaler, pantanal.PCA])
def test_bad_input_is_refused(kind):
    x = np.random.default_rng(0).standard_normal((10, 4))
    for bad in (np.nan, np.inf):
        broken = x.copy()
        broken[3, 1] = bad
        with pytest.raises(ValueError, match="NaN|infinity"):
            kind().fit(broken)
        with pytest.raises(ValueError, match="NaN|infinity"):
            kind().fit(x).transform(broken)
    with pytest.raises(ValueError, match="2D"):
        kind().fit(x[0])
    with pytest.raises(ValueError, match="samples"):
        kind().fit(np.empty((0, 4)))
    with pytest.raises(ValueError, match="3 features.*4"):
        kind().fit(x).transform(x[:, :3])
    with pytest.raises(pantanal.NotFittedError, match="fit"):
        kind().transform(x)
    with pytest.raises(AttributeError):
        kind().mean_
    with pytest.raises(ValueError, match="text|dtype"):
        kind().fit(np.full((3, 3), "a"))


def test_pca_refuses_what_it_cannot_give():
    x = np.random.default_rng(0).standard_normal((10, 4))
    for count in (5, 0, 1.5, "all"):
        with pytest.raises(ValueError, match="n_components"):
            pantanal.PCA(count).fit(x)
    with pytest.raises(ValueError, match="mle"):
        pantanal.PCA("mle").fit(x.T)
    with pytest.raises(ValueError, match="randomized"):
        pantanal.PCA(0.5, svd_solver="randomized").fit(x)
    with pytest.raises(ValueError, match="svd_solver"):
        pantanal.PCA(svd_solver="arpack").fit(x)
    with pytest.raises(ValueError, match="at least 2"):
        pantanal.PCA().fit(x[:1])
    with pytest.raises(ValueError, match="sample_weight"):
        pantanal.StandardScaler().fit(x, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="negative"):
        pantanal.StandardScaler().fit(x, sample_weight=-np.ones(10))
