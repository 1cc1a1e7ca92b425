"""Times, memory and weights of Bushu, each set against something measured in turn in the same run: ``make bench``.

What is timed are whole processes: the CPU time that the system counts for each and its children, because other work on the machine
disturbs that least. The ratio of the clock's times is shown beside it. Everything is written to a temporary folder, byte code too.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from operator import attrgetter
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BUSHU = str(BIN / "bushu")
PROJECT = ("fonts", "radicals", "site", "templates", "mkdocs.yml", "palette.yml", "sets.yml")
FONTS = Path("/usr/share/fonts")
NOTO = "NotoSansCJK*-Regular.tt[cf]"
COUNTS = (1, 214, 2136, 20_000)
"""Cards of the processes whose growth is measured: the first gives the fixed cost, the second is the measure of the others."""
SETS = 30
"""Sets of 214 cards that one process and two are given to draw."""
LIGHT, HEAVY, PICTURED = 1500, 3000, 6000
"""Bytes that the median card of a set may weigh: with nothing but paper and glyph, with a pattern, and with a picture."""
TARGETS = {"plain": LIGHT, "paper": LIGHT, "picture": PICTURED, "pictogram": PICTURED, "window": PICTURED}

READ = """
import sys
from pathlib import Path
import fontTools.ttLib
import svgwrite
import yaml
for path in sorted(Path("radicals").glob("*-strokes.yml")):
    yaml.load(path.read_text("utf-8"), getattr(yaml, sys.argv[1]))
"""
WARM = """
import json, sys
from time import process_time
from generator import cards, layouts, project
loaded = project.load()

def draw(recipe):
    cards._outline.cache_clear()
    for radical in loaded.radicals:
        layouts.draw(cards.card(recipe, radical), recipe.spec.layout)

def loop(_):
    return sum(len(f"{n / 7:.1f}") + (n * n) % 7 for n in range(250_000))

def timed(work, made):
    start = process_time()
    work(made)
    return process_time() - start

recipes = {name: cards.recipe(loaded, name) for name in loaded.sets}
for made in recipes.values():
    draw(made)
rounds = range(int(sys.argv[1]))
print(json.dumps({name: [(timed(draw, made), timed(loop, made)) for _ in rounds] for name, made in recipes.items()}))
"""
LOOP = "for n in range(6_000_000): n * n % 7"
IDEOGRAPHS = """
import sys
from fontTools.ttLib import TTFont
print("".join(chr(code) for code in sorted(TTFont(sys.argv[1], fontNumber=0).getBestCmap()) if 0x4E00 <= code < 0xA000))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds of the clock and of the CPU, and its peak memory in the system's unit."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``ok`` is None where there is no target to hold."""

    name: str
    measured: str
    target: str = ""
    ratio: str = ""
    ok: bool | None = None

    def __str__(self) -> str:
        word = {True: "yes", False: "NO", None: "-"}[self.ok]
        return f"{self.name:50} | {self.measured:48} | {self.target:9} | {self.ratio:>7} | {word}"


@dataclass(frozen=True)
class Bench:
    """A temporary folder to measure in, how many rounds, and a font with ideographs, if there is one."""

    folder: Path
    rounds: int
    quick: bool
    font: Path | None

    @cached_property
    def environment(self) -> dict[str, str]:
        """Byte code is kept, as it is for a person, but not here."""
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        return kept | {"PYTHONPYCACHEPREFIX": str(self.folder / "pycache"), "PYTHONPATH": str(ROOT)}

    def run(self, *command: str, fresh: Path | None = None) -> Cost:
        """Run a command in the project's folder; *fresh* is a folder that must not be there beforehand."""
        if fresh:
            shutil.rmtree(fresh, ignore_errors=True)
        with tempfile.TemporaryFile(dir=self.folder) as said:
            start = perf_counter()
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=said)
            _, status, used = os.wait4(process.pid, 0)
            wall = perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                sys.exit(f"bench: {' '.join(command)[:200]}: exit status {process.returncode}\n{said.read().decode(errors='replace')}")
        return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss)

    def told(self, script: str, *arguments: str) -> str:
        """What a Python script prints."""
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, check=True).stdout.decode()

    def turns(self, *processes: Callable[[], Cost]) -> list[tuple[Cost, ...]]:
        """The costs of processes that ran in turn, A B A B, after a first round that only warms up: a list for each."""
        for process in processes:
            process()
        return list(zip(*[[process() for process in processes] for _ in range(self.rounds)], strict=True))

    def render(self, *arguments: str) -> Callable[[], Cost]:
        """A process that draws cards."""
        out = self.folder / "cards"
        return lambda: self.run(BUSHU, "render", *arguments, "--out", str(out), fresh=out)

    def python(self, script: str, *arguments: str) -> Callable[[], Cost]:
        """A process that runs a script."""
        return lambda: self.run(sys.executable, "-c", script, *arguments)

    @cached_property
    def copy(self) -> Path:
        """A copy of the project, with a ``build`` of its own."""
        place = self.folder / "project"
        place.mkdir()
        for name in PROJECT:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, place / name)
        return place


