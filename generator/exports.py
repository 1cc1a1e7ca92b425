"""What all exports share: a set drawn afresh that the checks passed, its cards as pixels, and files that are the same every time.

The modules above make something of an :class:`Edition`; ``bushu export`` has a command for each.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image, ImageChops

from generator import raster, sets
from generator.cards import Recipe, recipe, title
from generator.model import COUNT, Error, FaceSpec, Illustration, Radical, SetSpec, Unsound
from generator.pictures import JOINT
from generator.project import Project
from generator.proof import prove
from generator.svg import DC, SVG
from generator.views import plural

UNTOLD = "not stated"
"""What is said of a source or a licence that nobody told."""
SIZE = 512
"""Pixels of a picture's side."""
JAPANESE = ("shippori-kanji", "shippori-core", "shippori-stand-in")
"""The pages' fonts of ``fonts.yml`` that have all Japanese of the data between them."""
COLOURS = 256
"""What a palette PNG can hold."""
UNSEEN = 6
"""By how much of 255 a palette may change a pixel: nobody sees it, and a card drawn in flat colours is half as heavy."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A card as it was drawn: its file (SVG, or a raster illustration), and whose its glyph and its picture are."""

    radical: Radical
    path: Path
    sha256: str
    origin: str
    source: str
    licence: str

    @property
    def facts(self) -> dict[str, Any]:
        """What a manifest says of it, wherever its files lie."""
        whose = {"origin": self.origin, "source": self.source or None, "licence": self.licence or None}
        return {"number": self.radical.number, "title": title(self.radical), **whose}


@dataclass(frozen=True, slots=True)
class Edition:
    """A set to export: where it is drawn (a folder that is gone afterwards), and how many processes may draw."""

    project: Project
    name: str
    folder: Path
    jobs: int = 1

    @property
    def spec(self) -> SetSpec:
        """What ``sets.yml`` says of it."""
        return self.project.sets[self.name]

    @property
    def face(self) -> FaceSpec:
        """The face of its glyphs."""
        return self.project.fonts.faces[self.spec.font]

    def pieces(self) -> tuple[Piece, ...]:
        """Its 214 cards."""
        return self.drawn("cards", recipe(self.project, self.name))

    def drawn(self, folder: str, made: Recipe) -> tuple[Piece, ...]:
        """All radicals in any recipe, checked. :class:`Unsound` lists what the checks found."""
        sets.render([made], self.project.radicals, self.folder / folder, jobs=self.jobs)
        drawn = self.folder / folder / made.name
        entries = {entry["number"]: entry for entry in sets.manifest(drawn)["cards"]}
        return tuple(_piece(self.project, radical, drawn, entries[radical.number]) for radical in self.project.radicals)


@contextmanager
def edition(project: Project, name: str, jobs: int = 1) -> Iterator[Edition]:
    """A set of the project to export. :class:`Unsound` if its data does not pass the checks."""
    if findings := prove(project):
        raise Unsound("\n".join(map(str, findings)))
    with tempfile.TemporaryDirectory(prefix="bushu-") as folder:
        yield Edition(project, name, Path(folder), jobs)


def _piece(project: Project, radical: Radical, folder: Path, entry: sets.Entry) -> Piece:
    path, origin = folder / entry["file"], entry["origin"]
    credit = _told(project.illustrations[radical.number]) if origin == sets.CHOSEN else _metadata(path)
    return Piece(radical, path, entry["sha256"], origin, *credit)


def _told(chosen: Illustration) -> tuple[str, str]:
    """Source and licence of an illustration, as far as they were told."""
    source, licence = (chosen.source, chosen.model), (chosen.author, chosen.licence)
    return ", ".join(filter(None, source)), ". ".join(filter(None, licence))


