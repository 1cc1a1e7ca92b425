"""The blind test: the sheets tell nothing but the pictures, the key stays apart, and the guesses get what they are worth."""

import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import correlation

import pytest
from click.testing import CliRunner, Result
from common import DATA, contents
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generator import cli, quiz, scoring
from generator.cli import main
from generator.model import Error
from generator.pictures import Picture, written
from generator.project import Project, load
from generator.scoring import Key, Shown, Tally

FORM = "answers.csv"
PICTURED = "\npicture: {title: Picture, description: Pictures, layout: picture, font: mincho, palette: default}\n"


def colour(number: int) -> tuple[int, int, int]:
    """A colour of its own for every radical, so that a sheet can be read back."""
    return number, 255 - number, number * 7 % 256


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pictures are squares, each of its own colour."""
    made = tmp_path_factory.mktemp("pictured")
    shutil.copytree(DATA, made, dirs_exist_ok=True)
    sets = made / "sets.yml"
    if "\npicture:" not in sets.read_text("utf-8"):
        sets.write_text(sets.read_text("utf-8") + PICTURED, "utf-8")
    (made / "radicals" / "pictures").mkdir(parents=True)
    for number in range(1, 215):
        shape = ("#{:02x}{:02x}{:02x}".format(*colour(number)), "M106 106h300v300h-300z")
        (made / "radicals" / "pictures" / f"{number:03d}.svg").write_text(written(Picture((shape,), "tests", "none"), "square"), "utf-8")
    return load(made)


@pytest.fixture(scope="module")
def made(pictured: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole test, and its key beside it: its folder."""
    place = tmp_path_factory.mktemp("made") / "test"
    quiz.write(pictured, quiz.make_key(pictured, "picture", 1, pictured.radicals), place, quiz.key_path(place))
    return place


