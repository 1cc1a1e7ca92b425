"""Subsets of fonts: the characters that have ink, merged from a font's pieces and cut free of all that nobody reads.

The same pieces and characters give the same bytes: a file's time is its source's, and nothing depends on the order of files or sets.
"""

import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fontTools import varLib
from fontTools.designspaceLib import DesignSpaceDocument
from fontTools.merge import Merger
from fontTools.pens.boundsPen import BoundsPen
from fontTools.subset import Options, Subsetter, parse_unicodes
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.varLib.instancer import instantiateVariableFont

from generator.model import Error, FaceSpec, Source, WebFontSpec

KEPT_NAMES = [0, 1, 13, 14]  # copyright, family, licence, licence URL
USELESS = ["BASE", "DSIG", "GDEF", "MVAR", "STAT", "gasp", "mort"]
LAYOUT = ["GPOS", "GSUB"]
VERTICAL = ["VORG", "vhea", "vmtx"]

Axes = Mapping[str, float | tuple[float, float]]
"""Where on its axes a variable font is wanted: at one place, or between two."""


def spelled(item: str) -> set[str]:
    """The characters of U+3041-3096, or of the characters themselves."""
    return set(map(chr, parse_unicodes(item))) if item.startswith("U+") else set(item)


def ranges(characters: Iterable[str]) -> str:
    """The characters as CSS writes them: U+3041-3096, U+4E00."""
    runs = itertools.groupby(enumerate(sorted(map(ord, characters))), key=lambda pair: pair[1] - pair[0])
    spans = [[code for _, code in run] for _, run in runs]
    return ", ".join(f"U+{span[0]:X}" + (f"-{span[-1]:X}" if len(span) > 1 else "") for span in spans)


def picked(names: Iterable[str], characters: dict[str, set[str]], key: str) -> set[str]:
    """The characters of all the named sets."""
    unknown = [name for name in names if name not in characters]
    if unknown:
        raise Error(f"fonts/fonts.yml: {key}: no characters named {unknown[0]}, known: {', '.join(characters)}")
    return set[str]().union(*(characters[name] for name in names))


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


def pruned(font: TTFont, text: set[str], features: Sequence[str]) -> TTFont:
    """*font* with the glyphs of *text* only, without hints, without names that nobody reads."""
    options = Options(hinting=False, notdef_outline=False, layout_features=list(features), name_IDs=KEPT_NAMES, name_languages=[0x409])
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


def unpacked(path: Path, name: str, location: dict[str, float]) -> bytes:
    """A font of the pages for whoever needs it uncompressed, at one place on its axes, under a name, and sets one glyph after another."""
    font = TTFont(path, recalcTimestamp=False)
    for tag in {*LAYOUT, *VERTICAL} & {*font.keys()}:
        del font[tag]
    pinned = instantiateVariableFont(font, location) if location else font
    pinned["name"].setName(name, 4, 3, 1, 0x409)
    return saved(pinned, None)


def static(fonts: list[TTFont], text: set[str], features: Sequence[str], location: dict[str, float]) -> TTFont:
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


def assembled(fonts: list[TTFont], text: set[str], features: Sequence[str], axes: Axes) -> TTFont:
    """The font with all of *text*: static, or variable along *axes* that have two ends (masters can be merged, variable fonts cannot)."""
    fixed = {tag: value for tag, value in axes.items() if not isinstance(value, tuple)}
    free = {tag: value for tag, value in axes.items() if isinstance(value, tuple)}
    corners = [dict(zip(free, corner, strict=True)) for corner in itertools.product(*free.values())]
    masters = [(corner, static(fonts, text, features, fixed | corner)) for corner in corners]
    return interpolated(masters, free) if free else masters[0][1]


def built_face(face: FaceSpec, fonts: list[TTFont], characters: dict[str, set[str]], card_text: Iterable[str]) -> bytes:
    """A face of the cards: plain, so that reading it needs no decompressor."""
    text = picked(card_text, characters, "card_text") | set(face.substitutes.values())
    return saved(assembled(fonts, text, [], {}), None)


def built_web_font(font: WebFontSpec, fonts: list[TTFont], characters: dict[str, set[str]]) -> bytes:
    """A font of the pages, compressed."""
    text = picked(font.text, characters, f"{font.file}: text") - picked(font.without, characters, f"{font.file}: without")
    result = assembled(fonts, text, font.features, font.axes)
    if font.units_per_em:
        scale_upem(result, font.units_per_em)
    return saved(result, "woff2")
