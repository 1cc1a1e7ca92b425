"""Layouts: the glyph stands in the middle, inside the safe area, and at one em size for a whole set."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import replace
from statistics import median
from xml.etree import ElementTree

import pytest
from common import ROOT
from fontTools.pens.boundsPen import BoundsPen
from fontTools.svgLib.path import parse_path
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.cards import card, recipe
from generator.fonts import Outline
from generator.layouts import LABELLED as ROOMY
from generator.layouts import LONGEST, PICTURED, SAFE, SEEN_THROUGH, TYPICAL, Card, draw, layouts, middle
from generator.model import Error, Swatch
from generator.patterns import patterns
from generator.pictures import Picture
from generator.project import Project, load
from generator.svg import CANVAS, LAYERS

FITS = {name: spec.fit for name, spec in load(ROOT).fonts.faces.items()}
COLOURS = Swatch("#1e50a2", "#fffdf8", "#406bb2", "#eef3fb", "#14305f", "#1e50a2", "seigaiha", "")
PICTURE = Picture((("#c03a2f", "M26 56h460v400h-460z"), ("#f6f5f6", "M206 206h100v100h-100z")), "A drawing", "MIT")
"""As large as pictures are."""
LOW, HIGH = SAFE * CANVAS, (1 - SAFE) * CANVAS
OFF, OFF_CURVED = 0.06, 0.1
"""Units by which a glyph may miss the middle: of straight lines, and of curves whose control points are left to be mirrored."""
NS = "{http://www.w3.org/2000/svg}"

every_layout = pytest.mark.parametrize("layout", layouts)
every_pictured = pytest.mark.parametrize("layout", PICTURED)
every_face = pytest.mark.parametrize("face", FITS)


def box(left: float, top: float, right: float, bottom: float) -> Outline:
    """A rectangle as an outline, in em."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    commands = [("M" if i == 0 else "L", corner) for i, corner in enumerate(corners)]
    return Outline((*commands, ("Z", ())), (left, top, right, bottom), 1.0)


def a_card(glyph: Outline, fit: float = 0.9, label: tuple[Outline | float, ...] = (), number: int = 85) -> Card:
    facts = {"source": "A face", "rights": "OFL-1.1"}
    return Card("test", f"{number:03d}", "水 water", "Radical 85.", facts, glyph, TYPICAL * CANVAS / fit, label, COLOURS, PICTURE)


Box = tuple[float, float, float, float]


def ink_of(paths: Iterable[ElementTree.Element]) -> Box:
    """Ink bounds of paths: left, top, right, bottom."""
    pen = BoundsPen(None)
    for path in paths:
        parse_path(path.get("d"), pen)
    return pen.bounds


def ink(text: str, layer: str = "glyph") -> Box:
    """Ink bounds of a layer of a drawn card."""
    group = next(g for g in ElementTree.fromstring(text) if g.get("id", "").endswith(f"-{layer}"))
    return ink_of(group.iter(f"{NS}path"))


def em(text: str, outline: Outline) -> float:
    """At how many canvas units an em the glyph was drawn."""
    left, top, right, bottom = ink(text)
    return max(right - left, bottom - top) / outline.longest


def assert_in_the_middle(text: str, off: float = OFF, layout: str = "plain") -> None:
    left, top, right, bottom = ink(text)
    x, y = middle(layout, labelled=False)
    assert abs((left + right) / 2 - x) <= off
    assert abs((top + bottom) / 2 - y) <= off
    assert min(left, top) >= LOW - off
    assert max(right, bottom) <= HIGH + off


place, side = st.floats(-1, 1), st.floats(0.02, 2.5)
boxes = st.tuples(place, place, side, side).map(lambda given_: box(given_[0], given_[1], given_[0] + given_[2], given_[1] + given_[3]))


@every_face
@every_layout
@settings(max_examples=10)
@given(outline=boxes)
def test_any_outline_stands_in_the_middle(layout: str, face: str, outline: Outline) -> None:
    assert_in_the_middle(draw(a_card(outline, FITS[face]), layout), layout=layout)


@every_layout
@given(outline=boxes)
@settings(max_examples=10)
def test_only_what_would_leave_the_safe_area_is_shrunk(layout: str, outline: Outline) -> None:
    typical = em(draw(a_card(box(0, -0.9, 0.9, 0)), layout), box(0, -0.9, 0.9, 0))
    drawn = em(draw(a_card(outline), layout), outline)
    alone = (1 - 2 * SAFE) / TYPICAL
    room = {"picture": LONGEST / (typical * 0.9), "pictogram": LONGEST / (typical * 0.9), "window": alone / SEEN_THROUGH}.get(layout, alone)
    if outline.longest / 0.9 <= room:
        assert drawn * outline.longest == pytest.approx(typical * outline.longest, abs=0.3)
    else:
        assert drawn < typical


