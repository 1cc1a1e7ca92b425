"""Cards of a project: its radicals, or any other characters, as values ready to be drawn."""

import string
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from generator import pictures
from generator.checks import Expected
from generator.fonts import Face, Outline
from generator.layouts import LABELLED, PICTURED, TYPICAL, Card, middle, shown_middle
from generator.model import Error, Palette, Radical, SetSpec, Swatch, nearest
from generator.pictures import JOINT, Picture
from generator.project import ILLUSTRATED, Project
from generator.svg import CANVAS

LABEL_FACE = "gothic"
"""The face that sets labels: it has every letter, and reads well when small."""
GAP = 0.3
"""Width of a space in a label, in em."""

Subject = Radical | str
"""What a card shows: a radical, or any other character."""


@dataclass(frozen=True, slots=True)
class Type:
    """A font file as cards need it: where it is, its fit (see ``fonts.yml``), and what the metadata says of it."""

    path: Path
    fit: float
    source: str
    rights: str
    substitutes: tuple[tuple[str, str], ...] = ()
    vendored: bool = True


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the cards of a set but whom they show."""

    name: str
    spec: SetSpec
    palette: Palette
    type: Type
    label_type: Type
    borrowed: Mapping[str, Type]
    pictures: Mapping[str, Path]
    illustrations: Mapping[int, tuple[Path, str]]
    bare: bool = False

    @property
    def decisive(self) -> tuple[Hashable, ...]:
        """What decides a card besides its swatch, its picture and its subject."""
        return self.name, self.spec, self.type, self.label_type, tuple(self.borrowed.items())

    @property
    def font(self) -> str:
        """What the manifest says of the font: its name in ``fonts.yml``, or the file that a person brought."""
        return self.spec.font if self.type.vendored else self.type.path.name


def vendored(project: Project, name: str) -> Type:
    """A face of ``fonts.yml``."""
    spec = project.fonts.faces[name]
    rights = f"{spec.copyright.rstrip('.')}. {spec.licence}"
    return Type(project.path(f"fonts/{spec.file}"), spec.fit, spec.title, rights, tuple(spec.substitutes.items()))


def brought(project: Project, path: Path) -> Type:
    """A font file that a person brings; its fit is measured on those radicals that it has."""
    face = Face(path)
    return Type(path.resolve(), face.fit(radical.glyph for radical in project.radicals), *face.credit(), vendored=False)


def recipe(project: Project, name: str, spec: SetSpec | None = None, type_: Type | None = None, bare: bool = False) -> Recipe:
    """The recipe of a set, or of a changed *spec* of it, or with a font that a person brings, or of its *bare* pictures."""
    spec = spec or project.sets[name]
    _check_label(name, spec)
    used = type_ or vendored(project, spec.font)
    borrowed = {} if type_ else {sign: vendored(project, face) for sign, face in project.fonts.faces[spec.font].borrowed.items()}
    folder = PICTURED.get(spec.layout)
    shown = {path.stem: path for path in project.files(f"radicals/{folder}").values() if path.suffix == ".svg"} if folder else {}
    chosen = _chosen(project) if spec.illustrations and not bare else {}
    return Recipe(name, spec, project.palettes[spec.palette], used, vendored(project, LABEL_FACE), borrowed, shown, chosen, bare)


def _chosen(project: Project) -> dict[int, tuple[Path, str]]:
    """The chosen illustrations by number: where the file is, and its sha256."""
    listed = project.illustrations.items()
    return {number: (project.path(f"{ILLUSTRATED}/{one.file}"), one.stored) for number, one in listed}


@cache
def _face(path: Path, substitutes: tuple[tuple[str, str], ...]) -> Face:
    return Face(path, substitutes=dict(substitutes))


@lru_cache(512)  # labels repeat their letters; glyphs do not, so the bound keeps memory flat
def _outline(type_: Type, character: str) -> Outline | None:
    return _face(type_.path, type_.substitutes).outline(character)


def slug(subject: Subject) -> str:
    """``085`` of a radical, ``u732b`` of another character."""
    return subject.slug if isinstance(subject, Radical) else f"u{ord(subject):04x}"


def stem(subject: Subject) -> str:
    """The file name without its ending: ``radical_085``, ``u732b``."""
    return f"radical_{subject.slug}" if isinstance(subject, Radical) else slug(subject)


def character(subject: Subject) -> str:
    """What is drawn."""
    return subject.glyph if isinstance(subject, Radical) else subject


def title(subject: Subject) -> str:
    """The card's title: ``水 water``; of another character, itself."""
    return f"{subject.glyph} {subject.headword}" if isinstance(subject, Radical) else subject


def _description(subject: Subject, shown: bool = False) -> str:
    if isinstance(subject, Radical):
        name = subject.names[0]
        seen = f" The picture shows {subject.brief}." if shown else ""
        return f"Radical {subject.number}, {name.kana} ({name.romaji}): {', '.join(subject.meanings)}.{seen}"
    return f"The character {subject} (U+{ord(subject):04X})."


