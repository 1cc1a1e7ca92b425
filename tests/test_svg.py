"""SVG text: numbers, path data, and a whole document."""

import itertools
import re
from xml.etree import ElementTree

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path
from hypothesis import example, given
from hypothesis import strategies as st

from generator import svg
from generator.cards import card, recipe
from generator.layouts import draw
from generator.project import Project

NS = "{http://www.w3.org/2000/svg}"
ON_CURVE = 0.0501
"""Half a tenth, by which rounding moves a point."""
MIRRORED = 0.2501
"""And by which a control point may be off that is left to be mirrored."""

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(finite, st.integers(0, 6))
@example(-0.0, 2)
@example(-0.001, 2)
@example(0.005, 2)
@example(1e-300, 6)
@example(100.0, 0)
@example(-0.4, 0)
@example(512.0, 2)
def test_number(value: float, places: int) -> None:
    text = svg.number(value, places)
    assert re.fullmatch(rf"-?\d+(\.\d{{1,{max(places, 1)}}})?", text), "no exponent, few decimals"
    assert not (places == 0 and "." in text)
    assert not ("." in text and text.endswith("0")), "no trailing zeros"
    assert not re.fullmatch(r"-0(\.0*)?", text), "no negative zero"
    assert abs(float(text) - value) <= 0.5 * 10**-places + abs(value) * 1e-15
    assert svg.number(float(text), places) == text


@pytest.mark.parametrize(
    ("value", "places", "wanted"),
    [
        (10, 0, "10"),
        (100, 2, "100"),
        (0.1, 2, "0.1"),
        (1.005, 1, "1"),
        (-0.001, 2, "0"),
        (1e21, 2, "1" + "0" * 21),
        (7, 2, "7"),
        (-2.50, 2, "-2.5"),
    ],
)
def test_number_table(value: float, places: int, wanted: str) -> None:
    assert svg.number(value, places) == wanted


# Path data


coordinate = st.floats(-600, 600, allow_nan=False).map(lambda value: round(value, 3))
curve = st.one_of(
    st.tuples(st.just("L"), st.tuples(*[coordinate] * 2)),
    st.tuples(st.just("Q"), st.tuples(*[coordinate] * 4)),
    st.tuples(st.just("C"), st.tuples(*[coordinate] * 6)),
)


@st.composite
def implied(draw_: st.DrawFn) -> list[tuple[str, tuple[float, ...]]]:
    """A run of quadratic curves as TrueType has them: on-curve points halfway between control points."""
    controls = draw_(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=8))
    halfway = [((x + u) / 2, (y + v) / 2) for (x, y), (u, v) in itertools.pairwise(controls)]
    return [("Q", control + on) for control, on in zip(controls, halfway, strict=False)]


@st.composite
def contours(draw_: st.DrawFn) -> list[tuple[str, tuple[float, ...]]]:
    found: list[tuple[str, tuple[float, ...]]] = []
    for _ in range(draw_(st.integers(1, 4))):
        start = draw_(st.tuples(coordinate, coordinate))
        runs = draw_(st.lists(st.one_of(st.lists(curve, min_size=1, max_size=5), implied()), min_size=1, max_size=3))
        found += [("M", start), *itertools.chain(*runs), ("Z", ())]
    return found


def _parsed(data: str) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    pen = RecordingPen()
    parse_path(data, pen)
    letters = {"moveTo": "M", "lineTo": "L", "qCurveTo": "Q", "curveTo": "C", "closePath": "Z", "endPath": "Z"}
    return [(letters[verb], points) for verb, points in pen.value]


def _without_idle_lines(commands: list[tuple[str, tuple[tuple[float, float], ...]]]) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    """Without lines that go nowhere once rounded, and without the line that closing draws anyway."""
    found: list[tuple[str, tuple[tuple[float, float], ...]]] = []
    at = start = (0.0, 0.0)
    for letter, points in commands:
        if letter == "M":
            start = points[0]
        if letter == "Z":
            while found[-1][0] == "L" and _near(found[-1][1][0], start, 0.001):
                found.pop()
        if not (letter == "L" and _near(points[0], at, 0.001)):
            found.append((letter, points))
        at = points[-1] if points else start
    return found


