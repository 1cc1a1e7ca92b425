"""What holds for every export: the same bytes every time, nothing while the checks find anything, nothing lost by what is refused."""

import hashlib
import html
import io
import itertools
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from common import DATA, ROOT, contents
from fpdf import FPDF
from PIL import Image, ImageChops

from generator import anki, bundle, cli, exports, flashcards, kanji_site, raster, subset
from generator.cli import main
from generator.model import Error, Illustration, Unsound
from generator.project import Project, load, put

SIZE = exports.SIZE
EXPORTS = {name: Path(command.params[0].metavar or "").suffix for name, command in main.commands["export"].commands.items()}
"""The ending of what each command writes; nothing is a folder."""
FILES = [name for name, suffix in EXPORTS.items() if suffix]


def bushu(project: Project, *words: object) -> Result:
    """Run an export of a project."""
    with patch.object(cli, "load", lambda root: project):
        result = CliRunner().invoke(main, ["export", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def fewer(project: Project) -> Project:
    """The project with four radicals, which are exported quickly."""
    return replace(project, radicals=project.radicals[83:87])


def export_all(project: Project, folder: Path, name: str = "picture") -> dict[str, Path]:
    """Export a set in every way, with pictures of few pixels, though the checks might miss other radicals: name to file or folder."""
    made = {export: folder / f"out{suffix}" for export, suffix in EXPORTS.items()}
    with patch.object(exports, "SIZE", 24), patch.object(exports, "prove", lambda project: []):
        assert {bushu(project, export, path, "--set", name).exit_code for export, path in made.items()} == {0}
    return made


def token(path: Path, size: int) -> bytes:
    """A picture of one pixel, which is made quickly and differs with the file."""
    return raster.packed(Image.new("RGB", (1, 1), tuple(hashlib.sha256(path.read_bytes()).digest()[:3])))


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Fonts are unpacked once."""
    memory: dict[str, bytes] = {}

    def unpacked(path: Path, name: str, location: dict[str, float]) -> bytes:
        if name not in memory:
            memory[name] = subset.unpacked(path, name, location)
        return memory[name]

    with patch.object(flashcards, "unpacked", unpacked):
        yield


@pytest.fixture(scope="module")
def exported(project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The usual set, exported once in every way: name to file or folder."""
    with patch.object(exports, "png", token):
        return export_all(project, tmp_path_factory.mktemp("exports"))


@pytest.fixture
def few(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project with four radicals, and small pictures."""
    monkeypatch.setattr(exports, "prove", lambda project: [])
    monkeypatch.setattr(exports, "SIZE", 24)
    return fewer(project)


@pytest.fixture
def untrue(project: Project) -> Project:
    """The project with data that the checks refuse."""
    water = project.radicals[84]
    misspelt = water.model_copy(update={"names": (water.names[0].model_copy(update={"romaji": "misu"}),)})
    return replace(project, radicals=(*project.radicals[:84], misspelt, *project.radicals[85:]))


def test_the_same_bytes_elsewhere(project: Project, tmp_path: Path) -> None:
    """In another process, with another order of sets, in another time zone, and where new files are one's own."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    code = "import sys, test_exports as t; t.export_all(t.fewer(t.load(t.DATA)), t.Path(sys.argv[1]))"
    places = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, DATA.parent))), "PYTHONHASHSEED": "3", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, there], env=os.environ | places, umask=0o077, check=True)
    export_all(fewer(project), here)
    made = contents(here)
    assert made == contents(there)
    assert {name.split("/")[0] for name in made} == {f"out{suffix}" for suffix in EXPORTS.values()}
    assert min(map(len, made.values())) > 100


@pytest.mark.parametrize("name", EXPORTS)
def test_nothing_is_exported_of_data_that_is_not_true(untrue: Project, tmp_path: Path, name: str) -> None:
    result = bushu(untrue, name, tmp_path / f"out{EXPORTS[name]}")
    assert result.exit_code == 1
    assert "radicals: 85 names: names: 'misu' does not spell みず" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", EXPORTS)
def test_nothing_is_exported_of_a_set_that_the_checks_find_something_in(few: Project, tmp_path: Path, name: str) -> None:
    wide = few.sets["paper"].model_copy(update={"label": "w" * 200})
    result = bushu(replace(few, sets=few.sets | {"paper": wide}), name, tmp_path / f"out{EXPORTS[name]}", "--set", "paper")
    assert result.exit_code == 1
    assert "paper/radical_084.svg: weight:" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", EXPORTS)
