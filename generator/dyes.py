"""What the palette page shows: swatches with names, contrasts and patterns, and the pairs that are hardest to tell apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from coloraide import Color

from generator import palette, svg
from generator.model import Groups, Palette, Radical, Swatch
from generator.patterns import patterns

SCALE = 0.4
"""Patterns are shown this much smaller than on a card of full size."""
GREYISH = 0.04
"""The OKLCH chroma below which a colour counts as a grey."""


def colour_name(swatch: Swatch) -> tuple[str, str]:
    """A swatch's name in two parts, Japanese and Latin; either may be empty."""
    found = re.match(r"([^\sA-Za-z]*)\s*(.*)", swatch.name)
    return (found[1], found[2]) if found else ("", swatch.name)


def oklch(hexa: str) -> str:
    """A colour's OKLCH notation, as ``palette.yml`` takes it."""
    lightness, chroma, hue = Color(hexa).convert("oklch").coords(nans=False)
    return f"oklch({_short(lightness)} {_short(chroma)} {hue:.0f})"


def _short(share: float) -> str:
    """Three decimals without the nought before the point."""
    return f"{share:.3f}".removeprefix("0")


def tile(swatch: Swatch, id_: str) -> str:
    """A swatch's pattern as an inline picture."""
    drawn = patterns[swatch.pattern](swatch.accent, swatch.paper)
    made: Any = svg.pattern(id_, drawn.width, drawn.height, drawn.shapes, patternTransform=f"scale({SCALE})")
    defs = ElementTree.tostring(made.get_xml(), encoding="unicode").replace(" />", "/>")
    filled = f'<rect width="100%" height="100%" fill="url(#{id_})"/>'
    return f'<svg class="tile" style="background:{swatch.paper}" aria-hidden="true">{defs}{filled}</svg>'


@dataclass(frozen=True, slots=True)
class Dye:
    """A swatch on the palette page: a family or category, its colours, and the radicals that wear them."""

    key: str
    title: str
    mark: str
    japanese: str
    latin: str
    swatch: Swatch
    oklch: str
    ink: float
    deep: float
    tile: str
    radicals: list[Radical]


def _dye(name: str, key: str, swatch: Swatch, groups: Groups, radicals: list[Radical]) -> Dye:
    family = groups.families.get(key)
    return Dye(
        key,
        family.title if family else key,
        family.mark if family else radicals[0].glyph,
        *colour_name(swatch),
        swatch,
        oklch(swatch.paper),
        palette.contrast(swatch.ink, swatch.paper),
        palette.contrast(swatch.deep, swatch.tint),
        tile(swatch, f"{name}-{key.lower()}-tile"),
        radicals,
    )


def dyes(name: str, chosen: Palette, groups: Groups, radicals: Iterable[Radical]) -> list[Dye]:
    """A palette's swatches, in the order of ``palette.yml``."""
    wearing: dict[str, list[Radical]] = {key: [] for key in chosen.swatches}
    for radical in radicals:
        wearing[getattr(radical, chosen.by)].append(radical)
    return [_dye(name, key, swatch, groups, wearing[key]) for key, swatch in chosen.swatches.items() if wearing[key]]


def by_hue(dyes: Iterable[Dye]) -> list[str]:
    """The papers of a palette round the colour circle; the greyish ones, whose hue hardly shows, at its end."""

    def place(paper: str) -> tuple[bool, float]:
        _, chroma, hue = Color(paper).convert("oklch").coords(nans=False)
        return chroma < GREYISH, hue

    return sorted((dye.swatch.paper for dye in dyes), key=place)


@dataclass(frozen=True, slots=True)
class Closest:
    """The two swatches of a palette that are hardest to tell apart in one kind of vision."""

    vision: str
    difference: float
    one: Swatch
    other: Swatch
    names: tuple[str, str]


def closest(chosen: Palette, groups: Groups) -> list[Closest]:
    """The closest pairs in normal and in colour-blind vision."""
    found = []
    for vision in (None, *palette.VISIONS):
        difference, one, other = palette.closest(chosen, vision)
        titles = [family.title if (family := groups.families.get(key)) else key for key in (one, other)]
        shown = f"with {vision}opia" if vision else "in normal vision"
        found.append(Closest(shown, difference, chosen.swatches[one], chosen.swatches[other], (titles[0], titles[1])))
    return found
