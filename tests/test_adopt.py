"""Adopting: which file is for which radical, all or nothing, the same again, and back."""

import io
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from common import contents
from PIL import Image, ImageDraw

from generator import adopt, bitmaps, cli, illustrations, proof, provenance
from generator import project as projects
from generator.model import Illustration
from generator.project import Project

LISTING, FOLDER = projects.ILLUSTRATIONS, projects.ILLUSTRATED


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project folder with nothing in it: the data come from the package."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def load(project: Project, root: Path) -> Project:
    """The project folder as it is now: only its illustrations change here, so the rest is read once."""
    return replace(project, root=root.resolve(), illustrations=projects._illustrations(root))


@pytest.fixture
def chosen(project: Project, copy: Path) -> Callable[[], dict[int, Illustration]]:
    """The illustrations as they are listed now."""
    return lambda: load(project, copy).illustrations


@pytest.fixture
def bushu(project: Project, copy: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command on the project folder."""
    monkeypatch.setattr(cli, "load", partial(load, project))
    monkeypatch.setattr(proof, "prove", lambda project: [])  # what is carried is the same every time

    def run(*words: str | Path) -> Result:
        result = CliRunner().invoke(cli.main, ["--project", str(copy), *map(str, words)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def painting(at: int, size: int = 512) -> Image.Image:
    """A disc in a place of its own."""
    image = Image.new("RGB", (size, size), "navy")
    ImageDraw.Draw(image).circle((size * (at % 4 + 1) // 5, size * (at // 4 % 4 + 1) // 5), size // 6, "orange")
    return image


def drawing(at: int) -> str:
    x, y = 6 * (at % 4), 6 * (at // 4 % 4)
    body = f'<rect width="24" height="24" fill="#eef"/><path d="M{x} {y}h5v5z" fill="#a00"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{body}</svg>'


@pytest.fixture
def pictures(painted: Path, tmp_path: Path) -> Path:
    """A folder of pictures to be changed."""
    return Path(shutil.copytree(painted, tmp_path / "pictures"))


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures for four radicals, and of other things."""
    folder = tmp_path_factory.mktemp("painted")
    for number, name in ((1, "radical_001.png"), (2, "radical_002.webp"), (3, "Radical_003.JPEG")):
        painting(number).save(folder / name)
    (folder / "radical_085.svg").write_text(drawing(5))
    for name in ("notes.txt", "cat.png", "radical_001.json", ".hidden"):
        (folder / name).write_text("no picture")
    return folder


def state(root: Path) -> dict[str, bytes]:
    """What adopting writes."""
    found = {f"{FOLDER}/{name}": content for name, content in contents(root / FOLDER).items()} if (root / FOLDER).exists() else {}
    return found | ({LISTING: (root / LISTING).read_bytes()} if (root / LISTING).exists() else {})


def verdicts(result: Result) -> dict[str, str]:
    """The verdicts by number, as the table has them."""
    return {line[:3].strip(): line[3:].split()[1] for line in result.output.splitlines() if line[:3].strip().isdigit() and line[3:4] == " "}


def test_a_folder_is_taken_whole(bushu, chosen, copy: Path, pictures: Path) -> None:
    result = bushu("adopt", pictures, "--source", "a friend", "--licence", "cc-by-4.0")
    assert result.exit_code == 0
    assert verdicts(result) == dict.fromkeys(["1", "2", "3", "85"], "new")
    assert " 85 水  new       radical_085.svg" in result.output
    assert f"{pictures}: 3 other files are left out" in result.output
    assert result.output.endswith("4 taken, 0 as before\n")
    files = [*(f"radical_00{n}.webp" for n in range(1, 4)), "radical_085.svg"]
    assert sorted(state(copy)) == sorted([LISTING, *(f"{FOLDER}/{file}" for file in files)])
    assert list(chosen()) == [1, 2, 3, 85]
    for number, one in chosen().items():
        assert (one.source, one.licence, one.model, one.date) == ("a friend", "CC-BY-4.0", None, None)
        assert illustrations.is_stored(copy, one), number
    assert chosen()[1].sha256 == illustrations.sha256((pictures / "radical_001.png").read_bytes())
    assert (copy / LISTING).read_text("utf-8").startswith("1: {file: radical_001.webp, source: a friend, licence: CC-BY-4.0, sha256: ")
    result = bushu("check")
    assert (result.exit_code, "4 illustrations" in result.output) == (0, True)


def test_dry_run_writes_nothing(bushu, copy: Path, pictures: Path) -> None:
    before = contents(copy)
    result = bushu("adopt", pictures, "--dry-run")
    assert (result.exit_code, len(verdicts(result))) == (0, 4)
    assert result.output.endswith("4 would be taken, 0 as before\n")
    assert contents(copy) == before
    bushu("adopt", pictures)
    before = contents(copy)
    assert "radical_085.svg: would be gone" in bushu("adopt", "--remove", "85", "--dry-run").output
    assert contents(copy) == before


def test_the_same_again_changes_nothing(bushu, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures, "--source", "a friend")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (copy / "radicals").rglob("*") if path.is_file()}
    for said in ([], ["--source", "a friend"], ["--source", "  a  friend "], ["--replace"], ["--crop"]):
        result = bushu("adopt", pictures, *said)
        assert set(verdicts(result).values()) == {"same"}
        assert result.output.endswith("0 taken, 4 as before\n")
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (copy / "radicals").rglob("*") if path.is_file()} == before


