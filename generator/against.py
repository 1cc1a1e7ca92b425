"""Our data beside a table of the kanji site (``r214.yml``): what the two say differently."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator import kana
from generator.model import Error, Radical
from generator.project import Project, read


def _rows(path: Path) -> dict[int, Mapping[str, str]]:
    loaded = read(path, path.as_posix())
    if not isinstance(loaded, list) or not all(isinstance(row, dict) for row in loaded):
        raise Error(f"{path}: not a list of radicals, give the kanji site's r214.yml")
    found: dict[int, Mapping[str, str]] = {}
    for index, row in enumerate(loaded, 1):
        number = str(row.get("Number", "")).lstrip("0")
        if not re.fullmatch("[0-9]+", number):
            raise Error(f"{path}: entry {index}: Number is {row.get('Number')!r}, should be 1 to 214")
        if int(number) in found:
            raise Error(f"{path}: entry {index}: Number {number} stands twice, keep one of the two")
        found[int(number)] = row
    return found


def _forms(radical: Radical) -> dict[str, set[int]]:
    """Every form of a radical, with the stroke counts that may be given for it."""
    counts = {radical.strokes, radical.strokes_japanese or radical.strokes}
    own = {form: counts for form in (radical.glyph, radical.kangxi, radical.japanese) if form}
    return own | {v.glyph: {v.strokes} | counts for v in radical.variants}


def _words(text: str) -> set[str]:
    """Meanings without what two tables may well write differently: *to*, *the*, remarks in brackets."""
    bare = re.sub(r"[(（].*?[)）]", "", text.lower())
    return {word.strip().removeprefix("to ").removeprefix("the ") for word in bare.split(",")}


def _compare(radical: Radical, row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Field, what the table says, what we say: only where they differ."""
    forms = _forms(radical)
    names = [*radical.names, *(name for v in radical.variants for name in v.names)]
    said = {key: str(row.get(key) or "") for key in ("Radical", "Alternate", "Strokes", "Category", "Meaning", "Reading-J", "Reading-R")}
    if said["Radical"] not in forms:
        yield "Radical", said["Radical"], " ".join(forms)
    for alternate in (sign for sign in said["Alternate"] if not sign.isspace() and sign not in ",、·・/()"):
        if alternate not in forms:
            shown = alternate if alternate.isprintable() else f"U+{ord(alternate):04X} (private use)"
            yield "Alternate", shown, " ".join(forms)
    if said["Strokes"] not in {str(n) for counts in forms.values() for n in counts}:
        yield "Strokes", said["Strokes"], str(radical.strokes)
    if said["Category"] != radical.category:
        yield "Category", said["Category"], radical.category
    if not _words(said["Meaning"]) & set(radical.meanings):
        yield "Meaning", said["Meaning"], ", ".join(radical.meanings)
    if kana.fold(said["Reading-J"]) not in {kana.fold(name.kana) for name in names}:
        yield "Reading-J", said["Reading-J"], "、".join(name.kana for name in names)
    elif kana.fold(said["Reading-R"]) not in {kana.fold(spelt) for name in names for spelt in (name.romaji, kana.spelling(name.kana))}:
        yield "Reading-R", said["Reading-R"], ", ".join(name.romaji for name in names)


def differences(project: Project, path: Path) -> list[str]:
    """One line a difference: ``49 己 Radical: 已 there, 己 ⼰ here``."""
    rows = _rows(path)
    lines = [f"{number}: there only" for number in sorted(rows.keys() - {radical.number for radical in project.radicals})]
    for radical in project.radicals:
        if radical.number not in rows:
            lines.append(f"{radical.number} {radical.glyph}: here only")
            continue
        found = _compare(radical, rows[radical.number])
        lines += [f"{radical.number} {radical.glyph} {field}: {theirs or 'nothing'} there, {ours} here" for field, theirs, ours in found]
    return lines
