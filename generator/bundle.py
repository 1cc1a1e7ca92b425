"""Export of one set as a ZIP file: its cards, what they are, and whose the fonts and the pictures are, with their licences."""

from collections.abc import Iterator
from pathlib import Path

from generator.cards import LABEL_FACE
from generator.exports import Edition, Piece, edition, listed, owed, pack, pngs, target
from generator.layouts import PICTURED
from generator.model import FaceSpec, PictureSource, origin
from generator.project import Project, put


def write(project: Project, name: str, out: Path, jobs: int = 1, png: bool = False) -> str:
    """Write a set to the ZIP file *out*, with a PNG beside each card if wanted: what there is to say."""
    target(out, ".zip")
    with edition(project, name, jobs) as made:
        members = sorted(_members(made, png))
    put(out, pack([(f"{name}/{file}", content) for file, content in members]))
    return f"{out}: {len(members)} files"


def _members(made: Edition, png: bool) -> Iterator[tuple[str, bytes]]:
    pieces = made.pieces()
    yield from ((piece.path.name, piece.path.read_bytes()) for piece in pieces)
    if png:
        names = (piece.path.with_suffix(".png").name for piece in pieces)
        yield from zip(names, pngs(pieces, made.jobs), strict=True)
    yield "manifest.json", listed(made, (piece.facts | {"file": piece.path.name, "sha256": piece.sha256} for piece in pieces))
    yield "CREDITS.txt", credits_text(made, pieces).encode()
    for name, path in _licences(made).items():
        yield f"LICENSES/{name}", path.read_bytes()


def _faces(made: Edition) -> list[FaceSpec]:
    """Every face that has ink on the cards: the set's own, those it borrows from, and the label's."""
    faces = made.project.fonts.faces
    used = [made.spec.font, *made.face.borrowed.values(), *([LABEL_FACE] if made.spec.label else [])]
    return [faces[name] for name in dict.fromkeys(used)]


def _sources(made: Edition) -> list[PictureSource]:
    """The sources of the pictures, if the set shows any."""
    if made.spec.layout not in PICTURED:
        return []
    listed = made.project.pictures
    folder = PICTURED[made.spec.layout]
    used = {origin(text).source for depiction in listed.radicals.values() for text in depiction.origins(folder)}
    return [source for name, source in listed.sources.items() if name in used]


def _licences(made: Edition) -> dict[str, Path]:
    """The licences' texts: those of the faces, and those that lie beside the pictures."""
    texts = {face.licence_file: made.project.path(f"fonts/{face.licence_file}") for face in _faces(made)}
    held = [file for source in _sources(made) if (file := source.licence_file)]
    return texts | {file: made.project.path(f"radicals/{file}") for file in held}


def credits_text(made: Edition, pieces: tuple[Piece, ...]) -> str:
    """Whose everything on the cards is: the fonts, the pictures' sources, and what each card's metadata says."""
    lines = [f"Bushu: {made.spec.title}", made.spec.description, "", "Fonts", ""]
    lines += [f"{face.title}: {face.copyright.rstrip('.')}. {face.licence} (LICENSES/{face.licence_file})" for face in _faces(made)]
    if sources := _sources(made):
        lines += ["", "Pictures", ""]
        lines += [f"{one.title}: {one.copyright}. {', '.join(filter(None, (one.licence, one.licence_url, one.url)))}" for one in sources]
    lines += ["", "Cards, by the numbers of their radicals", "", *owed(pieces)]
    return "\n".join(lines) + "\n"
