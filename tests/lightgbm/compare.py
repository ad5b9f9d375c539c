#!/usr/bin/env python3
"""LgbmClassifier beside LightGBM's own LGBMClassifier on 200 drawn problems: compare.py PREDICT_CASES.

Exits with 77, which ctest counts as skipped, where Python has no lightgbm.
"""

import subprocess
import sys

try:
    import lightgbm
    import numpy as np
except ImportError as missing:
    print(missing)
    sys.exit(77)

COUNT = 200
NAMES = ("n_estimators", "num_leaves", "max_depth", "learning_rate", "min_child_samples", "min_child_weight",
         "min_split_gain", "subsample", "subsample_freq", "colsample_bytree", "reg_alpha", "reg_lambda")


def draw(seed):
    """(x, y, weights or None, options, class_weight, scale_pos_weight) with constant and duplicate columns and ties."""
    random = np.random.default_rng(seed)
    while True:
        n, d = int(np.exp(random.uniform(np.log(5), np.log(2000)))), int(np.exp(random.uniform(0, np.log(1536))))
        if n * d <= 30_000:
            break
    x = random.standard_normal((n, d))
    if seed % 4 == 1:
        x = np.round(x)
    if seed % 4 == 2:
        x[:, random.random(d) < 0.3] = 1.5
    if seed % 4 == 3:
        x[:, d // 2 :] = x[:, : d - d // 2]
    x = x.astype(np.float32 if seed % 3 == 0 else np.float64)
    classes = 2 if seed % 5 else 3
    score = x @ random.standard_normal(d) + random.standard_normal(n)
    y = np.searchsorted(np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]), score)
    y[:classes] = np.arange(classes)
    weights = random.uniform(0.1, 3, n) if seed % 2 else None
    options = dict(zip(NAMES, (int(random.integers(1, 40)), int(random.integers(2, 32)), int(random.integers(-1, 6)),
                               float(random.uniform(0.02, 0.3)), int(random.integers(1, 25)), 1e-3,
                               float(random.uniform(0, 0.1)), float(random.uniform(0.5, 1)), int(seed % 3),
                               float(random.uniform(0.4, 1)), float(random.uniform(0, 0.5)), float(random.uniform(0, 2)))))
    balanced = seed % 7 == 0
    positive = 3.5 if classes == 2 and seed % 7 == 1 else 1.0
    return x, y, weights, options, balanced, positive


def main():
    problems = [draw(seed) for seed in range(COUNT)]
    sent = b""
    for seed, (x, y, weights, options, balanced, positive) in enumerate(problems):
        head = [len(x), x.shape[1], weights is not None, x.dtype == np.float32,
                *(options[name] for name in NAMES), balanced, positive, seed]
        for part in (head, x.ravel(), y, () if weights is None else weights):
            sent += np.asarray(part, np.float64).tobytes()
    run = subprocess.run([sys.argv[1]], input=sent, stdout=subprocess.PIPE, check=True)
    found = np.frombuffer(run.stdout)
    worst, different = 0.0, 0
    for seed, (x, y, weights, options, balanced, positive) in enumerate(problems):
        extra = {} if positive == 1 else {"scale_pos_weight": positive}
        model = lightgbm.LGBMClassifier(**options, class_weight="balanced" if balanced else None, random_state=seed, n_jobs=1,
                                        verbosity=-1, deterministic=True, force_col_wise=True, **extra)
        expected = model.fit(x, y, sample_weight=weights).predict_proba(x)
        ours, found = found[: expected.size].reshape(expected.shape), found[expected.size :]
        np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-9, err_msg=f"problem {seed}")
        worst, different = max(worst, np.abs(ours - expected).max()), different + (np.ptp(expected[:, 1]) > 0.05)
    assert found.size == 0
    assert different > COUNT // 2, f"only {different} problems have learnt anything"
    print(f"{COUNT} problems agree with lightgbm {lightgbm.__version__}, largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
