"""Proof of the data: what must be true of the radicals, one function a rule. ``bushu check`` runs them all."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from generator import kana, pictures
from generator.layouts import PICTURED
from generator.model import COUNT, Error, Finding, Name, Radical, Registry, nearest, origin
from generator.project import Project, dump, plain, radical_files, where
from generator.svg import CANVAS

rules: Registry[Callable[[Project], Iterator[tuple[str, str]]]] = Registry()
"""Each yields pairs: where (``85 names``), and what is wrong."""


def _repeated(values: Iterable[str]) -> list[str]:
    return sorted(value for value, count in Counter(values).items() if count > 1)


def _names(radical: Radical) -> Iterator[tuple[str, Name]]:
    """Every name of a radical and of its variants, with where it stands."""
    yield from ((f"{radical.number} names", name) for name in radical.names)
    yield from ((f"{radical.number} variants {v.glyph} names", name) for v in radical.variants for name in v.names)


def _ideograph(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("CJK UNIFIED IDEOGRAPH")


@rules
def numbers(project: Project) -> Iterator[tuple[str, str]]:
    """Numbers 1 to 214, once each."""
    found = Counter(radical.number for radical in project.radicals)
    yield from ((str(n), "is missing") for n in range(1, COUNT + 1) if not found[n])
    yield from ((str(n), f"stands {count} times") for n, count in sorted(found.items()) if count > 1)


@rules
def glyphs(project: Project) -> Iterator[tuple[str, str]]:
    """The glyph is the unified form of the Kangxi code point that the number gives."""
    for radical in project.radicals:
        unified = unicodedata.normalize("NFKC", radical.kangxi)
        if radical.glyph != unified:
            yield f"{radical.number} glyph", f"{radical.glyph} should be {unified}, the unified form of U+{ord(radical.kangxi):04X}"


@rules
def forms(project: Project) -> Iterator[tuple[str, str]]:
    """Japanese form and variants are real characters of their own: no private use, no compatibility forms, no repetition."""
    for radical in project.radicals:
        others = [sign for sign in (radical.japanese, *(v.glyph for v in radical.variants)) if sign]
        yield from ((f"{radical.number} variants", f"{sign} stands twice") for sign in _repeated([radical.glyph, *others]))
        for sign in others:
            if unicodedata.category(sign) == "Co" or not (_ideograph(sign) or "CJK RADICAL" in unicodedata.name(sign, "")):
                yield f"{radical.number} variants", f"{sign} (U+{ord(sign):04X}) is not a unified ideograph or a CJK radical"


@rules
def strokes(project: Project) -> Iterator[tuple[str, str]]:
    """Kangxi stroke counts never fall with the number; the Japanese count stands only where it differs."""
    ordered = sorted(project.radicals, key=lambda radical: radical.number)
    for before, after in pairwise(ordered):
        if after.strokes < before.strokes:
            yield f"{after.number} strokes", f"{after.strokes}, fewer than the {before.strokes} of {before.number}"
    same = (radical for radical in ordered if radical.strokes_japanese == radical.strokes)
    yield from ((f"{radical.number} strokes_japanese", "says what strokes says, leave it out") for radical in same)


@rules
def examples(project: Project) -> Iterator[tuple[str, str]]:
    """Examples are kanji, not the radical itself, each once, with a reading in kana."""
    for radical in project.radicals:
        trail = f"{radical.number} examples"
        yield from ((trail, f"{sign} stands twice") for sign in _repeated(e.kanji for e in radical.examples))
        for example in radical.examples:
            if not _ideograph(example.kanji):
                yield trail, f"{example.kanji} is not a kanji"
            if example.kanji in (radical.glyph, radical.japanese):
                yield trail, f"{example.kanji} is the radical itself"
            if not kana.is_kana(example.reading):
                yield trail, f"{example.kanji}: {example.reading!r} is not kana"


@rules
def names(project: Project) -> Iterator[tuple[str, str]]:
    """Names are hiragana, and their romaji agrees."""
    for radical in project.radicals:
        yield from ((trail, fault) for trail, name in _names(radical) if (fault := _name_fault(name)))


def _name_fault(name: Name) -> str | None:
    if not kana.is_kana(name.kana) or kana.hiragana(name.kana) != name.kana:
        return f"{name.kana!r} is not hiragana"
    try:
        spelling = kana.spelling(name.kana)
    except ValueError as error:
        return str(error)
    agree = kana.agrees(name.romaji, name.kana)
    return None if agree else f"{name.romaji!r} does not spell {name.kana} ({spelling}, long vowels with a macron)"


@rules
def groups(project: Project) -> Iterator[tuple[str, str]]:
    """Categories, families and positions are known, and all of them are used."""
    known = {"family": project.groups.families, "category": project.groups.categories, "position": project.groups.positions}
    used: dict[str, set[str]] = {key: set() for key in known}
    for radical in project.radicals:
        places = {*radical.positions, *(p for v in radical.variants for p in v.positions)}
        for key, values in {"family": {radical.family}, "category": {radical.category}, "position": places}.items():
            used[key] |= values
            yield from ((f"{radical.number} {key}", f"unknown: {value}") for value in sorted(values - {*known[key]}))
    for key, names_ in known.items():
        yield from (("radicals/groups.yml", f"no radical has {key} {name}") for name in names_ if name not in used[key])


@rules
def headwords(project: Project) -> Iterator[tuple[str, str]]:
    """No two radicals share a headword, and none repeats a meaning."""
    for headword in _repeated(radical.headword for radical in project.radicals):
        sharing = [str(r.number) for r in project.radicals if r.headword == headword]
        yield f"{', '.join(sharing)} meanings", f"{headword!r} is the first meaning of each"
    for radical in project.radicals:
        yield from ((f"{radical.number} meanings", f"{meaning!r} stands twice") for meaning in _repeated(radical.meanings))


@rules
def notes(project: Project) -> Iterator[tuple[str, str]]:
    """A note is one sentence, and no two are alike."""
    same = _repeated(radical.note for radical in project.radicals)
    for radical in project.radicals:
        if radical.note in same:
            yield f"{radical.number} note", "another radical has the same"
        if not radical.note.endswith(".") or not radical.note[0].isupper():
            yield f"{radical.number} note", "should begin with a capital and end with a full stop"


ABSTRACT = re.compile(
    r"\b(symbol\w*|represent\w*|concept\w*|ideas?|abstract\w*|mean(s|ing|ings)|radicals?|kanji|characters?|icons?|emoji)\b", re.IGNORECASE
)
"""Words that no painter could paint."""


@rules
def briefs(project: Project) -> Iterator[tuple[str, str]]:
    """Every radical has a brief: one plain line that names what can be seen, and no two are alike."""
    same = _repeated(_folded(radical.brief) for radical in project.radicals)
    for radical in project.radicals:
        trail, brief = f"{radical.number} brief", radical.brief
        if _folded(brief) in same:
            yield trail, "another radical has the same"
        if brief[0].isupper() or brief.endswith((".", "!", "?")) or "\n" in brief:
            yield trail, "should be one line that begins small and has no full stop: it follows 'the picture shows'"
        if not brief.isascii():
            yield trail, "should be in English"
        if len(brief.split()) < 3:
            yield trail, f"{brief!r} is too short for a painter"
        if found := ABSTRACT.search(brief):
            yield trail, f"{found[0]!r} cannot be painted, say what is seen"


def _folded(text: str) -> str:
    return re.sub(r"\W+", " ", text).casefold().removeprefix("a ").removeprefix("an ").removeprefix("the ").strip()


@rules
def sources(project: Project) -> Iterator[tuple[str, str]]:
    """Every radical's pictures are listed with known sources, and with an author where a source has many; licences are there."""
    listed = project.pictures
    known = {radical.number for radical in project.radicals}
    yield from (("pictures.yml", f"{number} is not a radical") for number in sorted(listed.radicals.keys() - known))
    for number in sorted(known):
        if number not in listed.radicals:
            yield f"pictures.yml {number}", "is missing"
            continue
        for text in (*listed.radicals[number].picture, *listed.radicals[number].pictogram):
            name, author, icon = origin(text)
            if name not in listed.sources:
                yield f"pictures.yml {number}", f"unknown source of {text!r}, {nearest(name, listed.sources)}"
            elif listed.sources[name].authors and not author:
                yield f"pictures.yml {number}", f"{text!r} says no author, write {name}:author/{icon}"
    for source in listed.sources.values():
        held = project.path(f"radicals/{source.licence_file}")
        if source.licence_file and not (held.is_file() and held.stat().st_size):
            yield f"{source.licence_file}", f"is missing, the licence of {source.title} should stand there"


