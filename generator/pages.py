"""The gallery's pages from the project's data and the drawn sets. Knows nothing of MkDocs: leaving it costs one other file."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from generator import dyes, raster, sets, views
from generator.cards import stem
from generator.model import FontSpec, Palette, Radical, SetSpec
from generator.project import Project

PNG = 512
"""Side of the pictures to download."""
STYLES = "site.css"
"""The style sheet that declares the web fonts."""
FIRST = ("newsreader", "instrument-sans")
"""The web fonts that every page needs at once."""
SHOWN = 8
"""How many cards stand for a set."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page that no one wrote by hand: where it stands, the template that is its body, and what that shows."""

    uri: str
    template: str
    title: str
    description: str
    view: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    upright: str = ""
    """A Japanese word beside the text."""


@dataclass(frozen=True)
class Studio:
    """What the site is made of. *folders* are the drawn sets by name, as :func:`generator.sets.publish` returns them."""

    project: Project
    folders: dict[str, Path]

    @cached_property
    def entries(self) -> dict[str, dict[int, sets.Entry]]:
        """What the manifests say of every card, by set and number."""
        return {name: {entry["number"]: entry for entry in sets.manifest(folder)["cards"]} for name, folder in self.folders.items()}

    @cached_property
    def drawn(self) -> dict[str, dict[int, bytes]]:
        """Every card's file, by set and number."""
        return {
            name: {number: (self.folders[name] / entry["file"]).read_bytes() for number, entry in entries.items()}
            for name, entries in self.entries.items()
        }

    @cached_property
    def cards(self) -> dict[str, dict[int, str]]:
        """Every card as markup for a page in its set's folder, by set and number."""
        return {name: {number: self._markup(name, number) for number in cards} for name, cards in self.drawn.items()}

    def _markup(self, name: str, number: int) -> str:
        entry = self.entries[name][number]
        return views.linked(entry["file"]) if entry["origin"] == sets.CHOSEN else views.inline(self.drawn[name][number].decode())

    @property
    def radicals(self) -> tuple[Radical, ...]:
        """The 214."""
        return self.project.radicals

    @property
    def sets(self) -> dict[str, SetSpec]:
        """The drawn sets; the index shows the first."""
        return {name: self.project.sets[name] for name in self.folders}

    def front(self, root: str) -> dict[int, str]:
        """The first set's cards as markup for a page from which *root* leads to the site's root."""
        name, cards = next(iter(self.cards.items()))
        return {number: views.moved(card, f"{root}sets/{name}/") for number, card in cards.items()}

    def file(self, name: str, radical: Radical) -> str:
        """The file name of a radical's card in a set."""
        return str(self.entries[name][radical.number]["file"])


def png_file(radical: Radical) -> str:
    """The file name of a card's PNG."""
    return f"{stem(radical)}.png"


def family_palette(project: Project) -> Palette:
    """The first palette that goes by families: its colours stand for the families all over the site."""
    return next(palette for palette in project.palettes.values() if palette.by == "family")


def fonts(project: Project) -> list[FontSpec]:
    """Every font that a card or a page is set in."""
    return [*project.fonts.faces.values(), *project.fonts.site.values()]


def shared(studio: Studio) -> dict[str, Any]:
    """What every template may use."""
    project = studio.project
    return {
        "families": project.groups.families,
        "swatches": family_palette(project).swatches,
        "sets": studio.sets,
        "credits": views.credited(fonts(project)),
        "makers": views.makers(project.pictures),
        "illustrations": project.illustrations,
        "preload": [project.fonts.site[name].file for name in FIRST if name in project.fonts.site],
        "short": views.short,
        "plural": views.plural,
        "numeral": views.numeral,
        "words": views.words,
        "ja": views.ja,
        "prose": views.prose,
    }


def pages(studio: Studio) -> Iterator[Page]:
    """All pages but the hand-written ones."""
    yield _index(studio)
    yield from _radical_pages(studio)
    yield _palette(studio)
    yield _sets(studio)
    yield from (_set(studio, name) for name in studio.folders)
    yield Page("sources.md", "text.html", "Sources", "Where the facts about the radicals come from.", text=_sources(studio), upright="出典")


def _index(studio: Studio) -> Page:
    groups = [(count, list(group)) for count, group in groupby(studio.radicals, lambda radical: radical.strokes)]
    view = {
        "groups": groups,
        "cards": studio.front(""),
        "terms": {radical.number: views.terms(radical) for radical in studio.radicals},
    }
    sets = views.plural(len(studio.sets), "set")
    about = f"The {len(studio.radicals)} kanji radicals as cards in {sets}, to search, to choose from and to take away."
    return Page("index.md", "index.html", "The 214 kanji radicals as cards", about, view)


def _radical_pages(studio: Studio) -> Iterator[Page]:
    cards = studio.front("../../")
    before: tuple[Radical | None, ...] = (None, *studio.radicals)
    after: tuple[Radical | None, ...] = (*studio.radicals[1:], None)
    for radical, last, following in zip(studio.radicals, before, after, strict=False):
        title = f"{radical.glyph} {radical.headword}, radical {radical.number}"
        view = _radical(studio, radical) | {"before": last, "after": following, "cards": cards}
        yield Page(f"radicals/{radical.slug}.md", "radical.html", title, views.description(radical), view)


def _radical(studio: Studio, radical: Radical) -> dict[str, Any]:
    groups = studio.project.groups
    palette = family_palette(studio.project)
    return {
        "radical": radical,
        "files": (files := {name: studio.file(name, radical) for name in studio.folders}),
        "kinds": {name: views.kind(file) for name, file in files.items()},
        "png": png_file(radical),
        "colour": dyes.colour_name(palette.swatch(radical)),
        "upright": views.upright(radical),
        "names": views.named(radical, groups),
        "strokes": views.strokes(radical),
        "positions": [groups.positions[position] for position in radical.positions],
        "places": [(variant, views.where(variant.positions, groups)) for variant in radical.variants],
    }


