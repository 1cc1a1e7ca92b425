"""Normalise a picture: any flat-minded SVG icon becomes a few flat shapes of one optical size and one temperature.

The steps, each a function: resolve (picosvg: uses, transforms, strokes and clips become plain paths), flatten (gradients become
bands of flat colour, what is half transparent is mixed with what lies below), warm (one temperature), cull (what is hidden or too
small to see), place (one optical size, centred on the ink's bounds), lighten (drop what is seen least while the file is too
heavy). The geometry is Skia's, through pathops. Used when the pictures are made, never when cards are drawn.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pathops
from coloraide import Color
from picosvg.svg import SVG
from picosvg.svg_pathops import skia_path, svg_commands
from picosvg.svg_transform import Affine2D
from picosvg.svg_types import SVGLinearGradient, SVGPath, SVGRadialGradient

from generator.model import Command, Error
from generator.svg import CANVAS, path_data

XLINK = "http://www.w3.org/1999/xlink"
AREA = 0.40
"""Ink that a picture aims at, as a share of the canvas …"""
SIDES = (0.80, 0.96)
"""… while its longest side keeps between these shares: so that a spear and a stone weigh alike without a giant or a dwarf."""
FAINT = 0.12
"""What is more transparent than this is left out."""
SPECK = 0.00035
"""Share of the canvas that a shape must show to be kept."""
BAND = 7.0
"""Distance (CIEDE2000) between neighbouring bands of a gradient."""
ALIKE = 2.5
"""Distance up to which two colours become one."""
HEAVY = 4_600
"""Bytes of path data that a picture may have."""


@dataclass(frozen=True)
class Shape:
    """An area of one colour (``#rrggbb``) and opacity, painted over what came before it."""

    path: pathops.Path
    colour: str
    alpha: float = 1.0


def _path(commands: Iterable[Command]) -> pathops.Path:
    return skia_path(commands, "nonzero")


def _commands(path: pathops.Path) -> list[Command]:
    return [(letter, tuple(numbers)) for letter, numbers in svg_commands(path)]


def _area(path: pathops.Path) -> float:
    return abs(float(path.area))


NUDGES = (0.0, 0.003, -0.003, 0.01, -0.01, 0.03, -0.03)
"""By how much a path is moved when Skia fails on edges that all but coincide: too little to see."""


def _op(one: pathops.Path, other: pathops.Path, kind: pathops.PathOp) -> pathops.Path:
    for nudge in NUDGES:
        try:
            return pathops.op(one, other.transform(1, 0, 0, 1, nudge, nudge / 2), kind, fix_winding=True)
        except pathops.PathOpsError:
            continue
    raise Error("its outlines are beyond the geometry library, draw them with fewer coinciding edges")


def _minus(one: pathops.Path, other: pathops.Path) -> pathops.Path:
    return _op(one, other, pathops.PathOp.DIFFERENCE)


def _common(one: pathops.Path, other: pathops.Path) -> pathops.Path:
    return _op(one, other, pathops.PathOp.INTERSECTION)


def _union(paths: Iterable[pathops.Path]) -> pathops.Path:
    whole = pathops.Path()
    for path in paths:
        whole = _op(whole, path, pathops.PathOp.UNION)
    return whole


# Colours.


def _hex(color: Color) -> str:
    return str(color.convert("srgb").fit(method="oklch-chroma").to_string(hex=True, alpha=False))


def _mixed(over: str, under: str, alpha: float) -> str:
    """*over* painted with an opacity on *under*, as a renderer does it."""
    return _hex(Color(under).mix(Color(over), alpha, space="srgb"))


def _distance(one: str, other: str) -> float:
    return float(Color(one).delta_e(Color(other), method="2000"))


def warm(colour: str) -> str:
    """A colour pulled gently to the set's temperature: loud ones quieter, cold ones warmer, black and white a little off."""
    lightness, chroma, hue = Color(colour).convert("oklch").coords(nans=False)
    chroma = chroma if chroma < 0.12 else 0.12 + (chroma - 0.12) * 0.62
    lightness = 0.14 + lightness * 0.845
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    pull = 0.012 * (1 - abs(2 * lightness - 1) ** 3)
    return _hex(Color("oklab", [lightness, a + pull * 0.35, b + pull]))


# Resolve: an SVG file to shapes.

Stops = list[tuple[float, str, float]]
"""Offset, colour and opacity of a gradient's stops."""


def _stops(svg: SVG, gradient: str) -> Stops:
    found = []
    for stop in svg.xpath(f'//svg:*[@id="{gradient}"]/svg:stop'):
        offset = stop.get("offset", "0")
        at = float(offset[:-1]) / 100 if offset.endswith("%") else float(offset)
        colour = Color(stop.get("stop-color", "#000000"))
        found.append((min(1.0, max(0.0, at)), _hex(colour), float(stop.get("stop-opacity", "1")) * colour.alpha(nans=False)))
    return found


def _at(stops: Stops, place: float) -> tuple[str, float]:
    """Colour and opacity of a gradient at a place from 0 to 1."""
    for (at, colour, alpha), (then, next_colour, next_alpha) in pairwise(stops):
        if place <= then:
            share = (place - at) / (then - at) if then > at else 1.0
            share = min(1.0, max(0.0, share))
            return _mixed(next_colour, colour, share), alpha + (next_alpha - alpha) * share
    return stops[-1][1:]


def _polygon(points: Iterable[tuple[float, float]], transform: Affine2D) -> pathops.Path:
    commands: list[Command] = [("L", transform.map_point(point)) for point in points]
    return _path([("M", commands[0][1]), *commands[1:], ("Z", ())])


FAR = 1000.0


Gradient = SVGLinearGradient | SVGRadialGradient


def _beyond(gradient: Gradient, place: float) -> pathops.Path:
    """Everything beyond a place, 0 to 1, of a gradient."""
    return _linear(gradient, place) if isinstance(gradient, SVGLinearGradient) else _radial(gradient, place)


def _linear(gradient: SVGLinearGradient, place: float) -> pathops.Path:
    """A half plane."""
    dx, dy = gradient.x2 - gradient.x1, gradient.y2 - gradient.y1
    length = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length * FAR, dy / length * FAR
    x, y = gradient.x1 + dx * place, gradient.y1 + dy * place
    corners = [(x - uy, y + ux), (x + uy, y - ux), (x + uy + ux, y - ux + uy), (x - uy + ux, y + ux + uy)]
    return _polygon(corners, gradient.gradientTransform)


def _radial(gradient: SVGRadialGradient, place: float) -> pathops.Path:
    """The outside of a circle."""
    r, k = gradient.r * place, gradient.r * place * 0.5522847
    cx, cy = gradient.cx, gradient.cy
    curve = [
        ("M", (cx + r, cy)),
        ("C", (cx + r, cy + k, cx + k, cy + r, cx, cy + r)),
        ("C", (cx - k, cy + r, cx - r, cy + k, cx - r, cy)),
        ("C", (cx - r, cy - k, cx - k, cy - r, cx, cy - r)),
        ("C", (cx + k, cy - r, cx + r, cy - k, cx + r, cy)),
        ("Z", ()),
    ]
    transform = gradient.gradientTransform
    turned = [(letter, tuple(n for x, y in zip(p[::2], p[1::2], strict=True) for n in transform.map_point((x, y)))) for letter, p in curve]
    everything = _polygon([(-FAR, -FAR), (FAR, -FAR), (FAR, FAR), (-FAR, FAR)], Affine2D.identity())
    return _minus(everything, _path(turned))


def _bands(shape: Shape, gradient: Gradient, stops: Stops) -> Iterator[Shape]:
    """A shape painted with a gradient as flat bands, each painted over the rest of the one before."""
    span = sum(_distance(one[1], other[1]) + 40 * abs(one[2] - other[2]) for one, other in pairwise(stops))
    count = min(4, max(1, round(span / BAND)))
    for band in range(count):
        colour, alpha = _at(stops, (band + 0.5) / count)
        path = shape.path if band == 0 else _common(shape.path, _beyond(gradient, band / count))
        yield Shape(path, colour, alpha * shape.alpha)


def _gradient(svg: SVG, name: str, shape: Shape) -> Gradient:
    """A gradient in the picture's own units, be it given in those or in shares of the *shape*'s bounds."""
    element = svg.xpath_one(f'//svg:*[@id="{name}"]')
    kind = SVGLinearGradient if element.tag.endswith("linearGradient") else SVGRadialGradient
    gradient: Gradient = kind.from_element(element, svg.view_box())
    if gradient.gradientUnits == "objectBoundingBox":
        left, top, right, bottom = shape.path.bounds
        box = Affine2D.identity().translate(left, top).scale(right - left, bottom - top)
        gradient.gradientTransform = Affine2D.compose_ltr((gradient.gradientTransform, box))
    return gradient


def resolve(text: str) -> list[Shape]:
    """An SVG file as shapes, gradients as bands."""
    text = re.sub(r'\shref="', ' xlink:href="', text)  # as picosvg knows it
    if "xmlns:xlink" not in text:
        text = text.replace("<svg ", f'<svg xmlns:xlink="{XLINK}" ', 1)
    svg = SVG.fromstring(text).topicosvg()
    found: list[Shape] = []
    for drawn in svg.shapes():
        shape = _shape(drawn)
        if drawn.fill.startswith("url("):
            name = drawn.fill[5:-1]
            bands = list(_bands(shape, _gradient(svg, name, shape), _stops(svg, name)))
            found += _disjoint(bands) if any(band.alpha < 1 for band in bands) else bands
        else:
            found.append(shape)
    return [shape for shape in found if shape.alpha >= FAINT and _area(shape.path) > 0]


def _disjoint(bands: list[Shape]) -> list[Shape]:
    """Bands that do not lie on each other, as transparent ones must not."""
    later = [*bands[1:], None]
    return [band if after is None else replace(band, path=_minus(band.path, after.path)) for band, after in zip(bands, later, strict=True)]


def _shape(drawn: SVGPath) -> Shape:
    drawn = drawn.arcs_to_cubics()
    colour = "#000000" if drawn.fill.startswith("url(") else _hex(Color(drawn.fill if drawn.fill != "currentColor" else "#000000"))
    path = skia_path(drawn.as_cmd_seq(), drawn.fill_rule)
    path.simplify(fix_winding=True)
    return Shape(path, colour, drawn.opacity * drawn.fill_opacity)


# Flatten, warm, cull.


def flattened(shapes: Iterable[Shape]) -> list[Shape]:
    """Opaque shapes only: a transparent one is cut along what lies below it, and each piece mixed with that."""
    found: list[Shape] = []
    for shape in shapes:
        if shape.alpha >= 0.99:
            found.append(replace(shape, alpha=1.0))
            continue
        rest, pieces = shape.path, []
        for below in reversed(found):
            piece = _common(rest, below.path)
            if _area(piece) > 0.02 * _area(shape.path):
                pieces.append(Shape(piece, _mixed(shape.colour, below.colour, shape.alpha)))
                rest = _minus(rest, below.path)
        if _area(rest) > 0.05 * _area(shape.path):  # on the bare ground, which is pale
            pieces.append(Shape(rest, _mixed(shape.colour, "#f6f1e7", shape.alpha)))
        found += reversed(pieces)
    return found


def warmed(shapes: Iterable[Shape]) -> list[Shape]:
    """Shapes in the set's temperature; colours that are nearly one become one."""
    known: list[str] = []
    found = []
    for shape in shapes:
        colour = warm(shape.colour)
        near = next((other for other in known if _distance(colour, other) <= ALIKE), None)
        if near is None:
            known.append(colour)
        found.append(replace(shape, colour=near or colour))
    return found


def joined(shapes: Iterable[Shape]) -> list[Shape]:
    """Neighbours of one colour as one shape."""
    found: list[Shape] = []
    for shape in shapes:
        if found and found[-1].colour == shape.colour:
            found[-1] = replace(shape, path=_union([found[-1].path, shape.path]))
        else:
            found.append(shape)
    return found


def visible(shapes: list[Shape]) -> list[float]:
    """The area that each shape shows."""
    above, found = pathops.Path(), []
    for shape in reversed(shapes):
        found.append(_area(_minus(shape.path, above)))
        above = _union([above, shape.path])
    return found[::-1]


def _specks_gone(path: pathops.Path, least: float) -> pathops.Path:
    """A path without contours too small to see."""
    kept = pathops.Path()
    for contour in path.contours:
        if _area(contour) >= least:
            contour.draw(kept.getPen(glyphSet=None))
    return kept


def culled(shapes: list[Shape], least: float) -> list[Shape]:
    """Without shapes that show less than *least*, and without their specks."""
    kept = [shape for shape, area in zip(shapes, visible(shapes), strict=True) if area >= least]
    cleared = [replace(shape, path=_specks_gone(shape.path, least / 2)) for shape in kept]
    return [shape for shape in cleared if _area(shape.path)]


# Place and lighten.


def _bounds(shapes: Iterable[Shape]) -> tuple[float, float, float, float]:
    lefts, tops, rights, bottoms = zip(*(shape.path.bounds for shape in shapes), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def scale(shapes: list[Shape]) -> float:
    """The factor that gives a picture its optical size: so much ink, with its longest side between bounds."""
    left, top, right, bottom = _bounds(shapes)
    side, ink = max(right - left, bottom - top), _area(_union(shape.path for shape in shapes))
    wanted = math.sqrt(AREA * CANVAS**2 / ink) * side
    return min(SIDES[1] * CANVAS, max(SIDES[0] * CANVAS, wanted)) / side


def placed(shapes: list[Shape]) -> list[tuple[str, str]]:
    """Colour and path data of each shape, in whole units of the canvas, the picture's ink bounds in its middle."""
    factor = scale(shapes)
    left, top, right, bottom = _bounds(shapes)
    dx, dy = CANVAS / 2 - (left + right) / 2 * factor, CANVAS / 2 - (top + bottom) / 2 * factor
    return [(shape.colour, path_data(_commands(shape.path), factor, dx, dy, unit=1)) for shape in shapes]


GROUND = "#f1ece0"
"""About what a picture stands on."""


def losses(shapes: list[Shape]) -> list[float]:
    """What would be lost without each shape: the area that it shows, times how far its colour is from what lies below it, squared.

    So that an eye, small and dark, is worth more than a fold in a sleeve.
    """
    found = []
    for index, (shape, area) in enumerate(zip(shapes, visible(shapes), strict=True)):
        below = max(shapes[:index], key=lambda other: _area(_common(shape.path, other.path)), default=None)
        covered = below is not None and _area(_common(shape.path, below.path)) > 0.3 * _area(shape.path)
        found.append(area * _distance(shape.colour, below.colour if below and covered else GROUND) ** 2)
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
    left, top, right, bottom = _bounds(shapes)
    shapes = culled(shapes, SPECK * max(right - left, bottom - top) ** 2)
    return placed(joined(lightened(shapes, heavy)))


def stencilled(text: str) -> list[tuple[str, str]]:
    """A one-colour SVG pictogram: dark shapes are ink, light ones holes in what lies below them; one path, in black."""
    ink = pathops.Path()
    for shape in resolve(text):
        dark = Color(shape.colour).luminance() < 0.4
        ink = _union([ink, shape.path]) if dark else _minus(ink, shape.path)
    if not _area(ink):
        raise Error("no ink, draw something")
    left, top, right, bottom = ink.bounds
    least = SPECK * max(right - left, bottom - top) ** 2
    return placed([Shape(_specks_gone(ink, least), "#000000")])
