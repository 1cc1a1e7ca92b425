"""Layers: modules import lower ones only, and each format is read and written in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from common import ROOT

# From the bottom up; modules of one layer do not import each other.
LAYERS = (
    ("model", "kana"),
    ("fonts", "subset", "svg", "palette"),
    ("patterns", "pictures", "shapes", "provenance", "vocabulary"),
    ("layouts", "checks", "raster", "bitmaps", "flatten", "weight"),
    ("project", "ink", "pdf", "normalise"),
    ("cards", "vectors", "scoring"),
    ("sets", "illustrations"),
    ("proof", "adopt", "against", "sheets", "swatches", "views", "dyes", "quiz", "vendor"),
    ("inspection", "pages", "exports", "icons"),
    ("gallery", "anki", "bundle", "flashcards", "kanji_site"),
    ("site",),
    ("cli",),
)
LEVEL = {module: level for level, layer in enumerate(LAYERS) for module in layer}
MODULES = {path.stem: path for path in sorted((ROOT / "generator").glob("*.py")) if path.stem != "__init__"}

# Package: the only modules that may import it.
OWNERS: dict[str, set[str]] = {
    "svgwrite": {"svg"},
    "yaml": {"project", "vendor"},
    "fontTools.ttLib": {"fonts", "subset", "vendor"},
    "mkdocs": {"gallery", "site"},
    "cairosvg": {"raster"},
    "fpdf": {"flashcards", "pdf"},
    "genanki": {"anki"},
    "defusedxml": {"provenance"},
    "dhash": {"illustrations"},
    "pathops": {"shapes", "flatten", "normalise"},
    "picosvg": {"shapes", "flatten"},
    "click": {"cli", "swatches"},
    "torch": set(),
    "diffusers": set(),
    "transformers": set(),
}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its head or inside a function: ``generator.svg``, ``fontTools.ttLib``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: say from generator import …"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """The modules of this package that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("generator.")} & MODULES.keys()


def test_every_module_has_its_layer() -> None:
    assert LEVEL.keys() == MODULES.keys()
    assert len(LEVEL) == sum(map(len, LAYERS))


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    upward = {name for name in ours(MODULES[module]) if LEVEL[name] >= LEVEL[module]}
    assert not upward, f"{module} imports {', '.join(sorted(upward))}"


def test_imports_were_seen() -> None:
    assert sum(len(ours(path)) for path in MODULES.values()) > 50
    assert ours(MODULES["layouts"]) == {"svg", "fonts", "model", "patterns", "pictures"}
    assert "raster" in ours(MODULES["sets"]), "an import inside a function counts"


@pytest.mark.parametrize("package", OWNERS)
def test_one_place_for_each_format(package: str) -> None:
    users = {name for name, path in MODULES.items() if any(f"{used}.".startswith(f"{package}.") for used in imported(path))}
    assert users == OWNERS[package]
