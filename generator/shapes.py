"""Flat shapes: areas of one colour, what their outlines have in common, and how far their colours are apart.

The geometry is Skia's, through pathops. Used when the pictures are made, never when cards are drawn.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pathops
from coloraide import Color
from picosvg.svg_pathops import skia_path, svg_commands

from generator.model import Command, Error
from generator.palette import written

GROUND = "#f1ece0"
"""About what a picture stands on."""


@dataclass(frozen=True)
class Shape:
    """An area of one colour (``#rrggbb``) and opacity, painted over what came before it."""

    path: pathops.Path
    colour: str
    alpha: float = 1.0


def path_of(commands: Iterable[Command]) -> pathops.Path:
    """Absolute path commands as a path of Skia's."""
    return skia_path(commands, "nonzero")


def commands(path: pathops.Path) -> list[Command]:
    """A path as absolute commands M, L, Q, C and Z."""
    return [(letter, tuple(numbers)) for letter, numbers in svg_commands(path)]


def area(path: pathops.Path) -> float:
    """The area that a path encloses, in square units."""
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


def minus(one: pathops.Path, other: pathops.Path) -> pathops.Path:
    """The part of *one* outside of the *other*."""
    return _op(one, other, pathops.PathOp.DIFFERENCE)


def common(one: pathops.Path, other: pathops.Path) -> pathops.Path:
    """What both enclose."""
    return _op(one, other, pathops.PathOp.INTERSECTION)


def union(paths: Iterable[pathops.Path]) -> pathops.Path:
    """What any of the paths encloses."""
    whole = pathops.Path()
    for path in paths:
        whole = _op(whole, path, pathops.PathOp.UNION)
    return whole


def mixed(over: str, under: str, alpha: float) -> str:
    """*over* painted with an opacity on *under*, as a renderer does it."""
    return written(Color(under).mix(Color(over), alpha, space="srgb"))


def distance(one: str, other: str) -> float:
    """How far two colours are apart (CIEDE2000)."""
    return float(Color(one).delta_e(Color(other), method="2000"))


def bounds(shapes: Iterable[Shape]) -> tuple[float, float, float, float]:
    """Bounds of the shapes: left, top, right, bottom."""
    lefts, tops, rights, bottoms = zip(*(shape.path.bounds for shape in shapes), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
