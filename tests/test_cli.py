"""The command: what it prints, where it writes, and how it ends."""

import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from common import ROOT

from generator import __version__
from generator.cli import main
from generator.model import Unsound

FACE = ROOT / "fonts" / "gothic.otf"


@pytest.fixture
def bushu(copy: Path):
    """Run a command in a copy of the project."""

    def run(*words: str) -> Result:
        result = CliRunner().invoke(main, ["--project", str(copy), *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def cards(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.svg"))


def test_version_and_help(bushu) -> None:
    assert bushu("--version").output == f"bushu, version {__version__}\n"
    for name, command in main.commands.items():
        assert re.search(rf"^  {name} +\S", bushu("--help").output, re.MULTILINE)
        assert bushu(name, "--help").output.startswith("Usage:")
        assert command.help


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in main.commands if f"bushu {name}" not in readme] == []


def test_render_draws_all_shipped_sets(bushu, copy: Path, project) -> None:
    result = bushu("render")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == len(project.sets)  # no progress bar where there is no terminal
    assert len(cards(copy / "build" / "sets")) == 214 * len(project.sets)
    assert sorted(path.name for path in (copy / "build").iterdir()) == ["sets"]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["85"], [85]),
        (["085"], [85]),
        (["1-3", "2", "水"], [1, 2, 3, 85]),
        (["水火"], [85, 86]),
        (["⽔"], [85]),
        (["氵"], [85]),
        (["竜"], [212]),
    ],
)
def test_numbers(bushu, copy: Path, words: list[str], numbers: list[int]) -> None:
    assert bushu("render", *words, "--set", "baseline").exit_code == 0
    assert cards(copy / "build") == [f"cards/baseline/radical_{n:03d}.svg" for n in numbers]


def test_a_part_or_a_changed_set_never_stands_among_the_sets(bushu, copy: Path) -> None:
    assert bushu("render", "--set", "disc", "--palette", "night", "--layout", "plain", "--font", "display").exit_code == 0
    assert not (copy / "build" / "sets").exists()
    manifest = json.loads((copy / "build" / "cards" / "disc" / "manifest.json").read_text("utf-8"))
    assert (manifest["layout"], manifest["font"], manifest["palette"], len(manifest["cards"])) == ("plain", "display", "night", 214)


def test_out_and_png(bushu, tmp_path: Path) -> None:
    assert bushu("render", "85", "--set", "seal", "--out", str(tmp_path / "o"), "--png", "64").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "o" / "seal").iterdir()) == ["manifest.json", "radical_085.png", "radical_085.svg"]


