"""The plan: which pictures are asked for, which of them are there, and what the rest will take. Pure: the same wish, the same requests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from generator.illustrate.columns import aligned
from generator.illustrate.money import estimate
from generator.illustrate.profiles import DEVICES, ModelsFile, Profile
from generator.illustrate.prompts import prompt
from generator.illustrate.requests import EXHAUSTED, LEFT, SEEDS, Request, state
from generator.model import Error, Radical, nearest
from generator.store import Candidate, Store

Digests = Mapping[tuple[str, int], Mapping[int, str]]
"""The sha256 of conditioning images by kind and size, and by radical."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants: ``count`` pictures of every radical by every model in every mode and style.

    All radicals have the same seeds, ``seed`` and those that follow; ``first`` of a radical says how many of them to pass over.
    """

    radicals: tuple[Radical, ...]
    models: tuple[str, ...]
    modes: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    count: int = 4
    seed: int = 1
    first: Mapping[int, int] | None = None

    def seeds(self, radical: Radical) -> Iterator[int]:
        """The seeds of a radical's pictures."""
        start = self.seed + (self.first or {}).get(radical.number, 0)
        return ((start + index) % SEEDS for index in range(self.count))


def chosen_modes(models: ModelsFile, wish: Wish) -> list[tuple[str, str]]:
    """Models with the modes they are asked in: those wished for, else the first of each. :class:`Error` for what is not there."""
    for name in wish.models:
        if name not in models.models:
            raise Error(f"--model: unknown model {name!r}, {nearest(name, models.models)}")
    has = {name: list(models.models[name].modes) for name in wish.models}
    found = [(name, mode) for name, known in has.items() for mode in dict.fromkeys(wish.modes or known[:1]) if mode in known]
    unused = [mode for mode in wish.modes if mode not in {used for _, used in found}]
    if unused:
        there = sorted({mode for known in has.values() for mode in known})
        raise Error(f"--mode: none of {', '.join(has)} has the mode {unused[0]!r}, they have: {', '.join(there)}")
    return found


def chosen_styles(models: ModelsFile, wish: Wish) -> tuple[str, ...]:
    """The styles wished for, else the first. :class:`Error` for an unknown one."""
    for style in wish.styles:
        if style not in models.styles:
            raise Error(f"--style: unknown style {style!r}, {nearest(style, models.styles)}")
    return tuple(dict.fromkeys(wish.styles)) or (next(iter(models.styles)),)


def dtype(name: str, profile: Profile, device: str, unfit: Iterable[str] = ()) -> str:
    """The number format of a model on a device: the first of its list that is not *unfit* there.

    :class:`Error` where it has none, or none is left.
    """
    kind = device.partition(":")[0]
    where = f"models.yml: models.{name}.dtype.{kind}"
    listed = profile.dtype.get(kind, ()) if kind in DEVICES else ()  # type: ignore[call-overload]
    if not listed:
        raise Error(f"{where}: missing, it should say in which number format the model is used there, as float32")
    left = [one for one in listed if one not in set(unfit)]
    if not left:
        raise Error(f"{where}: {' and '.join(listed)} will not do on this one, add float32")
    return str(left[0])


Settled = Mapping[tuple[str, str], Mapping[str, Any]]
"""The settings of models in modes, resolved: with pinned revisions, and in the number format of the device."""


def shown(models: ModelsFile, wish: Wish) -> set[tuple[str, int]]:
    """The conditioning images that the wish needs, by kind and size."""
    asked = [(models.models[name], mode) for name, mode in chosen_modes(models, wish)]
    return {(image, profile.size) for profile, mode in asked if (image := profile.modes[mode].image)}