def swatch(palette: Palette, subject: Subject) -> Swatch:
    """A radical's swatch; other characters take the swatches in turn, by code point."""
    if isinstance(subject, Radical):
        return palette.swatch(subject)
    swatches = list(palette.swatches.values())
    return swatches[ord(subject) % len(swatches)]


LABEL_FIELDS: dict[str, Callable[[Radical], str]] = {
    "number": lambda radical: str(radical.number),
    "meaning": lambda radical: radical.headword,
    "kana": lambda radical: radical.names[0].kana,
    "romaji": lambda radical: radical.names[0].romaji,
    "strokes": lambda radical: str(radical.strokes),
}
"""What a set's ``label`` may name in braces."""


def _check_label(name: str, spec: SetSpec) -> None:
    """:class:`Error` for a label that names unknown fields, or where the layout has no room for one."""
    where = f"sets.yml: {name}.label"
    if spec.label and spec.layout not in LABELLED:
        raise Error(f"{where}: the layout {spec.layout} has no room for a label, leave it out or use {', '.join(LABELLED)}")
    try:
        parts = [part for part in string.Formatter().parse(spec.label or "") if part[1] is not None]
    except ValueError as error:
        raise Error(f"{where}: {str(error).lower()}, write fields as {{number}}") from None
    for _, field, form, conversion in parts:
        if form or conversion:
            raise Error(f"{where}: {field!r} has a format, write plain fields as {{number}}")
        if field not in LABEL_FIELDS:
            raise Error(f"{where}: unknown field {field!r}, {nearest(str(field), LABEL_FIELDS)}")


def _label(recipe: Recipe, subject: Subject) -> tuple[Outline | float, ...]:
    """The label's outlines, with gaps for spaces."""
    if not recipe.spec.label or not isinstance(subject, Radical):
        return ()
    text = recipe.spec.label.format_map({field: value(subject) for field, value in LABEL_FIELDS.items()})
    parts: list[Outline | float] = []
    for letter in text:
        part = GAP if letter == " " else _outline(recipe.label_type, letter)
        if part is None:
            raise Error(f"sets.yml: {recipe.name}.label: no ink for {letter!r} of {text!r} in {LABEL_FACE}, write it with other letters")
        parts.append(part)
    return tuple(parts)


def picture(recipe: Recipe, subject: Subject) -> Picture | None:
    """What the card shows of the meaning, if its layout does; :class:`Error` where there should be a picture and is none."""
    if recipe.spec.layout not in PICTURED:
        return None
    where = f"radicals/{PICTURED[recipe.spec.layout]}/{slug(subject)}.svg"
    path = recipe.pictures.get(slug(subject))
    if path is None:
        raise Error(f"{where}: not there, only the radicals have pictures; draw one with `make pictures` or choose another layout")
    return pictures.read(path, where)


def _facts(type_: Type, shown: Picture | None, bare: bool) -> dict[str, str]:
    """Where glyph and picture come from, and under which licences."""
    parts = [(type_.source, type_.rights)] if not bare else []
    parts += [(shown.source, shown.rights)] if shown else []
    return {"source": JOINT.join(source for source, _ in parts), "rights": JOINT.join(rights for _, rights in parts)}


def card(recipe: Recipe, subject: Subject) -> Card:
    """The card of a subject: all that decides its bytes but the layout."""
    drawn = character(subject)
    type_ = recipe.borrowed.get(drawn, recipe.type)
    outline = _outline(type_, drawn)
    if outline is None:
        raise Error(f"{type_.path.name}: no ink for {drawn} (U+{ord(drawn):04X}), choose a font that has it")
    shown = picture(recipe, subject)
    return Card(
        set=recipe.name,
        slug=slug(subject),
        title=title(subject),
        description=_description(subject, bool(shown)),
        facts=_facts(type_, shown, recipe.bare),
        glyph=outline,
        size=TYPICAL * CANVAS / type_.fit,
        label=_label(recipe, subject),
        swatch=swatch(recipe.palette, subject),
        picture=shown,
    )


def expected(recipe: Recipe, subject: Subject, shown: Picture | None = None) -> Expected:
    """What the checks hold the card to; *shown* is its picture, if that has been read already."""
    layout, labelled = recipe.spec.layout, bool(recipe.spec.label) and isinstance(subject, Radical)
    shown, glyph = shown or picture(recipe, subject), {"glyph": middle(layout, labelled)}
    return Expected(
        prefix=f"{recipe.name}-{slug(subject)}",
        title=title(subject),
        colours=frozenset(swatch(recipe.palette, subject).colours()),
        middles=({} if recipe.bare else glyph) | ({"picture": shown_middle(layout, recipe.bare)} if shown else {}),
        picture=shown.colours if shown else frozenset(),
    )
