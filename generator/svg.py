"""SVG text: every element Bushu writes is made here, over svgwrite.

svgwrite counts ids for the whole process and writes attributes nobody asked for, so ids are always given, its checks are off
(they refuse ``role`` and ``aria-*``) and the document is serialised here: same tree, same bytes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Protocol
from xml.etree import ElementTree

from svgwrite.base import BaseElement
from svgwrite.container import Defs, Group
from svgwrite.masking import ClipPath
from svgwrite.path import Path
from svgwrite.pattern import Pattern
from svgwrite.shapes import Circle, Rect

from generator.model import Command

CANVAS = 512
"""Side of the square canvas in user units; the viewBox of every card is ``0 0 512 512``."""

LAYERS = ("paper", "pattern", "picture", "glyph", "label")
"""The layers of a card, from the bottom up."""
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
SVG = "{http://www.w3.org/2000/svg}"
DC = f"{{{DUBLIN_CORE}}}"
"""What the names of elements begin with in a tree that was read."""


class Element(Protocol):
    """What svgwrite's elements do, which carry no types of their own."""

    def add(self, element: "Element") -> Any:
        """Append a child."""

    def update(self, attributes: dict[str, str]) -> None:
        """Set attributes, with ``_`` for ``-`` in their names."""

    def get_xml(self) -> ElementTree.Element:
        """The element and all in it as a tree."""


def number(value: float, places: int = 2) -> str:
    """The text form of a number: at most *places* decimals, no exponent, no trailing zeros, never ``-0``."""
    text = f"{value:.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _plain(attributes: dict[str, Any]) -> dict[str, str]:
    return {key: number(value) if isinstance(value, int | float) else value for key, value in attributes.items()}


def rect(x: float, y: float, width: float, height: float, **style: Any) -> Element:
    """A rectangle; *style* is any presentation attribute with ``_`` for ``-`` (``stroke_width=2``)."""
    at, size = (number(x), number(y)), (number(width), number(height))
    made: Element = Rect(at, size, debug=False, **_plain(style))
    return made


def circle(cx: float, cy: float, r: float, **style: Any) -> Element:
    """A circle."""
    made: Element = Circle((number(cx), number(cy)), number(r), debug=False, **_plain(style))
    return made


def path(d: str, **style: Any) -> Element:
    """A path from its data."""
    made: Element = Path(d, debug=False, **_plain(style))
    return made


def group(children: Iterable[Element], **attributes: Any) -> Element:
    """A group of elements."""
    made: Element = Group(debug=False, **_plain(attributes))
    for child in children:
        made.add(child)
    return made


def clip(id_: str, d: str) -> Element:
    """A ``<clipPath>`` of one path inside its own ``<defs>``; cut with ``clip_path="url(#id)"``."""
    made: Element = ClipPath(id=id_, debug=False)
    made.add(path(d))
    defs: Element = Defs(debug=False)
    defs.add(made)
    return defs


def pattern(id_: str, width: float, height: float, children: Iterable[Element], **attributes: Any) -> Element:
    """A ``<pattern>`` tile in user units inside its own ``<defs>``; fill with ``url(#id)``."""
    size = (number(width), number(height))
    made: Element = Pattern((0, 0), size, patternUnits="userSpaceOnUse", id=id_, debug=False, **_plain(attributes))
    for child in children:
        made.add(child)
    defs: Element = Defs(debug=False)
    defs.add(made)
    return defs


@cache
def _tenths(tenths: int) -> str:
    """A whole number of tenths as path data writes it after another: `` 12``, ``-.5``."""
    whole, rest = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else " "
    return f"{sign}{whole or ''}.{rest}" if rest else f"{sign}{whole}"


@cache
def _wholes(units: int) -> str:
    """A whole number likewise."""
    return f"{units}" if units < 0 else f" {units}"


WRITTEN: dict[int, tuple[Callable[[int], str], int]] = {10: (_tenths, 2), 1: (_wholes, 1)}
"""How a number of steps is written, and by how many a mirrored control point may miss the true one, by how many steps make a unit."""


def _line(dx: int, dy: int) -> tuple[str, *tuple[int, ...]]:
    """A line as its shortest command."""
    return ("h", dx) if not dy else ("v", dy) if not dx else ("l", dx, dy)


SMOOTH = {"Q": "t", "C": "s"}
"""What a curve is written as whose first control point mirrors the last one of the curve before."""


