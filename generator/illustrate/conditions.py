"""Conditioning images: what a model is shown besides the prompt, drawn by the renderer like any card but in colours of its own.

They do not follow the palettes, so that who changes a colour need not make thousands of candidates anew.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from generator import raster
from generator.cards import Recipe, card, recipe
from generator.layouts import draw
from generator.model import Palette, Radical, SetSpec, Swatch
from generator.project import Project

FACE = "gothic"
"""The face of glyphs: its strokes are strong everywhere."""
DONT_CARE = "#808080"
"""What ControlNets of the QR code kind take for "anything may be here"."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a conditioning image is drawn: which layout, alone or with the glyph, and in which two colours."""

    layout: str
    alone: bool
    ground: str
    ink: str


conditions = {
    "picture": Condition("picture", True, "#f3efe6", "#000000"),
    "pictogram": Condition("pictogram", True, "#ffffff", "#000000"),
    "scribble": Condition("pictogram", True, "#000000", "#ffffff"),
    "glyph": Condition("plain", False, DONT_CARE, "#000000"),
    "reversed": Condition("plain", False, DONT_CARE, "#ffffff"),
    "lines": Condition("plain", False, "#000000", "#ffffff"),
}
"""The kinds that ``models.yml`` may name. A coloured picture keeps its own colours and takes only the ground."""


def _recipe(project: Project, kind: str) -> Recipe:
    how = conditions[kind]
    swatch = Swatch(how.ground, how.ink, how.ink, how.ground, how.ink, how.ink, "", kind)
    palette = Palette(kind, "", "family", dict.fromkeys(project.groups.families, swatch))
    spec = SetSpec(title=kind, description=kind, layout=how.layout, font=FACE, palette=next(iter(project.palettes)))
    return replace(recipe(project, kind, spec, bare=how.alone), palette=palette)


def drawn(project: Project, kind: str, radicals: Sequence[Radical]) -> list[str]:
    """The conditioning images of radicals as SVG text."""
    made, how = _recipe(project, kind), conditions[kind]
    return [draw(card(made, radical), how.layout, how.alone) for radical in radicals]


def images(project: Project, kind: str, radicals: Sequence[Radical], size: int, folder: Path) -> list[Path]:
    """The conditioning images as PNG files of *size* × *size* pixels in *folder*, where those drawn before are found again."""
    return raster.cached(folder, [text.encode() for text in drawn(project, kind, radicals)], size)


def digest(path: Path) -> str:
    """The sha256 of an image's pixels, whatever wrote its file."""
    with Image.open(path) as image:
        return hashlib.sha256(f"{image.mode} {image.width} {image.height} ".encode() + image.tobytes()).hexdigest()