def _near(one: tuple[float, float], other: tuple[float, float], by: float) -> bool:
    return abs(one[0] - other[0]) <= by and abs(one[1] - other[1]) <= by


def _assert_same_path(data: str, commands: list[tuple[str, tuple[float, ...]]], scale: float = 1, dx: float = 0, dy: float = 0) -> None:
    true = [(letter, [(x * scale + dx, y * scale + dy) for x, y in zip(ns[::2], ns[1::2], strict=True)]) for letter, ns in commands]
    rounded = [(letter, tuple((round(x, 1), round(y, 1)) for x, y in points)) for letter, points in true]
    wanted, found = _without_idle_lines(rounded), _without_idle_lines(_parsed(data))
    assert [letter for letter, _ in found] == [letter for letter, _ in wanted]
    for (letter, points), (_, drawn) in zip(wanted, found, strict=True):
        assert len(points) == len(drawn)
        for index, (point, other) in enumerate(zip(points, drawn, strict=True)):
            control = letter == "Q" and index == 0
            assert _near(point, other, 0.05 + (MIRRORED if control else ON_CURVE)), (letter, point, other)


@given(contours())
def test_path_data_says_what_it_was_given(commands: list[tuple[str, tuple[float, ...]]]) -> None:
    _assert_same_path(svg.path_data(commands), commands)


@given(contours(), st.floats(0.1, 3), st.floats(-300, 300), st.floats(-300, 300))
def test_path_data_scales_and_moves(commands: list[tuple[str, tuple[float, ...]]], scale: float, dx: float, dy: float) -> None:
    _assert_same_path(svg.path_data(commands, scale, dx, dy), commands, scale, dx, dy)


def test_errors_never_add_up() -> None:
    steps = [("M", (0.04, 0.04)), *[("L", (n * 0.144, n * 0.044)) for n in range(1, 3001)], ("Z", ())]
    drawn = [points[-1] for letter, points in _parsed(svg.path_data(steps)) if letter == "L"]
    assert any(_near(point, (3000 * 0.144, 3000 * 0.044), ON_CURVE) for point in drawn[-2:])


def test_smooth_curves_leave_their_control_points_to_be_mirrored() -> None:
    wave = [("M", (0, 0)), ("Q", (10, 10, 20, 0)), ("Q", (30, -10, 40, 0)), ("Q", (50, 10.2, 60, 0)), ("Z", ())]
    assert svg.path_data(wave) == "M0 0q10 10 20 0t20 0 20 0z"


@pytest.mark.parametrize(("second", "letter"), [((30, -10.2), "t"), ((30.2, -9.8), "t"), ((30, -10.3), "q"), ((29.7, -10), "q")])
def test_only_nearly_true_control_points_are_mirrored(second: tuple[float, float], letter: str) -> None:
    data = svg.path_data([("M", (0, 0)), ("Q", (10, 10, 20, 0)), ("Q", (*second, 40, 0)), ("Z", ())])
    assert re.findall("[a-zA-Z]", data)[2:3] == (["t"] if letter == "t" else ["z"]), data


def test_nothing_is_mirrored_across_a_line() -> None:
    data = svg.path_data([("M", (0, 0)), ("Q", (10, 10, 20, 0)), ("L", (20, 0)), ("Q", (30, -10, 40, 0)), ("Z", ())])
    assert "t" not in data


def test_a_second_contour_starts_from_where_the_first_was_closed() -> None:
    square = [("M", (10, 10)), ("L", (20, 10)), ("L", (20, 20)), ("Z", ()), ("M", (12, 12)), ("L", (13, 15)), ("Z", ())]
    assert svg.path_data(square) == "M10 10h10v10zm2 2l1 3z"
    _assert_same_path(svg.path_data(square), square)


# Documents


