"""Pictures: read and written as they are, normalised to one size and one manner, made from listed sources only."""

import json
import re
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from common import ROOT
from hypothesis import given
from hypothesis import strategies as st

from generator import icons, pictures, svg
from generator.layouts import PICTURED
from generator.model import Error
from generator.pictures import Picture
from generator.project import PICTURES, Project, load
from generator.svg import CANVAS
from generator.vendor import Package, registries

pytest.importorskip("picosvg")
from generator.normalise import HEAVY, SIDES, normalised, stencilled, warm
from generator.shapes import distance

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">{}</svg>'
BOX = '<rect x="20" y="30" width="80" height="60" fill="{}"/>'
DRAWN = Picture((("#123456", "M10 20h100v30z"), ("#abcdef", "M1 2l3 4z")), "Drawing: us", "We & they. MIT")


def box(drawn: list[tuple[str, str]]) -> tuple[float, float, float, float]:
    found = pictures.bounds(Picture(tuple(drawn), "", ""))
    assert found
    return found


def commands(data: str) -> list[str]:
    return [letter for letter, _ in svg.path_commands(data)]


# Files.


def test_a_drawing_is_read_as_it_was_written() -> None:
    assert pictures.parse(pictures.written(DRAWN, "水 water"), "x.svg") == DRAWN


@pytest.mark.parametrize("folder", dict.fromkeys(PICTURED.values()))
def test_every_radical_has_one_that_is_written_canonically(folder: str, project: Project) -> None:
    files = sorted((ROOT / "radicals" / folder).iterdir())
    assert [path.name for path in files] == [f"{n:03d}.svg" for n in range(1, 215)]
    for path, radical in zip(files, project.radicals, strict=True):
        text = path.read_text("utf-8")
        assert pictures.written(pictures.parse(text, path.name), f"{radical.glyph} {radical.headword}") == text


def test_the_pictures_are_of_one_optical_size() -> None:
    sides = []
    for number in range(1, 215):
        left, top, right, bottom = box(list(pictures.read(ROOT / f"radicals/pictures/{number:03d}.svg", "").shapes))
        sides.append(max(right - left, bottom - top) / CANVAS)
    assert min(sides) > SIDES[0] - 0.02
    assert max(sides) < SIDES[1] + 0.01
    twentieths = quantiles(sides, n=20)
    assert twentieths[-1] / twentieths[0] < 1.3


def test_every_drawing_of_ours_is_used_and_no_other(project: Project) -> None:
    for kind in icons.MAKERS:
        drawn = {path.stem for path in (ROOT / "radicals/drawings" / kind).iterdir()}
        listed = project.pictures.radicals.items()
        assert drawn == {f"{n:03d}" for n, one in listed if icons.DRAWN in getattr(one, kind[:-1])}


def test_the_metadata_credits_what_the_list_says(project: Project) -> None:
    """So that a card, which is given away alone, names its author and licence."""
    for number, depiction in project.pictures.radicals.items():
        for kind in icons.MAKERS:
            shown = pictures.read(ROOT / f"radicals/{kind}/{number:03d}.svg", "")
            assert (shown.source, shown.rights) == icons.credit(getattr(depiction, kind[:-1]), project.pictures.sources)


def test_credits() -> None:
    sources = load(ROOT).pictures.sources
    assert icons.credit(["noto:fire"], sources) == ("Noto Emoji: fire", "Google LLC. Apache-2.0, changed")
    assert icons.credit(["game-icons:lorc/bow"], sources) == ("Game-icons.net: bow", "lorc. CC-BY-3.0, changed")
    together = ("Drawing: Bushu; Noto Emoji: duck", "The Bushu authors. MIT; Google LLC. Apache-2.0, changed")
    assert icons.credit(["drawn", "noto:duck"], sources) == together


# Normalising.

shapes = st.builds(
    lambda x, y, w, h, colour: f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="#{colour:06x}"/>',
    st.floats(0, 90),
    st.floats(0, 90),
    st.floats(3, 120),
    st.floats(3, 120),
    st.integers(0, 0xFFFFFF),
)


@given(st.lists(shapes, min_size=1, max_size=5))
def test_any_picture_is_centred_and_of_one_optical_size(drawn: list[str]) -> None:
    left, top, right, bottom = box(normalised(SVG.format("".join(drawn))))
    assert (left + right) / 2 == pytest.approx(CANVAS / 2, abs=1)
    assert (top + bottom) / 2 == pytest.approx(CANVAS / 2, abs=1)
    assert SIDES[0] * CANVAS - 2 <= max(right - left, bottom - top) <= SIDES[1] * CANVAS + 2


