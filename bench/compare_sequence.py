"""Times the selective scan, attention, ProtoSSM and ResidualSSM beside PyTorch and ggml, alternating in one run.

    cmake --preset bench && cmake --build --preset bench
    python bench/compare_sequence.py [--ggml FOLDER] [--rounds 5] [--readme README.md]

Needs torch and safetensors; `--ggml` is a folder with libggml-base.so and libggml-cpu.so. Contestants take turns within a
round, pinned to as many cores as they have threads, and medians over rounds are printed as the tables of the project's
README; `--readme` puts them between its markers. Before it is timed, each peer's scan must agree with NumPy in double.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "nn"))
import make_fixtures as torch_models  # noqa: E402
from ggml_scan import GgmlScan  # noqa: E402
from readme_tables import put  # noqa: E402

SCANS = [(1, 12, 320, 32), (59, 12, 256, 32), (700, 12, 320, 32), (1, 4096, 1024, 16), (8, 2048, 768, 16)]
PROTO = dict(d_input=1536, d_model=320, d_state=32, d_conv=4, n_ssm_layers=4, n_classes=234, n_windows=12, n_sites=20,
             meta_dim=24, use_cross_attn=True, cross_attn_heads=8, n_families=5)
RESIDUAL = dict(d_input=1536, d_scores=234, d_model=128, d_state=16, d_conv=4, n_classes=234, n_windows=12, n_sites=20,
                meta_dim=8)
SHIFTS = [0, 1, -1, 2, -2]


def native(program, name):
    """Runs one benchmark of a C++ program: milliseconds, share of peak in percent."""
    command = [ROOT / "build/bench/bench" / program, f"--benchmark_filter=^{name}/real_time$", "--benchmark_format=json",
               "--benchmark_min_time=0.3"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    if len(found) != 1:
        raise RuntimeError(f"{program} has {len(found)} benchmarks named {name}, not one")
    scale = {"ns": 1e-6, "us": 1e-3, "ms": 1}[found[0]["time_unit"]]
    return found[0]["real_time"] * scale, found[0]["peak_%"]


def timed(function):
    """Milliseconds per call, of as many calls as fill a third of a second after one to warm up."""
    function()
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < 0.3:
        function()
        calls += 1
    return 1e3 * (time.perf_counter() - start) / calls


class ScanProblem:
    def __init__(self, shape):
        batch, steps, channels, states = shape
        rng = np.random.default_rng(1)
        draw = lambda *extents: rng.standard_normal(extents, dtype=np.float32)
        self.u, self.raw_dt = draw(batch, steps, channels), draw(batch, steps, channels)
        self.a, self.b, self.c = -np.exp(draw(channels, states)), draw(batch, steps, states), draw(batch, steps, states)
        self.dt = np.log1p(np.exp(self.raw_dt))

    def expected(self):
        u, dt, a, b, c = (m.astype(np.float64) for m in (self.u, self.dt, self.a, self.b, self.c))
        h, y = np.zeros((u.shape[0], *a.shape)), np.empty_like(u)
        for t in range(u.shape[1]):
            h = h * np.exp(dt[:, t, :, None] * a) + (dt * u)[:, t, :, None] * b[:, t, None]
            y[:, t] = (h * c[:, t, None]).sum(-1)
        return y

    def torch_loop(self):
        u, dt, a, b, c = (torch.from_numpy(m) for m in (self.u, self.dt, self.a, self.b, self.c))

        def run():
            h, y = torch.zeros(u.shape[0], *a.shape), []
            for t in range(u.shape[1]):
                h = h * torch.exp(dt[:, t, :, None] * a) + u[:, t, :, None] * (dt[:, t, :, None] * b[:, t, None])
                y.append((h * c[:, t, None]).sum(-1))
            return torch.stack(y, 1).numpy()

        return run


def must_agree(name, got, expected):
    error = np.abs(got - expected).max() / np.abs(expected).max()
    if not error < 1e-4:
        raise RuntimeError(f"{name} computes something else: {error:.1e} away, relative to the largest output")


def scan_contestants(shape, threads, ggml):
    """Name -> function that returns (milliseconds, share of peak or None)."""
    name = "x".join(map(str, shape))
    isa = subprocess.run([ROOT / "build/bench/bench/selective_scan", "--benchmark_list_tests"], check=True,
                         capture_output=True, text=True).stdout
    best = next(i for i in ("avx512", "avx2", "portable") if f"{i}/" in isa)
    contestants = {"ours": lambda: native("selective_scan", f"{best}/{name}/{threads}")}
    if threads == 1:
        contestants["Eigen"] = lambda: native("selective_scan", f"eigen/{name}/1")
        contestants["scalar"] = lambda: native("selective_scan", f"scalar/{name}/1")
    problem = ScanProblem(shape)
    expected = problem.expected()
    run = problem.torch_loop()
    must_agree("PyTorch's loop", run(), expected)
    contestants["PyTorch"] = lambda: (timed(run), None)
    if ggml:
        peer = GgmlScan(ggml, problem.u, problem.raw_dt, problem.a, problem.b, problem.c, threads)
        peer.run()
        must_agree("ggml", peer.output(), expected)
        contestants["ggml"] = lambda: (timed(peer.run), None)
    return contestants


def model_contestants(name, files, threads):
    generator = torch.Generator().manual_seed(1)
    draw = lambda *extents: torch.randn(*extents, generator=generator)
    emb, logits = draw(files, 12, 1536), draw(files, 12, 234)
    sites, hours = torch.arange(files) % 20, torch.arange(files) % 24
    if name == "attention":
        layer, x = torch_models.TemporalCrossAttention(320, 8).eval(), draw(files, 12, 320)
        run = lambda: layer(x)
    elif name == "residual_ssm":
        model = torch_models.ResidualSsm(RESIDUAL).eval()
        run = lambda: model(emb, logits, sites, hours)
    else:
        model = torch_models.ProtoSsm(PROTO).eval()
        shifts = SHIFTS if name.endswith("shifts") else [0]
        run = lambda: sum(
            model(emb.roll(s, 1), logits.roll(s, 1), sites, hours)[0].roll(-s, 1) for s in shifts) / len(shifts)

    def peer():
        with torch.inference_mode():
            return timed(run), None

    return {"ours": lambda: native("sequence_models", f"{name}/{files}/{threads}"), "PyTorch": peer}


def medians(contestants, threads, rounds):
    """Name -> (median milliseconds, median share of peak)."""
    os.sched_setaffinity(0, set(sorted(CORES)[:threads]))
    torch.set_num_threads(threads)
    samples = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            samples[name].append(run())
    pick = lambda values: statistics.median(values) if None not in values else None
    return {name: tuple(pick(column) for column in zip(*runs)) for name, runs in samples.items()}


def milliseconds(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def scan_table(options):
    peers = ["Eigen", "scalar", "PyTorch"] + (["ggml"] if options.ggml else [])
    lines = ["| batch × steps × channels × states | threads | ms | of bound | " + " | ".join(f"vs {p}" for p in peers) + " |",
             "|---|---|---|---|" + "---|" * len(peers)]
    for shape in SCANS:
        for threads in (1, 2):
            found = medians(scan_contestants(shape, threads, options.ggml), threads, options.rounds)
            ours, share = found["ours"]
            cells = [f"{found[p][0] / ours:.3g}x ({milliseconds(found[p][0])})" if p in found else "" for p in peers]
            lines.append(f"| {' × '.join(map(str, shape))} | {threads} | {milliseconds(ours)} | {share:.0f} % | "
                         + " | ".join(cells) + " |")
            print(lines[-1], file=sys.stderr)
    return lines


def model_table(options):
    lines = ["| 12 windows a file | files | threads | ms | of peak | PyTorch, ms | ratio |", "|---|---|---|---|---|---|---|"]
    titles = {"attention": "attention block", "proto_ssm": "ProtoSSM", "proto_ssm_5_shifts": "ProtoSSM, 5 shifts",
              "residual_ssm": "ResidualSSM"}
    for name, title in titles.items():
        for files in (59, 700):
            for threads in (1, 2):
                found = medians(model_contestants(name, files, threads), threads, options.rounds)
                (ours, share), (peer, _) = found["ours"], found["PyTorch"]
                lines.append(f"| {title} | {files} | {threads} | {milliseconds(ours)} | {share:.0f} % | "
                             f"{milliseconds(peer)} | {peer / ours:.3g}x |")
                print(lines[-1], file=sys.stderr)
    return lines


CORES = os.sched_getaffinity(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ggml", type=pathlib.Path, help="folder of ggml's shared libraries")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--readme", type=pathlib.Path, help="put the tables between its markers")
    parser.add_argument("--only", choices=["scan", "models"])
    options = parser.parse_args()
    torch.manual_seed(1)
    for name, table in {"scan": scan_table, "models": model_table}.items():
        if options.only in (None, name):
            lines = table(options)
            print("\n".join(lines))
            if options.readme:
                put(options.readme, f"{name} table", lines)


if __name__ == "__main__":
    main()
