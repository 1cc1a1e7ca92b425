"""SVG made elsewhere: refused for whatever the vocabulary has not, and otherwise written anew.

What is refused is never cut out, since a picture without a part of it is not the picture that somebody chose. Only comments and
the notes that editors leave are dropped: they paint nothing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn
from xml.etree import ElementTree

from PIL import Image, ImageChops

from generator import provenance, raster
from generator import vocabulary as words
from generator.bitmaps import refuse_flat, refuse_lopsided
from generator.model import Error, brief
from generator.provenance import Facts
from generator.svg import CANVAS, number
from generator.vocabulary import ACROSS, DOWN, ELEMENTS, NUMBER, SVG

Element = ElementTree.Element

HEAVIEST = 100_000
"""Bytes that a file may have."""
MOST = 2000
"""Elements that may be drawn, each as often as it is used."""
DEPTH = 32
"""How deep elements may nest."""
CHAIN = 64
"""How deep they may, counted through what they refer to."""
FURTHEST = 1e9
DASHES = 50
"""Dashes that count as an element."""

WINDOWS = (3, 9, 27, 81)
"""How many canvases wide the surroundings are that are searched for ink."""
SIDE = 243
"""Pixels of that search: the canvas in the middle of each window has whole ones."""
MARGIN = 2
"""Pixels beside the canvas that ink may reach: grounds are often drawn a little too large."""
UNPAINTED = 254
"""How far white and black stay apart where nothing is painted."""


class _Builder(ElementTree.TreeBuilder):
    """A tree of elements alone: a processing instruction can fetch a style sheet."""

    def pi(self, target: str, text: str | None = None) -> NoReturn:
        """Refuse it."""
        raise ValueError(f"has an instruction <?{brief(target)}?>, save it without")


def _parsed(content: bytes) -> Element:
    """The file as a tree of bounded size."""
    if len(content) > HEAVIEST:
        raise Error(f"{len(content)} bytes, at most {HEAVIEST}, simplify the drawing")
    try:
        root = provenance.parsed(content, _Builder())
    except ValueError as error:
        raise Error(str(error)) from None
    if root.tag != f"{SVG}svg":
        raise Error(f'begins with <{brief(root.tag)}>, should be <svg xmlns="{SVG[1:-1]}">')
    if (count := sum(1 for _ in root.iter())) > MOST:
        raise Error(f"{count} elements, at most {MOST}, simplify the drawing")
    level = [root]
    for _ in range(DEPTH):
        level = [child for element in level for child in element]
    if level:
        raise Error(f"nests deeper than {DEPTH} levels, ungroup what is in it")
    return root


@dataclass(frozen=True, slots=True)
class View:
    """The drawing's own canvas, and the square in the middle of it that becomes ours."""

    x: float
    y: float
    width: float
    height: float

    @property
    def transform(self) -> str:
        """What brings the square to our canvas; empty where it is that already."""
        side = min(self.width, self.height)
        x, y = self.x + (self.width - side) / 2, self.y + (self.height - side) / 2
        scale = number(CANVAS / side, 6)
        moved = f" translate({number(-x, 4)} {number(-y, 4)})" if x or y else ""
        return "" if scale == "1" and not moved else f"scale({scale}){moved}"

    def share(self, key: str, percent: float) -> str:
        """A length in per cent as a number."""
        diagonal = ((self.width**2 + self.height**2) / 2) ** 0.5
        return number(percent / 100 * (self.width if key in ACROSS else self.height if key in DOWN else diagonal), 4)


def _numbers(text: str) -> list[float]:
    return [float(n) for n in NUMBER.findall(text)] if words.NUMBERS.fullmatch(text) else []


def _view(root: Element, crop: bool) -> View:
    box = _numbers(root.get("viewBox", "")) or [0, 0, *_numbers(root.get("width", "")), *_numbers(root.get("height", ""))]
    if len(box) != 4 or not all(0 < side < FURTHEST for side in box[2:]):
        raise Error(f"has no viewBox that can be used, give it one: viewBox='0 0 {CANVAS} {CANVAS}'")
    refuse_lopsided(box[2], box[3], crop)
    return View(*box)


