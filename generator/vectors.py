"""SVG made elsewhere: refused for whatever the vocabulary has not, and otherwise written anew.

What is refused is never cut out, since a picture without a part of it is not the picture that somebody chose. Only comments and
the notes that editors leave are dropped: they paint nothing.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn
from xml.etree import ElementTree

from PIL import Image

from generator import ink, provenance
from generator import vocabulary as words
from generator.bitmaps import refuse_flat, refuse_lopsided
from generator.model import LONGEST, Error, brief
from generator.palette import colour
from generator.provenance import Facts
from generator.svg import CANVAS, SVG, number
from generator.vocabulary import ACROSS, DOWN, ELEMENTS, FURTHEST, NUMBER
from generator.weight import MOST, identified, refuse_heavy

Element = ElementTree.Element

HEAVIEST = 100_000
"""Bytes that a file may have."""


class _Tree(provenance.Tree):
    """A tree of elements alone: a processing instruction can fetch a style sheet."""

    def pi(self, target: str, text: str | None = None) -> NoReturn:
        """Refuse it."""
        raise Error(f"has an instruction <?{brief(target)}?>, save it without")


def _parsed(content: bytes) -> Element:
    """The file as a tree of bounded size."""
    if len(content) > HEAVIEST:
        raise Error(f"{len(content)} bytes, at most {HEAVIEST}, simplify the drawing")
    root = provenance.parsed(content, _Tree)
    if root.tag != f"{SVG}svg":
        raise Error(f'begins with <{brief(root.tag)}>, should be <svg xmlns="{SVG[1:-1]}">')
    if (count := sum(1 for _ in root.iter())) > MOST:
        raise Error(f"{count} elements, at most {MOST}, simplify the drawing")
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
    if len(box) != 4 or min(box[2:]) < 1 or max(map(abs, box)) > FURTHEST:
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
    if not (element.tag in words.NOTES or element.tag.startswith(words.EDITORS)):
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
        key, _, value = (" ".join(part.split()) for part in declaration.partition(":"))
        key = key.lower()
        if not (key in words.PROPERTIES or key in words.DASHES or _says_nothing(key, value)):
            advice = words.INSTEAD.get(key) or "is not allowed, save with presentation attributes"
            raise Error(f"style: {brief(declaration.strip())!r} {advice}")
        yield key, value


def _says_nothing(key: str, value: str) -> bool:
    """True for a property of what is not there, and for one that says what is so without it."""
    return (key, value) in words.NEEDLESS or bool(words.UNSEEN.fullmatch(key) and not words.OUTSIDE.search(value))


def _is_label(key: str) -> bool:
    """True for an attribute that says nothing of the painting."""
    return key.startswith((words.XML, *words.EDITORS)) or bool(words.LABELS.fullmatch(key))


def _said(element: Element) -> Iterator[tuple[str, str]]:
    """What the element says of its painting, its style last; what says nothing of it is dropped."""
    _refuse_handlers(element)
    own = [("href" if key == words.HREF else key, " ".join(value.split())) for key, value in element.items() if key != "style"]
    for key, value in [*own, *_style(element)]:
        if not _is_label(key) and not _says_nothing(key, value):
            yield key, value


def _alike(key: str, value: str) -> str:
    """A value as every renderer paints it alike, where it says the same: a colour in a newer notation, an opacity in per cent."""
    if key in words.OPACITIES and re.fullmatch(words.N + "%", value):
        return number(float(value[:-1]) / 100, 4)
    if key in words.COLOURS and len(value) <= LONGEST and not re.fullmatch(words.PROPERTIES[key], value):
        with suppress(ValueError):
            return colour(value)
    return value


def _refuse_value(name: str, key: str, value: str) -> None:
    """:class:`Error` for an attribute that may not be there, or not say that."""
    where = f"<{name} {brief(key)}={brief(value)!r}>"
    if key not in ELEMENTS[name]:
        raise Error(f"{where} {words.INSTEAD.get(key) or 'is not allowed, take it out or draw what it shows with shapes'}")
    if not re.fullmatch(ELEMENTS[name][key], value):
        outside = key == "href" or words.OUTSIDE.search(value)
        right = "an opaque colour as #26589f" if key in words.COLOURS and not outside else "plain values"
        raise Error(f"{where} {'refers to something outside of the file' if outside else 'is not what can be drawn'}, write {right}")
    if key != "id" and "#" not in value and any(abs(float(n)) > FURTHEST for n in NUMBER.findall(value)):
        raise Error(f"{where} is out of all proportion, draw it smaller")


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes a drawing anew, with ids that begin with *prefix* and lengths that need no page around them."""

    prefix: str
    view: View
    on_page: bool
    """True if a gradient counts its lengths on the page."""

    def own(self, key: str) -> str:
        """An id as it is written."""
        return f"{self.prefix}-{key.removeprefix(f'{self.prefix}-')}"

    def value(self, name: str, key: str, value: str) -> str:
        """An attribute's value as it is written."""
        value = _alike(key, value)
        _refuse_value(name, key, value)
        if key == "id":
            return self.own(value)
        if key == "href":
            return f"#{self.own(value[1:])}"
        if inside := re.fullmatch(words.INSIDE, value):
            return f"url(#{self.own(inside[1])})"
        if value.lower() == "currentcolor":
            return "#000000"  # what it is where nothing around the drawing says otherwise
        if value.endswith("%") and ELEMENTS[name][key] == words.LENGTH:
            return self._share(name, key, value)
        return value.removesuffix("px")

    def _share(self, name: str, key: str, value: str) -> str:
        """A length in per cent as it is written."""
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


