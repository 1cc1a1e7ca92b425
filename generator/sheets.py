"""Contact sheets: every card of a set in one picture, to look at."""

from collections.abc import Callable
from pathlib import Path

from generator import raster
from generator.cards import Recipe
from generator.project import Project, put
from generator.sets import make


def write(project: Project, made: Recipe, size: int, grey: bool, progress: Callable[[int], None]) -> Path:
    """Write the sheet of a set, *size* pixels a card, to ``build/sheets``; gives its path."""
    cards = []
    for radical in project.radicals:
        cards.append(raster.opened(make(made, radical).content, size))
        progress(1)
    sheet = raster.sheet(cards, size)
    path = project.build / "sheets" / f"{made.name}{'-bare' if made.bare else ''}-{size}{'-grey' if grey else ''}.png"
    put(path, raster.packed(sheet.convert("L") if grey else sheet))
    return path