def _local(tag: str) -> str:
    """A tag without its namespace, for a message."""
    return brief(tag.rpartition("}")[2])


def _refuse_handlers(element: Element) -> None:
    for key in element.attrib:
        if key.lower().startswith("on"):
            raise Error(f"{brief(key)}= runs code, which no picture needs")


def _is_note(element: Element) -> bool:
    """True for what says something and paints nothing; :class:`Error` if more than that is in it."""
    if not element.tag.startswith((*words.EDITORS, *(f"{SVG}{name}" for name in words.NOTES))):
        return False
    for inner in element.iter():
        _refuse_handlers(inner)
        if inner is not element and inner.tag.startswith((SVG, words.XHTML)):
            raise Error(f"<{_local(inner.tag)}> stands within <{_local(element.tag)}>, where only notes should be")
    return True


def _name(element: Element) -> str:
    name = element.tag.removeprefix(SVG)
    if name not in ELEMENTS or name == element.tag:
        raise Error(f"<{_local(element.tag)}> {words.ADVICE.get(name) or 'is not allowed, allowed are ' + ', '.join(ELEMENTS)}")
    return name


def _style(element: Element) -> Iterator[tuple[str, str]]:
    """The declarations of the element's style."""
    for declaration in filter(str.strip, element.get("style", "").split(";")):
        key, colon, value = declaration.partition(":")
        key, value = key.strip().lower(), value.strip()
        known = key in words.PROPERTIES or key in words.DASHES or (key, value) in words.NEEDLESS or words.UNSEEN.fullmatch(key)
        if not colon or not known:
            raise Error(f"style: {brief(declaration.strip())!r} is not allowed, save with presentation attributes")
        yield key, value


def _said(element: Element) -> Iterator[tuple[str, str]]:
    """What the element says of its painting, its style last; what says nothing of it is dropped."""
    _refuse_handlers(element)
    attributes = [(key, " ".join(value.split())) for key, value in element.items() if key != "style"]
    for key, value in [*attributes, *_style(element)]:
        if key == words.HREF:
            yield "href", value
        elif not (
            key.startswith((words.XML, *words.EDITORS))
            or words.LABELS.fullmatch(key)
            or words.UNSEEN.fullmatch(key)
            or (key, value) in words.NEEDLESS
        ):
            yield key, value


def _refuse_value(name: str, key: str, value: str) -> None:
    """:class:`Error` for an attribute that may not be there, or not say that."""
    where = f"<{name} {brief(key)}={brief(value)!r}>"
    if key not in ELEMENTS[name]:
        raise Error(f"{where} is not allowed, draw what it shows with what is")
    if not re.fullmatch(ELEMENTS[name][key], value):
        outside = "href" in key or re.search(r"url|:|@|\\", value)
        raise Error(f"{where} {'refers to something outside of the file' if outside else 'is not what can be drawn'}, write plain values")
    if not value.startswith("#") and any(abs(float(n)) > FURTHEST for n in NUMBER.findall(value)):
        raise Error(f"{where} is out of all proportion, draw it smaller")


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes a drawing anew, with ids that begin with *prefix* and lengths that need no page around them."""

    prefix: str
    view: View
    ids: dict[str, Element]
    on_page: bool
    """True if a gradient counts its lengths on the page."""

    def free(self, word: str) -> str:
        """An id that the drawing has not."""
        taken = {self._own(key) for key in self.ids}
        while self._own(word) in taken:
            word += "_"
        return self._own(word)

    def _own(self, key: str) -> str:
        return f"{self.prefix}-{key.removeprefix(f'{self.prefix}-')}"

    def _referred(self, key: str) -> str:
        if key not in self.ids:
            raise Error(f"#{brief(key)} is referred to and not there")
        return self._own(key)

    def value(self, name: str, key: str, value: str) -> str:
        """An attribute's value as it is written."""
        if key == "id":
            return self._own(value)
        _refuse_value(name, key, value)
        if key == "href":
            return f"#{self._referred(value[1:])}"
        if inside := re.fullmatch(words.INSIDE, value):
            return f"url(#{self._referred(inside[1])})"
        if value.lower() == "currentcolor":
            return "#000000"  # what it is where nothing around the drawing says otherwise
        if ELEMENTS[name][key] != words.LENGTH or not value.endswith("%"):
            return value.removesuffix("px")
        if not name.endswith("Gradient"):
            return self.view.share(key, float(value[:-1]))
        if self.on_page:
            raise Error(f"<{name} {key}={value!r}> is a share of the page, write a plain number")
        return value

    def attributes(self, element: Element, name: str) -> dict[str, str]:
        """All attributes as they are written."""
        return {key: self.value(name, key, value) for key, value in _said(element)}

    def children(self, element: Element) -> Iterator[Element]:
        """What is in an element as it is written, without notes."""
        for child in element:
            if not _is_note(child):
                name = _name(child)
                made = Element(name, self.attributes(child, name))
                made.extend(list(self.children(child)))  # a generator's own exception would be lost
                yield made