def test_the_same_files_give_the_same_bytes(project: Project, copy: Path, pictures: Path, tmp_path: Path) -> None:
    """Whatever the order they are taken in."""
    other = tmp_path / "other"
    other.mkdir()
    files = [path for path in sorted(pictures.iterdir()) if adopt.NAMED.fullmatch(path.name)]
    for root, order in ((copy, files), (other, files[::-1])):
        for path in order:
            now = load(project, root)
            adopt.take(now, adopt.plan(now, adopt.wanted([path], None), adopt.Terms({"prompt": "a disc"})))
    assert len(state(other)) == 5
    assert state(copy) == state(other)


def test_one_bad_file_and_nothing_is_taken(bushu, copy: Path, pictures: Path) -> None:
    good = pictures / "radical_003.png"
    (pictures / "Radical_003.JPEG").unlink()
    good.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    before = contents(copy)
    result = bushu("adopt", pictures)
    assert result.exit_code == 2
    assert verdicts(result) == {"1": "new", "2": "new", "3": "refused", "85": "new"}
    assert "  3 丶  refused   radical_003.png   cannot be decoded, get the whole file" in result.output
    assert "1 refused of 4, nothing is taken" in result.output
    assert contents(copy) == before
    assert bushu("adopt", pictures, "--dry-run").exit_code == 2


def test_every_bad_file_of_a_project_without_illustrations_leaves_nothing(bushu, copy: Path, tmp_path: Path) -> None:
    before = contents(copy)
    for name, content in {
        "a.png": b"",
        "b.png": b"\x89PNG\r\n\x1a\n",
        "c.svg": b"<svg",
        "d.svg": b"<svg><script/></svg>",
        "e.jpg": b"GIF89a",
    }.items():
        (tmp_path / name).write_bytes(content)
        result = bushu("adopt", tmp_path / name, "--radical", "85")
        assert (result.exit_code, verdicts(result)) == (2, {"85": "refused"})
        assert contents(copy) == before
        assert not (copy / FOLDER).exists()


def test_any_file_for_a_radical(bushu, chosen, copy: Path, tmp_path: Path) -> None:
    painting(1).save(tmp_path / "cat.png")
    for radical in ("85", "085", "水", "氵"):
        assert bushu("adopt", tmp_path / "cat.png", "--radical", radical).exit_code == 0
    assert list(chosen()) == [85]


def test_facts_of_the_same_picture_may_change(bushu, chosen, copy: Path, pictures: Path) -> None:
    file = pictures / "radical_001.png"
    bushu("adopt", file, "--source", "a friend", "--author", "A. Mori")
    before = state(copy)
    result = bushu("adopt", file, "--source", "an enemy", "--model", "m", "--prompt", "a disc", "--seed", "0", "--date", "2025-01-31")
    assert verdicts(result) == {"1": "facts"}
    one = chosen()[1]
    assert (one.source, one.author, one.model, one.prompt, one.seed, one.date) == ("an enemy", "A. Mori", "m", "a disc", "0", "2025-01-31")
    stored = illustrations.place(copy, one).read_bytes()
    assert provenance.MACHINE_MADE.encode() in stored
    assert bitmaps.facts(stored) == {"source": "an enemy", "author": "A. Mori", "model": "m", "prompt": "a disc", "seed": "0"}
    empty = ("--model", "", "--prompt", "", "--seed", "", "--date", "", "--source", "a friend")
    assert verdicts(bushu("adopt", file, *empty)) == {"1": "facts"}
    assert state(copy) == before