def _written(content: bytes, prefix: str, crop: bool) -> list[Element]:
    """What the drawing paints, on our canvas. :class:`Error` for what may not be there."""
    root = _parsed(content)
    on_page = any(element.get("gradientUnits") == "userSpaceOnUse" for element in root.iter())
    writer = _Writer(prefix, _view(root, crop), on_page)
    own = Element("g", {key: value for key, value in root.items() if key not in ("id", "viewBox", *ACROSS, *DOWN)})
    frame = writer.attributes(own, "g")
    if "transform" in frame:
        raise Error("<svg transform=> is not drawn alike everywhere, move it to a group")
    body = list(writer.children(root))
    refuse_heavy(body, identified(body))
    return ink.group(body, frame | ({"transform": writer.view.transform} if writer.view.transform else {}))


def _free(body: list[Element], key: str) -> str:
    """An id that the body has not."""
    taken = identified(body)
    while key in taken:
        key += "_"
    return key


def _on_canvas(body: list[Element], prefix: str, crop: bool) -> tuple[list[Element], list[str]]:
    """The body with all of its ink on the canvas and a ground behind it, and what was done. :class:`Error` if it shows nothing."""
    least, most = ink.bareness(body)
    if least > ink.UNPAINTED:
        raise Error("paints nothing on its canvas, draw within the viewBox")
    refuse_flat(ink.drawn(body))
    notes = []
    if ink.strays(body):
        if not crop:
            raise Error("has ink outside its canvas, cut it to the viewBox or give --crop")
        body, notes = ink.cut(body, _free(body, f"{prefix}-canvas")), ["cut to its canvas"]
    return ([ink.ground("#ffffff"), *body], [*notes, "laid on white"]) if most > 0 else (body, notes)


def _told(root: Element) -> Iterator[tuple[str, str]]:
    """What the drawing tells of where it comes from."""
    return (pair for notes in root.iter(f"{SVG}metadata") for pair in provenance.described(notes))


def facts(content: bytes) -> Facts:
    """What the drawing says of where it comes from."""
    return provenance.stated(provenance.licensed(_told(_parsed(content))))


def image(content: bytes) -> Image.Image:
    """The drawing as it looks. :class:`Error` if it is refused."""
    return ink.drawn(_written(content, "seen", crop=True))


def stored(content: bytes, prefix: str, title: str, known: Facts, crop: bool) -> tuple[str, list[str]]:
    """The drawing as it is stored, with the facts in it, and what was done to it. :class:`Error` if it is refused."""
    body, notes = _on_canvas(_written(content, prefix, crop), prefix, crop)
    label = _free(body, f"{prefix}-title")
    (named := Element("title", {"id": label})).text = title
    terms = provenance.terms(known, provenance.MACHINE_MADE.encode() in content or provenance.is_generated(known))
    return ink.document([named, *([provenance.metadata(terms)] if terms else []), *body], label), notes


def prove(content: bytes, prefix: str) -> None:
    """:class:`Error` if this is not a drawing as it is stored: written anew, nothing but its title and facts may change."""
    root = _parsed(content)
    title = root.findtext(f"{SVG}title") or ""
    if stored(content, prefix, title, provenance.stated(_told(root)), crop=False)[0].encode() != content:
        raise Error("is not in the form in which drawings are stored, adopt it again")
