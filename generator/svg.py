"""SVG text: every element Bushu writes is made here, over svgwrite.

svgwrite counts ids for the whole process and writes attributes nobody asked for, so ids are always given, its checks are off
(they refuse ``role`` and ``aria-*``) and the document is serialised here: same tree, same bytes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Protocol
from xml.etree import ElementTree

from svgwrite.base import BaseElement
from svgwrite.container import Defs, Group
from svgwrite.path import Path
from svgwrite.pattern import Pattern
from svgwrite.shapes import Circle, Rect

from generator.model import Command

CANVAS = 512
"""Side of the square canvas in user units; the viewBox of every card is ``0 0 512 512``."""

LAYERS = ("paper", "pattern", "picture", "glyph", "label")
"""The layers of a card, from the bottom up."""
SLACK = 2
"""Tenths of a unit by which a mirrored control point may miss the true one."""
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"


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


def _line(dx: int, dy: int) -> tuple[str, *tuple[int, ...]]:
    """A line as its shortest command."""
    return ("h", dx) if not dy else ("v", dy) if not dx else ("l", dx, dy)


def path_data(commands: Iterable[Command], scale: float = 1, dx: float = 0, dy: float = 0) -> str:
    """Path data of absolute commands (M, L, Q, C, Z) scaled and moved: relative, to a tenth of a unit.

    Every point is rounded where it lies and the differences are taken of the rounded points, so that errors never add up. A
    quadratic curve that goes on smoothly, as most in TrueType outlines do, leaves its control point to be mirrored.
    """
    parts: list[str] = []
    last = ""
    x = y = start_x = start_y = 0
    mirror: tuple[int, int] | None = None

    def put(word: str, *tenths: int) -> None:
        nonlocal last
        text = "".join(map(_tenths, tenths))
        parts.append(text if word == last else word + text.lstrip(" "))
        last = "" if word in "mMz" else word

    for letter, numbers in commands:
        points = [round((n * scale + (dy if i % 2 else dx)) * 10) for i, n in enumerate(numbers)]
        if letter == "Q":
            u, v, to_x, to_y = points
            if mirror and abs(mirror[0] - u) <= SLACK and abs(mirror[1] - v) <= SLACK:
                u, v = mirror
                put("t", to_x - x, to_y - y)
            else:
                put("q", u - x, v - y, to_x - x, to_y - y)
            mirror = (2 * to_x - u, 2 * to_y - v)
            x, y = to_x, to_y
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
        elif letter == "M":
            put("m" if parts else "M", *relative)
            start_x, start_y = points
        else:
            put("c", *relative)
        x, y = points[-2:]
    return "".join(parts)


_SEGMENT = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "T": 2, "C": 6}


def path_commands(data: str) -> Iterator[Command]:
    """Path data as absolute commands M, L, Q, C and Z: what :func:`path_data` was given. ValueError for data that cards do not use."""
    x = y = start_x = start_y = 0.0
    control: tuple[float, float] | None = None
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
            if letter == "T":
                control = (2 * x - control[0], 2 * y - control[1]) if control else (x, y)
                x, y = from_x + numbers[at], from_y + numbers[at + 1]
                yield "Q", (*control, x, y)
            elif letter == "Q":
                control = (from_x + numbers[at], from_y + numbers[at + 1])
                x, y = from_x + numbers[at + 2], from_y + numbers[at + 3]
                yield "Q", (*control, x, y)
            elif letter == "C":
                own = numbers[at : at + 6]
                points = tuple([n + (from_y if i % 2 else from_x) for i, n in enumerate(own)])
                control, (x, y) = None, points[-2:]
                yield "C", points
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
