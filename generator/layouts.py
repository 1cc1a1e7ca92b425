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
from generator.model import Error, Registry, Swatch
from generator.patterns import patterns
from generator.pictures import Picture
from generator.svg import CANVAS

SAFE = 0.1
"""Ink keeps this share of the canvas free on every side."""
TYPICAL = 0.66
"""The median radical's longest ink side as a share of the canvas."""

MIDDLE = (CANVAS / 2, CANVAS / 2)
PICTURED = {"picture": "pictures", "pictogram": "pictograms", "window": "pictures"}
"""The layouts that show what a radical means, and the folder of ``radicals/`` with the drawings that each shows."""
STACKED = ("picture", "pictogram")
"""Those that have the picture above and the glyph below."""
ABOVE, UNDER = (256, 175), (256, 386)
"""Where the middle of the picture and that of the glyph lie in them."""
LABELLED = {"plain": (256, 226), "paper": (256, 226), "grid": (256, 222)}
"""Where the glyph's middle lies in those layouts that have room for a label, when there is one."""
BASELINE = 451
"""Where a label stands: with its descenders it ends at the edge of the safe area."""

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
    picture: Picture | None = None

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


def _origin(outline: Outline, em: float, cx: float, cy: float) -> tuple[float, float]:
    """Where the outline's origin lies if the middle of its ink is at a point."""
    left, top, right, bottom = outline.bounds
    return cx - (left + right) / 2 * em, cy - (top + bottom) / 2 * em


def _placed(outline: Outline, em: float, cx: float, cy: float, fill: str) -> svg.Element:
    return svg.path(svg.path_data(outline.commands, em, *_origin(outline, em, cx, cy)), fill=fill)


def middle(layout: str, labelled: bool) -> tuple[float, float]:
    """Where the middle of the glyph's ink lies."""
    return LABELLED[layout] if labelled else UNDER if layout in STACKED else MIDDLE


def shown_middle(layout: str, alone: bool) -> tuple[float, float]:
    """Where the middle of the picture's ink lies, be it beside a glyph or *alone*."""
    return ABOVE if layout in STACKED and not alone else MIDDLE


def _glyph(card: Card, fill: str, share: float = 1.0, at: tuple[float, float] = MIDDLE) -> list[svg.Element]:
    """The glyph with its ink centred *at* a point, *share* times the typical size; shrunk where it would leave the safe area."""
    room = CANVAS * (1 - 2 * SAFE) * share
    em = min(card.size * share, room / card.glyph.longest)
    return [_placed(card.glyph, em, *at, fill)]


def _label(card: Card, fill: str, em: float) -> list[svg.Element]:
    """The label centred below; a number among its outlines is a gap in em. Too long a label is set smaller."""
    if not card.label:
        return []
    advances = [part.advance if isinstance(part, Outline) else part for part in card.label]
    em = min(em, CANVAS * (1 - 2 * SAFE) / sum(advances))
    x, data = (CANVAS - sum(advances) * em) / 2, ""
    for part, advance in zip(card.label, advances, strict=True):
        if isinstance(part, Outline):
            data += svg.path_data(part.commands, em, x, BASELINE)
        x += advance * em
    return [svg.path(data, fill=fill)]


def _captioned(card: Card, layout: str, ground: str, fill: str) -> Layers:
    """A glyph on a flat ground, and if there is a label, a smaller glyph above it."""
    glyph = _glyph(card, fill, 0.84 if card.label else 1, middle(layout, bool(card.label)))
    return {"paper": [_paper(ground)], "glyph": glyph, "label": _label(card, fill, 40)}


@layouts
def plain(card: Card) -> Layers:
    """The glyph on a flat paper, to the edge."""
    return _captioned(card, "plain", card.swatch.paper, card.swatch.ink)


@layouts
def paper(card: Card) -> Layers:
    """A dark glyph on a pale tint, and the label below."""
    return _captioned(card, "paper", card.swatch.tint, card.swatch.deep)