def _palette(studio: Studio) -> Page:
    project = studio.project
    shown = [
        (name, palette, dyes.dyes(name, palette, project.groups, project.radicals), dyes.closest(palette, project.groups))
        for name, palette in project.palettes.items()
    ]
    view = {"palettes": shown, "strip": dyes.by_hue(shown[0][2])}
    return Page("palette.md", "palette.html", "Palettes", "The colours and patterns of the cards, with their contrasts.", view)


def typical(studio: Studio) -> list[Radical]:
    """The cards that stand for a set: of the radicals most used, each of another family, in order."""
    chosen: dict[str, Radical] = {}
    for radical in sorted(studio.radicals, key=lambda radical: -radical.joyo):
        chosen.setdefault(radical.family, radical)
    return sorted(list(chosen.values())[:SHOWN], key=lambda radical: radical.number)


def _sets(studio: Studio) -> Page:
    chosen = typical(studio)
    cards = {name: [views.moved(studio.cards[name][radical.number], f"{name}/") for radical in chosen] for name in studio.folders}
    view = {"cards": cards, "faces": studio.project.fonts.faces, "palettes": studio.project.palettes}
    return Page("sets/index.md", "sets.html", "Sets", "Every set of cards, each in one style throughout.", view)


def _set(studio: Studio, name: str) -> Page:
    spec = studio.project.sets[name]
    names = list(studio.folders)
    at = names.index(name)
    view = {
        "name": name,
        "place": at + 1,
        "set": spec,
        "face": studio.project.fonts.faces[spec.font],
        "palette": studio.project.palettes[spec.palette],
        "radicals": studio.radicals,
        "cards": studio.cards[name],
        "kinds": Counter(views.kind(entry["file"]) for entry in studio.entries[name].values()),
        "weight": views.kilobytes(sum(entry["bytes"] for entry in studio.entries[name].values())),
        "around": (names[at - 1] if at else None, names[at + 1] if at + 1 < len(names) else None),
    }
    return Page(f"sets/{name}/index.md", "set.html", f"The set {spec.title}", spec.description, view)


def _sources(studio: Studio) -> str:
    path = studio.project.path("radicals/SOURCES.md")
    return path.read_text("utf-8") if path.is_file() else "# Sources\n"


def texts(studio: Studio) -> Iterator[tuple[str, str]]:
    """Files whose text is made here: styles, a file a set for the index to take its cards from, the data."""
    for name, path in studio.project.files("site/css").items():
        faces = views.font_faces(studio.project.fonts.site.values()) if name == STYLES else ""
        yield f"css/{name}", views.tight(faces + path.read_text("utf-8"))
    for name, cards in studio.cards.items():
        yield f"sets/{name}/all.svg", views.sheet(cards.values())
    yield "api/radicals.json", json.dumps(api(studio), ensure_ascii=False, separators=(",", ":")) + "\n"


def copies(studio: Studio) -> Iterator[tuple[str, Path]]:
    """Files that are published as they are: cards, PNGs where the set has them, fonts and their licences."""
    for name, folder in studio.folders.items():
        yield f"sets/{name}/manifest.json", folder / "manifest.json"
        yield from ((f"sets/{name}/{entry['file']}", folder / entry["file"]) for entry in studio.entries[name].values())
        if studio.project.sets[name].png:
            yield from _pngs(studio, name)
    vendored = studio.project.files("fonts")
    yield from ((f"licences/{file}", vendored[file]) for file in dict.fromkeys(font.licence_file for font in fonts(studio.project)))
    held = [source.licence_file for source in studio.project.pictures.sources.values() if source.licence_file]
    yield from ((f"licences/{file}", studio.project.path(f"radicals/{file}")) for file in held)
    site = [font.file for font in studio.project.fonts.site.values() if font.family in views.FAMILIES]
    yield from ((f"fonts/{file}", vendored[file]) for file in site)


def _pngs(studio: Studio, name: str) -> Iterator[tuple[str, Path]]:
    pictures = raster.cached(studio.project.build / "cache", list(studio.drawn[name].values()), PNG)
    yield from ((f"sets/{name}/{png_file(radical)}", picture) for radical, picture in zip(studio.radicals, pictures, strict=True))


def api(studio: Studio) -> dict[str, Any]:
    """All data as JSON, with addresses relative to the site's root."""
    groups = studio.project.groups.model_dump(mode="json")
    return {
        "radicals": [_entry(studio, radical) for radical in studio.radicals],
        **groups,
        "sets": [{"name": name, **spec.model_dump(mode="json"), "cards": f"sets/{name}/all.svg"} for name, spec in studio.sets.items()],
    }


def _entry(studio: Studio, radical: Radical) -> dict[str, Any]:
    files = {name: _files(studio, name, radical) for name in studio.sets}
    links = {"kangxi": radical.kangxi, "url": f"radicals/{radical.slug}/", "files": files}
    return radical.model_dump(mode="json", exclude_none=True) | links


def _files(studio: Studio, name: str, radical: Radical) -> dict[str, str]:
    """The files of a card in a set by kind, and where the card comes from."""
    entry = studio.entries[name][radical.number]
    files = [entry["file"], *([png_file(radical)] if studio.sets[name].png else [])]
    return {file.rpartition(".")[2]: f"sets/{name}/{file}" for file in files} | {"origin": entry["origin"]}