def test_another_picture_needs_replace(bushu, chosen, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures, "--source", "a friend")
    before = state(copy)
    painting(9).save(pictures / "radical_001.png")
    result = bushu("adopt", pictures)
    assert (result.exit_code, verdicts(result)["1"]) == (2, "refused")
    assert "another picture was chosen already, give --replace" in result.output
    assert state(copy) == before
    result = bushu("adopt", pictures, "--replace")
    assert verdicts(result) == {"1": "replaced", "2": "same", "3": "same", "85": "same"}
    assert {name for name, content in state(copy).items() if content != before[name]} == {LISTING, f"{FOLDER}/radical_001.webp"}
    assert chosen()[1].source is None  # what was said was said of the other picture


def test_a_drawing_in_the_place_of_a_bitmap_leaves_no_bitmap(bushu, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures)
    (pictures / "radical_001.png").unlink()
    (pictures / "radical_001.svg").write_text(drawing(1))
    assert verdicts(bushu("adopt", pictures, "--replace"))["1"] == "replaced"
    assert f"{FOLDER}/radical_001.svg" in state(copy)
    assert f"{FOLDER}/radical_001.webp" not in state(copy)
    assert bushu("check").exit_code == 0


def test_a_lost_file_is_restored(bushu, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures)
    before = state(copy)
    (copy / FOLDER / "radical_001.webp").unlink()
    (copy / FOLDER / "radical_085.svg").write_text("<svg/>")
    result = bushu("check")
    assert result.exit_code == 1
    assert "radical_001.webp: missing: is not there" in result.output
    assert "radical_085.svg: stored: is not the file that was adopted" in result.output
    assert verdicts(bushu("adopt", pictures)) == {"1": "restored", "2": "same", "3": "same", "85": "restored"}
    assert state(copy) == before


def test_a_choice_is_taken_back(bushu, chosen, copy: Path, pictures: Path) -> None:
    before = contents(copy)
    bushu("adopt", pictures)
    result = bushu("adopt", "--remove", "水", "--remove", "1")
    assert result.exit_code == 0
    assert result.output.count(": is gone\n") == 2
    assert list(chosen()) == [2, 3]
    assert sorted(path.name for path in (copy / FOLDER).iterdir()) == ["radical_002.webp", "radical_003.webp"]
    kept = contents(copy)
    result = bushu("adopt", "--remove", "2", "--remove", "85")
    assert (result.exit_code, "no picture was adopted for 85" in result.output) == (2, True)
    assert contents(copy) == kept
    bushu("adopt", *(word for n in ("2", "3") for word in ("--remove", n)))
    assert contents(copy) == before
    assert not (copy / FOLDER).exists()


def test_one_picture_is_for_one_radical(bushu, chosen, copy: Path, tmp_path: Path) -> None:
    painting(1).save(tmp_path / "radical_049.png")
    painting(1, 300).save(tmp_path / "radical_132.jpg", quality=60)
    painting(2).save(tmp_path / "radical_133.png")
    result = bushu("adopt", *sorted(tmp_path.glob("radical_*")))
    assert (result.exit_code, verdicts(result)) == (2, {"49": "refused", "132": "refused", "133": "new"})
    assert "is the same picture as that of radical 132" in result.output
    bushu("adopt", tmp_path / "radical_049.png")
    result = bushu("adopt", tmp_path / "radical_132.jpg")
    assert "is the same picture as that of radical 49" in result.output
    assert bushu("adopt", tmp_path / "radical_132.jpg", "--radical", "49", "--replace").exit_code == 0  # its own may be like its own
    assert list(chosen()) == [49]


