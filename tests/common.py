"""What several test files need to name."""

import hashlib
import io
import os
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from generator.project import ILLUSTRATIONS

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
"""A project folder with nothing but the palettes and sets that the tests hold: who changes the colours of cards need not change tests."""

ILLUSTRATED = 33
"""The radical that has an illustration in the gallery that the tests build."""


def needs(package: str, reason: str = "") -> None:
    """Skips what follows where a package of an extra is not installed; in CI, where it has to be, that is a failure."""
    if os.environ.get("CI") == "true":
        import_module(package)
    else:
        pytest.importorskip(package, reason=reason or None)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name relative to it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def illustrated(folder: Path, number: int, content: bytes, kind: str = "webp") -> None:
    """Choose an illustration for a radical, in a project's folder."""
    file = f"radical_{number:03d}.{kind}"
    (folder / "radicals/illustrations").mkdir(parents=True, exist_ok=True)
    (folder / "radicals/illustrations" / file).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    listed = folder / ILLUSTRATIONS
    before = listed.read_text("utf-8") if listed.exists() else ""
    entry = f"{number}: {{file: {file}, source: a friend, licence: CC0-1.0, sha256: {digest}, stored: {digest}}}\n"
    listed.write_text(before + entry, "utf-8")


def webp(colour: str) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (512, 512), colour).save(out, "WEBP")
    return out.getvalue()
