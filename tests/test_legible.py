"""Small cards can still be read: at 32 pixels a sober card is most like its own radical drawn in another face.

Likeness is that of gradient orientations (Dalal and Triggs, 2005), which sees where strokes run but not how heavy they are: a
hairline of a mincho and a bar of a gothic count the same.
"""

import numpy as np
import pytest

from generator import cards, layouts, raster
from generator.project import Project

SIZE = 32
NEEDED = 212
BINS = 10


def mask(svg: str) -> np.ndarray:
    """The card's ink at 32 pixels: how far each pixel is from the paper, 0 to 1."""
    pixels = np.asarray(raster.image(svg, SIZE), dtype=float)
    distance = np.abs(pixels - pixels[0, 0]).sum(axis=2)
    return distance / distance.max()


def masks(project: Project, name: str, font: str) -> np.ndarray:
    """Shape (214, 32, 32)."""
    spec = project.sets[name].model_copy(update={"font": font, "label": None})
    made = cards.recipe(project, name, spec)
    return np.stack([mask(layouts.draw(cards.card(made, radical), spec.layout)) for radical in project.radicals])


def blurred(planes: np.ndarray) -> np.ndarray:
    for axis in (-1, -2, -1, -2):
        planes = (np.roll(planes, 1, axis) + 2 * planes + np.roll(planes, -1, axis)) / 4
    return planes


def features(ink: np.ndarray) -> np.ndarray:
    """Histograms of gradient orientation around every pixel, of unit length; shape (214, BINS · 1024)."""
    dy, dx = np.gradient(np.sqrt(ink), axis=(1, 2))
    turn = (np.arctan2(dy, dx) / (2 * np.pi)) % 1 * BINS
    low, share = np.floor(turn).astype(int) % BINS, turn % 1
    planes = [np.hypot(dx, dy) * np.where(low == k, 1 - share, np.where((low + 1) % BINS == k, share, 0)) for k in range(BINS)]
    found = np.sqrt(blurred(np.stack(planes, axis=1))).reshape(len(ink), -1)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize(("name", "own", "other"), [("baseline", "mincho", "gothic"), ("paper", "gothic", "rounded")])
def test_cards_of_32_pixels_are_told_apart(project: Project, name: str, own: str, other: str) -> None:
    shown, known = masks(project, name, own), masks(project, name, other)
    assert project.sets[name].font == own
    assert shown.shape == known.shape == (214, SIZE, SIZE)
    nearest = (features(shown) @ features(known).T).argmax(axis=1)
    wrong = [f"{project.radicals[i].glyph} read as {project.radicals[j].glyph}" for i, j in enumerate(nearest) if i != j]
    assert len(wrong) <= 214 - NEEDED, wrong


def test_the_measure_can_fail(project: Project) -> None:
    """Cards that all look alike are not told apart."""
    known = masks(project, "baseline", "gothic")
    smeared = np.stack([known.mean(axis=0)] * 214)
    nearest = (features(smeared) @ features(known).T).argmax(axis=1)
    assert (nearest == np.arange(214)).sum() <= 1
