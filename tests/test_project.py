"""Reading a project: what a person wrote wrong is told in one clear line a fault, and nothing else ever happens."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from common import DATA, ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generator.model import Error
from generator.palette import readable
from generator.project import DEPTH, Project, dump, load, parse, plain, radical_files, read, replacing, validated, where

PALETTE = (DATA / "palette.yml").read_text("utf-8")
WATER = next(line for line in PALETTE.splitlines() if line.startswith("    water: "))
LINE = PALETTE.splitlines().index(WATER) + 1
STROKES = "radicals/04-strokes.yml"


@dataclass(frozen=True)
class Broken:
    """A file, how its text is broken, and what the message must say."""

    file: str
    corrupt: Callable[[str], str | bytes]
    said: tuple[str, ...]
    lines: int | None = 1


def instead(text: str | bytes) -> Callable[[str], str | bytes]:
    return lambda _: text


def swap(old: str, new: str) -> Callable[[str], str]:
    """The first *old* becomes *new*; it must be there."""

    def corrupt(text: str) -> str:
        assert old in text, f"{old!r} is not in the file"
        return text.replace(old, new, 1)

    return corrupt


def water(key: str, value: str) -> Callable[[str], str]:
    """The first palette's water has another *key*."""
    return swap(WATER, re.sub(rf"\b{key}: (oklch\([^)]*\)|\w+)", lambda _: f"{key}: {value}", WATER, count=1))


def every(*changes: Callable[[str], str]) -> Callable[[str], str]:
    def corrupt(text: str) -> str:
        for change in changes:
            text = change(text)
        return text

    return corrupt


P, S, G, F = "palette.yml", "sets.yml", "radicals/groups.yml", "fonts/fonts.yml"

