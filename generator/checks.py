"""Checks: what makes a card publishable. They read SVG text and model values and know nothing of how a card was made.

A check is a function of an :class:`Examined` card that yields a message for every fault; its name is its code.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from xml.etree import ElementTree

from generator.fonts import Bounds, around, bounds
from generator.model import Finding, Registry
from generator.palette import CONTRAST, contrast
from generator.svg import CANVAS, DC, LAYERS, SVG, path_commands

TOLERANCE = 0.1
"""Canvas units by which a rounded outline may be off: coordinates have one decimal."""
OFF = {"glyph": TOLERANCE, "picture": 1.0}
"""Canvas units by which a layer may miss its middle: pictures are rounded to whole ones."""
LOW, HIGH = 0.1 * CANVAS, 0.9 * CANVAS
"""Edges of the safe area."""
HEAVIEST = 10_000
"""Bytes that a card may weigh."""
PAINTS = ("fill", "stroke")
SHAPES = {
    "path": {"d"},
    "rect": {"x", "y", "width", "height", "rx", "ry"},
    "circle": {"cx", "cy", "r"},
}
STYLE = {"fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "fill-rule", "transform"}
ATTRIBUTES = {
    "svg": {"viewBox", "role", "aria-labelledby"},
    "title": {"id"},
    "desc": {"id"},
    "metadata": set[str](),
    "g": {"id", "clip-path"} | STYLE,
    "defs": set[str](),
    "clipPath": {"id"},
    "pattern": {"id", "x", "y", "width", "height", "patternUnits"},
} | {name: own | STYLE for name, own in SHAPES.items()}
UNTIDY = re.compile(r"\.\d{3}|\d[eE]|-0(?:\.0+)?(?![\d.])|-\.0+(?!\d)")
"""Three decimals, an exponent, or a negative zero."""
READ = ("picture", "glyph", "label")
"""The layers that are looked at, and not only seen past."""
NUMERIC = {"x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "d", "stroke-width", "viewBox", "transform"}


MOVED = re.compile(r"translate\((-?[\d.]+) (-?[\d.]+)\) scale\(([\d.]+)\)")
"""How a picture is put in its place."""


@dataclass(frozen=True)
class Expected:
    """What the project says of a card.

    Where its ids begin, its title, the colours of its swatch and those of its picture, and the layers that it shows something
    in, with the middle that each has.
    """

    prefix: str
    title: str
    colours: frozenset[str]
    middles: Mapping[str, tuple[float, float]]
    picture: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Examined:
    """A card under examination; ``expected`` is None for a file that the project knows nothing about."""

    where: str
    text: str
    root: ElementTree.Element
    expected: Expected | None = None

    @cached_property
    def drawn(self) -> list[ElementTree.Element]:
        """Every element but metadata and what is in it, in document order."""
        metadata = {id(e) for meta in self.root.iter(f"{SVG}metadata") for e in meta.iter()}
        return [e for e in self.root.iter() if id(e) not in metadata]

    @cached_property
    def layers(self) -> dict[str, ElementTree.Element]:
        """The card's layers by name."""
        groups = (e for e in self.root if e.tag == f"{SVG}g")
        return {e.get("id", "").rpartition("-")[2]: e for e in groups}

    @property
    def middles(self) -> Mapping[str, tuple[float, float]]:
        """The layers that are to show something, and where: of a card that nobody knows, a glyph in the middle, unless it has a picture."""
        if self.expected:
            return self.expected.middles
        return {} if "picture" in self.layers else {"glyph": (CANVAS / 2, CANVAS / 2)}

    @cached_property
    def ink(self) -> dict[str, Bounds]:
        """Ink bounds of the layers that are looked at."""
        found = {name: around(box for _, box in _boxes(self.layers[name])) for name in READ if name in self.layers}
        return {name: box for name, box in found.items() if box}


checks: Registry[Callable[[Examined], Iterator[str]]] = Registry()


