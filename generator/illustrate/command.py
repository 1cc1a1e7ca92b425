"""The command ``bushu illustrate``."""

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from generator.model import Error, Radical, Unsound
from generator.project import Project, load
from generator.terminal import shown, subjects

if TYPE_CHECKING:
    from generator.illustrate.plan import Row
    from generator.illustrate.profiles import ModelsFile
    from generator.illustrate.run import Options, Site
    from generator.illustrate.supervise import News, Tally

EVERY = 30.0
"""Seconds between two lines about how it goes, where there is no terminal."""
STOPPED = 130
"""Exit status after Ctrl-C."""
NOISE = "demo: its weights are random and its pictures noise: they show that everything works here, not what a model can do"


@click.command("illustrate")
@click.argument("numbers", nargs=-1)
@click.option("--model", "names", multiple=True, help="A model of models.yml, as often as wanted.")
@click.option("--mode", "modes", multiple=True, help="How to ask it: text, img2img, control, glyph … (default: each model's first).")
@click.option("--style", "styles", multiple=True, help="A style of models.yml, as often as wanted (default: the first).")
@click.option("--count", type=click.IntRange(1, 10_000), default=4, show_default=True, help="Pictures of a radical, by each model.")
@click.option("--rounds", is_flag=True, help="A further round: --count more for the radicals that nothing was chosen for yet.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="The first seed; all radicals have the same.")
@click.option("--device", type=click.Choice(["auto", "cuda", "mps", "cpu"]), default="auto", show_default=True, help="What computes.")
@click.option(
    "--memory",
    default="",
    metavar="FRACTION|GB",
    help="What may be taken of the device's memory: a share up to 1, or GB (default: 0.9; cpu: 0.8).",
)
@click.option("--allow-smaller", is_flag=True, help="Make smaller pictures of a model that there is no memory for.")
@click.option("--jobs", type=click.IntRange(1, 64), default=None, help="Pictures made at the same time (default: one a CUDA device).")
@click.option("--limit", type=click.FloatRange(min=0), metavar="USD", help="What may be spent on services.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Have Dask workers do it: tcp://host:8786.")
@click.option("--dry-run", is_flag=True, help="Make nothing: show the plan, what it takes and what of it is there.")
@click.option("--status", is_flag=True, help="Show what was made so far, and what became of it.")
@click.pass_obj
def illustrate(
    root: Path,
    numbers: tuple[str, ...],
    names: tuple[str, ...],
    modes: tuple[str, ...],
    styles: tuple[str, ...],
    count: int,
    rounds: bool,
    seed: int,
    device: str,
    memory: str,
    allow_smaller: bool,
    jobs: int | None,
    limit: float | None,
    scheduler: str,
    dry_run: bool,
    status: bool,
) -> None:
    """Make illustrated candidates of all radicals, or of the NUMBERS given (85, 1-10, 水), into build/candidates.

    What is there is not made again: the same command goes on where it stopped. A person chooses among them.
    """
    from generator.illustrate import run
    from generator.illustrate.requests import EXHAUSTED, state
    from generator.illustrate.run import Options

    project = load(root)
    if status:
        _status(project, numbers)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever tells it to end, it ends as cleanly
    if limit is not None and not isfinite(limit):
        raise Error(f"--limit: {limit} is no amount, give US dollars as 4.50")
    options = Options(device, memory, jobs or 0, limit, allow_smaller, scheduler)
    site = _site(project, numbers, (names, modes, styles), count, seed, rounds, options)
    run.limit(memory, "cpu", 1)  # before anything is looked for
    if dry_run:
        with TemporaryDirectory() as folder:
            there = (site.store.root / run.CONDITIONS).is_dir()
            site = site if there else replace(site, drawn=Path(folder))
            _tell(site, site.rows(site.requests(pin=False)))
        return
    asked = site.requests(pin=True)
    rows = site.rows(asked)
    _tell(site, rows)
    run.afford(site, rows)
    with _progress(sum(row.left for row in rows)) as progress:
        tally = run.go(site, progress, lambda text: click.echo(text, err=True))
    if not tally.interrupted:
        run.rank(site)
    _report(site, tally, sum(state(site.store, request) == EXHAUSTED for request in asked))


def _site(
    project: Project, numbers: Sequence[str], chosen: tuple[tuple[str, ...], ...], count: int, seed: int, rounds: bool, options: "Options"
) -> "Site":
    from generator.illustrate import profiles, run
    from generator.illustrate.plan import Wish

    models = profiles.load(project)
    names, modes, styles = chosen
    if not names:
        raise Error("\n".join(["--model: which one? Give one or more of:", *_offer(models)]))
    drawn = tuple(one for one in subjects(project, numbers) if isinstance(one, Radical)) if numbers else project.radicals
    if not drawn:
        raise Error("NUMBERS: empty, give 85, 1-10 or 水, or leave it out for all")
    site = run.Site(project, models, Wish(drawn, names, modes, styles, count, seed), options)
    return run.next_round(site) if rounds else site


def _offer(models: "ModelsFile") -> Iterator[str]:
    """The models, one a line."""
    width = max(map(len, models.models))
    for name, profile in models.models.items():
        money = f"{profile.price:g} $ a picture" if profile.price else "a server of yours" if profile.price == 0 else "a service"
        needs = f"from {min(profile.memory.values()):g} GB" if profile.memory else money
        yield f"  {name.ljust(width)}  {profile.title}, {', '.join(profile.modes)}; {needs}; {models.licences[profile.licence].title}"


def _tell(site: "Site", rows: "Sequence[Row]") -> None:
    """Show the plan."""
    from generator.illustrate import plan, run

    for line in plan.table(rows):
        click.echo(line)
    click.echo(run.summary(rows))
    if any(site.models.models[row.model].provider == "demo" for row in rows):
        click.echo(NOISE)


def _status(project: Project, numbers: Sequence[str]) -> None:
    from generator import store
    from generator.illustrate import status

    asked = [one.number for one in subjects(project, numbers) if isinstance(one, Radical)]
    for line in status.lines(project, store.store(project.build), asked):
        click.echo(line)


def _words(news: "News | None") -> str:
    """What is at hand, for the progress bar."""
    if news is None:
        return ""
    radical = f"radical {news.radical}" if news.radical else ""
    memory = f"{news.memory / 1e9:.1f} GB" if news.memory else ""
    return ", ".join(filter(None, [news.model, radical, memory, news.note]))


@contextmanager
def _progress(left: int) -> "Iterator[_Meter]":
    """A progress bar on a terminal, a line now and then elsewhere."""
    if not sys.stderr.isatty():
        yield _Meter(left)
        return
    with click.progressbar(length=left, file=sys.stderr, show_pos=True, show_eta=True, item_show_func=_words) as bar:
        meter = _Meter(left)
        meter.bar = bar
        yield meter


class _Meter:
    """Shows the news of a run: how many pictures of how many are made, what is at hand, and how long the rest will take."""

    def __init__(self, left: int) -> None:
        self.left, self.done, self.is_begun = left, 0, False
        self.bar: Any = None
        self.began = self.said = time.monotonic()

    def __call__(self, news: "News") -> None:
        """Take in the news."""
        now = time.monotonic()
        if not self.is_begun and news.radical:  # loading is not counted in what a picture takes
            self.is_begun, self.began = True, now
            if self.bar is not None:
                self.bar.start = time.time()
        step, self.done = max(0, news.done - self.done), max(self.done, news.done)
        if self.bar is not None:
            self.bar.update(step, news)
        elif now - self.said > EVERY:
            self.said = now
            click.echo(f"{self.done}/{self.left} {_words(news)}{self.rest(now)}", err=True)

    def rest(self, now: float) -> str:
        """How long the rest will take."""
        from generator.illustrate.plan import spoken

        if not self.done:
            return ""
        return f", {spoken((now - self.began) / self.done * (self.left - self.done))} left"


def _report(site: "Site", tally: "Tally", lost: int) -> None:
    """Say how the run went; :class:`Unsound` if something of it failed. *lost*: how many came to nothing, in this run or before."""
    rejects = ", ".join(f"{count} {code}" for code, count in sorted(tally.rejected.items()))
    said = f"{tally.made} made" + (f", rejected and tried again with another seed: {rejects}" if rejects else "")
    peak = f"; at most {tally.peak / 1e9:.1f} GB" if tally.peak else ""
    click.echo(f"{said}, in {shown(site.store.root)}{peak}")
    if tally.deaths:
        click.echo(f"{tally.deaths} {'worker' if tally.deaths == 1 else 'workers'} died, others went on with what was left", err=True)
    if tally.interrupted:
        click.echo("stopped; the same command goes on from here", err=True)
        raise click.exceptions.Exit(STOPPED)
    faults = [*tally.given_up.values(), *(f"{count} failed: {message}" for message, count in sorted(tally.failed.items()))]
    if lost:
        faults.append(f"{lost} came to nothing with every seed: bushu illustrate --status says why, another --seed may help")
    if tally.limited:
        faults.append(f"--limit: {site.options.limit:.2f} $ are spent, the rest was not asked for; a new limit goes on from here")
    if faults:
        raise Unsound("\n".join(faults))
