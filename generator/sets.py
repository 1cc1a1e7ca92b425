"""Sets of cards: draw, check, write, manifest. What is published is what was checked.

Cards are drawn into a temporary folder and take their places only when the checks found nothing. They are drawn in batches, so
that memory stays the same however many there are, and batches may go to several processes.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.cards import Recipe, Subject, card, character, expected, picture, recipe, stem, swatch
from generator.checks import examine
from generator.layouts import draw
from generator.model import COUNT, Error, Finding, Radical, Registry, Unsound
from generator.project import ILLUSTRATED, ILLUSTRATIONS, Project, writing

BATCH = 107
"""Cards that a process draws at once: half of the radicals."""
MANIFEST = "manifest.json"
CARDS = {".svg", ".webp"}
"""Endings of a card's file: drawn ones and illustrations."""

CHOSEN = "illustration"
"""The origin of a card that is an illustration; the others are drawn."""
ENTRY = {"character", "file", "sha256", "bytes", "origin"}
Entry = dict[str, Any]
"""A card in the manifest: number (of a radical), character, file, sha256, bytes, origin."""


Published = dict[str, dict[int, Hashable]]
"""What decided each card of each set, by set and number, when a long-running process last drew it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some cards of one set, and the folder they are drawn into; ``png`` is the size of a PNG beside each, or 0."""

    recipe: Recipe
    subjects: tuple[Subject, ...]
    folder: Path
    png: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A card as a file: its name and content, what the checks found on it, and where it comes from."""

    file: str
    content: bytes
    findings: list[Finding]
    origin: str


def make(made: Recipe, subject: Subject) -> Made:
    """A subject's card: the illustration chosen for it, if the set takes those, else drawn."""
    if isinstance(subject, Radical) and subject.number in made.illustrations:
        return _illustration(*made.illustrations[subject.number])
    drawn, file = card(made, subject), f"{stem(subject)}.svg"
    text = draw(drawn, made.spec.layout, made.bare)
    findings = examine(f"{made.name}/{file}", text, expected(made, subject, drawn.picture))
    return Made(file, text.encode(), findings, "picture" if made.spec.illustrations else "drawn")


def _illustration(path: Path, sha256: str) -> Made:
    """A chosen illustration as a card: its file as it is."""
    content = path.read_bytes() if path.is_file() else b""
    where, fault = f"{ILLUSTRATED}/{path.name}", f"is not the file that {ILLUSTRATIONS} describes, adopt it again"
    findings = [] if hashlib.sha256(content).hexdigest() == sha256 else [Finding(where, "stored", fault)]
    return Made(path.name, content, findings, CHOSEN)


