"""The data of the 214: it is proved, every rule of the proof finds what it is for, and facts that are often got wrong."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator import against, kana
from generator.model import COUNT, Error, Example, Name, Radical, Variant
from generator.project import Project, dump, load, plain
from generator.proof import canonical_files, prove, rules

Corruption = Callable[[Project], Project]


def changed(number: int, **fields: Any) -> Corruption:
    """One radical with other fields, unchecked by the model."""

    def corrupt(project: Project) -> Project:
        radicals = [r.model_copy(update=fields) if r.number == number else r for r in project.radicals]
        assert tuple(radicals) != project.radicals
        return replace(project, radicals=tuple(radicals))

    return corrupt


def without(number: int) -> Corruption:
    return lambda project: replace(project, radicals=tuple(r for r in project.radicals if r.number != number))


def twice(number: int) -> Corruption:
    return lambda project: replace(project, radicals=(*project.radicals, project.radicals[number - 1]))


def nowhere(field: str, value: str, instead: str) -> Corruption:
    """No radical has this family or category any more."""

    def corrupt(project: Project) -> Project:
        moved = [r.model_copy(update={field: instead}) if getattr(r, field) == value else r for r in project.radicals]
        return replace(project, radicals=tuple(moved))

    return corrupt


def another_position(project: Project) -> Project:
    positions = project.groups.positions | {"left": project.groups.positions["hen"]}
    return replace(project, groups=project.groups.model_copy(update={"positions": positions}))


def _put(project: Project, file: str, content: bytes) -> Project:
    path = project.root / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return project


def edited(file: str, edit: Callable[[str], str]) -> Corruption:
    """A file of the project's own that says the same radicals in another way."""

    def corrupt(project: Project) -> Project:
        text = project.path(file).read_text("utf-8")
        assert edit(text) != text
        _put(project, file, edit(text).encode())
        assert load(project.root).radicals == project.radicals, "only the form changes"
        return project

    return corrupt


def _first_two_swapped(text: str) -> str:
    entries = text.split("- number:")
    return "- number:".join([entries[0], entries[2], entries[1], *entries[3:]])


def _variant(glyph: str, **fields: Any) -> tuple[Variant, ...]:
    return (Variant(glyph=glyph, strokes=3, **fields),)


def _names(*pairs: tuple[str, str]) -> tuple[Name, ...]:
    return tuple(Name(kana=text, romaji=romaji) for text, romaji in pairs)


def _example(kanji: str, reading: str = "みず") -> Example:
    return Example(kanji=kanji, reading=reading, meaning="x")


# Rule: name of a corruption → the corruption, where the finding stands, and a part of what it says.
def gone(file: str) -> Corruption:
    """A file of the project's own that has nothing in it; were it not there, the package's would be found."""

    def corrupt(project: Project) -> Project:
        return _put(project, file, b"")

    return corrupt


def same_file(file: str, other: str) -> Corruption:
    def corrupt(project: Project) -> Project:
        return _put(project, file, project.path(other).read_bytes())

    return corrupt


def _only(data: str) -> Callable[[str], str]:
    """The drawing as one shape with this path data."""
    return lambda text: text[: text.index("<path")] + f'<path fill="#123456" d="{data}"/></svg>'


def _line_gone(number: int) -> Callable[[str], str]:
    return lambda text: re.sub(rf"(?m)^  {number}: .*\n", "", text)


FILES = ("canonical", "sources", "drawings")
"""The rules that read files."""


def water(edit: Callable[[str], str]) -> Corruption:
    """The picture of 水 otherwise."""
    return edited("radicals/pictures/085.svg", edit)


