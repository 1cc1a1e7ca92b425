"""Adopting pictures made elsewhere: which file is for which radical, what would come of it, and then all of it or nothing."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Any

from generator import cards, illustrations
from generator.illustrations import Look, Stored
from generator.model import COUNT, Error, Illustration, Radical
from generator.project import ILLUSTRATED, ILLUSTRATIONS, Project, replacing, tidy
from generator.provenance import FACTS, LONGEST, Facts, cleaned, spdx

NAMED = re.compile(r"radical_([0-9]{1,3})\.(png|jpe?g|webp|svg)", re.IGNORECASE)
PATTERN = "radical_NNN.png, .jpg, .webp or .svg"
OTHERWISE = re.compile(
    r"radical_([0-9]{1,3})\.(ai|avif|bmp|eps|gif|heic|heif|ico|jfif|jp2|jxl|kra|pdf|psd|svgz|tga|tiff?|xcf)", re.IGNORECASE
)
"""What is named for a radical and says itself to be a picture of another kind."""

NEW, SAME, FACTS_ONLY, RESTORED, REPLACED, REFUSED = "new", "same", "facts", "restored", "replaced", "refused"
"""Verdicts: ``facts`` for the same picture of which something else is said now, ``restored`` for one whose stored file was lost."""

Wanted = tuple[int, Path]
"""A radical's number, and the file that is to be its picture."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms files are taken: what a person says of them, and what may be done."""

    facts: Facts
    crop: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What would become of one file."""

    number: int
    path: Path
    verdict: str
    reason: str
    illustration: Illustration | None = None
    stored: Stored | None = None


def _licence(text: str) -> str:
    if not (known := spdx(text)):
        raise Error(f"--licence: {text!r} is no SPDX licence, give one as CC-BY-4.0 or LicenseRef-Name")
    return known


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Error(f"--date: {text!r} is no date, give one as 2025-01-31") from None


CANONICAL: dict[str, Callable[[str], str]] = {"licence": _licence, "date": _date}
"""The facts that have a form."""


def given(said: Mapping[str, str | None]) -> Facts:
    """What a person says of the files, without what is left out. An empty text takes a fact back."""
    found: Facts = {}
    for name in FACTS:
        if (text := said.get(name)) is not None:
            if len(fact := cleaned(text)) > LONGEST:
                raise Error(f"--{name}: {len(fact)} letters, at most {LONGEST}")
            found[name] = CANONICAL.get(name, str)(fact) if fact else ""
    return found


def _named(folder: Path, pattern: re.Pattern[str]) -> list[Wanted]:
    return [(int(name[1]), path) for path in sorted(folder.iterdir()) if (name := pattern.fullmatch(path.name))]


def _of_folder(folder: Path) -> list[Wanted]:
    """The files of a folder that are named for a radical; one of another kind only where none of a right kind stands beside it."""
    found = _named(folder, NAMED)
    numbers = {number for number, _ in found}
    return found + [(number, path) for number, path in _named(folder, OTHERWISE) if number not in numbers]


def wanted(paths: Sequence[Path], number: int | None) -> list[Wanted]:
    """Which file is for which radical: by name, or all of one file for the *number* given."""
    if lost := [path for path in paths if not os.path.exists(path)]:  # noqa: PTH110  # a name may be too long to ask for
        raise Error(f"{lost[0]}: is not there, give a file or a folder that is")
    if number is not None:
        if len(paths) != 1 or paths[0].is_dir():
            raise Error("--radical: give one file with it")
        return [(number, paths[0])]
    found: list[Wanted] = []
    for path in paths:
        if path.is_dir():
            if not (inside := _of_folder(path)):
                raise Error(f"{path}: no {PATTERN} in it, name the files so or give them one by one with --radical")
            found += inside
        elif name := NAMED.fullmatch(path.name) or OTHERWISE.fullmatch(path.name):
            found.append((int(name[1]), path))
        else:
            raise Error(f"{path}: for which radical? name it {PATTERN}, or give --radical")
    return sorted(found, key=itemgetter(0))


def left_out(paths: Iterable[Path]) -> Iterator[str]:
    """A line for every folder in which some files are not named for a radical."""
    for folder in (path for path in paths if path.is_dir()):
        if others := len(set(folder.glob("[!.]*")) - {path for _, path in _of_folder(folder)}):
            yield f"{folder}: {others} other {'file is' if others == 1 else 'files are'} left out"


def _facts(content: bytes, known: Illustration | None, said: Facts) -> Facts:
    """What is known of a file: what was recorded of it, or else what it says itself, and what a person says now."""
    merged = (_recorded(known) if known else illustrations.facts(content)) | said
    return {name: merged[name] for name in FACTS if merged.get(name)}


def _recorded(illustration: Illustration) -> Facts:
    return illustration.model_dump(include=set(FACTS), exclude_none=True)


def _verdict(project: Project, old: Illustration | None, digest: str, known: Facts) -> str:
    """What taking an original of that sha256 would be."""
    if old is None or old.sha256 != digest:
        return REPLACED if old else NEW
    if _recorded(old) != known:
        return FACTS_ONLY
    return SAME if illustrations.is_stored(project.root, old) else RESTORED


def _radical(project: Project, number: int) -> Radical:
    """The radical of that number."""
    if not 1 <= number <= COUNT:
        raise Error(f"there is no radical {number}, the numbers are 1 to {COUNT}")
    return project.radicals[number - 1]


def _row(project: Project, number: int, path: Path, terms: Terms) -> Row:
    """What would become of a file by itself. :class:`Error` if it is refused."""
    radical, content = _radical(project, number), illustrations.read(path)
    old, digest = project.illustrations.get(number), illustrations.sha256(content)
    known = _facts(content, old if old and old.sha256 == digest else None, terms.facts)
    verdict = _verdict(project, old, digest, known)
    if verdict == SAME:
        return Row(number, path, SAME, "", old)
    if verdict == REPLACED and not terms.replace:
        raise Error("another picture was chosen already, give --replace to take this one instead")
    stored = illustrations.normalised(content, radical, cards.title(radical), known, terms.crop)
    chosen: dict[str, Any] = {"file": stored.file, **known, "sha256": digest, "stored": illustrations.sha256(stored.content)}
    notes = "; ".join([*stored.notes, f"{len(stored.content) / 1000:.1f} kB {stored.file.rpartition('.')[2]}"])
    return Row(number, path, verdict, notes, Illustration(**chosen), stored)


def _refused(row: Row, reason: str) -> Row:
    return replace(row, verdict=REFUSED, reason=reason, illustration=None, stored=None)


def _alone(project: Project, files: Sequence[Wanted], terms: Terms, progress: Callable[[int], Any]) -> Iterator[Row]:
    """What would become of each file if it were the only one."""
    numbers = [number for number, _ in files]
    for number, path in files:
        try:
            if numbers.count(number) > 1:
                raise Error(f"{numbers.count(number)} files are for radical {number}, give one")
            yield _row(project, number, path, terms)
        except Error as error:
            yield Row(number, path, REFUSED, str(error))
        progress(1)


def plan(project: Project, files: Sequence[Wanted], terms: Terms, progress: Callable[[int], Any] = id) -> list[Row]:
    """What would become of the files, each and together."""
    rows = list(_alone(project, files, terms, progress))
    looks = {row.number: illustrations.look(row.stored.content) for row in rows if row.stored}
    if not looks:
        return rows
    others = _adopted(project, set(looks))
    twins = {one: other for pair in illustrations.alike(others | looks) for one, other in (pair, pair[::-1]) if one in looks}
    return [_refused(row, f"is the same picture as that of radical {twins[row.number]}") if row.number in twins else row for row in rows]


def _adopted(project: Project, but: set[int]) -> dict[int, Look]:
    """What the pictures look like that were adopted before, but those that a file is here for."""
    root = project.root
    kept = {number: one for number, one in project.illustrations.items() if number not in but and illustrations.is_stored(root, one)}
    looks: dict[int, Look] = {}
    for number, one in kept.items():
        with suppress(Error):  # it is no picture, whatever the list says: bushu check tells
            looks[number] = illustrations.look(illustrations.read(illustrations.place(root, one)))
    return looks


def table(project: Project, rows: Sequence[Row]) -> Iterator[str]:
    """The rows as lines of text."""
    glyphs = {radical.number: radical.glyph for radical in project.radicals}
    names = [cleaned(row.path.name) for row in rows]
    width = max(map(len, names))
    for row, name in zip(rows, names, strict=True):
        yield f"{row.number:3} {glyphs.get(row.number, '  ')}  {row.verdict:8}  {name:{width}}  {row.reason}".rstrip()
    yield from _unstated(rows)


def _unstated(rows: Sequence[Row]) -> Iterator[str]:
    """A line if nobody said where some files are from, or on what terms."""
    if unknown := sum(1 for row in rows if row.illustration and not (row.illustration.source or row.illustration.licence)):
        what = "file is" if unknown == 1 else "files are"
        yield f"{unknown} {what} of unknown source and licence: say them with --source and --licence, by adopting again if need be"


def refused(rows: Iterable[Row]) -> int:
    """How many files are refused: then none is taken."""
    return sum(row.verdict == REFUSED for row in rows)


def take(project: Project, rows: Sequence[Row], dry_run: bool = False) -> int:
    """Store what was planned: how many pictures that are. :class:`Error`, and nothing stored, if a file is refused."""
    if count := refused(rows):
        raise Error(f"{count} refused of {len(rows)}, nothing is taken: mend what is refused or leave it out")
    new = [row for row in rows if row.stored and row.illustration]
    chosen = project.illustrations | {row.number: row.illustration for row in new if row.illustration}
    if not dry_run:
        _write(project, chosen, [row.stored for row in new if row.stored])
    return len(new)


def give_back(project: Project, numbers: Iterable[int], dry_run: bool = False) -> list[Path]:
    """Take the choices of some radicals back: the files that are gone. :class:`Error`, and nothing gone, if one has none."""
    numbers = list(dict.fromkeys(numbers))
    if unchosen := [f"{number}" for number in numbers if number not in project.illustrations]:
        raise Error(f"--remove: no picture was adopted for {', '.join(unchosen)}, see {ILLUSTRATIONS}")
    if not dry_run:
        _write(project, {number: one for number, one in project.illustrations.items() if number not in numbers}, [])
    return [illustrations.place(project.root, project.illustrations[number]) for number in numbers]


def _write(project: Project, chosen: Mapping[int, Illustration], files: Iterable[Stored]) -> None:
    """Put the files and then their list in place, and delete what is on it no longer. Nothing is in place before all is written."""
    files, listing, folder = list(files), project.root / ILLUSTRATIONS, project.root / ILLUSTRATED
    kept = {one.file for one in chosen.values()}
    try:
        if not chosen:
            listing.unlink(missing_ok=True)
        elif files or chosen != project.illustrations:
            with ExitStack() as stack:
                last = stack.enter_context(replacing(listing))  # what is entered first takes its place last
                for stored in files:
                    stack.enter_context(replacing(folder / stored.file)).write_bytes(stored.content)
                last.write_text(illustrations.dumped(chosen), "utf-8", newline="\n")
    except OSError as error:
        raise Error(f"{ILLUSTRATIONS}: cannot be written ({error.strerror}), nothing is changed: make it writable or make room") from None
    else:
        for one in project.illustrations.values():
            if one.file not in kept:
                (folder / one.file).unlink(missing_ok=True)
    finally:
        tidy(folder, folder.parent)