def test_two_pictures_may_change_places(bushu, copy: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "radical_001.png", tmp_path / "radical_002.png"
    painting(1).save(one)
    painting(2).save(two)
    bushu("adopt", one, two)
    painting(2).save(one)
    painting(1).save(two)
    assert verdicts(bushu("adopt", one, two, "--replace")) == {"1": "replaced", "2": "replaced"}
    assert bushu("check").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "PATH: missing, give files or a folder"),
        (["nowhere"], "nowhere: is not there, give a file or a folder that is"),
        (["radical_001.png"], "radical_001.png: is not there"),
        (["nowhere", "--radical", "85"], "nowhere: is not there"),
        (["{pictures}/radical_001.png", "nowhere"], "nowhere: is not there"),
        (["{empty}"], "no radical_NNN.png, .jpg, .webp or .svg in it"),
        (["{pictures}/cat.png"], "cat.png: for which radical? name it"),
        (["{pictures}", "--radical", "85"], "--radical: give one file with it"),
        (["{pictures}/radical_001.png", "{pictures}/radical_002.webp", "--radical", "85"], "--radical: give one file with it"),
        (["{pictures}/radical_001.png", "--radical", "0"], "0: not radicals"),
        (["{pictures}/radical_001.png", "--radical", "1-2"], "--radical: '1-2' is not one radical, give 85 or 水"),
        (["{pictures}/radical_001.png", "--radical", ""], "--radical: '' is not one radical"),
        (["{pictures}/radical_001.png", "--licence", "free"], "--licence: 'free' is no SPDX licence, give one as CC-BY-4.0"),
        (["{pictures}/radical_001.png", "--date", "today"], "--date: 'today' is no date, give one as 2025-01-31"),
        (["{pictures}/radical_001.png", "--prompt", "wave " * 1000], "--prompt: 4999 letters, at most 4000"),
        (["{pictures}/radical_001.png", "--remove", "1"], "--remove: takes choices back and adopts nothing"),
        (["--remove", "1"], "--remove: no picture was adopted for 1"),
        (["--remove", "215"], "215: not radicals"),
        (["{pictures}/radical_001.png", "{pictures}/radical_001.png"], "2 files are for radical 1, give one"),
        (["{other}/radical_215.png"], "there is no radical 215, the numbers are 1 to 214"),
        (["{other}/radical_000.png"], "there is no radical 0"),
    ],
)
def test_bad_usage_takes_nothing(bushu, copy: Path, pictures: Path, tmp_path: Path, words: list[str], message: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("radical_215.png", "radical_000.png"):
        painting(1).save(other / name)
    (tmp_path / "empty").mkdir()
    before = contents(copy)
    result = bushu("adopt", *(word.format(pictures=pictures, other=other, empty=tmp_path / "empty") for word in words))
    assert result.exit_code == 2
    assert message in result.output
    assert contents(copy) == before


def test_a_disk_that_is_full_leaves_what_was_there(bushu, copy: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bushu("adopt", pictures / "radical_001.png")
    before = contents(copy)
    write, written = Path.write_bytes, []

    def full(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    result = bushu("adopt", pictures)
    assert (result.exit_code, "No space left on device" in result.output, len(written)) == (2, True, 3)
    assert contents(copy) == before


def test_the_list_is_the_last_to_take_its_place(bushu, copy: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bushu("adopt", pictures / "radical_001.png")
    before, replace_, placed = contents(copy), Path.replace, []

    def forbidden(path: Path, target: Path) -> Path:
        raise OSError(1, "Operation not permitted", str(path))

    def followed(path: Path, target: Path) -> Path:
        placed.append(target.name)
        return replace_(path, target)

    monkeypatch.setattr(Path, "replace", forbidden)
    assert bushu("adopt", pictures).exit_code == 2
    assert contents(copy) == before
    monkeypatch.setattr(Path, "replace", followed)
    assert bushu("adopt", pictures).exit_code == 0
    assert sorted(placed[:-1]) == ["radical_002.webp", "radical_003.webp", "radical_085.svg"]
    assert placed[-1] == "illustrations.yml"


def test_what_a_link_points_to_is_left_alone(bushu, copy: Path, pictures: Path, tmp_path: Path) -> None:
    (copy / FOLDER).mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / f"own{number}").write_text("mine")
        (copy / FOLDER / f"radical_00{number}.webp").symlink_to(tmp_path / f"own{number}")
    bushu("adopt", pictures / "radical_001.png")
    assert not (copy / FOLDER / "radical_001.webp").is_symlink()
    bushu("adopt", pictures / "radical_002.webp")
    (stored := copy / FOLDER / "radical_002.webp").replace(tmp_path / "own2")
    kept = (tmp_path / "own2").read_bytes()
    stored.symlink_to(tmp_path / "own2")
    assert bushu("adopt", "--remove", "1", "--remove", "2").exit_code == 0
    assert ((tmp_path / "own1").read_text(), (tmp_path / "own2").read_bytes()) == ("mine", kept)
    assert not (copy / FOLDER).exists()


def test_the_name_of_a_file_may_be_anything(bushu, copy: Path, tmp_path: Path) -> None:
    painting(1).save(tmp_path / "cat.png")
    for name in (b"\xff.png", b"a\nb\x1b[31m.png"):
        file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        shutil.copy(tmp_path / "cat.png", file)
        result = bushu("adopt", file, "--radical", "85")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) == 3
        assert "\x1b" not in result.output
    result = bushu("adopt", "a" * 300 + ".png", "--radical", "85")
    assert result.exit_code == 2


def test_the_package_is_never_written_to(copy: Path, pictures: Path) -> None:
    carried = state(projects.CARRIED)
    assert CliRunner().invoke(cli.main, ["--project", str(copy), "adopt", str(pictures)]).exit_code == 0
    assert len(state(copy)) == 5
    assert state(projects.CARRIED) == carried


def test_check_knows_a_chosen_card_from_a_drawn_one(bushu, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures)
    assert bushu("render", "1-4", "85", "--set", "illustrated").exit_code == 0
    folder = copy / "build" / "cards" / "illustrated"
    result = bushu("check", folder)
    assert (result.exit_code, "5 cards by" in result.output) == (0, True)
    (folder / "radical_001.webp").write_bytes((folder / "radical_004.svg").read_bytes())
    (folder / "radical_085.svg").write_bytes((folder / "radical_004.svg").read_bytes())
    (folder / "radical_002.webp").write_bytes(b"broken")
    result = bushu("check", folder)
    assert result.exit_code == 1
    for found in ("radical_085.svg: form: ", "radical_001.webp: form: ", "radical_002.webp: form: is not a PNG", "agreement: "):
        assert found in result.output


def test_check_write_puts_the_list_into_canonical_form(bushu, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures)
    good = (copy / LISTING).read_text("utf-8")
    (copy / LISTING).write_text("# mine\n" + good.replace("file: radical_001.webp", 'file: "radical_001.webp"'), "utf-8")
    assert "illustrations.yml: canonical: is not in canonical form" in bushu("check").output
    assert bushu("check", "--write").exit_code == 0
    assert (copy / LISTING).read_text("utf-8") == good


def test_generator_parameters_of_a_folder_go_into_the_list(bushu, chosen, copy: Path, tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    for number in (1, 2):
        info = PngInfo()
        info.add_text("parameters", f"disc {number}\nSteps: 4, Seed: {number}, Model: discs")
        out = io.BytesIO()
        painting(number).save(out, "PNG", pnginfo=info)
        (tmp_path / f"radical_00{number}.png").write_bytes(out.getvalue())
    bushu("adopt", tmp_path / "radical_001.png", tmp_path / "radical_002.png", "--model", "discs 2")
    assert [(one.model, one.prompt, one.seed) for one in chosen().values()] == [("discs 2", "disc 1", "1"), ("discs 2", "disc 2", "2")]


def test_a_picture_of_another_kind_is_refused_and_not_passed_over(bushu, copy: Path, pictures: Path) -> None:
    painting(7).save(pictures / "radical_002.bmp")  # beside what it was made into
    painting(7).save(pictures / "Radical_005.GIF")
    (pictures / "radical_004.avif").write_bytes(b"\0\0\0\x20ftypavif")
    result = bushu("adopt", pictures)
    assert (result.exit_code, list(verdicts(result).items())) == (
        2,
        [("1", "new"), ("2", "new"), ("3", "new"), ("4", "refused"), ("5", "refused"), ("85", "new")],
    )
    assert "Radical_005.GIF   is not a PNG, JPEG, WebP or SVG file, save it as one of them" in result.output
    assert f"{pictures}: 4 other files are left out" in result.output
    assert state(copy) == {}
    result = bushu("adopt", pictures / "Radical_005.GIF")
    assert (result.exit_code, verdicts(result)) == (2, {"5": "refused"})


def test_the_table_is_in_order(bushu, pictures: Path) -> None:
    result = bushu("adopt", pictures / "radical_085.svg", pictures / "radical_002.webp", pictures / "radical_001.png", "--dry-run")
    assert list(verdicts(result)) == ["1", "2", "85"]


def test_unknown_source_and_licence_are_said_once(bushu, pictures: Path) -> None:
    line = "of unknown source and licence: say them with --source and --licence"
    result = bushu("adopt", pictures, "--dry-run")
    assert (result.exit_code, result.output.count(line), f"4 files are {line}" in result.output) == (0, 1, True)
    bushu("adopt", pictures / "radical_001.png", "--source", "a friend")
    bushu("adopt", pictures / "radical_002.webp", "--licence", "MIT")
    assert f"1 file is {line}" in bushu("adopt", *sorted(pictures.glob("*1.png")), pictures / "Radical_003.JPEG").output
    assert line not in bushu("adopt", pictures, "--author", "A. Mori", "--source", "a friend").output


def test_a_project_that_cannot_be_written_to_says_that_nothing_is_changed(bushu, copy: Path, pictures: Path, monkeypatch) -> None:
    def forbidden(path: Path, content: bytes) -> int:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "write_bytes", forbidden)
    result = bushu("adopt", pictures)
    assert result.exit_code == 2
    assert "illustrations.yml: cannot be written (Read-only file system), nothing is changed" in result.output
    assert list(copy.iterdir()) == []


def test_a_recoloured_copy_is_the_same_picture(bushu, tmp_path: Path) -> None:
    from PIL import ImageEnhance

    painting(1).save(tmp_path / "radical_001.png")
    bushu("adopt", tmp_path / "radical_001.png")
    for number, copied in ((2, painting(1).convert("L")), (3, ImageEnhance.Brightness(painting(1)).enhance(1.25))):
        copied.save(file := tmp_path / f"radical_00{number}.png")
        assert "is the same picture as that of radical 1" in bushu("adopt", file).output


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("radical_007.svg", b"garbage"),
        ("radical_007.svg", b"<svg"),
        ("radical_007.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://localhost:9/'/></svg>"),
        ("radical_007.svg", b"<\xff"),
        ("radical_007.webp", b"RIFF garbage"),
    ],
)
def test_a_listed_file_that_is_no_picture_is_in_nobodys_way(bushu, chosen, copy: Path, pictures: Path, name: str, content: bytes) -> None:
    (copy / FOLDER).mkdir(parents=True)
    (copy / FOLDER / name).write_bytes(content)
    digest = illustrations.sha256(content)
    (copy / LISTING).write_text(f"7: {{file: {name}, sha256: {'0' * 64}, stored: {digest}}}\n")
    assert bushu("adopt", pictures).exit_code == 0
    assert list(chosen()) == [1, 2, 3, 7, 85]
    assert f"{name}: form: " in bushu("check").output
    assert bushu("adopt", "--remove", "7").exit_code == 0


def test_no_empty_folder_stays_behind(bushu, copy: Path, pictures: Path) -> None:
    bushu("adopt", pictures / "radical_001.png")
    bushu("adopt", "--remove", "1")
    assert list(copy.iterdir()) == []
    (copy / "radicals").mkdir()
    (copy / "radicals" / "mine.txt").write_text("mine")
    bushu("adopt", pictures / "radical_001.png")
    bushu("adopt", "--remove", "1")
    assert [path.name for path in (copy / "radicals").iterdir()] == ["mine.txt"]


def test_a_file_that_cannot_be_made_leaves_no_folder_behind(bushu, copy: Path, pictures: Path, monkeypatch) -> None:
    make = tempfile.mkstemp

    def denied(dir: Path, prefix: str) -> tuple[int, str]:  # noqa: A002  # as tempfile has it
        if prefix.startswith(".radical"):
            raise PermissionError(13, "Permission denied", str(dir))
        return make(dir=dir, prefix=prefix)

    monkeypatch.setattr(tempfile, "mkstemp", denied)
    result = bushu("adopt", pictures)
    assert (result.exit_code, "cannot be written (Permission denied)" in result.output) == (2, True)
    assert list(copy.iterdir()) == []