BROKEN: dict[str, Broken] = {
    # any file, as YAML
    "tab": Broken(P, instead("default:\n\ttitle: x\n"), ("palette.yml: line 2, column 1: not valid YAML",)),
    "bracket": Broken(P, instead("default: [1, 2\n"), ("not valid YAML", "line 2")),
    "brace": Broken(P, swap("name: 瑠璃 ruri}", "name: 瑠璃 ruri"), ("not valid YAML",)),
    "quote": Broken(P, instead('default: "x\n'), ("not valid YAML",)),
    "two colons": Broken(P, instead("default: a: b\n"), ("line 1, column 11: not valid YAML",)),
    "empty": Broken(P, instead(""), ("palette.yml: empty, take the file that Bushu brings",)),
    "blank": Broken(P, instead(" \n\n"), ("empty",)),
    "only a comment": Broken(P, instead("# nothing\n"), ("empty",)),
    "not UTF-8": Broken(P, instead("title: caf\xe9".encode("latin-1")), ("byte 10 is not UTF-8 text, save the file as UTF-8",)),
    "UTF-16": Broken(P, instead(PALETTE.encode("utf-16")), ("byte 0 is not UTF-8",)),
    "NUL": Broken(P, instead(b"default:\0"), ("not valid YAML",)),
    "binary": Broken(P, instead(bytes(range(256)) * 4), ("byte 128 is not UTF-8",)),
    "control signs": Broken(P, instead("a: \x01\x02"), ("not valid YAML",)),
    "alias recursion": Broken(P, instead("default: &a\n  families: *a\n"), ("line 1: anchors and aliases (& and *) are not supported",)),
    "list recursion": Broken(P, instead("&a [*a, *a]"), ("line 1: anchors and aliases",)),
    "billion laughs": Broken(P, instead("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"), ("line 1: anchors and aliases",)),
    "merge key": Broken(P, swap("    water: {", "    water: {<<: *x, "), ("anchors and aliases",)),
    "deep brackets": Broken(P, instead("[" * 5000), (f"line 1: nested deeper than {DEPTH} levels",)),
    "deep mappings": Broken(P, instead("{a: " * 5000), ("nested deeper",)),
    "deep list": Broken(P, instead("- " * 5000), ("nested deeper",)),
    "deep indentation": Broken(P, instead("\n".join(" " * n + "a:" for n in range(5000))), (f"line {DEPTH + 1}: nested deeper",)),
    "two documents": Broken(P, instead("a: 1\n---\nb: 2\n"), ("line 2: a second document begins",)),
    "a key that is a list": Broken(P, instead("[a]: 1\n"), ("line 1: a key must be plain text",)),
    # palette.yml
    "list at top": Broken(P, instead("- a\n- b\n"), ("palette.yml: should be keys with values",)),
    "text at top": Broken(P, instead("hello"), ("should be keys with values", "'hello'")),
    "number for a palette": Broken(P, instead("default: 5\n"), ("palette.yml: default: should be keys with values", "'5'")),
    "number for a swatch": Broken(P, swap(WATER, "    water: 5"), ("default.families.water: should be keys with values", "'5'")),
    "list for a colour": Broken(P, water("paper", "[1]"), ("default.families.water.paper: should be text",)),
    "empty colour": Broken(P, water("paper", '""'), ("default.families.water.paper: ",)),
    "duplicate keys": Broken(
        P,
        every(swap(WATER, f"{WATER}\n{WATER}"), swap("\nink:", "\nnight:")),
        (f"default.families.water: duplicate key on line {LINE + 1}, keep one of the two", "palette.yml: night: duplicate key on line "),
        lines=2,
    ),
    "unknown key": Broken(
        P,
        water("accent", "teal, tintt: white"),
        ("palette.yml: default.families.water.tintt: unknown key, did you mean tint?",),
    ),
    "unknown key of a palette": Broken(
        P, swap("  description:", "  subtitle: x\n  description:"), ("default.subtitle: unknown key, did you mean title?",)
    ),
    "missing key": Broken(P, swap("  title: Sixteen families\n", ""), ("palette.yml: default.title: missing",)),
    "bad hex": Broken(P, water("paper", '"#26589"'), ("default.families.water.paper: '#26589' is not a colour; try",)),
    "unknown colour name": Broken(P, water("ink", "bleu"), ("default.families.water.ink: 'bleu' is not a colour",)),
    "transparent colour": Broken(P, water("accent", '"#26589f80"'), ("default.families.water.accent: '#26589f80' is transparent",)),
    "unknown family": Broken(
        P, swap(WATER, f"{WATER}\n{WATER.replace('water', 'watre')}"), ("default.families.watre: unknown, did you mean water?",)
    ),
    "missing family": Broken(P, swap(WATER + "\n", ""), ("default.families.water: missing, needs paper, ink, accent and pattern",)),
    "misspelt family": Broken(
        P,
        swap("    water:", "    watr:"),
        ("default.families.watr: unknown, did you mean water?", "default.families.water: missing"),
        lines=2,
    ),
    "unknown pattern": Broken(
        P, water("pattern", "seigaia"), ("default.families.water.pattern: unknown pattern 'seigaia', did you mean seigaiha?",)
    ),
    "low contrast": Broken(P, water("ink", '"#3366aa"'), ("default.families.water.ink: contrast 1.", "needs 4.5; try #")),
    "neither families nor categories": Broken(
        P, instead("p: {title: a, description: b}\n"), ("p: needs exactly one of families and categories",)
    ),
    "both": Broken(
        P, swap("kanji-site:\n", "kanji-site:\n  families: {}\n"), ("kanji-site: needs exactly one of families and categories",)
    ),
    "faults in two palettes": Broken(
        P,
        every(water("paper", "bleu"), swap("    Food:", "    Fodo:")),
        (
            "default.families.water.paper: ",
            "kanji-site.categories.Fodo: unknown, did you mean Food?",
            "kanji-site.categories.Food: missing",
        ),
        lines=3,
    ),
    # sets.yml
    "unknown layout": Broken(
        S, swap("layout: plain", "layout: plian"), ("sets.yml: baseline.layout: unknown layout 'plian', did you mean plain?",)
    ),
    "unknown font": Broken(S, swap("font: mincho", "font: minchou"), ("baseline.font: unknown font 'minchou', did you mean mincho?",)),
    "unknown palette": Broken(
        S, swap("palette: default", "palette: dfault"), ("baseline.palette: unknown palette 'dfault', did you mean default?",)
    ),
    "three unknowns": Broken(
        S, instead("a: {title: x, description: y, layout: b, font: c, palette: d}"), ("a.layout", "a.font", "a.palette"), lines=3
    ),
    "bad set name": Broken(S, swap("baseline:", "Base Line:"), ("sets.yml: Base Line: not a name for a folder, use a-z, 0-9 and -",)),
    "set name with a space": Broken(S, swap("baseline:", "base line:"), ("base line: not a name for a folder",)),
    "set name climbs": Broken(S, swap("baseline:", "../x:"), ("../x: not a name for a folder",)),
    "unknown key of a set": Broken(S, swap("  png: true", "  pgn: true"), ("baseline.pgn: unknown key, did you mean png?",)),
    "not a boolean": Broken(S, swap("\n  png: true", "\n  png: maybe"), ("baseline.png: should be a valid boolean", "'maybe'")),
    "set without a layout": Broken(S, swap("  layout: plain\n", ""), ("baseline.layout: missing",)),
    "list of sets": Broken(S, instead("- baseline\n"), ("sets.yml: should be keys with values",)),
    # radicals
    "note too long": Broken(
        STROKES, swap("  note: ", "  note: " + "x" * 140), ("radicals/04-strokes.yml: 61.note: string should have at most 140",)
    ),
    "number too high": Broken(STROKES, swap("number: 61", "number: 215"), ("215.number: should be less than or equal to 214", "'215'")),
    "number in words": Broken(STROKES, swap("number: 61", "number: sixty-one"), ("number: should be a whole number", "'sixty-one'")),
    "two glyphs": Broken(STROKES, swap("glyph: 心", "glyph: 心心"), ("61.glyph: string should have at most 1 character",)),
    "no glyph": Broken(STROKES, swap("  glyph: 心\n", ""), ("61.glyph: missing",)),
    "unknown key of a radical": Broken(
        STROKES, swap("  meanings:", "  meaning: x\n  meanings:"), ("61.meaning: unknown key, did you mean meanings?",)
    ),
    "unknown key of a variant": Broken(
        STROKES, swap("  - glyph: 忄\n", "  - glyph: 忄\n    gliph: x\n"), ("61.variants.0.gliph: unknown key, did you mean glyph?",)
    ),
    "unknown family of a radical": Broken(STROKES, swap("family: mind", "family: mnd"), ("61.family: unknown 'mnd', did you mean mind?",)),
    "unknown category": Broken(STROKES, swap("category: Body", "category: Bodi"), ("61.category: unknown 'Bodi', did you mean Body?",)),
    "text for a file of radicals": Broken(STROKES, instead("hello"), ("radicals/04-strokes.yml: should be a list",)),
    "text for a radical": Broken(STROKES, instead("- hello"), ("radicals/04-strokes.yml: 0: should be keys with values",)),
    "groups without marks": Broken(G, swap(", mark: 水", ""), ("radicals/groups.yml: families.water.mark: missing",)),
    "positions as a list": Broken(G, instead("families: {}\ncategories: []\npositions: []"), ("positions: should be keys with values",)),
    # fonts.yml
    "fit out of range": Broken(F, swap("fit: 0.935", "fit: 9"), ("fonts/fonts.yml: faces.mincho.fit: should be less than 1.2", "'9'")),
    "fit is no number": Broken(F, swap("fit: 0.935", "fit: nan"), ("faces.mincho.fit: ",)),
    "not a sha256": Broken(F, swap('sha256: "', 'sha256: "x'), ("faces.mincho.sha256: string should match pattern",)),
    "unknown registry": Broken(F, swap("registry: npm", "registry: pypi"), ("faces.mincho.source.registry: should be 'npm' or 'debian'",)),
    "unknown key of a font": Broken(
        F,
        swap("licence_file:", "license_file:"),
        ("license_file: unknown key, did you mean licence_file?", "licence_file: missing"),
        lines=2,
    ),
}