SABOTEURS: dict[str, dict[str, tuple[Corruption, str, str]]] = {
    "numbers": {
        "one is missing": (without(85), "85", "is missing"),
        "the last is missing": (without(214), "214", "is missing"),
        "one stands twice": (twice(85), "85", "stands 2 times"),
    },
    "glyphs": {
        "已 for 己": (changed(49, glyph="已"), "49 glyph", "已 should be 己"),
        "the Kangxi code point itself": (changed(85, glyph="\u2f54"), "85 glyph", "should be 水, the unified form of U+2F54"),
        "the Japanese form": (changed(63, glyph="戸"), "63 glyph", "戸 should be 戶"),
    },
    "forms": {
        "private use": (changed(85, variants=_variant("\ue001")), "85 variants", "U+E001"),
        "compatibility ideograph": (changed(85, variants=_variant("\uf9ff")), "85 variants", "U+F9FF"),
        "Kangxi code point": (changed(85, variants=_variant("\u2f54")), "85 variants", "U+2F54"),
        "a letter": (changed(85, japanese="A"), "85 variants", "U+0041"),
        "the glyph again": (changed(85, variants=_variant("水")), "85 variants", "水 stands twice"),
        "a variant twice": (changed(85, variants=_variant("氵") * 2), "85 variants", "氵 stands twice"),
        "the Japanese form as a variant": (changed(63, variants=_variant("戸")), "63 variants", "戸 stands twice"),
    },
    "strokes": {
        "they fall": (changed(85, strokes=3), "85 strokes", "3, fewer than the 4 of 84"),
        "they rise too early": (changed(84, strokes=5), "85 strokes", "4, fewer than the 5 of 84"),
        "Japanese count for nothing": (changed(85, strokes_japanese=4), "85 strokes_japanese", "leave it out"),
    },
    "examples": {
        "one twice": (changed(85, examples=(_example("氷"), _example("氷"))), "85 examples", "氷 stands twice"),
        "kana": (changed(85, examples=(_example("み"),)), "85 examples", "み is not a kanji"),
        "Kangxi code point": (changed(85, examples=(_example("\u2f54"),)), "85 examples", "is not a kanji"),
        "the radical itself": (changed(85, examples=(_example("水"),)), "85 examples", "水 is the radical itself"),
        "its Japanese form": (changed(63, examples=(_example("戸"),)), "63 examples", "戸 is the radical itself"),
        "a reading in romaji": (changed(85, examples=(_example("氷", "koori"),)), "85 examples", "'koori' is not kana"),
        "a reading with a dot": (changed(85, examples=(_example("氷", "こお.り"),)), "85 examples", "is not kana"),
    },
    "names": {
        "kanji": (changed(85, names=_names(("水", "mizu"))), "85 names", "'水' is not hiragana"),
        "katakana": (changed(85, names=_names(("ミズ", "mizu"))), "85 names", "'ミズ' is not hiragana"),
        "half a katakana": (changed(85, names=_names(("みズ", "mizu"))), "85 names", "is not hiragana"),
        "wrong romaji": (changed(85, names=_names(("みず", "misu"))), "85 names", "'misu' does not spell みず (mizu"),
        "a short vowel": (changed(162, names=_names(("しんにょう", "shinnyo"))), "162 names", "does not spell"),
        "the second name": (changed(85, names=_names(("みず", "mizu"), ("さんずい", "sansui"))), "85 names", "sansui"),
        "a variant's name": (
            changed(85, variants=_variant("氵", names=_names(("さんずい", "sansui")))),
            "85 variants 氵 names",
            "'sansui' does not spell さんずい",
        ),
        "kana without a spelling": (changed(85, names=_names(("でぃ", "di"))), "85 names", "でぃ"),
    },
    "groups": {
        "unknown family": (changed(85, family="watre"), "85 family", "unknown: watre"),
        "unknown category": (changed(85, category="Wet"), "85 category", "unknown: Wet"),
        "unknown position": (changed(85, positions=("left",)), "85 position", "unknown: left"),
        "a variant's position": (changed(85, variants=_variant("氵", positions=("left",))), "85 position", "unknown: left"),
        "an unused family": (nowhere("family", "metal", "water"), "radicals/groups.yml", "no radical has family metal"),
        "an unused category": (nowhere("category", "Color", "Other"), "radicals/groups.yml", "no radical has category Color"),
        "an unused position": (
            another_position,
            "radicals/groups.yml",
            "no radical has position left",
        ),
    },
    "headwords": {
        "two alike": (changed(86, meanings=("water",)), "85, 86 meanings", "'water' is the first meaning of each"),
        "a meaning twice": (changed(85, meanings=("water", "wet", "wet")), "85 meanings", "'wet' stands twice"),
    },
    "notes": {
        "no full stop": (changed(85, note="Flowing water"), "85 note", "end with a full stop"),
        "no capital": (changed(85, note="flowing water."), "85 note", "begin with a capital"),
        "two alike": (
            lambda project: changed(86, note=project.radicals[84].note)(project),
            "86 note",
            "another radical has the same",
        ),
    },
    "briefs": {
        "two alike but for the article": (
            lambda project: changed(86, brief=f"the {project.radicals[84].brief}".replace("the a ", "the "))(project),
            "86 brief",
            "another radical has the same",
        ),
        "a capital": (changed(85, brief="Water running from a tap"), "85 brief", "begins small"),
        "a full stop": (changed(85, brief="water running from a tap."), "85 brief", "no full stop"),
        "two lines": (changed(85, brief="water running\nfrom a tap"), "85 brief", "one line"),
        "Japanese": (changed(85, brief="water running from a tap, 水"), "85 brief", "in English"),
        "one word": (changed(85, brief="water"), "85 brief", "too short for a painter"),
        "an abstraction": (changed(19, brief="a bent arm symbolising power"), "19 brief", "'symbolising' cannot be painted"),
        "the glyph": (changed(85, brief="a drop above the kanji for it"), "85 brief", "'kanji' cannot be painted"),
    },
    "sources": {
        "one is missing": (edited("radicals/pictures.yml", _line_gone(85)), "pictures.yml 85", "is missing"),
        "no radical": (
            edited("radicals/pictures.yml", lambda text: text + "  215: {picture: [drawn], pictogram: [drawn]}\n"),
            "pictures",
            "215 is not",
        ),
        "unknown source": (
            edited("radicals/pictures.yml", lambda text: text.replace("picture: [noto:", "picture: [nota:", 1)),
            "pictures.yml",
            "did you mean noto?",
        ),
        "no author": (
            edited("radicals/pictures.yml", lambda text: re.sub(r"game-icons:[\w-]+/", "game-icons:", text, count=1)),
            "pictures.yml",
            "says no author",
        ),
        "no licence's text": (gone("radicals/LICENSE-Apache-2.0.txt"), "LICENSE-Apache-2.0.txt", "is missing"),
    },
    "drawings": {
        "one is empty": (gone("radicals/pictures/085.svg"), "pictures/085.svg", "not an SVG file"),
        "cut off": (water(lambda text: text[:300]), "pictures/085.svg", "not an SVG file"),
        "not flat": (
            water(lambda text: text.replace("<path ", '<path opacity="0.5" ', 1)),
            "pictures/085.svg",
            "not a normalised drawing",
        ),
        "another viewBox": (water(lambda text: text.replace("512 512", "128 128")), "085", "not a normalised"),
        "a colour's name": (
            water(lambda text: re.sub('fill="#......"', 'fill="blue"', text, count=1)),
            "pictures/085.svg",
            "'blue' is not written #rrggbb",
        ),
        "no licence": (water(lambda text: re.sub("<dc:rights>.*</dc:rights>", "", text)), "pictures/085.svg", "under which licence"),
        "path data that is none": (
            water(lambda text: text.replace(' d="M', ' d="Mx', 1)),
            "pictures/085.svg",
            "path",
        ),
        "no ink": (water(lambda text: re.sub(' d="[^"]*"', ' d=""', text)), "pictures/085.svg", "no ink"),
        "a dwarf": (water(_only("M200 200h112v112h-112z")), "pictures/085.svg", "its longest side is 22%"),
        "a giant": (water(_only("M1 1h510v510h-510z")), "pictures/085.svg", "its longest side is 100%"),
        "off the middle": (water(_only("M60 56h400v400h-400z")), "pictures/085.svg", "off the middle by +4.0"),
        "another's": (
            same_file("radicals/pictures/086.svg", "radicals/pictures/085.svg"),
            "pictures/086.svg",
            "the same as pictures/085.svg",
        ),
        "a coloured pictogram": (
            edited("radicals/pictograms/085.svg", lambda text: text.replace("#000000", "#101010")),
            "pictograms/085.svg",
            "is a pictogram in #101010",
        ),
    },
    "canonical": {
        "not sorted": (edited("radicals/04-strokes.yml", _first_two_swapped), "radicals/04-strokes.yml", "line 1: "),
        "a comment": (
            edited("radicals/01-strokes.yml", lambda text: f"# One stroke\n{text}"),
            "radicals/01-strokes.yml",
            "line 1: '# One stroke'",
        ),
        "quoted": (
            edited("radicals/04-strokes.yml", lambda text: text.replace("glyph: 心", "glyph: '心'", 1)),
            "radicals/04-strokes.yml",
            "line 2: ",
        ),
        "a blank line at the end": (
            edited("radicals/17-strokes.yml", lambda text: text + "\n"),
            "radicals/17-strokes.yml",
            "length differs",
        ),
        "in the wrong file": (changed(85, strokes=5), "radicals/04-strokes.yml", "bushu check --write"),
        "no file for it": (changed(214, strokes=18), "radicals/18-strokes.yml", "is missing"),
    },
}
CASES = [(rule, name) for rule, named in SABOTEURS.items() for name in named]


