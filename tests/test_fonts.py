"""Font files: every face inks every radical, outlines are exact, and a file that is no font says so."""

import hashlib
import tracemalloc
from pathlib import Path

import pytest
from common import ROOT
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from hypothesis import example, given
from hypothesis import strategies as st

from generator.fonts import Face, Outline, bounds
from generator.model import COUNT, Error, FaceSpec, FontSpec
from generator.project import Project, load

FONTS = load(ROOT).fonts
FILES: dict[str, FontSpec] = {**FONTS.faces, **FONTS.site}


def opened(spec: FaceSpec, substitutes: bool = True) -> Face:
    return Face(ROOT / "fonts" / spec.file, substitutes=spec.substitutes if substitutes else None)


@pytest.fixture(scope="module")
def outlines(project: Project) -> dict[str, dict[str, Outline | None]]:
    """What each face draws for each of the 214: face, then glyph."""
    faces = {name: opened(spec) for name, spec in project.fonts.faces.items()}
    return {name: {radical.glyph: face.outline(radical.glyph) for radical in project.radicals} for name, face in faces.items()}


def test_six_faces_ink_all_214(outlines: dict[str, dict[str, Outline | None]]) -> None:
    examined = [(name, glyph, outline) for name, drawn in outlines.items() for glyph, outline in drawn.items()]
    assert len(outlines) == 6
    assert len(examined) == 6 * COUNT == 1284
    assert [(name, glyph) for name, glyph, outline in examined if outline is None or not outline.longest > 0.05] == []


def test_no_two_radicals_of_a_face_are_drawn_alike(outlines: dict[str, dict[str, Outline | None]]) -> None:
    for name, drawn in outlines.items():
        assert len({outline.commands for outline in drawn.values() if outline}) == COUNT, name


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_is_recorded(name: str) -> None:
    spec = FILES[name]
    assert hashlib.sha256((ROOT / "fonts" / spec.file).read_bytes()).hexdigest() == spec.sha256
    licence = (ROOT / "fonts" / spec.licence_file).read_text("utf-8")
    assert len(licence.strip()) > 100
    assert spec.copyright.strip()


def test_no_file_is_unrecorded() -> None:
    known = {"fonts.yml"} | {file for spec in FILES.values() for file in (spec.file, spec.licence_file)}
    assert {path.name for path in (ROOT / "fonts").iterdir()} == known


@pytest.mark.parametrize("name", FONTS.faces)
def test_the_recorded_fit_is_the_measured_one(name: str, project: Project) -> None:
    spec = project.fonts.faces[name]
    assert opened(spec).fit(radical.glyph for radical in project.radicals) == pytest.approx(spec.fit, abs=0.001)


def test_fit_is_a_median_of_what_has_ink() -> None:
    face = opened(FONTS.faces["gothic"])
    sides = sorted(outline.longest for glyph in "一水龍" if (outline := face.outline(glyph)))
    assert face.fit(["龍", "一", " ", "水"]) == sides[1]
    assert face.fit([" ", "\u3000"]) == 0.9


@pytest.mark.parametrize("name", FONTS.faces)
def test_what_has_no_ink_is_none(name: str) -> None:
    face = opened(FONTS.faces[name])
    assert face.outline(" ") is None
    assert face.outline("\U0010fffd") is None


SUBSTITUTED = [(name, sign, instead) for name, spec in FONTS.faces.items() for sign, instead in spec.substitutes.items()]


@pytest.mark.parametrize(("name", "sign", "instead"), SUBSTITUTED, ids=[f"{name}-{sign}" for name, sign, _ in SUBSTITUTED])
def test_a_substitute_is_needed_and_used(name: str, sign: str, instead: str) -> None:
    bare, face = opened(FONTS.faces[name], substitutes=False), opened(FONTS.faces[name])
    assert bare.outline(sign) is None
    assert bare.outline(instead) is not None
    assert face.outline(sign) == bare.outline(instead)


def test_there_are_substitutes() -> None:
    assert len(SUBSTITUTED) >= 5


# Outlines


@pytest.mark.parametrize("name", FONTS.faces)
def test_outlines_are_where_fonttools_draws_them(name: str, outlines: dict[str, dict[str, Outline | None]]) -> None:
    spec = FONTS.faces[name]
    font = TTFont(ROOT / "fonts" / spec.file)
    glyphs, names, upem = font.getGlyphSet(), font.getBestCmap(), font["head"].unitsPerEm
    for glyph, outline in list(outlines[name].items())[::7]:
        pen = BoundsPen(glyphs)
        glyphs[names[ord(spec.substitutes.get(glyph, glyph))]].draw(pen)
        left, bottom, right, top = (value / upem for value in pen.bounds)
        assert outline is not None
        assert outline.bounds == pytest.approx((left, -top, right, -bottom), abs=1e-9)
        assert outline.advance == glyphs[names[ord(spec.substitutes.get(glyph, glyph))]].width / upem
        assert outline.longest == max(outline.bounds[2] - outline.bounds[0], outline.bounds[3] - outline.bounds[1])


def test_both_kinds_of_font_are_tested() -> None:
    kinds = {"glyf" if "glyf" in TTFont(ROOT / "fonts" / spec.file) else "CFF" for spec in FONTS.faces.values()}
    assert kinds == {"glyf", "CFF"}


@pytest.mark.parametrize("name", FONTS.faces)
def test_outlines_are_the_same_the_second_time(name: str, outlines: dict[str, dict[str, Outline | None]]) -> None:
    face = opened(FONTS.faces[name])
    text = "水龍Aéāふ一水"
    first = [face.outline(sign) for sign in text]
    assert [face.outline(sign) for sign in text] == first
    assert [face.outline(sign) for sign in reversed(text)] == first[::-1]
    assert first[0] == first[-1] == outlines[name]["水"]


