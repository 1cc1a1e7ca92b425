"""Export as a PDF of cards to print on both sides and cut out: the set's cards, and behind each what there is to know.

Everything is vector but illustrations that fpdf2 could not draw truly. A back lies behind its front when the sheet is turned over
its long edge.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from fpdf import FPDF
from fpdf.fonts import TTFFont

from generator import raster
from generator.cards import swatch
from generator.exports import JAPANESE, Edition, Piece, edition, forms, owed, strokes, target
from generator.model import Error, Radical, nearest
from generator.pdf import drawing, is_plain
from generator.project import Project, put
from generator.subset import unpacked
from generator.views import every_name

PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Sheets, in mm."""
CELL = 63.0
"""A card's side when it is cut out; three by four of them fit on both papers."""
COLUMNS, ROWS = 3, 4
SHEET = COLUMNS * ROWS
INSET = 3.0
"""The white edge around a card, which forgives scissors and printers."""
PADDING = 5.0
EDGE = 0.6
"""How much of it is painted white, in mm."""
WIDTH = CELL - 2 * PADDING
"""What a back has for its text."""
LATIN = "instrument-sans"
"""The pages' font of ``fonts.yml`` that sets the backs' English."""
INK, QUIET, FAINT = "#26221f", "#6f6862", "#b9b4ad"


class Style(NamedTuple):
    """How a line of text is set."""

    font: str
    weight: str
    size: float
    ink: str


GLYPH = Style(JAPANESE[0], "", 28, INK)
FORMS = Style(JAPANESE[0], "", 13, QUIET)
NUMBER = Style(LATIN, "B", 13, INK)
STROKES = Style(LATIN, "", 7, QUIET)
HEADWORD = Style(LATIN, "B", 13, INK)
MEANINGS = Style(LATIN, "", 8, QUIET)
KANA = Style(JAPANESE[0], "", 9.5, INK)
ROMAJI = Style(LATIN, "", 8, QUIET)
KANJI = Style(JAPANESE[0], "", 12, INK)
READING = Style(JAPANESE[0], "", 8, INK)
GLOSS = Style(LATIN, "", 7.5, QUIET)
FOOT = Style(LATIN, "", 6, QUIET)
HEADING = Style(LATIN, "B", 10, INK)

PIXELS = 800
"""Side of an illustration that is printed in pixels: about 350 to an inch."""
QUALITY = 90
DATE = datetime(2000, 1, 1, tzinfo=UTC)
"""A PDF must have one; the same cards are the same file."""
POINT, LEADING = 25.4 / 72, 1.2
"""A point in mm, and the height of a line in sizes."""
CROSS = 1.5
"""Half of a cross where cards meet."""
NAMES = 2
"""How many names a back has."""


def write(project: Project, name: str, out: Path, jobs: int = 1, paper: str = "a4") -> str:
    """Write a set as the PDF file *out* on A4 or Letter: what there is to say."""
    target(out, ".pdf")
    if paper not in PAPERS:
        raise Error(f"--paper: unknown paper {paper!r}, {nearest(paper, PAPERS)}")
    with edition(project, name, jobs) as made:
        pieces = made.pieces()
        pdf = _document(made, paper)
        _sheets(pdf, made, pieces, paper)
        _credits(pdf, made, pieces)
        put(out, bytes(pdf.output()))
    return f"{out}: {pdf.pages_count} pages"


def slot(paper: str, index: int, back: bool = False) -> tuple[float, float]:
    """Where a card lies on its sheet: left and top in mm. The columns of a back are mirrored, for the sheet is turned over."""
    width, height = PAPERS[paper]
    row, column = divmod(index % SHEET, COLUMNS)
    column = COLUMNS - 1 - column if back else column
    return (width - COLUMNS * CELL) / 2 + column * CELL, (height - ROWS * CELL) / 2 + row * CELL