def complaint(folder: Path) -> str:
    with pytest.raises(Error) as caught:
        load(folder)
    return str(caught.value)


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_said(case: Broken, copy: Path) -> None:
    path = copy / case.file
    broken = case.corrupt(path.read_text("utf-8"))
    path.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    message = complaint(copy)
    lines = message.splitlines()
    for fragment in case.said:
        assert fragment in message
    assert all(line.startswith(f"{case.file}: ") for line in lines)
    assert len(lines) == case.lines
    assert all(len(line) < 400 for line in lines)


def test_nothing_is_written_when_a_file_is_broken(copy: Path) -> None:
    (copy / "palette.yml").write_text("default: 5\n")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    complaint(copy)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


KEYS = {
    "unknown key": ('"ti\\ntle": x\n  title', "  title"),
    "unknown family": ('"wa\\nter": {', "water: {"),
    "duplicate": ('"a\\nb": 1\n  "a\\nb": 2\n  title', "  title"),
}


@pytest.mark.parametrize(("new", "old"), KEYS.values(), ids=KEYS)
def test_a_key_with_a_line_break_stays_in_its_line(new: str, old: str, copy: Path) -> None:
    (copy / "palette.yml").write_text(PALETTE.replace(old, old[: len(old) - len(old.lstrip())] + new, 1), "utf-8")
    assert all(line.startswith("palette.yml: ") for line in complaint(copy).splitlines())