def test_the_data_is_proved(project: Project) -> None:
    assert len(project.radicals) == COUNT == 214
    assert [str(finding) for finding in prove(project)] == []


def test_every_rule_has_a_saboteur() -> None:
    assert SABOTEURS.keys() == rules.keys()


@pytest.mark.parametrize(("rule", "name"), CASES, ids=[f"{rule}-{name}" for rule, name in CASES])
def test_a_rule_finds_its_saboteur(rule: str, name: str, project: Project, request: pytest.FixtureRequest) -> None:
    corrupt, stands, said = SABOTEURS[rule][name]
    if rule in FILES:
        project = load(request.getfixturevalue("copy"))
    found = list(rules[rule](corrupt(project)))
    assert any(stands in trail and said in message for trail, message in found), found
    assert len(found) <= 3, "and says little else"


def test_prove_runs_every_rule_and_says_which_one_found_it(project: Project) -> None:
    wrong = changed(85, glyph="火", note="x", joyo=0)(without(214)(project))
    found = {finding.code: str(finding) for finding in prove(wrong)}
    assert found.keys() == {"numbers", "glyphs", "notes", "sources", "canonical"}
    assert found["glyphs"] == "radicals: 85 glyph: glyphs: 火 should be 水, the unified form of U+2F54"


def test_canonical_files_mend_the_form(copy: Path) -> None:
    project = edited("radicals/04-strokes.yml", _first_two_swapped)(load(copy))
    assert prove(project)
    for path, text in canonical_files(project).items():
        assert path.is_relative_to(copy)
        path.write_text(text, "utf-8")
    assert prove(load(copy)) == []


