"""Font files to outlines: the only module that reads fonts. It knows no SVG; an outline is commands and bounds in em.

An outline's y runs downwards from the baseline, 1 is the em, so that one number (pixels an em) draws it at any size.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools.misc.bezierTools import calcCubicBounds, calcQuadraticBounds
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

from generator.model import Command, Error

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it remarks on dates and tables that no outline depends on

Bounds = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a face draws for one character: path commands, ink bounds and advance width, all in em."""

    commands: tuple[Command, ...]
    bounds: Bounds
    advance: float

    @property
    def longest(self) -> float:
        """The longer side of the ink."""
        left, top, right, bottom = self.bounds
        return max(right - left, bottom - top)


class _Recorder(BasePen):
    """Collects commands in em, y down; BasePen has taken components and TrueType's implied points apart."""

    def __init__(self, glyphs: Any, upem: int) -> None:
        super().__init__(glyphs)
        self.commands: list[Command] = []
        self.upem = upem

    def _add(self, letter: str, *points: tuple[float, float]) -> None:
        upem = self.upem
        self.commands.append((letter, tuple([v for x, y in points for v in (x / upem, -y / upem)])))

    def _moveTo(self, pt: tuple[float, float]) -> None:
        self._add("M", pt)

    def _lineTo(self, pt: tuple[float, float]) -> None:
        self._add("L", pt)

    def _qCurveToOne(self, pt1: tuple[float, float], pt2: tuple[float, float]) -> None:
        self._add("Q", pt1, pt2)

    def _curveToOne(self, pt1: tuple[float, float], pt2: tuple[float, float], pt3: tuple[float, float]) -> None:
        self._add("C", pt1, pt2, pt3)

    def _closePath(self) -> None:
        self._add("Z")


def _between(one: float, value: float, other: float) -> bool:
    return one <= value <= other or one >= value >= other


def bounds(commands: Iterable[Command]) -> Bounds | None:
    """Exact ink bounds of absolute path commands (curves by their extremes, not their control points); None without ink."""
    xs: list[float] = []
    ys: list[float] = []
    x = y = 0.0
    started = False
    for letter, numbers in commands:
        if letter == "M":
            started = True
        elif letter != "Z":
            if started:
                xs.append(x)
                ys.append(y)
                started = False
            xs.append(numbers[-2])
            ys.append(numbers[-1])
            if letter == "Q":
                u, v, to_x, to_y = numbers
                if not (_between(x, u, to_x) and _between(y, v, to_y)):  # it may leave the box of its ends
                    left, top, right, bottom = calcQuadraticBounds((x, y), (u, v), (to_x, to_y))
                    xs += (left, right)
                    ys += (top, bottom)
            elif letter == "C":
                u, v, w, z, to_x, to_y = numbers
                if not (_between(x, u, to_x) and _between(x, w, to_x) and _between(y, v, to_y) and _between(y, z, to_y)):
                    left, top, right, bottom = calcCubicBounds((x, y), (u, v), (w, z), (to_x, to_y))
                    xs += (left, right)
                    ys += (top, bottom)
        if numbers:
            x, y = numbers[-2:]
    return (min(xs), min(ys), max(xs), max(ys)) if xs else None


def around(boxes: Iterable[Bounds]) -> Bounds | None:
    """The bounds of them all; None without any."""
    if not (sides := list(zip(*boxes, strict=True))):
        return None
    lefts, tops, rights, bottoms = sides
    return min(lefts), min(tops), max(rights), max(bottoms)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever fontTools raises over a damaged file into an :class:`Error`."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # each of its table parsers fails in a way of its own
        reason = str(error) or type(error).__name__
        raise Error(f"{path}: not a font that can be read ({reason}), give a .ttf, .otf, .ttc or .woff2 file") from None


class Face:
    """An open font file. ``substitutes`` names the character drawn instead of one that the face has no ink for."""

    def __init__(self, path: Path, index: int = 0, substitutes: Mapping[str, str] | None = None) -> None:
        if not path.is_file():
            raise Error(f"{path}: not a font that can be read (no such file), give a .ttf, .otf, .ttc or .woff2 file")
        with _readable(path):
            self._font = TTFont(path, fontNumber=index, lazy=True)
            if "glyf" in self._font and self._font["post"].formatType == 3:  # no names in the file: plain ones are cheaper than good ones
                self._font.setGlyphOrder([f"g{n}" for n in range(self._font["maxp"].numGlyphs)])
            self._glyphs = self._font.getGlyphSet()
            self._names = self._font.getBestCmap() or {}
            self._upem: int = self._font["head"].unitsPerEm
        self.path = path
        self.substitutes = substitutes or {}

    def outline(self, character: str) -> Outline | None:
        """The character's outline, or None where the face has no ink for it: many faces map characters to blank glyphs."""
        name = self._names.get(ord(self.substitutes.get(character, character)))
        if name is None:
            return None
        recorder = _Recorder(self._glyphs, self._upem)
        with _readable(self.path), self._forgetting(name):
            self._glyphs[name].draw(recorder)
        ink = bounds(recorder.commands)
        return Outline(tuple(recorder.commands), ink, self._glyphs[name].width / self._upem) if ink else None

    @contextmanager
    def _forgetting(self, name: str) -> Iterator[None]:
        """Drop what fontTools keeps of a drawn glyph, so that memory stays the same however many are drawn."""
        if "glyf" in self._font:
            kept = self._font["glyf"].glyphs
            packed = copy(kept[name])
            yield
            kept[name] = packed
        else:
            strings = self._font["CFF "].cff.topDictIndex[0].CharStrings
            yield
            strings.charStringsIndex.items[strings.charStrings[name]] = None

    def credit(self) -> tuple[str, str]:
        """What the font says of itself: its full name, and its copyright and licence."""
        with _readable(self.path):
            told = {key: (self._font["name"].getDebugName(key) or "").strip() for key in (0, 4, 13)}
        rights = " ".join(" ".join(told[key].split())[:200] for key in (0, 13) if told[key])
        return told[4] or self.path.stem, rights or "licence not stated in the font"

    def fit(self, characters: Iterable[str]) -> float:
        """The median of the characters' longest ink sides in em, of those that the face inks; 0.9 where it inks none."""
        from statistics import median

        sides = [outline.longest for character in characters if (outline := self.outline(character))]
        return median(sides) if sides else 0.9