def test_any_character_of_a_font_file(bushu, tmp_path: Path) -> None:
    """The vendored gothic has 氵 and 竜, which are no radicals of their own."""
    assert bushu("render", "氵竜", "85", "--font", str(FACE), "--out", str(tmp_path / "o")).exit_code == 0
    assert cards(tmp_path / "o") == ["baseline/radical_085.svg", "baseline/u6c35.svg", "baseline/u7adc.svg"]
    drawn = (tmp_path / "o" / "baseline" / "u7adc.svg").read_text("utf-8")
    assert "<title" in drawn
    assert "The character 竜 (U+7ADC)." in drawn
    assert "SIL" in drawn or "Adobe" in drawn  # the font's own licence goes with its outlines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["render", "0"], "NUMBERS: 0: not radicals"),
        (["render", "215"], "NUMBERS: 215: not radicals"),
        (["render", ""], "NUMBERS: empty, give 85, 1-10 or 水"),
        (["render", "٣"], "NUMBERS: ٣: '٣' is not a radical"),
        (["render", "9-3"], "NUMBERS: 9-3: not radicals"),
        (["render", "water"], "NUMBERS: water: 'w' is not a radical, give 85, 1-10 or 水"),
        (["render", "猫"], "NUMBERS: 猫: '猫' is not a radical, give --font FILE to draw any character"),
        (["render", "--set", "baselin"], "--set: unknown set 'baselin', did you mean baseline?"),
        (["render", "--layout", "discs"], "--layout: unknown layout 'discs', did you mean disc?"),
        (["render", "--palette", "nigth"], "--palette: unknown palette 'nigth', did you mean night?"),
        (["render", "--font", "minchou"], "--font: unknown font 'minchou', did you mean mincho?; or give a font file"),
        (["render", "--font", "missing.ttf"], "missing.ttf: not a font that can be read"),
        (["render", "--font", __file__], "test_cli.py: not a font that can be read"),
        (["render", "猫", "--font", str(FACE)], "gothic.otf: no ink for 猫 (U+732B)"),
        (["render", "--png", "4"], "--png"),
        (["render", "--jobs", "0"], "--jobs"),
        (["check", "nowhere.svg"], "nowhere.svg: not there"),
        (["check", "--against", "nowhere.yml"], "nowhere.yml: cannot be read"),
        (["sheet"], "Missing argument"),
        (["sheet", "disk"], "--set: unknown set 'disk', did you mean disc?"),
        (["palette", "nite"], "--palette: unknown palette 'nite', did you mean night?"),
        (["frobnicate"], "No such command"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(bushu, copy: Path, words: list[str], message: str) -> None:
    result = bushu(*words)
    assert result.exit_code == 2
    assert message in result.output
    assert cards(copy) == []


def test_project_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--project", str(tmp_path / "no"), "render"])
    assert result.exit_code == 2
    assert "not a folder" in result.output


def test_a_folder_that_cannot_be_made_is_one_line(bushu, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = bushu("render", "85", "--out", str(tmp_path / "file" / "sets"))
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert "file: is not a folder, sets cannot be written there" in result.output


def test_bad_palette_keeps_the_last_good_sets(bushu, copy: Path) -> None:
    bushu("render", "--set", "baseline")
    before = {path: path.read_bytes() for path in (copy / "build").rglob("*.svg")}
    palette = copy / "palette.yml"
    palette.write_text(palette.read_text("utf-8").replace("seigaiha", "seigaihaa", 1), "utf-8")
    result = bushu("render", "--set", "baseline")
    assert result.exit_code == 2
    assert result.output == "palette.yml: default.families.water.pattern: unknown pattern 'seigaihaa', did you mean seigaiha?\n"
    assert {path: path.read_bytes() for path in (copy / "build").rglob("*.svg")} == before


def test_the_readmes_examples_are_true(bushu, copy: Path) -> None:
    """Its line of palette.yml is in palette.yml, and its message is what a pale ink gets."""
    readme = (ROOT / "README.md").read_text("utf-8")
    palette = copy / "palette.yml"
    line = re.search(r"(?m)^water: .*$", readme)[0]
    text = palette.read_text("utf-8")
    assert f"    {line}\n" in text
    palette.write_text(text.replace("ink: oklch(98.2% 0.012 258)", 'ink: "#4873b2"', 1), "utf-8")
    assert bushu("check").output.splitlines()[0] == re.search(r"(?m)^palette\.yml: default.*$", readme)[0]


def test_one_changed_line_redraws_one_family(bushu, copy: Path, project) -> None:
    bushu("render", "--set", "baseline")
    before = {path.name: path.read_bytes() for path in (copy / "build").rglob("*.svg")}
    palette = copy / "palette.yml"
    changed, times = re.subn(r"(water: \{paper: )oklch\([^)]*\)", r"\1navy", palette.read_text("utf-8"), count=1)
    assert times == 1
    palette.write_text(changed, "utf-8")
    assert bushu("render", "--set", "baseline").exit_code == 0
    moved = {path.name for path in (copy / "build").rglob("*.svg") if path.read_bytes() != before[path.name]}
    assert moved == {f"radical_{radical.slug}.svg" for radical in project.radicals if radical.family == "water"}


def test_check_says_what_it_looked_at(bushu, copy: Path) -> None:
    bushu("render", "--set", "baseline")
    result = bushu("check")
    assert result.exit_code == 0
    assert "214 radicals by" in result.output
    assert "214 cards by" in result.output
    card = copy / "build" / "sets" / "baseline" / "radical_085.svg"
    card.write_text(card.read_text("utf-8").replace("#2759a1", "#ff0000"), "utf-8")
    result = bushu("check")
    assert result.exit_code == Unsound.status == 1
    assert "baseline/radical_085.svg: colours: layer paper is painted with #ff0000, should be with #" in result.output
    assert "baseline: agreement: radical_085.svg is not the file that the manifest describes" in result.output


def test_check_any_file(bushu, tmp_path: Path) -> None:
    card = tmp_path / "card.svg"
    card.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')
    result = bushu("check", str(card))
    assert result.exit_code == 1
    assert ": elements: <script> is not allowed" in result.output


def test_check_against_a_table(bushu, copy: Path) -> None:
    table = copy / "r214.yml"
    row = ["Number: '49'", "Radical: 已", "Strokes: '3'", "Category: Society", "Meaning: oneself", "Reading-J: おのれ", "Reading-R: onore"]
    table.write_text("- " + "\n  ".join(row) + "\n", "utf-8")
    result = bushu("check", "--against", str(table))
    assert result.exit_code == 1
    assert "49 己 Radical: 已 there, 己" in result.output
    assert "85 水: here only" in result.output


def test_check_write_puts_the_data_into_canonical_form(bushu, copy: Path) -> None:
    path = copy / "radicals" / "04-strokes.yml"
    good = path.read_text("utf-8")
    path.write_text("# mine\n" + good.replace("glyph: 水", 'glyph: "水"'), "utf-8")
    assert "canonical" in bushu("check").output
    assert bushu("check", "--write").exit_code == 0
    assert path.read_text("utf-8") == good


WATER = "oklch(46.8% 0.129 258),"
CONTENT = {
    "a radical missing": ("radicals/04-strokes.yml", None, "[]", "radicals: 61: missing, each of the 214 should stand once"),
    "a radical twice": ("radicals/04-strokes.yml", "number: 86", "number: 85", "radicals: 85: there twice"),
    "no set": ("sets.yml", None, "{}", "sets.yml: no sets"),
    "default not first": ("palette.yml", "\ndefault:", "\nusual:", "palette.yml: the first palette should be default"),
    "a bare colour": ("palette.yml", f"{{paper: {WATER}", "{paper: #26589f,", "line 17: #26589f begins a comment"),
}


@pytest.mark.parametrize(("file", "old", "new", "message"), CONTENT.values(), ids=CONTENT)
@pytest.mark.parametrize("command", ["render", "site", "check"])
def test_broken_content_stops_every_command(bushu, copy: Path, file: str, old: str | None, new: str, message: str, command: str) -> None:
    text = (copy / file).read_text("utf-8")
    changed = text.replace(old, new, 1) if old else new
    assert changed != text
    (copy / file).write_text(changed, "utf-8")
    result = bushu(command)
    assert result.exit_code == 2
    assert message in result.output
    assert cards(copy) == []


def test_data_that_is_not_true_is_not_published(bushu, copy: Path) -> None:
    path = copy / "radicals" / "04-strokes.yml"
    path.write_text(path.read_text("utf-8").replace("romaji: mizu}", "romaji: misu}", 1), "utf-8")
    result = bushu("site")
    assert result.exit_code == 1
    assert "radicals: 85 names: names: 'misu' does not spell みず" in result.output
    assert not (copy / "build" / "site").exists()


def test_what_checks_find_stops_the_site_with_status_1(bushu, copy: Path) -> None:
    sets = copy / "sets.yml"
    sets.write_text(sets.read_text("utf-8").replace('"{number}"', '"' + "w" * 200 + '"'), "utf-8")
    result = bushu("site")
    assert result.exit_code == 1
    assert "paper/radical_001.svg: weight:" in result.output


def test_sheet(bushu, copy: Path) -> None:
    from PIL import Image

    assert bushu("sheet", "baseline", "--size", "16", "--grey").exit_code == 0
    with Image.open(copy / "build" / "sheets" / "baseline-16-grey.png") as sheet:
        assert (sheet.mode, sheet.size) == ("L", (4 + 20 * 18, 4 + 20 * 12))


def test_palette_shows_contrast_and_the_closest_pair(bushu, project) -> None:
    result = bushu("palette")
    assert result.exit_code == 0
    for name in project.palettes:
        assert f"{name}: " in result.output
    assert result.output.count("closest in") == 4 * len(project.palettes)
    assert re.search(r"water +#\w{6} #\w{6} #\w{6} +\d+\.\d\d +\d+\.\d\d +seigaiha +瑠璃 ruri", result.output)


@pytest.mark.parametrize("words", [["sheet", "baseline"], ["render", "85", "--png", "64"], ["site"]])
def test_a_missing_libcairo_is_one_line_that_says_what_to_install(bushu, tmp_path: Path, monkeypatch, words: list[str]) -> None:
    for name in [name for name in sys.modules if name.startswith(("cairosvg", "cairocffi"))]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "cairosvg.py").write_text("raise OSError('no library called \"cairo-2\" was found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    result = bushu(*words)
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    for word in ("libcairo", "apt install libcairo2", "dnf install cairo", "brew install cairo"):
        assert word in result.output