def requests(models: ModelsFile, wish: Wish, settled: Settled, digests: Digests, colours: Mapping[int, str]) -> list[Request]:
    """All requests of a wish, model by model; in each, one picture of every radical before the second of any.

    *colours*: those of each radical's family, in words, for the dialects that say them.
    """
    made = []
    for name, mode in chosen_modes(models, wish):
        profile, settings = models.models[name], settled[name, mode]
        image = profile.modes[mode].image
        for style in chosen_styles(models, wish):
            firsts = []
            for radical in wish.radicals:
                words = prompt(models, profile, style, radical, mode, colours.get(radical.number, ""))
                condition = digests[image, profile.size][radical.number] if image else ""
                first = Request(radical.number, name, mode, style, words.text, words.negative, 0, settings, condition)
                firsts.append([replace(first, seed=seed) for seed in wish.seeds(radical)])
            made += [request for row in zip(*firsts, strict=True) for request in row]
    return made


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the plan: what is asked of a model, what of it is there, and what the rest needs.

    ``lost``: how many came to nothing with every seed; ``seconds`` a picture and whether they were ``measured`` here; ``memory`` in
    GB; ``price`` in US dollars a picture.
    """

    model: str
    mode: str
    style: str
    asked: int
    left: int
    seconds: float | None
    measured: bool
    memory: float | None
    price: float | None
    lost: int = 0

    @property
    def time(self) -> float | None:
        """Seconds that the rest will take."""
        return None if self.seconds is None else self.seconds * self.left

    @property
    def cost(self) -> float:
        """US dollars that the rest will cost."""
        return estimate(self.price, self.left)


Paces = Mapping[tuple[str, str], float]
"""Seconds a picture, by model and mode."""


def pace(made: Iterable[Candidate], device: str) -> Paces:
    """Median seconds a picture by model and mode, of what was made on this sort of device."""
    found: dict[tuple[str, str], list[float]] = {}
    for one in made:
        if str(one.made.get("device")).partition(":")[0] == device and "seconds" in one.made:
            found.setdefault((one.model, one.mode), []).append(float(one.made["seconds"]))
    return {which: median(seconds) for which, seconds in found.items()}


def rows(models: ModelsFile, asked: Sequence[Request], store: Store, device: str, speeds: Mapping[str, float], paces: Paces) -> list[Row]:
    """The lines of the plan. *speeds*: TFLOP/s of the device by number format; *paces*: as measured here."""
    counted: dict[tuple[str, str, str], list[Request]] = {}
    for request in asked:
        counted.setdefault((request.model, request.mode, request.style), []).append(request)
    found = []
    for (name, mode, style), group in counted.items():
        profile, measured = models.models[name], paces.get((name, mode))
        speed = speeds.get(str(group[0].settings.get("dtype")))
        guessed = profile.work / speed if profile.work and speed else None
        states = [state(store, request) for request in group]
        left, lost = (states.count(one) for one in (LEFT, EXHAUSTED))
        memory = profile.memory.get(device.partition(":")[0])  # type: ignore[call-overload]
        seconds = measured if measured is not None else guessed
        found.append(Row(name, mode, style, len(group), left, seconds, measured is not None, memory, profile.price, lost))
    return found


def spoken(seconds: float | None) -> str:
    """A time as one says it: ``40 s``, ``25 min``, ``3.5 h``, ``2.1 days``."""
    if seconds is None:
        return "?"
    for unit, length, most in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < most * length:
            value = seconds / length
            return f"{value:.0f} {unit}" if value >= 10 or unit == "s" else f"{value:.1f} {unit}"
    return f"{seconds / 86400:.1f} days"


HEADINGS = ("model", "mode", "style", "asked", "left", "each", "time", "memory", "cost")


def table(found: Sequence[Row]) -> Iterator[str]:
    """The plan in aligned columns. An estimated time has a ``~``, one that was measured here has none."""
    cells = [HEADINGS]
    for row in found:
        mark = "" if row.measured or row.seconds is None else "~"
        each = "?" if row.seconds is None else f"{mark}{row.seconds:.2g} s" if row.seconds < 10 else f"{mark}{row.seconds:.0f} s"
        memory = "?" if row.memory is None else f"{row.memory:g} GB"
        cost = "–" if row.price is None else f"{row.cost:.2f} $"
        cells.append((row.model, row.mode, row.style, str(row.asked), str(row.left), each, mark + spoken(row.time), memory, cost))
    return aligned(cells, left=range(3))
