"""What the commands share: radicals and names as a person types them, paths as a person reads them, and progress."""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from generator.cards import Subject
from generator.model import COUNT, Error, nearest
from generator.project import Project


def _numbers(word: str, where: str) -> range:
    first, _, last = word.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found or found[0] < 1 or found[-1] > COUNT:
        raise Error(f"{where}: {word}: not radicals, give numbers from 1 to {COUNT}, the lower one first")
    return found


def _ideograph(sign: str) -> bool:
    return unicodedata.category(sign) == "Lo" or "RADICAL" in unicodedata.name(sign, "")


def subjects(project: Project, words: Iterable[str], any_character: bool = False, where: str = "NUMBERS") -> list[Subject]:
    """What to draw: radicals by number, range or glyph; with *any_character* (a font was brought) a glyph is just that character.

    *where* the words stand is for messages.
    """
    by_number = {radical.number: radical for radical in project.radicals}
    found: dict[Subject, None] = {}
    for word in words:
        if re.fullmatch("[0-9]+(-[0-9]+)?", word):
            found |= dict.fromkeys(by_number[number] for number in _numbers(word, where) if number in by_number)
            continue
        for sign in word:
            if any_character and _ideograph(sign):
                found[sign] = None
            elif not any_character and sign in project.by_glyph:
                found[project.by_glyph[sign]] = None
            else:
                drawable = where == "NUMBERS" and _ideograph(sign) and not any_character
                advice = "give --font FILE to draw any character" if drawable else "give 85, 1-10 or 水"
                raise Error(f"{where}: {word}: {sign!r} is not a radical, {advice}")
    return list(found)


def known(option: str, value: str | None, names: Iterable[str]) -> str | None:
    """The value of an option that is a name; :class:`Error` for a name that is none of *names*."""
    names = list(names)
    if value is not None and value not in names:
        raise Error(f"--{option}: unknown {option} {value!r}, {nearest(value, names)}")
    return value


@contextmanager
def progress_bar(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield bar.update


def shown(path: Path) -> str:
    """A path as a message says it: from the current folder, if it lies in there."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
