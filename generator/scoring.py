"""What the guesses of a blind test were worth: the key, the answer forms as people save them, and the score.

Only words of the list are right. The list has each headword once: where radicals share one, it is right for each of them.
"""

import csv
import io
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from generator.model import COUNT, Error, Sign, Text, Written
from generator.project import put, validated

HEADING = ("code", "first", "second", "third")
"""The heading of an answer form."""
MOST = 20
"""How many lines of a kind are reported; programs get all."""

Form = dict[str, tuple[str, ...]]
"""A subject's guesses by code, in order, as they were typed."""


class Shown(Written):
    """What a picture shows."""

    number: Annotated[int, Field(ge=1, le=COUNT)]
    glyph: Sign
    word: Text


class Key(Written):
    """What the codes of a test stand for, in the order of its sheets, and the words of its list."""

    set: Text
    seed: int
    words: Annotated[tuple[Text, ...], Field(min_length=1)]
    pictures: Annotated[dict[Text, Shown], Field(min_length=1)]


def read_key(path: Path) -> Key:
    """The key in a file."""
    try:
        loaded = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Error(f"{path}: not the key of a test that can be read ({error}), give the .key.json that was made with it") from None
    return validated(Key, loaded, path.as_posix())


def read_form(path: Path) -> Form:
    """The guesses in an answer form, separated by commas, semicolons or tabs, with or without a byte order mark."""
    text = _text(path)
    heading = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count))
    try:
        rows = [(reader.line_num, [_tidy(cell) for cell in row]) for row in reader]
    except csv.Error as error:
        raise Error(f"{path}: line {reader.line_num}: not CSV ({error}), save it as CSV in UTF-8") from None
    return _form(path, [(line, cells) for line, cells in rows if any(cells)])


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except OSError as error:
        raise Error(f"{path}: cannot be read ({error.strerror}), give an answer form") from None
    except UnicodeDecodeError:
        raise Error(f"{path}: not UTF-8 text, save it as CSV in UTF-8") from None


def _form(path: Path, rows: Sequence[tuple[int, list[str]]]) -> Form:
    heading = tuple(cell.casefold() for cell in rows[0][1] if cell) if rows else ()
    if len(heading) < 2 or heading != HEADING[: len(heading)]:
        raise Error(f"{path}: the first line is {','.join(heading)[:80]!r}, should be {','.join(HEADING)}")
    found: Form = {}
    for line, cells in rows[1:]:
        code = folded(cells[0]).upper()
        if not code:
            raise Error(f"{path}: line {line}: guesses without a code, write the picture's code before them")
        if code in found:
            raise Error(f"{path}: line {line}: {code} stands there twice, keep one of the two")
        if any(cells[len(heading) :]):
            raise Error(f"{path}: line {line}: more cells than the heading has (a comma in a guess?), quote or leave out")
        found[code] = tuple(cell for cell in cells[1:] if folded(cell))
    return found


def _tidy(cell: str) -> str:
    return " ".join("".join(sign for sign in cell if sign.isprintable() or sign.isspace()).split())


