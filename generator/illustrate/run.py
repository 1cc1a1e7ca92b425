"""From a wish to pictures: what is here, what is asked for, what that takes, and the run itself. The parent never imports torch."""

import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any

from generator import store as stores
from generator.illustrate import cluster, conditions, connection, conversation, pins, profiles, supervise
from generator.illustrate import plan as plans
from generator.illustrate.formats import Formats
from generator.illustrate.making import FRUGAL, Here
from generator.illustrate.money import Cost, Ledger, keep_within, total
from generator.illustrate.plan import Row, Wish
from generator.illustrate.probe import DTYPES, Probed, probe
from generator.illustrate.profiles import LOCAL, ModelsFile, Profile
from generator.illustrate.requests import APART, RETRIES, SEEDS, Request
from generator.illustrate.supervise import News, Tally, Terms
from generator.model import Error
from generator.project import Project
from generator.store import Candidate, Reject, Store

SHARE = {"cuda": 0.9, "mps": 0.9, "cpu": 0.8}
"""Share of a device's memory that may be taken unless told otherwise."""
TINY = 128
"""Pixels up to which one thread is quicker than several."""
CHUNK_OF_CUDA = 2000
"""Requests that a child gets where nothing leaks: starting takes as long as making a hundred pictures."""
SERVED = 4
"""Requests that a service gets at the same time unless told otherwise."""
CONDITIONS = "conditions"
"""Where the conditioning images are kept, beside the candidates."""
SMALLER = 0.75
"""Side of what is made instead of a picture that there is no memory for, as a share …"""
GRID = 64
"""… in steps that every model takes …"""
SMALLEST = 256
"""… and no smaller than that."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to go about it: see the options of ``bushu illustrate``."""

    device: str = "auto"
    memory: str = ""
    jobs: int = 0
    limit: float | None = None
    allow_smaller: bool = False
    scheduler: str = ""


@dataclass(frozen=True)
class Site:
    """Everything that a plan and a run need to know of project, wish and machine. ``drawn``: another place for conditioning images."""

    project: Project
    models: ModelsFile
    wish: Wish
    options: Options
    drawn: Path | None = None

    @cached_property
    def store(self) -> Store:
        """Where the candidates lie."""
        return stores.store(self.project.build)

    @cached_property
    def local(self) -> list[tuple[str, str]]:
        """The models that work here, with their modes."""
        return [pair for pair in plans.chosen_modes(self.models, self.wish) if self.models.models[pair[0]].provider in LOCAL]

    @cached_property
    def machine(self) -> Probed | None:
        """What is here, with the models' settings held against the pipelines; None where all is done elsewhere."""
        if not self.local:
            return None
        if self.options.device in ("auto", "cpu") and all(self.models.models[name].provider == "demo" for name, _ in self.local):
            return _for_demo()
        pairs = [(f"models.yml: models.{name}", profiles.settings(self.models.models[name], mode, None)) for name, mode in self.local]
        survey = partial(connection.survey, self.options.scheduler) if self.options.scheduler else probe
        found = survey(self.options.device, pairs)
        if found.faults:
            raise Error("\n".join(dict.fromkeys(found.faults)))
        return found

    @property
    def device(self) -> str:
        """``cuda``, ``mps`` or ``cpu``; empty where all is done elsewhere."""
        return self.machine.device if self.machine else ""

    @property
    def memory(self) -> int:
        """Bytes that may be taken on the device."""
        return limit(self.options.memory, self.device, self.machine.memory) if self.machine else 0

    @property
    def formats(self) -> Formats:
        """What is known of number formats here."""
        return Formats(
            self.store.root, self.device, self.machine.name if self.machine else "", self.machine.native if self.machine else DTYPES
        )

    def settle(self, name: str, mode: str, pin: bool) -> dict[str, Any]:
        """The settings of a model in a mode on this machine; see :meth:`requests` for *pin*."""
        profile = self.models.models[name]
        settings = profiles.settings(profile, mode, None)
        if profile.provider == "diffusers":
            settings = pins.pinned(settings, self.project.root, self.store.root, pin)
        dtype = plans.dtype(name, profile, self.device, self.formats.unfit(settings)) if profile.provider in LOCAL else None
        return settings | ({"dtype": dtype} if dtype else {})

    @cached_property
    def images(self) -> dict[tuple[str, int], dict[int, Path]]:
        """The files of the conditioning images, by kind and size, and by radical."""
        folder, radicals = self.drawn or self.store.root / CONDITIONS, self.wish.radicals
        return {
            (kind, size): dict(
                zip((radical.number for radical in radicals), conditions.images(self.project, kind, radicals, size, folder), strict=True)
            )
            for kind, size in sorted(plans.shown(self.models, self.wish))
        }

    @cached_property
    def digests(self) -> dict[tuple[str, int], dict[int, str]]:
        """The sha256 of the conditioning images."""
        return {which: {number: conditions.digest(path) for number, path in found.items()} for which, found in self.images.items()}

    def requests(self, pin: bool) -> list[Request]:
        """All requests; with *pin*, at the commits of their models, without it at those that are known."""
        settled = {pair: self.settle(*pair, pin) for pair in plans.chosen_modes(self.models, self.wish)}
        palette = next(iter(self.project.palettes.values()))
        colours = {radical.number: conversation.colours(palette.swatch(radical)) for radical in self.wish.radicals}
        return plans.requests(self.models, self.wish, settled, self.digests, colours)

    def rows(self, asked: Sequence[Request]) -> list[Row]:
        """The lines of the plan."""
        paces = plans.pace(self.store.candidates(), self.device or "service")
        return plans.rows(self.models, asked, self.store, self.device, self.machine.speeds if self.machine else {}, paces)