@pytest.fixture(scope="module")
def plain_cards(project: Project) -> dict[str, list[tuple[Card, str]]]:
    """All 214 in every face, in the layout `plain`: the cards and what was drawn."""
    found = {}
    for face in FITS:
        made = recipe(project, "baseline", project.sets["baseline"].model_copy(update={"font": face, "layout": "plain"}))
        cards = [card(made, radical) for radical in project.radicals]
        found[face] = [(one, draw(one, "plain")) for one in cards]
    return found


@every_face
def test_every_radical_stands_in_the_middle(face: str, plain_cards: dict[str, list[tuple[Card, str]]]) -> None:
    assert len(plain_cards[face]) == 214
    for _, text in plain_cards[face]:
        assert_in_the_middle(text, OFF_CURVED)


@every_face
def test_the_median_radical_fills_two_thirds(face: str, plain_cards: dict[str, list[tuple[Card, str]]]) -> None:
    edges = [ink(text) for _, text in plain_cards[face]]
    sides = [max(right - left, bottom - top) / CANVAS for left, top, right, bottom in edges]
    assert median(sides) == pytest.approx(0.66, abs=0.02)


@every_face
def test_the_natural_difference_is_kept(face: str, plain_cards: dict[str, list[tuple[Card, str]]]) -> None:
    (one, one_text), (dragon, dragon_text) = plain_cards[face][0], plain_cards[face][211]
    assert (one.title[0], dragon.title[0]) == ("一", "龍")
    assert em(one_text, one.glyph) == pytest.approx(em(dragon_text, dragon.glyph), rel=0.002)
    flat, tall = ink(one_text), ink(dragon_text)
    assert flat[3] - flat[1] < (tall[3] - tall[1]) / 2


@every_layout
def test_layers(layout: str) -> None:
    made = layouts[layout](a_card(box(0, -1, 1, 0), label=(box(0, -0.7, 0.5, 0),)))
    assert set(made) <= set(LAYERS)
    assert made["paper"]
    assert made["glyph"]
    text = draw(a_card(box(0, -1, 1, 0)), layout)
    ids = [group.get("id") for group in ElementTree.fromstring(text) if group.tag == f"{NS}g"]
    assert ids == [f"test-085-{name}" for name in LAYERS if f"test-085-{name}" in ids], "in order"
    assert "test-085-label" not in ids, "no label, no layer"


@every_layout
def test_a_layout_paints_with_the_swatch_only(layout: str) -> None:
    text = draw(a_card(box(0, -1, 1, 0), label=(box(0, -0.7, 0.5, 0),)), layout)
    paints = {value for element in ElementTree.fromstring(text).iter() for key in ("fill", "stroke") if (value := element.get(key))}
    shown = PICTURE.colours if PICTURED.get(layout) == "pictures" else set()
    assert paints <= {*COLOURS.colours(), *shown, "none", "url(#test-085-tile)"}
    assert len(paints) >= 2


LABELLED = [name for name in layouts if "label" in layouts[name](a_card(box(0, -1, 1, 0), label=(box(0, -1, 1, 0),)))]


def test_the_layouts_with_room_for_a_label_are_those_that_say_so() -> None:
    assert set(LABELLED) == set(ROOMY)


@pytest.mark.parametrize("layout", LABELLED)
@pytest.mark.parametrize("letters", [1, 8, 200])
def test_a_label_is_centred_and_never_too_wide(layout: str, letters: int) -> None:
    label = tuple(itertools.chain(*[(replace(box(0, -0.7, 0.6, 0), advance=0.6), 0.3) for _ in range(letters)]))[:-1]
    left, _, right, bottom = ink(draw(a_card(box(0, -1, 1, 0), label=label), layout), "label")
    assert (left + right) / 2 == pytest.approx(CANVAS / 2, abs=0.11)
    assert left >= LOW - 0.11
    assert right <= HIGH + 0.11
    assert bottom <= HIGH + 0.11


@every_layout
def test_drawing_depends_on_the_card_only(layout: str) -> None:
    cards = [a_card(box(0, -1, 1, 0), number=n) for n in range(1, 6)]
    forwards = [draw(one, layout) for one in cards]
    assert [draw(one, layout) for one in cards[::-1]] == forwards[::-1]
    assert len(set(forwards)) == len(cards)


