"""The words of the trade as types: what a person writes (pydantic) and what everything else is told (dataclasses)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

COUNT = 214
"""There are 214 Kangxi radicals, numbered 1 to 214."""


Command = tuple[str, tuple[float, ...]]
"""A path command and its absolute coordinates: M, L, Q, C or Z."""


class Error(Exception):
    """Bad input, one fault a line. Each line reads *where: what is wrong, what would be right*; the command line exits 2."""

    status = 2


class Unsound(Error):
    """What the checks found, one finding a line; the command line exits 1."""

    status = 1


Function = TypeVar("Function", bound=Callable[..., Any])


class Registry(dict[str, Function]):
    """Functions filed under their own names, which are the names the YAML files use."""

    def __call__(self, function: Function) -> Function:
        """Decorator: file *function* under its name."""
        self[function.__name__] = function
        return function


LONGEST = 80
"""Letters of a value that a message repeats."""


def brief(text: str) -> str:
    """A text for a message: its beginning if it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def nearest(name: str, known: Iterable[str]) -> str:
    """What would be right instead of the unknown *name*: the nearest known one, or all of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"


class Written(BaseModel):
    """What a person writes in YAML: frozen, and a key nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Sign = Annotated[str, Field(min_length=1, max_length=1)]
Text = Annotated[str, Field(min_length=1)]


class Name(Written):
    """A Japanese name of a radical, in hiragana and in modified Hepburn."""

    kana: Text
    romaji: Text


class Variant(Written):
    """Another form of a radical, such as 氵 of 水."""

    glyph: Sign
    strokes: Annotated[int, Field(ge=1, le=17)]
    positions: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()


class Example(Written):
    """A kanji that contains the radical, with one common reading and its gloss."""

    kanji: Sign
    reading: Text
    meaning: Text


class Radical(Written):
    """One of the 214. ``strokes`` is the Kangxi count; ``japanese`` and ``strokes_japanese`` stand only where they differ.

    ``brief`` names the subject of the radical's picture as a painter would need it; it follows "shows" in a sentence.
    """

    number: Annotated[int, Field(ge=1, le=COUNT)]
    glyph: Sign
    japanese: Sign | None = None
    strokes: Annotated[int, Field(ge=1, le=17)]
    strokes_japanese: Annotated[int, Field(ge=1, le=17)] | None = None
    meanings: Annotated[tuple[Text, ...], Field(min_length=1)]
    names: Annotated[tuple[Name, ...], Field(min_length=1)]
    positions: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    category: str
    family: str
    joyo: Annotated[int, Field(ge=0)]
    examples: Annotated[tuple[Example, ...], Field(min_length=1, max_length=8)]
    brief: Annotated[str, Field(min_length=1, max_length=140)]
    note: Annotated[str, Field(min_length=1, max_length=140)]

    @property
    def slug(self) -> str:
        """The number with three digits: ``085``."""
        return f"{self.number:03d}"

    @property
    def headword(self) -> str:
        """The first meaning: the radical's one English name."""
        return self.meanings[0]

    @property
    def kangxi(self) -> str:
        """The character of the Kangxi Radicals block, which follows from the number."""
        return chr(0x2F00 + self.number - 1)


class Family(Written):
    """What a radical *is* (water, plant, beast …). ``mark`` is the kanji that stands for the family beside its colour."""

    title: Text
    mark: Sign


class Position(Written):
    """A place that a radical takes in a kanji, such as *hen*, the left side."""

    kanji: Sign
    kana: Text
    romaji: Text
    meaning: Text


class Groups(Written):
    """What the radicals are grouped by: families, the kanji site's categories, positions."""

    families: dict[str, Family]
    categories: tuple[Text, ...]
    positions: dict[str, Position]


class Source(Written):
    """The registry package that a vendored file comes from. ``stanza`` names its licence in Debian's copyright file."""

    registry: Literal["npm", "debian"]
    package: Text
    version: Text
    files: Annotated[tuple[Text, ...], Field(min_length=1)]
    index: int = 0
    stanza: Text | None = None


class FontSpec(Written):
    """A vendored font file: where it comes from and under which licence it stands."""

    title: Text
    file: Text
    source: Source
    licence: Text
    licence_file: Text
    copyright: Text
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class FaceSpec(FontSpec):
    """A face that draws cards. ``fit`` is the median radical's longest ink side in em.

    ``substitutes`` names the character drawn for one without ink, ``borrowed`` the face that draws one which this draws wrongly.
    """

    fit: Annotated[float, Field(gt=0.2, lt=1.2)]
    substitutes: dict[Sign, Sign] = {}
    borrowed: dict[Sign, Text] = {}


