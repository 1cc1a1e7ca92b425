"""What the gallery's templates show of radicals, cards and fonts: worked out here once, so that the templates stay plain."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from markupsafe import Markup, escape

from generator import kana
from generator.model import FontSpec, Groups, Name, PicturesFile, PictureSource, Radical, WebFontSpec, origin
from generator.svg import CANVAS, LAYERS

NUMERALS = "〇一二三四五六七八九"
TOLD = re.compile(r"<svg .*?</metadata>", re.DOTALL)
LAYER_ID = re.compile(rf'<g id="[^"]*-(?:{"|".join(LAYERS)})"')
COLUMNS = 18
"""Cards side by side in a set's sheet."""
SIDE = 96
"""Side of a card in a set's sheet."""
VERTICAL = 11
"""How many kana of names stand in a column beside the headword."""
ENGLISH = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
)
"""Small numbers in words."""
JAPANESE = re.compile("([\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)")
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "th": "columnheader", "td": "cell"}
"""What the parts of a table are, said outright: a browser forgets it where styles make blocks of them."""
TABLE = re.compile(rf"<({'|'.join(ROLES)})(?=[ >])(?![^>]* role=)")
KINDS = {"svg": "SVG", "webp": "WebP"}
"""What the kinds of cards' files are called, by their endings."""
FAMILIES = ("Newsreader", "Instrument Sans", "Shippori Mincho")
"""The font families of the styles."""


def numeral(value: int) -> str:
    """A number up to 99 in kanji: 14 is 十四."""
    tens, ones = divmod(value, 10)
    ten = f"{NUMERALS[tens] if tens > 1 else ''}十" if tens else ""
    return ten + (NUMERALS[ones] if ones else "")


def plural(count: int, word: str) -> str:
    """``1 stroke``, ``2 strokes``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def words(count: int) -> str:
    """A small number in English words, a larger one in digits."""
    return ENGLISH[count] if count < len(ENGLISH) else str(count)


def ja(text: str) -> Markup:
    """Running text for a page, with every Japanese run marked as such."""
    return Markup(JAPANESE.sub(r'<span lang="ja">\1</span>', str(escape(text))))


def prose(html: str) -> Markup:
    """A written page's text for keyboards and screen readers: code can be scrolled, and a table stays one however the styles lay it out."""
    roled = TABLE.sub(lambda found: f'{found[0]} role="{ROLES[found[1]]}"', html)
    return Markup(roled.replace("<pre>", '<pre tabindex="0">'))


@lru_cache(2048)  # under `mkdocs serve` most cards are as they were
def inline(text: str) -> str:
    """A drawn card as an element of an HTML page: silent, because the link around it has words, and without namespace.

    A card that passed its checks begins with title, description and metadata, and its layers alone carry ids that nothing refers to.
    """
    silent = TOLD.sub(f'<svg viewBox="0 0 {CANVAS} {CANVAS}" aria-hidden="true">', text, count=1)
    return LAYER_ID.sub("<g", silent).replace(" />", "/>").rstrip()


def linked(file: str) -> str:
    """An illustration, which stays a file of its own, as an element of a page in the same folder: silent, like a drawn card."""
    return f'<svg viewBox="0 0 {CANVAS} {CANVAS}" aria-hidden="true"><image href="{file}" width="{CANVAS}" height="{CANVAS}"/></svg>'


def kind(file: str) -> str:
    """What kind of file a card is."""
    return KINDS[file.rpartition(".")[2]]


def moved(card: str, folder: str) -> str:
    """A card's markup for a page from which *folder* leads to the card's file."""
    return card.replace('<image href="', f'<image href="{folder}', 1)


def sheet(cards: Iterable[str]) -> str:
    """All inlined cards of a set in one SVG file: a contact sheet, from which the index takes the cards one by one."""
    placed = [
        card.replace("<svg ", f'<svg x="{i % COLUMNS * SIDE}" y="{i // COLUMNS * SIDE}" width="{SIDE}" height="{SIDE}" ', 1)
        for i, card in enumerate(cards)
    ]
    size = f"0 0 {COLUMNS * SIDE} {-(-len(placed) // COLUMNS) * SIDE}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}">{"".join(placed)}</svg>\n'


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from filter(None, map(kana.fold, re.split(r"[\s\-]+", text)))


def every_name(radical: Radical) -> list[Name]:
    """The names of a radical and then those of its variants, each once."""
    variants = [name for variant in radical.variants for name in variant.names]
    return list(dict.fromkeys((*radical.names, *variants)))


