"""The wheel carries everything: in a fresh environment and an empty folder, `bushu` draws."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from common import ROOT

from generator import cards, layouts
from generator.project import load


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_what_the_wheel_carries(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shared = {name.removeprefix("generator/share/") for name in names if name.startswith("generator/share/")}
    tracked = [
        path.relative_to(ROOT).as_posix()
        for name in ("radicals", "fonts", "templates", "site")
        for path in (ROOT / name).rglob("*")
        if path.is_file()
    ]
    assert len(tracked) > 60
    assert {*tracked, "palette.yml", "sets.yml", "models.yml", "mkdocs.yml"} == shared
    assert not any(name.startswith("tests/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_an_empty_folder_in_a_fresh_environment(wheel: Path, tmp_path: Path, built: Path) -> None:
    """A new virtual environment holds nothing but the wheel; the libraries are lent to it, the checkout is not."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    lent = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib"), "SOURCE_DATE_EPOCH": "1700000000"}

    def bushu(*words: str) -> str:
        command = [tmp_path / "env" / "bin" / "bushu", *words]
        return subprocess.run(command, cwd=empty, env=lent, check=True, capture_output=True, text=True).stdout

    where = [python, "-c", "import generator; print(generator.__file__)"]
    found = subprocess.run(where, cwd=empty, env=lent, check=True, capture_output=True, text=True)
    assert found.stdout.startswith(str(tmp_path / "env"))
    assert bushu("render", "水").startswith("baseline: 1 card in build/cards/baseline")
    card = empty / "build" / "cards" / "disc" / "radical_085.svg"
    ours = load(ROOT)
    made = cards.recipe(ours, "disc")
    assert card.read_text("utf-8") == layouts.draw(cards.card(made, ours.by_glyph["水"]), made.spec.layout)
    assert "nothing found" in bushu("check")
    assert "pages in build/site" in bushu("site")
    assert (empty / "build" / "site" / "css" / "site.css").read_bytes() == (built / "css" / "site.css").read_bytes()
    assert len(list((empty / "build" / "site" / "radicals").iterdir())) == 214