def _metadata(path: Path) -> tuple[str, str]:
    """Source and licence of a drawn card, as its metadata has them."""
    root = ElementTree.fromstring(path.read_text("utf-8"))
    source, rights = (root.findtext(f"{SVG}metadata/{DC}{term}") or "" for term in ("source", "rights"))
    return source, rights


def owed(pieces: Iterable[Piece]) -> list[str]:
    """Lines of credit: every licence with the numbers of the radicals that show something under it, and every source likewise."""
    licences: dict[str, list[int]] = {}
    sources: dict[str, dict[str, list[int]]] = {}
    for piece in pieces:
        for licence in (piece.licence or f"licence {UNTOLD}").split(JOINT):
            licences.setdefault(licence, []).append(piece.radical.number)
        for source in (piece.source or f"source {UNTOLD}").split(JOINT):
            whole, _, part = source.partition(": ")
            sources.setdefault(whole, {}).setdefault(part, []).append(piece.radical.number)
    lines = [f"{licence} {_numbers(found)}" for licence, found in licences.items()]
    for whole, parts in sources.items():
        if own := parts.pop("", None):
            lines.append(f"{whole} {_numbers(own)}")
        if parts:
            lines.append(f"{whole}: {JOINT.join(f'{part} {_numbers(found)}' for part, found in parts.items())}")
    return lines


def _numbers(found: Sequence[int]) -> str:
    """Numbers of radicals, after what they show: ``(1, 3, 5)``, or ``(all)``."""
    return "(all)" if len(found) == COUNT else f"({', '.join(map(str, found))})"


def reduced(picture: Image.Image) -> Image.Image:
    """The picture in a palette, if nobody can see the difference; else as it is."""
    few = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    extremes: Any = ImageChops.difference(picture, few.convert("RGB")).getextrema()
    return few if max(high for _, high in extremes) <= UNSEEN else picture


def png(path: Path, size: int) -> bytes:
    """A card's file as a light PNG file."""
    return raster.packed(reduced(raster.opened(path.read_bytes(), size)))


def pngs(pieces: Sequence[Piece], jobs: int = 1) -> list[bytes]:
    """The cards' PNG files, in order, made in this process or in several."""
    paths, sizes = [piece.path for piece in pieces], repeat(SIZE)
    if jobs < 2:
        return list(map(png, paths, sizes))
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(png, paths, sizes, chunksize=8))


def forms(radical: Radical) -> list[str]:
    """The other forms of a radical: the Japanese one and its variants."""
    return list(dict.fromkeys(filter(None, (radical.japanese, *(variant.glyph for variant in radical.variants)))))


def strokes(radical: Radical) -> str:
    """``4 strokes``, and how many where the Japanese count differs."""
    return plural(radical.strokes, "stroke") + (f" (in Japan {radical.strokes_japanese})" if radical.strokes_japanese else "")


def listed(edition: Edition, cards: Iterable[dict[str, Any]]) -> bytes:
    """A manifest as JSON: what the set is, and its cards, one a line."""
    head = {"set": edition.name, "title": edition.spec.title, "description": edition.spec.description}
    lines = ",\n".join(json.dumps(card, ensure_ascii=False) for card in cards)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "cards": [\n{lines}\n]}}\n'.encode()


def target(path: Path, suffix: str) -> Path:
    """The file to write to; :class:`Error` if it cannot be one."""
    if path.suffix.lower() != suffix:
        raise Error(f"{path}: should end with {suffix}")
    if path.is_dir():
        raise Error(f"{path}: a folder, give a file to write to")
    return beside(path)


def beside(path: Path) -> Path:
    """The same path; :class:`Error` if the folder that it is to stand in is not there."""
    if not path.absolute().parent.is_dir():
        raise Error(f"{path}: there is no folder {path.absolute().parent}, make it first")
    return path


def pack(members: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file in the order given, with one date (the first that it can hold) and one mode for all."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, compression  # as made on Unix, on any system
            archive.writestr(info, content, compresslevel=9)
    return out.getvalue()
