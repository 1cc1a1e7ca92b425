"""Nothing moves unseen: sha256 of every shipped card, and a few cards whole, so that a difference can be read."""

import difflib
import json
from pathlib import Path

import pytest

from generator import sets
from generator.project import Project

GOLDEN = Path(__file__).parent / "golden"
HASHES = GOLDEN / "sha256.json"
# One card a set to read, each with a different pattern or family.
READABLE = {"baseline": 1, "paper": 9, "disc": 85, "seal": 86, "grid": 140, "picture": 75, "pictogram": 70, "window": 61}


def hashes(drawn: Path, project: Project) -> dict[str, dict[str, str]]:
    return {name: {card["file"]: card["sha256"] for card in sets.manifest(drawn / name)["cards"]} for name in project.sets}


@pytest.fixture(autouse=True)
def written(request: pytest.FixtureRequest, drawn: Path, project: Project) -> None:
    """With ``--golden`` (make golden), write what is drawn as what shall be."""
    if request.config.getoption("--golden"):
        HASHES.write_text(json.dumps(hashes(drawn, project), indent=0) + "\n", "utf-8")
        for name, number in READABLE.items():
            (GOLDEN / f"{name}-{number:03d}.svg").write_bytes((drawn / name / f"radical_{number:03d}.svg").read_bytes())


@pytest.mark.parametrize("name", READABLE)
def test_a_readable_card(name: str, drawn: Path) -> None:
    golden = GOLDEN / f"{name}-{READABLE[name]:03d}.svg"
    now = (drawn / name / f"radical_{READABLE[name]:03d}.svg").read_text("utf-8")
    then = golden.read_text("utf-8")
    lines = difflib.unified_diff(then.replace("><", ">\n<").splitlines(), now.replace("><", ">\n<").splitlines(), golden.name, "drawn now")
    assert now == then, "\n".join(lines) + "\nIf this is meant: make golden"


def test_every_card(drawn: Path, project: Project) -> None:
    now, then = hashes(drawn, project), json.loads(HASHES.read_text("utf-8"))
    assert sum(map(len, now.values())) == 214 * len(project.sets)
    assert now.keys() == then.keys()
    moved = [f"{name}/{file}" for name, files in now.items() for file in files if files[file] != then[name].get(file)]
    assert not moved, f"{len(moved)} cards differ, first {moved[0]}. If this is meant: make golden"