def _document(made: Edition, paper: str) -> FPDF:
    """An empty document with its fonts. :class:`Error` if they lack a character of the data."""
    pdf = FPDF(unit="mm", format=PAPERS[paper])
    pdf.set_creation_date(DATE)
    pdf.set_title(f"Bushu: {made.spec.title}")
    pdf.set_producer("Bushu")
    pdf.set_lang("en")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    for name, style, location in ((LATIN, "", {"wght": 400.0}), (LATIN, "B", {"wght": 600.0}), *((name, "", {}) for name in JAPANESE)):
        pdf.add_font(name, style, _font(made, name, style, location))
    pdf.set_fallback_fonts([*JAPANESE, LATIN], exact_match=False)
    _refuse_missing(pdf, made.project)
    return pdf


def _font(made: Edition, name: str, style: str, location: dict[str, float]) -> Path:
    """A font of the pages as fpdf2 takes it."""
    if not find_spec("brotli"):
        raise Error("print: the package brotli is missing, which opens the fonts: pip install brotli")
    path = made.folder / f"{name}{style}.ttf"
    path.write_bytes(unpacked(made.project.path(f"fonts/{made.project.fonts.site[name].file}"), f"{name}{style}", location))
    return path


def _characters(pdf: FPDF) -> set[str]:
    """What the document's fonts have."""
    return {chr(code) for font in pdf.fonts.values() if isinstance(font, TTFFont) for code in font.cmap}


def _refuse_missing(pdf: FPDF, project: Project) -> None:
    known = _characters(pdf)
    for radical in project.radicals:
        if missing := sorted(set("".join(_texts(radical))) - known):
            raise Error(f"fonts: no ink for {missing[0]!r} of radical {radical.number}, make the fonts anew with `make fonts`")


def _texts(radical: Radical) -> Iterator[str]:
    """Everything that the back of a card may say."""
    yield from (radical.glyph, *forms(radical), *radical.meanings)
    yield from (text for name in every_name(radical) for text in (name.kana, name.romaji))
    yield from (text for example in radical.examples for text in (example.kanji, example.reading, example.meaning))