SIDES = (0.74, 0.97)
"""Between which shares of the canvas the longest side of a picture lies."""
OFF = 2.0
"""Units by which a picture may miss the middle, drawn in whole ones as it is."""


@rules
def drawings(project: Project) -> Iterator[tuple[str, str]]:
    """Every radical has a picture and a pictogram: flat, of one optical size, in the middle, credited, and like no other."""
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for folder in dict.fromkeys(PICTURED.values()):
        for radical in project.radicals:
            name = f"{folder}/{radical.slug}.svg"
            try:
                shown = pictures.read(project.path(f"radicals/{name}"), f"radicals/{name}")
                yield from ((name, fault) for fault in _faults(shown, folder))
            except (Error, ValueError) as error:
                yield name, str(error).partition(": ")[2] or str(error)
                continue
            if other := seen.get(shown.shapes):
                yield name, f"is the same as {other}"
            seen[shown.shapes] = name


def _faults(shown: pictures.Picture, folder: str) -> Iterator[str]:
    """What is wrong with a drawing."""
    if not shown.source or not shown.rights:
        yield "does not say where it comes from and under which licence"
    if bad := sorted(colour for colour in shown.colours if not re.fullmatch("#[0-9a-f]{6}", colour)):
        yield f"colour {bad[0]!r} is not written #rrggbb"
    if folder == "pictograms" and shown.colours != {pictures.BLACK}:
        yield f"is a pictogram in {', '.join(sorted(shown.colours))}, should be in {pictures.BLACK} alone"
    box = pictures.bounds(shown)
    if box is None:
        yield "has no ink"
        return
    left, top, right, bottom = box
    side = max(right - left, bottom - top) / CANVAS
    if not SIDES[0] <= side <= SIDES[1]:
        yield f"its longest side is {side:.0%} of the canvas, should be {SIDES[0]:.0%} to {SIDES[1]:.0%}"
    x, y = (left + right - CANVAS) / 2, (top + bottom - CANVAS) / 2
    if max(abs(x), abs(y)) > OFF:
        yield f"is off the middle by {x:+.1f}, {y:+.1f}"


