"""Cards as vectors in a PDF: fpdf2 draws SVG, but for tiles that are painted with and groups that are cut, which are made here."""

import math
from collections.abc import Iterator
from itertools import count
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from fpdf.drawing import ClippingPath, GraphicsContext
from fpdf.drawing_primitives import Transform
from fpdf.svg import SVGObject, svg_path_converter

from generator.checks import ATTRIBUTES
from generator.svg import CANVAS, SVG

TOLD = ("title", "desc", "metadata")
"""What says something and draws nothing."""
CUTS = {"d", "x", "y", "width", "height"}
"""What a shape that cuts may have."""


def is_plain(svg: str) -> bool:
    """True for what uses nothing but what cards are drawn with, which is drawn here as everywhere."""
    root = ElementTree.fromstring(svg)
    drawn = [(element.tag.removeprefix(SVG), element.attrib.keys()) for element in root.iter() if element.tag.startswith(SVG)]
    cuts = [shape.attrib.keys() for path in root.iter(f"{SVG}clipPath") for shape in path]
    return all(tag in ATTRIBUTES and keys <= ATTRIBUTES[tag] for tag, keys in drawn) and all(keys <= CUTS for keys in cuts)


def drawing(svg: str, x: float, y: float, side: float) -> GraphicsContext:
    """A card as fpdf2 draws it at a place on the page: left, top and side in the page's unit."""
    root = ElementTree.fromstring(svg)
    for element in [element for tag in TOLD for element in root.findall(f"{SVG}{tag}")]:
        root.remove(element)
    names = (f"made-{n}" for n in count())
    _tile(root, names)
    cuts = {_named(element, names): _referred(path) for element in root.iter() if (path := element.attrib.pop("clip-path", ""))}
    paths = {path.get("id"): _outline(path) for path in root.iter(f"{SVG}clipPath")}
    parsed = SVGObject(ElementTree.tostring(root))
    for group, path in cuts.items():
        parsed.cross_references[f"#{group}"].clipping_path = paths[path]
    _, _, drawn = parsed.transform_to_rect_viewport(scale=1, width=side, height=side)
    placed = Transform.translation(x, y)
    drawn.transform = drawn.transform @ placed if drawn.transform else placed
    return drawn


def _named(element: Element, names: Iterator[str]) -> str:
    """The element's id, which it is given if it has none."""
    if "id" not in element.attrib:
        element.set("id", next(names))
    return element.attrib["id"]


def _referred(value: str) -> str:
    """``tile`` of ``url(#tile)``; nothing of a colour."""
    return value.removeprefix("url(#").removesuffix(")") if value.startswith("url(#") else ""


def _outline(cut: Element) -> ClippingPath:
    """What a ``<clipPath>`` lets through: its paths and rectangles."""
    made = ClippingPath()
    for shape in cut:
        if shape.tag == f"{SVG}rect":
            made.rectangle(*(float(shape.get(key, "0")) for key in ("x", "y", "width", "height")))
        else:
            svg_path_converter(made, shape.get("d", ""))
    return made


def _tile(root: Element, names: Iterator[str]) -> None:
    """Put copies of the tile in the place of everything that is painted with one, cut to its shape."""
    tiles = {tile.get("id", ""): tile for tile in root.iter(f"{SVG}pattern")}
    for parent in list(root.iter()) if tiles else ():
        for index, element in enumerate(list(parent)):
            if (tile := tiles.get(_referred(element.get("fill", "")))) is not None:
                parent[index] = _tiled(element, tile, names)
    for defs in root.iter(f"{SVG}defs"):
        for tile in defs.findall(f"{SVG}pattern"):
            defs.remove(tile)


def _tiled(shape: Element, tile: Element, names: Iterator[str]) -> Element:
    """The tile's copies side by side, each cut to its own extent, as a group that is cut to the shape."""
    width, height = float(tile.get("width", "0")), float(tile.get("height", "0"))
    made = Element(f"{SVG}g")
    defs = SubElement(made, f"{SVG}defs")
    extent = Element(f"{SVG}rect", {"width": str(width), "height": str(height)})
    whole, own = (_cut(defs, next(names), path) for path in (shape, extent))
    made.set("clip-path", whole)
    for row in range(math.ceil(CANVAS / height)):
        for column in range(math.ceil(CANVAS / width)):
            place = {"transform": f"translate({column * width} {row * height})", "clip-path": own}
            SubElement(made, f"{SVG}g", place).extend(tile)
    return made


def _cut(defs: Element, name: str, shape: Element) -> str:
    """A ``<clipPath>`` of one shape, by its reference."""
    SubElement(defs, f"{SVG}clipPath", {"id": name}).append(shape)
    return f"url(#{name})"
