"""Drawn problems on which the estimators must agree with scikit-learn."""

import numpy as np

COUNT = 200  # problems per estimator


def draw_shape(random, most_values=60_000, rows=(5, 2000), columns=(1, 1536)):
    """Rows and columns, log-uniform, of a product that keeps 200 of them quick."""
    while True:
        n = int(np.exp(random.uniform(*np.log(np.add(rows, [0, 1])))))
        d = int(np.exp(random.uniform(*np.log(np.add(columns, [0, 1])))))
        if n * d <= most_values:
            return n, d


def draw_matrix(seed, **limits):
    """[rows, columns] with the awkward traits of real ones: offsets, constant and duplicate columns, ties, low rank."""
    random = np.random.default_rng(seed)
    n, d = draw_shape(random, **limits)
    x = random.standard_normal((n, d)) * np.exp(random.uniform(-2, 2, d))
    trait = seed % 8
    if trait == 1:
        x += random.uniform(-100, 100, d)
    if trait == 2:
        x[:, random.random(d) < 0.3] = 1.7
    if trait == 3:
        x[:, d // 2 :] = x[:, : d - d // 2]
    if trait == 4:
        x = np.round(x)
    if trait == 5:
        rank = max(1, min(n, d) // 3)
        x = random.standard_normal((n, rank)) @ random.standard_normal((rank, d))
    if trait == 6:
        x[n // 2 :] = x[: n - n // 2]
    if trait == 7:
        x *= np.exp(-np.arange(d) / max(1.0, d / 6))
    return x.astype(np.float32 if seed % 3 == 0 else np.float64)


def draw_weights(seed, n):
    """None, or positive weights of which some are zero."""
    random = np.random.default_rng(seed + 10_000)
    if seed % 2:
        return None
    weights = random.uniform(0.1, 3, n) * (random.random(n) > 0.2)
    weights[random.integers(n)] = 1.0
    return weights


def draw_labels(seed, x, classes=2):
    """Labels that depend on x and on luck; every class at least twice where there is room."""
    random = np.random.default_rng(seed + 20_000)
    score = x @ random.standard_normal(x.shape[1])
    score = score / (score.std() + 1e-9) + random.standard_normal(len(x))
    share = random.uniform(0.1, 0.9)
    if classes == 2:
        y = (score > np.quantile(score, share)).astype(int)
    else:
        y = np.searchsorted(np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]), score)
    for c in range(classes):
        y[2 * c : 2 * c + 2] = c
    return y
