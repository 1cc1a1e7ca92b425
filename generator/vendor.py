"""Rebuild every file of the fonts folder from the public packages that fonts.yml names: `python -m generator.vendor fonts`.

The cards need a few hundred of a Japanese font's twenty thousand glyphs, so the repository carries subsets, and this module is how
they came to be: fetch a pinned package with its registry's own client, take the characters that have ink, merge the pieces, subset,
compare the sha256 with the recorded one. The same packages and data give the same bytes.
"""

import argparse
import functools
import hashlib
import io
import itertools
import json
import logging
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from typing import Any, Literal

import yaml
from fontTools import varLib
from fontTools.designspaceLib import DesignSpaceDocument
from fontTools.merge import Merger
from fontTools.pens.boundsPen import BoundsPen
from fontTools.subset import Options, Subsetter, parse_unicodes
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.varLib.instancer import instantiateVariableFont
from pydantic import BaseModel, ConfigDict, ValidationError

from generator.model import Error, Registry

RADICALS = [unicodedata.normalize("NFKC", chr(0x2F00 + number)) for number in range(214)]
KEPT_NAMES = [0, 1, 13, 14]  # copyright, family, licence, licence URL
USELESS = ["BASE", "DSIG", "GDEF", "MVAR", "STAT", "gasp", "mort"]
LAYOUT = ["GPOS", "GSUB"]
VERTICAL = ["VORG", "vhea", "vmtx"]


class Entry(BaseModel):
    """What fonts.yml may say, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Entry):
    """The package a font comes from; of several files the first that inks a character gives it."""

    registry: Literal["npm", "debian"]
    package: str
    version: str
    files: list[str]
    index: int = 0  # in a collection (.ttc)
    stanza: str = ""  # of debian/copyright: the licence's short name there


class Vendored(Entry):
    """One font file of the fonts folder."""

    title: str
    file: str
    source: Source
    licence: str
    licence_file: str
    copyright: str
    sha256: str = ""


class Face(Vendored):
    """A face that cards are drawn with."""

    fit: float = 1.0
    substitutes: dict[str, str] = {}


class WebFont(Vendored):
    """A font of the gallery's pages."""

    family: str
    weight: str
    style: Literal["normal", "italic"] = "normal"
    text: list[str]
    without: list[str] = []
    features: list[str] = []
    axes: dict[str, float | tuple[float, float]] = {}
    units_per_em: int | None = None
    unicode_range: str = ""


class Fonts(Entry):
    """The whole of fonts.yml."""

    characters: dict[str, list[str]]
    card_text: list[str]
    faces: dict[str, Face]
    site: dict[str, WebFont]


@dataclass(frozen=True, slots=True)
class Package:
    """A package as fetched and unpacked."""

    root: Path
    version: str


@dataclass(frozen=True, slots=True)
class Built:
    """One font as rebuilt; *key* says where fonts.yml has it (faces.mincho)."""

    key: str
    font: Vendored
    version: str
    content: bytes
    licence: str

    @property
    def sha256(self) -> str:
        """What fonts.yml should record."""
        return hashlib.sha256(self.content).hexdigest()


# Fetching: one function per registry, through the registry's own client, which knows where the registry is.

registries: Registry[Callable[[str, str, Path], Package]] = Registry()


def run(command: list[str], folder: Path) -> str:
    """The output of *command*, run in *folder*."""
    try:
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip() or "failed"
        raise Error(f"{' '.join(command)}: {reason}; should the registry no longer have that version, --latest takes the newest") from None


@registries
def npm(name: str, version: str, folder: Path) -> Package:
    """A package of the npm registry."""
    try:
        run(["npm", "pack", f"{name}@{version or 'latest'}", "--silent"], folder)
    except FileNotFoundError:
        raise Error(f"{name}: there is no npm here, the faces of the npm registry need Node.js") from None
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    root = folder / "package"
    return Package(root, json.loads((root / "package.json").read_text())["version"])


@registries
def debian(name: str, version: str, folder: Path) -> Package:
    """A package of Debian, or of a distribution that carries Debian's packages."""
    try:
        run(["apt-get", "download", f"{name}={version}" if version else name], folder)
        archive = str(next(folder.glob("*.deb")))
        run(["dpkg-deb", "-x", archive, "root"], folder)
        return Package(folder / "root", run(["dpkg-deb", "-f", archive, "Version"], folder))
    except FileNotFoundError:
        raise Error(f"{name}: there is no apt-get or dpkg-deb here, the faces of Debian packages need Debian (bookworm, say)") from None