# Facts


def at(project: Project, number: int) -> Radical:
    found = project.radicals[number - 1]
    assert found.number == number
    return found


TRAPS = {49: "己", 58: "彐", 116: "穴", 146: "襾", 209: "鼻", 1: "一", 85: "水", 140: "艸", 162: "辵", 212: "龍", 213: "龜", 214: "龠"}


@pytest.mark.parametrize(("number", "glyph"), TRAPS.items(), ids=map(str, TRAPS))
def test_glyphs_that_are_often_wrong(number: int, glyph: str, project: Project) -> None:
    assert at(project, number).glyph == glyph


def test_meanings_that_are_often_wrong(project: Project) -> None:
    assert {"cave", "hole"} & set(at(project, 116).meanings)
    assert "nose" in at(project, 209).meanings
    assert at(project, 85).headword == "water"


JAPANESE = {"戶": "戸", "靑": "青", "麥": "麦", "黃": "黄", "黑": "黒", "齊": "斉", "齒": "歯", "龍": "竜", "龜": "亀"}


@pytest.mark.parametrize(("glyph", "japanese"), JAPANESE.items(), ids=JAPANESE)
def test_japanese_forms(glyph: str, japanese: str, project: Project) -> None:
    assert project.by_glyph[glyph].japanese == japanese
    assert project.by_glyph[japanese] is project.by_glyph[glyph]