@rules
def canonical(project: Project) -> Iterator[tuple[str, str]]:
    """Each file holds the radicals of its stroke count, sorted and in canonical form."""
    by_strokes: dict[int, list[Radical]] = {}
    for radical in project.radicals:
        by_strokes.setdefault(radical.strokes, []).append(radical)
    files = {int(path.name[:2]): path for path in radical_files(project.root)}
    yield from ((f"radicals/{n:02d}-strokes.yml", "is missing") for n in sorted(by_strokes.keys() - files))
    for count, path in files.items():
        wanted = dump([plain(radical) for radical in by_strokes.get(count, [])])
        if path.read_text("utf-8") != wanted:
            yield where(project.root, path), f"{_first_difference(path, wanted)}; `bushu check --write` puts the files into canonical form"


def _first_difference(path: Path, wanted: str) -> str:
    lines = zip(path.read_text("utf-8").splitlines(), wanted.splitlines(), strict=False)
    return next((f"line {n}: {is_!r} should be {should!r}" for n, (is_, should) in enumerate(lines, 1) if is_ != should), "length differs")


def prove(project: Project, but: Container[str] = ()) -> list[Finding]:
    """All findings of all rules, or of all *but* some."""
    chosen = {code: rule for code, rule in rules.items() if code not in but}
    return [Finding(f"radicals: {trail}", code, message) for code, rule in chosen.items() for trail, message in rule(project)]


def canonical_files(project: Project) -> dict[Path, str]:
    """What the files should say: path to text."""
    counts = sorted({radical.strokes for radical in project.radicals})
    return {project.path(f"radicals/{n:02d}-strokes.yml"): dump([plain(r) for r in project.radicals if r.strokes == n]) for n in counts}