def test_more_ink_is_drawn_smaller() -> None:
    sides = {}
    for name, height in (("spear", 4), ("plank", 60), ("stone", 100)):
        left, _, right, _ = box(normalised(SVG.format(f'<rect width="100" height="{height}" fill="#808080"/>')))
        sides[name] = right - left
    assert sides["spear"] > sides["plank"] >= sides["stone"]


def test_strokes_uses_groups_and_clips_become_flat_shapes() -> None:
    drawn = normalised(
        SVG.format(
            '<defs><circle id="a" r="20"/><clipPath id="c"><rect width="64" height="128"/></clipPath></defs>'
            '<g transform="translate(64 64)"><use href="#a" fill="#ff0000"/></g>'
            '<g clip-path="url(#c)"><rect y="100" width="128" height="20" fill="#0000ff"/></g>'
            '<path d="M20 20h60" stroke="#00aa00" stroke-width="6" fill="none"/>'
        )
    )
    assert len(drawn) == 3
    assert all(set(commands(data)) <= set("MLQCZ") and re.fullmatch("#[0-9a-f]{6}", colour) for colour, data in drawn)
    whole, clipped = box(drawn), box(drawn[1:2])
    assert clipped[2] - clipped[0] == pytest.approx((whole[2] - whole[0]) * 64 / 84, rel=0.02), "the half that the clip leaves"


def test_a_gradient_becomes_a_few_flat_bands() -> None:
    stops = '<stop offset="0" stop-color="#ffee00"/><stop offset="1" stop-color="#cc0000"/>'
    for kind in ("linearGradient", "radialGradient"):
        paint = f'<defs><{kind} id="g">{stops}</{kind}></defs>' + BOX.format("url(#g)")
        assert 2 <= len({colour for colour, _ in normalised(SVG.format(paint))}) <= 4
    faint = '<stop offset="0" stop-color="#808080"/><stop offset="1" stop-color="#848484"/>'
    paint = f'<defs><linearGradient id="g">{faint}</linearGradient></defs>' + BOX.format("url(#g)")
    assert len(normalised(SVG.format(paint))) == 1


def test_what_is_half_transparent_is_mixed_with_what_lies_below() -> None:
    drawn = normalised(SVG.format(BOX.format("#ffffff") + '<circle cx="60" cy="60" r="20" fill="#000000" opacity="0.5"/>'))
    assert [colour for colour, _ in drawn] == [warm("#ffffff"), warm("#808080")]


def test_what_cannot_be_seen_is_left_out() -> None:
    hidden = '<rect x="30" y="40" width="20" height="20" fill="#ff0000"/>' + BOX.format("#00aa00")
    assert len(normalised(SVG.format(hidden))) == 1
    specks = BOX.format("#00aa00") + '<circle cx="50" cy="50" r="0.3" fill="#ff0000"/>'
    assert len(normalised(SVG.format(specks))) == 1


def test_a_vanished_shape_does_not_push_the_picture_aside() -> None:
    """Its bounds would be those of nothing: a point in the corner."""
    speckled = BOX.format("#00aa00") + "".join(f'<circle cx="{30 + 3 * n}" cy="50" r="0.7" fill="#ff0000"/>' for n in range(20))
    left, _, right, _ = box(normalised(SVG.format(speckled)))
    assert (left + right) / 2 == pytest.approx(CANVAS / 2, abs=1)


