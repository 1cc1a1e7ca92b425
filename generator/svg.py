"""SVG text: every element Bushu writes is made here, over svgwrite.

svgwrite counts ids for the whole process and writes attributes nobody asked for, so ids are always given, its checks are off
(they refuse ``role`` and ``aria-*``) and the document is serialised here: same tree, same bytes.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from xml.etree import ElementTree

from svgwrite.base import BaseElement
from svgwrite.container import Defs, Group
from svgwrite.path import Path
from svgwrite.pattern import Pattern
from svgwrite.shapes import Circle, Line, Rect

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


def line(x1: float, y1: float, x2: float, y2: float, **style: Any) -> Element:
    """A straight line."""
    made: Element = Line((number(x1), number(y1)), (number(x2), number(y2)), debug=False, **_plain(style))
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


def _tenths(tenths: int) -> str:
    """A whole number of tenths as path data writes it: ``-0.5`` is ``-.5``, ``12.0`` is ``12``."""
    whole, rest = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{whole or ''}.{rest}" if rest else f"{sign}{whole}"


def _joined(numbers: Iterable[int]) -> str:
    return "".join(text if text[0] == "-" else f" {text}" for text in map(_tenths, numbers)).lstrip()


class _Writer:
    """Writes path data in whole tenths: where it stands, what it wrote last, and the control point a renderer would mirror."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.at = self.start = (0, 0)
        self.mirror: tuple[int, int] | None = None
        self.last = ""

    def write(self, letter: str, points: list[int]) -> None:
        """Add a command with absolute *points* (M, L, Q, C or Z)."""
        x, y = self.at
        mirror, self.mirror = self.mirror, None
        relative = [n - (y if i % 2 else x) for i, n in enumerate(points)]
        if letter == "Z":
            self._put("z", [])
            self.at = self.start
            return
        self.at = (points[-2], points[-1])
        if letter == "M":
            self.start = self.at
            self._put("m" if self.parts else "M", relative)
        elif letter == "L":
            self._line(relative)
        elif letter == "Q":
            control = (points[0], points[1])
            smooth = mirror is not None and max(abs(mirror[0] - control[0]), abs(mirror[1] - control[1])) <= SLACK
            if smooth and mirror is not None:
                control = mirror
            self._put("t" if smooth else "q", relative[2:] if smooth else relative)
            self.mirror = (2 * self.at[0] - control[0], 2 * self.at[1] - control[1])
        else:
            self._put("c", relative)

    def _line(self, relative: list[int]) -> None:
        dx, dy = relative
        if dx and dy:
            self._put("l", relative)
        elif dx:
            self._put("h", [dx])
        elif dy:
            self._put("v", [dy])

    def _put(self, word: str, numbers: list[int]) -> None:
        text = _joined(numbers)
        repeated = word == self.last and word not in "mMz"
        self.parts.append((text if text[0] == "-" else f" {text}") if repeated else word + text)
        self.last = word


def path_data(commands: Iterable[tuple[str, tuple[float, ...]]], scale: float = 1, dx: float = 0, dy: float = 0) -> str:
    """Path data of absolute commands (M, L, Q, C, Z) scaled and moved: relative, to a tenth of a unit.

    Every point is rounded where it lies and the differences are taken of the rounded points, so that errors never add up. A
    quadratic curve that goes on smoothly, as most in TrueType outlines do, leaves its control point to be mirrored.
    """
    writer = _Writer()
    for letter, numbers in commands:
        writer.write(letter, [round((n * scale + (dy if i % 2 else dx)) * 10) for i, n in enumerate(numbers)])
    return "".join(writer.parts)


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
