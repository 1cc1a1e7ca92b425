"""Layers: modules import lower ones only, and each format is read and written in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from common import ROOT

# From the bottom up; modules of one layer do not import each other.
LAYERS = (
    ("model", "kana"),
    ("fonts", "subset", "svg", "palette", "illustrate.columns", "illustrate.examine", "illustrate.money", "illustrate.sessions"),
    ("patterns", "pictures", "shapes", "provenance", "vocabulary", "illustrate.retrying"),
    ("layouts", "checks", "raster", "bitmaps", "flatten", "weight"),
    ("project", "ink", "pdf", "normalise"),
    ("cards", "vectors", "scoring", "store"),
    ("sets", "illustrations", "terminal", "illustrate.conditions", "illustrate.requests"),
    ("proof", "adopt", "against", "sheets", "swatches", "views", "dyes", "quiz", "vendor"),
    ("illustrate.backlog", "illustrate.conversation", "illustrate.legible", "illustrate.making"),
    ("illustrate.causes", "illustrate.finish", "illustrate.remote"),
    ("illustrate.chat", "illustrate.pins", "illustrate.scorers", "illustrate.services"),
    ("illustrate.drawing", "illustrate.loading", "illustrate.ranking"),
    ("illustrate.engine", "illustrate.status", "illustrate.tiny"),
    ("illustrate.probe", "illustrate.providers"),
    ("illustrate.connection", "illustrate.formats", "illustrate.profiles", "illustrate.worker"),
    ("illustrate.children", "illustrate.hands", "illustrate.prompts"),
    ("illustrate.plan", "illustrate.supervise", "inspection"),
    ("illustrate.cluster",),
    ("pages", "exports", "icons", "illustrate.run"),
    ("gallery", "anki", "bundle", "flashcards", "kanji_site", "illustrate.command"),
    ("site",),
    ("cli",),
)
LEVEL = {module: level for level, layer in enumerate(LAYERS) for module in layer}
PACKAGE = ROOT / "generator"
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.stem != "__init__" and "share" not in path.parts
}

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
    "click": {"cli", "swatches", "terminal", "illustrate.command"},
    "httpx2": {"illustrate.sessions", "illustrate.retrying"},
    "tenacity": {"illustrate.retrying"},
    "distributed": {"illustrate.cluster", "illustrate.connection", "illustrate.hands"},
    "imagehash": {"illustrate.examine"},
    "psutil": {"illustrate.engine", "illustrate.probe", "illustrate.run", "illustrate.children"},
    "torch": {"illustrate.engine", "illustrate.loading", "illustrate.probe", "illustrate.scorers", "illustrate.tiny"},
    "diffusers": {"illustrate.loading", "illustrate.tiny"},
    "transformers": {"illustrate.loading", "illustrate.probe", "illustrate.scorers", "illustrate.tiny"},
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
    return {name.removeprefix("generator.") for name in imported(path)} & MODULES.keys()


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
