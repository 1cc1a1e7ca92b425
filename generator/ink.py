"""The ink of a drawing made elsewhere: its parts as a document, and where they paint on the canvas and around it."""

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from PIL import Image, ImageChops

from generator import raster
from generator.model import Error
from generator.svg import CANVAS, SVG, number

Element = ElementTree.Element

WINDOWS = (3, 9, 81)
"""How many canvases wide the surroundings are that are searched for ink."""
SIDE = 243
"""Pixels of that search: the canvas in the middle of each window has whole ones."""
MARGIN = 2
"""Pixels beside the canvas that ink may reach: grounds are often drawn a little too large."""
UNPAINTED = 254
"""How far white and black stay apart where nothing is painted."""


def _extent(window: int) -> tuple[str, str]:
    """Where a window of that many canvases begins, each way, and how long it is."""
    return number(CANVAS * (1 - window) / 2), number(CANVAS * window)


def ground(colour: str, window: int = 1) -> Element:
    """A rectangle behind it all."""
    edge, side = _extent(window)
    at = {"x": edge, "y": edge} if window > 1 else {}
    return Element("rect", at | {"width": side, "height": side, "fill": colour})


def document(parts: Iterable[Element], label: str = "", window: int = 1) -> str:
    """The parts as SVG text; a *window* shows that many canvases each way, with ours in the middle."""
    edge, side = _extent(window)
    labelled = {"aria-labelledby": label} if label else {}
    root = Element("svg", {"xmlns": SVG[1:-1], "viewBox": f"{edge} {edge} {side} {side}", "role": "img"} | labelled)
    root.extend(parts)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def drawn(body: Sequence[Element], colour: str = "#ffffff", window: int = 1) -> Image.Image:
    """The drawing on a ground. :class:`Error` if it cannot be drawn."""
    try:
        return raster.image(document([ground(colour, window), *body], window=window), SIDE)
    except Error:
        raise
    except Exception:  # noqa: BLE001  # the renderer fails in ways of its own at what it does not understand
        raise Error("cannot be drawn, save it again as plain SVG") from None


def _bare(body: Sequence[Element], window: int = 1) -> Image.Image:
    """How bare of paint each place is, in 255 levels: there, white and black show through."""
    white, black = (drawn(body, colour, window) for colour in ("#ffffff", "#000000"))
    return ImageChops.difference(white, black).convert("L")


def bareness(body: Sequence[Element]) -> tuple[int, int]:
    """How bare of paint the canvas is, where it is least and where it is most."""
    low, high = _bare(body).getextrema()
    return int(low), int(high)  # type: ignore[arg-type]  # a picture of one channel has two numbers


def strays(body: Sequence[Element]) -> bool:
    """True if there is ink outside the canvas."""
    for window in WINDOWS:
        bare, canvas = _bare(body, window), SIDE // window
        low = (SIDE - canvas) // 2 - MARGIN
        bare.paste(255, (low, low, SIDE - low, SIDE - low))
        if any(bare.histogram()[:UNPAINTED]):
            return True
    return False


def cut(body: Sequence[Element], key: str) -> list[Element]:
    """The body cut to the canvas by a clip of that id."""
    (clip := Element("clipPath", {"id": key})).append(Element("rect", {"width": f"{CANVAS}", "height": f"{CANVAS}"}))
    (defs := Element("defs")).append(clip)
    return [defs, *group(body, {"clip-path": f"url(#{key})"})]


def group(children: Iterable[Element], attributes: dict[str, str]) -> list[Element]:
    """The children in a group, if there is anything to say of them."""
    if not attributes:
        return list(children)
    made = Element("g", attributes)
    made.extend(children)
    return [made]