def _name(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(SVG) if isinstance(element.tag, str) else "?"


@lru_cache(8192)  # several sets show the same pictures
def _path_box(data: str) -> Bounds | None:
    return bounds(path_commands(data))


def _box(element: ElementTree.Element) -> Bounds | None:
    """Bounds of a shape, its stroke aside; None for anything else."""
    name = _name(element)
    if name == "path":
        return _path_box(element.get("d", ""))
    if name == "rect":
        x, y, width, height = _numbers(element, "x", "y", "width", "height")
        return x, y, x + width, y + height
    if name == "circle":
        x, y, r = _numbers(element, "cx", "cy", "r")
        return x - r, y - r, x + r, y + r
    return None


def _numbers(element: ElementTree.Element, *keys: str) -> list[float]:
    return [float(element.get(key, "0")) for key in keys]


def _boxes(element: ElementTree.Element) -> Iterator[tuple[str, Bounds]]:
    """Fill and bounds of every shape in an element, where its groups put it; what only cuts others is none."""
    if _name(element) == "defs":
        return
    if box := _box(element):
        yield element.get("fill", ""), box
    x, y, scale = _moved(element) if _name(element) == "g" else (0.0, 0.0, 1.0)
    for child in element:
        for fill, (left, top, right, bottom) in _boxes(child):
            yield fill, (left * scale + x, top * scale + y, right * scale + x, bottom * scale + y)


def _moved(group: ElementTree.Element) -> tuple[float, float, float]:
    """Where a group's origin lies, and its scale."""
    transform = group.get("transform")
    if transform is None:
        return 0.0, 0.0, 1.0
    if not (found := MOVED.fullmatch(transform)):
        raise ValueError(f"transform {transform!r} of a group is not one that cards use")
    x, y, scale = map(float, found.groups())
    return x, y, scale


def _paints(element: ElementTree.Element) -> list[str]:
    return [value for paint in PAINTS if (value := element.get(paint))]


@checks
def canvas(card: Examined) -> Iterator[str]:
    """The viewBox is the canvas, and the root says that it is an image."""
    if card.root.get("viewBox") != f"0 0 {CANVAS} {CANVAS}":
        yield f"viewBox is {card.root.get('viewBox')!r}, should be '0 0 {CANVAS} {CANVAS}'"
    if card.root.get("role") != "img":
        yield f"role is {card.root.get('role')!r}, should be 'img'"


@checks
def elements(card: Examined) -> Iterator[str]:
    """Only elements of the allow-list: no text, style, script, image, use, filter or mask."""
    for element in card.drawn:
        if _name(element) not in ATTRIBUTES:
            yield f"<{_name(element)}> is not allowed, allowed are {', '.join(ATTRIBUTES)}"


@checks
def attributes(card: Examined) -> Iterator[str]:
    """Only attributes of the allow-list: no style, class, href or event handler."""
    for element in card.drawn:
        for extra in sorted(element.attrib.keys() - ATTRIBUTES.get(_name(element), set())):
            yield f"<{_name(element)} {extra}> is not allowed"


@checks
def layers(card: Examined) -> Iterator[str]:
    """The layers stand once each and in their order, with a paper and what the card shows among them, and nothing outside them."""
    found = [e.get("id", "").rpartition("-")[2] for e in card.root if e.tag == f"{SVG}g"]
    if found != [name for name in LAYERS if name in found]:
        yield f"layers are {found}, should be of {list(LAYERS)} in this order, once each"
    yield from (f"no layer {name}" for name in ("paper", *card.middles) if name not in found)
    yield from (f"no ink in layer {name}" for name in READ if name in card.layers and name not in card.ink)
    outside = [_name(e) for e in card.root if _name(e) not in ("title", "desc", "metadata", "g")]
    if outside:
        yield f"{outside} stand outside the layers"


@checks
def ids(card: Examined) -> Iterator[str]:
    """Ids are unique and begin with set and number, so that any cards can stand in one page."""
    found = [value for element in card.root.iter() if (value := element.get("id"))]
    yield from (f"id {value} stands {found.count(value)} times" for value in sorted(set(found)) if found.count(value) > 1)
    prefix = card.expected.prefix if card.expected else (found[0].rpartition("-")[0] if found else "")
    yield from (f"id {value} does not begin with {prefix}-" for value in found if not value.startswith(f"{prefix}-"))


@checks
def references(card: Examined) -> Iterator[str]:
    """Everything referred to is in the file: patterns to paint with and paths to cut with, inside <defs>."""
    known = {value for element in card.root.iter() if (value := element.get("id"))}
    there = {(_name(e), e.get("id")) for defs in card.root.iter(f"{SVG}defs") for e in defs}
    for label in card.root.get("aria-labelledby", "").split():
        if label not in known:
            yield f"aria-labelledby names {label}, which is not there"
    for key, value in ((k, v) for element in card.drawn for k, v in element.attrib.items() if "url(" in v):
        kind, inside = "clipPath" if key == "clip-path" else "pattern", re.fullmatch(r"url\(#([\w-]+)\)", value)
        if not inside or (kind, inside[1]) not in there:
            yield f"{key} {value} refers to no {kind} in <defs>"


@checks
def colours(card: Examined) -> Iterator[str]:
    """Every paint is #rrggbb, none or a pattern, and of the card's swatch, or in the picture of the picture."""
    known = card.expected.colours if card.expected else frozenset()
    allowed = {name: known | (card.expected.picture if card.expected and name == "picture" else frozenset()) for name in card.layers}
    for name, layer in card.layers.items():
        paints = {paint for element in layer.iter() for paint in _paints(element) if paint != "none" and not paint.startswith("url(")}
        yield from (f"paint {paint!r} is not written #rrggbb" for paint in sorted(paints) if not re.fullmatch("#[0-9a-f]{6}", paint))
        strange = sorted(paint for paint in paints - allowed[name] if re.fullmatch("#[0-9a-f]{6}", paint)) if card.expected else []
        if strange:
            yield f"layer {name} is painted with {', '.join(strange)}, should be with {', '.join(sorted(allowed[name]))}"


def _ground(card: Examined, over: str, box: Bounds) -> str | None:
    """The last flat colour painted below the layer *over* whose shape holds the whole of *box*."""
    found = None
    for name in LAYERS[: LAYERS.index(over)]:
        for element in card.layers.get(name, ()):
            fill = element.get("fill", "")
            if fill.startswith("#") and (extent := _box(element)) and _holds(element, extent, box):
                found = fill
    return found


def _holds(element: ElementTree.Element, extent: Bounds, box: Bounds) -> bool:
    left, top, right, bottom = box
    if _name(element) == "circle":
        x, y, r = _numbers(element, "cx", "cy", "r")
        return max(x - left, right - x, y - top, bottom - y) <= r
    return extent[0] <= left and extent[1] <= top and extent[2] >= right and extent[3] >= bottom


@checks
def legible(card: Examined) -> Iterator[str]:
    """Glyph and label have the contrast they need on what lies below them, be it a picture."""
    for name in ("glyph", "label"):
        if not (box := card.ink.get(name)):
            continue
        ground = _ground(card, name, box)
        grounds = {ground, *_pictured_below(card, box)} if ground else set()
        for fill in sorted({paint for element in card.layers[name].iter() for paint in _paints(element) if paint.startswith("#")}):
            if not ground:
                yield f"{name} stands on no flat colour"
            for below in sorted(below for below in grounds if below and contrast(fill, below) < CONTRAST):
                yield f"{name} {fill} on {below} has contrast {contrast(fill, below):.2f}, needs {CONTRAST}"


def _pictured_below(card: Examined, box: Bounds) -> set[str]:
    """Colours of the picture that lie below something, unless the picture is cut to a shape: then that shape's edge is what is read."""
    whole, layer = card.ink.get("picture"), card.layers.get("picture")
    if layer is None or not whole or not _meet(box, whole) or any(group.get("clip-path") for group in layer.iter(f"{SVG}g")):
        return set()
    return {fill for fill, other in _boxes(layer) if _meet(box, other)}


def _meet(one: Bounds, other: Bounds) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@checks
def numbers(card: Examined) -> Iterator[str]:
    """Numbers have at most two decimals, no exponent and no negative zero."""
    for element in card.drawn:
        for key in sorted(element.attrib.keys() & NUMERIC):
            text = element.get(key, "")
            if bad := UNTIDY.search(text):
                around = text[max(0, bad.start() - 6) : bad.end() + 2]
                yield f"{around!r} in <{_name(element)} {key}>: at most two decimals, no exponent, no -0"


@checks
def centred(card: Examined) -> Iterator[str]:
    """The bounds of glyph and picture are centred where the layout has their middle: mostly the canvas's."""
    for name, (x, y) in card.middles.items():
        if box := card.ink.get(name):
            dx, dy = (box[0] + box[2]) / 2 - x, (box[1] + box[3]) / 2 - y
            if max(abs(dx), abs(dy)) > OFF[name]:
                yield f"{name} is off centre by {dx:+.2f}, {dy:+.2f}"


@checks
def safe_area(card: Examined) -> Iterator[str]:
    """Picture, glyph and label keep a tenth of the canvas free on every side."""
    for name, box in card.ink.items():
        if min(box[:2]) < LOW - TOLERANCE or max(box[2:]) > HIGH + TOLERANCE:
            yield f"{name} reaches {', '.join(f'{edge:.1f}' for edge in box)}, should stay within {LOW:g} and {HIGH:g}"


@checks
def title(card: Examined) -> Iterator[str]:
    """There is a title, first and as the project has it, and a description."""
    texts = {_name(e): (e.text or "").strip() for e in card.root if _name(e) in ("title", "desc")}
    first = _name(card.root[0]) if len(card.root) else ""
    if first != "title" or not texts.get("title"):
        yield "no title as the first element"
    elif card.expected and texts["title"] != card.expected.title:
        yield f"title is {texts['title']!r}, should be {card.expected.title!r}"
    if not texts.get("desc"):
        yield "no description"


@checks
def licence(card: Examined) -> Iterator[str]:
    """The metadata says where the glyph comes from and under which licence."""
    for term in ("source", "rights"):
        if not (card.root.findtext(f"{SVG}metadata/{DC}{term}") or "").strip():
            yield f"no dc:{term} in the metadata"


@checks
def weight(card: Examined) -> Iterator[str]:
    """The file is light."""
    size = len(card.text.encode())
    if size > HEAVIEST:
        yield f"{size} bytes, at most {HEAVIEST}"


def examine(where: str, text: str, expected: Expected | None = None) -> list[Finding]:
    """All findings of all checks on one card."""
    if "<!" in text:
        return [Finding(where, "parse", "has a comment, a doctype or a CDATA section, none of which a card needs")]
    try:
        card = Examined(where, text, ElementTree.fromstring(text), expected)
        if card.root.tag != f"{SVG}svg":
            return [Finding(where, "parse", f"root is <{card.root.tag}>, should be <svg> of the SVG namespace")]
        return [Finding(where, code, message) for code, check in checks.items() for message in check(card)]
    except (ElementTree.ParseError, ValueError) as error:
        return [Finding(where, "parse", f"not a card that can be read ({error})")]
