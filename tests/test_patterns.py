"""Wagara: every pattern of the registry repeats without a seam, is neither empty nor full, and is its own."""

import io
from xml.etree import ElementTree

import cairosvg
import numpy as np
import pytest
from PIL import Image

from generator import svg
from generator.patterns import Tile, patterns

LINE, GROUND = "#123456", "#fedcba"
HEAVIEST = 600
SCALE = 3

every = pytest.mark.parametrize("name", patterns)


def drawn(tile: Tile) -> str:
    return "".join(ElementTree.tostring(shape.get_xml(), encoding="unicode") for shape in tile.shapes)


def raster(body: str, width: float, height: float, pixels: int) -> np.ndarray:
    """Lightness of each pixel of a drawing on white, *pixels* wide."""
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{ground}{body}</svg>'
    png = cairosvg.svg2png(bytestring=text.encode(), output_width=pixels, output_height=round(pixels * height / width))
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float)


def filled(tile: Tile, scale: float, across: float, down: float, pixels: int) -> np.ndarray:
    """An area filled with the tile as a <pattern>, as a card is."""
    cell = f'<g transform="scale({scale})">{drawn(tile)}</g>'
    size = f'width="{tile.width * scale}" height="{tile.height * scale}"'
    head = f'<defs><pattern id="t" patternUnits="userSpaceOnUse" {size}>{cell}</pattern></defs>'
    return raster(f'{head}<rect width="{across}" height="{down}" fill="url(#t)"/>', across, down, pixels)


def unclipped(tile: Tile, scale: float, across: float, down: float, pixels: int) -> np.ndarray:
    """The same area with the tile drawn whole at every place, so that nothing is cut off at its borders."""
    width, height = tile.width * scale, tile.height * scale
    places = [(width * i, height * j) for j in range(-1, 4) for i in range(-1, 4)]
    cells = [f'<g transform="translate({x} {y}) scale({scale})">{drawn(tile)}</g>' for x, y in places]
    return raster("".join(cells), across, down, pixels)


def seam(tile: Tile) -> int:
    """In three by three tiles, the pixels where the <pattern> cuts off what an uncut tile would draw across its border.

    Edges drawn twice are a little darker; only a difference of most of the way from ink to paper counts.
    """
    across, down = 3 * tile.width * SCALE, 3 * tile.height * SCALE
    pixels = round(across)
    return int((np.abs(filled(tile, SCALE, across, down, pixels) - unclipped(tile, SCALE, across, down, pixels)) > 160).sum())


def test_there_are_enough() -> None:
    assert len(patterns) >= 8
    assert all(function.__doc__ for function in patterns.values())


@every
def test_a_tile_is_whole_units(name: str) -> None:
    tile = patterns[name](LINE, GROUND)
    assert (tile.width, tile.height) == (int(tile.width), int(tile.height)), "CairoSVG rounds up"
    assert 12 <= tile.width <= 256
    assert 12 <= tile.height <= 256


@every
def test_a_pattern_has_no_seam(name: str) -> None:
    assert seam(patterns[name]("#000000", "#ffffff")) == 0


@pytest.mark.parametrize("d", ["M10 20h20", "M20 25v10", "M-5-5l20 20"], ids=["right edge", "lower edge", "corner"])
def test_a_seam_would_be_seen(d: str) -> None:
    broken = Tile(24, 32, (svg.path(d, fill="none", stroke="#000000", stroke_width=4),))
    assert seam(broken) > 20


@every
def test_a_pattern_repeats_with_its_period(name: str) -> None:
    tile = patterns[name]("#000000", "#ffffff")
    width, height = round(tile.width), round(tile.height)
    area = filled(tile, 1, 3 * width, 3 * height, 3 * width)
    assert np.abs(area[:, width:] - area[:, :-width]).max() <= 2
    assert np.abs(area[height:] - area[:-height]).max() <= 2
    assert area.std() > 20


@every
def test_ink_share(name: str) -> None:
    tile = patterns[name]("#000000", "#ffffff")
    area = filled(tile, SCALE, tile.width * SCALE, tile.height * SCALE, round(tile.width * SCALE))
    assert 0.10 <= 1 - area.mean() / 255 <= 0.60


@every
def test_a_tile_is_light(name: str) -> None:
    assert len(drawn(patterns[name](LINE, GROUND)).encode()) <= HEAVIEST


@every
def test_a_pattern_uses_its_two_colours_only(name: str) -> None:
    root = ElementTree.fromstring(f"<g>{drawn(patterns[name](LINE, GROUND))}</g>")
    paints = {value for element in root.iter() for key, value in element.attrib.items() if key in ("fill", "stroke")}
    assert LINE in paints
    assert paints <= {LINE, GROUND, "none"}
    for element in root.iter("path"):  # nothing falls back to SVG's black
        above = [root, *(group for group in root.iter("g") if element in group.iter())]
        assert any("fill" in owner.attrib for owner in [element, *above])


@every
def test_a_pattern_is_the_same_every_time(name: str) -> None:
    assert drawn(patterns[name](LINE, GROUND)) == drawn(patterns[name](LINE, GROUND))


def test_no_two_are_alike_at_64_pixels() -> None:
    small = {name: filled(draw("#000000", "#ffffff"), 1, 512, 512, 512) for name, draw in patterns.items()}
    small = {name: area.reshape(64, 8, 64, 8).mean(axis=(1, 3)) for name, area in small.items()}
    names = list(small)
    pairs = [(one, other) for i, one in enumerate(names) for other in names[:i]]
    assert len(pairs) == len(patterns) * (len(patterns) - 1) // 2
    assert [pair for pair in pairs if np.abs(small[pair[0]] - small[pair[1]]).mean() < 12] == []
