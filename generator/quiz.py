"""A blind test of a set's pictures: contact sheets with codes, a list of words, and a form for the guesses; the key lies apart.

Orders follow from digests and not from :mod:`random`, whose shuffling may change from one Python to the next.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from generator.cards import LABEL_FACE, card, recipe, vendored
from generator.layouts import PICTURED, draw
from generator.model import COUNT, Error, Radical
from generator.project import Project, replacing, writing
from generator.scoring import HEADING, Key, Shown, read_form, read_key
from generator.sets import swap

if TYPE_CHECKING:
    from PIL import Image

LETTERS, DIGITS = "CDFHJKLMNPRTVWX", "23456789"
CODES = ["".join(signs) for signs in product(LETTERS, LETTERS, DIGITS)]
"""What pictures are called: without vowels, so that no code is a word or a month, or letters that look like digits."""
COLUMNS, ROWS = 5, 4
SIDE, GAP, CAPTION = 220, 16, 52
"""Pixels of a picture, between pictures, and of the strip with the code under each: a sheet is 1196 wide."""
GROUND, INK = "#ffffff", "#1c1a17"
README, WORDS, FORM, SHEETS = "README.txt", "headwords.txt", "answers.csv", "sheets"
OURS = re.compile(rf"{README}|{WORDS}|{FORM}|{SHEETS}(/sheet-\d+\.png)?")

Item = TypeVar("Item", bound=Hashable)
Progress = Callable[[int], object]


def _shuffled(items: Iterable[Item], purpose: str) -> list[Item]:
    """The items in an order that follows from the *purpose* alone, not from the order they came in."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{purpose}/{item}".encode()).digest())


def make_key(project: Project, name: str, seed: int, radicals: Iterable[Radical]) -> Key:
    """The key of a test of these radicals. With one seed a radical has one code, whichever others are asked."""
    spec = project.sets[name]
    if spec.layout not in PICTURED or spec.illustrations:
        raise Error(f"--set: {name} has no bare pictures, choose a set of drawings whose layout is one of {', '.join(PICTURED)}")
    codes = dict(zip(range(1, COUNT + 1), _shuffled(CODES, f"{seed}/code"), strict=False))
    by_number = {radical.number: radical for radical in radicals}
    shown = [by_number[number] for number in _shuffled(by_number, f"{seed}/order")]
    words = sorted({radical.headword for radical in project.radicals}, key=lambda word: (word.casefold(), word))
    pictures = {codes[r.number]: Shown(number=r.number, glyph=r.glyph, word=r.headword) for r in shown}
    return Key(set=name, seed=seed, words=tuple(words), pictures=pictures)


def pictures(project: Project, name: str, radicals: Iterable[Radical]) -> list[str]:
    """The bare cards of a set as SVG text."""
    made = recipe(project, name, bare=True)
    return [draw(card(made, radical), made.spec.layout, alone=True) for radical in radicals]


def sheet(cards: Mapping[str, str], face: Path) -> "Image.Image":
    """A contact sheet of cards by code, with the code under each."""
    from PIL import Image, ImageDraw, ImageFont

    from generator import raster

    font = ImageFont.truetype(face, 36, layout_engine=ImageFont.Layout.BASIC)
    width, height = GAP + (SIDE + GAP) * COLUMNS, GAP + (SIDE + CAPTION + GAP) * -(-len(cards) // COLUMNS)
    made = Image.new("RGB", (width, height), GROUND)
    pen = ImageDraw.Draw(made)
    for index, (code, svg) in enumerate(cards.items()):
        row, column = divmod(index, COLUMNS)
        x, y = GAP + (SIDE + GAP) * column, GAP + (SIDE + CAPTION + GAP) * row
        made.paste(raster.image(svg, SIDE), (x, y))
        pen.text((x + SIDE / 2, y + SIDE + CAPTION / 2), code, INK, font, "mm")
    return made


INSTRUCTIONS = """\
What do the pictures show?

The folder sheets has pictures with a code under each. Every picture stands for one word of the list in headwords.txt. Look at each
picture by itself and write the word that it shows into answers.csv, in the line of its code:

    code,first,second,third
    XYZ,your best guess,your second,your third

One guess is enough if you are sure. If you have no idea, leave the line as it is.

- Write the words as they stand in the list.
- Use each word as often as you want. Leave none out because you have used it for another picture, and choose none because it is
  left over: guess each picture as if it were the only one.
- Look at nothing but the pictures and the list.
"""


def _texts(key: Key) -> dict[str, str]:
    form = [",".join(HEADING), *(code + "," * (len(HEADING) - 1) for code in key.pictures)]
    return {
        README: INSTRUCTIONS,
        WORDS: "\n".join(key.words) + "\n",
        FORM: "\n".join(form) + "\n",
    }


def files(project: Project, key: Key, progress: Progress = id) -> dict[str, bytes]:
    """What a subject gets: contents by name. *progress* is told how many pictures each sheet has."""
    from generator.raster import packed

    by_number = {radical.number: radical for radical in project.radicals}
    face, codes = vendored(project, LABEL_FACE).path, list(key.pictures)
    found = {name: text.encode() for name, text in _texts(key).items()}
    for page, start in enumerate(range(0, len(codes), COLUMNS * ROWS), 1):
        some = codes[start : start + COLUMNS * ROWS]
        drawn = pictures(project, key.set, [by_number[key.pictures[code].number] for code in some])
        found[f"{SHEETS}/sheet-{page:02d}.png"] = packed(sheet(dict(zip(some, drawn, strict=True)), face))
        progress(len(some))
    return found


def key_path(folder: Path) -> Path:
    """Where the key of the test in *folder* lies unless told otherwise: beside it."""
    folder = folder.resolve()
    return folder.with_name(f"{folder.name}.key.json")


def write(project: Project, key: Key, folder: Path, key_file: Path, progress: Progress = id) -> None:
    """Write a test into *folder* and its key to *key_file*, both or neither, over nothing but a test that nobody has answered."""
    folder, key_file = folder.resolve(), key_file.resolve()
    _refuse(folder, key_file)
    found = files(project, key, progress)
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing(key_file) as temporary, writing(folder), tempfile.TemporaryDirectory(dir=folder.parent, prefix=".quiz-") as beside:
        made = Path(beside) / folder.name
        for name, content in found.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        temporary.write_text(json.dumps(key.model_dump(), ensure_ascii=False, indent=1) + "\n", "utf-8", newline="\n")
        swap(made, folder)


def _refuse(folder: Path, key_file: Path) -> None:
    """:class:`Error` where writing would lose something, or hand the key to the subjects."""
    if key_file.is_relative_to(folder):
        raise Error(f"--key: {key_file}: lies in {folder}, which the subjects get, keep it elsewhere")
    if key_file.exists():
        read_key(key_file)
    if Path.cwd().is_relative_to(folder):
        raise Error(f"{folder}: is the folder that you are in, give another one")
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / FORM).is_file():
        raise Error(f"{folder}: exists and is not a test that Bushu made, give another folder")
    for path in sorted(folder.rglob("*")):
        if not OURS.fullmatch(path.relative_to(folder).as_posix()):
            raise Error(f"{path}: is not part of a test that Bushu made, move it away or give another folder")
    if any(read_form(folder / FORM).values()):
        raise Error(f"{folder / FORM}: has answers in it, move them away or give another folder")
