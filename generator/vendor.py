"""Rebuild every file of the fonts folder from the public packages that fonts.yml names: `python -m generator.vendor fonts`.

The cards need a few hundred of a Japanese font's twenty thousand glyphs, so the repository carries subsets, and this module is how
they came to be: fetch a pinned package with its registry's own client, take the characters that have ink, merge the pieces, subset,
compare the sha256 with the recorded one. The same packages and data give the same bytes.
"""

import argparse
import functools
import hashlib
import io
import json
import logging
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from typing import Any

import yaml
from fontTools.ttLib import TTFont

from generator.model import COUNT, Error, FaceSpec, FontsFile, FontSpec, Registry, WebFontSpec
from generator.project import read, validated
from generator.subset import built_face, built_web_font, has_ink, opened, ranges, spelled

RADICALS = [unicodedata.normalize("NFKC", chr(0x2F00 + number)) for number in range(COUNT)]


@dataclass(frozen=True, slots=True)
class Package:
    """A package as fetched and unpacked."""

    root: Path
    version: str


@dataclass(frozen=True, slots=True)
class Built:
    """One font as rebuilt; *key* says where fonts.yml has it (faces.mincho)."""

    key: str
    font: FontSpec
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


def licence_text(font: FontSpec, package: Package) -> str:
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
    return [entry for path in sorted(folder.glob("[0-9]*.yml")) for entry in read(path, path.name)]


def data_characters(radicals: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The sets of characters that the data gives, by the names that fonts.yml uses for them."""
    return {
        "radicals": set(RADICALS),
        "japanese": {entry["japanese"] for entry in radicals if "japanese" in entry},
        "variants": {variant["glyph"] for entry in radicals for variant in entry.get("variants", [])},
        "data": set(str(radicals)),
    }


def all_characters(fonts: FontsFile, radicals: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Every named set of characters."""
    written = {name: set[str]().union(*map(spelled, items)) for name, items in fonts.characters.items()}
    return written | data_characters(radicals)


# Checking.


def check_ink(key: str, face: FaceSpec, content: bytes) -> None:
    """Every radical is drawn, by itself or by its substitute."""
    font = TTFont(io.BytesIO(content))
    blank = [radical for radical in RADICALS if not has_ink(font, face.substitutes.get(radical, radical))]
    if blank:
        raise Error(f"fonts/fonts.yml: {key}.substitutes: no ink for {''.join(blank)}, say which character to draw instead")


def right_range(font: WebFontSpec, content: bytes) -> str:
    """The unicode_range that *font* says, if it says none or has room for the whole font there; else the font's characters."""
    characters = set(map(chr, TTFont(io.BytesIO(content)).getBestCmap()))
    room = spelled(font.unicode_range) if font.unicode_range else characters
    return font.unicode_range or "" if characters <= room else ranges(characters)


def differences(built: Built) -> dict[str, tuple[str, str]]:
    """What fonts.yml records about a font and what is so, where the two differ, by key."""
    font = built.font
    facts = {"sha256": (font.sha256, built.sha256), "source.version": (font.source.version, built.version)}
    if isinstance(font, WebFontSpec):
        facts["unicode_range"] = (font.unicode_range or "", right_range(font, built.content))
    return {f"{built.key}.{name}": pair for name, pair in facts.items() if pair[0] != pair[1]}


# fonts.yml.


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


def rebuilt(fonts: FontsFile, radicals: list[dict[str, Any]], scratch: Path, latest: bool) -> Iterator[Built]:
    """Every font of fonts.yml, built and checked."""
    characters = all_characters(fonts, radicals)

    @functools.cache
    def fetched(registry: str, name: str, version: str) -> Package:
        return registries[registry](name, version, Path(tempfile.mkdtemp(dir=scratch)))

    def parts(font: FontSpec) -> tuple[Package, list[TTFont]]:
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


def fonts_file(path: Path) -> FontsFile:
    """fonts.yml, checked."""
    return validated(FontsFile, read(path, "fonts/fonts.yml"), "fonts/fonts.yml")


def vendor(folder: Path, radicals: Path, update: bool, latest: bool) -> None:
    """Rebuild *folder*; nothing is written unless every file is as recorded or *update* says to record it anew."""
    path = folder / "fonts.yml"
    with tempfile.TemporaryDirectory() as scratch:
        results = list(rebuilt(fonts_file(path), entries(radicals), Path(scratch), latest))
    changes = {key: pair for built in results for key, pair in differences(built).items()}
    if changes and not update:
        raise Error("\n".join(f"fonts/fonts.yml: {key}: says {old}, is {new}; --update records it" for key, (old, new) in changes.items()))
    for built in results:
        (folder / built.font.file).write_bytes(built.content)
        (folder / built.font.licence_file).write_text(built.licence, encoding="utf-8")
        print(f"{built.font.file}: {len(built.content)} bytes{', changed' if differences(built) else ''}")
    if changes:
        path.write_text(rewritten(path.read_text(encoding="utf-8"), {key: new for key, (_, new) in changes.items()}), encoding="utf-8")


def status(act: Callable[[], None]) -> int:
    """What a command line exits with: 0 when *act* is done, or 2 after saying why it could not be."""
    try:
        act()
    except Error as error:
        print(error, file=sys.stderr)
        return Error.status
    return 0


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
    return status(lambda: vendor(options.folder, options.radicals or options.folder.parent / "radicals", options.update, options.latest))


if __name__ == "__main__":
    sys.exit(main())