@pytest.mark.parametrize("name", ["mincho", "gothic"])
def test_what_was_drawn_is_forgotten(name: str, project: Project) -> None:
    """Memory does not grow with the number of glyphs drawn."""
    face = opened(project.fonts.faces[name])
    for radical in project.radicals[:10]:
        face.outline(radical.glyph)
    tracemalloc.start()
    for radical in project.radicals[10:]:
        face.outline(radical.glyph)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 300_000


# Bounds


number = st.integers(-1000, 1000).map(float)
point = st.tuples(number, number)
segment = st.one_of(
    st.tuples(st.just("L"), point),
    st.tuples(st.just("Q"), point, point),
    st.tuples(st.just("C"), point, point, point),
)
contour = st.tuples(point, st.lists(segment, min_size=1, max_size=6))


@given(st.lists(contour, min_size=1, max_size=3))
@example([((0.0, 0.0), [("Q", (50.0, 100.0), (100.0, 0.0))])])
@example([((0.0, 0.0), [("C", (-40.0, 0.0), (140.0, 0.0), (100.0, 0.0))])])
@example([((0.0, 0.0), [("Q", (100.0, 0.0), (50.0, 0.0))])])
def test_bounds_are_exact(contours: list) -> None:
    pen, commands = BoundsPen(None), []
    methods = {"L": pen.lineTo, "Q": pen.qCurveTo, "C": pen.curveTo}
    for start, segments in contours:
        pen.moveTo(start)
        commands.append(("M", start))
        for letter, *points in segments:
            methods[letter](*points)
            commands.append((letter, tuple(value for at in points for value in at)))
        pen.closePath()
        commands.append(("Z", ()))
    assert bounds(commands) == pytest.approx(pen.bounds, abs=1e-6)


@pytest.mark.parametrize("commands", [[], [("M", (5.0, 5.0))], [("M", (5.0, 5.0)), ("Z", ())]], ids=["nothing", "move", "closed move"])
def test_no_ink_has_no_bounds(commands: list) -> None:
    assert bounds(commands) is None


# Files that are no fonts


def _cut(name: str, length: int) -> bytes:
    return (ROOT / "fonts" / name).read_bytes()[:length]


BROKEN = {
    "empty": b"",
    "text": b"this is no font\n" * 40,
    "zeros": b"\0" * 4000,
    "only a TrueType head": b"\0\1\0\0" + b"\0" * 8,
    "cut in the directory": _cut("mincho.ttf", 100),
    "cut before the outlines": _cut("mincho.ttf", 5000),
    "otf cut": _cut("gothic.otf", 500),
    "collection": b"ttcf" + b"\0" * 100,
    "otf signature": b"OTTO" + b"\0" * 100,
    "woff2 signature": b"wOF2" + b"\0" * 100,
    "woff2 cut": _cut("newsreader.woff2", 4000),
    "html": b"<!DOCTYPE html><title>404</title>",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_an_error_that_names_it(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.ttf"
    path.write_bytes(content)
    with pytest.raises(Error) as caught:
        Face(path)
    assert str(caught.value).startswith(f"{path}: not a font that can be read (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "at", "new"),
    [("gothic.otf", b"CFF ", b"\x09"), ("mincho.ttf", b"head", None)],
    ids=["unknown CFF version", "head too short"],
)
def test_a_damaged_table_is_an_error_that_names_the_file(name: str, at: bytes, new: bytes | None, tmp_path: Path) -> None:
    content = bytearray((ROOT / "fonts" / name).read_bytes())
    entry = content.index(at)  # tag, checksum, offset, length
    offset = int.from_bytes(content[entry + 8 : entry + 12])
    if new:
        content[offset : offset + len(new)] = new
    else:
        content[entry + 12 : entry + 16] = (10).to_bytes(4)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Error) as caught:
        Face(path).outline("水")
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["missing.ttf", "."])
def test_a_file_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(Error, match="not a font that can be read"):
        Face(tmp_path / name)


# A font that a person brings


def _built(path: Path, names: dict[str, str]) -> Face:
    """A font of two glyphs: a square for 口, and nothing for 一, though it is in the character map."""
    pen = TTGlyphPen(None)
    for point in ((100, 0), (100, 800), (900, 800), (900, 0)):
        (pen.lineTo if point != (100, 0) else pen.moveTo)(point)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "square", "blank"])
    builder.setupCharacterMap({ord("口"): "square", ord("一"): "blank"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph(), "blank": TTGlyphPen(None).glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 100), "blank": (1000, 0)})
    builder.setupHorizontalHeader()
    builder.setupNameTable(names)
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return Face(path)


def test_a_character_may_be_mapped_to_a_blank_glyph(tmp_path: Path) -> None:
    face = _built(tmp_path / "two.ttf", {})
    square = face.outline("口")
    assert square is not None
    assert square.bounds == (0.1, -0.8, 0.9, 0)
    assert (square.advance, square.longest) == (1, pytest.approx(0.8))
    assert [letter for letter, _ in square.commands].count("M") == 1
    assert face.outline("一") is None
    assert face.outline("水") is None
    assert face.fit("一口水") == pytest.approx(0.8)


def test_credit(tmp_path: Path) -> None:
    told = _built(tmp_path / "told.ttf", {"fullName": "Two Signs", "copyright": "Copyright\n2026  A", "licenseDescription": "OFL-1.1"})
    assert told.credit() == ("Two Signs", "Copyright 2026 A OFL-1.1")
    assert _built(tmp_path / "silent.ttf", {}).credit() == ("silent", "licence not stated in the font")
