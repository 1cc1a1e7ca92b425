"""Illustrations: pictures made elsewhere, each vetted and normalised, alike or not, and proved as they are stored."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from generator import bitmaps, vectors
from generator.model import Error, Finding, Illustration, Radical
from generator.project import ILLUSTRATED, ILLUSTRATIONS, Project, dump
from generator.provenance import Facts

LARGEST = 64_000_000
"""Bytes that a file may have which is read at all."""
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
"""How PNG, JPEG and WebP begin."""
PAGE = re.compile(rb"(?i)<(!doctype\s+html|html|head|body)\b")
"""How a web page begins."""

GRID = 9
"""Pixels a side of which the perceptual hash is made."""
NEAR = 40
"""Bits of 128 in which the hashes of one picture and its copy may differ."""
THUMBNAIL = 32
SPREAD = 24
"""Standard deviation of every thumbnail, in levels of 255."""
LEVELS = 19
"""By which a pixel of a thumbnail may differ when a picture was merely encoded, scaled, brightened or coloured again."""
DIFFERENT = 0.01
"""Share of the pixels beyond that from which two pictures are two: the glyphs that are most alike on flat cards have more."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture as it is stored, and what was done to it."""

    file: str
    content: bytes
    notes: tuple[str, ...]


def is_bitmap(content: bytes) -> bool:
    """True for a raster picture, False for SVG; :class:`Error` for anything else."""
    if content.startswith(MAGIC):
        return True
    if PAGE.match(text := content.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")):
        raise Error("is a web page (HTML) and no picture, save the picture itself")
    if text.startswith(b"<"):
        return False
    raise Error("is not a PNG, JPEG, WebP or SVG file, save it as one of them" if content else "is empty, get the whole file")


def read(path: Path) -> bytes:
    """A file of bounded size. :class:`Error` if it is larger or cannot be read."""
    try:
        if not path.is_file():
            raise Error("is not a file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Error(f"cannot be read ({error.strerror}), give a file that can") from None
    if len(content) > LARGEST:
        raise Error(f"more than {LARGEST} bytes, make it smaller")
    return content


def facts(content: bytes) -> Facts:
    """What a file says of where it comes from."""
    return bitmaps.facts(content) if is_bitmap(content) else vectors.facts(content)


def prefix(slug: str) -> str:
    """How the ids in an illustration begin."""
    return f"illustrated-{slug}"


def normalised(content: bytes, radical: Radical, title: str, known: Facts, crop: bool) -> Stored:
    """A file as it is stored for a radical, with the facts in it. :class:`Error` if it is refused."""
    if is_bitmap(content):
        made, notes = bitmaps.stored(content, known, crop)
        return Stored(f"radical_{radical.slug}.webp", made, tuple(notes))
    text, notes = vectors.stored(content, prefix(radical.slug), title, known, crop)
    return Stored(f"radical_{radical.slug}.svg", text.encode(), tuple(notes))


def sha256(content: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(content).hexdigest()


class Look:
    """What a picture looks like from afar: a perceptual hash, and a thumbnail, since hashes of flat pictures are often alike."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture

    @cached_property
    def hash(self) -> int:
        """Which of two neighbours is the brighter one, everywhere."""
        import dhash

        greys = self.picture.convert("L").resize((GRID, GRID), Image.Resampling.LANCZOS)
        return int(dhash.dhash_int(list(greys.tobytes()), GRID - 1))

    @cached_property
    def thumbnail(self) -> Image.Image:
        """The picture, tiny and grey, and made as bright and as rich in contrast as every other."""
        tiny = self.picture.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        measured = ImageStat.Stat(tiny)
        (mean,), (spread,) = measured.mean, measured.stddev
        scale = SPREAD / max(spread, 1.0)  # the noise of what is flat stays small
        return tiny.point([min(max(round(128 + scale * (level - mean)), 0), 255) for level in range(256)])

    def is_like(self, other: "Look") -> bool:
        """True if the two are one picture, encoded, scaled, brightened or coloured otherwise."""
        if (self.hash ^ other.hash).bit_count() > NEAR:
            return False
        apart = ImageChops.difference(self.thumbnail, other.thumbnail).histogram()
        return sum(apart[LEVELS + 1 :]) < DIFFERENT * THUMBNAIL**2


def look(content: bytes) -> Look:
    """What a stored picture looks like. :class:`Error` if it cannot be stored so."""
    return Look(bitmaps.decoded(content).convert("RGB") if is_bitmap(content) else vectors.image(content))


def alike(looks: Mapping[int, Look]) -> Iterator[tuple[int, int]]:
    """The pairs of radicals whose pictures are one."""
    return ((one, other) for one, other in combinations(looks, 2) if looks[one].is_like(looks[other]))


def dumped(chosen: Mapping[int, Illustration]) -> str:
    """The list of illustrations in canonical form."""
    return dump({number: chosen[number].model_dump(exclude_none=True) for number in sorted(chosen)})


def canonical_files(project: Project) -> dict[Path, str]:
    """The list as it should be written, if there is one."""
    path = project.root / ILLUSTRATIONS
    return {path: dumped(project.illustrations)} if path.is_file() else {}


def place(root: Path, illustration: Illustration) -> Path:
    """Where the file of an illustration lies."""
    return root / ILLUSTRATED / illustration.file


def is_stored(root: Path, illustration: Illustration) -> bool:
    """True if the file is there and as it was stored."""
    if not (path := place(root, illustration)).is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == illustration.stored


def prove(path: Path) -> None:
    """:class:`Error` if a file is not what is stored under its name."""
    content = read(path)
    if is_bitmap(content) != (path.suffix == ".webp"):
        raise Error("is not of the kind that its name says, adopt it again")
    if is_bitmap(content):
        bitmaps.prove(content)
    else:
        vectors.prove(content, prefix(path.stem.removeprefix("radical_")))


def _faults(root: Path, illustration: Illustration) -> Iterator[tuple[str, str]]:
    """What is wrong with one file, by the check that found it."""
    path = place(root, illustration)
    if not path.is_file():
        yield "missing", "is not there, adopt it again or take it back with --remove"
        return
    if not is_stored(root, illustration):
        yield "stored", "is not the file that was adopted, adopt it again"
    try:
        prove(path)
    except Error as error:
        yield "form", str(error)


def _listed(project: Project) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the list, and with what lies beside the files on it."""
    for path, text in canonical_files(project).items():
        if path.read_text("utf-8") != text:
            yield ILLUSTRATIONS, "canonical", "is not in canonical form, run bushu check --write"
    known = {place(project.root, illustration) for illustration in project.illustrations.values()}
    for stray in sorted((project.root / ILLUSTRATED).glob("[!.]*")):
        if stray not in known:
            yield f"{ILLUSTRATED}/{stray.name}", "stray", f"is not in {ILLUSTRATIONS}, adopt it or move it away"


def _examined(project: Project) -> Iterator[tuple[str, str, str]]:
    yield from _listed(project)
    looks: dict[int, Look] = {}
    for number, illustration in project.illustrations.items():
        faults = list(_faults(project.root, illustration))
        yield from ((f"{ILLUSTRATED}/{illustration.file}", code, message) for code, message in faults)
        if not faults:
            looks[number] = look(place(project.root, illustration).read_bytes())
    for one, other in alike(looks):
        yield f"{ILLUSTRATED}/{project.illustrations[other].file}", "duplicate", f"shows the same picture as radical {one}, choose another"


def examine(project: Project) -> list[Finding]:
    """Everything that is wrong with the adopted pictures."""
    return [Finding(*found) for found in _examined(project)]