KANGXI_AND_JAPANESE = {
    "瓦": (5, 5),
    "廴": (3, 3),
    "鬼": (10, 10),
    "骨": (10, 10),
    "鼎": (13, 13),
    "龜": (16, 11),
    "齒": (15, 12),
    "麥": (11, 7),
    "黃": (12, 11),
    "龍": (16, 10),
}


@pytest.mark.parametrize(("glyph", "counts"), KANGXI_AND_JAPANESE.items(), ids=KANGXI_AND_JAPANESE)
def test_stroke_counts(glyph: str, counts: tuple[int, int], project: Project) -> None:
    radical = project.by_glyph[glyph]
    assert (radical.strokes, radical.strokes_japanese or radical.strokes) == counts


def test_how_many_radicals_have_how_many_strokes(project: Project) -> None:
    """The seventeen chapters of the Kangxi dictionary."""
    counted = Counter(radical.strokes for radical in project.radicals)
    assert [counted[n] for n in range(1, 18)] == [6, 23, 31, 34, 23, 29, 20, 9, 11, 8, 6, 4, 4, 2, 1, 2, 1]


VARIANTS = {"亻": 9, "氵": 85, "忄": 61, "扌": 64, "灬": 86, "犭": 94, "艹": 140, "辶": 162, "⻖": 170, "礻": 113, "衤": 145, "刂": 18}


@pytest.mark.parametrize(("glyph", "number"), VARIANTS.items(), ids=VARIANTS)
def test_variants(glyph: str, number: int, project: Project) -> None:
    if glyph == "⻖":
        assert {"⻖", "⻏", "阝"} & {variant.glyph for variant in at(project, 170).variants}
    else:
        assert glyph in {variant.glyph for variant in at(project, number).variants}


def all_names(radical: Radical) -> set[str]:
    return {name.kana for owner in (radical, *radical.variants) for name in owner.names}


NAMES = [
    (85, "みず"),
    (85, "さんずい"),
    (9, "にんべん"),
    (140, "くさかんむり"),
    (162, "しんにょう"),
    (61, "りっしんべん"),
    (53, "まだれ"),
    (31, "くにがまえ"),
]


@pytest.mark.parametrize(("number", "name"), NAMES, ids=[f"{number}-{name}" for number, name in NAMES])
def test_names_that_a_learner_meets(number: int, name: str, project: Project) -> None:
    assert name in all_names(at(project, number))


def test_joyo_counts_add_up(project: Project) -> None:
    assert sum(radical.joyo for radical in project.radicals) == 2136
    assert max(project.radicals, key=lambda radical: radical.joyo).number == 85


def test_examples(project: Project) -> None:
    assert all(1 <= len(radical.examples) <= 8 for radical in project.radicals)
    assert sum(len(radical.examples) for radical in project.radicals) > 4 * COUNT
    assert all(example.meaning.strip() and kana.is_kana(example.reading) for radical in project.radicals for example in radical.examples)


def test_notes_fit(project: Project) -> None:
    assert all(20 <= len(radical.note) <= 140 for radical in project.radicals)
    assert len({radical.note for radical in project.radicals}) == COUNT


def test_groups_are_as_many_as_they_should_be(project: Project) -> None:
    assert (len(project.groups.families), len(project.groups.categories), len(project.groups.positions)) == (16, 15, 7)
    assert len({family.mark for family in project.groups.families.values()}) == 16


def test_the_files_are_the_projects_own(project: Project) -> None:
    for path, text in canonical_files(project).items():
        assert path.read_text("utf-8") == text
    assert sum(text.count("\n- number:") + text.startswith("- number:") for text in canonical_files(project).values()) == COUNT
    assert dump([plain(at(project, 85))]).startswith("- number: 85\n  glyph: 水\n  strokes: 4\n")