Costs = Sequence[Cost]


def _ratio(ones: Costs, others: Costs, field: str) -> float:
    """The median of what *ones* took relative to *others*, pair by pair."""
    of = attrgetter(field)
    return float(median(of(one) / of(other) for one, other in zip(ones, others, strict=True)))


def _against(name: str, ones: Costs, others: Costs, target: float | None = None, by: str = "cpu") -> Row:
    """Two processes, by CPU time or by the clock; the other ratio is shown beside it."""
    one, other = (median(getattr(cost, by) for cost in costs) for costs in (ones, others))
    ratio, beside = _ratio(ones, others, by), "wall" if by == "cpu" else "cpu"
    measured = f"{one:.2f} s to {other:.2f} s of {by} ({beside} {_ratio(ones, others, beside):.2f})"
    return Row(name, measured, f"<= {target:g}" if target else "", f"{ratio:.2f}", ratio <= target if target else None)


def command(bench: Bench) -> Iterator[Row]:
    """The whole command against what it cannot do without."""
    loaders = ("CSafeLoader", "SafeLoader")
    drawn, fast, plain = bench.turns(bench.render("--set", "baseline"), *(bench.python(READ, loader) for loader in loaders))
    yield _against("render --set baseline : imports and yaml.safe_load", drawn, plain, 2)
    yield _against("  the same : imports and yaml.CSafeLoader", drawn, fast)


def warm(bench: Bench) -> Iterator[Row]:
    """Drawing alone, in a process that has everything at hand."""
    times: dict[str, list[tuple[float, float]]] = json.loads(bench.told(WARM, str(bench.rounds)))
    for name, pairs in times.items():
        drawn, loop = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(one / other for one, other in pairs)
        yield Row(f"214 cards of {name}, warm : a fixed loop", f"{drawn:.3f} s to {loop:.3f} s", "<= 0.25 s", f"{ratio:.2f}", drawn <= 0.25)


