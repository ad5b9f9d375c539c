#!/usr/bin/env python3
"""Perch stage by stage as a Markdown table, and its roofline as SVG, from the medians of several runs of build/bench/bench/perch.

    python bench/perch_report.py build/bench/bench/perch [--rounds 3] [--svg docs/perch_roofline.svg]

A stage's bound is the longer of two times: its floating-point operations at the peak that the same run measured, and its weights,
input and output (those of a window; weights count once per window) at the measured rate of reading memory. Most stages' data stays
in caches, so that only the first bound is hard; what a stage takes beyond it is activations, depthwise convolutions and waits.
"""

import argparse
import collections
import math
import pathlib
import statistics
import subprocess

Stage = collections.namedtuple("Stage", "ms flop bytes")


def run(program, passes):
    """({threads: (GFLOP/s, GB/s)}, {(name, threads, batch): Stage})"""
    peaks, stages = {}, {}
    text = subprocess.run([program, "--passes", str(passes)], check=True, stdout=subprocess.PIPE, text=True).stdout
    for kind, *fields in (line.split("\t") for line in text.splitlines()):
        if kind == "peak":
            peaks[int(fields[1])] = (float(fields[2]), float(fields[3]))
        if kind == "stage":
            name, threads, batch, median, _, flop, weights, traffic = fields
            stages[name, int(threads), int(batch)] = Stage(float(median), float(flop), float(weights) + float(traffic))
    return peaks, stages


def medians(runs):
    """Of peaks the best, since what else the machine does only lowers them; of times the median."""
    peaks = {t: tuple(max(r[0][t][i] for r in runs) for i in (0, 1)) for t in runs[0][0]}
    stages = {key: stage._replace(ms=statistics.median(r[1][key].ms for r in runs)) for key, stage in runs[0][1].items()}
    return peaks, stages


def table(peaks, stages):
    names = list(dict.fromkeys(name for name, _, _ in stages))
    kinds = sorted({(t, b) for _, t, b in stages})
    lines = ["| stage | MFLOP | " + " | ".join(f"{t}T, batch {b}: ms | GFLOP/s | of peak" for t, b in kinds) + " |",
             "|---|---|" + "---|---|---|" * len(kinds)]

    def row(label, members):
        cells = [label, f"{sum(stages[n, *kinds[0]].flop for n in members) / 1e6:.0f}"]
        for kind in kinds:
            ms = sum(stages[n, *kind].ms for n in members)
            rate = sum(stages[n, *kind].flop for n in members) / ms / 1e6
            cells += [f"{ms:.2f}", f"{rate:.0f}" if rate else "", f"{100 * rate / peaks[kind[0]][0]:.0f} %" if rate else ""]
        lines.append("| " + " | ".join(cells) + " |")

    for name in names:
        row(name, [name])
    row("backbone: all but front end and label head", [n for n in names if n not in ("front end", "label head")])
    row("all", names)
    return "\n".join(lines)


def svg(peaks, stages, threads=1, batch=12):
    """Intensity in FLOP/byte against GFLOP/s, both logarithmic; a point per stage below its bound."""
    gflops, gbytes = peaks[threads]
    width, height, left, bottom = 760, 440, 60, 50
    x_range, y_range = (1, 1000), (10, 200)
    at_x = lambda v: left + (width - left - 20) * math.log(v / x_range[0]) / math.log(x_range[1] / x_range[0])
    at_y = lambda v: height - bottom - (height - bottom - 20) * math.log(v / y_range[0]) / math.log(y_range[1] / y_range[0])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    text = lambda x, y, s, anchor="middle": out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{s}</text>')
    line = lambda x1, y1, x2, y2, style: out.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" {style}/>')
    for v in (1, 10, 100, 1000):
        line(at_x(v), at_y(y_range[0]), at_x(v), at_y(y_range[1]), 'stroke="#ddd"')
        text(at_x(v), height - bottom + 18, v)
    for v in (10, 20, 50, 100, 200):
        line(at_x(x_range[0]), at_y(v), at_x(x_range[1]), at_y(v), 'stroke="#ddd"')
        text(left - 8, at_y(v) + 4, v, "end")
    ridge = gflops / gbytes
    line(at_x(max(x_range[0], y_range[0] / gbytes)), at_y(max(y_range[0], gbytes * x_range[0])), at_x(ridge), at_y(gflops),
         'stroke="black" fill="none"')
    line(at_x(ridge), at_y(gflops), at_x(x_range[1]), at_y(gflops), 'stroke="black" fill="none"')
    text(at_x(x_range[1]), at_y(gflops) - 6, f"{gflops:.0f} GFLOP/s", "end")
    text(at_x(2.2), at_y(gbytes * 2.2) - 8, f"{gbytes:.0f} GB/s", "end")
    points = sorted((at_y(stage.flop / stage.ms / 1e6), at_x(stage.flop / stage.bytes), name)
                    for (name, t, b), stage in stages.items() if (t, b) == (threads, batch) and stage.flop)
    labels = []  # (x, y), each at least a line below those near it
    for y, x, name in points:
        label = max([y, *(ly + 15 for lx, ly in labels if abs(lx - x) < 110)])
        labels.append((x, label))
        line(x, y, x + 22, label, 'stroke="#999"')
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#2a6f97"><title>{name}</title></circle>')
        text(x + 25, label + 4, name.split(",")[0], "start")
    text(width / 2, height - 12, f"FLOP per byte of weights, input and output; {threads} thread, batch {batch}")
    out.append(f'<text transform="translate(16 {height / 2}) rotate(-90)" text-anchor="middle">GFLOP/s</text></svg>')
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=40)
    parser.add_argument("--svg", type=pathlib.Path)
    options = parser.parse_args()
    peaks, stages = medians([run(options.program, options.passes) for _ in range(options.rounds)])
    print(table(peaks, stages))
    if options.svg:
        options.svg.write_text(svg(peaks, stages))


if __name__ == "__main__":
    main()