@layouts
def disc(card: Card) -> Layers:
    """The glyph in a disc over a wagara pattern."""
    colours = card.swatch
    tile = patterns[colours.pattern](colours.accent, colours.paper)
    repeat = f"{card.prefix}-tile"
    return {
        "paper": [_paper(colours.paper)],
        "pattern": [
            svg.pattern(repeat, tile.width, tile.height, tile.shapes),
            svg.rect(0, 0, CANVAS, CANVAS, fill=f"url(#{repeat})"),
            svg.circle(*MIDDLE, 190, fill=colours.tint, stroke=colours.stamp, stroke_width=10),
        ],
        "glyph": _glyph(card, colours.deep, 0.74),
    }


def _corners(card: Card) -> list[tuple[float, float, float]]:
    """A rounded square about the middle with the wavering edge of something cut by hand: direction (x, y) and distance of its corners."""
    chance, found = card.random("seal"), []
    for step in range(48):
        angle = math.tau * (step + 0.5) / 48
        c, s = math.cos(angle), math.sin(angle)
        found.append((c, s, 206 / (abs(c) ** 9 + abs(s) ** 9) ** (1 / 9) - chance.uniform(0, 6)))
    return found


def _cut(corners: list[tuple[float, float, float]], inside: float) -> str:
    """A smooth line along the corners, so far *inside* them, as path data."""
    points = [(CANVAS / 2 + c * (r - inside), CANVAS / 2 + s * (r - inside)) for c, s, r in corners]
    middles = [((x + u) / 2, (y + v) / 2) for (x, y), (u, v) in zip(points, points[1:] + points[:1], strict=True)]
    curves = [("Q", point + halfway) for point, halfway in zip(points, middles, strict=True)]
    return svg.path_data([("M", middles[-1]), *curves, ("Z", ())])


@layouts
def seal(card: Card) -> Layers:
    """A hanko: glyph and line cut out of a seal, so that the washi shows."""
    colours, corners = card.swatch, _corners(card)
    glyph = _glyph(card, colours.tint, 0.92)
    for shape in glyph:  # a carved line is fuller than a brushed one
        shape.update({"stroke": colours.tint, "stroke_width": "4", "stroke_linejoin": "round"})
    stamp = svg.path(_cut(corners, 0), fill=colours.stamp)
    line = svg.path(_cut(corners, 18), fill="none", stroke=colours.tint, stroke_width=5)
    return {"paper": [_paper(colours.tint), stamp, line], "glyph": glyph}


def _guides(frame: str, dashes: str, left: float, top: float, side: float) -> list[svg.Element]:
    """A practice square: a dashed cross and diagonals, and the frame."""
    right, bottom, across, down = left + side, top + side, left + side / 2, top + side / 2
    lines = [(across, top, across, bottom), (left, down, right, down), (left, top, right, bottom), (right, top, left, bottom)]
    dashed = [(letter, point) for x, y, u, v in lines for letter, point in (("M", (x, y)), ("L", (u, v)))]
    return [
        svg.path(svg.path_data(dashed), fill="none", stroke=dashes, stroke_width=2, stroke_dasharray="10 8"),
        svg.rect(left, top, side, side, fill="none", stroke=frame, stroke_width=4),
    ]


@layouts
def grid(card: Card) -> Layers:
    """A practice square with dashed guides, and the label below."""
    colours, (x, y) = card.swatch, middle("grid", bool(card.label))
    side, share = (368, 0.84) if card.label else (408, 0.95)
    return {
        "paper": [_paper(colours.tint)],
        "pattern": _guides(colours.stamp, colours.accent, x - side / 2, y - side / 2, side),
        "glyph": _glyph(card, colours.deep, share, (x, y)),
        "label": _label(card, colours.deep, 32),
    }


