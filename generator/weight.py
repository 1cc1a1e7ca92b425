"""How much a drawing made elsewhere is: what is drawn is counted as often as it is used, and must be there once."""

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from generator.model import Error, brief
from generator.vocabulary import ACROSS, DOWN, FURTHEST, NUMBER

Element = ElementTree.Element

MOST = 2000
"""Elements that may be drawn, each as often as it is used."""
CHAIN = 64
"""How deep they may nest, counted through what they refer to."""
DASHES, LETTERS = 50, 100
"""Dashes, and letters of an outline, that count as an element."""


def identified(body: Sequence[Element]) -> dict[str, Element]:
    """The elements by id. :class:`Error` for an id that stands twice."""
    found: dict[str, Element] = {}
    for element in (inner for part in body for inner in part.iter()):
        if key := element.get("id"):
            if key in found:
                raise Error(f"id {brief(key)!r} stands twice, give another")
            found[key] = element
    return found


def _referred(element: Element, ids: Mapping[str, Element]) -> list[Element]:
    """What an element refers to. :class:`Error` if that is not there."""
    said = [value for key, value in element.items() if key == "href" or value.startswith("url(")]
    keys = [value.removeprefix("url(").removeprefix("#").removesuffix(")") for value in said]
    if lost := [key for key in keys if key not in ids]:
        raise Error(f"#{brief(lost[0])} is referred to and not there, draw it or leave it out")
    return [ids[key] for key in keys]


def _dashes(element: Element) -> int:
    """The most dashes that the outline of a shape can have.

    A circle is 2π times as long as its number and nothing else is longer, but that curves which mirror the one before can swing
    ever wider.
    """
    if not (period := sum(abs(float(n)) for n in NUMBER.findall(element.get("stroke-dasharray", "")))):
        return 0
    outline = " ".join(element.get(key, "") for key in (*ACROSS, *DOWN, "r", "d", "points"))
    lengths = [abs(float(n)) for n in NUMBER.findall(outline)]
    dashes = 7 * sum(lengths) * (len(lengths) if re.search("[Tt]", outline) else 1) / period
    return int(min(dashes, FURTHEST))


def _own(element: Element) -> int:
    """What an element weighs by itself."""
    return 1 + _dashes(element) // DASHES + sum(len(element.get(key, "")) for key in ("d", "points")) // LETTERS


def refuse_heavy(body: Sequence[Element], ids: Mapping[str, Element]) -> None:
    """:class:`Error` for too much, and for an element that refers to itself or to what is not there."""
    known: dict[Element, int] = {}

    def weight(element: Element, above: tuple[Element, ...]) -> int:
        if element in above or len(above) > CHAIN:
            raise Error("refers to itself, or through too many others, draw it without")
        if element not in known:
            parts = [*element, *_referred(element, ids)]
            known[element] = _own(element) + sum(weight(part, (*above, element)) for part in parts)
        return known[element]

    if (total := sum(weight(part, ()) for part in body)) > MOST:
        raise Error(f"{total} elements are drawn, counting dashes and long outlines, at most {MOST}, simplify the drawing")
