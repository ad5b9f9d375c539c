#!/usr/bin/env python3
"""Pantanal's and scikit-learn's training time on the same problems, on the same machine, alternating.

    pip install . scikit-learn threadpoolctl
    python bench/compare_scikit_learn.py [--rounds 5] [--probes 58] [--only probes pca ...]

Synthetic data of the shapes that probes have in use: 708 windows of 59 recordings, 1536-dimensional embeddings, 58
classes with 5 to 300 positives (log-uniform), 142 features, positives repeated n_negative // n_positive times. Each round
times every contestant once, in turn; medians are printed, and ratios of medians. "scikit-learn 2T" lets its BLAS use two
threads. Both sides must agree on what they computed, or the script fails.
"""

import argparse
import os
import statistics
import time
import warnings

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "2")

import numpy as np  # noqa: E402
import sklearn.decomposition  # noqa: E402
import sklearn.linear_model  # noqa: E402
import sklearn.neural_network  # noqa: E402
import sklearn.preprocessing  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

import pantanal  # noqa: E402

PROBE = dict(hidden_layer_sizes=(256, 128), learning_rate_init=5e-4, alpha=0.005, max_iter=500, early_stopping=True,
             validation_fraction=0.15, n_iter_no_change=20, random_state=42)


def embeddings():
    """708 x 1536: recordings differ, their 12 windows less so, a few directions matter most."""
    random = np.random.default_rng(0)
    recordings = np.repeat(random.standard_normal((59, 60)), 12, 0) + 0.7 * random.standard_normal((708, 60))
    directions = random.standard_normal((60, 1536)) * np.exp(-np.arange(60) / 15)[:, None]
    return np.maximum(recordings @ directions + 0.5 * random.standard_normal((708, 1536)), -0.2).astype(np.float32)


def probe_problems(count):
    """Oversampled (X [n, 142], y) per class, float32, as the notebook builds them."""
    random = np.random.default_rng(1)
    scaled = pantanal.StandardScaler().fit_transform(embeddings())
    reduced = pantanal.PCA(128).fit_transform(scaled)
    problems = []
    for positives in np.exp(np.linspace(np.log(5), np.log(300), count)).astype(int):
        score = reduced[:, :20] @ random.standard_normal(20) / 20 + random.standard_normal(708)
        y = np.zeros(708, int)
        y[np.argsort(-score)[:positives]] = 1
        scores = (score[:, None] + random.standard_normal((708, 14))).astype(np.float32)
        x = np.hstack([reduced, scores])
        chosen = np.flatnonzero(y)
        repeat = max(1, (708 - positives) // positives)
        if 708 - positives > positives:
            x, y = np.vstack([x, np.tile(x[chosen], (repeat, 1))]), np.r_[y, np.ones(positives * repeat, int)]
        problems.append((x, y))
    return problems


def alternate(contestants, rounds):
    """Seconds per contestant, medians over rounds, and each one's last result."""
    times, results = {name: [] for name in contestants}, {}
    for _ in range(rounds):
        for name, (threads, run) in contestants.items():
            with threadpool_limits(threads):
                time.sleep(0.3)  # BLAS threads spin for a while after their work, on cores that the next one needs
                start = time.perf_counter()
                results[name] = run()
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}, results


def report(what, seconds):
    for threads in (1, 2):
        theirs = seconds[f"scikit-learn {threads}T"]
        best = min(seconds["scikit-learn 1T"], seconds["scikit-learn 2T"])
        ours = seconds[f"pantanal {threads}T"]
        print(f"| {what} | {threads} | {1e3 * theirs:.1f} | {1e3 * ours:.1f} | {theirs / ours:.2f} | {best / ours:.2f} |", flush=True)


def bench_probes(options):
    problems = probe_problems(options.probes)

    def theirs():
        return [sklearn.neural_network.MLPClassifier(**PROBE).fit(x, y) for x, y in problems]

    def ours(threads):
        return lambda: pantanal.fit_all([pantanal.MLPClassifier(**PROBE) for _ in problems], problems, threads)

    seconds, fitted = alternate({"scikit-learn 1T": (1, theirs), "pantanal 1T": (1, ours(1)),
                                 "scikit-learn 2T": (2, theirs), "pantanal 2T": (1, ours(2))}, options.rounds)
    for a, b, (x, _) in zip(fitted["scikit-learn 1T"], fitted["pantanal 2T"], problems):
        common = min(a.n_iter_, b.n_iter_, 50)
        # scikit-learn's float32 curves stray by up to 2.2e-4 from its float64 ones, with the BLAS kernels of some processors.
        np.testing.assert_allclose(b.loss_curve_[:common], a.loss_curve_[:common], rtol=5e-4)
        assert abs(a.n_iter_ - b.n_iter_) <= 2
        np.testing.assert_allclose(b.predict_proba(x), a.predict_proba(x), atol=5e-3)
    report(f"{options.probes} probes", seconds)


def bench_pca(options):
    scaled = pantanal.StandardScaler().fit_transform(embeddings())
    for dtype in (np.float32, np.float64):
        x = scaled.astype(dtype)
        for solver in ("auto", "full", "covariance_eigh"):  # auto: here the randomized one, on both sides
            arguments = dict(n_components=128, svd_solver=solver, random_state=0)

            def theirs():
                return sklearn.decomposition.PCA(**arguments).fit(x)

            def ours(threads):
                return lambda: pantanal.PCA(**arguments, threads=threads).fit(x)

            seconds, fitted = alternate({"scikit-learn 1T": (1, theirs), "pantanal 1T": (1, ours(1)),
                                         "scikit-learn 2T": (2, theirs), "pantanal 2T": (1, ours(2))}, options.rounds)
            np.testing.assert_allclose(fitted["pantanal 1T"].explained_variance_,
                                       fitted["scikit-learn 1T"].explained_variance_, rtol=1e-4)
            report(f"PCA 708 x 1536, {np.dtype(dtype).name}, {solver}", seconds)


def bench_others(options):
    x = embeddings()
    problems = probe_problems(8)

    def scale(module):
        return lambda: module.StandardScaler().fit(x).transform(x)

    def regress(make):
        return lambda: [make(C=0.75, solver="liblinear", class_weight="balanced", max_iter=400).fit(p, y) for p, y in problems]

    for what, theirs, ours in (
        ("StandardScaler 708 x 1536", scale(sklearn.preprocessing), scale(pantanal)),
        ("8 LogisticRegressions", regress(sklearn.linear_model.LogisticRegression), regress(pantanal.LogisticRegression)),
    ):
        seconds, _ = alternate({"scikit-learn 1T": (1, theirs), "pantanal 1T": (1, ours),
                                "scikit-learn 2T": (2, theirs), "pantanal 2T": (1, ours)}, options.rounds)
        report(what, seconds)


def main():
    benches = {"probes": bench_probes, "pca": bench_pca, "others": bench_others}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--probes", type=int, default=58)
    parser.add_argument("--only", nargs="+", choices=benches, default=list(benches))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| what | threads | scikit-learn, ms | pantanal, ms | ratio | to scikit-learn's best |\n|---|---|---|---|---|---|")
    for name in options.only:
        benches[name](options)


if __name__ == "__main__":
    main()
