"""Layouts: how a card is composed. Fonts know no SVG and SVG knows no fonts; here the two meet.

A layout is a function of a :class:`Card` that returns its layers. A new layout is one function here; its name is what
``sets.yml`` says. The glyph is centred by its ink bounds (not its centre of mass, which pushes 厂 and 尸 aside), at one em size
for the whole set, so that 一 and 龍 keep their natural difference; only what would leave the safe area is shrunk.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from generator import svg
from generator.fonts import Outline
from generator.model import Registry, Swatch
from generator.patterns import patterns
from generator.svg import CANVAS

SAFE = 0.1
"""Ink keeps this share of the canvas free on every side."""
TYPICAL = 0.66
"""The median radical's longest ink side as a share of the canvas."""

Layers = dict[str, list[svg.Element]]


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that decides a card's bytes. ``size`` is the em in canvas units at which the median glyph is typical."""

    set: str
    slug: str
    title: str
    description: str
    facts: dict[str, str]
    glyph: Outline
    size: float
    label: tuple[Outline | float, ...]
    swatch: Swatch

    @property
    def prefix(self) -> str:
        """What every id of the card begins with."""
        return f"{self.set}-{self.slug}"

    def random(self, purpose: str) -> Random:
        """A stream of chance for one purpose of this card: the same on every machine, and independent of all others."""
        return Random(f"{self.slug}/{purpose}")


layouts: Registry[Callable[[Card], Layers]] = Registry()


def _paper(fill: str) -> svg.Element:
    return svg.rect(0, 0, CANVAS, CANVAS, fill=fill)


def _placed(outline: Outline, em: float, cx: float, cy: float, fill: str) -> svg.Element:
    left, top, right, bottom = outline.bounds
    dx, dy = cx - (left + right) / 2 * em, cy - (top + bottom) / 2 * em
    return svg.path(svg.path_data(outline.commands, em, dx, dy), fill=fill)


def _glyph(card: Card, fill: str, share: float = 1.0) -> list[svg.Element]:
    """The glyph in the middle of the canvas, *share* times the typical size; shrunk where it would leave the safe area."""
    room = CANVAS * (1 - 2 * SAFE) * share
    em = min(card.size * share, room / card.glyph.longest)
    return [_placed(card.glyph, em, CANVAS / 2, CANVAS / 2, fill)]


def _label(card: Card, fill: str, baseline: float, em: float) -> list[svg.Element]:
    """The label centred on a baseline; a number among its outlines is a gap in em. Too long a label is set smaller."""
    if not card.label:
        return []
    width = sum(part.advance if isinstance(part, Outline) else part for part in card.label)
    em = min(em, CANVAS * (1 - 2 * SAFE) / width)
    x, data = (CANVAS - width * em) / 2, ""
    for part in card.label:
        if isinstance(part, Outline):
            data += svg.path_data(part.commands, em, x, baseline)
        x += (part.advance if isinstance(part, Outline) else part) * em
    return [svg.path(data, fill=fill)]


@layouts
def plain(card: Card) -> Layers:
    """The glyph on a flat paper, to the edge."""
    return {"paper": [_paper(card.swatch.paper)], "glyph": _glyph(card, card.swatch.ink), "label": _label(card, card.swatch.ink, 458, 26)}


@layouts
def paper(card: Card) -> Layers:
    """A dark glyph on a pale tint, with the label below."""
    colours = card.swatch
    return {
        "paper": [_paper(colours.tint)],
        "glyph": _glyph(card, colours.deep, 0.9),
        "label": _label(card, colours.deep, 455, 27),
    }


@layouts
def disc(card: Card) -> Layers:
    """The glyph in a disc over a wagara pattern."""
    colours = card.swatch
    tile = patterns[colours.pattern](colours.accent, colours.paper)
    repeat = f"{card.prefix}-tile"
    middle = CANVAS / 2
    return {
        "paper": [_paper(colours.paper)],
        "pattern": [
            svg.pattern(repeat, tile.width, tile.height, tile.shapes),
            svg.rect(0, 0, CANVAS, CANVAS, fill=f"url(#{repeat})"),
            svg.circle(middle, middle, 190, fill=colours.tint, stroke=colours.paper, stroke_width=10),
        ],
        "glyph": _glyph(card, colours.deep, 0.74),
        "label": _label(card, colours.deep, 420, 22),
    }


def _cut(card: Card, purpose: str, half: float, waver: float) -> str:
    """A rounded square about the middle with the wavering edge of something cut by hand, as path data."""
    chance, corners = card.random(purpose), []
    for step in range(48):
        angle = math.tau * (step + 0.5) / 48
        c, s = math.cos(angle), math.sin(angle)
        radius = half / (abs(c) ** 9 + abs(s) ** 9) ** (1 / 9) - chance.uniform(0, waver)
        corners.append((CANVAS / 2 + radius * c, CANVAS / 2 + radius * s))
    middles = [((x + u) / 2, (y + v) / 2) for (x, y), (u, v) in zip(corners, corners[1:] + corners[:1], strict=True)]
    curves = [("Q", corner + middle) for corner, middle in zip(corners, middles, strict=True)]
    return svg.path_data([("M", middles[-1]), *curves, ("Z", ())])


@layouts
def seal(card: Card) -> Layers:
    """A hanko: the brush glyph knocked out of a seal on washi."""
    colours = card.swatch
    line = svg.path(_cut(card, "line", 188, 3), fill="none", stroke=colours.ink, stroke_width=4)
    glyph = _glyph(card, colours.ink, 0.86)
    for shape in glyph:  # a carved line is fuller than a brushed one
        shape.update({"stroke": colours.ink, "stroke_width": "3", "stroke_linejoin": "round"})
    stamp = svg.path(_cut(card, "edge", 206, 6), fill=colours.paper)
    return {"paper": [_paper(colours.tint), stamp, line], "glyph": glyph}


def _guides(colour: str, low: float, high: float) -> list[svg.Element]:
    """A practice square: its frame, and a dashed cross and diagonals."""
    middle = (low + high) / 2
    lines = [(middle, low, middle, high), (low, middle, high, middle), (low, low, high, high), (high, low, low, high)]
    dashed = [(letter, point) for x, y, u, v in lines for letter, point in (("M", (x, y)), ("L", (u, v)))]
    return [
        svg.path(svg.path_data(dashed), fill="none", stroke=colour, stroke_width=2, stroke_dasharray="10 8"),
        svg.rect(low, low, high - low, high - low, fill="none", stroke=colour, stroke_width=4),
    ]


@layouts
def grid(card: Card) -> Layers:
    """A practice square with dashed guides."""
    colours = card.swatch
    return {
        "paper": [_paper(colours.tint)],
        "pattern": _guides(colours.accent, 52, CANVAS - 52),
        "glyph": _glyph(card, colours.deep, 0.95),
        "label": _label(card, colours.deep, 492, 24),
    }


def draw(card: Card, layout: str) -> str:
    """The card as SVG text: a function of its arguments, the same bytes everywhere."""
    layers = {name: shapes for name, shapes in layouts[layout](card).items() if shapes}
    return svg.document(card.prefix, card.title, card.description, card.facts, layers)