def terms(radical: Radical) -> str:
    """The folded words that a search finds a radical by, the weightiest first."""
    names = every_name(radical)
    signs = [radical.glyph, radical.japanese or "", *(variant.glyph for variant in radical.variants)]
    spelt = [spelling for name in names for spelling in (name.kana, name.romaji, kana.spelling(name.kana))]
    return " ".join(dict.fromkeys(_words([*signs, radical.headword, *spelt, *radical.meanings[1:]])))


def upright(radical: Radical) -> list[str]:
    """The names that fit in the vertical line beside the headword, at least one."""
    fitting: list[str] = []
    for name in every_name(radical):
        if fitting and len("・".join([*fitting, name.kana])) > VERTICAL:
            break
        fitting.append(name.kana)
    return fitting


def where(positions: Iterable[str], groups: Groups) -> str:
    """Positions in words: ``left``, ``top or bottom``."""
    return " or ".join(groups.positions[position].meaning for position in positions)


def named(radical: Radical, groups: Groups) -> list[tuple[Name, str, str]]:
    """Names with the place and the form they belong to: the radical's own, then each variant's. A name is listed once."""
    full = "on its own" if any(variant.names for variant in radical.variants) else ""
    rows = dict.fromkeys(radical.names, (full, radical.glyph if full else ""))
    for variant in radical.variants:
        for name in variant.names:
            rows[name] = (where(variant.positions, groups), variant.glyph)
    return [(name, place, form) for name, (place, form) in rows.items()]


def strokes(radical: Radical) -> list[tuple[str, str]]:
    """Other stroke counts than Kangxi's: how many, and of what."""
    today = [(f"{radical.strokes_japanese} today", radical.japanese or "")] if radical.strokes_japanese else []
    differing = [variant for variant in radical.variants if variant.strokes != radical.strokes]
    return today + [(f"{variant.strokes} as", variant.glyph) for variant in differing]


def description(radical: Radical) -> str:
    """A sentence for search engines and link previews."""
    names = ", ".join(f"{name.kana} {name.romaji}" for name in radical.names[:2])
    return f"{radical.glyph}, radical {radical.number} of 214: {', '.join(radical.meanings)} ({names}). {radical.note}"


def kilobytes(total: int) -> str:
    """A size in bytes for a reader: ``293 kB``."""
    return f"{round(total / 1000)} kB"


def short(title: str) -> str:
    """The first word of a family's title, for a narrow place: *Fire* of *Fire and rite*."""
    return re.split(r",| and ", title)[0]


def credited(fonts: Iterable[FontSpec]) -> list[tuple[str, FontSpec]]:
    """Fonts to credit, one entry a licence file: the titles that it covers, and the record of the first."""
    found: dict[str, list[FontSpec]] = {}
    for font in fonts:
        found.setdefault(font.licence_file, []).append(font)
    return [(", ".join(dict.fromkeys(font.title.split(",")[0] for font in same)), same[0]) for same in found.values()]


def makers(pictures: PicturesFile) -> list[tuple[PictureSource, str, list[str]]]:
    """Whose pictures there are: source, author (empty where a source is credited as a whole) and the icons taken."""
    found: dict[tuple[str, str], set[str]] = {}
    for depiction in pictures.radicals.values():
        for source, author, icon in map(origin, (*depiction.picture, *depiction.pictogram)):
            found.setdefault((source, author), set()).add(icon)
    order = list(pictures.sources)
    return [(pictures.sources[s], a, sorted(found[s, a] - {""})) for s, a in sorted(found, key=lambda key: (order.index(key[0]), key[1]))]


def font_faces(fonts: Iterable[WebFontSpec]) -> str:
    """The @font-face rules of the web fonts that the styles use."""
    return "".join(_font_face(font) for font in fonts if font.family in FAMILIES)


def tight(styles: str) -> str:
    """Style rules without comments and needless space."""
    bare = re.sub(r"/\*.*?\*/", "", styles, flags=re.DOTALL)
    return re.sub(r";?\s*([{};>])\s*|(?<=[a-z]:)\s+|(?<=,)\s+", lambda found: found[1] or "", bare)


def _font_face(font: WebFontSpec) -> str:
    rules = {
        "font-family": f'"{font.family}"',
        "src": f'url(../fonts/{font.file}) format("woff2")',
        "font-weight": font.weight,
        "font-style": font.style,
        "unicode-range": font.unicode_range,
        "font-display": "swap",
    }
    return "@font-face{" + ";".join(f"{key}:{value}" for key, value in rules.items() if value) + "}\n"