def test_what_cannot_be_exported(project: Project, tmp_path: Path, name: str) -> None:
    """A set that is not there, and into a folder that is not there."""
    result = bushu(project, name, tmp_path / f"out{EXPORTS[name]}", "--set", "basline")
    assert (result.exit_code, result.output) == (2, "--set: unknown set 'basline', did you mean baseline?\n")
    result = bushu(project, name, tmp_path / "no" / f"out{EXPORTS[name]}")
    assert (result.exit_code, f"there is no folder {tmp_path / 'no'}, make it first" in result.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file_of_the_kind(project: Project, tmp_path: Path, name: str) -> None:
    suffix = EXPORTS[name]
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / f"folder{suffix}").mkdir()
    for path, fault in {"thesis.txt": f"should end with {suffix}", f"folder{suffix}": "a folder, give a file to write to"}.items():
        result = bushu(project, name, tmp_path / path)
        assert (result.exit_code, result.output) == (2, f"{tmp_path / path}: {fault}\n")
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_the_commands(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hands on its options, and says what its module says."""
    for module in (anki, flashcards, bundle, kanji_site):
        monkeypatch.setattr(module, "write", lambda given, *words, **options: f"{given is project} {words} {sorted(options.items())}")
    out = tmp_path / "out"
    given = {
        ("anki", out): [("jobs", 1), ("out", out)],
        ("print", out, "--paper", "letter", "--jobs", 2): [("jobs", 2), ("out", out), ("paper", "letter")],
        ("zip", out, "--png"): [("jobs", 1), ("out", out), ("png", True)],
        ("kanji-site", out, "--check", "--prune"): [("check", True), ("dest", out), ("jobs", 1), ("prune", True)],
    }
    for words, options in given.items():
        assert bushu(project, *words).output == f"True ('picture',) {options}\n"
        assert bushu(project, *words, "--set", "disc").output == f"True ('disc',) {options}\n"
    assert {words[0] for words in given} == EXPORTS.keys()


def test_a_file_is_kept_when_its_export_fails(untrue: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "cards.zip"
    out.write_bytes(b"the last good one")
    assert bushu(untrue, "zip", out).exit_code == 1

    def full(self: Path, content: bytes) -> int:
        os.truncate(self, 0)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Error, match=r"cards\.zip: cannot be written \(No space left on device\)"):
        put(out, b"new")
    assert out.read_bytes() == b"the last good one"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_written_is_named(few: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """And not the temporary one: where that cannot be made, and where it cannot take its place."""
    out = tmp_path / f"out{EXPORTS[name]}"
    for function in ("mkstemp", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(tempfile if function == "mkstemp" else Path, function, denied)
            result = bushu(few, name, out, "--set", "baseline")
        assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
        assert result.output.startswith(f"{out}: cannot be written (Permission denied), ")
        assert list(tmp_path.iterdir()) == []


def denied(*words: object, **options: object) -> None:
    """What the system says of a folder that one may not write, about a file that nobody has heard of."""
    raise PermissionError(13, "Permission denied", "/tmp/.out.zip.c138cv91")


def chunks(png: bytes) -> Iterator[str]:
    """The chunks of a PNG file, each of which is whole and after the last of which nothing comes."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        assert zlib.crc32(png[at + 4 : at + 8 + length]) == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        at += 12 + length
        yield kind.decode()
    assert at == len(png)


def test_pictures_are_light_and_whole(project: Project, drawn: Path) -> None:
    """A palette where nobody sees it, else full colour; a set is under 6 MB."""
    examined = 0
    assert SIZE == 512
    for name in project.sets:
        files = sorted((drawn / name).glob("*.svg"))[::70]
        made = [exports.png(file, SIZE) for file in files]
        for file, content in zip(files, made, strict=True):
            kinds = list(chunks(content))
            assert (kinds[0], kinds[-1]) == ("IHDR", "IEND")
            assert set(kinds) <= {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"}
            with Image.open(io.BytesIO(content)) as picture:
                assert picture.size == (512, 512)
                changed = ImageChops.difference(picture.convert("RGB"), raster.image(file.read_text("utf-8"), 512))
            assert max(high for _, high in changed.getextrema()) <= exports.UNSEEN
            examined += 1
        assert sum(map(len, made)) / len(made) * 214 < 6_000_000
    assert examined == 4 * len(project.sets)


def test_a_picture_of_many_colours_keeps_them() -> None:
    many = Image.merge("RGB", [Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90), Image.radial_gradient("L")])
    assert exports.reduced(many).mode == "RGB"
    assert exports.reduced(Image.new("RGB", (9, 9), "#123456")).mode == "P"


def test_several_processes_make_the_same_pictures(project: Project) -> None:
    with exports.edition(project, "baseline") as made:
        pieces = made.pieces()[:9]
        assert exports.pngs(pieces, jobs=2) == exports.pngs(pieces)


def test_an_archive_tells_nothing_of_the_machine() -> None:
    packed = exports.pack([("b", b"1" * 999), ("a", b"2")])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        found = [(i.filename, i.date_time, i.create_system, i.external_attr >> 16) for i in archive.infolist()]
    assert found == [("b", (1980, 1, 1, 0, 0, 0), 3, 0o644), ("a", (1980, 1, 1, 0, 0, 0), 3, 0o644)]


def test_credit_by_licence_and_by_source(project: Project) -> None:
    """Of a glyph, of a drawing with icons in it, and of an illustration of which nothing was told."""
    told = [("Face; Icons: fire; Icons: log", "A. OFL; B. MIT"), ("Face; Icons: fire", "A. OFL; B. MIT"), ("", "")]
    pieces = [exports.Piece(r, Path(), "", "", *credit) for r, credit in zip(project.radicals, told, strict=False)]
    assert exports.owed(pieces) == [
        "A. OFL (1, 2)",
        "B. MIT (1, 2)",
        "licence not stated (3)",
        "Face (1, 2)",
        "Icons: fire (1, 2); log (1)",
        "source not stated (3)",
    ]


def test_credit_is_written_in_one_way(project: Project) -> None:
    """Everything has its numbers behind it, whether it is of one name, of two, or of some radicals or all."""
    told = [("Face; Drawing: Bushu", "A. OFL"), ("Face; Drawing", "A. OFL")]
    pieces = [exports.Piece(r, Path(), "", "", *credit) for r, credit in zip(project.radicals, told, strict=False)]
    assert exports.owed(pieces) == ["A. OFL (1, 2)", "Face (1, 2)", "Drawing (2)", "Drawing: Bushu (1)"]
    everywhere = [exports.Piece(radical, Path(), "", "", "Face", "A. OFL") for radical in project.radicals]
    assert exports.owed(everywhere) == ["A. OFL (all)", "Face (all)"]


def entries(path: Path) -> dict[str, bytes]:
    """The files in an archive."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# The kanji site


@pytest.fixture
def site(exported: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the site with the set in it, among other things."""
    folder = tmp_path / "site"
    shutil.copytree(exported["kanji-site"], folder)
    (folder / "index.html").write_text("<!doctype html>")
    return folder


@pytest.fixture
def update(project: Project, exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Bring a site up to date, with files that were made before."""
    made = contents(exported["kanji-site"])
    monkeypatch.setattr(exports, "prove", lambda project: [])
    monkeypatch.setattr(kanji_site, "_files", lambda edition: made)
    return lambda dest, **options: kanji_site.write(project, "picture", dest, **options).splitlines()


def stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    """What changes when a file is written."""
    return {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in folder.rglob("*")}


def test_the_site_gets_the_names_that_it_asks_for(exported: dict[str, Path], project: Project) -> None:
    site = contents(exported["kanji-site"])
    pictures = [f"assets/img/selected/radical_{n:03d}.png" for n in range(1, 215)]
    cards = [f"assets/img/radicals_svg/radical_{n:03d}.svg" for n in range(1, 215)]
    assert sorted(site) == sorted([*pictures, *cards, "manifest.json"])
    for picture in pictures:
        assert site[picture] == token(exported["kanji-site"] / picture.replace("selected", "radicals_svg").replace("png", "svg"), 24)
    manifest = json.loads(site["manifest.json"])
    assert (manifest["export"], manifest["set"]) == ("kanji-site", "picture")
    for radical, card, *files in zip(project.radicals, manifest["cards"], pictures, cards, strict=True):
        assert (card["number"], card["title"], card["origin"]) == (radical.number, f"{radical.glyph} {radical.headword}", "drawn")
        assert card["files"] == [{"file": name, "sha256": hashlib.sha256(site[name]).hexdigest()} for name in files]
        assert "Shippori Mincho" in card["source"]
        assert "OFL-1.1" in card["licence"]


def test_what_is_the_same_is_not_touched(site: Path, update) -> None:
    before = stamps(site)
    assert update(site) == update(site, check=True)
    assert update(site) == [
        "assets/img/selected: 0 added, 0 changed, 214 same",
        "assets/img/radicals_svg: 0 added, 0 changed, 214 same",
        "manifest.json: 0 added, 0 changed, 1 same",
    ]
    assert stamps(site) == before


def test_what_differs_is_told_and_then_written(site: Path, update) -> None:
    whole = contents(site)
    (site / kanji_site.PICTURES / "radical_009.png").write_bytes(b"cut off")
    (site / kanji_site.VECTORS / "radical_010.svg").unlink()
    before, found = stamps(site), contents(site)
    with pytest.raises(Unsound) as difference:
        update(site, check=True)
    assert (stamps(site), contents(site)) == (before, found)
    lines = update(site)
    assert lines == str(difference.value).splitlines()
    assert lines == [
        "assets/img/selected: 0 added, 1 changed, 213 same",
        "  changed: radical_009.png",
        "assets/img/radicals_svg: 1 added, 0 changed, 213 same",
        "  added: radical_010.svg",
        "manifest.json: 0 added, 0 changed, 1 same",
    ]
    assert contents(site) == whole


def test_prune_deletes_what_the_set_has_not_and_nothing_else(site: Path, update) -> None:
    whole = contents(site)
    kept = ["index.html", "assets/img/selected/other.png", "assets/img/selected/radical_300.jpg", "assets/img/radical_301.png"]
    stale = ["assets/img/selected/radical_215.png", "assets/img/radicals_svg/radical_old.svg"]
    for name in [*kept, *stale]:
        (site / name).write_text("mine")
    (site / kanji_site.PICTURES / "radical_folder.png").mkdir()
    outside = site.parent / "outside.png"
    outside.write_text("not in the site")
    (site / kanji_site.PICTURES / "radical_999.png").symlink_to(outside)
    assert update(site)[3:] == ["3 not in the set: left", "  left: radical_old.svg, radical_215.png, radical_999.png"]
    assert all((site / name).exists() for name in [*kept, *stale])
    with pytest.raises(Unsound, match="3 not in the set: to prune"):
        update(site, prune=True, check=True)
    assert update(site, prune=True)[3] == "3 not in the set: pruned"
    assert contents(site) == whole | dict.fromkeys(kept, b"mine")
    assert (site / kanji_site.PICTURES / "radical_folder.png").is_dir()
    assert outside.read_text() == "not in the site"


@pytest.mark.parametrize("folder", ["assets", "assets/img", kanji_site.PICTURES, kanji_site.VECTORS])
def test_no_link_leads_out_of_the_site(tmp_path: Path, update, folder: str) -> None:
    outside, site = tmp_path / "outside", tmp_path / "site"
    outside.mkdir()
    (outside / "radical_999.png").write_text("not in the site")
    (site / folder).parent.mkdir(parents=True)
    (site / folder).symlink_to(outside)
    for options in ({}, {"prune": True}):
        with pytest.raises(Error, match="a link that leads out of"):
            update(site, **options)
    assert contents(outside) == {"radical_999.png": b"not in the site"}
    assert [path for path in site.rglob("*") if path.is_file()] == []


def test_a_picture_that_is_a_link_is_replaced_and_not_followed(site: Path, update, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_text("not in the site")
    link = site / kanji_site.PICTURES / "radical_001.png"
    link.unlink()
    link.symlink_to(outside)
    assert "  changed: radical_001.png" in update(site)
    assert not link.is_symlink()
    assert outside.read_text() == "not in the site"


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("manifest.json", '{"name": "my web app"}', "manifest.json: is not the manifest of an export, move it away"),
        ("assets", "a file", "assets: a file, move it away"),
        (kanji_site.VECTORS, "a file", "radicals_svg: a file, move it away"),
        (f"{kanji_site.PICTURES}/radical_214.png", None, "radical_214.png: a folder, move it away"),
    ],
)
def test_what_is_in_the_way_is_left_and_nothing_written(tmp_path: Path, update, name: str, content: str | None, fault: str) -> None:
    path = tmp_path / "site" / name
    path.parent.mkdir(parents=True)
    path.write_text(content) if content else path.mkdir()
    before = stamps(tmp_path)
    with pytest.raises(Error, match=fault):
        update(tmp_path / "site")
    assert stamps(tmp_path) == before


def test_what_is_no_site(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "own").mkdir()
    before, own = stamps(tmp_path), replace(project, root=tmp_path / "own")
    for dest, fault in {"file": "a file", "link": "the root of the disk", "own": "Bushu's own folder"}.items():
        with pytest.raises(Error, match=f"{dest}: {fault}, give the folder of the kanji site"):
            kanji_site.write(own, "picture", tmp_path / dest, prune=True)
    with pytest.raises(Error, match="the root of the disk"):
        kanji_site.write(project, "picture", Path("/"))
    assert stamps(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_seen_before_anything_is(site: Path, update, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one where files are only to be deleted; a folder that was made is gone again."""
    shutil.rmtree(site / kanji_site.PICTURES)
    (site / kanji_site.MANIFEST).unlink()
    (site / kanji_site.VECTORS / "radical_999.svg").write_text("stale")
    tried, before = tempfile.TemporaryFile, stamps(site)

    def attempt(**where: Path) -> object:
        return denied() if where["dir"] == site / kanji_site.VECTORS else tried(**where)

    monkeypatch.setattr(tempfile, "TemporaryFile", attempt)
    with pytest.raises(Error) as fault:
        update(site, prune=True)
    first, second = str(fault.value).splitlines()
    assert first.startswith(f"{site / kanji_site.VECTORS}: cannot be written (Permission denied), ")
    assert second == f"{site}: 0 of 215 files are written, export again when that is mended"
    after = stamps(site)
    assert after.keys() == before.keys()
    assert [path for path in before if path.is_file() and after[path] != before[path]] == []


def test_a_site_that_fails_at_first_leaves_no_folder(tmp_path: Path, update, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    with pytest.raises(Error, match="0 of 429 files are written"):
        update(tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_changes_nothing_in_the_site(site: Path, update, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{kanji_site.PICTURES}/radical_{n:03d}.png" for n in range(1, 21)]
    for name in names:
        (site / name).write_bytes(b"the last good one")
    before, write, written = contents(site), Path.write_bytes, []

    def fill(self: Path, content: bytes) -> int:
        if len(written) == 10:
            raise OSError(28, "No space left on device")
        written.append(self)
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(
        Error, match=r"radical_010\.png: cannot be written \(No space left on device\)[^\n]*\n.*: 0 of 20 files are written"
    ):
        update(site)
    assert contents(site) == before


def test_a_site_that_is_half_written_is_told(site: Path, update, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is whole, the manifest is still the old one, and the next export mends it."""
    whole = contents(site)
    old = {f"{kanji_site.PICTURES}/radical_{n:03d}.png": b"the last good one" for n in range(1, 21)}
    old[kanji_site.MANIFEST] = kanji_site.MARK
    for name, content in old.items():
        (site / name).write_bytes(content)
    replace_, placed = Path.replace, []

    def take_place(self: Path, target: Path) -> Path:
        if len(placed) == 7:
            return denied()
        placed.append(target)
        return replace_(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", take_place)
        with pytest.raises(Error, match=r"radical_008\.png: cannot be written \(Permission denied\)[^\n]*\n.*: 7 of 21 files are written"):
            update(site)
    assert contents(site) == whole | dict(list(old.items())[7:])
    assert "  changed: manifest.json" not in update(site)
    assert contents(site) == whole


def test_what_cannot_be_pruned_is_told(site: Path, update, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / kanji_site.PICTURES / "radical_009.png").write_bytes(b"cut off")
    (site / kanji_site.PICTURES / "radical_999.png").write_text("stale")
    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: unlink(self, missing_ok) if missing_ok else denied())
    with pytest.raises(Error, match=r"radical_999\.png: cannot be written \(Permission denied\)[^\n]*\n.*: 1 of 1 files are written"):
        update(site, prune=True)


# Anki


def collection(path: Path) -> sqlite3.Connection:
    """The database of a deck, as Anki reads it."""
    database = sqlite3.connect(":memory:")
    database.deserialize(entries(path)["collection.anki2"])
    return database


def notes(path: Path) -> dict[str, dict[str, str]]:
    """The fields of every note of a deck, by its guid."""
    rows = collection(path).execute("SELECT guid, flds FROM notes").fetchall()
    return {guid: dict(zip(anki.FIELDS, fields.split("\x1f"), strict=True)) for guid, fields in rows}


def test_a_deck_is_whole(exported: dict[str, Path], project: Project) -> None:
    path = exported["anki"]
    files, database = entries(path), collection(path)
    names = json.loads(files["media"])
    assert sorted(files) == sorted(["collection.anki2", "media", *names])
    media = {name: files[index] for index, name in names.items()}
    assert len(media) == len(names) == 2 * 214 + 3
    shown: set[str] = set()
    for radical, note in zip(project.radicals, notes(path).values(), strict=True):
        assert (note["Number"], note["Radical"]) == (radical.slug, f'<span lang="ja">{radical.glyph}</span>')
        for field, kind in (("Picture", "picture"), ("Glyph card", "glyph")):
            name = re.fullmatch(r'<img src="([\w.]+)" alt="[^"<>]+">', note[field])[1]
            assert name.startswith(f"bushu_{kind}_{radical.slug}_")
            assert name.endswith(f"_{hashlib.sha256(media[name]).hexdigest()[:8]}.png")
            shown.add(name)
        assert "Glyph: Shippori Mincho" in note["Credits"]
        assert "Picture: " in note["Credits"]
    assert len(shown) == 2 * 214
    assert all(name.startswith("_") and content[:4] == b"wOF2" for name, content in media.items() if name not in shown)
    cards = database.execute("SELECT nid, ord, due FROM cards ORDER BY id").fetchall()
    order = [number for (number,) in database.execute("SELECT id FROM notes ORDER BY id")]
    assert cards == [(note, ord_, due) for due, note in enumerate(order, 1) for ord_ in (0, 1)]
    tags = {tag for (row,) in database.execute("SELECT tags FROM notes") for tag in row.split()}
    assert tags == {f"family::{r.family}" for r in project.radicals} | {f"strokes::{r.strokes:02d}" for r in project.radicals}
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_templates_name_fields_and_files_that_are_there(exported: dict[str, Path]) -> None:
    models, decks = collection(exported["anki"]).execute("SELECT models, decks FROM col").fetchone()
    model = json.loads(models)[str(anki.NOTE_TYPE)]
    text = "".join(template[side] for template in model["tmpls"] for side in ("qfmt", "afmt"))
    assert {name.strip("#^/") for name in re.findall("{{(.*?)}}", text)} == {*anki.FIELDS} - {"Radical"}
    media = json.loads(entries(exported["anki"])["media"]).values()
    assert set(re.findall(r'url\("(.*?)"\)', model["css"])) == {name for name in media if name.startswith("_")}
    assert ".nightMode" in model["css"]
    assert json.loads(decks)[str(anki.deck_id("picture"))]["name"] == "Bushu: Picture"


def test_a_changed_deck_changes_notes_and_adds_none(few: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anki takes a note for an older one's new state if it has its guid and a later date."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    anki.write(few, "picture", tmp_path / "old.apkg")
    water = few.radicals[1].model_copy(update={"meanings": ("<water>", "liquid")})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "4000000000")
    anki.write(replace(few, radicals=(few.radicals[0], water, *few.radicals[2:])), "picture", tmp_path / "new.apkg")
    old, new = notes(tmp_path / "old.apkg"), notes(tmp_path / "new.apkg")
    assert list(new) == list(old)
    changed = anki.guid("picture", water)
    assert [guid for guid in old if old[guid] != new[guid]] == [changed]
    assert new[changed]["Meanings"] == "&lt;water&gt;, liquid"
    dates = [collection(tmp_path / name).execute("SELECT DISTINCT mod FROM notes").fetchall() for name in ("old.apkg", "new.apkg")]
    assert dates[1] == [(4_000_000_000,)] > dates[0]


def test_a_deck_is_dated_by_its_newest_file(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    project = load(copy)
    newest = anki.changed(project)
    for name in ("palette.yml", "sets.yml", "radicals/01-strokes.yml", "fonts/fonts.yml"):
        newest += 100
        os.utime(copy / name, (newest, newest))
        assert anki.changed(project) == newest
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert anki.changed(project) == 1_700_000_000


def aged(folder: Path) -> None:
    """Let everything in a folder be of 2001."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.mark.parametrize("name", ["radicals/illustrations/radical_085.png", "radicals/notes/deep/old.yml", "fonts/brought.woff2"])
def test_a_deck_is_not_older_when_a_file_is_taken_away(copy: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Though it was the newest, and though its folder goes with it if it is empty then."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(anki, "__file__", str(copy / "code" / "anki.py"))
    monkeypatch.setattr(anki, "CARRIED", copy)
    project, path = load(copy), copy / name
    path.parent.mkdir(parents=True, exist_ok=True)
    aged(copy)
    assert anki.changed(project) == 1_000_000_000
    path.write_bytes(b"new")
    with_it = anki.changed(project)
    assert with_it > 1_000_000_000
    aged(copy)
    path.unlink()
    assert anki.changed(project) >= with_it
    if not any(path.parent.iterdir()):
        aged(copy)
        path.parent.rmdir()
        assert anki.changed(project) >= with_it


def test_what_is_not_there_has_no_date(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor's lock is a link that leads nowhere."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    project = load(copy)
    (copy / "radicals" / ".#01-strokes.yml").symlink_to("somebody@somewhere")
    shutil.rmtree(copy / "fonts")
    assert anki.changed(project) > 0


@pytest.mark.parametrize("date", ["yesterday", "1700000000.5", "-1"])
def test_a_date_that_is_none(few: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    result = bushu(few, "anki", tmp_path / "deck.apkg")
    assert (result.exit_code, f"SOURCE_DATE_EPOCH: '{date}' is not a date" in result.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_decks_of_other_sets_are_other_notes(few: Project, exported: dict[str, Path], tmp_path: Path) -> None:
    """And where a set has no pictures, its own cards are the glyph's, and the meaning is asked for in words."""
    anki.write(few, "baseline", tmp_path / "baseline.apkg")
    baseline = notes(tmp_path / "baseline.apkg")
    assert not baseline.keys() & notes(exported["anki"]).keys()
    assert len(baseline) == len({note["Glyph card"] for note in baseline.values()}) == 4
    assert {note["Picture"] for note in baseline.values()} == {""}
    assert collection(tmp_path / "baseline.apkg").execute("SELECT count(*) FROM cards").fetchone() == (8,)
    assert len({anki.deck_id(name) for name in few.sets}) == len(few.sets)


# Print


@pytest.mark.parametrize("paper", flashcards.PAPERS)
def test_a_back_lies_behind_its_front(paper: str) -> None:
    width, height = flashcards.PAPERS[paper]
    for index in range(214):
        (x, y), (u, v) = flashcards.slot(paper, index), flashcards.slot(paper, index, back=True)
        assert (u, v) == pytest.approx((width - x - flashcards.CELL, y))
        assert min(x, y, width - x - flashcards.CELL, height - y - flashcards.CELL) > 10
    fronts = [flashcards.slot(paper, index) for index in range(flashcards.SHEET)]
    apart = [max(abs(x - u), abs(y - v)) for (x, y), (u, v) in itertools.combinations(fronts, 2)]
    assert min(apart) == pytest.approx(flashcards.CELL)


def test_every_card_has_its_back(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both on the papers' own sheets, front first."""
    monkeypatch.setattr(exports, "prove", lambda project: [])
    seen: list[tuple[str, int, int, tuple[float, float]]] = []
    for side in ("_front", "_back"):
        monkeypatch.setattr(flashcards, side, lambda pdf, _, piece, at, side=side: seen.append((side, pdf.page, piece.radical.number, at)))
    assert flashcards.write(project, "baseline", tmp_path / "cards.pdf", paper="letter").endswith(": 37 pages")
    places = {(side, number): (page, at) for side, page, number, at in seen}
    assert len(places) == len(seen) == 2 * 214
    for number in range(1, 215):
        (page, (x, y)), (behind, (u, v)) = places["_front", number], places["_back", number]
        assert (page % 2, behind) == (1, page + 1)
        assert (u, v) == pytest.approx((215.9 - x - flashcards.CELL, y))


def test_print_is_vector_and_brings_its_fonts(exported: dict[str, Path]) -> None:
    pdf = exported["print"].read_bytes()
    assert b"/MediaBox [0 0 595.28 841.89]" in pdf
    assert pdf.count(b"/Type /Page\n") == 37
    assert b"/Subtype /Image" not in pdf
    assert len(re.findall(rb"/FontFile[23]? ", pdf)) >= 4
    assert b"/CreationDate (D:20000101" in pdf
    assert len(pdf) < 2_000_000


@pytest.fixture
def document(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[exports.Edition, FPDF]]:
    """A set, and a document of one page for its cards that can be read."""
    monkeypatch.setattr(exports, "prove", lambda project: [])
    with exports.edition(project, "baseline") as made:
        pdf = flashcards._document(made, "a4")
        pdf.set_compression(False)
        pdf.add_page()
        yield made, pdf


def test_a_front_has_a_white_edge_to_cut_through(document: tuple[exports.Edition, FPDF], drawn: Path) -> None:
    made, pdf = document
    card = drawn / "baseline" / "radical_085.svg"
    flashcards._front(pdf, made, exports.Piece(made.project.radicals[84], card, "", "", "", ""), (70, 20))
    placed = re.search(r"([\d.]+) 0 0 \1 ([\d.]+) ([\d.]+) cm", pdf.pages[1].contents.decode("latin-1"))
    scale, x, y = map(float, placed.groups())
    assert (x, y, 512 * scale) == pytest.approx((73, 23, 57), abs=0.1)


def test_a_back_says_what_there_is_to_know(document: tuple[exports.Edition, FPDF], monkeypatch: pytest.MonkeyPatch) -> None:
    """All within the card."""
    made, pdf = document
    said: dict[str, tuple[float, float]] = {}

    def text(pdf: FPDF, style: flashcards.Style, at: tuple[float, float], words: str, width: float, align: str = "L") -> float:
        taken = set_text(pdf, style, at, words, width, align)
        assert pdf.get_string_width(words) <= width + 0.01, words
        assert at[0] >= 70
        assert at[0] + width <= 70 + flashcards.CELL
        said[words] = at
        return taken

    set_text = flashcards._text
    monkeypatch.setattr(flashcards, "_text", text)
    for radical in made.project.radicals[::3]:
        said.clear()
        flashcards._back(pdf, made, exports.Piece(radical, Path(), "", "", "", ""), (70, 20))
        assert {radical.glyph, str(radical.number), radical.headword, ", ".join(radical.meanings[1:])} <= said.keys()
        assert {radical.names[0].kana, radical.names[0].romaji, exports.strokes(radical)} <= said.keys()
        assert all({example.kanji, example.reading, example.meaning} <= said.keys() for example in radical.examples[:4])
        assert all(20 <= y <= 20 + flashcards.CELL - 5 for _, y in said.values())


def test_a_character_that_the_fonts_lack(document: tuple[exports.Edition, FPDF], project: Project) -> None:
    odd = project.radicals[84].model_copy(update={"meanings": ("water ☃",)})
    changed = replace(project, radicals=(*project.radicals[:84], odd, *project.radicals[85:]))
    with pytest.raises(Error, match="fonts: no ink for '☃' of radical 85"):
        flashcards._document(replace(document[0], project=changed), "a4")


def test_a_line_that_is_too_long_is_set_smaller(document: tuple[exports.Edition, FPDF]) -> None:
    _, pdf = document
    for text, points in (("water", 8), ("water, or what is wet", pytest.approx(4, abs=1.5)), ("", 8)):
        taken = flashcards._text(pdf, flashcards.MEANINGS, (70, 20), text, 15)
        assert pdf.font_size_pt == points
        assert taken == pytest.approx(pdf.get_string_width(text), abs=0.05)
        assert taken <= 15


def test_papers_and_packages_that_are_not_there(few: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Error, match=r"--paper: unknown paper 'leter', did you mean letter\?"):
        flashcards.write(few, "baseline", tmp_path / "cards.pdf", paper="leter")
    monkeypatch.setattr(flashcards, "find_spec", lambda name: None)
    with pytest.raises(Error, match="the package brotli is missing"):
        flashcards.write(few, "baseline", tmp_path / "cards.pdf")
    assert list(tmp_path.iterdir()) == []


# One file


def test_an_archive_has_the_set_with_its_credits(exported: dict[str, Path]) -> None:
    files = {name.removeprefix("picture/"): content for name, content in entries(exported["zip"]).items()}
    assert list(files) == sorted(files)
    manifest = json.loads(files["manifest.json"])
    assert [card["number"] for card in manifest["cards"]] == list(range(1, 215))
    for card in manifest["cards"]:
        assert hashlib.sha256(files[card["file"]]).hexdigest() == card["sha256"]
        assert card["source"]
        assert card["licence"]
    others = {name for name in files if not name.endswith(".svg")}
    assert len(files) - len(others) == 214
    assert files["LICENSES/mincho-LICENSE.txt"] == (ROOT / "fonts" / "mincho-LICENSE.txt").read_bytes()
    held = ["mincho-LICENSE.txt", "LICENSE-Apache-2.0.txt", "LICENSE-MIT.txt"]
    assert others == {"manifest.json", "CREDITS.txt", *(f"LICENSES/{file}" for file in held)}
    told = files["CREDITS.txt"].decode()
    assert "Shippori Mincho ExtraBold" in told
    assert "Noto Emoji: Google LLC. Apache-2.0" in told


@pytest.mark.parametrize(("name", "faces"), [("seal", {"brush", "textbook"}), ("paper", {"gothic"})])
def test_an_archive_has_the_licence_of_every_face_in_it(few: Project, tmp_path: Path, name: str, faces: set[str]) -> None:
    """Of a borrowed glyph's and of the label's too; and pictures if they are wanted."""
    bundle.write(few, name, tmp_path / "set.zip", png=True)
    files = entries(tmp_path / "set.zip")
    assert {file for file in files if "LICENSES" in file} == {f"{name}/LICENSES/{face}-LICENSE.txt" for face in faces}
    assert sum(file.endswith(".png") and [*chunks(content)][-1] == "IEND" for file, content in files.items()) == 4
    assert b"Pictures" not in files[f"{name}/CREDITS.txt"]


@pytest.mark.parametrize("name", ["picture", "pictogram", "window"])
def test_an_archive_credits_the_sources_of_its_pictures(few: Project, tmp_path: Path, name: str) -> None:
    """Of those that it shows: pictures and pictograms are made of different icons."""
    bundle.write(few, name, tmp_path / "set.zip")
    files, listed = entries(tmp_path / "set.zip"), few.pictures
    shown = [one.pictogram if name == "pictogram" else one.picture for one in listed.radicals.values()]
    used = {origin.partition(":")[0] for origins in shown for origin in origins}
    told = files[f"{name}/CREDITS.txt"].decode().partition("\nPictures\n\n")[2].partition("\n\n")[0].splitlines()
    assert [line.partition(":")[0] for line in told] == [source.title for key, source in listed.sources.items() if key in used]
    held = {f"{name}/LICENSES/{source.licence_file}" for key, source in listed.sources.items() if key in used and source.licence_file}
    assert held <= files.keys()


# Illustrations


def test_illustrations_are_exported_with_what_is_known_of_them(few: Project, tmp_path: Path) -> None:
    """A raster one has no card as SVG, and is printed in pixels; the other cards are drawn."""
    folder = tmp_path / "radicals" / "illustrations"
    folder.mkdir(parents=True)
    Image.radial_gradient("L").convert("RGB").resize((512, 512)).save(folder / "radical_085.webp")
    sha256 = hashlib.sha256((folder / "radical_085.webp").read_bytes()).hexdigest()
    chosen = Illustration(file="radical_085.webp", source="my own brush", author="A. Mori", licence="CC0-1.0", sha256=sha256, stored=sha256)
    project, site = replace(few, root=tmp_path, illustrations={85: chosen}), tmp_path / "site"
    kanji_site.write(project, "illustrated", site)
    card = json.loads((site / "manifest.json").read_text("utf-8"))["cards"][1]
    assert (card["origin"], card["source"], card["licence"]) == ("illustration", "my own brush", "A. Mori. CC0-1.0")
    assert [file["file"] for file in card["files"]] == ["assets/img/selected/radical_085.png"]
    assert len(list(site.rglob("*.svg"))) == 3
    anki.write(project, "illustrated", tmp_path / "deck.apkg")
    note = notes(tmp_path / "deck.apkg")[anki.guid("illustrated", project.radicals[1])]
    assert "Picture: my own brush, A. Mori. CC0-1.0" in note["Credits"]
    assert note["Picture"].endswith(f' alt="{project.radicals[1].headword}">')
    drawn = notes(tmp_path / "deck.apkg")[anki.guid("illustrated", project.radicals[0])]
    assert drawn["Picture"].endswith(f' alt="{html.escape(project.radicals[0].brief)}">')
    assert project.radicals[0].brief != project.radicals[0].headword
    flashcards.write(project, "illustrated", tmp_path / "cards.pdf")
    assert (tmp_path / "cards.pdf").read_bytes().count(b"/Subtype /Image") == 1


def test_an_illustration_of_which_nothing_was_told(few: Project, tmp_path: Path) -> None:
    """For people it is not stated, for programs it is null."""
    (tmp_path / "radicals" / "illustrations").mkdir(parents=True)
    picture = tmp_path / "radicals" / "illustrations" / "radical_085.webp"
    Image.radial_gradient("L").convert("RGB").resize((512, 512)).save(picture)
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    chosen = Illustration(file=picture.name, sha256=sha256, stored=sha256)
    project = replace(few, root=tmp_path, illustrations={85: chosen})
    kanji_site.write(project, "illustrated", tmp_path / "site")
    bundle.write(project, "illustrated", tmp_path / "set.zip")
    archive = entries(tmp_path / "set.zip")
    for manifest in ((tmp_path / "site" / "manifest.json").read_bytes(), archive["illustrated/manifest.json"]):
        card = json.loads(manifest)["cards"][1]
        assert (card["origin"], card["source"], card["licence"]) == ("illustration", None, None)
    told = archive["illustrated/CREDITS.txt"].decode().splitlines()
    assert {"licence not stated (85)", "source not stated (85)"} <= set(told)
    anki.write(project, "illustrated", tmp_path / "deck.apkg")
    note = notes(tmp_path / "deck.apkg")[anki.guid("illustrated", project.radicals[1])]
    assert note["Credits"].endswith("Picture: not stated")
