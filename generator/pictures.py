"""Pictures: normalised drawings as the cards take them, a few flat shapes each, with their source and licence in the file.

``radicals/pictures/NNN.svg`` is coloured, ``radicals/pictograms/NNN.svg`` is of one colour, which the card's swatch replaces. Both
have the canvas's viewBox and their ink's bounds in its middle; :mod:`generator.icons` makes them.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from generator import fonts, svg
from generator.fonts import Bounds
from generator.model import Error
from generator.svg import CANVAS, DC, SVG

JOINT = "; "
"""What stands between the sources, and between the licences, of a picture's parts, and of a glyph and a picture on one card."""
BLACK = "#000000"
"""What a pictogram is drawn in."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Flat shapes on the canvas, from the bottom up: colour (``#rrggbb``) and path data; and whose they are."""

    shapes: tuple[tuple[str, str], ...]
    source: str
    rights: str

    @property
    def colours(self) -> frozenset[str]:
        """Every colour in it."""
        return frozenset(colour for colour, _ in self.shapes)


def parse(text: str, where: str) -> Picture:
    """A normalised drawing from its file's text; :class:`Error` if it is something else."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise Error(f"{where}: not an SVG file that can be read ({error}), make it with `make pictures`") from None
    metadata = root.find(f"{SVG}metadata")
    drawn = [child for child in root if child.tag not in (f"{SVG}title", f"{SVG}metadata")]
    foreign = [child for child in drawn if child.tag != f"{SVG}path" or child.attrib.keys() != {"fill", "d"}]
    if root.get("viewBox") != f"0 0 {CANVAS} {CANVAS}" or metadata is None or foreign or not drawn:
        raise Error(f"{where}: not a normalised drawing, which has paths with fill and d only; make it with `make pictures`")
    source, rights = (metadata.findtext(f"{DC}{term}") or "" for term in ("source", "rights"))
    return Picture(tuple((path.get("fill", ""), path.get("d", "")) for path in drawn), source, rights)


def read(path: Path, where: str) -> Picture:
    """A normalised drawing from its file."""
    try:
        return parse(path.read_text("utf-8"), where)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise Error(f"{where}: cannot be read ({reason}), make it with `make pictures`") from None


def bounds(picture: Picture) -> Bounds | None:
    """The bounds of a drawing's ink; None without any. ValueError for path data that is none."""
    return fonts.around(box for _, data in picture.shapes if (box := fonts.bounds(svg.path_commands(data))))


def written(picture: Picture, title: str) -> str:
    """A normalised drawing as its file's text."""
    facts = {"source": picture.source, "rights": picture.rights}
    return svg.drawing(title, facts, [svg.path(data, fill=colour) for colour, data in picture.shapes])