# Beside the kanji site's table


WATER = {
    "Number": "85",
    "Strokes": "4",
    "Radical": "水",
    "Alternate": "氵 氺",
    "Category": "Nature",
    "Meaning": "water",
    "Reading-J": "みず",
    "Reading-R": "mizu",
}


@pytest.fixture
def water(project: Project) -> dict[str, str]:
    """A row that says what we say."""
    return WATER | {"Category": at(project, 85).category}


def differences(project: Project, folder: Path, *rows: dict[str, str]) -> list[str]:
    """What differs, but for the radicals that the small table leaves out."""
    path = folder / "r214.yml"
    path.write_text(dump(list(rows)), "utf-8")
    return [line for line in against.differences(project, path) if not line.endswith(": here only")]


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"Number": "085"},
        {"Radical": "\u2f54"},
        {"Radical": "氵", "Strokes": "3"},
        {"Alternate": ""},
        {"Alternate": "氵、氺"},
        {"Meaning": "Water (liquid), stream"},
        {"Meaning": "the water"},
        {"Reading-J": "さんずい", "Reading-R": "sanzui"},
        {"Reading-J": "ミズ"},
        {"Reading-R": "Mizu"},
    ],
    ids=lambda same: " ".join(f"{key} {value}" for key, value in same.items()) or "as we have it",
)
def test_no_difference(same: dict[str, str], water: dict[str, str], project: Project, tmp_path: Path) -> None:
    assert differences(project, tmp_path, water | same) == []


@pytest.mark.parametrize(
    ("field", "theirs", "ours"),
    [
        ("Radical", "氷", "水 ⽔ 氵 氺"),
        ("Alternate", "冫", "水 ⽔ 氵 氺"),
        ("Strokes", "7", "4"),
        ("Category", "Weapon", None),
        ("Meaning", "ice", None),
        ("Reading-J", "みす", None),
        ("Reading-R", "misu", None),
        ("Reading-R", "", None),
        ("Meaning", "", None),
    ],
)
def test_a_difference(field: str, theirs: str, ours: str | None, water: dict[str, str], project: Project, tmp_path: Path) -> None:
    (line,) = differences(project, tmp_path, water | {field: theirs})
    assert line.startswith(f"85 水 {field}: {theirs or 'nothing'} there, ")
    assert line.endswith(" here")
    assert ours is None or line.endswith(f", {ours} here")


def test_a_private_use_alternate_is_shown_by_its_code_point(water: dict[str, str], project: Project, tmp_path: Path) -> None:
    (line,) = differences(project, tmp_path, water | {"Alternate": "\ue001"})
    assert "U+E001 (private use) there" in line


def test_rows_that_only_one_side_has(water: dict[str, str], project: Project, tmp_path: Path) -> None:
    assert differences(project, tmp_path, water, water | {"Number": "215"}) == ["215: there only"]
    here = [line for line in against.differences(project, tmp_path / "r214.yml") if line.endswith(": here only")]
    assert len(here) == COUNT - 1
    assert here[0] == "1 一: here only"


BAD_TABLES = {
    "text": ("hello", "not a list of radicals"),
    "mapping": ("a: 1", "not a list of radicals"),
    "list of text": ("- a", "not a list of radicals"),
    "no number": ("- Radical: 水", "entry 1: Number is None, should be 1 to 214"),
    "number in words": ("- Number: one", "entry 1: Number is 'one'"),
    "list for a number": ("- Number: [1]", "entry 1: Number is ['1']"),
    "superscript": ("- Number: ²", "entry 1: Number is '²'"),
    "twice": ("- Number: '1'\n- Number: '001'", "entry 2: Number 1 stands twice"),
    "empty": ("", "empty"),
    "broken": ("- [", "not valid YAML"),
}


@pytest.mark.parametrize(("text", "said"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_that_cannot_be_compared(text: str, said: str, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "r214.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(Error) as caught:
        against.differences(project, path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_a_table_that_is_not_there(project: Project, tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot be read"):
        against.differences(project, tmp_path / "none.yml")