def _ids(root: Element, prefix: str) -> dict[str, Element]:
    """The elements by id."""
    found: dict[str, Element] = {}
    taken: set[str] = set()
    for element in root.iter():
        key = element.get("id")
        if key is None or element is root or element.tag.removeprefix(SVG) in words.NOTES:
            continue
        bare = key.removeprefix(f"{prefix}-")
        if bare in taken or not re.fullmatch(r"[\w.-]+", key):
            raise Error(f"id {brief(key)!r} {'stands twice' if bare in taken else 'is not a plain word'}, give another")
        taken.add(bare)
        found[key] = element
    return found


def _dashes(element: Element) -> int:
    """The most dashes that the outline of a shape can have.

    A circle is 2π times as long as its number and nothing else is longer, but that curves which mirror the one before can swing
    ever wider.
    """
    said = dict(_said(element)) if element.tag.removeprefix(SVG) in ELEMENTS else {}
    period = sum(abs(float(n)) for n in NUMBER.findall(said.get("stroke-dasharray", "")))
    outline = " ".join(said.get(key, "") for key in (*ACROSS, *DOWN, "r", "d", "points"))
    if not period:
        return 0
    if "%" in outline:
        raise Error("has dashes on a shape that is a share of the page, write plain numbers")
    lengths = [abs(float(n)) for n in NUMBER.findall(outline)]
    return int(7 * sum(lengths) * (len(lengths) if re.search("[Tt]", outline) else 1) / period)


def _weights(root: Element, ids: dict[str, Element]) -> int:
    """How many elements are drawn, each as often as it is used. :class:`Error` for one that refers to itself."""
    known: dict[Element, int] = {}

    def weight(element: Element, above: tuple[Element, ...]) -> int:
        if element in above or len(above) > CHAIN:
            raise Error("refers to itself, or through too many others, draw it without")
        if element not in known:
            keys = dict.fromkeys(key for value in element.attrib.values() for key in words.REFERENCE.findall(value))
            parts = [*element, *(ids[key] for key in keys if key in ids)]
            known[element] = 1 + _dashes(element) // DASHES + sum(weight(part, (*above, element)) for part in parts)
        return known[element]

    return weight(root, ())


def _group(children: Iterable[Element], attributes: dict[str, str]) -> list[Element]:
    """The children in a group, if there is anything to say of them."""
    if not attributes:
        return list(children)
    made = Element("g", attributes)
    made.extend(children)
    return [made]


def _written(content: bytes, prefix: str, crop: bool) -> tuple[_Writer, list[Element]]:
    """What the drawing paints, on our canvas. :class:`Error` for what may not be there."""
    root = _parsed(content)
    ids = _ids(root, prefix)
    on_page = any(element.get("gradientUnits") == "userSpaceOnUse" for element in root.iter())
    writer = _Writer(prefix, _view(root, crop), ids, on_page)
    own = Element("g", {key: value for key, value in root.items() if key not in ("id", "viewBox", *ACROSS, *DOWN)})
    frame = writer.attributes(own, "g")
    body = list(writer.children(root))
    if (weight := _weights(root, ids)) > MOST:
        raise Error(f"{weight} elements or dashes are drawn, at most {MOST}, simplify the drawing")
    if "transform" in frame:
        raise Error("<svg transform=> is not drawn alike everywhere, move it to a group")
    return writer, _group(body, frame | ({"transform": writer.view.transform} if writer.view.transform else {}))