@pytest.fixture
def bushu(pictured: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command on the project, which is read once."""
    monkeypatch.setattr(cli, "load", lambda root: pictured)

    def run(*words: object) -> Result:
        result = CliRunner().invoke(main, list(map(str, words)))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def chunks(png: bytes) -> list[bytes]:
    """The names of a PNG file's chunks."""
    found, at = [], 8
    while at < len(png):
        found.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return found


def cells(sheet: Path) -> list[Image.Image]:
    """The pictures of a sheet, in order, the blank places at its end included."""
    step, tall = quiz.SIDE + quiz.GAP, quiz.SIDE + quiz.CAPTION + quiz.GAP
    with Image.open(sheet) as picture:
        loaded = picture.convert("RGB")
    places = [(x, y) for y in range(quiz.GAP, loaded.height - 1, tall) for x in range(quiz.GAP, loaded.width - 1, step)]
    return [loaded.crop((x, y, x + quiz.SIDE, y + quiz.SIDE)) for x, y in places]


def test_a_subject_gets_sheets_words_form_and_instructions(made: Path, pictured: Project) -> None:
    names = ["README.txt", "answers.csv", "headwords.txt", *(f"sheets/sheet-{page:02d}.png" for page in range(1, 12))]
    assert sorted(contents(made)) == sorted(names)
    assert sorted(path.name for path in made.parent.iterdir()) == ["test", "test.key.json"]
    words = (made / "headwords.txt").read_text("utf-8").splitlines()
    assert words == sorted(words) == sorted(radical.headword for radical in pictured.radicals)


def test_every_radical_stands_once_where_the_form_and_the_key_say(made: Path, pictured: Project) -> None:
    rows = list(csv.reader(io.StringIO((made / FORM).read_text("utf-8"))))
    assert rows[0] == ["code", "first", "second", "third"]
    assert all(row[1:] == ["", "", ""] for row in rows[1:])
    pictures = scoring.read_key(quiz.key_path(made)).pictures
    assert [row[0] for row in rows[1:]] == list(pictures)
    assert sorted(shown.number for shown in pictures.values()) == list(range(1, 215))
    by_number = {radical.number: radical for radical in pictured.radicals}
    assert all((by_number[s.number].glyph, by_number[s.number].headword) == (s.glyph, s.word) for s in pictures.values())
    centre = (quiz.SIDE // 2, quiz.SIDE // 2)
    seen = [cell.getpixel(centre) for sheet in sorted((made / "sheets").iterdir()) for cell in cells(sheet)]
    assert seen[:214] == [colour(shown.number) for shown in pictures.values()]
    assert seen[214:] == [(255, 255, 255)]  # the places at the end stay blank


def test_the_codes_can_be_read_under_the_pictures(made: Path) -> None:
    with Image.open(made / "sheets" / "sheet-01.png") as picture:
        grey = picture.convert("L")
    assert (grey.width, grey.height) == (1196, 1168)
    for index in range(20):
        row, column = divmod(index, 5)
        x, y = 16 + column * 236, 16 + row * 288 + quiz.SIDE
        strip = grey.crop((x, y, x + quiz.SIDE, y + quiz.CAPTION)).point(lambda value: 255 * (value < 128))
        left, top, right, bottom = strip.getbbox()
        assert bottom - top >= 24
        assert 40 < right - left < 100
        assert abs((left + right) / 2 - quiz.SIDE / 2) < 3
        assert abs((top + bottom) / 2 - quiz.CAPTION / 2) < 6


def test_nothing_tells_what_a_picture_shows(made: Path, pictured: Project) -> None:
    sheets = [content for name, content in contents(made).items() if name.endswith(".png")]
    assert len(sheets) == 11
    assert all(set(chunks(sheet)) == {b"IHDR", b"IDAT", b"IEND"} for sheet in sheets)
    for name in ("README.txt", FORM):
        text = (made / name).read_text("utf-8").casefold()
        assert text.isascii()  # so no glyph, no kana
        assert [word for word in ("radical", "kanji", "japan", "seed", "214", "key") if word in text] == []
    form = (made / FORM).read_text("utf-8")
    assert [radical.headword for radical in pictured.radicals if radical.headword in form.splitlines()[1:]] == []


def test_a_bare_picture_has_neither_glyph_nor_label(pictured: Project) -> None:
    for text in quiz.pictures(pictured, "picture", pictured.radicals[::20]):
        layers = re.findall(r'<g id="picture-\d+-(\w+)"', text)
        assert layers == ["paper", "picture"]


@pytest.mark.parametrize("change", [{"layout": "plain"}, {"illustrations": True}])
def test_a_set_without_bare_pictures_is_an_error(pictured: Project, change: dict[str, object]) -> None:
    spec = pictured.sets["picture"].model_copy(update=change)
    with pytest.raises(
        Error, match=r"--set: mine has no bare pictures, choose a set of drawings whose layout is one of picture, pictogram"
    ):
        quiz.make_key(replace(pictured, sets={"mine": spec}), "mine", 1, pictured.radicals)


def test_codes_are_distinct_and_cannot_be_misread() -> None:
    assert len(set(quiz.CODES)) == len(quiz.CODES) >= 5 * 214
    assert set("".join(quiz.CODES)) & set("01ABEGIOQSUYZ") == set()


@pytest.mark.parametrize("seed", range(5))
def test_neither_order_nor_codes_follow_the_numbers(pictured: Project, seed: int) -> None:
    pictures = quiz.make_key(pictured, "picture", seed, pictured.radicals).pictures
    numbers = [shown.number for shown in pictures.values()]
    ranks = {code: rank for rank, code in enumerate(sorted(pictures))}
    assert abs(correlation(range(214), numbers)) < 0.2
    assert abs(correlation([ranks[code] for code in pictures], numbers)) < 0.2
    assert abs(correlation([ranks[code] for code in pictures], range(214))) < 0.2
    assert sum(abs(a - b) == 1 for a, b in pairwise(numbers)) < 10


def test_another_seed_is_another_order_with_other_codes(pictured: Project) -> None:
    one, two = (quiz.make_key(pictured, "picture", seed, pictured.radicals).pictures for seed in (1, 2))
    alike = sum(a.number == b.number for a, b in zip(one.values(), two.values(), strict=True))
    assert alike < 10
    assert sum(one.get(code) == shown for code, shown in two.items()) < 10


def test_one_seed_is_one_key_in_whatever_order_radicals_come(pictured: Project) -> None:
    key = quiz.make_key(pictured, "picture", 7, pictured.radicals)
    again = quiz.make_key(pictured, "picture", 7, pictured.radicals[::-1])
    assert list(key.pictures.items()) == list(again.pictures.items())
    some = quiz.make_key(pictured, "picture", 7, pictured.radicals[10:40])
    assert some.pictures.items() <= key.pictures.items()
    assert some.words == key.words


def test_same_seed_same_bytes(bushu, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert bushu("quiz", tmp_path / name, "--seed", 3, "--numbers", "1-9", "--numbers", "水 火").exit_code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert (tmp_path / "a.key.json").read_bytes() == (tmp_path / "b.key.json").read_bytes()
    shown = scoring.read_key(tmp_path / "a.key.json").pictures.values()
    assert sorted(s.number for s in shown) == [*range(1, 10), 85, 86]
    assert len((tmp_path / "a" / "headwords.txt").read_text("utf-8").splitlines()) == 214


def test_the_command_says_where_test_and_key_are(bushu, tmp_path: Path) -> None:
    result = bushu("quiz", tmp_path / "deep" / "test", "--numbers", "1-3", "--key", tmp_path / "secret" / "k.json")
    assert result.exit_code == 0
    assert result.output == f"3 pictures in {tmp_path}/deep/test, the key in {tmp_path}/secret/k.json\n"
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == ["k.json"]


def test_a_test_that_nobody_answered_is_made_anew(bushu, tmp_path: Path) -> None:
    bushu("quiz", tmp_path / "t", "--numbers", "1-30")
    before = contents(tmp_path / "t")
    assert "sheets/sheet-02.png" in before
    form = tmp_path / "t" / FORM
    form.write_text("\ufeff" + form.read_text("utf-8").replace(",", ";"), "utf-8")  # opened and saved by a spreadsheet
    assert bushu("quiz", tmp_path / "t", "--numbers", "1-5", "--seed", 2).exit_code == 0
    assert sorted(contents(tmp_path / "t")) == ["README.txt", FORM, "headwords.txt", "sheets/sheet-01.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t", "t.key.json"]
    assert len(scoring.read_key(tmp_path / "t.key.json").pictures) == 5


def _answered(place: Path) -> None:
    form = place / FORM
    form.write_text(form.read_text("utf-8").replace(",,,", ",fire,,", 1), "utf-8")


OCCUPIED: dict[str, tuple[Callable[[Path], object], str]] = {
    "answers": (_answered, "answers.csv: has answers in it, move them away"),
    "another file": (lambda place: (place / "thesis.txt").write_text("mine"), "thesis.txt: is not part of a test that Bushu made"),
    "a file among sheets": (lambda place: (place / "sheets" / "a.png").write_text("mine"), "a.png: is not part of a test"),
    "a deeper file": (lambda place: (place / "mine" / "sheets").mkdir(parents=True), "mine: is not part of a test"),
    "no form": (lambda place: (place / FORM).unlink(), "exists and is not a test that Bushu made"),
    "another form": (lambda place: (place / FORM).write_text("name,age\n"), "answers.csv: the first line is 'name,age'"),
    "a key that is none": (lambda place: place.with_name("t.key.json").write_text("{}"), "t.key.json: set: missing"),
}


@pytest.mark.parametrize(("occupy", "message"), OCCUPIED.values(), ids=OCCUPIED)
def test_nothing_is_written_over(bushu, tmp_path: Path, occupy: Callable[[Path], object], message: str) -> None:
    bushu("quiz", tmp_path / "t", "--numbers", "1-2")
    occupy(tmp_path / "t")
    before = contents(tmp_path)
    result = bushu("quiz", tmp_path / "t", "--numbers", "1-3", "--seed", 2)
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.splitlines()) <= 4
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["t", "--set", "baseline"], "--set: baseline has no bare pictures"),
        (["t", "--set", "pictur"], "--set: unknown set 'pictur', did you mean picture?"),
        (["t", "--numbers", "215"], "215: not radicals"),
        (["t", "--numbers", ""], "--numbers: empty"),
        (["t", "--key", "t/key.json"], "lies in"),
        (["t", "--key", "t"], "lies in"),
        (["t", "--key", "t/../t/deep/key.json"], "lies in"),
        (["t", "--key", "mine.txt"], "mine.txt: not the key of a test"),
        (["mine.txt"], "exists and is not a test that Bushu made"),
        (["."], "is the folder that you are in"),
        ([".."], "is the folder that you are in"),
        (["t", "u"], "made in one DIR; to score answers, add --score"),
        (["t", "--json", "u"], "made in one DIR; to score answers, add --score"),
        (["t", "--score"], "--key: missing"),
        (["t", "--seed", "x"], "--seed"),
        ([], "Missing argument"),
    ],
)
def test_bad_usage_leaves_nothing_behind(bushu, tmp_path: Path, monkeypatch, words: list[str], message: str) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.txt").write_text("mine")
    monkeypatch.chdir(tmp_path / "here")
    result = bushu("quiz", *words)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")
    assert contents(tmp_path) == {"here/mine.txt": b"mine"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["here", "mine.txt"]


def test_a_link_into_the_folder_is_no_place_for_the_key(bushu, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "t")
    assert "lies in" in bushu("quiz", tmp_path / "t", "--numbers", "1", "--key", tmp_path / "link" / "k.json").output
    assert list((tmp_path / "t").iterdir()) == []


def test_a_failure_in_the_middle_leaves_nothing_behind(pictured: Project, tmp_path: Path, monkeypatch) -> None:
    key = quiz.make_key(pictured, "picture", 1, pictured.radicals[:2])
    monkeypatch.setattr(quiz, "swap", lambda new, place: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Error, match=r"/t: cannot be written \(No space left on device\)"):
        quiz.write(pictured, key, tmp_path / "t", tmp_path / "t.key.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("function", "target"), [("mkstemp", "deep/t.key.json"), ("mkdtemp", "deep/t"), ("TemporaryDirectory", "deep/t")])
def test_a_test_that_cannot_be_written_is_named(bushu, tmp_path: Path, monkeypatch, function: str, target: str) -> None:
    """And not what stands in for it."""

    def denied(*words: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", "/tmp/.t.key.json.c138cv91")

    monkeypatch.setattr(tempfile, function, denied)
    result = bushu("quiz", tmp_path / "deep" / "t", "--numbers", "1")
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert result.output.startswith(f"{tmp_path / target}: cannot be written (Permission denied), ")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("words", [["afile/x"], ["afile/deep/x"], ["x", "--key", "afile/k.json"], ["x", "--key", "afile/deep/k.json"]])
def test_a_file_is_no_place_for_a_test(bushu, tmp_path: Path, monkeypatch, words: list[str]) -> None:
    (tmp_path / "afile").write_text("mine")
    monkeypatch.chdir(tmp_path)
    result = bushu("quiz", *words, "--numbers", "1")
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert result.output.startswith(f"{tmp_path / 'afile'}: is not a folder, ")
    assert contents(tmp_path) == {"afile": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["afile"]


# Scoring

KEY = Key(
    set="picture",
    seed=1,
    words=("bolt of cloth", "door", "fire", "gate", "long hair", "water"),
    pictures={
        "CC2": Shown(number=85, glyph="水", word="water"),
        "DD3": Shown(number=86, glyph="火", word="fire"),
        "FF4": Shown(number=63, glyph="戶", word="door"),
        "HH5": Shown(number=190, glyph="髟", word="long hair"),
    },
)


def test_a_score_by_hand() -> None:
    """Anna: two at first, three within three, one blank. Ben: one at first, one by his third guess, one never, one not on the list."""
    anna = {"CC2": ("water",), "DD3": ("Fire",), "FF4": ("gate", "door"), "HH5": ()}
    ben = {"CC2": ("fire", "gate", "WATER"), "DD3": ("fire", "water"), "FF4": ("gate",), "HH5": ("long hare", "door")}
    found = scoring.score(KEY, {"anna": anna, "ben": ben})
    assert found.subjects == {"anna": Tally(4, 2, 3, 1), "ben": Tally(4, 1, 2, 0)}
    assert found.together == Tally(8, 3, 5, 1)
    assert [(c.shown.word, c.said, c.times) for c in found.confusions] == [
        ("door", "gate", 2),
        ("water", "fire", 1),
        ("long hair", "long hare", 1),
    ]
    assert [(m.shown.word, m.tally) for m in found.missed] == [
        ("long hair", Tally(2, 0, 0, 1)),
        ("door", Tally(2, 0, 1, 0)),
        ("water", Tally(2, 1, 2, 0)),
    ]
    assert [(u.subject, u.code, u.said, u.nearest) for u in found.unlisted] == [("ben", "HH5", "long hare", "long hair")]


def test_the_report_by_hand() -> None:
    found = scoring.score(KEY, {"anna": {"CC2": ("water",), "DD3": ("fire",), "FF4": ("gate", "door")}, "ben": {"FF4": ("zzz",)}})
    assert "\n".join(scoring.report(found)) == (
        "                   first guess          within three  unanswered\n"
        "anna          2 of     4   50.0 %      3 of     4   75.0 %           1\n"
        "ben           0 of     4    0.0 %      0 of     4    0.0 %           3\n"
        "together      2 of     8   25.0 %      3 of     8   37.5 %           4\n"
        "\n"
        "confusions: shown → said as the first guess\n"
        "   1 × 63 戶 door → gate\n"
        "   1 × 63 戶 door → zzz\n"
        "\n"
        "missed: right at first, within three, of\n"
        "   0   0   2  190 髟 long hair (2 unanswered)\n"
        "   0   1   2  63 戶 door\n"
        "   1   1   2  85 水 water (1 unanswered)\n"
        "   1   1   2  86 火 fire (1 unanswered)\n"
        "\n"
        "not on the list, counted as wrong\n"
        "  ben: FF4: zzz"
    )


def test_a_long_report_ends_and_the_json_has_all(bushu, tmp_path: Path) -> None:
    """The most frequent of each kind are shown: here number n is taken for fire, or for what is on no list, by n of 30 subjects."""
    shown = {f"CC{n}": Shown(number=n, glyph="水", word="water") for n in range(1, 31)}
    key = Key(set="picture", seed=1, words=("fire", "water"), pictures=shown)
    (tmp_path / "k.json").write_text(json.dumps(key.model_dump()), "utf-8")
    forms = []
    for subject in range(30):
        rows = [f"CC{n},{'water' if n <= subject else 'zzz' if n == 30 else 'fire'}" for n in range(1, 31)]
        (tmp_path / f"{subject}.csv").write_text("code,first\n" + "\n".join(rows) + "\n")
        forms.append(tmp_path / f"{subject}.csv")
    result = bushu("quiz", "--score", *forms, "--key", tmp_path / "k.json", "--json", tmp_path / "s.json")
    _, confusions, missed, unlisted = (part.splitlines() for part in result.output.split("\n\n"))
    assert len(confusions) == len(missed) == len(unlisted) == 1 + 20 + 1
    assert [line.split()[0] for line in confusions[1:-1]] == [str(n) for n in range(30, 10, -1)]
    assert [line.split()[0] for line in missed[1:-1]] == [str(n) for n in range(20)]
    assert {confusions[-1], missed[-1], unlisted[-1]} == {"  and 10 more (--json has all)"}
    score = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert len(score["confusions"]) == len(score["missed"]) == len(score["unlisted"]) == 30


def test_a_report_that_ends_says_nothing_of_more() -> None:
    shown = {f"CC{n}": Shown(number=n, glyph="水", word="water") for n in range(1, 21)}
    found = scoring.score(Key(set="p", seed=1, words=("fire", "water"), pictures=shown), {"anna": dict.fromkeys(shown, ("fire",))})
    assert len(found.confusions) == len(found.missed) == scoring.MOST
    assert "more" not in "\n".join(scoring.report(found))


@given(st.lists(st.lists(st.sampled_from([*KEY.words, "", "?", "fyre"]), max_size=3), min_size=4, max_size=4), st.integers(1, 3))
def test_scores_add_up(guesses: list[list[str]], people: int) -> None:
    form = {code: tuple(filter(scoring.folded, guess)) for code, guess in zip(KEY.pictures, guesses, strict=True)}
    found = scoring.score(KEY, {f"subject {n}": form for n in range(people)})
    tally = found.together
    assert tally.asked == 4 * people
    assert tally.first <= tally.within_three <= tally.asked - tally.unanswered
    assert tally.first + tally.unanswered + sum(c.times for c in found.confusions) == tally.asked
    assert sum(m.tally.asked - m.tally.first for m in found.missed) == tally.asked - tally.first
    assert set(found.subjects.values()) == {scoring.score(KEY, {"one": form}).together}


def test_a_word_that_radicals_share_is_right_for_each() -> None:
    pictures = {"CC2": KEY.pictures["CC2"], "DD3": Shown(number=47, glyph="巛", word="water")}
    key = KEY.model_copy(update={"pictures": pictures})
    assert scoring.score(key, {"anna": {"CC2": ("water",), "DD3": ("water",)}}).together == Tally(2, 2, 2, 0)


def test_a_meaning_that_is_not_on_the_list_is_wrong_though_true() -> None:
    found = scoring.score(KEY, {"anna": {"DD3": ("flames", "fire")}})
    assert found.together == Tally(4, 0, 1, 3)
    assert [unlisted.said for unlisted in found.unlisted] == ["flames"]


SAVED: dict[str, bytes] = {
    "plain": b"code,first,second,third\nCC2,long hair,fire,\nDD3,,,\n",
    "byte order mark": b"\xef\xbb\xbfcode,first,second,third\r\nCC2,long hair,fire,\r\nDD3,,,\r\n",
    "semicolons": b"code;first;second;third\r\nCC2;long hair;fire;\r\nDD3;;;\r\n",
    "tabs": b"code\tfirst\tsecond\tthird\nCC2\tlong hair\tfire\t\nDD3\t\t\t\n",
    "unicode text": "code\tfirst\tsecond\tthird\r\nCC2\tlong hair\tfire\t\r\nDD3\t\t\t\r\n".encode("utf-16"),
    "quoted": b'"code","first","second","third"\n"CC2","long hair","fire",""\n"DD3","","",""\n',
    "quoted after a mark": b'\xef\xbb\xbf"code";"first";"second"\r\n"CC2";"long hair";"fire"\r\n"DD3";;\r\n',
    "two columns": b"code,first,second\nCC2,long hair,fire\nDD3,\n",
    "short lines": b"code,first,second,third\nCC2,long hair,fire\nDD3\n",
    "no last line end": b"code,first,second,third\nDD3\nCC2,long hair,fire",
    "empty lines": b"\n\ncode,first,second,third\n\nCC2,long hair,fire,\n,,,\nDD3,,,\n,,,\n\n",
    "old line ends": b"code,first,second,third\rCC2,long hair,fire,\rDD3,,,\r",
    "untidy": b"Code , FIRST,Second, third,,\n cc2 ,  long \t hair ,fire,,,\ndd3, - ,?, ,,\n",
    "a guess left out": b"code,first,second,third\nCC2,,long hair,fire\nDD3,,,\n",
}


@pytest.mark.parametrize("content", SAVED.values(), ids=SAVED)
def test_forms_as_they_are_saved(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert scoring.read_form(tmp_path / "a.csv") == {"CC2": ("long hair", "fire"), "DD3": ()}


@pytest.mark.parametrize("said", ["Long Hair", "long-hair", "LONGHAIR", "long  hair", "long‑hair", "long_hair", "ｌｏｎｇ　ｈａｉｒ"])
def test_case_spaces_and_hyphens_do_not_matter(said: str) -> None:
    assert scoring.score(KEY, {"anna": {"HH5": (said,)}}).together.first == 1


BAD: dict[str, tuple[bytes, str]] = {
    "unknown code": (b"code,first\nCC2,fire\nXX9,fire\n", "a: 1 of 2 codes unknown (XX9), give the key of the test that was answered"),
    "code twice": (b"code,first\nCC2,fire\nDD3,\ncc2,\n", "a.csv: line 4: CC2 stands there twice, keep one of the two"),
    "no code": (b"code,first\n,fire\n", "a.csv: line 2: guesses without a code"),
    "no heading": (b"CC2,fire,,\n", "a.csv: the first line is 'cc2,fire', should be code,first,second,third"),
    "wrong heading": (b"code,first,thrid\n", "a.csv: the first line is 'code,first,thrid'"),
    "a heading too short": (b"code\nCC2\n", "a.csv: the first line is 'code'"),
    "empty": (b"", "a.csv: the first line is ''"),
    "four guesses": (b"code,first,second,third\nCC2,a,b,c,d\n", "a.csv: line 2: more cells than the heading has (a comma in a guess?)"),
    "a guess under no heading": (b"code,first\nCC2,a,b\n", "a.csv: line 2: more cells than the heading has"),
    "not UTF-8": ("code,first\nCC2,été\n".encode("latin-1"), "a.csv: not UTF-8 text"),
    "half a UTF-16": ("code,first\n".encode("utf-16")[:-1], "a.csv: not UTF-8 text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.csv: not UTF-8 text"),
    "a cell without end": (b'code,first\nCC2,"' + b"x" * 200_000, "a.csv: line 2: not CSV (field larger than field limit"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_answers(bushu, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "k.json").write_text(json.dumps(KEY.model_dump()), "utf-8")
    (tmp_path / "a.csv").write_bytes(content)
    result = bushu("quiz", "--score", tmp_path / "a.csv", "--key", tmp_path / "k.json", "--json", tmp_path / "s.json")
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.splitlines()) == 1
    assert sorted(contents(tmp_path)) == ["a.csv", "k.json"]


@pytest.mark.parametrize("key", ["", "[]", "{", "[" * 100_000, "{}", '{"set": "p", "seed": 1, "words": ["a"], "pictures": {}}', "\udcff"])
def test_a_bad_key(bushu, tmp_path: Path, key: str) -> None:
    (tmp_path / "k.json").write_bytes(key.encode("utf-8", "surrogateescape"))
    (tmp_path / "a.csv").write_text("code,first\n")
    result = bushu("quiz", "--score", tmp_path / "a.csv", "--key", tmp_path / "k.json")
    assert result.exit_code == 2
    assert "k.json" in result.output.splitlines()[0]


@pytest.mark.parametrize("wrong", ["a.csv", "k.json"])
def test_the_score_is_not_written_over_what_it_is_made_from(bushu, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "k.json").write_text(json.dumps(KEY.model_dump()), "utf-8")
    (tmp_path / "a.csv").write_text("code,first\nCC2,water\n")
    before = contents(tmp_path)
    result = bushu("quiz", "--score", tmp_path / "a.csv", "--key", tmp_path / "k.json", "--json", tmp_path / wrong)
    assert (result.exit_code, contents(tmp_path)) == (2, before)
    assert "is what the score is made from" in result.output


def test_missing_files_and_a_file_given_twice(bushu, tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text(json.dumps(KEY.model_dump()), "utf-8")
    (tmp_path / "a.csv").write_text("code,first\nCC2,water\n")
    key = ["--key", tmp_path / "k.json"]
    assert "b.csv: cannot be read (No such file" in bushu("quiz", "--score", tmp_path / "b.csv", *key).output
    assert "cannot be read (Is a directory)" in bushu("quiz", "--score", tmp_path, *key).output
    assert "given twice" in bushu("quiz", "--score", tmp_path / "a.csv", tmp_path / "a.csv", *key).output
    assert "no.json: not the key" in bushu("quiz", "--score", tmp_path / "a.csv", "--key", tmp_path / "no.json").output


def test_from_making_to_scoring(bushu, made: Path, tmp_path: Path) -> None:
    """Two subjects fill the form: one with every word right, in capitals and semicolons, one with the same word everywhere."""
    pictures = scoring.read_key(quiz.key_path(made)).pictures
    for name in ("one", "two"):
        shutil.copytree(made, tmp_path / name)
    right = "".join(f"{code};;{shown.word.upper()}\n" for code, shown in pictures.items())
    (tmp_path / "one" / FORM).write_text("code;first;second;third\n" + right, "utf-8")
    (tmp_path / "two" / FORM).write_text("code,first\n" + "".join(f"{code},fire\n" for code in reversed(pictures)), "utf-8")
    forms = [tmp_path / name / FORM for name in ("one", "two")]
    result = bushu("quiz", "--score", *forms, "--key", quiz.key_path(made), "--json", tmp_path / "score.json")
    assert result.exit_code == 0
    assert " ".join(result.output.splitlines()[1].split()).endswith("214 of 214 100.0 % 214 of 214 100.0 % 0")
    score = json.loads((tmp_path / "score.json").read_text("utf-8"))
    assert list(score["subjects"]) == [form.as_posix() for form in forms]
    assert score["subjects"][forms[1].as_posix()] == {"asked": 214, "first": 1, "within_three": 1, "unanswered": 0}
    assert score["together"] == {"asked": 428, "first": 215, "within_three": 215, "unanswered": 0}
    assert len(score["confusions"]) == len(score["missed"]) == 213
    assert {confusion["said"] for confusion in score["confusions"]} == {"fire"}
    assert score["unlisted"] == []