def _for_demo() -> Probed:
    """What the demo needs to know of the machine: it runs on the processor unless told otherwise, and any will do."""
    import psutil

    memory = psutil.virtual_memory().total
    return Probed("cpu", platform.machine(), 1, memory, memory, {}, {})


def limit(text: str, device: str, total: int) -> int:
    """Bytes that ``--memory`` means: a fraction of what the device has, or GB."""
    if not text:
        return int(SHARE[device.partition(":")[0]] * total)
    try:
        value = float(text.lower().removesuffix("gb").strip())
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise Error(f"--memory: {text!r} is no amount, give a fraction as 0.8 or gigabytes as 12")
    return int(value * total) if value <= 1 and "gb" not in text.lower() else int(value * 1e9)


def summary(rows: Sequence[Row]) -> str:
    """The plan in one line."""
    asked, left = sum(row.asked for row in rows), sum(row.left for row in rows)
    times = [row.time for row in rows]
    parts = [f"{asked} {'picture' if asked == 1 else 'pictures'}", f"{left} to be made"]
    if left:
        parts.append(
            "nobody knows yet how long that takes" if None in times else f"in about {plans.spoken(sum(filter(None, times)))} and a start"
        )
    parts += [f"for {sum(row.cost for row in rows):.2f} $"] if any(row.cost for row in rows) else []
    parts += [f"{lost} came to nothing with every seed"] if (lost := sum(row.lost for row in rows)) else []
    return ", ".join(parts)


def next_round(site: Site) -> Site:
    """The same for a further round: for the radicals that nothing was chosen for yet, with the seeds that follow those asked before.

    A round that was not finished is finished first.
    """
    wish = site.wish
    left = tuple(radical for radical in wish.radicals if radical.number not in site.project.illustrations)
    if not left:
        raise Error("--rounds: all of these radicals have an illustration, take one back with bushu adopt --remove to have another round")
    first = {radical.number: _rounds(site, radical.number) * wish.count for radical in left}
    return replace(site, wish=replace(wish, radicals=left, first=first))


def _rounds(site: Site, number: int) -> int:
    """How many rounds of a radical are over: each of their pictures was made, or came to nothing with every seed."""
    wish, over = site.wish, defaultdict[tuple[str, str, str], set[int]](set)
    found: list[Candidate | Reject] = [*site.store.candidates(number), *site.store.rejects(number)]
    for one in found:
        attempt, index = divmod((one.request["seed"] - wish.seed) % SEEDS, APART)
        if attempt == RETRIES or isinstance(one, Candidate):
            over[one.model, one.mode, one.style].add(index)
    styles = plans.chosen_styles(site.models, wish)
    asked = [over[name, mode, style] for name, mode in plans.chosen_modes(site.models, wish) for style in styles]
    return next(done for done in count() if not all(done * wish.count + index in each for each in asked for index in range(wish.count)))