def _ground(colour: str, window: int = 1) -> Element:
    edge, side = number(CANVAS * (1 - window) / 2), number(CANVAS * window)
    at = {"x": edge, "y": edge} if window > 1 else {}
    return Element("rect", at | {"width": side, "height": side, "fill": colour})


def _document(parts: Iterable[Element], label: str = "", window: int = 1) -> str:
    """The parts as SVG text; a *window* shows that many canvases each way, with ours in the middle."""
    edge, side = number(CANVAS * (1 - window) / 2), number(CANVAS * window)
    labelled = {"aria-labelledby": label} if label else {}
    root = Element("svg", {"xmlns": SVG[1:-1], "viewBox": f"{edge} {edge} {side} {side}", "role": "img"} | labelled)
    root.extend(parts)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _drawn(body: Sequence[Element], window: int, colour: str) -> Image.Image:
    try:
        return raster.image(_document([_ground(colour, window), *body], window=window), SIDE)
    except Error:
        raise
    except Exception as error:  # noqa: BLE001  # the renderer fails in ways of its own at what it does not understand
        raise Error(f"cannot be drawn ({brief(str(error))}), save it again as plain SVG") from None


def _bare(body: Sequence[Element], window: int = 1) -> Image.Image:
    """How bare of paint each place is, in 255 levels: there, white and black show through."""
    white, black = (_drawn(body, window, colour) for colour in ("#ffffff", "#000000"))
    return ImageChops.difference(white, black).convert("L")


def _range(levels: Image.Image) -> tuple[float, float]:
    low, high = levels.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]  # a picture of one channel has two numbers


def _strays(body: Sequence[Element]) -> bool:
    """True if there is ink outside the canvas."""
    for window in WINDOWS:
        bare, canvas = _bare(body, window), SIDE // window
        low = (SIDE - canvas) // 2 - MARGIN
        bare.paste(255, (low, low, SIDE - low, SIDE - low))
        if _range(bare)[0] < UNPAINTED:
            return True
    return False


def _clipped(body: Iterable[Element], key: str) -> list[Element]:
    """The body cut to the canvas."""
    clip = Element("clipPath", {"id": key})
    clip.append(Element("rect", {"width": f"{CANVAS}", "height": f"{CANVAS}"}))
    (defs := Element("defs")).append(clip)
    return [defs, *_group(body, {"clip-path": f"url(#{key})"})]


def facts(content: bytes) -> Facts:
    """What the drawing says of where it comes from."""
    return provenance.stated(pair for notes in _parsed(content).iter(f"{SVG}metadata") for pair in provenance.described(notes))


def stored(content: bytes, prefix: str, title: str, known: Facts, crop: bool) -> tuple[str, list[str]]:
    """The drawing as it is stored, with the facts in it, and what was done to it. :class:`Error` if it is refused."""
    writer, body = _written(content, prefix, crop)
    least, most = _range(_bare(body))
    if least > UNPAINTED:
        raise Error("paints nothing on its canvas, draw within the viewBox")
    refuse_flat(_drawn(body, 1, "#ffffff"))
    notes = []
    if _strays(body):
        if not crop:
            raise Error("has ink outside its canvas, cut it to the viewBox or give --crop")
        body, notes = _clipped(body, writer.free("canvas")), ["cut to its canvas"]
    if most > 0:
        body, notes = [_ground("#ffffff"), *body], [*notes, "laid on white"]
    label = writer.free("title")
    (named := Element("title", {"id": label})).text = title
    terms = provenance.terms(known, provenance.MACHINE_MADE.encode() in content or provenance.is_generated(known))
    return _document([named, *([provenance.metadata(terms)] if terms else []), *body], label), notes


def prove(content: bytes, prefix: str) -> None:
    """:class:`Error` if this is not a drawing as it is stored: written anew, nothing but its title and facts may change."""
    root = _parsed(content)
    title = root.findtext(f"{SVG}title") or ""
    if stored(content, prefix, title, facts(content), crop=False)[0].encode() != content:
        raise Error("is not in the form in which drawings are stored, adopt it again")