def licence_text(font: Vendored, package: Package) -> str:
    """The licence to lay beside the font: npm packages carry a file, Debian's have it as a stanza of debian/copyright."""
    if font.source.registry == "npm":
        return (package.root / "LICENSE").read_text(encoding="utf-8")
    stanzas = (package.root / f"usr/share/doc/{font.source.package}/copyright").read_text(encoding="utf-8").split("\n\n")
    licences = [message_from_string(stanza)["License"] or "" for stanza in stanzas]
    bodies = [body for name, _, body in (licence.partition("\n") for licence in licences) if name.strip() == font.source.stanza and body]
    if not bodies:
        where = f"fonts/fonts.yml: {font.file}: source.stanza"
        raise Error(f"{where}: no licence {font.source.stanza!r} in {font.source.package}, use a short name of its copyright file")
    return f"{font.copyright}\n\n{re.sub(r'(?m)^ [.]?', '', bodies[0]).rstrip()}\n"


# Characters: names of fonts.yml, or of the data.


def entries(folder: Path) -> list[dict[str, Any]]:
    """The radicals' entries, as written."""
    return [entry for path in sorted(folder.glob("[0-9]*.yml")) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]


def data_characters(radicals: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The sets of characters that the data gives, by the names that fonts.yml uses for them."""
    return {
        "radicals": set(RADICALS),
        "japanese": {entry["japanese"] for entry in radicals if "japanese" in entry},
        "variants": {variant["glyph"] for entry in radicals for variant in entry.get("variants", [])},
        "data": set(str(radicals)),
    }


def spelled(item: str) -> set[str]:
    """The characters of U+3041-3096, or of the characters themselves."""
    return set(map(chr, parse_unicodes(item))) if item.startswith("U+") else set(item)


def all_characters(fonts: Fonts, radicals: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Every named set of characters."""
    written = {name: set[str]().union(*map(spelled, items)) for name, items in fonts.characters.items()}
    return written | data_characters(radicals)


def picked(names: Iterable[str], characters: dict[str, set[str]], key: str) -> set[str]:
    """The characters of all the named sets."""
    unknown = [name for name in names if name not in characters]
    if unknown:
        raise Error(f"fonts/fonts.yml: {key}: no characters named {unknown[0]}, known: {', '.join(characters)}")
    return set[str]().union(*(characters[name] for name in names))


# Building.


def has_ink(font: TTFont, character: str) -> bool:
    """Whether *font* draws *character*: brush fonts map many a blank glyph, so being in the cmap is not enough."""
    name = font.getBestCmap().get(ord(character))
    if name is None or character.isspace():
        return name is not None
    glyphs = font.getGlyphSet()
    pen = BoundsPen(glyphs)
    glyphs[name].draw(pen)
    return pen.bounds is not None


def natural(path: Path) -> list[int | str]:
    """Sort key that puts chunk 9 before chunk 10, so that the order does not depend on the file system."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def opened(source: Source, root: Path) -> list[TTFont]:
    """The source's font files, in the order in which they are asked for a character."""
    paths = [path for pattern in source.files for path in sorted(root.glob(pattern), key=natural)]
    if not paths:
        raise Error(f"fonts/fonts.yml: {source.package}: source.files: no file matches {', '.join(source.files)}, see what the package has")
    return [TTFont(path, fontNumber=source.index, recalcTimestamp=False) for path in paths]


def shares(fonts: list[TTFont], text: set[str]) -> Iterator[tuple[TTFont, set[str]]]:
    """Which font gives which characters; none gives a character that another gave before."""
    for font in fonts:
        share = {character for character in text if has_ink(font, character)}
        text = text - share
        if share:
            yield font, share


def pruned(font: TTFont, text: set[str], features: list[str]) -> TTFont:
    """*font* with the glyphs of *text* only, without hints, without names that nobody reads."""
    options = Options(hinting=False, notdef_outline=False, layout_features=features, name_IDs=KEPT_NAMES, name_languages=[0x409])
    options.drop_tables += USELESS + ([] if features else LAYOUT) + ([] if "vert" in features else VERTICAL)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=map(ord, text))
    subsetter.subset(font)
    return font


