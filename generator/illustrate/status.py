"""What was made so far, and what became of it: a line for each model and mode."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from generator.illustrate import ranking
from generator.illustrate.columns import aligned
from generator.illustrate.legible import Reading
from generator.illustrate.ranking import DUPLICATE, Ranked
from generator.project import Project
from generator.store import BROKEN, DAMAGED, Store

EMPTY = "nothing was made yet: bushu illustrate --model demo tries it without a download, bushu illustrate lists the models"
UNRANKED = "{count} of {made} are not ranked, and left out under legible, alike and flagged: bushu illustrate ranks when it ends"
HEADING = ("model", "mode", "made", "rejected", "legible", "alike", "flagged", "picked", "s/picture", "why")
LEFT = ("model", "mode", "why")
"""The columns of words."""
NONE = "–"
FAULTS = {
    BROKEN: (
        "1 file cannot be read: {}, delete it to have it made again",
        "{count} files cannot be read: {}, delete them to have them made again",
    ),
    DAMAGED: (
        "1 file is missing or is not what was stored: {}, delete the .json beside it to have it made again",
        "{count} files are missing or are not what was stored: {}, delete the .json beside each to have it made again",
    ),
}
"""What is said of one file with a fault, and of several."""
NAMED = 3
"""So many of them are named."""


@dataclass(slots=True)
class Tally:
    """What became of the pictures of a model in a mode. ``read``: how many of them were examined for their glyph."""

    made: int = 0
    ranked: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    with_flags: int = 0
    read: int = 0
    legible: int = 0
    picked: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, one: Ranked, chosen: Collection[str]) -> None:
        """Count a candidate. *chosen*: the sha256 of the files that illustrations were made of."""
        codes = {flag.code for flag in one.flags}
        self.made += 1
        self.ranked += one.score is not None
        self.flagged.update(codes)
        self.with_flags += bool(codes)
        if reading := one.measured.get("legible"):
            self.read += 1
            self.legible += Reading(**reading).is_legible
        self.picked += any(one.candidate.picture.get(name) in chosen for name in ("sha256", "original_sha256"))
        if seconds := one.candidate.made.get("seconds"):
            self.seconds.append(seconds)

    def cells(self) -> list[str]:
        """The row as text, from ``made`` on."""
        legible = f"{self.legible} of {self.read}{_share(self.legible, self.read)}" if self.read else NONE
        picked = f"{self.picked}{_share(self.picked, self.made)}" if self.made else NONE
        counts = [str(self.made), str(self.rejected.total()), legible, str(self.flagged[DUPLICATE]), str(self.with_flags), picked]
        return [*counts, f"{median(self.seconds):.2f}" if self.seconds else NONE, self._why()]

    def _why(self) -> str:
        """The codes of rejects and flags with their counts, the most frequent first."""
        kinds = {"rejected": self.rejected, "flagged": self.flagged}
        told = {kind: sorted(counter.items(), key=lambda item: (-item[1], item[0])) for kind, counter in kinds.items()}
        return (
            "; ".join(f"{kind}: {', '.join(f'{code} {count}' for code, count in found)}" for kind, found in told.items() if found) or NONE
        )


def _share(part: int, whole: int) -> str:
    """The second half of a cell, after a tab."""
    return f"\t{100 * part / whole:.1f} %"


def tallies(project: Project, store: Store, radicals: Collection[int] = ()) -> dict[tuple[str, str], Tally]:
    """What became of the pictures by model and mode, of these *radicals* or of all."""
    chosen = {illustration.sha256 for illustration in project.illustrations.values()}
    found: dict[tuple[str, str], Tally] = {}
    for number in radicals or [radical.number for radical in project.radicals]:
        for one in ranking.read(store, number):
            found.setdefault((one.candidate.model, one.candidate.mode), Tally()).add(one, chosen)
        for reject in store.rejects(number):
            found.setdefault((reject.model, reject.mode), Tally()).rejected[reject.rejected["code"]] += 1
    return dict(sorted(found.items()))


def lines(project: Project, store: Store, radicals: Collection[int] = ()) -> Iterator[str]:
    """A table of what was made of these *radicals* or of all, and what became of it."""
    found, faults = tallies(project, store, radicals), list(_faults(project, store, radicals))
    yield from _counted(found) if found else [] if faults else [EMPTY]
    yield from faults


def _counted(found: Mapping[tuple[str, str], Tally]) -> Iterator[str]:
    yield from _table([HEADING, *([model, mode, *tally.cells()] for (model, mode), tally in found.items())])
    made, ranked = (sum(getattr(tally, name) for tally in found.values()) for name in ("made", "ranked"))
    if ranked < made:
        yield UNRANKED.format(count=made - ranked, made=made)


def _faults(project: Project, store: Store, radicals: Collection[int]) -> Iterator[str]:
    """What is not as it was stored, and what to do: a line for each kind of fault."""
    found: dict[str, list[Path]] = {}
    for number in radicals or [radical.number for radical in project.radicals]:
        for kind, path in store.faults(number):
            found.setdefault(kind, []).append(path)
    for kind, (one, several) in FAULTS.items():
        if paths := found.get(kind):
            more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
            yield (several if paths[1:] else one).format(f"{', '.join(map(str, paths[:NAMED]))}{more}", count=len(paths))


def _halved(column: Sequence[str]) -> list[str]:
    """Cells with the second halves that some have, after a tab, made equally wide."""
    cells = [cell.partition("\t") for cell in column]
    width = max(len(half) for _, _, half in cells)
    return [f"{cell}  {half.rjust(width)}" if half else cell for cell, _, half in cells]


def _table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows in columns: words to the left, numbers to the right."""
    halved = map(_halved, zip(*rows, strict=True))
    return aligned(zip(*halved, strict=True), left=[number for number, name in enumerate(HEADING) if name in LEFT])