def growth(bench: Bench) -> Iterator[Row]:
    """Time a card and peak memory, from a few cards to all that there are."""
    if not bench.font:
        yield Row("growth with the number of cards", f"skipped, no {NOTO} here; give --font-file")
        return
    signs = bench.told(IDEOGRAPHS, str(bench.font)).strip()[: COUNTS[-1]]
    if len(signs) < COUNTS[2]:
        yield Row("growth with the number of cards", f"skipped, {bench.font.name} has only {len(signs)} ideographs")
        return
    # Spread evenly, because ideographs are ordered by strokes and the first are simple.
    counts = COUNTS[:-1] if bench.quick else COUNTS
    processes = {n: bench.render(signs[:: len(signs) // n][:n], "--font", str(bench.font)) for n in counts if n <= len(signs)}
    fixed, few, *more = processes
    # The few take little more than the fixed cost, so that it needs many turns to tell the difference.
    order = [*(fixed, few) * 3, *(n for n in more if n != COUNTS[-1])]
    costs: dict[int, list[Cost]] = {n: [] for n in processes}
    for n, taken in zip(order, bench.turns(*(processes[n] for n in order)), strict=True):
        costs[n] += taken
    if COUNTS[-1] in processes:
        costs[COUNTS[-1]].append(processes[COUNTS[-1]]())
    cpu, memory = ({n: median(map(attrgetter(field), costs[n])) for n in costs} for field in ("cpu", "memory"))
    each = {n: (cpu[n] - cpu[fixed]) / (n - fixed) for n in (few, *more)}
    for n in more:
        time, peak = each[n] / each[few], memory[n] / memory[few]
        measured = f"{each[n] * 1000:.2f} ms to {each[few] * 1000:.2f} ms of CPU"
        yield Row(f"time a card, {n:,} cards : {few}", measured, "<= 1.2", f"{time:.2f}", time <= 1.2)
        yield Row(f"peak memory, {n:,} cards : {few}", f"{memory[n]:,.0f} to {memory[few]:,.0f}", "<= 1.25", f"{peak:.2f}", peak <= 1.25)


def _together(bench: Bench, count: int) -> Cost:
    """Bare loops, as many processes at once: what the machine has to give."""
    start = perf_counter()
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(count)]
    for process in loops:
        process.wait()
    return Cost(perf_counter() - start, 0, 0)


def jobs(bench: Bench) -> Iterator[Row]:
    """Two processes against one, by the clock; held to what this machine's cores give two loops that do nothing else."""
    name = f"{SETS * 214:,} cards, --jobs 1 : --jobs 2"
    if (os.cpu_count() or 1) < 2:
        yield Row(name, "skipped, one core")
        return
    project = bench.copy.with_name("many")
    project.mkdir()
    spec = "{title: Many, description: Many, layout: plain, font: mincho, palette: default}"
    (project / "sets.yml").write_text("".join(f"many-{n}: {spec}\n" for n in range(SETS)), "utf-8")
    out = bench.folder / "cards"
    draw = [BUSHU, "--project", str(project), "render", "--out", str(out), "--jobs"]
    one, two, alone, both = bench.turns(
        lambda: bench.run(*draw, "1", fresh=out),
        lambda: bench.run(*draw, "2", fresh=out),
        lambda: _together(bench, 1),
        lambda: _together(bench, 2),
    )
    ratio, limit = _ratio(one, two, "wall"), 2 * _ratio(alone, both, "wall")
    seconds = [median(cost.wall for cost in costs) for costs in (one, two)]
    target = 0.85 * limit
    measured = f"{seconds[0]:.2f} s to {seconds[1]:.2f} s of wall (bare loops {limit:.2f})"
    yield Row(name, measured, f">= {target:.2f}", f"{ratio:.2f}", ratio >= target)


def _markdown(page: str) -> str:
    """The text of an HTML page as paragraphs of sixty words."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    words = re.sub(r"[^\w\s.,;:()]", "", unescape(text)).split()
    return "# Page\n\n" + "\n\n".join(" ".join(words[i : i + 60]) for i in range(0, len(words), 60)) + "\n"


def _bare(bench: Bench, built: Path) -> Path:
    """A bare MkDocs project of as many pages and words as the *built* gallery has: its configuration."""
    place = bench.folder / "bare"
    for path in built.rglob("*.html"):
        name = path.relative_to(built)
        inner = name.name == "index.html" and name.parent.name
        page = place / "docs" / (name.parent if inner else name).with_suffix(".md")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_markdown(path.read_text("utf-8")), "utf-8")
    config = place / "mkdocs.yml"
    config.write_text("site_name: Bare\ntheme: mkdocs\nplugins: []\n", "utf-8")
    return config


def gallery(bench: Bench) -> Iterator[Row]:
    """The whole gallery against bare pages; then what the cards weigh."""
    bushu = [BUSHU, "--project", str(bench.copy), "site"]
    bench.run(*bushu)  # which makes the PNG files
    built = bench.copy / "build" / "site"
    config = _bare(bench, built)
    mkdocs = [str(BIN / "mkdocs"), "build", "--quiet", "--config-file", str(config)]
    ours, bare = bench.turns(lambda: bench.run(*bushu), lambda: bench.run(*mkdocs))
    pages = sum(1 for _ in built.rglob("*.html"))
    yield _against(f"bushu site : mkdocs build of {pages} bare pages", ours, bare, 3, by="wall")  # which draws in several processes
    yield from _weights(bench.copy / "build" / "sets")


def _weights(sets: Path) -> Iterator[Row]:
    largest = (0, "")
    for path in sorted(sets.glob("*/manifest.json")):
        drawn = json.loads(path.read_text("utf-8"))
        target = TARGETS.get(drawn["layout"], HEAVY)
        middle = median(card["bytes"] for card in drawn["cards"])
        largest = max(largest, *((card["bytes"], f"{drawn['set']}/{card['file']}") for card in drawn["cards"]))
        ratio = middle / target
        yield Row(f"median card of {drawn['set']} : its target", f"{middle:.0f} bytes", f"<= {target}", f"{ratio:.2f}", ratio <= 1)
    yield Row("largest card", f"{largest[0]} bytes, {largest[1]}")


SECTIONS = (command, warm, growth, jobs, gallery)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and not the most cards")
    parser.add_argument("--font-file", type=Path, help=f"a font with ideographs (default: a {NOTO} of this machine)")
    parser.add_argument("--only", choices=[section.__name__ for section in SECTIONS], help="one part alone")
    given = parser.parse_args()
    font = given.font_file or next(iter(sorted(FONTS.rglob(NOTO))), None)
    failed = False
    print(Row("what : against what", "measured (medians)", "target", "ratio"))
    with tempfile.TemporaryDirectory(prefix="bushu-bench-") as name:
        bench = Bench(Path(name), 3 if given.quick else 7, given.quick, font.resolve() if font else None)
        for section in SECTIONS:
            if given.only in (None, section.__name__):
                for row in section(bench):
                    print(row, flush=True)
                    failed |= row.ok is False
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