def saved(font: TTFont, flavor: str | None) -> bytes:
    """The font as a file; its time is its source's."""
    font.flavor, font.recalcTimestamp = flavor, False
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


def static(fonts: list[TTFont], text: set[str], features: list[str], location: dict[str, float]) -> TTFont:
    """One font of those parts of *fonts* that *text* needs, at one location in their design space."""
    head = fonts[0]["head"]
    parts = [(instantiateVariableFont(font, location) if location else font, share) for font, share in shares(fonts, text)]
    files = [io.BytesIO(saved(pruned(font, share, features), None)) for font, share in parts]
    whole = pruned(Merger().merge(files) if files[1:] else TTFont(files[0]), text, features)
    whole["head"].created, whole["head"].modified = head.created, head.modified  # merging tells the time of day
    return whole


def interpolated(masters: list[tuple[dict[str, float], TTFont]], axes: dict[str, tuple[float, float]]) -> TTFont:
    """A variable font between masters at the ends of *axes*; exact where the original is linear between them."""
    document = DesignSpaceDocument()
    for tag, (low, high) in axes.items():
        document.addAxisDescriptor(tag=tag, name=tag, minimum=low, default=low, maximum=high)
    for location, font in masters:
        document.addSourceDescriptor(font=font, location=location, familyName=str(font["name"].getDebugName(1)), styleName=str(location))
    return varLib.build(document, exclude=["MVAR", "STAT"])[0]


def assembled(fonts: list[TTFont], text: set[str], features: list[str], axes: dict[str, float | tuple[float, float]]) -> TTFont:
    """The font with all of *text*: static, or variable along *axes* that have two ends (masters can be merged, variable fonts cannot)."""
    fixed = {tag: value for tag, value in axes.items() if not isinstance(value, tuple)}
    free = {tag: value for tag, value in axes.items() if isinstance(value, tuple)}
    corners = [dict(zip(free, corner, strict=True)) for corner in itertools.product(*free.values())]
    masters = [(corner, static(fonts, text, features, fixed | corner)) for corner in corners]
    return interpolated(masters, free) if free else masters[0][1]


def built_face(face: Face, fonts: list[TTFont], characters: dict[str, set[str]], card_text: list[str]) -> bytes:
    """A face of the cards: plain, so that reading it needs no decompressor."""
    text = picked(card_text, characters, "card_text") | set(face.substitutes.values())
    return saved(assembled(fonts, text, [], {}), None)


def built_web_font(font: WebFont, fonts: list[TTFont], characters: dict[str, set[str]]) -> bytes:
    """A font of the pages, compressed."""
    text = picked(font.text, characters, f"{font.file}: text") - picked(font.without, characters, f"{font.file}: without")
    result = assembled(fonts, text, font.features, font.axes)
    if font.units_per_em:
        scale_upem(result, font.units_per_em)
    return saved(result, "woff2")


# Checking.


def ranges(characters: Iterable[str]) -> str:
    """The characters as CSS writes them: U+3041-3096, U+4E00."""
    runs = itertools.groupby(enumerate(sorted(map(ord, characters))), key=lambda pair: pair[1] - pair[0])
    spans = [[code for _, code in run] for _, run in runs]
    return ", ".join(f"U+{span[0]:X}" + (f"-{span[-1]:X}" if len(span) > 1 else "") for span in spans)


def check_ink(key: str, face: Face, content: bytes) -> None:
    """Every radical is drawn, by itself or by its substitute."""
    font = TTFont(io.BytesIO(content))
    blank = [radical for radical in RADICALS if not has_ink(font, face.substitutes.get(radical, radical))]
    if blank:
        raise Error(f"fonts/fonts.yml: {key}.substitutes: no ink for {''.join(blank)}, say which character to draw instead")


def right_range(font: WebFont, content: bytes) -> str:
    """The unicode_range that *font* says, if it says none or has room for the whole font there; else the font's characters."""
    characters = set(map(chr, TTFont(io.BytesIO(content)).getBestCmap()))
    room = spelled(font.unicode_range) if font.unicode_range else characters
    return font.unicode_range if characters <= room else ranges(characters)