def test_a_heavy_picture_loses_its_least_shapes_until_it_is_light() -> None:
    dot = '<circle cx="{}" cy="{}" r="{}" fill="#{:06x}"/>'
    many = "".join(dot.format(4 + n % 12 * 10, 4 + n // 12 * 10, 2 + n % 3 * 0.6, n * 1999 % 0xFFFFFF) for n in range(130))
    drawn = normalised(SVG.format(BOX.format("#ffcc00") + many))
    assert sum(len(data) for _, data in drawn) <= HEAVY
    assert len(drawn) > 1


def test_warm_is_gentle() -> None:
    for colour in ("#000000", "#ffffff", "#ff0000", "#00a0ff", "#42a5f5", "#8d6e63"):
        assert 0 < distance(colour, warm(colour)) < 14, colour


def test_a_pictogram_is_ink_with_holes() -> None:
    ((colour, data),) = stencilled(SVG.format(BOX.format("#000000") + '<circle cx="60" cy="60" r="10" fill="#ffffff"/>'))
    assert colour == pictures.BLACK
    assert commands(data).count("M") == 2, "an outline and a hole"
    assert len(stencilled(SVG.format('<path fill="currentColor" d="M0 0h64v64z"/>'))) == 1


@pytest.mark.parametrize("make", [normalised, stencilled])
@pytest.mark.parametrize("drawn", ["", '<rect width="0" height="9"/>', '<rect width="9" height="9" opacity="0.01"/>'])
def test_a_picture_without_ink_is_an_error(make: Any, drawn: str) -> None:
    with pytest.raises(Error, match="no ink"):
        make(SVG.format(drawn))


# Making.

PACKED = {
    "width": 128,
    "height": 128,
    "icons": {"fire": {"body": BOX.format("#ff0000")}, "duck": {"body": '<g id="x"/>' + BOX.format("#00aa00")}},
    "aliases": {"flame": {"parent": "fire"}, "turned": {"parent": "fire", "rotate": 1}},
}
LISTED = """\
sources:
  noto: {title: Noto Emoji, copyright: Google LLC, licence: Apache-2.0, package: "@a/noto", version: 1.2.3}
  drawn: {title: Bushu, copyright: The Bushu authors, licence: MIT}
radicals:
  86: {picture: [noto:fire], pictogram: [drawn]}
  34: {picture: [drawn, noto:duck], pictogram: [noto:flame]}
"""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that makes two pictures from a registry with one package."""

    def npm(name: str, version: str, folder: Path) -> Package:
        assert (name, version) == ("@a/noto", "1.2.3")
        (folder / "icons.json").write_text(json.dumps(PACKED))
        return Package(folder, version)

    monkeypatch.setitem(registries, "npm", npm)
    for kind in icons.MAKERS:
        (tmp_path / "radicals/drawings" / kind).mkdir(parents=True)
    (tmp_path / PICTURES).write_text(LISTED)
    (tmp_path / "radicals/drawings/pictograms/086.svg").write_text(SVG.format(BOX.format("#000000")))
    follow = '<use href="noto:duck" transform="scale(.5)"/><use href="noto:duck" transform="translate(64 64) scale(.5)"/>'
    (tmp_path / "radicals/drawings/pictures/034.svg").write_text(SVG.format(follow))
    return tmp_path


def made(studio: Path) -> dict[str, bytes]:
    return {f"{kind}/{path.name}": path.read_bytes() for kind in icons.MAKERS for path in sorted((studio / "radicals" / kind).glob("*"))}


def test_pictures_are_made_from_icons_and_drawings(studio: Path) -> None:
    said: list[str] = []
    icons.make(load(studio), [34, 86], said.append)
    assert sorted(made(studio)) == ["pictograms/034.svg", "pictograms/086.svg", "pictures/034.svg", "pictures/086.svg"]
    assert said == ["4 pictures, 4 changed"]
    ducks = pictures.parse(made(studio)["pictures/034.svg"].decode(), "x")
    assert ducks.rights == "The Bushu authors. MIT; Google LLC. Apache-2.0, changed"
    assert sum(commands(data).count("M") for _, data in ducks.shapes) == 2, "both ducks"
    first = made(studio)
    icons.make(load(studio), [34, 86], said.append)
    assert (made(studio), said[-1]) == (first, "4 pictures, 0 changed")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("noto:fire", "noto:fyre"), r"86\.picture: no icon 'fyre' in noto, did you mean fire\?"),
        (("noto:fire", "noto:turned"), r"86\.picture: no icon 'turned' in noto"),
        (("noto:fire", "nota:fire"), r"86\.picture: unknown source of 'nota:fire', did you mean noto\?"),
        (("noto:fire", "drawn"), r"86\.picture: radicals/drawings/pictures/086\.svg is not there"),
        (("drawn, noto:duck", "drawn"), r"34\.picture: says \['drawn'\], .*034\.svg is made of \['drawn', 'noto:duck'\]"),
    ],
)
def test_a_list_that_is_wrong_is_an_error_and_nothing_is_made(studio: Path, edit: tuple[str, str], said: str) -> None:
    path = studio / PICTURES
    path.write_text(path.read_text().replace(*edit))
    with pytest.raises(Error, match=rf"radicals/pictures\.yml: {said}"):
        icons.make(load(studio), [34, 86], print)
    assert made(studio) == {}


def test_a_drawing_that_cannot_be_normalised_is_an_error(studio: Path) -> None:
    (studio / "radicals/drawings/pictograms/086.svg").write_text(SVG.format(""))
    with pytest.raises(Error, match=r"radicals/pictograms/086\.svg: no ink"):
        icons.make(load(studio), [34, 86], print)
    assert made(studio) == {}


@pytest.mark.parametrize("kind", icons.MAKERS)
def test_the_drawings_of_the_repository_give_its_pictures(kind: str, project: Project) -> None:
    """A sample of those that take no icon, which need no registry."""
    listed = project.pictures.radicals.items()
    ours = [number for number, one in listed if list(getattr(one, kind[:-1])) == [icons.DRAWN]]
    assert len(ours) > 40
    for number in ours[::8]:
        shown = pictures.read(ROOT / f"radicals/{kind}/{number:03d}.svg", "")
        drawing = (ROOT / f"radicals/drawings/{kind}/{number:03d}.svg").read_text("utf-8")
        assert tuple(icons.MAKERS[kind](drawing)) == shown.shapes, number
