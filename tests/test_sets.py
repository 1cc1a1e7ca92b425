"""Sets are whole, atomic and the same whatever draws them."""

import errno
import hashlib
import json
from pathlib import Path

import pytest
from common import contents, illustrated, webp

from generator import cards, layouts, sets
from generator import project as projects
from generator.model import Error, Unsound
from generator.project import Project


def test_a_set_is_214_cards_and_a_manifest(project: Project, drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == sorted(project.sets)
    for name, spec in project.sets.items():
        files = sorted(path.name for path in (drawn / name).iterdir())
        assert files == ["manifest.json", *(f"radical_{n:03d}.svg" for n in range(1, 215))]
        manifest = json.loads((drawn / name / "manifest.json").read_text("utf-8"))
        assert (manifest["set"], manifest["layout"], manifest["font"], manifest["palette"]) == (name, spec.layout, spec.font, spec.palette)
        assert [card["number"] for card in manifest["cards"]] == list(range(1, 215))
        for card in manifest["cards"]:
            content = (drawn / name / card["file"]).read_bytes()
            assert (card["sha256"], card["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
            assert card["origin"] == ("picture" if spec.illustrations else "drawn")


def test_several_processes_draw_the_same_bytes(project: Project, drawn: Path, tmp_path: Path) -> None:
    sets.render([cards.recipe(project, "seal")], project.radicals, tmp_path, jobs=2)
    assert contents(tmp_path / "seal") == contents(drawn / "seal")


def test_the_order_of_drawing_does_not_matter(project: Project, drawn: Path, tmp_path: Path) -> None:
    sets.render([cards.recipe(project, "disc")], project.radicals[::-1], tmp_path)
    drawn_cards, again = contents(drawn / "disc"), contents(tmp_path / "disc")
    del drawn_cards["manifest.json"], again["manifest.json"]
    assert again == drawn_cards


def test_a_few_cards_join_those_that_are_there(project: Project, tmp_path: Path) -> None:
    made = cards.recipe(project, "baseline")
    sets.render([made], project.radicals[:3], tmp_path)
    sets.render([made], project.radicals[1:5], tmp_path)
    listed = [card["number"] for card in sets.manifest(tmp_path / "baseline")["cards"]]
    assert listed == [1, 2, 3, 4, 5]
    assert len(list((tmp_path / "baseline").glob("*.svg"))) == 5


def test_cards_of_another_recipe_are_not_mixed_in(project: Project, tmp_path: Path) -> None:
    sets.render([cards.recipe(project, "baseline")], project.radicals[:3], tmp_path)
    night = project.sets["baseline"].model_copy(update={"palette": "night"})
    sets.render([cards.recipe(project, "baseline", night)], project.radicals[3:4], tmp_path)
    manifest = sets.manifest(tmp_path / "baseline")
    assert (manifest["palette"], [card["number"] for card in manifest["cards"]]) == ("night", [4])
    assert [path.name for path in (tmp_path / "baseline").glob("*.svg")] == ["radical_004.svg"]


def test_a_whole_set_replaces_what_stood_there(project: Project, tmp_path: Path) -> None:
    made = cards.recipe(project, "baseline")
    sets.render([made], project.radicals[:1], tmp_path, png=32)
    assert (tmp_path / "baseline" / "radical_001.png").read_bytes().startswith(b"\x89PNG")
    sets.render([made], project.radicals, tmp_path)
    assert len(list((tmp_path / "baseline").iterdir())) == 215


@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_of_something_else_is_left_alone(project: Project, tmp_path: Path, whole: bool) -> None:
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline" / "thesis.txt").write_text("years of work")
    with pytest.raises(Error, match=r"baseline: exists and is not a set that Bushu drew"):
        sets.render([cards.recipe(project, "baseline")], project.radicals if whole else project.radicals[:2], tmp_path)
    assert contents(tmp_path) == {"baseline/thesis.txt": b"years of work"}


@pytest.mark.parametrize(
    "manifest", ["[]", "{}", '{"name": "my web app"}', '{"cards": 1}', '{"cards": [1]}', '{"set": "baseline", "cards": [{"file": "a"}]}']
)
def test_a_manifest_of_something_else_is_an_error(project: Project, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline" / "manifest.json").write_text(manifest)
    (tmp_path / "baseline" / "thesis.txt").write_text("years of work")
    for subjects in (project.radicals, project.radicals[:2]):
        with pytest.raises(Error, match=r"manifest\.json: not the manifest of a set that Bushu drew"):
            sets.render([cards.recipe(project, "baseline")], subjects, tmp_path)
    assert (tmp_path / "baseline" / "thesis.txt").read_text() == "years of work"


def test_a_foreign_file_in_a_set_is_not_swept_away(project: Project, tmp_path: Path) -> None:
    made = cards.recipe(project, "baseline")
    sets.render([made], project.radicals, tmp_path)
    (tmp_path / "baseline" / "notes.txt").write_text("mine")
    with pytest.raises(Error, match=r"notes\.txt: is not a card that Bushu drew"):
        sets.render([made], project.radicals, tmp_path)
    assert (tmp_path / "baseline" / "notes.txt").read_text() == "mine"


def test_a_place_that_cannot_be_taken_keeps_what_stood_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, place = tmp_path / "new", tmp_path / "place"
    for folder in (new, place):
        folder.mkdir()
        (folder / "card.svg").write_text(folder.name)
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self == new:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(Error, match=r"place: cannot be written \(No space left on device\)"):
        sets.swap(new, place)
    assert contents(tmp_path) == {"new/card.svg": b"new", "place/card.svg": b"place"}


def test_a_failure_in_the_middle_leaves_nothing_behind(project: Project, tmp_path: Path) -> None:
    made = cards.recipe(project, "baseline")
    with pytest.raises(Error, match="no ink for 猫"):
        sets.render([made], [*project.radicals, "猫"], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("{numbr}", r"sets\.yml: paper\.label: unknown field 'numbr', did you mean number\?"),
        ("{number:>9}", r"sets\.yml: paper\.label: 'number' has a format, write plain fields"),
        ("{number!r}", r"sets\.yml: paper\.label: 'number' has a format"),
        ("{", r"sets\.yml: paper\.label: .*write fields as \{number\}"),
        ("{number} ☃", r"sets\.yml: paper\.label: no ink for '☃' of '1 ☃' in gothic"),
    ],
)
def test_a_bad_label_is_an_error(project: Project, tmp_path: Path, label: str, fault: str) -> None:
    spec = project.sets["paper"].model_copy(update={"label": label})
    with pytest.raises(Error, match=fault):
        sets.render([cards.recipe(project, "paper", spec)], project.radicals[:1], tmp_path)


def test_a_label_where_there_is_no_room_is_an_error(project: Project) -> None:
    spec = project.sets["seal"].model_copy(update={"label": "{number}"})
    with pytest.raises(Error, match=r"sets\.yml: seal\.label: the layout seal has no room for a label, leave it out or use plain"):
        cards.recipe(project, "seal", spec)


@pytest.mark.parametrize("layout", layouts.LABELLED)
@pytest.mark.parametrize("label", ["{number} {meaning}", "{kana} · {romaji}", "{strokes}"])
def test_every_label_of_every_radical_passes_the_checks(project: Project, tmp_path: Path, layout: str, label: str) -> None:
    """Also those with descenders, and the longest."""
    spec = project.sets["paper"].model_copy(update={"layout": layout, "label": label})
    sets.render([cards.recipe(project, "paper", spec)], project.radicals, tmp_path)
    assert len(list((tmp_path / "paper").glob("*.svg"))) == 214


HEAVIEST = {"plain": 1500, "paper": 1500, "picture": 6000, "pictogram": 6000, "window": 6000}
"""Bytes that the median card of a layout may weigh; of all others, which are patterned, 3,000."""


def test_weights(drawn: Path, project: Project) -> None:
    for name, spec in project.sets.items():
        sizes = sorted(card["bytes"] for card in sets.manifest(drawn / name)["cards"])
        assert sizes[107] <= HEAVIEST.get(spec.layout, 3000), name
        assert sizes[-1] <= 10_000, name


def test_a_chosen_illustration_takes_the_place_of_the_picture(copy: Path, drawn: Path) -> None:
    illustrated(copy, 85, webp("navy"))
    illustrated(copy, 86, b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512"/>\n', "svg")
    project = projects.load(copy)
    out = copy / "build" / "sets"
    sets.render([cards.recipe(project, "illustrated"), cards.recipe(project, "picture")], project.radicals, out)
    entries = {entry["number"]: entry for entry in sets.manifest(out / "illustrated")["cards"]}
    assert (entries[85]["file"], entries[85]["origin"]) == ("radical_085.webp", "illustration")
    assert (entries[86]["file"], entries[86]["origin"]) == ("radical_086.svg", "illustration")
    assert {entry["origin"] for number, entry in entries.items() if number not in (85, 86)} == {"picture"}
    assert (out / "illustrated" / "radical_085.webp").read_bytes() == webp("navy")
    assert not (out / "illustrated" / "radical_085.svg").exists()
    assert contents(out / "picture") == contents(drawn / "picture"), "which knows nothing of illustrations"
    one, other = ((out / name / "radical_001.svg").read_text("utf-8") for name in ("illustrated", "picture"))
    assert one.replace("illustrated-001", "picture-001") == other, "where none is chosen, the picture card"


def test_an_illustration_that_is_not_as_listed_stops_the_set(copy: Path) -> None:
    illustrated(copy, 85, webp("navy"))
    (copy / "radicals/illustrations/radical_085.webp").write_bytes(webp("red"))
    project = projects.load(copy)
    with pytest.raises(Unsound, match=r"radicals/illustrations/radical_085\.webp: stored: is not the file that .* adopt it again"):
        sets.render([cards.recipe(project, "illustrated")], project.radicals, copy / "out")
    (copy / "radicals/illustrations/radical_085.webp").unlink()
    with pytest.raises(Unsound, match=r"radical_085\.webp: stored"):
        sets.render([cards.recipe(project, "illustrated")], project.radicals, copy / "out")
    assert not (copy / "out" / "illustrated").exists()


def test_an_illustration_chosen_and_taken_back_leaves_one_card(copy: Path) -> None:
    """Under a long-running process, which draws only what has changed."""
    last: sets.Published = {}
    there = copy / "build" / "sets" / "illustrated"
    sets.publish(projects.load(copy), last)
    before = contents(there)
    illustrated(copy, 85, webp("navy"))
    sets.publish(projects.load(copy), last)
    assert sorted(path.name for path in there.glob("radical_085.*")) == ["radical_085.webp"]
    assert sets.examine_folder(there, "illustrated") == []
    (copy / projects.ILLUSTRATIONS).unlink()
    sets.publish(projects.load(copy), last)
    assert contents(there) == before


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("85: {file: radical_086.webp, sha256: X, stored: X}", r"85\.file: radical_086\.webp is not of radical 85"),
        ("215: {file: radical_215.webp, sha256: X, stored: X}", r"215: not a radical"),
        ("85: {file: ../secret.webp, sha256: X, stored: X}", r"85\.file: "),
        ("85: {file: radical_085.webp, sha256: abc, stored: X}", r"85\.sha256: "),
        ("water: {file: radical_085.webp, sha256: X, stored: X}", r"water"),
        ("85: {file: radical_085.webp, sha256: X, stored: X, sauce: me}", r"85\.sauce: unknown key, did you mean source\?"),
    ],
)
def test_a_bad_list_of_illustrations_is_an_error(copy: Path, entry: str, said: str) -> None:
    (copy / projects.ILLUSTRATIONS).write_text(entry.replace("X", "0" * 64), "utf-8")
    with pytest.raises(Error, match=rf"radicals/illustrations\.yml: {said}"):
        projects.load(copy)


@pytest.mark.parametrize("text", ["", "85: [1", "# nothing"])
def test_a_broken_list_of_illustrations_is_not_one_that_bushu_brings(copy: Path, text: str) -> None:
    (copy / projects.ILLUSTRATIONS).write_text(text, "utf-8")
    with pytest.raises(Error, match=r"radicals/illustrations\.yml: .*bring it back from a copy"):
        projects.load(copy)


def test_bare_cards_are_no_set(project: Project, tmp_path: Path) -> None:
    made = cards.recipe(project, "picture", bare=True)
    sets.render([made], project.radicals, tmp_path)
    assert sets.manifest(tmp_path / "picture")["bare"] is True
    texts = {path.read_text("utf-8").partition('<g id="')[2] for path in (tmp_path / "picture").glob("*.svg")}
    assert len(texts) == 214
    assert not any("-glyph" in text for text in texts)


def test_a_long_running_process_draws_only_what_has_changed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And ends with the very sets that a fresh process draws."""
    last: sets.Published = {}
    sets.publish(projects.load(copy), last)
    drawn: list[str] = []
    monkeypatch.setattr(sets, "draw", lambda card, *how: drawn.append(card.prefix) or layouts.draw(card, *how))

    sets.publish(projects.load(copy), last)
    assert drawn == []

    palette = copy / "palette.yml"
    palette.write_text(palette.read_text("utf-8").replace("water: {paper: oklch(46.8% 0.129 258)", "water: {paper: navy", 1), "utf-8")
    project = projects.load(copy)
    sets.publish(project, last)
    water = [radical.slug for radical in project.radicals if radical.family == "water"]
    assert drawn == [f"{name}-{slug}" for name in project.sets for slug in water]

    palette.write_text("default: broken", "utf-8")
    with pytest.raises(Error):
        sets.publish(projects.load(copy), last)
    incremental = contents(copy / "build" / "sets")
    monkeypatch.undo()
    sets.render([cards.recipe(project, name) for name in project.sets], project.radicals, copy / "fresh")
    assert incremental == contents(copy / "fresh")