def path_data(commands: Iterable[Command], scale: float = 1, dx: float = 0, dy: float = 0, unit: int = 10) -> str:
    """Path data of absolute commands (M, L, Q, C, Z) scaled and moved: relative, with *unit* steps to a unit (10: tenths; 1: whole ones).

    Every point is rounded where it lies and the differences are taken of the rounded points, so that errors never add up. A
    curve that goes on smoothly leaves its first control point to be mirrored.
    """
    parts: list[str] = []
    last = ""
    x = y = start_x = start_y = 0
    mirror: tuple[str, int, int] | None = None
    write, slack = WRITTEN[unit]

    def put(word: str, *steps: int) -> None:
        nonlocal last
        text = "".join(map(write, steps))
        parts.append(text if word == last else word + text.lstrip(" "))
        last = "" if word in "mMz" else word

    for letter, numbers in commands:
        points = [round((n * scale + (dy if i % 2 else dx)) * unit) for i, n in enumerate(numbers)]
        if letter in SMOOTH:
            if mirror and mirror[0] == letter and abs(mirror[1] - points[0]) <= slack and abs(mirror[2] - points[1]) <= slack:
                points[:2] = mirror[1:]
                word, first = SMOOTH[letter], 2
            else:
                word, first = letter.lower(), 0
            put(word, *[n - (y if i % 2 else x) for i, n in enumerate(points)][first:])
            x, y = points[-2:]
            mirror = (letter, 2 * x - points[-4], 2 * y - points[-3])
            continue
        mirror = None
        if letter == "Z":
            put("z")
            x, y = start_x, start_y
            continue
        relative = [n - (y if i % 2 else x) for i, n in enumerate(points)]
        if letter == "L":
            if any(relative):
                put(*_line(*relative))
        else:
            put("m" if parts else "M", *relative)
            start_x, start_y = points
        x, y = points
    return "".join(parts)


_SEGMENT = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "T": 2, "C": 6, "S": 4}


CURVES = {"Q": "Q", "T": "Q", "C": "C", "S": "C"}
"""Curves as path data may write them, and what they are when written out."""


def path_commands(data: str) -> Iterator[Command]:
    """Path data as absolute commands M, L, Q, C and Z: what :func:`path_data` was given. ValueError for data that cards do not use."""
    x = y = start_x = start_y = 0.0
    control: tuple[str, float, float] | None = None
    for word, rest in _SEGMENT.findall(data):
        letter = word.upper()
        if letter == "Z":
            yield "Z", ()
            x, y, control = start_x, start_y, None
            continue
        numbers, count = list(map(float, _NUMBER.findall(rest))), _COUNTS.get(letter)
        if not count or not numbers or len(numbers) % count:
            raise ValueError(f"path command {word}{rest} is not one that cards use")
        relative = word != letter
        for at in range(0, len(numbers), count):
            from_x, from_y = (x, y) if relative else (0.0, 0.0)
            if letter in CURVES:
                whole, own = CURVES[letter], numbers[at : at + count]
                points = [n + (from_y if i % 2 else from_x) for i, n in enumerate(own)]
                if letter != whole:  # its first control point mirrors the last one
                    points[:0] = (2 * x - control[1], 2 * y - control[2]) if control and control[0] == whole else (x, y)
                x, y = points[-2:]
                control = (whole, points[-4], points[-3])
                yield whole, tuple(points)
            else:
                control = None
                x = from_x + numbers[at] if letter != "V" else x
                y = from_y + numbers[at + count - 1] if letter != "H" else y
                if letter == "M" and at == 0:
                    start_x, start_y = x, y
                yield ("M" if letter == "M" and at == 0 else "L"), (x, y)


class _Root(BaseElement):  # svgwrite's own root brings a <defs> that is mostly empty
    elementname = "svg"


def _text(tag: str, text: str, **attributes: str) -> ElementTree.Element:
    made = ElementTree.Element(tag, attributes)
    made.text = text
    return made


def _metadata(facts: Mapping[str, str]) -> ElementTree.Element:
    made = ElementTree.Element("metadata", {"xmlns:dc": DUBLIN_CORE})
    for name, value in facts.items():
        made.append(_text(f"dc:{name}", value))
    return made


def drawing(title: str, facts: Mapping[str, str], shapes: Iterable[Element]) -> str:
    """A drawing to be taken into cards as SVG text: title, metadata (Dublin Core) and shapes on the canvas, one a line."""
    root = _Root(debug=False)
    root.update({"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {CANVAS} {CANVAS}"})
    tree: ElementTree.Element = root.get_xml()
    tree.extend([_text("title", title), _metadata(facts), *(shape.get_xml() for shape in shapes)])
    tree.text = "\n"
    for child in tree:
        child.tail = "\n"
    return ElementTree.tostring(tree, encoding="unicode") + "\n"


def document(prefix: str, title: str, description: str, facts: Mapping[str, str], layers: Mapping[str, Iterable[Element]]) -> str:
    """A whole card as SVG text.

    *prefix* begins every id (``baseline-085``), *facts* are Dublin Core terms for the metadata (source, rights …), *layers* maps
    names of :data:`LAYERS` to what they hold.
    """
    root = _Root(debug=False)
    root.update({"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {CANVAS} {CANVAS}", "role": "img"})
    root["aria-labelledby"] = f"{prefix}-title {prefix}-desc"
    for layer in LAYERS:
        if layer in layers:
            root.add(group(layers[layer], id=f"{prefix}-{layer}"))
    tree: ElementTree.Element = root.get_xml()
    tree[:0] = [_text("title", title, id=f"{prefix}-title"), _text("desc", description, id=f"{prefix}-desc"), _metadata(facts)]
    return ElementTree.tostring(tree, encoding="unicode") + "\n"
