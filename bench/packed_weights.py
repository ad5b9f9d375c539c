"""What --packed-weights saves: pantanal-infer's start, and the memory of two streams of one model.

    python bench/packed_weights.py --infer build/release/tools/infer/pantanal-infer --model perch.safetensors

Times a program from its start to its end, five seconds of sound on one thread, without the option and with it in turn, and
once as it makes the file; then has two streams wait side by side and reads /proc/PID/smaps_rollup. Outputs must agree.
Needs Linux and nothing but Python.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SOUND = bytes((i * i // 7) % 64 for i in range(2 * 5 * 32000))  # five seconds of 16 bits


def command(options, *more):
    return [options.infer, "--model", options.model, "--precision", options.precision, *map(str, more)]


def time_starts(options, folder, packed):
    """Milliseconds, medians and shortest."""
    (folder / "sound").write_bytes(SOUND)
    usual, mapped = (command(options, "--stream", folder / "sound"),
                     command(options, "--stream", folder / "sound", "--packed-weights", packed))

    def run(arguments):
        start = time.perf_counter()
        out = subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout
        return 1e3 * (time.perf_counter() - start), out

    run(usual)
    made, expected = run(mapped)
    print(f"the start that makes the file, {packed.stat().st_size / 1e6:.1f} MB: {made:.0f} ms")
    times = {"own": [], "mapped": []}
    for _ in range(options.rounds):
        for name, arguments in (("own", usual), ("mapped", mapped)):
            took, out = run(arguments)
            times[name].append(took)
            if out != expected:
                sys.exit("outputs differ")
    for name, all_times in times.items():
        print(f"start to end, {name} weights: median {statistics.median(all_times):.1f} ms, shortest {min(all_times):.1f}")


class WaitingStream:
    """Has computed one window and waits for more."""

    def __init__(self, options, fifo, *more):
        os.mkfifo(fifo)
        self.process = subprocess.Popen(command(options, "--stream", fifo, *more), stdout=subprocess.PIPE)
        self.fifo = os.open(fifo, os.O_WRONLY)
        with os.fdopen(os.dup(self.fifo), "wb") as pipe:
            pipe.write(SOUND)
        self.process.stdout.readline()

    def memory(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()[1:]
        return {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines}

    def finish(self):
        os.close(self.fifo)
        self.process.stdout.read()
        if self.process.wait() != 0:
            sys.exit("a stream failed")


def compare_memory(options, folder, packed):
    for name, more in (("own", ()), ("mapped", ("--packed-weights", packed))):
        streams = [WaitingStream(options, folder / f"{name}{i}", *more) for i in range(2)]
        memory = [stream.memory() for stream in streams]
        for stream in streams:
            stream.finish()
        each = ", ".join(f"{kind} {' and '.join(f'{m[kind]:.1f}' for m in memory)}" for kind in ("Private_Dirty", "Pss", "Rss"))
        print(f"two streams, {name} weights, MB: {each}; together {sum(m['Pss'] for m in memory):.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", required=True, help="the pantanal-infer program")
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        time_starts(options, folder, folder / "packed")
        compare_memory(options, folder, folder / "packed")


if __name__ == "__main__":
    main()