def _document(prefix: str = "disc-085", title: str = "水 water", description: str = "Radical 85.", source: str = "A face") -> str:
    tile = svg.pattern(f"{prefix}-tile", 48, 24, [svg.path("M0 0h48", stroke="#112233", stroke_width=2.0)])
    layers = {
        "glyph": [svg.path("M1 1h9v9z", fill="#000000")],
        "label": [svg.path("M0 1L2.5 3")],
        "pattern": [tile, svg.rect(0, 0, 512, 512, fill=f"url(#{prefix}-tile)"), svg.circle(256, 256, 190)],
        "paper": [svg.rect(0, 0, 512, 512, fill="#ffffff")],
    }
    return svg.document(prefix, title, description, {"source": source, "rights": "OFL-1.1"}, layers)


def _ids(text: str) -> list[str]:
    return [value for element in ElementTree.fromstring(text).iter() if (value := element.get("id"))]


def test_document_is_well_formed_and_says_what_it_is() -> None:
    root = ElementTree.fromstring(_document())
    assert root.tag == f"{NS}svg"
    assert root.attrib == {"viewBox": "0 0 512 512", "role": "img", "aria-labelledby": "disc-085-title disc-085-desc"}
    assert [child.tag.removeprefix(NS) for child in root] == ["title", "desc", "metadata", "g", "g", "g", "g"]
    assert root.findtext(f"{NS}title") == "水 water"
    assert root.findtext(f"{NS}desc") == "Radical 85."
    assert root.findtext(f"{NS}metadata/{{{svg.DUBLIN_CORE}}}source") == "A face"
    assert root.findtext(f"{NS}metadata/{{{svg.DUBLIN_CORE}}}rights") == "OFL-1.1"


def test_layers_stand_in_order_however_they_are_given() -> None:
    groups = [child.get("id") for child in ElementTree.fromstring(_document()) if child.tag == f"{NS}g"]
    assert groups == ["disc-085-paper", "disc-085-pattern", "disc-085-glyph", "disc-085-label"]


def test_ids_are_unique_and_prefixed() -> None:
    found = _ids(_document())
    assert sorted(found) == sorted(f"disc-085-{part}" for part in ("title", "desc", "paper", "pattern", "tile", "glyph", "label"))


@pytest.mark.parametrize("text", ['<&">', "a < b & c > d", "'\"'", "]]>", "&amp;", "<!-- -->"])
def test_text_is_escaped(text: str) -> None:
    root = ElementTree.fromstring(_document(title=text, description=text, source=text))
    assert root.findtext(f"{NS}title") == root.findtext(f"{NS}desc") == text
    assert root.findtext(f"{NS}metadata/{{{svg.DUBLIN_CORE}}}source") == text


def test_only_the_namespaces_that_are_used() -> None:
    assert set(re.findall(r'xmlns(?::(\w+))?="', _document())) == {"", "dc"}
    assert not re.search(r"xlink|xmlns:ev|baseProfile|version=", _document())


def test_numbers_in_attributes_are_short() -> None:
    text = ElementTree.tostring(svg.rect(1 / 3, -0.001, 10.0, 2e-9, stroke_width=2.50).get_xml(), encoding="unicode")
    assert ElementTree.fromstring(text).attrib == {"x": "0.33", "y": "0", "width": "10", "height": "0", "stroke-width": "2.5"}


def test_the_same_bytes_whatever_was_drawn_before() -> None:
    first = _document()
    for number in range(30):
        _document(f"other-{number:03d}")
    assert _document() == first


def _cards(project: Project, order: list[tuple[str, int]]) -> dict[tuple[str, int], str]:
    return {(name, n): draw(card(recipe(project, name), project.radicals[n - 1]), project.sets[name].layout) for name, n in order}


def test_cards_share_no_id_and_do_not_depend_on_the_order_of_drawing(project: Project) -> None:
    order = [(name, n) for name in project.sets for n in (1, 85, 214)]
    drawn, again = _cards(project, order), _cards(project, order[::-1])
    assert drawn == again
    found = [value for text in drawn.values() for value in _ids(text)]
    assert len(found) >= 4 * len(order)
    assert len(found) == len(set(found))
    for (name, n), text in drawn.items():
        assert all(value.startswith(f"{name}-{n:03d}-") for value in _ids(text))