def draw_batch(batch: Batch) -> tuple[list[Entry], list[Finding]]:
    """Draw, check and write a batch: its manifest entries and what the checks found."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    for subject in batch.subjects:
        made = make(batch.recipe, subject)
        findings += made.findings
        (batch.folder / made.file).write_bytes(made.content)
        if batch.png:
            from generator.raster import png

            (batch.folder / f"{stem(subject)}.png").write_bytes(png(made.content, batch.png))
        entries.append(_entry(subject, made))
    return entries, findings


def _entry(subject: Subject, made: Made) -> Entry:
    number = {"number": subject.number} if isinstance(subject, Radical) else {}
    facts = {"character": character(subject), "file": made.file, "sha256": hashlib.sha256(made.content).hexdigest()}
    return number | facts | {"bytes": len(made.content), "origin": made.origin}


def _run(batches: Sequence[Batch], jobs: int) -> Iterator[tuple[Batch, list[Entry], list[Finding]]]:
    """Draw batches in order, in this process or in several."""
    if jobs < 2 or len(batches) < 2:
        for batch in batches:
            yield (batch, *draw_batch(batch))
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs, len(batches))) as pool:
        for batch, (entries, findings) in zip(batches, pool.map(draw_batch, batches), strict=True):
            yield batch, entries, findings


def is_whole(subjects: Sequence[Subject]) -> bool:
    """True for all radicals in their order: what a set holds."""
    return [s.number if isinstance(s, Radical) else 0 for s in subjects] == list(range(1, COUNT + 1))


def render(
    recipes: Sequence[Recipe], subjects: Sequence[Subject], out: Path, *, jobs: int = 1, png: int = 0, progress: Callable[[int], Any] = id
) -> None:
    """Draw the subjects in every recipe into *out*, a folder of sets. :class:`Unsound`, and nothing written, if checks find anything.

    All 214 radicals make a whole set, which replaces the set that stood there; fewer are put beside what the same recipe drew
    there before. *progress* is told how many cards each batch had.
    """
    whole = is_whole(subjects)
    for made in recipes:
        _refuse_foreign(out / made.name)
    with _temporary(out) as temporary:
        batches = [batch for made in recipes for batch in _batches(made, subjects, temporary / made.name, png)]
        findings: list[Finding] = []
        for batch, entries, found in _run(batches, jobs):
            with _lines(batch.folder).open("a", encoding="utf-8") as lines:
                lines.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
            findings += found
            progress(len(entries))
        kept = {made.name: [] if whole else _others(made, out / made.name, temporary / made.name) for made in recipes}
        for made in recipes:
            _write_manifest(made, temporary / made.name, kept[made.name])
            findings += examine_folder(temporary / made.name, made.name) if whole else []
        if findings:
            raise Unsound("\n".join(map(str, findings)))
        for made in recipes:
            _place(temporary / made.name, out / made.name, beside=bool(kept[made.name]))


def _batches(made: Recipe, subjects: Sequence[Subject], folder: Path, png: int) -> list[Batch]:
    folder.mkdir()
    return [Batch(made, tuple(subjects[start : start + BATCH]), folder, png) for start in range(0, len(subjects), BATCH)]


def _lines(folder: Path) -> Path:
    """Where the manifest's lines are gathered while a set is drawn: memory need not hold them."""
    return folder.with_suffix(".lines")


@contextmanager
def _temporary(out: Path) -> Iterator[Path]:
    """A folder beside the sets, gone afterwards."""
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=out, prefix=".drawing-")
    with folder as name:
        yield Path(name)


def _refuse_foreign(folder: Path) -> None:
    """Never put cards into, or replace, a folder that holds something else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MANIFEST).is_file():
        raise Error(f"{folder}: exists and is not a set that Bushu drew, choose another --out or move it away")
    drawn = {Path(entry["file"]).stem for entry in manifest(folder)["cards"]}
    for path in sorted(folder.iterdir()):
        ours = path.name == MANIFEST or (path.stem in drawn and path.suffix in CARDS | {".png"})
        if not ours and not path.name.startswith("."):
            raise Error(f"{path}: is not a card that Bushu drew, move it away or choose another --out")


def _head(made: Recipe) -> dict[str, Any]:
    """What the manifest says of the whole set."""
    spec = made.spec
    facts = {"set": made.name, "title": spec.title, "layout": spec.layout, "font": made.font, "palette": spec.palette}
    return facts | ({"bare": True} if made.bare else {})


def _others(made: Recipe, place: Path, drawn: Path) -> list[str]:
    """Manifest lines of the cards that the same recipe drew in *place* and that were not drawn anew."""
    there = manifest(place) if (place / MANIFEST).is_file() else {"cards": []}
    if {key: there.get(key) for key in _head(made)} != _head(made):
        return []
    new = {path.stem for path in drawn.iterdir()}
    cards = (card for card in there["cards"] if Path(card["file"]).stem not in new and (place / card["file"]).exists())
    return [json.dumps(card, ensure_ascii=False) for card in cards]


def _write_manifest(made: Recipe, drawn: Path, kept: list[str]) -> None:
    """The manifest of what was drawn and of the cards that it joins, in order."""
    with (drawn / MANIFEST).open("w", encoding="utf-8", newline="\n") as out, _lines(drawn).open(encoding="utf-8") as new:
        out.write(json.dumps(_head(made), ensure_ascii=False)[:-1] + ', "cards": [')
        for index, line in enumerate(sorted([*kept, *new], key=_order) if kept else new):
            out.write((",\n" if index else "\n") + line.rstrip("\n"))
        out.write("\n]}\n")


def _order(line: str) -> tuple[int, str]:
    entry = json.loads(line)
    return entry.get("number", COUNT + 1), entry["file"]


def _place(drawn: Path, place: Path, beside: bool) -> None:
    """Let what was drawn take its place: all of it, or file by file *beside* what stays there, the manifest last."""
    if not beside:
        swap(drawn, place)
        return
    for path in sorted(drawn.iterdir(), key=lambda path: (path.name == MANIFEST, path.name)):
        path.replace(place / path.name)
        if path.suffix in CARDS:
            for ending in CARDS - {path.suffix}:  # an illustration was chosen or taken back
                (place / path.name).with_suffix(ending).unlink(missing_ok=True)


def swap(new: Path, place: Path) -> None:
    """Let the folder *new* take *place*; what stood there is deleted only once it does, and is back if it cannot."""
    old = place.with_name(f".{place.name}.old-{os.getpid()}")
    new.chmod(0o755)
    with writing(place):
        if place.exists():
            place.rename(old)
        try:
            new.rename(place)
        except OSError:
            if old.exists():
                old.rename(place)
            raise
    shutil.rmtree(old, ignore_errors=True)


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a drawn set."""
    path = folder / MANIFEST
    try:
        loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Error(f"{path}: not a manifest that can be read ({error}), draw the set again") from None
    cards = loaded.get("cards") if isinstance(loaded, dict) else None
    if not isinstance(cards, list) or not all(isinstance(card, dict) and card.keys() >= ENTRY for card in cards):
        raise Error(f"{path}: not the manifest of a set that Bushu drew, move it away and draw the set again")
    return loaded