def _shown(card: Card, side: float, at: tuple[float, float], fill: str = "") -> svg.Element:
    """The card's picture, its canvas drawn at a *side* about a point; a pictogram in the colour *fill*."""
    if card.picture is None:
        others = ", ".join(name for name in layouts if name not in PICTURED)
        raise Error(f"{card.slug}: has no picture, only the 214 radicals have one; choose a layout without: {others}")
    scale = svg.number(side / CANVAS, 2)
    x, y = (middle - float(scale) * CANVAS / 2 for middle in at)
    shapes = [svg.path(data, fill=fill or colour) for colour, data in card.picture.shapes]
    return svg.group(shapes, transform=f"translate({svg.number(x)} {svg.number(y)}) scale({scale})")


BELOW = 0.43
"""Size of a glyph below a picture, as a share of what it has alone …"""
LONGEST = 148
"""… and its longest side."""
SEEN_THROUGH = 1.16
"""Size of a glyph that a picture is seen through."""
LARGE = 424
"""Side of the canvas of a picture that has the card to itself: its ink keeps to the safe area."""


def _stacked(card: Card, ground: str, ink: str, fill: str = "") -> Layers:
    """The picture above the glyph, on a flat ground; a pictogram in the colour *fill*."""
    em = min(card.size * BELOW, LONGEST / card.glyph.longest)
    shown = _shown(card, CANVAS / 2, ABOVE, fill)
    return {"paper": [_paper(ground)], "picture": [shown], "glyph": [_placed(card.glyph, em, *UNDER, ink)]}


@layouts
def picture(card: Card) -> Layers:
    """The coloured picture above, the glyph below, on a pale tint."""
    return _stacked(card, card.swatch.tint, card.swatch.deep)


@layouts
def pictogram(card: Card) -> Layers:
    """Tone on tone: a pictogram of one colour above, the glyph below."""
    return _stacked(card, card.swatch.paper, card.swatch.ink, card.swatch.tint)


@layouts
def window(card: Card) -> Layers:
    """The picture seen through the glyph, which is of the family's colour where the picture has nothing to show."""
    colours, cut = card.swatch, f"{card.prefix}-cut"
    em = min(card.size * SEEN_THROUGH, CANVAS * (1 - 2 * SAFE) / card.glyph.longest)
    left, top, right, bottom = card.glyph.bounds
    dx, dy = _origin(card.glyph, em, *MIDDLE)
    hole = svg.path_data(card.glyph.commands, em, dx, dy, unit=1)  # the line lies over its edge, so whole units will do
    rest = svg.rect(left * em + dx, top * em + dy, (right - left) * em, (bottom - top) * em, fill=colours.stamp)
    seen = svg.group([rest, _shown(card, LARGE, MIDDLE)], clip_path=f"url(#{cut})")
    edge = svg.path_data(card.glyph.commands, em, dx, dy)
    line = svg.path(edge, fill="none", stroke=colours.deep, stroke_width=5, stroke_linejoin="round")
    return {"paper": [_paper(colours.tint)], "picture": [svg.clip(cut, hole), seen], "glyph": [line]}


def bare(card: Card, layout: str) -> Layers:
    """The picture alone, to guess the meaning by; :class:`Error` for a layout that shows none."""
    if layout not in PICTURED:
        raise Error(f"--bare: the layout {layout} shows no picture, choose a set with one of {', '.join(PICTURED)}")
    one = PICTURED[layout] == "pictograms"
    ground, fill = (card.swatch.paper, card.swatch.ink) if one else (card.swatch.tint, "")
    return {"paper": [_paper(ground)], "picture": [_shown(card, LARGE, MIDDLE, fill)]}


def draw(card: Card, layout: str, alone: bool = False) -> str:
    """The card as SVG text, or its picture *alone*: a function of its arguments, the same bytes everywhere."""
    drawn = bare(card, layout) if alone else layouts[layout](card)
    layers = {name: shapes for name, shapes in drawn.items() if shapes}
    return svg.document(card.prefix, card.title, card.description, card.facts, layers)
