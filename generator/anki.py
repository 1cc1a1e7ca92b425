"""Export as an Anki deck: two cards a radical, from the glyph to the meaning and from the picture to the glyph.

Anki knows a note again by its guid, a note type and a deck by their ids: they follow from the set and the number alone, so that a
deck imported again changes the notes that are there and their cards keep their history.
"""

import hashlib
import itertools
import json
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import genanki

from generator.cards import recipe
from generator.exports import JAPANESE, UNTOLD, Edition, Piece, edition, forms, pack, pngs, strokes, target
from generator.layouts import PICTURED
from generator.model import Error, Radical, WebFontSpec
from generator.project import CARRIED, Project, put
from generator.sets import CHOSEN
from generator.views import ja

NOTE_TYPE = 1_704_067_200_214
"""The note type's id: any number that stays."""
DECKS = 1_500_000_000_000
"""Where the ids of decks begin; a set's is that much further as its name says."""
SQLITE = 3_040_000
"""The version that the database says it was written by, whichever it was."""

GLYPH = '<div class="shown">{{Glyph card}}</div>'
PICTURE = '{{#Picture}}<div class="shown">{{Picture}}</div>{{/Picture}}'
BACK = f"""<div class="pair">{GLYPH}{PICTURE}</div>
<hr id="answer">
<div class="meanings">{{{{Meanings}}}}</div>
<div class="names">{{{{Names}}}}</div>
<div class="facts">Radical {{{{Number}}}} · {{{{Strokes}}}}{{{{#Forms}}}} · also {{{{Forms}}}}{{{{/Forms}}}}</div>
<div class="examples">{{{{Examples}}}}</div>
<div class="note">{{{{Note}}}}</div>
<div class="credits">{{{{Credits}}}}</div>"""
TEMPLATES = [
    {"name": "Glyph to meaning", "qfmt": GLYPH, "afmt": BACK},
    {
        "name": "Picture to glyph",
        "qfmt": PICTURE + '{{^Picture}}<div class="meanings">{{Meanings}}</div>{{/Picture}}\n<div class="ask">Which radical?</div>',
        "afmt": BACK,
    },
]
STYLE = """.card { font: 20px/1.45 system-ui, sans-serif; text-align: center; color: #2b2622; background: #fbfaf7; }
.card.nightMode, .nightMode .card, .night_mode .card { color: #e9e4da; background: #1f1e1c; }
[lang="ja"] { font-family: "Bushu", serif; }
.pair { display: flex; gap: 12px; justify-content: center; }
.pair .shown { flex: 0 1 220px; min-width: 0; }
.shown img { display: block; width: 300px; max-width: 100%; height: auto; margin: 0 auto; border-radius: 12px; }
hr { border: 0; border-top: 1px solid currentColor; opacity: .25; margin: 16px auto; max-width: 452px; }
.meanings { font-size: 28px; font-weight: 600; line-height: 1.2; }
.names { margin-top: 6px; }
.ask, .facts, .romaji, .note, .credits { opacity: .75; }
.ask { margin-top: 12px; }
.facts { font-size: 16px; }
.romaji { font-style: italic; }
.examples { display: inline-grid; grid-template-columns: auto auto auto; gap: 2px 14px; margin: 12px auto; text-align: left; }
.examples > :nth-child(3n + 1) { font-size: 24px; line-height: 1.2; }
.note { max-width: 452px; margin: 0 auto; font-size: 16px; }
.credits { max-width: 452px; margin: 16px auto 0; font: 11px/1.3 sans-serif, "Bushu"; }
"""


@dataclass(frozen=True, slots=True)
class Face:
    """One side of a note: a picture under a name that changes with it, for Anki keeps every file by its name.

    What it shows is told in words, and whose it is.
    """

    name: str
    content: bytes
    alt: str
    credit: str

    @property
    def shown(self) -> str:
        """As the field shows it."""
        return f'<img src="{self.name}" alt="{escape(self.alt)}">'