def afford(site: Site, rows: Sequence[Row]) -> None:
    """:class:`Error` where the plan costs money and nobody said that it may be spent, or costs more than that."""
    costs = [Cost(row.model, row.price, row.left) for row in rows if site.models.models[row.model].provider not in LOCAL]
    for cost in costs:
        if cost.price is None and cost.count:
            where = f"models.yml: models.{cost.model}.price"
            raise Error(f"{where}: missing, nobody can say what this will cost; write what a picture costs in US dollars, 0 for nothing")
    if site.options.limit is None and (sum_ := total(costs)) > 0:
        enough = ceil(sum_ * 110) / 100
        raise Error(f"--limit: missing, this costs about {sum_:.2f} $; say what may be spent, retries included: --limit {enough:.2f}")
    keep_within(costs, site.options.limit)


def rank(site: Site) -> None:
    """Put the candidates of the wish's radicals in order: in a process of its own, since models that judge pictures take memory too."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from generator.illustrate import ranking

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(ranking.rank, site.project, site.store, [radical.number for radical in site.wish.radicals]).result()


def terms(site: Site, local: bool, ledger: Ledger) -> Terms:
    """How the requests that are made here, or those that go to services, may be made."""
    paths = {site.digests[which][number]: str(path) for which, found in site.images.items() for number, path in found.items()}
    names = {name for name, _ in plans.chosen_modes(site.models, site.wish)}
    tiny = all(site.models.models[name].size <= TINY for name in names)
    places = _places(site, local)
    sharing = max(Counter(place.partition("#")[0] for place in places).values())  # one device's memory
    memory = site.memory // sharing if local else 0
    here = Here(site.device, memory, 0, 1 if tiny else 0, site.project.root, site.project.build / "models")
    frugalities = len(FRUGAL) if site.device == "cuda" else len(FRUGAL) - 1
    prices = {name: site.models.models[name].price for name in names}
    formats = site.formats

    def untried(request: Request) -> bool:
        return formats.is_untried(request.settings)

    def remember(request: Request, verdict: str) -> None:
        formats.remember(request.settings, verdict)

    chunk = CHUNK_OF_CUDA if local and site.device == "cuda" else supervise.CHUNK
    return Terms(here, places, frugalities if local else 1, paths, prices, ledger, chunk, untried, remember)


def _places(site: Site, local: bool) -> tuple[str, ...]:
    """Where children work at the same time: a name for each, its device before the ``#``."""
    if not local:
        return tuple(f"service#{index}" for index in range(site.options.jobs or SERVED))
    count = site.machine.count if site.machine and site.device == "cuda" else 1
    device = "cuda:{}" if count > 1 else site.device
    return tuple(f"{device.format(index % count)}#{index}" for index in range(site.options.jobs or count))


def smaller(profile: Profile) -> Profile | None:
    """The profile at a smaller size; None where it would be too small."""
    size = int(profile.size * SMALLER) // GRID * GRID
    return profile.model_copy(update={"size": size}) if size >= SMALLEST else None


def _shrunk(site: Site, crowded: set[str]) -> Site | None:
    """The same with smaller pictures of those models that had no room; None where none can be smaller."""
    found = {name: less for name in crowded if (less := smaller(site.models.models[name]))}
    if not site.options.allow_smaller or not found:
        return None
    return replace(site, models=site.models.model_copy(update={"models": site.models.models | found}))


def go(site: Site, show: Callable[[News], None], say: Callable[[str], None]) -> Tally:
    """Make everything that the wish asks for and is not there; what there was no room for once more, smaller, if that is allowed."""
    ledger, whole = Ledger(site.options.limit), Tally()

    def tell(news: News) -> None:
        show(replace(news, done=whole.done + news.done))

    while True:
        asked, crowded, again = site.requests(pin=True), set[str](), False
        for local in (True, False):
            some = [request for request in asked if (request.settings["provider"] in LOCAL) == local]
            if not some or whole.interrupted:
                continue
            make = partial(cluster.run, site.options.scheduler) if local and site.options.scheduler else supervise.run
            tally = make(site.store, some, terms(site, local, ledger), tell)
            again = again or bool(tally.unfit)
            crowded |= tally.crowded
            whole += tally
        if whole.interrupted:
            return whole
        if again:
            continue
        if less := _shrunk(site, crowded):
            for name in sorted(crowded):
                if (size := less.models.models[name].size) < site.models.models[name].size:
                    say(f"{whole.given_up.pop(name)}; goes on with {size} pixels")
            site = less
        else:
            return whole