def _sheets(pdf: FPDF, made: Edition, pieces: tuple[Piece, ...], paper: str) -> None:
    """All sheets, fronts and backs in turn."""
    count = -(-len(pieces) // SHEET)
    for sheet in range(count):
        shown = pieces[sheet * SHEET : (sheet + 1) * SHEET]
        for back in (False, True):
            pdf.add_page()
            _cuts(pdf, paper)
            _text(pdf, FOOT, (0, pdf.h - 8), f"Bushu: {made.spec.title} · sheet {sheet + 1} of {count}", pdf.w, "C")
            for index, piece in enumerate(shown):
                (_back if back else _front)(pdf, made, piece, slot(paper, index, back))


def _cuts(pdf: FPDF, paper: str) -> None:
    """Marks where to cut: at the edge of the sheet, and a cross where four cards meet."""
    left, top = slot(paper, 0)
    columns, rows = ([start + CELL * n for n in range(count + 1)] for start, count in ((left, COLUMNS), (top, ROWS)))
    pdf.set_line_width(0.1)
    pdf.set_draw_color(FAINT)
    for x in columns:
        for y in rows:
            across, down = (CROSS * (2 if at in (ends[0], ends[-1]) else 1) for at, ends in ((x, columns), (y, rows)))
            pdf.line(x - across, y, x + across, y)
            pdf.line(x, y - down, x, y + down)


def _front(pdf: FPDF, made: Edition, piece: Piece, at: tuple[float, float]) -> None:
    """The card, with a white edge."""
    x, y, side = at[0] + INSET, at[1] + INSET, CELL - 2 * INSET
    content = piece.path.read_bytes()
    if piece.path.suffix == ".svg" and is_plain(text := content.decode()):
        pdf.draw_path(drawing(text, x, y, side), copy=False)
    else:
        pixels = io.BytesIO()
        raster.opened(content, PIXELS).save(pixels, "JPEG", quality=QUALITY)
        pdf.image(pixels, x, y, side, side)
    pdf.set_draw_color(255)  # a viewer that cuts at whole pixels lets patterns show over the edge
    pdf.set_line_width(EDGE)
    pdf.rect(x - EDGE / 2, y - EDGE / 2, side + EDGE, side + EDGE)


def _text(pdf: FPDF, style: Style, at: tuple[float, float], text: str, width: float, align: str = "L") -> float:
    """One line of text at a place (its top), set smaller if it is too long: how wide it became."""
    pdf.set_font(style.font, style.weight, style.size)
    needed = pdf.get_string_width(text)
    size = style.size * min(1, width / needed) if needed else style.size
    pdf.set_font_size(size)
    pdf.set_text_color(style.ink)
    pdf.set_xy(*at)
    pdf.cell(width, size * POINT * LEADING, text, align=align)
    return min(needed, width)


def _back(pdf: FPDF, made: Edition, piece: Piece, at: tuple[float, float]) -> None:
    """What there is to know, on white."""
    radical, left, top = piece.radical, at[0] + PADDING, at[1] + PADDING
    colour = swatch(made.project.palettes[made.spec.palette], radical).stamp
    x = left + _text(pdf, GLYPH, (left, top - 1), radical.glyph, WIDTH) + 2.5
    _text(pdf, FORMS, (x, top + 4.2), " ".join(forms(radical)), 20)
    _text(pdf, NUMBER._replace(ink=colour), (left, top), str(radical.number), WIDTH, "R")
    _text(pdf, STROKES, (left, top + 5.5), strokes(radical), WIDTH, "R")
    pdf.set_fill_color(colour)
    pdf.rect(left, top + 11.6, WIDTH, 0.5, style="F")
    _text(pdf, HEADWORD, (left, top + 13.2), radical.headword, WIDTH)
    _text(pdf, MEANINGS, (left, top + 19), ", ".join(radical.meanings[1:]), WIDTH)
    y = _names(pdf, radical, left, top + (24 if radical.meanings[1:] else 20.5))
    _examples(pdf, radical, left, y + 1.6, at[1] + CELL - INSET)


def _names(pdf: FPDF, radical: Radical, left: float, y: float) -> float:
    """The first names, one a line: where the next line would be."""
    for name in every_name(radical)[:NAMES]:
        x = left + _text(pdf, KANA, (left, y), name.kana, 30) + 2
        _text(pdf, ROMAJI, (x, y + 0.4), name.romaji, left + WIDTH - x)
        y += 4.6
    return y


def _examples(pdf: FPDF, radical: Radical, left: float, y: float, bottom: float) -> None:
    """As many examples as there is room for, one a line."""
    room = int((bottom - y + 0.3) / 5)  # the last line needs a little less
    for row, example in enumerate(radical.examples[:room]):
        top = y + 5 * row
        _text(pdf, KANJI, (left, top), example.kanji, 6)
        x = left + 7 + _text(pdf, READING, (left + 7, top + 0.9), example.reading, 20) + 2
        _text(pdf, GLOSS, (x, top + 0.9), example.meaning, left + WIDTH - x)


def _credits(pdf: FPDF, made: Edition, pieces: tuple[Piece, ...]) -> None:
    """Whose everything is, in columns at the end."""
    fonts = [made.project.fonts.site[name] for name in (LATIN, *JAPANESE)]
    lines = [f"{font.title}. {font.copyright.rstrip('.')}. {font.licence}: text" for font in fonts]
    known, text = _characters(pdf) | {"\n"}, "\n".join([*lines, *owed(pieces)])
    pdf.add_page()
    pdf.set_margin(12)
    pdf.set_auto_page_break(True, 12)
    _text(pdf, HEADING, (12, 12), "Credits", 100)
    pdf.set_font(FOOT.font, FOOT.weight, FOOT.size)
    pdf.set_text_color(FOOT.ink)
    pdf.set_xy(12, 19)
    with pdf.text_columns(ncols=3, gutter=5, balance=True, line_height=1.25) as columns:
        columns.write("".join(sign if sign in known else "?" for sign in text))