@dataclass(frozen=True, slots=True)
class Shown:
    """What a note is about, and its sides."""

    radical: Radical
    glyph: Face
    picture: Face | None


def write(project: Project, name: str, out: Path, jobs: int = 1) -> str:
    """Write a set as the deck *out*, an ``.apkg`` file: what there is to say."""
    target(out, ".apkg")
    with edition(project, name, jobs) as made:
        glyphs = _faces("glyph", _glyphs(made), lambda piece: piece.radical.glyph, jobs)
        pictures = _faces("picture", _pictures(made), _depicted, jobs)
        deck = _deck(made, glyphs, pictures)
        database = _database(deck, made.folder / "collection.anki2", changed(project))
    shown = [*glyphs.values(), *pictures.values()]
    media = {face.name: face.content for face in shown} | {name: content for name, _, content in _fonts(project)}
    put(out, _package(database, media))
    return f"{out}: {len(deck.notes)} notes, {sum(len(note.cards) for note in deck.notes)} cards, {len(shown)} pictures"


def _glyphs(made: Edition) -> tuple[Piece, ...]:
    """What shows the glyph alone: the set's cards, or where they show a picture too, plain ones in the same face."""
    if made.spec.layout not in PICTURED:
        return made.pieces()
    plain = made.spec.model_copy(update={"layout": "plain", "label": None, "illustrations": False})
    return made.drawn("glyphs", recipe(made.project, made.name, plain))


def _pictures(made: Edition) -> tuple[Piece, ...]:
    """What shows the meaning alone, if the set shows it."""
    if made.spec.layout not in PICTURED:
        return ()
    alone = made.drawn("pictures", recipe(made.project, made.name, bare=True))
    if not made.spec.illustrations:
        return alone
    return tuple(card if card.origin == CHOSEN else bare for card, bare in zip(made.pieces(), alone, strict=True))


def _depicted(piece: Piece) -> str:
    """What a picture shows: as its brief has it, which is of ours alone."""
    return piece.radical.headword if piece.origin == CHOSEN else piece.radical.brief


def _faces(kind: str, pieces: tuple[Piece, ...], alt: Callable[[Piece], str], jobs: int) -> dict[int, Face]:
    """The pieces as PNG files, which Anki shows everywhere, by number."""
    return {
        piece.radical.number: Face(
            f"bushu_{kind}_{piece.radical.slug}_{_short(content)}.png",
            content,
            alt(piece),
            ", ".join(filter(None, (piece.source, piece.licence))) or UNTOLD,
        )
        for piece, content in zip(pieces, pngs(pieces, jobs), strict=True)
    }


def deck_id(name: str) -> int:
    """The id of a set's deck."""
    return DECKS + zlib.crc32(name.encode())


def guid(name: str, radical: Radical) -> str:
    """What Anki knows a radical's note by, in the deck of a set."""
    return hashlib.sha256(f"bushu/{name}/{radical.number}".encode()).hexdigest()[:20]


def _deck(made: Edition, glyphs: dict[int, Face], pictures: dict[int, Face]) -> Any:
    fonts = _fonts(made.project)
    style = "".join(rule for _, rule, _ in fonts) + STYLE
    model = genanki.Model(NOTE_TYPE, "Bushu radical", fields=[{"name": field} for field in FIELDS], templates=TEMPLATES, css=style)
    told = (made.spec.description, *(f"{face.title}: {face.copyright} {face.licence}." for face in _text_faces(made.project)))
    deck = genanki.Deck(deck_id(made.name), f"Bushu: {made.spec.title}", "<br>".join(map(escape, told)))
    for radical in made.project.radicals:
        shown = Shown(radical, glyphs[radical.number], pictures.get(radical.number))
        values, tags = [field(shown) for field in FIELDS.values()], [f"family::{radical.family}", f"strokes::{radical.strokes:02d}"]
        deck.add_note(genanki.Note(model, values, tags=tags, guid=guid(made.name, radical), due=radical.number))
    return deck


def _text_faces(project: Project) -> list[WebFontSpec]:
    return [project.fonts.site[name] for name in JAPANESE]


