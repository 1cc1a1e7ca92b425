"""Sets of cards: draw, check, write, manifest. What is published is what was checked.

Cards are drawn into a temporary folder and take their places only when the checks found nothing. They are drawn in batches, so
that memory stays the same however many there are, and batches may go to several processes.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.cards import Recipe, Subject, card, character, expected, recipe, stem
from generator.checks import examine
from generator.layouts import draw
from generator.model import COUNT, Error, Finding, Radical
from generator.project import Project

BATCH = 107
"""Cards that a process draws at once: half of the radicals."""
MANIFEST = "manifest.json"

Entry = dict[str, Any]
"""A card in the manifest: number (of a radical), character, file, sha256, bytes, origin."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some cards of one set, and the folder they are drawn into; ``png`` is the size of a PNG beside each, or 0."""

    recipe: Recipe
    subjects: tuple[Subject, ...]
    folder: Path
    png: int = 0


def draw_batch(batch: Batch) -> tuple[list[Entry], list[Finding]]:
    """Draw, check and write a batch: its manifest entries and what the checks found."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    for subject in batch.subjects:
        text = draw(card(batch.recipe, subject), batch.recipe.spec.layout)
        file = f"{stem(subject)}.svg"
        findings += examine(f"{batch.recipe.name}/{file}", text, expected(batch.recipe, subject))
        (batch.folder / file).write_text(text, "utf-8", newline="\n")
        if batch.png:
            from generator.raster import png

            (batch.folder / f"{stem(subject)}.png").write_bytes(png(text, batch.png))
        entries.append(_entry(file, subject, text.encode()))
    return entries, findings


def _entry(file: str, subject: Subject, content: bytes) -> Entry:
    number = {"number": subject.number} if isinstance(subject, Radical) else {}
    facts = {"character": character(subject), "file": file, "sha256": hashlib.sha256(content).hexdigest()}
    return number | facts | {"bytes": len(content), "origin": "drawn"}


def _run(batches: Sequence[Batch], jobs: int) -> Iterator[tuple[Batch, list[Entry], list[Finding]]]:
    """Draw batches in order, in this process or in several."""
    if jobs < 2 or len(batches) < 2:
        for batch in batches:
            yield (batch, *draw_batch(batch))
        return
    with ProcessPoolExecutor(min(jobs, len(batches))) as pool:
        for batch, (entries, findings) in zip(batches, pool.map(draw_batch, batches), strict=True):
            yield batch, entries, findings


def render(
    recipes: Sequence[Recipe], subjects: Sequence[Subject], out: Path, *, jobs: int = 1, png: int = 0, progress: Callable[[int], None] = id
) -> list[Finding]:
    """Draw the subjects in every recipe into *out*, a folder of sets, and say what the checks found; then nothing is written.

    All 214 radicals make a whole set, which replaces the set that stood there; fewer are put beside what is there. *progress* is
    told how many cards each batch had.
    """
    whole = [s.number for s in subjects if isinstance(s, Radical)] == list(range(1, COUNT + 1)) and len(subjects) == COUNT
    for made in recipes:
        _refuse_foreign(out / made.name)
    with _temporary(out) as temporary:
        folders = {made.name: temporary / made.name for made in recipes}
        batches = []
        for made in recipes:
            folders[made.name].mkdir()
            parts = [tuple(subjects[start : start + BATCH]) for start in range(0, len(subjects), BATCH)]
            batches += [Batch(made, part, folders[made.name], png) for part in parts]
        findings: list[Finding] = []
        lines = {made.name: (temporary / f"{made.name}.lines").open("w", encoding="utf-8") for made in recipes}
        for batch, entries, found in _run(batches, jobs):
            lines[batch.recipe.name].writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
            findings += found
            progress(len(entries))
        for file in lines.values():
            file.close()
        if findings:
            return findings
        for made in recipes:
            _place(made, temporary / f"{made.name}.lines", folders[made.name], out / made.name, whole)
    return []


@contextmanager
def _temporary(out: Path) -> Iterator[Path]:
    """A folder beside the sets, gone afterwards."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".drawing-") as name:
        yield Path(name)


def _refuse_foreign(folder: Path) -> None:
    """Never put cards into, or replace, a folder that holds something else."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file())):
        raise Error(f"{folder}: exists and is not a set that Bushu drew, choose another --out or move it away")


def _place(made: Recipe, lines: Path, drawn: Path, folder: Path, whole: bool) -> None:
    """Write the manifest and let what was drawn take its place: as the whole set, or file by file."""
    kept = [] if whole or not folder.exists() else _others(folder, drawn)
    head = {"set": made.name, "title": made.spec.title, "layout": made.spec.layout, "font": made.spec.font, "palette": made.spec.palette}
    with (drawn / MANIFEST).open("w", encoding="utf-8", newline="\n") as out, lines.open(encoding="utf-8") as new:
        out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "cards": [')
        between = "\n"
        for line in [*kept, *new] if kept else new:
            out.write(between + line.rstrip("\n"))
            between = ",\n"
        out.write("\n]}\n")
    if whole or not folder.exists():
        swap(drawn, folder)
        return
    for path in sorted(drawn.iterdir()):
        path.replace(folder / path.name)


def _others(folder: Path, drawn: Path) -> list[str]:
    """Manifest lines of the cards that stand in *folder* and were not drawn anew."""
    cards = manifest(folder)["cards"]
    return [json.dumps(c, ensure_ascii=False) for c in cards if not (drawn / c["file"]).exists() and (folder / c["file"]).exists()]


def swap(new: Path, place: Path) -> None:
    """Let the folder *new* take *place*; what stood there is deleted only once it does."""
    old = place.with_name(f".{place.name}.old-{os.getpid()}")
    if place.exists():
        place.rename(old)
    new.chmod(0o755)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a drawn set."""
    path = folder / MANIFEST
    try:
        loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Error(f"{path}: not a manifest that can be read ({error}), draw the set again") from None
    return loaded


def publish(project: Project, jobs: int | None = None) -> dict[str, Path]:
    """Draw all sets of the project whole into ``build/sets``: name to folder. :class:`Error` lists what the checks found."""
    out = project.build / "sets"
    recipes = [recipe(project, name) for name in project.sets]
    findings = render(recipes, project.radicals, out, jobs=jobs or os.cpu_count() or 1)
    if findings:
        raise Error("\n".join(map(str, findings)))
    return {name: out / name for name in project.sets}