class WebFontSpec(FontSpec):
    """A web font of the gallery's pages, with what its ``@font-face`` rule says and which characters it holds."""

    family: Text
    weight: Text
    style: Text = "normal"
    text: tuple[Text, ...]
    without: tuple[Text, ...] = ()
    features: tuple[Text, ...] = ()
    axes: dict[str, float | tuple[float, float]] = {}
    units_per_em: int | None = None
    unicode_range: Text | None = None


class FontsFile(Written):
    """``fonts/fonts.yml``: named sets of characters, the faces that draw cards, and the web fonts of the pages."""

    characters: dict[str, tuple[Text, ...]]
    card_text: tuple[Text, ...]
    faces: dict[str, FaceSpec]
    site: dict[str, WebFontSpec]


class SwatchSpec(Written):
    """A swatch as written: colours in any CSS notation. ``tint`` and ``deep`` follow from the paper unless given."""

    paper: Text
    ink: Text
    accent: Text
    pattern: Text
    tint: Text | None = None
    deep: Text | None = None
    name: Text | None = None


class PaletteSpec(Written):
    """A palette as written: a swatch for every family, or for every category."""

    title: Text
    description: Text
    families: dict[str, SwatchSpec] | None = None
    categories: dict[str, SwatchSpec] | None = None


class SetSpec(Written):
    """A set of ``sets.yml``: which layout, font and palette draw it. ``label`` is a line of text with fields in braces.

    With ``illustrations`` a chosen illustration takes the place of the drawn card.
    """

    title: Text
    description: Text
    layout: Text
    font: Text
    palette: Text
    label: Text | None = None
    png: bool = False
    illustrations: bool = False


class PictureSource(Written):
    """Where pictures come from: an icon set of the npm registry, or, without a package, drawings of our own.

    *authors*: its icons are by many, who are named one by one. *licence_file* stands in ``radicals/``, *licence_url* elsewhere.
    """

    title: Text
    url: Text | None = None
    copyright: Text
    licence: Text
    licence_file: Text | None = None
    licence_url: Text | None = None
    authors: bool = False
    package: Text | None = None
    version: Text | None = None


Origins = Annotated[tuple[Text, ...], Field(min_length=1)]
"""What a picture is made of: ``drawn``, icons as ``noto:fire`` or ``game-icons:lorc/bow``, or a drawing with icons in it."""


class Origin(NamedTuple):
    """What a picture, or a part of it, comes from; *author* is empty where a source is credited as a whole, both where it is drawn."""

    source: str
    author: str
    icon: str


def origin(text: str) -> Origin:
    """An origin as it is written: ``drawn``, ``noto:fire``, ``game-icons:lorc/bow``."""
    source, _, path = text.partition(":")
    author, _, icon = path.rpartition("/")
    return Origin(source, author, icon)


class Depiction(Written):
    """What the coloured picture and the one-colour pictogram of a radical are made of."""

    picture: Origins
    pictogram: Origins

    def origins(self, folder: str) -> tuple[str, ...]:
        """What the drawing in a folder of ``radicals/`` is made of: ``pictures`` or ``pictograms``."""
        return {"pictures": self.picture, "pictograms": self.pictogram}[folder]


class PicturesFile(Written):
    """``radicals/pictures.yml``: the sources, and what each radical's pictures are made of, by number."""

    sources: dict[str, PictureSource]
    radicals: dict[int, Depiction]


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Illustration(Written):
    """A picture made elsewhere that a person chose for a radical, and where it comes from.

    ``sha256`` is of the original, ``stored`` of the ``file`` in ``radicals/illustrations``; what is not known is left out.
    """

    file: Annotated[str, Field(pattern=r"^radical_[0-9]{3}\.(webp|svg)$")]
    source: Text | None = None
    author: Text | None = None
    licence: Text | None = None
    model: Text | None = None
    prompt: Text | None = None
    seed: Text | None = None
    date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    sha256: Digest
    stored: Digest


@dataclass(frozen=True, slots=True)
class Swatch:
    """The colours of one family as ``#rrggbb``, resolved and checked.

    ``ink`` stands on ``paper``; ``deep`` stands on ``tint``, the pale reading of the same hue; ``stamp`` is the paper as it is
    printed on the tint, and strong enough to be cut into; ``accent`` is the quiet colour of patterns and guides.
    """

    paper: str
    ink: str
    accent: str
    tint: str
    deep: str
    stamp: str
    pattern: str
    name: str

    def colours(self) -> tuple[str, ...]:
        """All six."""
        return (self.paper, self.ink, self.accent, self.tint, self.deep, self.stamp)


@dataclass(frozen=True, slots=True)
class Palette:
    """Swatches by family or by category; ``by`` says which field of the radical chooses."""

    title: str
    description: str
    by: str
    swatches: dict[str, Swatch]

    def swatch(self, radical: Radical) -> Swatch:
        """The swatch of a radical."""
        return self.swatches[getattr(radical, self.by)]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: in which file, by which check, and what."""

    where: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.code}: {self.message}"