def _fonts(project: Project) -> list[tuple[str, str, bytes]]:
    """The fonts of the Japanese text, which not every system has: file name, style rule and content.

    Anki keeps a file that no field shows if its name begins with ``_``.
    """
    found = []
    for face in _text_faces(project):
        content = project.path(f"fonts/{face.file}").read_bytes()
        name = f"_bushu_{_short(content)}_{face.file}"
        covers = f" unicode-range: {face.unicode_range};" if face.unicode_range else ""
        found.append((name, f'@font-face {{ font-family: "Bushu"; src: url("{name}");{covers} }}\n', content))
    return found


def _short(content: bytes) -> str:
    """What tells a file from another of its kind."""
    return hashlib.sha256(content).hexdigest()[:8]


def _ja(text: str) -> str:
    """Japanese, set as such on every system."""
    return f'<span lang="ja">{escape(text)}</span>'


def _names(radical: Radical) -> str:
    return "<br>".join(f'{_ja(name.kana)} <span class="romaji">{escape(name.romaji)}</span>' for name in radical.names)


def _examples(radical: Radical) -> str:
    return "".join(f"{_ja(e.kanji)}{_ja(e.reading)}<span>{escape(e.meaning)}</span>" for e in radical.examples)


def _credits(shown: Shown) -> Iterator[str]:
    yield ja(f"Glyph: {shown.glyph.credit}")
    if shown.picture:
        yield ja(f"Picture: {shown.picture.credit}")


FIELDS: dict[str, Callable[[Shown], str]] = {
    "Number": lambda shown: shown.radical.slug,
    "Radical": lambda shown: _ja(shown.radical.glyph),
    "Picture": lambda shown: shown.picture.shown if shown.picture else "",
    "Glyph card": lambda shown: shown.glyph.shown,
    "Names": lambda shown: _names(shown.radical),
    "Meanings": lambda shown: escape(", ".join(shown.radical.meanings)),
    "Strokes": lambda shown: strokes(shown.radical),
    "Forms": lambda shown: " ".join(map(_ja, forms(shown.radical))),
    "Examples": lambda shown: _examples(shown.radical),
    "Note": lambda shown: ja(shown.radical.note),
    "Credits": lambda shown: "<br>".join(_credits(shown)),
}
"""What a note says, as HTML: the fields of the note type, in its order."""


def changed(project: Project) -> int:
    """When the deck was last changed, in seconds: SOURCE_DATE_EPOCH, or the date of the newest file of data or code.

    It has to be later whenever anything is changed, which neither a fixed date nor a version is. Where a file is taken away, its
    folder is what has changed.
    """
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        if not epoch.isdecimal():
            raise Error(f"SOURCE_DATE_EPOCH: {epoch!r} is not a date in seconds since 1970, unset it or give such a number")
        return int(epoch)
    paths = [project.path(name) for name in ("palette.yml", "sets.yml")] + list(Path(__file__).parent.glob("*.py"))
    for folder in (base / name for base in (CARRIED, project.root) for name in ("radicals", "fonts")):
        paths += [folder, *folder.rglob("*")]
    return int(max(path.stat().st_mtime for path in paths if path.exists()))


def _database(deck: Any, path: Path, date: int) -> bytes:
    """The deck as Anki's database. A note takes the place of an older one only if its *date* is later."""
    with sqlite3.connect(path) as connection:
        genanki.Package(deck).write_to_db(connection.cursor(), date, itertools.count(deck.deck_id))
    connection.close()
    content = bytearray(path.read_bytes())
    content[96:100] = SQLITE.to_bytes(4, "big")
    return bytes(content)


def _package(database: bytes, media: dict[str, bytes]) -> bytes:
    """An ``.apkg`` file: the database, the media under numbers, and their names. Stored, for they cannot be packed further."""
    names = json.dumps({str(index): name for index, name in enumerate(media)})
    files = ((str(index), content) for index, content in enumerate(media.values()))
    return pack([("collection.anki2", database), ("media", names.encode()), *files], zipfile.ZIP_STORED)
