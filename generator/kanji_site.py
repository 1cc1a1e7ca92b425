"""Export to the kanji site: the pictures that it shows, under the names that it asks for, and the cards as SVG.

The site sets the name of a picture by script and has nothing to show instead: names are kept exactly, and a picture is replaced
whole or not at all.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from generator.exports import Edition, beside, edition, listed, pngs
from generator.model import Error, Unsound
from generator.project import CARRIED, Project, replacing, tidy, writing

PICTURES = "assets/img/selected"
VECTORS = "assets/img/radicals_svg"
MANIFEST = "manifest.json"
OURS = (f"{PICTURES}/radical_*.png", f"{VECTORS}/radical_*.svg")
"""What ``--prune`` may delete, if it is not written."""
MARK = b'{"export": "kanji-site", '
"""What our manifest begins with: a site may have a manifest of its own under the same name."""
FEW = 12
"""Up to how many names are listed."""
STATES = ("added", "changed", "same")


@dataclass(frozen=True, slots=True)
class Difference:
    """The files to write, by their names in the site, how each compares with what is there, and what would be pruned."""

    files: dict[str, bytes]
    states: dict[str, str]
    stale: tuple[str, ...]

    @property
    def written(self) -> list[str]:
        """The names of the files that differ."""
        return [name for name, state in self.states.items() if state != "same"]

    def lines(self, stale: str) -> Iterator[str]:
        """What there is to say; *stale* is what becomes of files that the set does not have."""
        for place in (PICTURES, VECTORS, MANIFEST):
            states = {name: state for name, state in self.states.items() if name.startswith(place)}
            count = Counter(states.values())
            yield f"{place}: {', '.join(f'{count[state]} {state}' for state in STATES)}"
            for state in STATES[:2]:
                yield from _named(state, [name for name, own in states.items() if own == state and name != place])
        if self.stale:
            yield f"{len(self.stale)} not in the set: {stale}"
            yield from _named(stale, self.stale)


def _named(what: str, names: Sequence[str]) -> Iterator[str]:
    """A line with the names, if they are few."""
    if 0 < len(names) <= FEW:
        yield f"  {what}: {', '.join(PurePosixPath(name).name for name in names)}"


def _refuse(project: Project, dest: Path) -> None:
    """:class:`Error` for what cannot be a site's folder."""
    place = dest.resolve()
    if dest.exists() and not dest.is_dir():
        raise Error(f"{dest}: a file, give the folder of the kanji site")
    if place == Path(place.anchor):
        raise Error(f"{dest}: the root of the disk, give the folder of the kanji site")
    if place in (project.root, CARRIED):
        raise Error(f"{dest}: Bushu's own folder, give the folder of the kanji site")
    beside(place)


def _files(made: Edition) -> dict[str, bytes]:
    """Everything that the site gets: name to content."""
    pieces = made.pieces()
    files: dict[str, bytes] = {}
    cards = []
    for piece, picture in zip(pieces, pngs(pieces, made.jobs), strict=True):
        own = {f"{PICTURES}/radical_{piece.radical.slug}.png": picture}
        if piece.path.suffix == ".svg":
            own[f"{VECTORS}/radical_{piece.radical.slug}.svg"] = piece.path.read_bytes()
        files |= own
        digests = [{"file": name, "sha256": hashlib.sha256(content).hexdigest()} for name, content in own.items()]
        cards.append(piece.facts | {"files": digests})
    return files | {MANIFEST: MARK + listed(made, cards)[1:]}


def compared(dest: Path, files: dict[str, bytes]) -> Difference:
    """How the files compare with those in the site; :class:`Error` where one may not be written."""
    for folder in (PICTURES, VECTORS):
        _check_folder(dest, folder)
    states = {name: _state(dest, name, content) for name, content in files.items()}
    found = sorted(path for pattern in OURS for path in dest.glob(pattern) if path.is_symlink() or path.is_file())
    names = [path.relative_to(dest).as_posix() for path in found]
    return Difference(files, states, tuple(name for name in names if name not in files))


def _check_folder(dest: Path, name: str) -> None:
    """:class:`Error` if a file or a link out of the site is in the way of a folder."""
    for path in (dest / name, *(dest / parent for parent in PurePosixPath(name).parents)):
        if not path.resolve().is_relative_to(dest.resolve()):
            raise Error(f"{path}: a link that leads out of {dest}, make it a folder")
        if (path.exists() or path.is_symlink()) and not path.is_dir():
            raise Error(f"{path}: a file, move it away: there should be a folder")


def _state(dest: Path, name: str, content: bytes) -> str:
    path = dest / name
    if path.is_dir():
        raise Error(f"{path}: a folder, move it away")
    if not path.exists() and not path.is_symlink():
        return "added"
    there = b"" if path.is_symlink() else path.read_bytes()
    if name == MANIFEST and not there.startswith(MARK):
        raise Error(f"{path}: is not the manifest of an export, move it away")
    return "same" if there == content else "changed"


def _prepare(folders: Iterable[Path], stack: ExitStack) -> None:
    """Make the folders and try each; what is empty at the end of the *stack* is not left behind."""
    for folder in folders:
        for new in [place for place in (folder, *folder.parents) if not place.exists()][::-1]:
            stack.callback(tidy, new)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass


def _apply(dest: Path, difference: Difference, gone: Sequence[str]) -> None:
    """Write the files that differ and delete those that are *gone*. Nothing is in place before all is written, the manifest is last.

    :class:`Error` says how many are written if not all could be.
    """
    written = difference.written
    try:
        with ExitStack() as stack:
            _prepare(sorted({(dest / name).parent for name in (*written, *gone)}), stack)
            for name in reversed(written):  # what is entered last takes its place first
                temporary = stack.enter_context(replacing(dest / name))
                with writing(dest / name):
                    temporary.write_bytes(difference.files[name])
        for name in gone:
            with writing(dest / name):
                (dest / name).unlink()
    except Error as error:
        done = sum(_state(dest, name, difference.files[name]) == "same" for name in written)
        raise Error(f"{error}\n{dest}: {done} of {len(written)} files are written, export again when that is mended") from None


def write(project: Project, name: str, dest: Path, jobs: int = 1, check: bool = False, prune: bool = False) -> str:
    """Bring the site's folder to the state of the set: what there is to say. With *check* nothing is written.

    :class:`Unsound` if *check* finds a difference, or the checks find anything in the set.
    """
    _refuse(project, dest)
    with edition(project, name, jobs) as made:
        difference = compared(dest, _files(made))
    gone = difference.stale if prune else ()
    said = "\n".join(difference.lines("left" if not prune else "to prune" if check else "pruned"))
    if check and (difference.written or gone):
        raise Unsound(said)
    _apply(dest, difference, gone)
    return said