def test_a_long_value_is_not_repeated_whole(copy: Path) -> None:
    text = (copy / STROKES).read_text("utf-8").replace("number: 61", f"number: {'9' * 6000}", 1)
    (copy / STROKES).write_text(text, "utf-8")
    assert len(complaint(copy)) < 1000


def test_an_immeasurable_colour_is_an_error(copy: Path) -> None:
    (copy / "palette.yml").write_text(water("paper", "oklch(1e300 1e300 1e300)")(PALETTE), "utf-8")
    assert complaint(copy).startswith("palette.yml: default.families.water.paper: ")


ADVICE = [
    ("ink", '"#3366aa"'),
    ("ink", "teal"),
    ("ink", "oklch(50% 0.2 20)"),
    ("paper", "white"),
    ("paper", "gold"),
    ("accent", 'teal, deep: "#aabbcc"'),
    ("accent", "teal, tint: navy"),
    ("accent", 'teal, tint: "#1a1a1a", deep: "#ff0f00"'),
]


@pytest.mark.parametrize(("key", "value"), ADVICE, ids=[f"{key}-{value}" for key, value in ADVICE])
def test_the_colour_that_is_suggested_passes(key: str, value: str, copy: Path) -> None:
    changed = water(key, value)(PALETTE)
    (copy / "palette.yml").write_text(changed, "utf-8")
    found = re.fullmatch(r"palette\.yml: default\.families\.water\.(ink|deep): contrast .*; try (#[0-9a-f]{6})", complaint(copy))
    assert found
    line = next(line for line in changed.splitlines() if line.startswith("    water: "))
    pasted, quoted = re.sub(rf", {found[1]}: (\"[^\"]*\"|[^,}}]*)", "", line), f'"{found[2]}"'
    mended = pasted.replace("pattern:", f"{found[1]}: {quoted}, pattern:")
    (copy / "palette.yml").write_text(changed.replace(line, mended, 1), "utf-8")
    swatch = load(copy).palettes["default"].swatches["water"]
    assert getattr(swatch, found[1]) == found[2]
    assert readable(swatch.ink, swatch.paper)


