"""Normalise a picture: shapes of any origin become a few flat ones of one optical size and one temperature.

The steps, each a function: flatten (see :mod:`generator.flatten`), warm (one temperature), join (neighbours of one colour), cull
(what is hidden or too small to see), lighten (what is seen least goes first while the file is too heavy), place (one optical size,
centred on the ink's bounds). Used when the pictures are made, never when cards are drawn.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter

import pathops
from coloraide import Color

from generator.flatten import flattened, resolve
from generator.model import Error
from generator.palette import written
from generator.pictures import BLACK
from generator.shapes import GROUND, Shape, area, bounds, commands, common, distance, minus, union
from generator.svg import CANVAS, path_data

AREA = 0.40
"""Ink that a picture aims at, as a share of the canvas …"""
SIDES = (0.80, 0.96)
"""… while its longest side keeps between these shares: so that a spear and a stone weigh alike without a giant or a dwarf."""
SPECK = 0.00035
"""Share of the canvas that a shape must show to be kept."""
ALIKE = 2.5
"""Distance up to which two colours become one."""
HEAVY = 4_650
"""Bytes of path data that a picture may have."""


def warm(colour: str) -> str:
    """A colour pulled gently to the set's temperature: loud ones quieter, cold ones warmer, black and white a little off."""
    lightness, chroma, hue = Color(colour).convert("oklch").coords(nans=False)
    chroma = chroma if chroma < 0.12 else 0.12 + (chroma - 0.12) * 0.62
    lightness = 0.14 + lightness * 0.845
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    pull = 0.012 * (1 - abs(2 * lightness - 1) ** 3)
    return written(Color("oklab", [lightness, a + pull * 0.35, b + pull]))


def warmed(shapes: Iterable[Shape]) -> list[Shape]:
    """Shapes in the set's temperature; colours that are nearly one become one."""
    known: list[str] = []
    found = []
    for shape in shapes:
        colour = warm(shape.colour)
        near = next((other for other in known if distance(colour, other) <= ALIKE), None)
        if near is None:
            known.append(colour)
        found.append(replace(shape, colour=near or colour))
    return found


def joined(shapes: Iterable[Shape]) -> list[Shape]:
    """Neighbours of one colour as one shape."""
    found: list[Shape] = []
    for shape in shapes:
        if found and found[-1].colour == shape.colour:
            found[-1] = replace(shape, path=union([found[-1].path, shape.path]))
        else:
            found.append(shape)
    return found


def visible(shapes: list[Shape]) -> list[float]:
    """The area that each shape shows."""
    above, found = pathops.Path(), []
    for shape in reversed(shapes):
        found.append(area(minus(shape.path, above)))
        above = union([above, shape.path])
    return found[::-1]


def _specks_gone(path: pathops.Path, least: float) -> pathops.Path:
    """A path without contours too small to see."""
    kept = pathops.Path()
    for contour in path.contours:
        if area(contour) >= least:
            contour.draw(kept.getPen(glyphSet=None))
    return kept


def culled(shapes: list[Shape], least: float) -> list[Shape]:
    """Without shapes that show less than *least*, and without their specks."""
    kept = [shape for shape, shown in zip(shapes, visible(shapes), strict=True) if shown >= least]
    cleared = [replace(shape, path=_specks_gone(shape.path, least / 2)) for shape in kept]
    return [shape for shape in cleared if area(shape.path)]


# Place and lighten.


def scale(shapes: list[Shape]) -> float:
    """The factor that gives a picture its optical size: so much ink, with its longest side between bounds."""
    left, top, right, bottom = bounds(shapes)
    side, ink = max(right - left, bottom - top), area(union(shape.path for shape in shapes))
    wanted = math.sqrt(AREA * CANVAS**2 / ink) * side
    return min(SIDES[1] * CANVAS, max(SIDES[0] * CANVAS, wanted)) / side


def placed(shapes: list[Shape]) -> list[tuple[str, str]]:
    """Colour and path data of each shape, in whole units of the canvas, the picture's ink bounds in its middle."""
    factor = scale(shapes)
    left, top, right, bottom = bounds(shapes)
    dx, dy = CANVAS / 2 - (left + right) / 2 * factor, CANVAS / 2 - (top + bottom) / 2 * factor
    return [(shape.colour, path_data(commands(shape.path), factor, dx, dy, unit=1)) for shape in shapes]


def losses(shapes: list[Shape]) -> list[float]:
    """What would be lost without each shape: the area that it shows, times how far its colour is from what lies below it, squared.

    So that an eye, small and dark, is worth more than a fold in a sleeve.
    """
    found = []
    for index, (shape, shown) in enumerate(zip(shapes, visible(shapes), strict=True)):
        overlaps = [(area(common(shape.path, other.path)), other.colour) for other in shapes[:index]]
        covered, colour = max(overlaps, key=itemgetter(0), default=(0.0, GROUND))
        below = colour if covered > 0.3 * area(shape.path) else GROUND
        found.append(shown * distance(shape.colour, below) ** 2)
    return found


def lightened(shapes: list[Shape], heavy: int) -> list[Shape]:
    """As many shapes as make no more than *heavy* bytes of path data: those go first whose bytes show least."""
    weights = [len(data) + len(colour) for colour, data in placed(shapes)]
    spare = sum(weights) - heavy
    if spare <= 0:
        return shapes
    worth = [loss / weight for loss, weight in zip(losses(shapes), weights, strict=True)]
    gone: set[int] = set()
    for index in sorted(range(len(shapes)), key=worth.__getitem__):
        if spare <= 0:
            break
        gone.add(index)
        spare -= weights[index]
    return [shape for index, shape in enumerate(shapes) if index not in gone]


def normalised(text: str, heavy: int = HEAVY) -> list[tuple[str, str]]:
    """A coloured SVG picture as colours and path data on the canvas, from the bottom up."""
    shapes = joined(warmed(flattened(resolve(text))))
    if not shapes:
        raise Error("no ink, draw something")
    left, top, right, bottom = bounds(shapes)
    shapes = culled(shapes, SPECK * max(right - left, bottom - top) ** 2)
    return placed(joined(lightened(shapes, heavy)))


def stencilled(text: str) -> list[tuple[str, str]]:
    """A one-colour SVG pictogram: dark shapes are ink, light ones holes in what lies below them; one path, in black."""
    ink = pathops.Path()
    for shape in resolve(text):
        dark = Color(shape.colour).luminance() < 0.4
        ink = union([ink, shape.path]) if dark else minus(ink, shape.path)
    if not area(ink):
        raise Error("no ink, draw something")
    left, top, right, bottom = ink.bounds
    least = SPECK * max(right - left, bottom - top) ** 2
    return placed([Shape(_specks_gone(ink, least), BLACK)])
