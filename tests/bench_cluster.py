"""Whether more workers make more pictures: one worker of a Dask cluster on this machine against two, and four if there are cores.

Each picture is a fixed amount of work on one core, then finished, sent and stored as any other. How much two or four workers can gain
is what this machine's cores give to bare loops at the same time, measured in the same round.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

from bench import Row
from clusters import Cluster

from generator.illustrate import cluster
from generator.illustrate.making import Here
from generator.illustrate.requests import Request
from generator.illustrate.supervise import Terms
from generator.store import Store

PICTURES = 24
WORK = 4_000_000
"""Turns of the loop that a picture takes: some tenths of a second."""
LOOP = f"sum(n * n % 7 for n in range({WORK * PICTURES // 8}))"
TARGET = 0.8
"""Share of what the bare loops gain."""


def loops(processes: int) -> float:
    """Loops a second of so many processes at the same time."""
    began = perf_counter()
    for process in [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(processes)]:
        process.wait()
    return processes / (perf_counter() - began)


def pictures(place: Cluster, folder: Path, round_: int) -> float:
    """Pictures a second of a cluster."""
    settings = {"provider": "burning", "work": WORK}
    requests = [
        Request(number, "burning", "text", "plain", f"a square {number}", "", round_, settings) for number in range(1, PICTURES + 1)
    ]
    tally = cluster.run(place.address, Store(folder), requests, Terms(Here("cpu", 0, 0, 1, folder, folder), (), 1), lambda _: None)
    if tally.made != PICTURES:
        sys.exit(f"bench_cluster: {tally}")
    return PICTURES / tally.seconds


def rows(rounds: int) -> list[Row]:
    """A line for each number of workers."""
    sizes = [1, *(size for size in (2, 4) if size <= (os.cpu_count() or 1))]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bushu-bench-")))
        places = []
        for size in sizes:
            (folder / f"workers-{size}").mkdir()
            places.append(Cluster(folder / f"workers-{size}"))
            stack.callback(places[-1].end)
            places[-1].grow(size)
        tries = count(1)
        for place in places:
            pictures(place, folder / "candidates", next(tries))  # which warms up
        rates = [
            [pictures(place, folder / "candidates", next(tries)) for place in places] + [loops(size) for size in sizes]
            for _ in range(rounds)
        ]
    found = []
    for at, size in enumerate(sizes[1:], 1):
        ratio, limit = (median(rate[start + at] / rate[start] for rate in rates) for start in (0, len(sizes)))
        one, more = (median(rate[which] for rate in rates) for which in (0, at))
        measured = f"{one:.1f} to {more:.1f} pictures a second (bare loops {limit:.2f})"
        found.append(
            Row(
                f"{PICTURES} pictures, {size} workers : 1 worker",
                measured,
                f">= {TARGET * limit:.2f}",
                f"{ratio:.2f}",
                ratio >= TARGET * limit,
            )
        )
    return found or [Row("pictures of several workers", "skipped, one core")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    found = rows(1 if parser.parse_args().quick else 3)
    print(*found, sep="\n")
    return int(any(row.ok is False for row in found))


if __name__ == "__main__":
    sys.exit(main())
