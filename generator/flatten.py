"""Flatten an SVG file: whatever it is drawn with becomes opaque shapes of one flat colour each.

Uses, transforms, strokes and clips become plain paths (picosvg); a gradient becomes a few bands; what is half transparent is cut
along what lies below and mixed with it.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import pathops
from coloraide import Color
from picosvg.svg import SVG
from picosvg.svg_pathops import skia_path
from picosvg.svg_transform import Affine2D
from picosvg.svg_types import SVGLinearGradient, SVGPath, SVGRadialGradient

from generator.model import Command
from generator.palette import written
from generator.shapes import GROUND, Shape, area, common, distance, minus, mixed, path_of

XLINK = "http://www.w3.org/1999/xlink"
FAINT = 0.12
"""What is more transparent than this is left out."""
BAND = 7.0
"""Distance (CIEDE2000) between neighbouring bands of a gradient."""

Stops = list[tuple[float, str, float]]
"""Offset, colour and opacity of a gradient's stops."""


def _stops(svg: SVG, gradient: str) -> Stops:
    found = []
    for stop in svg.xpath(f'//svg:*[@id="{gradient}"]/svg:stop'):
        offset = stop.get("offset", "0")
        at = float(offset[:-1]) / 100 if offset.endswith("%") else float(offset)
        colour = Color(stop.get("stop-color", "#000000"))
        found.append((min(1.0, max(0.0, at)), written(colour), float(stop.get("stop-opacity", "1")) * colour.alpha(nans=False)))
    return found


def _at(stops: Stops, place: float) -> tuple[str, float]:
    """Colour and opacity of a gradient at a place from 0 to 1."""
    for (at, colour, alpha), (then, next_colour, next_alpha) in pairwise(stops):
        if place <= then:
            share = (place - at) / (then - at) if then > at else 1.0
            share = min(1.0, max(0.0, share))
            return mixed(next_colour, colour, share), alpha + (next_alpha - alpha) * share
    return stops[-1][1:]


def _polygon(points: Iterable[tuple[float, float]], transform: Affine2D) -> pathops.Path:
    commands: list[Command] = [("L", transform.map_point(point)) for point in points]
    return path_of([("M", commands[0][1]), *commands[1:], ("Z", ())])


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
    return minus(everything, path_of(turned))


def _bands(shape: Shape, gradient: Gradient, stops: Stops) -> Iterator[Shape]:
    """A shape painted with a gradient as flat bands, each painted over the rest of the one before."""
    span = sum(distance(one[1], other[1]) + 40 * abs(one[2] - other[2]) for one, other in pairwise(stops))
    count = min(4, max(1, round(span / BAND)))
    for band in range(count):
        colour, alpha = _at(stops, (band + 0.5) / count)
        path = shape.path if band == 0 else common(shape.path, _beyond(gradient, band / count))
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
    return [shape for shape in found if shape.alpha >= FAINT and area(shape.path) > 0]


def _disjoint(bands: list[Shape]) -> list[Shape]:
    """Bands that do not lie on each other, as transparent ones must not."""
    later = [*bands[1:], None]
    return [band if after is None else replace(band, path=minus(band.path, after.path)) for band, after in zip(bands, later, strict=True)]


def _shape(drawn: SVGPath) -> Shape:
    drawn = drawn.arcs_to_cubics()
    colour = "#000000" if drawn.fill.startswith("url(") else written(Color(drawn.fill if drawn.fill != "currentColor" else "#000000"))
    path = skia_path(drawn.as_cmd_seq(), drawn.fill_rule)
    path.simplify(fix_winding=True)
    return Shape(path, colour, drawn.opacity * drawn.fill_opacity)


def flattened(shapes: Iterable[Shape]) -> list[Shape]:
    """Opaque shapes only: a transparent one is cut along what lies below it, and each piece mixed with that."""
    found: list[Shape] = []
    for shape in shapes:
        if shape.alpha >= 0.99:
            found.append(replace(shape, alpha=1.0))
            continue
        rest, pieces = shape.path, []
        for below in reversed(found):
            piece = common(rest, below.path)
            if area(piece) > 0.02 * area(shape.path):
                pieces.append(Shape(piece, mixed(shape.colour, below.colour, shape.alpha)))
                rest = minus(rest, below.path)
        if area(rest) > 0.05 * area(shape.path):  # on the bare ground, which is pale
            pieces.append(Shape(rest, mixed(shape.colour, GROUND, shape.alpha)))
        found += reversed(pieces)
    return found