def folded(word: str) -> str:
    """A word for comparing: without case, spaces and hyphens."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", word).casefold()))


@dataclass(frozen=True, slots=True)
class Mark:
    """A subject's guesses at one picture, in the list's spelling where they are on the list."""

    subject: str
    code: str
    shown: Shown
    guesses: tuple[str, ...]

    @property
    def rank(self) -> int | None:
        """Which guess was right: 0 is the first, None is none."""
        return self.guesses.index(self.shown.word) if self.shown.word in self.guesses else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Of how many pictures the first guess was right, one of three was, and there was none."""

    asked: int
    first: int
    within_three: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a wrong word was the first guess at a picture."""

    shown: Shown
    said: str
    times: int


@dataclass(frozen=True, slots=True)
class Missed:
    """A picture that somebody's first guess was wrong about, or that somebody had no word for."""

    shown: Shown
    tally: Tally


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A guess that is not on the list, and the word that is nearest to it, if any is near."""

    subject: str
    code: str
    said: str
    nearest: str | None


@dataclass(frozen=True, slots=True)
class Score:
    """What all guesses were worth; confusions and misses begin with the worst."""

    subjects: dict[str, Tally]
    together: Tally
    confusions: tuple[Confusion, ...]
    missed: tuple[Missed, ...]
    unlisted: tuple[Unlisted, ...]


def _listed(key: Key) -> dict[str, str]:
    """The words of the list by how they are compared."""
    return {folded(word): word for word in key.words}


def _marks(key: Key, forms: Mapping[str, Form]) -> list[Mark]:
    listed = _listed(key)
    return [
        Mark(subject, code, shown, tuple(listed.get(folded(guess), guess) for guess in form.get(code, ())))
        for subject, form in forms.items()
        for code, shown in key.pictures.items()
    ]


def _tally(marks: Sequence[Mark]) -> Tally:
    ranks = [mark.rank for mark in marks]
    return Tally(len(ranks), ranks.count(0), len(ranks) - ranks.count(None), sum(not mark.guesses for mark in marks))


def _unknown(key: Key, forms: Mapping[str, Form]) -> Iterator[str]:
    """A line for every subject who has answered for codes that the key does not have."""
    for subject, form in forms.items():
        if codes := [code for code in form if code not in key.pictures]:
            some = ", ".join(codes[:5]) + (", …" if len(codes) > 5 else "")
            yield f"{subject}: {len(codes)} of {len(form)} codes unknown ({some}), give the key of the test that was answered"


def _unlisted(key: Key, marks: Sequence[Mark]) -> Iterator[Unlisted]:
    listed = _listed(key)
    for mark in marks:
        for guess in mark.guesses:
            if folded(guess) not in listed:
                close = get_close_matches(folded(guess), listed, n=1)
                yield Unlisted(mark.subject, mark.code, guess, listed[close[0]] if close else None)


def score(key: Key, forms: Mapping[str, Form]) -> Score:
    """What the guesses of all subjects were worth; :class:`Error` for a code that the key does not have."""
    if unknown := list(_unknown(key, forms)):
        raise Error("\n".join(unknown))
    marks = _marks(key, forms)
    said = Counter((mark.code, mark.guesses[0]) for mark in marks if mark.guesses and mark.rank != 0)
    confusions = [Confusion(key.pictures[code], word, times) for (code, word), times in said.items()]
    tallies = {code: _tally([mark for mark in marks if mark.code == code]) for code in key.pictures}
    missed = [Missed(key.pictures[code], tally) for code, tally in tallies.items() if tally.first < tally.asked]
    return Score(
        {subject: _tally([mark for mark in marks if mark.subject == subject]) for subject in forms},
        _tally(marks),
        tuple(sorted(confusions, key=lambda c: (-c.times, c.shown.number, c.said))),
        tuple(sorted(missed, key=lambda m: (m.tally.first, m.tally.within_three, m.shown.number))),
        tuple(_unlisted(key, marks)),
    )


def subjects(paths: Sequence[Path]) -> dict[str, Path]:
    """Answer forms by subject: the file's name, or where names are alike, its path."""
    if len({path.resolve() for path in paths}) < len(paths):
        raise Error("ANSWERS: a file is given twice, give each once")
    stems = Counter(path.stem for path in paths)
    return {path.stem if stems[path.stem] == 1 else path.as_posix(): path for path in paths}


def report(score: Score) -> Iterator[str]:
    """The score in lines."""
    width = max(map(len, [*score.subjects, "together"]))
    yield f"{'':{width}}  {'first guess':>20}  {'within three':>20}  unanswered"
    for subject, tally in [*score.subjects.items(), ("together", score.together)]:
        yield f"{subject:{width}}  {_share(tally.first, tally.asked)}  {_share(tally.within_three, tally.asked)}  {tally.unanswered:10}"
    yield from _section(
        "confusions: shown → said as the first guess", [f"{c.times:4} × {_name(c.shown)} → {c.said}" for c in score.confusions]
    )
    yield from _section("missed: right at first, within three, of", [_line(missed) for missed in score.missed])
    yield from _section("not on the list, counted as wrong", [_advice(unlisted) for unlisted in score.unlisted])


def _share(part: int, whole: int) -> str:
    return f"{part:5} of {whole:5}  {100 * part / whole:5.1f} %"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", title, *lines[:MOST])
    if len(lines) > MOST:
        yield f"  and {len(lines) - MOST} more (--json has all)"


def _name(shown: Shown) -> str:
    return f"{shown.number} {shown.glyph} {shown.word}"


def _line(missed: Missed) -> str:
    tally = missed.tally
    blank = f" ({tally.unanswered} unanswered)" if tally.unanswered else ""
    return f"{tally.first:4} {tally.within_three:3} {tally.asked:3}  {_name(missed.shown)}{blank}"


def _advice(unlisted: Unlisted) -> str:
    return f"  {unlisted.subject}: {unlisted.code}: {unlisted.said}" + (f", did you mean {unlisted.nearest}?" if unlisted.nearest else "")


def run(answers: Sequence[Path], key_file: Path, json_file: Path | None, say: Callable[[str], None]) -> None:
    """Score answer forms by a key: in lines, and for programs in *json_file*."""
    if json_file and json_file.resolve() in {path.resolve() for path in (*answers, key_file)}:
        raise Error(f"--json: {json_file}: is what the score is made from, give another file")
    found = score(read_key(key_file), {subject: read_form(path) for subject, path in subjects(answers).items()})
    if json_file:
        put(json_file, TypeAdapter(Score).dump_json(found, indent=1) + b"\n")
    for line in report(found):
        say(line)