def differences(built: Built) -> dict[str, tuple[str, str]]:
    """What fonts.yml records about a font and what is so, where the two differ, by key."""
    font = built.font
    facts = {"sha256": (font.sha256, built.sha256), "source.version": (font.source.version, built.version)}
    if isinstance(font, WebFont):
        facts["unicode_range"] = (font.unicode_range, right_range(font, built.content))
    return {f"{built.key}.{name}": pair for name, pair in facts.items() if pair[0] != pair[1]}


# fonts.yml.


def read(path: Path) -> Fonts:
    """fonts.yml, checked."""
    try:
        return Fonts.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise Error(f"{path}: {error}") from None
    except ValidationError as error:
        raise Error("\n".join(f"fonts/fonts.yml: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors())) from None


def scalar(node: yaml.Node, keys: list[str]) -> yaml.Node:
    """The node that *keys* lead to."""
    for key in keys:
        node = next(value for name, value in node.value if name.value == key)
    return node


def rewritten(text: str, values: dict[str, str]) -> str:
    """The YAML *text* with other values at some dotted keys, all else as it was, comments too."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    nodes = [(scalar(root, key.split(".")), value) for key, value in values.items()]
    for node, value in sorted(nodes, key=lambda pair: -pair[0].start_mark.index):
        text = f'{text[: node.start_mark.index]}"{value}"{text[node.end_mark.index :]}'
    return text


# The whole.


def rebuilt(fonts: Fonts, radicals: list[dict[str, Any]], scratch: Path, latest: bool) -> Iterator[Built]:
    """Every font of fonts.yml, built and checked."""
    characters = all_characters(fonts, radicals)

    @functools.cache
    def fetched(registry: str, name: str, version: str) -> Package:
        return registries[registry](name, version, Path(tempfile.mkdtemp(dir=scratch)))

    def parts(font: Vendored) -> tuple[Package, list[TTFont]]:
        package = fetched(font.source.registry, font.source.package, "" if latest else font.source.version)
        return package, opened(font.source, package.root)

    for name, face in fonts.faces.items():
        package, files = parts(face)
        content = built_face(face, files, characters, fonts.card_text)
        check_ink(f"faces.{name}", face, content)
        yield Built(f"faces.{name}", face, package.version, content, licence_text(face, package))
    for name, font in fonts.site.items():
        package, files = parts(font)
        content = built_web_font(font, files, characters)
        yield Built(f"site.{name}", font, package.version, content, licence_text(font, package))


def vendor(folder: Path, radicals: Path, update: bool, latest: bool) -> None:
    """Rebuild *folder*; nothing is written unless every file is as recorded or *update* says to record it anew."""
    path = folder / "fonts.yml"
    with tempfile.TemporaryDirectory() as scratch:
        results = list(rebuilt(read(path), entries(radicals), Path(scratch), latest))
    changes = {key: pair for built in results for key, pair in differences(built).items()}
    if changes and not update:
        raise Error("\n".join(f"fonts/fonts.yml: {key}: says {old}, is {new}; --update records it" for key, (old, new) in changes.items()))
    for built in results:
        (folder / built.font.file).write_bytes(built.content)
        (folder / built.font.licence_file).write_text(built.licence, encoding="utf-8")
        print(f"{built.font.file}: {len(built.content)} bytes{', changed' if differences(built) else ''}")
    if changes:
        path.write_text(rewritten(path.read_text(encoding="utf-8"), {key: new for key, (_, new) in changes.items()}), encoding="utf-8")


def main() -> int:
    """The command line."""
    description = "Rebuild the fonts folder from the packages that fonts.yml names."
    parser = argparse.ArgumentParser(prog="python -m generator.vendor", description=description)
    parser.add_argument("folder", type=Path, help="the fonts folder, with its fonts.yml")
    parser.add_argument("--radicals", type=Path, help="the folder of the radicals' data (default: radicals, beside the fonts folder)")
    parser.add_argument("--update", action="store_true", help="record the sha256 and the versions as they are, instead of complaining")
    parser.add_argument("--latest", action="store_true", help="fetch the newest packages instead of the recorded versions (with --update)")
    options = parser.parse_args()
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # a merge warns of every chunk's notdef
    try:
        vendor(options.folder, options.radicals or options.folder.parent / "radicals", options.update, options.latest)
    except Error as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