# Nothing but Error


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An otherwise empty project; tests that share it remove what they write."""
    return tmp_path_factory.mktemp("fuzz")


def _fuzzed(folder: Path, file: str, content: bytes) -> None:
    """Load with *content* as the file: it loads, or is an Error that names the file first."""
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    try:
        message = said(lambda: load(folder))
    finally:
        path.unlink()
    # where palettes or families went missing in a file that can be read, it is another file that names what is not there
    assert not message or message.startswith(f"{file}: ") or file in (P, G), message


def said(call: Callable[[], Any]) -> str:
    """The message of the Error that a call ends in; empty where it does not."""
    try:
        call()
    except Error as error:
        return str(error)
    return ""


yaml_like = st.lists(
    st.sampled_from(
        [
            "a",
            "title",
            ": ",
            ":",
            "\n",
            "  ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "&a ",
            "*a",
            "!!str ",
            "|",
            ">",
            "?",
            "'",
            '"',
            "#",
            "%",
            "~",
            "no",
            "1e999",
            "\t",
            "\ufeff",
            "---\n",
            "...\n",
            "水",
            "\\",
        ]
    ),
    max_size=40,
).map("".join)
like_yaml = yaml_like.map(str.encode)


@pytest.mark.parametrize("file", [P, S, G, F, STROKES])
@settings(max_examples=25)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")), like_yaml))
@example(content=b"\xef\xbb\xbf")
@example(content=b"? ? ? a")
@example(content=b"!!binary x: !!set y")
def test_any_bytes_load_or_are_an_error(file: str, content: bytes, folder: Path) -> None:
    _fuzzed(folder, file, content)


@settings(max_examples=200)
@given(text=st.one_of(st.text(), yaml_like))
def test_any_text_parses_or_is_an_error(text: str) -> None:
    message = said(lambda: parse(text, "some.yml"))
    assert not message or message.startswith("some.yml: ")


TOKENS = [
    b"\n",
    b"  ",
    b"\t",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b", ",
    b"&a ",
    b"*a",
    b'"',
    b"'",
    b"#",
    b"none",
    b"nan",
    b"1e99",
    b"-",
    b"|",
    b"%",
    b"!!int ",
    b"\xff",
    b"\0",
    b"oklch(",
    b")",
    b"url(#a)",
    b"0",
    b"99999",
]
mutation = st.tuples(st.integers(0, len(PALETTE.encode()) - 1), st.sampled_from([0, 1, 5, 120]), st.sampled_from([b"", *TOKENS]))


@settings(max_examples=50)
@given(mutations=st.lists(mutation, min_size=1, max_size=4))
def test_any_slip_in_the_palette_loads_or_is_an_error(mutations: list[tuple[int, int, bytes]], folder: Path) -> None:
    content = PALETTE.encode()
    for at, removed, added in mutations:
        content = content[:at] + added + content[at + removed :]
    _fuzzed(folder, P, content)


# What a folder holds, and what the package brings


def test_an_empty_folder_takes_everything_from_the_package(tmp_path: Path) -> None:
    empty, project = load(tmp_path), load(ROOT)
    assert empty.root == tmp_path.resolve()
    assert empty.build == tmp_path.resolve() / "build"
    assert (empty.radicals, empty.groups, empty.palettes, empty.sets, empty.fonts) == (
        project.radicals,
        project.groups,
        project.palettes,
        project.sets,
        project.fonts,
    )
    assert empty.path("fonts/mincho.ttf").is_file()
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_is_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load().root == tmp_path.resolve()


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_project_is_a_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert complaint(tmp_path / name) == f"{(tmp_path / name).resolve()}: not a folder, give the project's folder"


def test_a_folder_may_keep_nothing_but_its_palette(project: Project, tmp_path: Path) -> None:
    (tmp_path / "palette.yml").write_text(water("paper", '"#123456"')(PALETTE), "utf-8")
    own = load(tmp_path)
    assert own.palettes["default"].swatches["water"].paper == "#123456"
    assert own.palettes["default"].swatches["fire"] == project.palettes["default"].swatches["fire"]
    assert (own.radicals, own.sets, own.fonts) == (project.radicals, project.sets, project.fonts)


def test_a_folder_may_keep_nothing_but_one_file_of_radicals(project: Project, tmp_path: Path) -> None:
    (tmp_path / "radicals").mkdir()
    (tmp_path / STROKES).write_text((ROOT / STROKES).read_text("utf-8").replace("[heart, ", "[pump, ", 1), "utf-8")
    own = load(tmp_path)
    assert own.radicals[60].headword == "pump"
    assert own.radicals[:60] + own.radicals[61:] == project.radicals[:60] + project.radicals[61:]
    assert own.path(STROKES) == tmp_path.resolve() / STROKES
    assert own.path("radicals/05-strokes.yml") == ROOT / "radicals/05-strokes.yml"
    assert [path.is_relative_to(tmp_path.resolve()) for path in radical_files(own.root)].count(True) == 1


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "palette.yml").mkdir()
    assert complaint(tmp_path).startswith("palette.yml: cannot be read (")


def test_a_byte_order_mark_does_no_harm(project: Project, tmp_path: Path) -> None:
    (tmp_path / "palette.yml").write_text(PALETTE, "utf-8-sig")
    assert load(tmp_path).palettes == project.palettes


def test_windows_line_ends_do_no_harm(project: Project, tmp_path: Path) -> None:
    (tmp_path / "palette.yml").write_bytes(PALETTE.replace("\n", "\r\n").encode())
    assert load(tmp_path).palettes == project.palettes


def test_by_glyph_finds_every_form(project: Project) -> None:
    assert {project.by_glyph[sign].number for sign in ("水", "\u2f54", "氵", "氺")} == {85}
    assert project.by_glyph["戸"].number == project.by_glyph["戶"].number == 63
    for radical in project.radicals:
        assert project.by_glyph[radical.glyph] is project.by_glyph[radical.kangxi] is radical


def test_where() -> None:
    assert where(Path("/p"), Path("/p/radicals/04-strokes.yml")) == STROKES
    assert where(Path("/p"), ROOT / STROKES) == STROKES
    assert where(Path("/p"), Path("/q/x.yml")) == "/q/x.yml"


# Reading and writing


@pytest.mark.parametrize(
    "word", ["no", "yes", "on", "true", "null", "~", "1", "0x10", "1e3", "1_000", "12:30", "2020-01-01", ".nan", "=", "<<"]
)
def test_a_scalar_stays_text(word: str) -> None:
    assert parse(f"romaji: {word}", "some.yml") == {"romaji": word}
    assert parse(f"[{word}]", "some.yml") == [word]
    assert parse(dump({"romaji": word}), "some.yml") == {"romaji": word}


def test_no_is_a_name_of_a_radical(tmp_path: Path) -> None:
    (tmp_path / "radicals").mkdir()
    text = (ROOT / "radicals/01-strokes.yml").read_text("utf-8")
    first = next(line for line in text.splitlines() if "kana:" in line)
    (tmp_path / "radicals/01-strokes.yml").write_text(text.replace(first, "  - {kana: の, romaji: no}", 1), "utf-8")
    assert load(tmp_path).radicals[0].names[0].romaji == "no"


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
trees = st.recursive(
    words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words.filter(str.isprintable), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80)
@given(trees)
def test_what_is_dumped_is_read_back(tree: Any) -> None:
    assert parse(dump(tree), "some.yml") == tree


@pytest.mark.parametrize("path", radical_files(ROOT), ids=lambda path: path.stem)
def test_files_of_radicals_are_canonical(path: Path, project: Project) -> None:
    entries = validated(tuple[type(project.radicals[0]), ...], read(path, path.name), path.name)
    assert {radical.strokes for radical in entries} == {int(path.name[:2])}
    assert [radical.number for radical in entries] == sorted(radical.number for radical in entries)
    assert dump([plain(radical) for radical in entries]) == path.read_text("utf-8")


def test_plain_is_read_back_as_the_same_radical(project: Project) -> None:
    assert validated(tuple[type(project.radicals[0]), ...], [plain(radical) for radical in project.radicals], "x") == project.radicals


def test_replacing_leaves_the_old_file_when_something_goes_wrong(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "first"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]