set_checks: Registry[Callable[[Path, list[Entry]], Iterator[str]]] = Registry()
"""Checks of a whole set: of its folder and its manifest's cards."""


@set_checks
def complete(folder: Path, cards: list[Entry]) -> Iterator[str]:
    """All 214 radicals, once each, and no other card in the folder."""
    numbers = [entry.get("number") for entry in cards]
    yield from (f"radical {n} is {'missing' if n not in numbers else 'there twice'}" for n in range(1, COUNT + 1) if numbers.count(n) != 1)
    known = {entry["file"] for entry in cards}
    there = (path for path in sorted(folder.iterdir()) if path.suffix in CARDS)
    yield from (f"{path.name} is not in the manifest" for path in there if path.name not in known)


@set_checks
def agreement(folder: Path, cards: list[Entry]) -> Iterator[str]:
    """Every file is as the manifest says: there, of its size and sha256."""
    for entry in cards:
        path = folder / entry["file"]
        content = path.read_bytes() if path.is_file() else None
        if content is None:
            yield f"{path.name} is missing"
        elif (len(content), hashlib.sha256(content).hexdigest()) != (entry["bytes"], entry["sha256"]):
            yield f"{path.name} is not the file that the manifest describes"


def examine_folder(folder: Path, name: str) -> list[Finding]:
    """What the checks of a whole set find; *name* stands in the findings."""
    cards = manifest(folder)["cards"]
    return [Finding(name, code, message) for code, check in set_checks.items() for message in check(folder, cards)]


def publish(project: Project, last: Published | None = None) -> dict[str, Path]:
    """Draw all sets of the project whole into ``build/sets``: name to folder. :class:`Unsound` lists what the checks found.

    With *last*, which a long-running process keeps from one call to the next, only cards that have changed are drawn anew.
    """
    out = project.build / "sets"
    recipes = [recipe(project, name) for name in project.sets]
    now = {made.name: _decisive(made, project) for made in recipes} if last is not None else {}
    whole = []
    for made in recipes:
        known = (last or {}).get(made.name, {}) if (out / made.name / MANIFEST).is_file() else {}
        stale = [radical for radical in project.radicals if not known or known.get(radical.number) != now[made.name][radical.number]]
        if len(stale) == len(project.radicals):
            whole.append(made)
        elif stale:
            render([made], stale, out)
    render(whole, project.radicals, out, jobs=os.cpu_count() or 1)
    if last is not None:
        last.update(now)
    return {name: out / name for name in project.sets}


def _decisive(made: Recipe, project: Project) -> dict[int, Hashable]:
    """What decides each card of a set, by number."""

    def decisive(radical: Radical) -> Hashable:
        chosen = made.illustrations.get(radical.number)
        return made.decisive, swatch(made.palette, radical), radical, chosen or picture(made, radical)

    return {radical.number: decisive(radical) for radical in project.radicals}