def test_chance_is_one_stream_a_purpose() -> None:
    one, other = a_card(box(0, -1, 1, 0), number=1), a_card(box(0, -1, 1, 0), number=2)
    assert one.random("edge").random() == one.random("edge").random()
    assert len({one.random("edge").random(), one.random("line").random(), other.random("edge").random()}) == 3


@pytest.mark.parametrize("name", patterns)
def test_disc_shows_the_pattern_of_the_swatch(name: str) -> None:
    one = replace(a_card(box(0, -1, 1, 0)), swatch=replace(COLOURS, pattern=name))
    root = ElementTree.fromstring(draw(one, "disc"))
    tile, wanted = next(root.iter(f"{NS}pattern")), patterns[name](COLOURS.accent, COLOURS.paper)
    assert (tile.get("width"), tile.get("height"), tile.get("id")) == (str(wanted.width), str(wanted.height), "test-085-tile")
    drawn = [path.get("d") for path in tile.iter(f"{NS}path")]
    meant = [path.get("d") for shape in wanted.shapes for path in shape.get_xml().iter("path")]
    assert drawn == meant


def picture_ink(text: str) -> Box:
    """Ink bounds of the picture layer of a drawn card, from what resvg and browsers read: its group's transform and its paths."""
    layer = next(g for g in ElementTree.fromstring(text) if g.get("id", "").endswith("-picture"))
    group = next(g for g in layer.iter(f"{NS}g") if g.get("transform"))
    x, y, scale = map(float, re.fullmatch(r"translate\(([-\d.]+) ([-\d.]+)\) scale\(([\d.]+)\)", group.get("transform", "")).groups())
    left, top, right, bottom = ink_of(group.iter(f"{NS}path"))
    return left * scale + x, top * scale + y, right * scale + x, bottom * scale + y


@every_pictured
@pytest.mark.parametrize("alone", [False, True])
def test_a_picture_is_whole_inside_the_safe_area_and_centred(layout: str, alone: bool) -> None:
    left, top, right, bottom = picture_ink(draw(a_card(box(0, -1, 1, 0)), layout, alone))
    assert (left + right) / 2 == pytest.approx(CANVAS / 2, abs=0.5)
    assert min(left, top) >= LOW
    assert max(right, bottom) <= HIGH
    if alone:
        assert (top + bottom) / 2 == pytest.approx(CANVAS / 2, abs=0.5)
        assert right - left > 0.7 * CANVAS, "large"


@pytest.mark.parametrize("layout", ["picture", "pictogram"])
@given(outline=boxes)
@settings(max_examples=20)
def test_picture_and_glyph_never_touch(layout: str, outline: Outline) -> None:
    text = draw(a_card(outline), layout)
    assert picture_ink(text)[3] + 5 <= ink(text)[1]


@every_pictured
def test_a_bare_picture_has_no_glyph(layout: str) -> None:
    text = draw(a_card(box(0, -1, 1, 0)), layout, alone=True)
    assert [g.get("id") for g in ElementTree.fromstring(text) if g.tag == f"{NS}g"] == ["test-085-paper", "test-085-picture"]


@pytest.mark.parametrize("layout", [name for name in layouts if name not in PICTURED])
def test_a_layout_without_a_picture_has_no_bare_one(layout: str) -> None:
    with pytest.raises(Error, match=rf"--bare: the layout {layout} shows no picture"):
        draw(a_card(box(0, -1, 1, 0)), layout, alone=True)


@every_pictured
def test_a_card_without_a_picture_says_so(layout: str) -> None:
    with pytest.raises(Error, match="has no picture"):
        draw(replace(a_card(box(0, -1, 1, 0)), picture=None), layout)


def test_a_pictogram_is_of_one_colour() -> None:
    text = draw(a_card(box(0, -1, 1, 0)), "pictogram")
    layer = next(g for g in ElementTree.fromstring(text) if g.get("id", "").endswith("-picture"))
    assert {path.get("fill") for path in layer.iter(f"{NS}path")} == {COLOURS.tint}


def test_a_window_is_the_glyph_cut_out_of_the_picture() -> None:
    root = ElementTree.fromstring(draw(a_card(box(0, -1, 1, 0)), "window"))
    (cut,), (line,) = list(root.iter(f"{NS}clipPath")), [p for g in root if g.get("id") == "test-085-glyph" for p in g.iter(f"{NS}path")]
    assert (line.get("fill"), line.get("stroke")) == ("none", COLOURS.deep)
    hole = ink_of([cut.find(f"{NS}path")])
    assert hole == pytest.approx(ink_of([line]), abs=1), "under the line"
    assert [g.get("clip-path") for g in root.iter(f"{NS}g") if g.get("clip-path")] == [f"url(#{cut.get('id')})"]
