"""Every check finds what it is for: a card that passes all of them is broken in one way, and that check must say so."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from generator import cards, inspection, layouts, sets
from generator.checks import checks, examine
from generator.model import Error, Unsound
from generator.project import Project


def sub(pattern: str, replacement: str, count: int = 1) -> Callable[[str], str]:
    """A corruption by regular expression that must change the card."""

    def corrupt(text: str) -> str:
        changed = re.sub(pattern, replacement, text, count=count)
        assert changed != text, f"{pattern} is not in the card"
        return changed

    return corrupt


def added(after: str, new: str) -> Callable[[str], str]:
    return sub(f"({re.escape(after)})", rf"\1{new}")


FIRST_LAYER = '<g id="disc-085-pattern">'

# Code of a check: corruptions of the disc card of 水 that it, and for most of them only it, must report.
SABOTEURS: dict[str, list[Callable[[str], str]]] = {
    "canvas": [sub("0 0 512 512", "0 0 500 500"), sub(' role="img"', "")],
    "elements": [added(FIRST_LAYER, "<text>水</text>"), added(FIRST_LAYER, "<script/>"), added(FIRST_LAYER, "<image/>")],
    "attributes": [added("<circle ", 'style="fill:red" '), added("<circle ", 'onclick="x()" '), added("<circle ", 'href="#a" ')],
    "layers": [
        sub('(<g id="disc-085-paper">.*?</g>)(.*)(<g id="disc-085-glyph">.*?</g>)', r"\3\2\1"),
        sub('<g id="disc-085-glyph">.*?</g>', ""),
        sub('<g id="disc-085-glyph">.*?</g>', '<g id="disc-085-glyph"/>'),
        added("</metadata>", '<rect width="512" height="512" fill="#2759a1"/>'),
    ],
    "ids": [sub('id="disc-085-tile"', 'id="disc-085-paper"'), sub("disc-085-glyph", "glyph")],
    "references": [
        sub(r"url\(#disc-085-tile\)", "url(#disc-085-tale)"),
        sub("</?defs>", "", count=2),
        sub("disc-085-title disc", "x disc"),
    ],
    "colours": [sub('fill="#2759a1"', 'fill="#2759a2"'), sub('fill="#2759a1"', 'fill="navy"')],
    "legible": [
        sub(r'(<g id="disc-085-glyph"><path d="[^"]*" fill=)"#......"', r'\1"#d9eaff"'),
        sub('<circle[^>]*fill="#......"', "<circle "),
    ],
    "numbers": [sub(r'cx="256"', 'cx="256.001"'), sub(r'cx="256"', 'cx="2.56e2"'), sub('d="M([0-9.]+)', r'd="M-0 0M\1')],
    "centred": [sub(r'(<g id="disc-085-glyph"><path d="M)\d+', r"\g<1>120")],
    "safe_area": [sub(r'(<g id="disc-085-glyph">)', r'\1<path d="M20 256h472v1z" fill="#16346a"/>')],
    "title": [sub("<title.*?</title>", ""), sub("水 water</title>", "water</title>"), sub("<desc.*?</desc>", '<desc id="disc-085-desc"/>')],
    "licence": [sub("<dc:rights>.*?</dc:rights>", ""), sub("<dc:source>.*?</dc:source>", "")],
    "weight": [added("</title>", "<desc>" + "a" * 10_000 + "</desc>")],
}
CASES = [pytest.param(code, corrupt, id=f"{code}-{n}") for code, ways in SABOTEURS.items() for n, corrupt in enumerate(ways)]


@pytest.fixture(scope="module")
def made(project: Project) -> cards.Recipe:
    return cards.recipe(project, "disc")


@pytest.fixture(scope="module")
def good(project: Project, made: cards.Recipe) -> str:
    return layouts.draw(cards.card(made, project.by_glyph["水"]), made.spec.layout)


def codes(text: str, project: Project, made: cards.Recipe) -> list[str]:
    found = examine("disc/radical_085.svg", text, cards.expected(made, project.by_glyph["水"]))
    assert all(finding.message and finding.where for finding in found)
    return [finding.code for finding in found]


def test_a_drawn_card_passes(good: str, project: Project, made: cards.Recipe) -> None:
    assert codes(good, project, made) == []


def test_every_check_has_a_saboteur() -> None:
    assert SABOTEURS.keys() == checks.keys()


@pytest.mark.parametrize(("code", "corrupt"), CASES)
def test_a_check_catches_its_saboteur(code: str, corrupt: Callable[[str], str], good: str, project: Project, made: cards.Recipe) -> None:
    assert code in codes(corrupt(good), project, made)


MOVED = r'(<g id="picture-085-picture"><g transform="translate\()128 47'
PICTURE_FILL = r'(<g id="picture-085-picture">.*?fill=)"#......"'
# Of the picture card of 水 and the window card: what only cards with pictures can have wrong.
PICTURED: dict[str, dict[str, list[Callable[[str], str]]]] = {
    "picture": {
        "layers": [sub('<g id="picture-085-picture">.*?</g></g>', ""), sub('<g id="picture-085-glyph">.*?</g>', "")],
        "colours": [sub(PICTURE_FILL, r'\1"#123456"'), sub(PICTURE_FILL, r'\1"red"')],
        "centred": [sub(MOVED, r"\g<1>138 47"), sub(MOVED, r"\g<1>128 44")],
        "safe_area": [sub(MOVED, r"\g<1>128 -10")],
        "legible": [sub(MOVED, r"\g<1>128 160")],
        "parse": [sub(r"translate\(128 47\) scale\(", "rotate(9) scale(")],
    },
    "window": {
        "references": [sub(r'clip-path="url\(#window-085-cut\)"', 'clip-path="url(#window-085-cat)"'), sub("clipPath", "pattern", count=2)],
        "elements": [sub("clipPath", "mask", count=2), sub("clipPath", "clippath", count=2)],
        "ids": [sub('id="window-085-cut"', 'id="cut"')],
        "centred": [sub(r'(<g id="window-085-glyph"><path d="M)\d+', r"\g<1>120")],
    },
}
PICTURED_CASES = [
    pytest.param(name, code, corrupt, id=f"{name}-{code}-{n}")
    for name, codes_ in PICTURED.items()
    for code, ways in codes_.items()
    for n, corrupt in enumerate(ways)
]


@pytest.mark.parametrize(("name", "code", "corrupt"), PICTURED_CASES)
def test_a_check_catches_what_is_wrong_with_a_picture(name: str, code: str, corrupt: Callable[[str], str], project: Project) -> None:
    made, water = cards.recipe(project, name), project.by_glyph["水"]
    good = sets.make(made, water).content.decode()
    assert codes(good, project, made) == []
    try:
        assert code in codes(corrupt(good), project, made)
    except ElementTree.ParseError:
        pytest.fail("the corruption is not well-formed")


@pytest.mark.parametrize("code", ["layers", "centred"])
def test_a_card_that_nobody_knows_has_its_glyph_in_the_middle(code: str, good: str) -> None:
    assert examine("x.svg", good) == []
    (corrupt, *_) = [SABOTEURS["layers"][1]] if code == "layers" else SABOTEURS["centred"]
    assert code in [finding.code for finding in examine("x.svg", corrupt(good))]


def test_a_reference_is_to_something_of_its_kind(project: Project, made: cards.Recipe) -> None:
    """And each of several <defs> counts."""
    window = cards.recipe(project, "window")
    text = sets.make(window, project.by_glyph["水"]).content.decode()
    two = text.replace("<defs>", '<defs><clipPath id="window-085-more"/></defs><defs>', 1)
    assert codes(two.replace("url(#window-085-cut)", "url(#window-085-more)"), project, window) == []
    tile = '<defs><pattern id="window-085-more" x="0" y="0" width="9" height="9"/></defs><defs>'
    other = text.replace("<defs>", tile, 1).replace("url(#window-085-cut)", "url(#window-085-more)")
    assert "references" in codes(other, project, window)


def test_a_bare_card_is_checked_as_one(project: Project) -> None:
    bare, water = cards.recipe(project, "picture", bare=True), project.by_glyph["水"]
    made = sets.make(bare, water)
    assert made.findings == []
    assert "layers" in codes(made.content.decode(), project, cards.recipe(project, "picture")), "no glyph, where there should be one"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("<svg", id="cut off"),
        pytest.param("<html/>", id="not svg"),
        pytest.param('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>', id="doctype"),
        pytest.param('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0 L x"/></svg>', id="not path data"),
        pytest.param('<svg xmlns="http://www.w3.org/2000/svg"><g id="a-1-glyph"><rect x="wide"/></g></svg>', id="not a number"),
    ],
)
def test_what_cannot_be_read_is_a_finding(text: str) -> None:
    assert examine("x.svg", text)


def test_all_drawn_cards_were_examined(project: Project, drawn: Path) -> None:
    count, findings = inspection.cards(project, sorted(drawn.iterdir()))
    assert (count, findings) == (214 * len(project.sets), [])


@pytest.mark.parametrize("change", [{"layout": "window"}, {"layout": "seal"}, {"palette": "night"}])
def test_cards_of_a_changed_set_are_held_to_what_they_are(project: Project, tmp_path: Path, change: dict[str, str]) -> None:
    """As ``render --layout`` draws them: the manifest says how."""
    spec = project.sets["baseline"].model_copy(update=change)
    sets.render([cards.recipe(project, "baseline", spec)], project.radicals[80:90], tmp_path)
    assert inspection.cards(project, [tmp_path]) == (10, [])


def test_set_checks_catch_their_saboteurs(drawn: Path, tmp_path: Path) -> None:
    def broken(name: str) -> Path:
        return Path(shutil.copytree(drawn / "baseline", tmp_path / name))

    assert sets.examine_folder(drawn / "baseline", "x") == []
    found: dict[str, set[str]] = {}

    (broken("changed") / "radical_085.svg").write_text("<svg/>")
    found["changed"] = {f.code for f in sets.examine_folder(tmp_path / "changed", "x")}
    (broken("missing") / "radical_001.svg").unlink()
    found["missing"] = {f.code for f in sets.examine_folder(tmp_path / "missing", "x")}
    (broken("stray") / "radical_215.svg").write_text("<svg/>")
    found["stray"] = {f.code for f in sets.examine_folder(tmp_path / "stray", "x")}
    manifest = broken("dropped") / sets.MANIFEST
    loaded = json.loads(manifest.read_text("utf-8"))
    del loaded["cards"][84]
    manifest.write_text(json.dumps(loaded))
    found["dropped"] = {f.code for f in sets.examine_folder(tmp_path / "dropped", "x")}

    assert found == {"changed": {"agreement"}, "missing": {"agreement"}, "stray": {"complete"}, "dropped": {"complete"}}
    assert {code for codes in found.values() for code in codes} == sets.set_checks.keys()


def test_an_unreadable_manifest_is_an_error(drawn: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(drawn / "baseline", tmp_path / "baseline"))
    (folder / sets.MANIFEST).write_text("{")
    with pytest.raises(Error, match=r"manifest\.json: not a manifest"):
        sets.examine_folder(folder, "baseline")


def test_findings_stop_a_set_and_leave_the_last_good_one(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = cards.recipe(project, "baseline")
    sets.render([made], project.radicals, tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "baseline").iterdir()}

    def off_centre(card: layouts.Card) -> layouts.Layers:
        drawn = layouts.plain(card)
        return drawn | {"glyph": [layouts._placed(card.glyph, card.size, 300, 256, card.swatch.ink)]}

    monkeypatch.setitem(layouts.layouts, "plain", off_centre)
    with pytest.raises(Unsound, match=r"baseline/radical_001\.svg: centred: glyph is off centre by \+44"):
        sets.render([made], project.radicals, tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "baseline").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["baseline"]
