"""What several test files need to name."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
"""A project folder with nothing but the palettes and sets that the tests hold: who changes the colours of cards need not change tests."""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name relative to it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
