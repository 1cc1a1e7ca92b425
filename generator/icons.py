"""Make the pictures of ``radicals/pictures.yml``: ``python -m generator.icons`` (``make pictures``).

Icons come from the pinned packages of the npm registry, our own drawings from ``radicals/drawings``; a drawing may have icons in
it, as ``<use href="noto:duck" transform="…"/>``, and says in a ``<desc>after noto:duck</desc>`` if it follows one. All are
normalised alike. The same packages and drawings give the same bytes.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.model import Error, PictureSource, Radical, nearest, origin
from generator.normalise import normalised, stencilled
from generator.pictures import JOINT, Picture, written
from generator.project import PICTURES, Project, load, put
from generator.vendor import registries, status

DRAWN = "drawn"
"""The source of our own drawings."""
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'
PART = re.compile(r'<use\s+href="(?P<origin>[\w-]+:[\w/-]+)"(?:\s+transform="(?P<transform>[^"]*)")?\s*/>')
"""An icon in a drawing."""
AFTER = re.compile(r"<desc>after (?P<origin>[\w-]+:[\w/-]+)</desc>")
"""An icon that a drawing follows without having it in it."""
ID = re.compile(r'\b(id="|url\(#|href="#)')

Icons = Mapping[str, Mapping[str, Any]]
"""Icons of a package in Iconify's format, by name."""


@dataclass(frozen=True, slots=True)
class Job:
    """A picture to make: its number and kind (``pictures`` or ``pictograms``), its SVG text, and whose it is."""

    number: str
    kind: str
    title: str
    text: str
    source: str
    rights: str


def _unpacked(root: Path) -> Icons:
    """The icons of a package, aliases among them, each with its size."""
    packed = json.loads((root / "icons.json").read_text("utf-8"))
    size = {key: packed.get(key, 16) for key in ("width", "height")}
    icons = {name: size | icon for name, icon in packed["icons"].items()}
    return icons | {name: icons[alias["parent"]] for name, alias in packed.get("aliases", {}).items() if alias.keys() == {"parent"}}


def fetched(sources: Mapping[str, PictureSource], scratch: Path) -> dict[str, Icons]:
    """The icons of every source that has a package, by its name."""
    found = {}
    for name, source in sources.items():
        if source.package:
            package = registries["npm"](source.package, source.version or "", Path(tempfile.mkdtemp(dir=scratch)))
            found[name] = _unpacked(package.root)
    return found


def icon(text: str, icons: Mapping[str, Icons]) -> Mapping[str, Any]:
    """An icon by its origin (``noto:fire``, ``game-icons:lorc/bow``)."""
    source, _, name = origin(text)
    if source not in icons:
        raise Error(f"unknown source {source!r}, {nearest(source, [*icons, DRAWN])}")
    if name not in icons[source]:
        raise Error(f"no icon {name!r} in {source}, {nearest(name, icons[source])}")
    return icons[source][name]


def composed(drawing: str, icons: Mapping[str, Icons]) -> tuple[str, list[str]]:
    """A drawing with the icons that it uses in their places, and which ones it uses or follows."""
    used: list[str] = []

    def part(found: re.Match[str]) -> str:
        body = ID.sub(rf"\1part{len(used)}-", icon(found["origin"], icons)["body"])
        used.append(found["origin"])
        return f'<g transform="{found["transform"] or ""}">{body}</g>'

    whole = PART.sub(part, drawing)
    return whole, list(dict.fromkeys([*used, *AFTER.findall(drawing)]))


def credit(origins: Iterable[str], sources: Mapping[str, PictureSource]) -> tuple[str, str]:
    """Source and rights of a picture as its metadata states them."""
    said, rights = [], []
    for name, author, icon_ in map(origin, origins):
        source = sources[name]
        said.append(f"{source.title}: {icon_}" if icon_ else f"Drawing: {source.title}")
        rights.append(f"{author or source.copyright}. {source.licence}{', changed' if icon_ else ''}")
    return JOINT.join(dict.fromkeys(said)), JOINT.join(dict.fromkeys(rights))


def _job(project: Project, radical: Radical, kind: str, icons: Mapping[str, Icons]) -> Job:
    """What is to be made for a radical; :class:`Error` where the list and the drawing do not agree."""
    origins = project.pictures.radicals[radical.number].origins(kind)
    where = f"{PICTURES}: {radical.number}.{kind[:-1]}"
    try:
        if unknown := [text for text in origins if origin(text).source not in project.pictures.sources]:
            raise Error(f"unknown source of {unknown[0]!r}, {nearest(origin(unknown[0]).source, project.pictures.sources)}")
        if DRAWN in origins:
            name = f"radicals/drawings/{kind}/{radical.slug}.svg"
            path = project.path(name)
            if not path.is_file():
                raise Error(f"{name} is not there, draw it or name an icon")
            text, used = composed(path.read_text("utf-8"), icons)
            if [DRAWN, *used] != list(origins):
                raise Error(f"says {list(origins)}, {name} is made of {[DRAWN, *used]}")
        else:
            text = HEAD.format(**icon(origins[0], icons))
    except Error as error:
        raise Error(f"{where}: {error}") from None
    return Job(radical.slug, kind, f"{radical.glyph} {radical.headword}", text, *credit(origins, project.pictures.sources))


MAKERS: dict[str, Callable[[str], list[tuple[str, str]]]] = {"pictures": normalised, "pictograms": stencilled}


def made(job: Job) -> str:
    """A picture as its file's text."""
    try:
        shapes = MAKERS[job.kind](job.text)
    except (Error, ValueError, KeyError) as error:
        raise Error(f"radicals/{job.kind}/{job.number}.svg: {error}") from None
    return written(Picture(tuple(shapes), job.source, job.rights), job.title)


def make(project: Project, numbers: Iterable[int], say: Callable[[str], None]) -> None:
    """Make both pictures of the radicals *numbers*; nothing is written unless all could be made."""
    listed = project.pictures
    radicals = [radical for radical in project.radicals if radical.number in set(numbers) and radical.number in listed.radicals]
    with tempfile.TemporaryDirectory() as scratch:
        icons = fetched(listed.sources, Path(scratch))
    jobs = [_job(project, radical, kind, icons) for radical in radicals for kind in MAKERS]
    with ProcessPoolExecutor() as pool:
        texts = list(pool.map(made, jobs, chunksize=4))
    changed = 0
    for job, text in zip(jobs, texts, strict=True):
        path = project.root / f"radicals/{job.kind}/{job.number}.svg"
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        changed += 1
        put(path, text.encode())
    say(f"{len(jobs)} pictures, {changed} changed")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m generator.icons", description="Make the pictures that radicals/pictures.yml lists.")
    parser.add_argument("numbers", nargs="*", type=int, help="the radicals whose pictures to make (default: all)")
    parser.add_argument("--project", type=Path, default=Path(), help="the project's folder (default: this one)")
    options = parser.parse_args()

    def act() -> None:
        project = load(options.project)
        make(project, options.numbers or [radical.number for radical in project.radicals], print)

    return status(act)


if __name__ == "__main__":
    sys.exit(main())
